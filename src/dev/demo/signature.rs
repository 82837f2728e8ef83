//! The checks that come before the claims: the shape of a token, its type, its algorithm, its signature.
//!
//! RFC 7515 §5.2, RFC 8725 §3.1, §3.11; the keys are those the server publishes (RFC 7517).

use serde_json::Map;

use super::check::{Check, Verification};
use crate::protocol::jose::JoseError;
use crate::protocol::jose::algorithm::JwsAlgorithm;
use crate::protocol::jose::jwk::JwkSet;
use crate::protocol::jose::jws::{Payload, Unverified, VerificationKey};

/// What the header of a token must say.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeaderRules {
    /// `typ`.
    pub(super) typ: &'static str,
    /// Whether `typ` may be left out.
    pub(super) presence: Presence,
    /// The algorithm; `None` leaves it to the key.
    pub(super) algorithm: Option<JwsAlgorithm>,
}

/// Whether a member must be there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Presence {
    Required,
    Optional,
}

/// Looks at everything but the claims, which are handed out when the signature is good.
pub(super) fn verify(token: &str, jwks: &[u8], rules: HeaderRules) -> Verification {
    let unverified = match Unverified::parse(token) {
        Ok(unverified) => unverified,
        Err(error) => return only(Check::new("form", false, format!("no JWT we read: {error}"))),
    };
    let algorithm = unverified.algorithm();
    let mut checks = vec![typ(&unverified, rules)];
    if let Some(expected) = rules.algorithm {
        checks.push(Check::equal("alg", Some(algorithm.as_str()), expected.as_str()));
    }
    match signed(&unverified, jwks) {
        Ok((detail, payload)) => {
            checks.push(Check::new("signature", true, detail));
            match payload.object() {
                Ok(claims) => return Verification { checks, claims },
                Err(error) => checks.push(Check::new("claims", false, error.to_string())),
            }
        }
        Err(detail) => checks.push(Check::new("signature", false, detail)),
    }
    Verification { checks, claims: Map::new() }
}

fn typ(unverified: &Unverified, rules: HeaderRules) -> Check {
    let passed = match unverified.typ() {
        Some(_) => unverified.is_type(rules.typ),
        None => rules.presence == Presence::Optional,
    };
    let seen = unverified.typ().unwrap_or("absent").to_owned();
    Check::new("typ", passed, if passed { seen } else { format!("“{seen}” where “{}” was expected", rules.typ) })
}

/// Tries the published keys that may have signed the token.
fn signed(unverified: &Unverified, jwks: &[u8]) -> Result<(String, Payload), String> {
    let algorithm = unverified.algorithm();
    let name = unverified.kid().unwrap_or("without kid");
    let set = JwkSet::from_json(jwks).map_err(|error| format!("the published keys cannot be read: {error}"))?;
    let mut last = None;
    for jwk in set.keys_for(algorithm, unverified.kid()) {
        let verified = VerificationKey::from_jwk(jwk, algorithm).and_then(|key| unverified.verify(&key));
        match verified {
            Ok(payload) => return Ok((format!("{algorithm}, good under the published key {name}"), payload)),
            Err(error) => last = Some(error),
        }
    }
    Err(last.map_or_else(
        || format!("no published key {name} for {algorithm}"),
        |error: JoseError| format!("the published key {name} does not fit: {error}"),
    ))
}

fn only(check: Check) -> Verification {
    Verification { checks: vec![check], claims: Map::new() }
}
