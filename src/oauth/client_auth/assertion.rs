//! `private_key_jwt` and `client_secret_jwt`.
//!
//! RFC 7521 §4.2, RFC 7523 §2.2 and §3, OIDC Core §9.

use crate::model::client::Client;
use crate::oauth::client_auth::secret;
use crate::oauth::provider::Provider;
use crate::protocol::client_assertion::{AssertionAudience, AssertionId, AudienceForm, ClientAssertion};
use crate::protocol::client_metadata::ClientAuthMethod;
use crate::protocol::error::OAuthError;
use crate::protocol::jose::jws::VerificationKey;
use crate::protocol::secret::TokenHash;

/// Verifies an assertion and uses it up: its `jti` counts once.
///
/// # Errors
/// `invalid_client` with a sentence that says which check failed.
pub async fn check(provider: &Provider, client: &Client, assertion: &ClientAssertion<'_>) -> Result<(), OAuthError> {
    let algorithm = assertion.algorithm();
    if let Some(registered) = &client.metadata.token_endpoint_auth_signing_alg
        && algorithm.as_str() != registered
    {
        return Err(OAuthError::invalid_client("the client assertion is not signed with the registered algorithm")
            .hint(format!("registered {registered}")));
    }
    let needs_secret = client.metadata.token_endpoint_auth_method == ClientAuthMethod::ClientSecretJwt;
    if algorithm.is_symmetric() != needs_secret {
        return Err(OAuthError::invalid_client(
            "the client assertion is signed with the wrong kind of key: private_key_jwt needs the client's own key, \
             client_secret_jwt its secret",
        ));
    }
    let unusable = |error| OAuthError::invalid_client("a key of the client cannot be used").caused_by(error);
    let mut keys: Vec<VerificationKey> = Vec::new();
    if needs_secret {
        let secret = secret::read(client, &provider.vault)?
            .ok_or_else(|| OAuthError::invalid_client("the client has no secret to sign with"))?;
        keys.push(VerificationKey::hmac(algorithm, secret.expose()).map_err(unusable)?);
    } else {
        let set = provider.client_keys.of(provider, client, assertion.kid()).await?;
        for key in set.keys_for(algorithm, assertion.kid()) {
            keys.push(VerificationKey::from_jwk(key, algorithm).map_err(unusable)?);
        }
    }
    let now = provider.now();
    let names = accepted(provider);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let audience = AssertionAudience { accepted: &names, form: AudienceForm::StringOrList };
    let AssertionId { jti, expires_at } = assertion.verify(&keys, audience, now)?;
    let used = TokenHash::of(&format!("{}\0{jti}", client.id));
    // Clocks may run ahead by what we accept, so the memory outlives the assertion by as much.
    let until = expires_at.plus(std::time::Duration::from_mins(1));
    if provider.edges.store.consume_once("client_assertion", &used, until, now).await? {
        Ok(())
    } else {
        Err(OAuthError::invalid_client("the client assertion was used before; each needs a new jti"))
    }
}

/// Under the `oidc` profile the issuer and the endpoints that clients authenticate at are accepted (`PROTOCOL.md` §1).
fn accepted(provider: &Provider) -> Vec<String> {
    ["", "/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"]
        .into_iter()
        .map(|path| provider.issuer.at(path))
        .collect()
}
