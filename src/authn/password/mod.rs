//! Sign-in by name and password.
//!
//! NIST SP 800-63B-4 §3.1.1. An unknown name costs the same hash as a known one and gets the same answer.

mod blocklist;
pub mod breached;
pub mod foreign;
pub mod hash;
pub mod policy;
pub mod strength;

use std::sync::Arc;

use async_trait::async_trait;

use crate::authn::device::Devices;
use crate::authn::password::hash::PasswordHasher;
use crate::authn::throttle::{Guess, Throttle, Whom};
use crate::authn::{Answer, Attempt, Factor, Method, Offer, Refusal};
use crate::edge::Edges;
use crate::model::authentication::{Amr, Authentication};
use crate::model::fault::Fault;
use crate::model::id::UserId;
use crate::model::user::{IdentifierKind, LookupName, User};
use crate::protocol::secret::Secret;

/// The method `password`.
pub struct Password {
    /// What it asks of the world.
    pub edges: Edges,
    /// The bounded pool.
    pub hasher: Arc<PasswordHasher>,
    /// Limits.
    pub throttle: Throttle,
    /// Browsers that are known.
    pub devices: Devices,
    /// The names that are heard.
    pub names: Vec<IdentifierKind>,
}

#[async_trait]
impl Method for Password {
    fn name(&self) -> &'static str {
        "password"
    }

    fn factor(&self) -> Factor {
        Factor::Knowledge
    }

    fn proves_a_name(&self) -> bool {
        true
    }

    /// After a proof of another kind, for who has a password.
    async fn offers(&self, user: &User) -> Result<Vec<Offer>, Fault> {
        let stands = self.edges.store.password(user.id).await?.is_some();
        let offer = Offer { id: self.name().to_owned(), hint: None };
        Ok(if stands { vec![offer] } else { Vec::new() })
    }

    fn read(&self, identifier: Option<&str>, value: Secret) -> Answer {
        Answer::Password { login: identifier.unwrap_or_default().to_owned(), password: value }
    }

    async fn finish(&self, attempt: &Attempt, answer: &Answer) -> Result<Authentication, Refusal> {
        let Answer::Password { login, password } = answer else { return Err(Refusal::Wrong) };
        let now = self.edges.clock.now();
        let store = &self.edges.store;
        let name = LookupName::parse(login);
        let user = match (attempt.person, &name) {
            // Who it must be is known: whatever was typed as a name says nothing.
            (Some(person), _) => store.user(person).await?,
            (None, Some(name)) => {
                let user = store.user_by_name(name).await?;
                user.filter(|user| user.named(name).is_some_and(|own| self.names.contains(&own.kind)))
            }
            (None, None) => return Err(Refusal::Wrong),
        };
        // One counter for an account over all its names (PROTOCOL A4).
        let nobody = Whom::Nobody(name.as_ref().map_or("", LookupName::as_str));
        let at = user.as_ref().map_or(nobody, |user| Whom::Account(user.id));
        let known_browser = match (&user, &attempt.device) {
            (Some(user), Some(mark)) if self.devices.recognises(user.id, mark) => Some(mark),
            _ => None,
        };
        let guess = Guess { at, known_browser, address: &attempt.from.address };
        // A stranger learns neither that the account hears them no longer nor, by that, that there is one.
        let is_heard = match self.throttle.count(&self.edges, guess, now).await {
            Ok(()) => true,
            Err(Refusal::Closed) if known_browser.is_none() => false,
            Err(refusal) => return Err(refusal),
        };

        // For nobody the same is read, where nothing stands. The epoch comes first: if the password is changed meanwhile, what
        // the old one proved is of the epoch that this ended.
        let holder = user.as_ref().map_or_else(|| UserId::new([0; 16]), |user| user.id);
        let epoch = store.auth_epoch(holder).await?;
        let phc = store.password(holder).await?;
        let check = self.hasher.verify(password, phc.as_ref().map(|phc| phc.expose().as_str())).await?;
        let proven = user.as_ref().filter(|_| is_heard && check.is_right());
        let Some((user, epoch)) = proven.zip(epoch) else {
            attempt.note_failure(&self.edges, self.name(), user.as_ref().map(|user| user.id));
            return Err(Refusal::Wrong);
        };
        self.throttle.forgive(&self.edges, guess).await?;
        if let Some(before) = phc.filter(|_| check.needs_rehash()) {
            let after = self.hasher.hash(password).await?;
            store.replace_password(user.id, (&before, &after), now).await?;
        }
        Ok(Authentication::new((user.id, epoch), now, vec![Amr::Pwd]))
    }
}
