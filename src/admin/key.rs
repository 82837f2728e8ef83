//! The keys that sign tokens: rotated, taken out of use, replaced after a compromise, brought in.
//!
//! PROTOCOL.md T18 and §3 (compromise drill: one command). Running servers follow within a second.

use super::{AdminError, Administration, Refusal, Thing};
use crate::edge::store::{Beside, Creation};
use crate::edge::vault::Vault;
use crate::model::event::EventName;
use crate::model::signing_key::{KeyState, RetiredSigningKey, StoredSigningKey};
use crate::oauth::rotation::{Advance, Rotation, RotationPolicy};
use crate::protocol::jose::algorithm::SigningAlgorithm;
use crate::protocol::jose::jws::GeneratedKey;
use crate::protocol::numeric_date::NumericDate;

/// What seals keys, and when they change.
#[derive(Copy, Clone)]
pub struct KeyRules<'a> {
    /// What seals them.
    pub vault: &'a Vault,
    /// When they change.
    pub policy: RotationPolicy,
}

/// What a rotation came to.
#[derive(Clone, Debug, Default)]
pub struct Rotated {
    /// The keys that sign from now on.
    pub signing: Vec<(SigningAlgorithm, String)>,
    /// Where clients do not know the next key yet, and from when on they do.
    pub waiting: Vec<(SigningAlgorithm, NumericDate)>,
}

/// What became of keys that were withdrawn.
#[derive(Clone, Debug)]
pub struct Replaced {
    /// Their names; whatever they signed is refused.
    pub withdrawn: Vec<String>,
    /// Fresh keys that sign in their place.
    pub signing: Vec<String>,
}

/// What becomes of a key that is taken out of use.
#[derive(Clone, Debug)]
pub enum Retired {
    /// The next one signs; it verifies until its last token has expired.
    Rotated(Rotated),
    /// It is gone.
    Replaced(Replaced),
    /// It retires already, until then.
    Already(Option<NumericDate>),
}

/// How fast a key is taken out of use.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Haste {
    /// In its time: what it signed stays good.
    InTime,
    /// At once, after a compromise.
    AtOnce,
}

impl Administration {
    fn rotation<'a>(&'a self, rules: KeyRules<'a>) -> Rotation<'a> {
        Rotation { edges: &self.edges, vault: rules.vault, policy: rules.policy }
    }

    /// Lets the next keys sign, of one algorithm or of all.
    ///
    /// # Errors
    /// [`Refusal::KeysNotKnown`] when clients know none of them yet.
    pub async fn rotate_keys(
        &self,
        algorithm: Option<SigningAlgorithm>,
        rules: KeyRules<'_>,
    ) -> Result<Rotated, AdminError> {
        let rotation = self.rotation(rules);
        let keys = self.edges.store.signing_keys().await?;
        let active = keys.iter().filter(|key| key.state == KeyState::Active).map(|key| key.algorithm);
        let wanted: Vec<_> = active.filter(|own| algorithm.is_none_or(|algorithm| algorithm == *own)).collect();
        let mut rotated = Rotated::default();
        for wanted in wanted {
            match rotation.advance(wanted).await? {
                Advance::Signs(kid) => rotated.signing.push((wanted, kid)),
                Advance::NotBefore(moment) => rotated.waiting.push((wanted, moment)),
            }
        }
        // The next rotation shall not have to wait either.
        rotation.keep_up().await?;
        let latest = rotated.waiting.iter().map(|(_, moment)| *moment).max();
        if let (true, Some(from)) = (rotated.signing.is_empty(), latest) {
            return Err(Refusal::KeysNotKnown { from }.into());
        }
        let signing = rotated.signing.iter().map(|(algorithm, kid)| (kid.as_str(), *algorithm));
        self.tell_of_keys(EventName::KeyActivated, signing).await?;
        Ok(rotated)
    }

