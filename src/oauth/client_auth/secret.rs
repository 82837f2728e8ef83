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

/// The secret of a client: what is kept of it, and itself where it is new, to be shown once.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// The secret, if it is new.
    pub shown: Option<Secret>,
    /// How it is kept.
    pub kept: Option<ClientSecret>,
}

/// A new secret for a client that authenticates by `method`, if that needs one.
pub fn give((client, method): (&ClientId, ClientAuthMethod), vault: &Vault, random: &dyn Random) -> Given {
    let shown = method.needs_secret().then(|| generate(method, random));
    Given { kept: shown.as_ref().map(|secret| keep(secret, (client, method), vault, random)), shown }
}

/// The secret of a client that authenticates by `method` from now on. One is kept in the form that its method needs: a method of
/// another form gets a new one.
pub fn give_again(before: &Client, method: ClientAuthMethod, vault: &Vault, random: &dyn Random) -> Given {
    let fits = |kept: &&ClientSecret| keeps_clear(method) == matches!(kept, ClientSecret::Sealed(_));
    match before.secret.as_ref().filter(fits) {
        Some(kept) if method.needs_secret() => Given { shown: None, kept: Some(kept.clone()) },
        _ => give((&before.id, method), vault, random),
    }
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
