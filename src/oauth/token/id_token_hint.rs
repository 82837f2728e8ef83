//! ID tokens that clients give back: who was signed in, at which client.
//!
//! OIDC Core §3.1.2.1 (`id_token_hint`), RP-Initiated Logout §2.

use serde_json::Value;

use crate::oauth::provider::Provider;
use crate::protocol::error::OAuthError;
use crate::protocol::jose::jws::Unverified;
use crate::protocol::oidc::id_token::{self, IdTokenHint};

/// What a client gave back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Hint {
    /// An ID token of ours.
    Known(IdTokenHint),
    /// It calls itself one, under a key that is gone or was withdrawn: it proves nothing, and the client did nothing wrong.
    Gone,
}

/// Reads an ID token that a client gives back: signed by us, for this issuer; expired is fine.
///
/// # Errors
/// `invalid_request` when it is nothing that we could ever have signed.
pub fn read_hint(provider: &Provider, hint: &str) -> Result<Hint, OAuthError> {
    let issuer = provider.issuer.as_str();
    let foreign = || OAuthError::invalid_request("id_token_hint is not an ID token of this issuer");
    let unverified = Unverified::parse(hint).map_err(|error| foreign().caused_by(error))?;
    let kid = unverified.kid().ok_or_else(foreign)?;
    let keys = provider.keys.load();
    let Some(key) = keys.for_hint(kid, provider.now()) else {
        return if calls_itself_ours(&unverified, issuer) { Ok(Hint::Gone) } else { Err(foreign()) };
    };
    IdTokenHint::verify(&unverified, key, issuer).map(Hint::Known).map_err(|error| foreign().caused_by(error))
}

fn calls_itself_ours(token: &Unverified<'_>, issuer: &str) -> bool {
    let names = |claims: &serde_json::Map<String, Value>| claims.get("iss").and_then(Value::as_str) == Some(issuer);
    token.is_type(id_token::TYPE) && token.unverified_claims().is_ok_and(|claims| names(&claims))
}
