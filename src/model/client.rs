//! A registered client.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::authentication::{Acr, Demand};
use crate::model::frontend_url::FrontendUrl;
use crate::model::id::ClientId;
use crate::model::own_claim::OwnClaim;
use crate::protocol::client_metadata::{ApplicationType, ClientAuthMethod, ClientMetadata, GrantType};
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

/// What a first-party app gets when a person signed in on its own screen.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenDelivery {
    /// A session in the browser: for pages of the same site.
    #[default]
    Session,
    /// An authorization code for the token endpoint: for apps without a browser.
    Code,
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