    /// After a compromise: fresh keys sign, and every token that one of the present keys signed is refused.
    ///
    /// # Errors
    /// A fault of the store or of the cryptographic library; then nothing has changed.
    pub async fn replace_keys(
        &self,
        algorithm: Option<SigningAlgorithm>,
        rules: KeyRules<'_>,
    ) -> Result<Replaced, AdminError> {
        let keys = self.edges.store.signing_keys().await?;
        let retired = self.edges.store.retired_signing_keys().await?;
        let is_meant = |own: SigningAlgorithm| algorithm.is_none_or(|algorithm| algorithm == own);
        let withdrawn: Vec<_> = keys.iter().filter(|key| is_meant(key.algorithm)).collect();
        // Whoever has the present keys may have a copy of the database from the time of those before.
        let retired: Vec<_> = retired.iter().filter(|key| is_meant(key.algorithm)).collect();
        self.withdraw((&withdrawn, &retired), rules).await
    }

    /// Takes one key out of use.
    ///
    /// # Errors
    /// When there is none of this name; as [`Administration::rotate_keys`].
    pub async fn retire_key(&self, (kid, haste): (&str, Haste), rules: KeyRules<'_>) -> Result<Retired, AdminError> {
        let keys = self.edges.store.signing_keys().await?;
        let unknown = || Refusal::Unknown { what: Thing::Key, name: kid.to_owned() };
        let Some(key) = keys.iter().find(|key| key.kid == kid) else {
            let retired = self.edges.store.retired_signing_keys().await?;
            let retired = retired.iter().find(|key| key.kid == kid && haste == Haste::AtOnce).ok_or_else(unknown)?;
            return self.withdraw((&[], &[retired]), rules).await.map(Retired::Replaced);
        };
        match (haste, key.state) {
            (Haste::InTime, KeyState::Active) => {
                self.rotate_keys(Some(key.algorithm), rules).await.map(Retired::Rotated)
            }
            (Haste::InTime, KeyState::Retiring) => Ok(Retired::Already(key.expires_at)),
            // A next key has signed nothing.
            (Haste::InTime, KeyState::Next) | (Haste::AtOnce, _) => {
                self.withdraw((&[key], &[]), rules).await.map(Retired::Replaced)
            }
        }
    }

    /// Takes in a private key, as the next one or to sign at once.
    ///
    /// # Errors
    /// [`Refusal::Taken`] when it is here already.
    pub async fn import_key(
        &self,
        (key, state): (&GeneratedKey, KeyState),
        rules: KeyRules<'_>,
    ) -> Result<(), AdminError> {
        let rotation = self.rotation(rules);
        rotation.establish(SigningAlgorithm::ALL).await?;
        match rotation.import(key, state).await? {
            Creation::AlreadyExists => Err(Refusal::Taken { what: Thing::Key }.into()),
            Creation::Created => {
                let imported = (key.key.kid(), key.key.algorithm());
                self.tell_of_keys(EventName::KeyImported, std::iter::once(imported)).await
            }
        }
    }

    async fn withdraw(
        &self,
        (published, retired): (&[&StoredSigningKey], &[&RetiredSigningKey]),
        rules: KeyRules<'_>,
    ) -> Result<Replaced, AdminError> {
        let rotation = self.rotation(rules);
        let signing = rotation.replace(published, retired).await?;
        let published = published.iter().map(|key| (key.kid.as_str(), key.algorithm));
        let gone: Vec<_> = published.chain(retired.iter().map(|key| (key.kid.as_str(), key.algorithm))).collect();
        self.tell_of_keys(EventName::KeyWithdrawn, gone.iter().copied()).await?;
        rotation.keep_up().await?;
        Ok(Replaced { withdrawn: gone.into_iter().map(|(kid, _)| kid.to_owned()).collect(), signing })
    }

    /// *Why after the fact and not beside it:* a rotation is several facts, each of which other nodes may have done before.
    async fn tell_of_keys<'k>(
        &self,
        name: EventName,
        keys: impl Iterator<Item = (&'k str, SigningAlgorithm)>,
    ) -> Result<(), AdminError> {
        let beside = keys.fold(Beside::default(), |beside, (kid, algorithm)| {
            beside.and_event(self.event(name).telling("kid", kid).telling("alg", algorithm.as_str()))
        });
        if !beside.events.is_empty() {
            self.edges.store.record(beside).await?;
        }
        Ok(())
    }
}
