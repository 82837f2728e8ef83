//! Sign-in by name and password.
//!
//! NIST SP 800-63B-4 §3.1.1. An unknown name costs the same hash as a known one and gets the same answer.

pub mod breached;
mod common;
pub mod foreign;
pub mod hash;
pub mod policy;
pub mod strength;

use std::sync::Arc;

use async_trait::async_trait;

use crate::authn::device::Devices;
use crate::authn::password::hash::PasswordHasher;
use crate::authn::throttle::{Guessed, Throttle};
use crate::authn::{Answer, Attempt, Method, Refusal};
use crate::edge::Edges;
use crate::model::authentication::{Amr, Authentication};
use crate::model::id::UserId;
use crate::model::user::LookupName;

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
}

#[async_trait]
impl Method for Password {
    fn name(&self) -> &'static str {
        "password"
    }

    async fn finish(&self, attempt: &Attempt, answer: &Answer) -> Result<Authentication, Refusal> {
        let Answer::Password { login, password } = answer else { return Err(Refusal::Wrong) };
        let now = self.edges.clock.now();
        let Some(name) = LookupName::parse(login) else { return Err(Refusal::Wrong) };
        let store = &self.edges.store;
        let user = store.user_by_name(&name).await?;
        // One counter for an account over all its names (PROTOCOL A4).
        let account = user.as_ref().map_or_else(|| name.as_str().to_owned(), |user| user.id.to_string());
        let known = match (&user, &attempt.device) {
            (Some(user), Some(mark)) if self.devices.recognises(user.id, mark) => Some(mark),
            _ => None,
        };
        let guessed = known.map_or(Guessed::Account(&account), Guessed::FromKnownBrowser);
        let counted = (guessed, attempt.address.as_str());
        self.throttle.count(&*self.edges.ephemeral, counted, now).await?;

        // For nobody the same is read, where nothing stands.
        let holder = user.as_ref().map_or_else(|| UserId::new([0; 16]), |user| user.id);
        let phc = store.password(holder).await?;
        let check = self.hasher.verify(password, phc.as_ref().map(|phc| phc.expose().as_str())).await?;
        let Some(user) = user.filter(|user| user.is_enabled() && check.is_right()) else {
            return Err(Refusal::Wrong);
        };
        self.throttle.forgive(&*self.edges.ephemeral, counted).await?;
        if let Some(before) = phc.filter(|_| check.needs_rehash()) {
            let after = self.hasher.hash(password).await?;
            store.replace_password(user.id, (&before, &after), now).await?;
        }
        Ok(Authentication { user: user.id, at: now, amr: vec![Amr::Pwd] })
    }
}
