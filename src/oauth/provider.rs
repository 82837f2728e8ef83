//! The provider: everything an endpoint needs, in one value.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::account::Accounts;
use crate::authn::passkey::Passkeys;
use crate::authn::second_factor::SecondFactors;
use crate::edge::Edges;
use crate::edge::vault::Vault;
use crate::oauth::client_auth::guess::ClientGuesses;
use crate::oauth::client_auth::jwks::ClientKeys;
use crate::oauth::keys::SigningKeys;
use crate::oauth::policy::Policy;
use crate::oauth::token::access_token::VerifiedTokens;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::scope::Scope;
use crate::protocol::secret::MacKey;

/// An OpenID provider.
pub struct Provider {
    /// What we ask of the world.
    pub edges: Edges,
    /// Who we are.
    pub issuer: Issuer,
    /// What we allow.
    pub policy: Policy,
    /// What we sign with; replaced whole when keys change.
    pub keys: ArcSwap<SigningKeys>,
    /// Seals secrets that must be read again.
    pub vault: Arc<Vault>,
    /// Makes successors of refresh tokens.
    pub refresh_key: MacKey,
    /// Chains what happened.
    pub audit_key: MacKey,
    /// Makes pairwise subjects.
    pub pairwise_key: MacKey,
    /// Makes the keys that encrypt access tokens.
    pub content_key: MacKey,
    /// Scopes that every client may ask for; operators make others ([`allowed`](crate::oauth::allowed)).
    pub scopes_supported: Scope,
    /// What people do with their accounts.
    pub accounts: Accounts,
    /// What is asked for beside the first proof.
    pub factors: SecondFactors,
    /// Passkeys; none where the issuer has no name.
    pub passkeys: Option<Passkeys>,
    /// Languages of the pages.
    pub ui_locales: Vec<String>,
    /// Public keys of clients, remembered.
    pub client_keys: ClientKeys,
    /// Who guesses at client secrets.
    pub client_guesses: ClientGuesses,
    /// Access tokens whose signature was verified, remembered.
    pub verified_tokens: VerifiedTokens,
}

/// The issuer identifier (RFC 8414 §2): the only thing from which URLs of ours are built.
#[derive(Clone, Debug)]
pub struct Issuer {
    url: String,
    path: String,
}

impl Issuer {
    /// The issuer `url`, without a slash at its end, query or fragment; the configuration has checked it.
    pub fn new(url: &url::Url) -> Self {
        let path = url.path().trim_end_matches('/').to_owned();
        Self { url: url.as_str().trim_end_matches('/').to_owned(), path }
    }

    /// The identifier itself.
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// Its path, without a slash at the end: what precedes the path of every page.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The URL of the page or endpoint at `path`, which begins with a slash.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

impl Provider {
    /// The present moment.
    pub fn now(&self) -> NumericDate {
        self.edges.clock.now()
    }
}
