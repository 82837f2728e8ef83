//! Servers elsewhere that say who a person is: the ways to ask them.
//!
//! OIDC Core §3.1, RFC 6749, RFC 7636; PROTOCOL A21. A provider is sent a person ([`UpstreamProvider::begin`]), sends them back with a
//! code ([`UpstreamProvider::finish`]), or an app brings a token of it ([`UpstreamProvider::accept`]). Each kind has a file with its
//! oddities; those that speak OpenID Connect are a `Dialect` of `oidc`. To add one: a file with an `impl UpstreamProvider` or a
//! `Dialect`, a variant of `ProviderKind`, a line in [`Upstreams::connector`].
//!
//! What a provider says is never shown to people: it may be anything. It is told to the log, in short.

mod apple;
mod breaker;
mod facebook;
mod github;
mod google;
mod logout;
mod microsoft;
mod oauth2;
mod oidc;
mod reading;
mod way;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;

use crate::edge::clock::Clock;
use crate::edge::fetch::{Addresses, Fetch};
use crate::edge::meter;
use crate::edge::upstream::breaker::Breakers;
use crate::edge::upstream::oidc::Documents;
use crate::edge::upstream::way::Way;
use crate::edge::vault::{Place, Vault};
use crate::model::identity_provider::{IdentityProvider, ProviderKind, ProviderSecret};
use crate::model::upstream_link::UpstreamIdentity;
use crate::protocol::oidc::backchannel_logout::LogoutToken;
use crate::protocol::secret::Secret;

/// How long everything may take that one answer of a provider needs (PROTOCOL §3: that button fails within five seconds).
const PATIENCE: Duration = Duration::from_secs(5);

/// A way to ask one provider.
#[async_trait]
pub trait UpstreamProvider: Send + Sync {
    /// The URL that the person is sent to.
    async fn begin(&self, beginning: &Beginning) -> Result<String, UpstreamError>;

    /// Who came back with a code.
    async fn finish(&self, returned: &Returned) -> Result<UpstreamIdentity, UpstreamError>;

    /// Whose a token is that an app brings.
    async fn accept(&self, presented: &Presented) -> Result<UpstreamIdentity, UpstreamError>;

    /// Asks whether it would let us in, without a person; what it found, in a sentence.
    async fn probe(&self, redirect_uri: &str) -> Result<String, UpstreamError>;

    /// Who left it, as a logout token says.
    async fn left(&self, _token: &Secret) -> Result<LogoutToken, UpstreamError> {
        Err(UpstreamError::Unsupported("it tells nobody who leaves it"))
    }
}

/// What a sign-in at a provider begins with.
#[derive(Clone, Debug)]
pub struct Beginning {
    /// Where the person comes back.
    pub redirect_uri: String,
    /// What comes back with them.
    pub state: Secret,
    /// What the ID token must repeat.
    pub nonce: Secret,
    /// PKCE: what the code is redeemed with; its hash is sent.
    pub verifier: Secret,
    /// Who the person probably is.
    pub login_hint: Option<String>,
    /// Whether the provider shall ask anew: `login` or `select_account`.
    pub prompt: Option<&'static str>,
}

/// What a person came back with.
#[derive(Clone, Debug)]
pub struct Returned {
    /// The code.
    pub code: Secret,
    /// As it was at the beginning.
    pub redirect_uri: String,
    /// As it was at the beginning.
    pub nonce: Secret,
    /// As it was at the beginning.
    pub verifier: Secret,
    /// `iss` of the response (RFC 9207), where it has one.
    pub issuer: Option<String>,
    /// Apple: `user` of the response, JSON with the name, at the first sign-in only.
    pub user: Option<String>,
}

/// What an app brings that signed somebody in by itself (S-061).
#[derive(Clone, Debug)]
pub enum Presented {
    /// An ID token for one of our client ids there.
    IdToken {
        /// The token.
        token: Secret,
        /// The nonce that the app asked with.
        nonce: Option<String>,
    },
    /// An access token; only where the provider can be asked whose it is, and for which app it was made.
    AccessToken(Secret),
    /// A code with what redeems it.
    Code {
        /// The code.
        code: Secret,
        /// PKCE.
        verifier: Option<Secret>,
        /// Where the provider sent the person; the provider compares it.
        redirect_uri: String,
        /// The nonce that the app asked with.
        nonce: Option<String>,
    },
}

