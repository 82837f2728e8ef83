//! A registered client.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::model::authentication::{Acr, Demand};
use crate::model::frontend_url::FrontendUrl;
use crate::model::id::ClientId;
use crate::model::own_claim::{OwnClaim, is_free};
use crate::protocol::client_metadata::{ApplicationType, ClientAuthMethod, ClientMetadata, GrantType};
use crate::protocol::jose::jwe::Recipient;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

/// A client: its metadata, which is valid, and what we decided about it.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its name.
    pub id: ClientId,
    /// What it registered.
    pub metadata: ClientMetadata,
    /// How its secret is kept.
    pub secret: Option<ClientSecret>,
    /// Who registered it.
    pub origin: ClientOrigin,
    /// What we allow beyond its own words.
    pub policy: ClientPolicy,
    /// When it was registered.
    pub created_at: NumericDate,
    /// Since when it may do nothing.
    pub disabled_at: Option<NumericDate>,
}

/// How a client secret is kept.
#[derive(Clone, Debug)]
pub enum ClientSecret {
    /// Only its hash.
    Hashed(TokenHash),
    /// Sealed by the vault, since `client_secret_jwt` needs the clear text as a key.
    Sealed(Vec<u8>),
}

/// Who registered a client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ClientOrigin {
    /// An operator.
    Operator,
    /// Itself, by dynamic registration; the hash of its registration access token (RFC 7592 §3).
    Registered(TokenHash),
}

/// Decisions of the operator about one client; stored as JSON.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a decision of its own, stored as JSON")]
pub struct ClientPolicy {
    /// Belongs to the house: consent is not asked.
    pub first_party: bool,
    /// What a first-party app gets when a person signed in on its own screen.
    pub token_delivery: TokenDelivery,
    /// A first-party app may have its tokens from the account API in one call.
    pub direct_tokens: bool,
    /// A challenge is needed; public clients always need one.
    pub require_pkce: bool,
    /// JWT or opaque access tokens.
    pub access_token: AccessTokenFormat,
    /// Seconds; `None`: the server's default.
    pub access_token_lifetime: Option<u64>,
    /// To whom access tokens that are JWTs are legible; `None`: to everybody.
    pub access_token_encryption: Option<AccessTokenEncryption>,
    /// Claims of the operator's own in its access tokens, by name.
    pub own_claims: BTreeMap<String, OwnClaim>,
    /// `aud` of its access tokens; empty: the server's default audience.
    pub audience: Vec<String>,
    /// When refresh tokens are given.
    pub refresh_token: RefreshTokenPolicy,
    /// How the end of a refresh token moves.
    pub refresh_token_expiry: RefreshTokenExpiry,
    /// Seconds that a refresh token is good for while it is not used; `None`: the server's default.
    pub refresh_token_lifetime: Option<u64>,
    /// Seconds that a family of sliding refresh tokens is good for; `None`: the server's default.
    pub refresh_token_absolute: Option<u64>,
    /// `http` redirect URIs on this machine are fine for a web client: it is being developed.
    pub development: bool,
    /// Where a first-party app takes the links of mails that are sent for it; `None`: where `[frontend]` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frontend_url: Option<FrontendUrl>,
    /// Keeps a profile of each person, and is told when one begins and when it is to go (S-163).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub profile_provisioning: bool,
    /// What a sign-in for it must reach; `None`: whatever the house wants.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least_acr: Option<Acr>,
}

impl Default for ClientPolicy {
    fn default() -> Self {
        Self {
            first_party: false,
            token_delivery: TokenDelivery::Session,
            direct_tokens: false,
            require_pkce: true,
            access_token: AccessTokenFormat::Jwt,
            access_token_lifetime: None,
            access_token_encryption: None,
            own_claims: BTreeMap::new(),
            audience: Vec::new(),
            refresh_token: RefreshTokenPolicy::OfflineAccess,
            refresh_token_expiry: RefreshTokenExpiry::Sliding,
            refresh_token_lifetime: None,
            refresh_token_absolute: None,
            development: false,
            frontend_url: None,
            profile_provisioning: false,
            least_acr: None,
        }
    }
}

