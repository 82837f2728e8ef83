//! Rotation of the signing keys: what is due, and how it is done.
//!
//! OIDC Core §10.1.1, PROTOCOL.md T18: a key is published a JWKS lifetime before it signs, and stays published until the last
//! token it signed has expired. Only the compromise drill breaks this rule, knowingly.
//!
//! An ID token is a good hint after its end (OIDC Core §3.1.2.1, RP-Initiated Logout §2), so the public half of a key that is published
//! no longer stays for as long as a session may last; that of a withdrawn one does not, since whoever stole it can sign.
//!
//! *Why there is always a next key:* a rotation then never has to wait, and clients know the key before they meet it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::edge::Edges;
use crate::edge::store::Creation;
use crate::edge::vault::{Place, Vault};
use crate::model::fault::Fault;
use crate::model::signing_key::{KeyState, RetiredSigningKey, StoredSigningKey};
use crate::oauth::keys::{RetiredKey, SigningKeys};
use crate::protocol::jose::algorithm::SigningAlgorithm;
use crate::protocol::jose::error::JoseError;
use crate::protocol::jose::jws::{GeneratedKey, SigningKey, VerificationKey};
use crate::protocol::numeric_date::NumericDate;

/// How long clients may keep our keys (`DECISIONS.md`).
pub const JWKS_MAX_AGE: Duration = Duration::from_hours(1);
/// How long a key is published before it signs: a minute more, for clocks and for the nodes to hear of it.
pub const PUBLISHED_BEFORE: Duration = Duration::from_mins(61);
/// What a retiring key outlives its last token by: leeway of clocks, and a node that has not heard of the rotation yet.
const MARGIN: Duration = Duration::from_mins(5);

/// How often an import begins again, when a server publishes a next key at the same moment.
const IMPORT_ATTEMPTS: usize = 3;

/// When keys change.
#[derive(Copy, Clone, Debug)]
pub struct RotationPolicy {
    /// How long a key signs.
    pub rotate_every: Duration,
    /// The longest life of a token that carries our signature.
    pub longest_token: Duration,
    /// How long ID tokens of a key that is published no longer are read as hints: a session, and the ID token of its last moment.
    pub hints: Duration,
}

/// One step that is due.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Due {
    /// An algorithm has no next key yet.
    Publish(SigningAlgorithm),
    /// This key shall sign from now on.
    Activate(String),
    /// Every token that this key signed has expired.
    Remove(String),
}

/// What a rotation that was asked for came to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Advance {
    /// The key of this name signs.
    Signs(String),
    /// The next key has not been published for long enough; it may sign from this moment on.
    NotBefore(NumericDate),
}

/// What is due at `now`. Algorithms without an active key are not our concern: their absence is the operator's choice.
pub fn due(keys: &[StoredSigningKey], policy: RotationPolicy, now: NumericDate) -> Vec<Due> {
    let mut steps = Vec::new();
    for active in keys.iter().filter(|key| key.state == KeyState::Active) {
        match next_of(keys, active.algorithm) {
            None => steps.push(Due::Publish(active.algorithm)),
            Some(next) if signs_since(active).plus(policy.rotate_every).is_past(now) && may_sign(next).is_past(now) => {
                steps.push(Due::Activate(next.kid.clone()));
            }
            Some(_) => {}
        }
    }
    let is_over = |key: &&StoredSigningKey| {
        key.state == KeyState::Retiring && key.expires_at.is_some_and(|expires_at| expires_at.is_past(now))
    };
    steps.extend(keys.iter().filter(is_over).map(|key| Due::Remove(key.kid.clone())));
    steps
}

/// The key that will sign after the active one.
pub fn next_of(keys: &[StoredSigningKey], algorithm: SigningAlgorithm) -> Option<&StoredSigningKey> {
    keys.iter().find(|key| key.algorithm == algorithm && key.state == KeyState::Next)
}

/// From when on a next key may sign.
pub fn may_sign(next: &StoredSigningKey) -> NumericDate {
    next.created_at.plus(PUBLISHED_BEFORE)
}

/// Since when an active key signs; those of earlier releases did from the beginning.
pub fn signs_since(key: &StoredSigningKey) -> NumericDate {
    key.activated_at.unwrap_or(key.created_at)
}

