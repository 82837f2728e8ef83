//! What the operator decides about a client, as a body says it.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::http::api::body::{Patch, body, choices};
use crate::http::api::code::Code;
use crate::http::api::problem::Problem;
use crate::model::authentication::Acr;
use crate::model::client::{AccessTokenFormat, ClientPolicy, RefreshTokenExpiry, RefreshTokenPolicy, TokenDelivery};

choices! {
    /// What a first-party app gets when a person signed in on its own screen.
    pub(super) enum DeliveryWord {
        /// A session in the browser.
        Session = "session",
        /// A code for the token endpoint.
        Code = "code",
        /// Tokens in cookies of the browser.
        Cookies = "cookies",
    }
}

choices! {
    /// The form of access tokens.
    pub(super) enum TokenFormatWord {
        /// RFC 9068.
        Jwt = "jwt",
        /// Without content.
        Opaque = "opaque",
    }
}

choices! {
    /// When refresh tokens are given.
    pub(super) enum RefreshWord {
        /// When `offline_access` was granted.
        OfflineAccess = "offline_access",
        /// Each time.
        Always = "always",
    }
}

choices! {
    /// How the end of a refresh token moves.
    pub(super) enum ExpiryWord {
        /// Each use moves it on.
        Sliding = "sliding",
        /// It stays.
        Fixed = "fixed",
    }
}

choices! {
    /// What a sign-in must reach.
    pub(super) enum AcrWord {
        /// One factor.
        OneFactor = "urn:symbolon:acr:1",
        /// Two factors.
        TwoFactors = "urn:symbolon:acr:2",
        /// A passkey, which no false page gets.
        PhishingResistant = "phr",
    }
}

body! {
    /// What the operator decides about a client: what is left out stays, null brings back what is usual.
    pub(super) struct ClientPolicyChange {
        /// It belongs to the house: consent is not asked. Only an owner decides it.
        first_party: Patch<bool>,
        /// What it gets, if it is first-party, when people sign in on its own screens.
        token_delivery: Patch<DeliveryWord>,
        /// If it is first-party, it may have tokens from the account API in one call.
        direct_tokens: Patch<bool>,
        /// Whether it keeps a profile of each person, so that events tell when one begins and when it is to go.
        profile_provisioning: Patch<bool>,
        /// PKCE is demanded of it; always so for clients without a secret.
        require_pkce: Patch<bool>,
        /// The form of its access tokens.
        access_token: Patch<TokenFormatWord>,
        /// Seconds that its access tokens live, 60 to 3600.
        access_token_lifetime: Patch<u64>,
        /// Who can read its access tokens: `{"alg": "dir"}` for this server alone, `{"alg": "RSA-OAEP-256", "jwk": …}` for a resource server.
        access_token_encryption: Patch<Map<String, Value>>,
        /// Claims of the operator's own in its access tokens, by name: `{"tenant": {"kind": "string", "updatable": true}}`.
        own_claims: Patch<Map<String, Value>>,
        /// Whom its access tokens are for.
        audience: Patch<Vec<String>>,
        /// When it gets refresh tokens.
        refresh_token: Patch<RefreshWord>,
        /// Whether each use moves the end of a refresh token on.
        refresh_token_expiry: Patch<ExpiryWord>,
        /// Seconds that its refresh tokens live while they are not used.
        refresh_token_lifetime: Patch<u64>,
        /// Seconds that its refresh tokens live, however they are used, if their end slides.
        refresh_token_absolute: Patch<u64>,
        /// It is being developed: http redirect URIs on this machine are fine.
        development: Patch<bool>,
        /// Where links of mails lead that are sent for it, if it is first-party.
        frontend_url: Patch<String>,
        /// What a sign-in for it must reach.
        least_acr: Patch<AcrWord>,
    }
}

