//! A provider says that somebody left it: whether that is to be believed.
//!
//! OpenID Connect Back-Channel Logout 1.0 §2.6. The shape and the signature are judged here, by the keys that the provider publishes for
//! its ID tokens; the claims by [`LogoutToken::judge`].

use crate::edge::upstream::oidc::{Document, Oidc, Unverifiable};
use crate::protocol::jose::algorithm::JwsAlgorithm;
use crate::protocol::jose::jwk::JwkSet;
use crate::protocol::jose::jws::{Unverified, VerificationKey};
use crate::protocol::oidc::backchannel_logout::{LogoutToken, TYPES};
use crate::protocol::secret::Secret;

/// Who left, by a token that a key of the provider has signed.
pub(super) fn judge(provider: &Oidc<'_>, document: &Document, token: &Secret) -> Result<LogoutToken, Unverifiable> {
    let untrue = |why: &dyn std::fmt::Display| Unverifiable::Untrue(why.to_string());
    let shape = Unverified::parse(token.expose()).map_err(|error| untrue(&error))?;
    if JwsAlgorithm::SYMMETRIC.contains(&shape.algorithm()) {
        return Err(untrue(&"the token is signed with a secret that others share"));
    }
    if shape.typ().is_some() && !TYPES.iter().any(|typ| shape.is_type(typ)) {
        return Err(untrue(&"the token is of another type"));
    }
    let keys = JwkSet::parse(&document.published).map_err(|error| untrue(&error))?;
    let verified = keys.keys_for(shape.algorithm(), shape.kid()).find_map(|key| {
        let key = VerificationKey::from_jwk(key, shape.algorithm()).ok()?;
        shape.verify(&key).ok()
    });
    let Some(payload) = verified else {
        let is_known = keys.keys_for(shape.algorithm(), shape.kid()).next().is_some();
        return Err(if is_known {
            untrue(&"the signature of the token is not valid")
        } else {
            Unverifiable::UnknownKey
        });
    };
    let claims = payload.object().map_err(|error| untrue(&error))?;
    let stated = document.issuer(&provider.dialect.issuer);
    let issuer = (provider.dialect.issuer_of)(stated, &claims).map_err(Unverifiable::Other)?;
    let account = &provider.account;
    let judged = LogoutToken::judge(&claims, (&issuer, &account.provider.client_id), account.way.now());
    let judged = judged.map_err(|broken| untrue(&broken))?;
    Ok(LogoutToken { issuer: (provider.dialect.known_as)(issuer), ..judged })
}
