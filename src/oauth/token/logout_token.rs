//! Logout tokens: that a session is over, for one of its apps.
//!
//! OpenID Connect Back-Channel Logout 1.0 §2.4. Signed as the app has its ID tokens signed, about the person as it knows them.

use crate::model::client::Client;
use crate::model::job::LogoutNotice;
use crate::oauth::provider::Provider;
use crate::oauth::token::issue::{signer, subject_of, unsigned};
use crate::protocol::error::OAuthError;
use crate::protocol::oidc::backchannel_logout::{Event, LIFETIME, LogoutClaims, TYPE};
use crate::protocol::secret::Secret;

/// Makes the token that tells `client` of `notice`, good for two minutes from now.
///
/// # Errors
/// `server_error` when a signing key is missing, or when a pairwise client has no sector.
pub fn logout_token(provider: &Provider, client: &Client, notice: &LogoutNotice) -> Result<Secret, OAuthError> {
    let (now, keys) = (provider.now(), provider.keys.load());
    let claims = LogoutClaims {
        iss: provider.issuer.as_str().to_owned(),
        sub: subject_of(provider, client, notice.user)?,
        aud: client.id.to_string(),
        iat: now,
        exp: now.plus(LIFETIME),
        // Another one each time: who heard the first and was not heard takes the second, too (§2.6).
        jti: provider.edges.random.token().expose().clone(),
        sid: notice.session.to_string(),
        events: Event,
    };
    let key = signer(&keys, client.metadata.id_token_signed_response_alg)?;
    key.sign(TYPE, &claims).map(Secret::new).map_err(unsigned)
}