/// What decisions about a client cannot be.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PolicyMistake {
    /// A token would be for nobody.
    #[error("is empty; write the URL of the API")]
    EmptyAudience,
    /// Apps of the house alone sign people in on pages of their own.
    #[error("cookies is for apps of the house")]
    CookiesOfStranger,
    /// Nobody could prove it where a browser refreshes.
    #[error("cookies is for apps without a secret, since browsers prove none: token_endpoint_auth_method none")]
    CookiesWithSecret,
    /// Links of mails hold what sets a password: they lead to apps of the house alone.
    #[error("{0} is for apps of the house")]
    FrontendOfStranger(FrontendUrl),
    /// Somebody could read along.
    #[error("{0} is plain http; write https, or say that the client is being developed")]
    FrontendInClear(FrontendUrl),
    /// A lifetime that is not for this kind of token; seconds.
    #[error("lasts {} to {} seconds", .1.start(), .1.end())]
    Lifetime(&'static str, RangeInclusive<u64>),
    /// A claim that has a meaning already.
    #[error(
        "{0:?} is no name for a claim of your own: letters, digits and _ - . : /, and none that a specification has given a meaning"
    )]
    ClaimName(String),
    /// A claim whose value is of another kind.
    #[error("the value of {0} is no {1}")]
    ClaimValue(String, &'static str),
    /// A key that nothing can be encrypted to.
    #[error("{0}")]
    EncryptionKey(String),
}

impl PolicyMistake {
    /// The member of [`ClientPolicy`] that it is about.
    pub const fn member(&self) -> &'static str {
        match self {
            Self::EmptyAudience => "audience",
            Self::CookiesOfStranger | Self::CookiesWithSecret => "token_delivery",
            Self::FrontendOfStranger(_) | Self::FrontendInClear(_) => "frontend_url",
            Self::Lifetime(member, _) => member,
            Self::ClaimName(_) | Self::ClaimValue(..) => "own_claims",
            Self::EncryptionKey(_) => "access_token_encryption",
        }
    }
}

impl ClientPolicy {
    /// Seconds that access tokens may live.
    pub const ACCESS_TOKEN: RangeInclusive<u64> = 60..=3_600;
    /// Seconds that refresh tokens may live, used or not.
    pub const REFRESH_TOKEN: RangeInclusive<u64> = 60..=3_650 * 86_400;

    /// Refuses what cannot be decided.
    ///
    /// # Errors
    /// The first mistake.
    pub fn check(&self) -> Result<(), PolicyMistake> {
        if self.audience.iter().any(|audience| audience.trim().is_empty()) {
            return Err(PolicyMistake::EmptyAudience);
        }
        for (member, seconds, range) in [
            ("access_token_lifetime", self.access_token_lifetime, Self::ACCESS_TOKEN),
            ("refresh_token_lifetime", self.refresh_token_lifetime, Self::REFRESH_TOKEN),
            ("refresh_token_absolute", self.refresh_token_absolute, Self::REFRESH_TOKEN),
        ] {
            if seconds.is_some_and(|seconds| !range.contains(&seconds)) {
                return Err(PolicyMistake::Lifetime(member, range));
            }
        }
        for (name, claim) in &self.own_claims {
            if !is_free(name) {
                return Err(PolicyMistake::ClaimName(name.clone()));
            }
            if claim.value.as_ref().is_some_and(|value| !claim.kind.fits(value)) {
                return Err(PolicyMistake::ClaimValue(name.clone(), claim.kind.as_str()));
            }
        }
        if let Some(AccessTokenEncryption::RsaOaep256 { jwk }) = &self.access_token_encryption {
            Recipient::parse(jwk).map_err(|error| PolicyMistake::EncryptionKey(error.to_string()))?;
        }
        if self.token_delivery == TokenDelivery::Cookies && !self.first_party {
            return Err(PolicyMistake::CookiesOfStranger);
        }
        match &self.frontend_url {
            Some(url) if !self.first_party => Err(PolicyMistake::FrontendOfStranger(url.clone())),
            Some(url) if !url.is_https() && !self.development => Err(PolicyMistake::FrontendInClear(url.clone())),
            _ => Ok(()),
        }
    }

    /// Refuses what cannot be decided for a client that authenticates by `method`.
    ///
    /// # Errors
    /// [`PolicyMistake::CookiesWithSecret`].
    pub fn check_for(&self, method: ClientAuthMethod) -> Result<(), PolicyMistake> {
        if self.token_delivery == TokenDelivery::Cookies && method != ClientAuthMethod::None {
            return Err(PolicyMistake::CookiesWithSecret);
        }
        Ok(())
    }

