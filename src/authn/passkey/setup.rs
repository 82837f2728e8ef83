//! The method `passkey_setup`: within a sign-in that asks for a passkey, by somebody who has none.
//!
//! W3C Web Authentication Level 3 §7.1; PROTOCOL A11, A15. Making one verifies its owner as using one does, in the same five minutes: it is
//! a proof as well. Who has another factor has proven that one before.

use async_trait::async_trait;
use serde::Deserialize as _;
use serde_json::Value;
use webauthn_rs::prelude::PasskeyRegistration;

use super::{Answered, LIFETIME, Passkeys, Sealed};
use crate::authn::{Answer, Attempt, Begun, Factor, Method, Refusal};
use crate::edge::ephemeral::Namespace;
use crate::model::authentication::{Amr, Authentication};
use crate::protocol::secret::Secret;

/// Its name.
pub const NAME: &str = "passkey_setup";

/// States of sign-ins of the API, by the hash of their handle.
const WAITING: Namespace<Sealed<PasskeyRegistration>> = Namespace::new("passkey_setup");

/// The method.
pub struct Setup {
    /// Registers and judges.
    pub passkeys: Passkeys,
}

#[async_trait]
impl Method for Setup {
    fn name(&self) -> &'static str {
        NAME
    }

    fn factor(&self) -> Factor {
        Factor::Possession
    }

    fn proves(&self) -> Vec<Factor> {
        vec![Factor::Possession, Factor::Inherence]
    }

    fn enrols(&self) -> bool {
        true
    }

    async fn begin(&self, attempt: &Attempt) -> Result<Begun, Refusal> {
        let edges = &self.passkeys.factors.edges;
        let (person, key) = attempt.person.zip(attempt.flow).ok_or(Refusal::Wrong)?;
        let user = edges.store.user(person).await?.ok_or(Refusal::Wrong)?;
        let (options, state) = self.passkeys.registration(&user).await?;
        let until = edges.clock.now().plus(LIFETIME);
        WAITING.put(&*edges.ephemeral, key.as_bytes(), &Sealed { state, until }, until).await?;
        Ok(Begun::PublicKey(options))
    }

    fn read(&self, _: Option<&str>, value: Secret) -> Answer {
        Answer::Passkey(value)
    }

    async fn finish(&self, attempt: &Attempt, answer: &Answer) -> Result<Authentication, Refusal> {
        let (Answer::Passkey(answer), Some(person)) = (answer, attempt.person) else { return Err(Refusal::Wrong) };
        let edges = &self.passkeys.factors.edges;
        let now = edges.clock.now();
        let user = edges.store.user(person).await?.ok_or(Refusal::Wrong)?;
        let value: Value = serde_json::from_str(answer.expose()).map_err(|_| Refusal::Wrong)?;
        let answered = Answered::deserialize(&value).unwrap_or(Answered { credential: value, state: None });
        let state = match (&answered.state, attempt.flow) {
            (Some(state), _) => self.passkeys.registration_of_page(state, attempt).await?,
            (None, Some(key)) => {
                let waiting = WAITING.take(&*edges.ephemeral, key.as_bytes(), now).await?;
                waiting.ok_or(Refusal::Wrong)?.state
            }
            (None, None) => return Err(Refusal::Wrong),
        };
        let credential = answered.credential.to_string();
        let made = (credential.as_str(), "");
        // The epoch that begins with it is that of the proof.
        let (key, epoch) = self.passkeys.register((&user, self.passkeys.new_id()), made, state, attempt).await?;
        Ok(Authentication::new((person, epoch), now, vec![key, Amr::User]))
    }
}