/// Why nobody is known. The words are for the log.
#[derive(Clone, Debug, thiserror::Error)]
pub enum UpstreamError {
    /// It cannot be reached, takes too long, or fails.
    #[error("the provider does not answer as it should: {0}")]
    Unreachable(String),
    /// It failed again and again a moment ago; it is not asked for a while.
    #[error("the provider failed again and again, and is left alone for a while")]
    Resting,
    /// It does not take the code or token.
    #[error("the provider refused: {0}")]
    Refused(String),
    /// What it says is not to be believed.
    #[error("what the provider says is not good: {0}")]
    Untrue(String),
    /// Its record here lacks something.
    #[error("the provider is not set up: {0}")]
    Misconfigured(String),
    /// It has no such way.
    #[error("the provider has no such way: {0}")]
    Unsupported(&'static str),
}

impl UpstreamError {
    /// A word of a bounded set, for numbers and events.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::Resting => "resting",
            Self::Refused(_) => "refused",
            Self::Untrue(_) => "untrue",
            Self::Misconfigured(_) => "misconfigured",
            Self::Unsupported(_) => "unsupported",
        }
    }
}

/// Reads a variable of the environment, for secrets that stand there (S-153).
pub type Variables = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Asks providers. Clones share what is known of them.
#[derive(Clone)]
pub struct Upstreams {
    way: Way,
    vault: Arc<Vault>,
    variables: Variables,
    documents: Arc<Documents>,
    breakers: Arc<Breakers>,
}

/// A provider with what is needed to ask it.
pub(in crate::edge::upstream) struct Account<'a> {
    way: &'a Way,
    documents: &'a Documents,
    provider: &'a IdentityProvider,
    secret: Option<Secret>,
}

impl Upstreams {
    /// Asks over `fetch`, only `addresses`.
    pub fn new(
        (fetch, clock): (Arc<dyn Fetch>, Arc<dyn Clock>),
        (vault, variables): (Arc<Vault>, Variables),
        addresses: Addresses,
    ) -> Self {
        Self {
            way: Way::new(fetch, clock, addresses),
            vault,
            variables,
            documents: Arc::default(),
            breakers: Arc::default(),
        }
    }

    /// Whether anybody could sign in by `provider`, as far as its record says.
    ///
    /// # Errors
    /// [`UpstreamError::Misconfigured`] with what is missing.
    pub fn is_set_up(&self, provider: &IdentityProvider) -> Result<(), UpstreamError> {
        self.account(provider).map(|_| ())
    }

    /// The URL that the person is sent to.
    ///
    /// # Errors
    /// That the provider is not set up, or does not answer.
    pub async fn begin(&self, provider: &IdentityProvider, beginning: &Beginning) -> Result<String, UpstreamError> {
        let account = self.account(provider)?;
        self.guarded(provider, "begin", Self::connector(account).begin(beginning)).await
    }

    /// Who came back with a code.
    ///
    /// # Errors
    /// That nobody did: what came is not good, or the provider does not answer.
    pub async fn finish(
        &self,
        provider: &IdentityProvider,
        returned: &Returned,
    ) -> Result<UpstreamIdentity, UpstreamError> {
        let account = self.account(provider)?;
        self.guarded(provider, "finish", Self::connector(account).finish(returned)).await
    }

    /// Whose a token is that an app brings.
    ///
    /// # Errors
    /// As [`Upstreams::finish`].
    pub async fn accept(
        &self,
        provider: &IdentityProvider,
        presented: &Presented,
    ) -> Result<UpstreamIdentity, UpstreamError> {
        let account = self.account(provider)?;
        self.guarded(provider, "accept", Self::connector(account).accept(presented)).await
    }

    /// Asks whether the provider would let us in, without a person; what was found, in a sentence.
    ///
    /// # Errors
    /// What is wrong.
    pub async fn probe(&self, provider: &IdentityProvider, redirect_uri: &str) -> Result<String, UpstreamError> {
        let account = self.account(provider)?;
        Self::connector(account).probe(redirect_uri).await
    }

