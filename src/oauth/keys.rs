//! The signing keys of this server at one moment.
//!
//! RFC 7517 §5 (what is published), OIDC Core §10.1.1 (rotation: publish, then sign, then keep for verification), §3.1.2.1 (hints).
//!
//! A snapshot never changes; rotation builds the next one from the same prepared keys and swaps it in.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use crate::model::signing_key::KeyState;
use crate::protocol::jose::algorithm::SigningAlgorithm;
use crate::protocol::jose::jwk::Jwk;
use crate::protocol::jose::jws::{SigningKey, VerificationKey};
use crate::protocol::numeric_date::NumericDate;

/// The keys that sign, and all that are published; and what is left of those that were.
pub struct SigningKeys {
    keys: Vec<(Arc<SigningKey>, KeyState)>,
    by_kid: HashMap<String, Arc<SigningKey>>,
    retired: BTreeMap<String, RetiredKey>,
    jwks: Bytes,
}

/// A key that is published no longer, until its end.
#[derive(Clone, Debug)]
pub struct RetiredKey {
    /// The public half.
    pub key: VerificationKey,
    /// From this moment on it reads nothing.
    pub expires_at: NumericDate,
}

impl SigningKeys {
    /// Takes the keys in the order in which they shall be published; of several active keys for one algorithm the
    /// first signs.
    pub fn new<K: Into<Arc<SigningKey>>>(keys: Vec<(K, KeyState)>) -> Self {
        let keys: Vec<(Arc<SigningKey>, KeyState)> = keys.into_iter().map(|(key, state)| (key.into(), state)).collect();
        let by_kid = keys.iter().map(|(key, _)| (key.kid().to_owned(), Arc::clone(key))).collect();
        Self { jwks: jwks(&keys), by_kid, keys, retired: BTreeMap::new() }
    }

    /// With what is left of keys that were published once, by their `kid`.
    #[must_use]
    pub fn with_retired(self, retired: BTreeMap<String, RetiredKey>) -> Self {
        Self { retired, ..self }
    }

    /// The active key for `algorithm`.
    pub fn signer(&self, algorithm: SigningAlgorithm) -> Option<&Arc<SigningKey>> {
        self.active().find(|key| key.algorithm() == algorithm)
    }

    /// The public half of a published key.
    pub fn by_kid(&self, kid: &str) -> Option<&VerificationKey> {
        self.by_kid.get(kid).map(|key| key.verification_key())
    }

    /// The public half of a published key, or of one that retired: for ID tokens that come back as hints and for nothing else, since
    /// those are good hints after their end (OIDC Core §3.1.2.1).
    pub fn for_hint(&self, kid: &str, now: NumericDate) -> Option<&VerificationKey> {
        let retired = || self.retired.get(kid).filter(|retired| !retired.expires_at.is_past(now));
        self.by_kid(kid).or_else(|| retired().map(|retired| &retired.key))
    }

    /// The names of retired keys, in their order.
    pub fn retired(&self) -> impl Iterator<Item = &String> {
        self.retired.keys()
    }

    /// The JWK Set, ready to send.
    pub fn jwks(&self) -> Bytes {
        self.jwks.clone()
    }

    /// What we can sign with at this moment, the server's order kept: for discovery.
    pub fn algorithms(&self) -> Vec<SigningAlgorithm> {
        SigningAlgorithm::ALL.iter().copied().filter(|algorithm| self.signer(*algorithm).is_some()).collect()
    }

    /// Every key with its state, in the order of publication: what the next snapshot is built from.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<SigningKey>, KeyState)> {
        self.keys.iter().map(|(key, state)| (key, *state))
    }

    fn active(&self) -> impl Iterator<Item = &Arc<SigningKey>> {
        self.keys.iter().filter(|(_, state)| *state == KeyState::Active).map(|(key, _)| key)
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.keys).finish()
    }
}

fn jwks(keys: &[(Arc<SigningKey>, KeyState)]) -> Bytes {
    #[derive(Serialize)]
    struct Set<'a> {
        keys: Vec<&'a Jwk>,
    }
    let set = Set { keys: keys.iter().map(|(key, _)| key.public_jwk()).collect() };
    serde_json::to_vec(&set).expect("public keys are strings").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::jose::jwk::JwkSet;

    fn key(algorithm: SigningAlgorithm) -> Arc<SigningKey> {
        Arc::new(SigningKey::generate(algorithm).unwrap().key)
    }

    #[test]
    fn the_active_key_signs_and_all_are_published() {
        let [next, active, retiring, spare] = [(); 4].map(|()| key(SigningAlgorithm::EdDSA));
        let ec = key(SigningAlgorithm::ES256);
        let keys = SigningKeys::new(vec![
            (Arc::clone(&next), KeyState::Next),
            (Arc::clone(&active), KeyState::Active),
            (Arc::clone(&spare), KeyState::Active),
            (Arc::clone(&retiring), KeyState::Retiring),
            (Arc::clone(&ec), KeyState::Retiring),
        ]);
        assert_eq!(keys.signer(SigningAlgorithm::EdDSA).unwrap().kid(), active.kid());
        assert!(keys.signer(SigningAlgorithm::ES256).is_none(), "a retiring key only verifies");
        assert_eq!(keys.algorithms(), [SigningAlgorithm::EdDSA]);
        for published in [&next, &active, &spare, &retiring, &ec] {
            assert_eq!(keys.by_kid(published.kid()).unwrap().algorithm(), published.algorithm().to_jws());
        }
        assert!(keys.by_kid("unknown").is_none());

        let set = JwkSet::from_json(&keys.jwks()).unwrap();
        assert_eq!(set.skipped(), [""; 0]);
        let published: Vec<_> = set.keys().iter().filter_map(Jwk::kid).collect();
        assert_eq!(published, [&next, &active, &spare, &retiring, &ec].map(|key| key.kid()));
    }

    #[test]
    fn a_retired_key_reads_hints_until_its_end_and_is_not_published() {
        let (now, gone) = (NumericDate::from_seconds(100), key(SigningAlgorithm::ES256));
        let retired = RetiredKey { key: gone.verification_key().clone(), expires_at: NumericDate::from_seconds(101) };
        let active = key(SigningAlgorithm::ES256);
        let keys = SigningKeys::new(vec![(Arc::clone(&active), KeyState::Active)])
            .with_retired(BTreeMap::from([(gone.kid().to_owned(), retired)]));
        assert!(keys.for_hint(gone.kid(), now).is_some() && keys.for_hint(active.kid(), now).is_some());
        assert!(keys.for_hint(gone.kid(), NumericDate::from_seconds(101)).is_none());
        assert!(keys.by_kid(gone.kid()).is_none());
        assert!(!String::from_utf8_lossy(&keys.jwks()).contains(gone.kid()));
    }

    #[test]
    fn the_next_snapshot_reuses_prepared_keys() {
        let old = SigningKeys::new(vec![(key(SigningAlgorithm::ES256), KeyState::Active)]);
        let new = SigningKeys::new(old.iter().map(|(key, _)| (Arc::clone(key), KeyState::Retiring)).collect());
        assert!(new.algorithms().is_empty());
        let (kid, _) = old.iter().next().map(|(key, state)| (key.kid(), state)).unwrap();
        assert!(new.by_kid(kid).is_some());
    }

    #[test]
    fn no_keys_are_an_empty_set() {
        assert_eq!(&SigningKeys::new(Vec::<(SigningKey, KeyState)>::new()).jwks()[..], br#"{"keys":[]}"#);
    }
}
