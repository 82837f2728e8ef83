//! `private_key_jwt` and `client_secret_jwt`.
//!
//! RFC 7521 §4.2, RFC 7523 §2.2 and §3, OIDC Core §9.

use crate::model::client::Client;
use crate::oauth::client_auth::secret;
use crate::oauth::provider::Provider;
use crate::protocol::client_assertion::{self, ClientAssertion};
use crate::protocol::client_metadata::ClientAuthMethod;
use crate::protocol::error::OAuthError;
use crate::protocol::jose::jws::Unverified;
use crate::protocol::secret::TokenHash;

/// Who an assertion says it speaks for, before anything is verified: only good for finding the client.
///
/// # Errors
/// `invalid_client` when it is no JWT.
pub fn subject(assertion: &str) -> Result<String, OAuthError> {
    client_assertion::unverified_subject(assertion)
}

/// Verifies an assertion and uses it up: its `jti` counts once.
///
/// # Errors
/// `invalid_client` with a sentence that says which check failed.
pub async fn check(provider: &Provider, client: &Client, assertion: &str) -> Result<(), OAuthError> {
    let unverified = Unverified::parse(assertion)
        .map_err(|error| OAuthError::invalid_client(format!("the client_assertion is refused: {error}")))?;
    if let Some(registered) = &client.metadata.token_endpoint_auth_signing_alg
        && unverified.algorithm() != registered
    {
        return Err(OAuthError::invalid_client("the client_assertion is not signed with the registered algorithm")
            .hint(format!("registered {registered}")));
    }
    let payload = match client.metadata.token_endpoint_auth_method {
        ClientAuthMethod::ClientSecretJwt => {
            let secret = secret::read(client, &provider.vault)?
                .ok_or_else(|| OAuthError::invalid_client("the client has no secret to sign with"))?;
            client_assertion::verify_with_secret(&unverified, secret.expose())?
        }
        _ => {
            let keys = provider.client_keys.of(provider, client, unverified.kid()).await?;
            client_assertion::verify_with_keys(&unverified, &keys)?
        }
    };
    let now = provider.now();
    let claims: ClientAssertion = client_assertion::check(&payload, &accepted(provider, client), now)?;
    let used = TokenHash::of(&format!("{}\0{}", client.id, claims.jti));
    if provider.edges.store.consume_once("client_assertion", &used, claims.expires_at, now).await? {
        Ok(())
    } else {
        Err(OAuthError::invalid_client("the client_assertion was used before; each needs a new jti"))
    }
}

/// Under the `oidc` profile the issuer, the token endpoint and the endpoint called are all accepted (`PROTOCOL.md` §1).
fn accepted(provider: &Provider, client: &Client) -> client_assertion::Expected {
    let audiences = ["", "/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"]
        .into_iter()
        .map(|path| provider.issuer.at(path))
        .collect();
    client_assertion::Expected { client_id: client.id.to_string(), audiences }
}