    /// The form of its access tokens once `delivery` is decided, and nothing of their form: a cookie holds 4096 bytes, and nobody but
    /// this server reads it.
    pub fn format_for(&self, delivery: TokenDelivery) -> AccessTokenFormat {
        let begins_cookies = delivery == TokenDelivery::Cookies && self.token_delivery != TokenDelivery::Cookies;
        if begins_cookies { AccessTokenFormat::Opaque } else { self.access_token }
    }
}

/// What a first-party app gets when a person signed in on its own screen.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenDelivery {
    /// A session in the browser: for pages of the same site.
    #[default]
    Session,
    /// An authorization code for the token endpoint: for apps without a browser.
    Code,
    /// Tokens in cookies that no script can read: for pages of the same site that call APIs by them.
    Cookies,
}

impl TokenDelivery {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Code => "code",
            Self::Cookies => "cookies",
        }
    }
}

/// What an access token looks like.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessTokenFormat {
    /// RFC 9068.
    #[default]
    Jwt,
    /// Random; only introspection tells what it means.
    Opaque,
}

impl AccessTokenFormat {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::Opaque => "opaque",
        }
    }
}

/// How an access token that is a JWT is encrypted: the signed token is within (RFC 7519 §11.2), `enc` is A256GCM.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "alg")]
pub enum AccessTokenEncryption {
    /// Under a key of this server, which alone can read it; resource servers ask it by introspection.
    #[serde(rename = "dir")]
    Direct,
    /// To the key of the resource server that it is for, which reads it by itself.
    #[serde(rename = "RSA-OAEP-256")]
    RsaOaep256 {
        /// Its public key, as a JWK.
        jwk: serde_json::Map<String, serde_json::Value>,
    },
}

/// How the end of a refresh token moves when it is used.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RefreshTokenExpiry {
    /// Each use moves it on, until the family ends.
    #[default]
    Sliding,
    /// Not at all.
    Fixed,
}

/// When a refresh token comes with an authorization code's tokens.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshTokenPolicy {
    /// When `offline_access` was granted.
    #[default]
    OfflineAccess,
    /// Each time.
    Always,
}

impl Client {
    /// True when it may act.
    pub const fn is_enabled(&self) -> bool {
        self.disabled_at.is_none()
    }

    /// True when it cannot keep a secret (RFC 6749 §2.1).
    pub fn is_public(&self) -> bool {
        self.metadata.token_endpoint_auth_method == ClientAuthMethod::None
    }

    /// True when it may use `grant_type`.
    pub fn allows(&self, grant_type: GrantType) -> bool {
        self.metadata.grant_types.contains(&grant_type)
    }

    /// True when a challenge is needed (RFC 9700 §2.1.1).
    pub fn requires_pkce(&self) -> bool {
        self.is_public() || self.policy.require_pkce
    }

    /// True when browsers keep its tokens in cookies: an app of the house without a secret, which nobody could prove there.
    pub fn has_token_cookies(&self) -> bool {
        self.policy.token_delivery == TokenDelivery::Cookies
            && self.policy.first_party
            && self.is_public()
            && self.is_enabled()
    }

    /// Where links lead that are sent for it. They hold what sets a password: only an app of the house is told.
    pub fn frontend_url(&self) -> Option<&FrontendUrl> {
        self.policy.frontend_url.as_ref().filter(|_| self.policy.first_party && self.is_enabled())
    }

    /// What a sign-in for it must reach.
    pub fn demand(&self) -> Demand {
        self.policy.least_acr.map_or(Demand::OneFactor, Demand::from)
    }

    /// True when it registered itself.
    pub const fn is_self_registered(&self) -> bool {
        matches!(self.origin, ClientOrigin::Registered(_))
    }

    /// True when its identity cannot be assured, so that consent is asked each time (RFC 8252 §8.6).
    pub fn must_always_ask(&self, redirect_uri: &str) -> bool {
        self.is_public()
            && self.metadata.application_type == ApplicationType::Native
            && !redirect_uri.starts_with("https://")
            && !self.policy.first_party
    }

    /// The name for people; the id when none was registered.
    pub fn display_name(&self) -> &str {
        self.metadata.client_name.as_deref().unwrap_or_else(|| self.id.as_str())
    }
}