impl ClientPolicyChange {
    /// The decisions, where they were made, in place of those in `before`.
    pub(super) fn onto(self, before: ClientPolicy) -> Result<ClientPolicy, Problem> {
        let usual = ClientPolicy::default();
        let seconds = |given: Patch<u64>, before: Option<u64>| given.map(Some).over(before, None);
        let token_delivery = self.token_delivery.map(delivery).over(before.token_delivery, usual.token_delivery);
        let policy = ClientPolicy {
            first_party: self.first_party.over(before.first_party, usual.first_party),
            token_delivery,
            direct_tokens: self.direct_tokens.over(before.direct_tokens, usual.direct_tokens),
            profile_provisioning: self
                .profile_provisioning
                .over(before.profile_provisioning, usual.profile_provisioning),
            require_pkce: self.require_pkce.over(before.require_pkce, usual.require_pkce),
            access_token: self.access_token.map(format).over(before.format_for(token_delivery), usual.access_token),
            access_token_lifetime: seconds(self.access_token_lifetime, before.access_token_lifetime),
            access_token_encryption: self
                .access_token_encryption
                .read_as(|given| read("policy.access_token_encryption", given).map(Some))?
                .over(before.access_token_encryption, None),
            own_claims: self
                .own_claims
                .read_as(|given| read("policy.own_claims", given))?
                .over(before.own_claims, usual.own_claims),
            audience: self.audience.over(before.audience, usual.audience),
            refresh_token: self.refresh_token.map(refresh).over(before.refresh_token, usual.refresh_token),
            refresh_token_expiry: self
                .refresh_token_expiry
                .map(expiry)
                .over(before.refresh_token_expiry, usual.refresh_token_expiry),
            refresh_token_lifetime: seconds(self.refresh_token_lifetime, before.refresh_token_lifetime),
            refresh_token_absolute: seconds(self.refresh_token_absolute, before.refresh_token_absolute),
            development: self.development.over(before.development, usual.development),
            frontend_url: self
                .frontend_url
                .read_as(|url| {
                    url.parse().map(Some).map_err(|error| refuse("policy.frontend_url", format!("{error}")))
                })?
                .over(before.frontend_url, None),
            least_acr: self.least_acr.map(|word| Some(acr(word))).over(before.least_acr, None),
        };
        policy.check().map_err(|mistake| refuse(&format!("policy.{}", mistake.member()), mistake.to_string()))?;
        Ok(policy)
    }
}

fn refuse(field: &str, rule: String) -> Problem {
    Problem::field(field.to_owned(), Code::InvalidValue).telling("detail", rule.as_str()).hint(rule)
}

fn read<T: DeserializeOwned>(field: &'static str, given: Map<String, Value>) -> Result<T, Problem> {
    serde_json::from_value(Value::Object(given)).map_err(|error| refuse(field, error.to_string()))
}

const fn delivery(word: DeliveryWord) -> TokenDelivery {
    match word {
        DeliveryWord::Session => TokenDelivery::Session,
        DeliveryWord::Code => TokenDelivery::Code,
        DeliveryWord::Cookies => TokenDelivery::Cookies,
    }
}

const fn format(word: TokenFormatWord) -> AccessTokenFormat {
    match word {
        TokenFormatWord::Jwt => AccessTokenFormat::Jwt,
        TokenFormatWord::Opaque => AccessTokenFormat::Opaque,
    }
}

const fn refresh(word: RefreshWord) -> RefreshTokenPolicy {
    match word {
        RefreshWord::OfflineAccess => RefreshTokenPolicy::OfflineAccess,
        RefreshWord::Always => RefreshTokenPolicy::Always,
    }
}

const fn expiry(word: ExpiryWord) -> RefreshTokenExpiry {
    match word {
        ExpiryWord::Sliding => RefreshTokenExpiry::Sliding,
        ExpiryWord::Fixed => RefreshTokenExpiry::Fixed,
    }
}

const fn acr(word: AcrWord) -> Acr {
    match word {
        AcrWord::OneFactor => Acr::OneFactor,
        AcrWord::TwoFactors => Acr::TwoFactors,
        AcrWord::PhishingResistant => Acr::PhishingResistant,
    }
}
