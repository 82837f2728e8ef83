//! ID tokens that clients give back: who was signed in, at which client.
//!
//! OIDC Core §3.1.2.1 (`id_token_hint`), RP-Initiated Logout §2.

use crate::oauth::provider::Provider;
use crate::protocol::jose::jws::Unverified;
use crate::protocol::oidc::id_token::IdTokenHint;

/// Reads an ID token that a client gives back: signed by us, for this issuer; expired is fine.
pub fn read_hint(provider: &Provider, hint: &str) -> Option<IdTokenHint> {
    let unverified = Unverified::parse(hint).ok()?;
    let keys = provider.keys.load();
    IdTokenHint::verify(&unverified, keys.by_kid(unverified.kid()?)?, provider.issuer.as_str()).ok()
}