    /// Who left a provider, as a logout token of it says (OpenID Connect Back-Channel Logout §2.6); its issuer is the one that identities
    /// are written down under.
    ///
    /// # Errors
    /// That the token is not to be believed, or the provider does not answer.
    pub async fn left(&self, provider: &IdentityProvider, token: &Secret) -> Result<LogoutToken, UpstreamError> {
        let account = self.account(provider)?;
        self.guarded(provider, "left", Self::connector(account).left(token)).await
    }

    fn connector(account: Account<'_>) -> Box<dyn UpstreamProvider + '_> {
        match account.provider.kind {
            ProviderKind::Oidc => Box::new(oidc::generic(account)),
            ProviderKind::Google => Box::new(google::connector(account)),
            ProviderKind::Apple => Box::new(apple::connector(account)),
            ProviderKind::Microsoft => Box::new(microsoft::connector(account)),
            ProviderKind::Facebook => Box::new(facebook::Facebook { account }),
            ProviderKind::GitHub => Box::new(github::GitHub { account }),
            ProviderKind::OAuth2 => Box::new(oauth2::OAuth2 { account }),
        }
    }

    fn account<'a>(&'a self, provider: &'a IdentityProvider) -> Result<Account<'a>, UpstreamError> {
        let missing = provider.missing();
        if !missing.is_empty() {
            return Err(UpstreamError::Misconfigured(format!("{} is missing", missing.join(", "))));
        }
        let secret = match &provider.secret {
            None => None,
            Some(ProviderSecret::Environment(variable)) => {
                let value = (self.variables)(variable).filter(|value| !value.is_empty());
                let absent = || UpstreamError::Misconfigured(format!("the variable {variable} is not set"));
                Some(Secret::new(value.ok_or_else(absent)?))
            }
            Some(ProviderSecret::Sealed(sealed)) => {
                let row = provider.id.to_string();
                let opened = self.vault.open(&secret_place(&row), sealed);
                let opened = opened.map_err(|fault| UpstreamError::Misconfigured(fault.to_string()))?;
                let text = String::from_utf8(opened.expose().clone());
                Some(Secret::new(text.map_err(|_| UpstreamError::Misconfigured("its secret is no text".to_owned()))?))
            }
        };
        if secret.is_none()
            && matches!(provider.kind, ProviderKind::Apple | ProviderKind::Facebook | ProviderKind::GitHub)
        {
            return Err(UpstreamError::Misconfigured("its secret is missing".to_owned()));
        }
        Ok(Account { way: &self.way, documents: &self.documents, provider, secret })
    }

    /// Within the time that one button has, and not when it failed again and again a moment ago.
    async fn guarded<T>(
        &self,
        provider: &IdentityProvider,
        what: &'static str,
        asked: impl Future<Output = Result<T, UpstreamError>>,
    ) -> Result<T, UpstreamError> {
        if !self.breakers.lets_through(provider.id, self.way.now()) {
            meter::upstream(provider.slug.as_str(), what, UpstreamError::Resting.as_str());
            return Err(UpstreamError::Resting);
        }
        let took_too_long = || Err(UpstreamError::Unreachable("it took longer than five seconds".to_owned()));
        let answer = timeout(PATIENCE, asked).await.unwrap_or_else(|_| took_too_long());
        self.breakers.note(provider.id, !matches!(answer, Err(UpstreamError::Unreachable(_))), self.way.now());
        meter::upstream(provider.slug.as_str(), what, answer.as_ref().err().map_or("ok", UpstreamError::as_str));
        answer
    }
}

/// Where the sealed secret of the provider with this id lies.
pub const fn secret_place(row: &str) -> Place<'_> {
    Place { table: IdentityProvider::TABLE, row, column: IdentityProvider::SECRET_COLUMN }
}

impl Account<'_> {
    /// What is asked for: as set, else the usual.
    fn scopes<'s>(&'s self, usual: &'s [&'s str]) -> Vec<&'s str> {
        let set = &self.provider.settings.scopes;
        if set.is_empty() { usual.to_vec() } else { set.iter().map(String::as_str).collect() }
    }

    fn secret(&self) -> Result<&Secret, UpstreamError> {
        self.secret.as_ref().ok_or_else(|| UpstreamError::Misconfigured("its secret is missing".to_owned()))
    }
}
