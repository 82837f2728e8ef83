//! `client_secret_basic` and `client_secret_post`.
//!
//! RFC 6749 §2.3.1. Secrets are random and kept as SHA-256.

use crate::edge::random::Random;
use crate::edge::vault::{Place, Vault};
use crate::model::client::{Client, ClientSecret};
use crate::model::fault::Fault;
use crate::model::id::ClientId;
use crate::oauth::client_auth::unproven;
use crate::protocol::client_metadata::ClientAuthMethod;
use crate::protocol::error::OAuthError;
use crate::protocol::secret::{Secret, TokenHash};

/// Compares a presented secret with what is kept.
///
/// # Errors
/// `invalid_client` when it is wrong or the client has none.
pub fn check(client: &Client, presented: &str) -> Result<(), OAuthError> {
    match &client.secret {
        Some(ClientSecret::Hashed(hash)) if hash.matches(&TokenHash::of(presented)) => Ok(()),
        Some(_) => Err(unproven("the client secret is wrong")),
        None => Err(unproven("the client has no secret")),
    }
}

/// A new secret for a client that authenticates by `method`; one that is a key is as long as the hash it is used with
/// (RFC 7518 §3.2).
pub fn generate(method: ClientAuthMethod, random: &dyn Random) -> Secret {
    if keeps_clear(method) { random.hmac_secret() } else { random.token() }
}

/// True when the secret of `method` must be read again, since it is a key.
pub const fn keeps_clear(method: ClientAuthMethod) -> bool {
    matches!(method, ClientAuthMethod::ClientSecretJwt)
}

/// How `secret` is kept for a client that authenticates by `method`: sealed where it is a key, hashed elsewhere.
pub fn keep(
    secret: &Secret,
    (client, method): (&ClientId, ClientAuthMethod),
    vault: &Vault,
    random: &dyn Random,
) -> ClientSecret {
    match method {
        ClientAuthMethod::ClientSecretJwt => {
            ClientSecret::Sealed(vault.seal(&place(client.as_str()), secret.expose().as_bytes(), random))
        }
        _ => ClientSecret::Hashed(TokenHash::of(secret.expose())),
    }
}

/// The clear secret of a client that signs with it.
///
/// # Errors
/// A fault when it was sealed under another key.
pub fn read(client: &Client, vault: &Vault) -> Result<Option<Secret<Vec<u8>>>, Fault> {
    match &client.secret {
        Some(ClientSecret::Sealed(sealed)) => vault.open(&place(client.id.as_str()), sealed).map(Some),
        _ => Ok(None),
    }
}

fn place(client_id: &str) -> Place<'_> {
    Place { table: "oauth_client", row: client_id, column: "secret" }
}