/// The signing keys of one server, to be changed. Nodes notice within a second ([`crate::jobs`]).
pub struct Rotation<'a> {
    /// Where they are kept.
    pub edges: &'a Edges,
    /// What seals them.
    pub vault: &'a Vault,
    /// When they change.
    pub policy: RotationPolicy,
}

impl Rotation<'_> {
    /// Does what is due.
    ///
    /// # Errors
    /// A fault of the store; what was done before it stands.
    pub async fn keep_up(&self) -> Result<(), Fault> {
        let now = self.edges.clock.now();
        let keys = self.edges.store.signing_keys().await?;
        for step in due(&keys, self.policy, now) {
            match step {
                Due::Publish(algorithm) => self.publish(algorithm).await?,
                Due::Activate(kid) => {
                    let is_done = self.edges.store.activate_signing_key(&kid, now, self.retires(now)).await?;
                    tracing::info!(kid, is_done, "a signing key takes over");
                }
                Due::Remove(kid) => {
                    if let Some(key) = keys.iter().find(|key| key.kid == kid) {
                        self.let_go(key, now).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// A key whose last token has expired leaves the set; its public half stays for hints, where it can be had.
    async fn let_go(&self, key: &StoredSigningKey, now: NumericDate) -> Result<(), Fault> {
        let kid = key.kid.as_str();
        let gone = match self.unseal(key) {
            Ok(opened) => {
                let retired = RetiredSigningKey {
                    kid: key.kid.clone(),
                    algorithm: key.algorithm,
                    public_jwk: opened.public_jwk().clone(),
                    expires_at: now.plus(self.policy.hints),
                };
                self.edges.store.let_signing_key_go(&retired).await?
            }
            Err(fault) => {
                tracing::warn!(kid, error = %fault, "a retired signing key cannot be opened; what it signed is no hint any longer");
                self.edges.store.remove_signing_keys(vec![key.kid.clone()]).await? == 1
            }
        };
        tracing::info!(kid, gone, "a retired signing key is gone");
        Ok(())
    }

    /// Lets the next key for `algorithm` sign, unless it was published too lately; makes one where there is none.
    ///
    /// # Errors
    /// A fault of the store or of the cryptographic library.
    pub async fn advance(&self, algorithm: SigningAlgorithm) -> Result<Advance, Fault> {
        let now = self.edges.clock.now();
        if next_of(&self.edges.store.signing_keys().await?, algorithm).is_none() {
            self.publish(algorithm).await?;
        }
        let keys = self.edges.store.signing_keys().await?;
        let next = next_of(&keys, algorithm).ok_or_else(|| Fault::unavailable("another process took the next key"))?;
        if !may_sign(next).is_past(now) {
            return Ok(Advance::NotBefore(may_sign(next)));
        }
        self.edges.store.activate_signing_key(&next.kid, now, self.retires(now)).await?;
        Ok(Advance::Signs(next.kid.clone()))
    }

    /// The compromise drill: `withdrawn` leave the JWKS and are refused, and fresh keys sign where one of them did. Nor does what the
    /// `retired` ones signed count as a hint any longer.
    ///
    /// # Errors
    /// A fault of the store or of the cryptographic library; then nothing has changed.
    pub async fn replace(
        &self,
        withdrawn: &[&StoredSigningKey],
        retired: &[&RetiredSigningKey],
    ) -> Result<Vec<String>, Fault> {
        let signed = withdrawn.iter().filter(|key| key.state == KeyState::Active).map(|key| key.algorithm).collect();
        let now = self.edges.clock.now();
        let fresh: Vec<StoredSigningKey> =
            generate(signed).await?.iter().map(|key| self.stored(key, KeyState::Active, now)).collect();
        let gone = withdrawn.iter().map(|key| &key.kid).chain(retired.iter().map(|key| &key.kid)).cloned().collect();
        let wanted: Vec<_> = fresh.iter().map(|key| key.algorithm).collect();
        self.edges.store.replace_signing_keys(gone, fresh).await?;
        // Where another process withdrew the same keys and was faster, its fresh ones sign.
        let keys = self.edges.store.signing_keys().await?;
        let sign = keys.into_iter().filter(|key| key.state == KeyState::Active && wanted.contains(&key.algorithm));
        Ok(sign.map(|key| key.kid).collect())
    }

    /// Takes in a key from outside: as the next one, or to sign at once. `AlreadyExists` when we have it.
    ///
    /// # Errors
    /// A fault of the store, or one that says that another process changes the keys all the while.
    pub async fn import(&self, key: &GeneratedKey, state: KeyState) -> Result<Creation, Fault> {
        let now = self.edges.clock.now();
        let busy = || Fault::unavailable("import a signing key: another process changes them; try again");
        for _ in 0..IMPORT_ATTEMPTS {
            let keys = self.edges.store.signing_keys().await?;
            if keys.iter().any(|known| known.kid == key.key.kid()) {
                return Ok(Creation::AlreadyExists);
            }
            // A next key has signed nothing, so nobody misses the one that gives way.
            let gives_way = next_of(&keys, key.key.algorithm()).map(|next| next.kid.clone());
            let next = self.stored(key, KeyState::Next, now);
            let done = self.edges.store.replace_signing_keys(gives_way.into_iter().collect(), vec![next]).await?;
            if done.recorded.is_empty() {
                continue;
            }
            if state == KeyState::Active
                && !self.edges.store.activate_signing_key(key.key.kid(), now, self.retires(now)).await?
            {
                return Err(busy());
            }
            return Ok(Creation::Created);
        }
        Err(busy())
    }

    /// Makes the next key for `algorithm`; another node may have been faster, which is as good.
    async fn publish(&self, algorithm: SigningAlgorithm) -> Result<(), Fault> {
        for key in generate(vec![algorithm]).await? {
            let stored = self.stored(&key, KeyState::Next, self.edges.clock.now());
            if self.edges.store.add_signing_key(&stored).await? == Creation::Created {
                tracing::info!(kid = stored.kid, algorithm = algorithm.as_str(), "the next signing key is published");
            }
        }
        Ok(())
    }

    fn stored(&self, key: &GeneratedKey, state: KeyState, now: NumericDate) -> StoredSigningKey {
        let place = Place { table: "signing_key", row: key.key.kid(), column: "private_key" };
        StoredSigningKey {
            kid: key.key.kid().to_owned(),
            algorithm: key.key.algorithm(),
            sealed_private_key: self.vault.seal(&place, key.pkcs8.expose(), &*self.edges.random),
            state,
            created_at: now,
            activated_at: (state == KeyState::Active).then_some(now),
            expires_at: None,
        }
    }

    /// When a key that stops signing at `now` may go.
    fn retires(&self, now: NumericDate) -> NumericDate {
        now.plus(self.policy.longest_token).plus(MARGIN)
    }

    /// Gives every algorithm of `wanted` a key that signs, where none does: for a fresh database.
    ///
    /// # Errors
    /// A fault of the store or of the cryptographic library.
    pub async fn establish(&self, wanted: &[SigningAlgorithm]) -> Result<(), Fault> {
        let stored = self.edges.store.signing_keys().await?;
        let signs = |algorithm: &SigningAlgorithm| {
            stored.iter().any(|key| key.algorithm == *algorithm && key.state == KeyState::Active)
        };
        let missing = wanted.iter().copied().filter(|algorithm| !signs(algorithm)).collect();
        for key in generate(missing).await? {
            // Another node may make keys at the same moment: the first writer wins.
            let key = self.stored(&key, KeyState::Active, self.edges.clock.now());
            self.edges.store.add_signing_key(&key).await?;
        }
        Ok(())
    }

    /// Opens every key; those in `known` are taken over as they are.
    ///
    /// # Errors
    /// A fault that names the key: it was sealed under another master key, or is damaged.
    pub async fn open(&self, known: Option<&SigningKeys>) -> Result<SigningKeys, Fault> {
        let (keys, closed) = self.open_what_opens(known).await?;
        closed.map_or(Ok(keys), Err)
    }

    /// Every published key that can be opened, and why the last one that cannot stays closed.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn open_what_opens(&self, known: Option<&SigningKeys>) -> Result<(SigningKeys, Option<Fault>), Fault> {
        let mut stored = self.edges.store.signing_keys().await?;
        stored.sort_by_key(|key| SigningAlgorithm::ALL.iter().position(|algorithm| *algorithm == key.algorithm));
        let known: HashMap<&str, &Arc<SigningKey>> =
            known.into_iter().flat_map(SigningKeys::iter).map(|(key, _)| (key.kid(), key)).collect();
        let (mut keys, mut closed) = (Vec::new(), None);
        for key in &stored {
            let opened = match known.get(key.kid.as_str()) {
                Some(known) => Ok(Arc::clone(known)),
                None => self.unseal(key).map(Arc::new),
            };
            match opened {
                Ok(opened) => keys.push((opened, key.state)),
                Err(fault) => closed = Some(fault),
            }
        }
        let mut retired = BTreeMap::new();
        for key in self.edges.store.retired_signing_keys().await? {
            match VerificationKey::from_jwk(&key.public_jwk, key.algorithm.to_jws()) {
                Ok(public) => {
                    retired.insert(key.kid, RetiredKey { key: public, expires_at: key.expires_at });
                }
                Err(error) => closed = Some(damaged(&key.kid, error)),
            }
        }
        Ok((SigningKeys::new(keys).with_retired(retired), closed))
    }

    fn unseal(&self, key: &StoredSigningKey) -> Result<SigningKey, Fault> {
        let place = Place { table: "signing_key", row: &key.kid, column: "private_key" };
        let pkcs8 = self.vault.open(&place, &key.sealed_private_key)?;
        SigningKey::from_pkcs8(key.algorithm, pkcs8.expose()).map_err(|error| damaged(&key.kid, error))
    }
}

fn damaged(kid: &str, error: JoseError) -> Fault {
    Fault::internal(format!("read the signing key {kid}")).caused_by(error)
}

/// RSA keys take a tenth of a second each, so all are made at once.
async fn generate(algorithms: Vec<SigningAlgorithm>) -> Result<Vec<GeneratedKey>, Fault> {
    let making =
        algorithms.into_iter().map(|algorithm| tokio::task::spawn_blocking(move || SigningKey::generate(algorithm)));
    let mut made = Vec::new();
    for key in futures_util::future::join_all(making).await {
        let failed = || Fault::internal("generate a signing key");
        made.push(key.map_err(|error| failed().caused_by(error))?.map_err(|error| failed().caused_by(error))?);
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 60 * 60;
    const POLICY: RotationPolicy = RotationPolicy {
        rotate_every: Duration::from_hours(24 * 90),
        longest_token: Duration::from_hours(1),
        hints: Duration::from_hours(24 * 30),
    };

    fn key(kid: &str, state: KeyState, created_at: i64) -> StoredSigningKey {
        StoredSigningKey {
            kid: kid.to_owned(),
            algorithm: SigningAlgorithm::ES256,
            sealed_private_key: Vec::new(),
            state,
            created_at: NumericDate::from_seconds(created_at),
            activated_at: None,
            expires_at: None,
        }
    }

    #[test]
    fn a_key_is_published_then_signs_then_retires_then_goes() {
        let steps = |keys: &[StoredSigningKey], now| due(keys, POLICY, NumericDate::from_seconds(now));
        let old = key("old", KeyState::Active, 0);
        assert_eq!(steps(std::slice::from_ref(&old), 0), [Due::Publish(SigningAlgorithm::ES256)]);

        let waits = [old.clone(), key("new", KeyState::Next, 1)];
        assert_eq!(steps(&waits, 90 * DAY - 1), []);
        assert_eq!(steps(&waits, 90 * DAY), [Due::Activate("new".to_owned())]);

        let late = [old.clone(), key("new", KeyState::Next, 90 * DAY)];
        assert_eq!(steps(&late, 90 * DAY + 3659), [], "not before caches have it");
        assert_eq!(steps(&late, 90 * DAY + 3660), [Due::Activate("new".to_owned())]);

        let mut retiring = key("old", KeyState::Retiring, 0);
        retiring.expires_at = Some(NumericDate::from_seconds(500));
        let mut active = key("new", KeyState::Active, 1);
        active.activated_at = Some(NumericDate::from_seconds(DAY));
        let all = [retiring, active, key("third", KeyState::Next, DAY)];
        assert_eq!(steps(&all, 499), []);
        assert_eq!(steps(&all, 500), [Due::Remove("old".to_owned())]);
        assert_eq!(steps(&all[1..], 91 * DAY - 1), [], "it signs for its whole time");
        assert_eq!(steps(&all[1..], 91 * DAY), [Due::Activate("third".to_owned())]);
        assert_eq!(steps(&all[2..], 500 * DAY), [], "nobody signs with this algorithm");
    }
}
