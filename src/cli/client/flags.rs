//! What the flags say about a client: metadata in the words of RFC 7591, and the operator's decisions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::ValueEnum;
use serde_json::{Map, Value, json};

use crate::admin::client;
use crate::cli::CommandError;
use crate::config::duration;
use crate::model::authentication::Acr;
use crate::model::client::{
    AccessTokenEncryption, AccessTokenFormat, ClientPolicy, PolicyMistake, RefreshTokenExpiry, RefreshTokenPolicy,
    TokenDelivery,
};
use crate::model::frontend_url::FrontendUrl;
use crate::model::own_claim::OwnClaim;

/// The usual kinds of app.
#[derive(Copy, Clone, Debug, Eq, PartialEq, ValueEnum)]
pub enum ClientKind {
    /// Runs on a server and keeps a secret.
    Web,
    /// Runs in a browser: no secret, PKCE.
    Spa,
    /// Runs on a phone or a desktop: no secret, PKCE.
    Native,
    /// Speaks for itself: the grant `client_credentials`.
    Service,
    /// Has no browser: people enter its code elsewhere (RFC 8628).
    Device,
}

impl From<ClientKind> for client::ClientKind {
    fn from(kind: ClientKind) -> Self {
        match kind {
            ClientKind::Web => Self::Web,
            ClientKind::Spa => Self::Spa,
            ClientKind::Native => Self::Native,
            ClientKind::Service => Self::Service,
            ClientKind::Device => Self::Device,
        }
    }
}

/// What `create` and `update` have in common.
#[derive(Debug, Default, clap::Args)]
pub struct Flags {
    /// Where people come back after sign-in; again for several.
    #[arg(long, value_name = "URI")]
    redirect_uri: Vec<String>,
    /// Where people may land after logout; again for several.
    #[arg(long, value_name = "URI")]
    post_logout_redirect_uri: Vec<String>,
    /// Where it is told that a session is over (OpenID Connect Back-Channel Logout).
    #[arg(long, value_name = "URL")]
    backchannel_logout_uri: Option<String>,
    /// What a browser opens out of sight once its session is over (OpenID Connect Front-Channel Logout).
    #[arg(long, value_name = "URL")]
    frontchannel_logout_uri: Option<String>,
    /// The most it may ask for, as in "openid profile".
    #[arg(long)]
    scope: Option<String>,
    /// How it proves itself: `client_secret_basic`, `client_secret_post`, `client_secret_jwt`, `private_key_jwt` or `none`.
    #[arg(long, value_name = "METHOD")]
    auth_method: Option<String>,
    /// Where its public keys are.
    #[arg(long, value_name = "URL")]
    jwks_uri: Option<String>,
    /// More metadata (RFC 7591 section 2): a file with a JSON object; flags go before it.
    #[arg(long, value_name = "FILE")]
    metadata: Option<PathBuf>,
    /// Whom its access tokens are for, `aud`; again for several.
    #[arg(long, value_name = "AUDIENCE")]
    audience: Vec<String>,
    /// It belongs to the house: people are not asked for consent.
    #[arg(long, value_name = "yes|no", num_args = 0..=1, default_missing_value = "yes", require_equals = true, value_parser = yes_or_no)]
    first_party: Option<bool>,
    /// What it gets, if it is first-party, when people sign in on its own screens.
    #[arg(long, value_name = "WHAT")]
    token_delivery: Option<Delivery>,
    /// If it is first-party, it may have tokens from the account API in one call.
    #[arg(long, value_name = "yes|no", num_args = 0..=1, default_missing_value = "yes", require_equals = true, value_parser = yes_or_no)]
    direct_tokens: Option<bool>,
    /// It keeps a profile of each person: what happens tells when one begins, and when it is to go.
    #[arg(long, value_name = "yes|no", num_args = 0..=1, default_missing_value = "yes", require_equals = true, value_parser = yes_or_no)]
    profile_provisioning: Option<bool>,
    /// The form of its access tokens; opaque where they are in cookies, unless you say jwt.
    #[arg(long, value_name = "FORMAT")]
    access_token: Option<TokenFormat>,
    /// How long its access tokens live: from 1m to 1h.
    #[arg(long, value_name = "DURATION", value_parser = access_token_lifetime)]
    access_token_lifetime: Option<Duration>,
    /// When it gets refresh tokens.
    #[arg(long, value_name = "WHEN")]
    refresh_token: Option<RefreshWhen>,
    /// Whether each use moves the end of a refresh token on.
    #[arg(long, value_name = "HOW")]
    refresh_expiry: Option<RefreshExpiry>,
    /// How long its refresh tokens live while they are not used: from 1m to 3650d.
    #[arg(long, value_name = "DURATION", value_parser = refresh_token_lifetime)]
    refresh_token_lifetime: Option<Duration>,
    /// How long its refresh tokens live, however they are used, if their end slides.
    #[arg(long, value_name = "DURATION", value_parser = refresh_token_lifetime)]
    refresh_token_absolute: Option<Duration>,
    /// Who can read its access tokens: `none` for everybody, `dir` for this server alone, or a file with the public JWK (RSA) of
    /// the resource server.
    #[arg(long, value_name = "none|dir|FILE")]
    access_token_encryption: Option<String>,
    /// Claims of your own in its access tokens: a file with a JSON object, such as `{"tenant": {"kind": "string",
    /// "updatable": true}}`; `{}` for none.
    #[arg(long, value_name = "FILE")]
    claims: Option<PathBuf>,
    /// PKCE is demanded of it; always so for clients without a secret.
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    require_pkce: Option<bool>,
    /// It is being developed: http redirect URIs on this machine are fine.
    #[arg(long, value_name = "yes|no", num_args = 0..=1, default_missing_value = "yes", require_equals = true, value_parser = yes_or_no)]
    development: Option<bool>,
    /// Where links of mails lead that are sent for it, if it is first-party and `[frontend]` names paths: its own address, such as
    /// `https://shop.example.com`; `none` for that of `[frontend]`.
    #[arg(long, value_name = "URL|none")]
    frontend_url: Option<String>,
    /// What a sign-in for it must reach.
    #[arg(long, value_name = "CLASS")]
    least_acr: Option<LeastAcr>,
}

/// What a sign-in must reach.
#[derive(Copy, Clone, Debug, Eq, PartialEq, ValueEnum)]
enum LeastAcr {
    /// Whatever this server wants of everybody.
    Any,
    /// Two factors.
    TwoFactors,
    /// A passkey, which no false page gets.
    PhishingResistant,
}

/// What a first-party app gets.
#[derive(Copy, Clone, Debug, Eq, PartialEq, ValueEnum)]
enum Delivery {
    /// A session in the browser.
    Session,
    /// A code for the token endpoint.
    Code,
    /// Tokens in cookies of the browser.
    Cookies,
}

/// The form of access tokens.
#[derive(Copy, Clone, Debug, Eq, PartialEq, ValueEnum)]
enum TokenFormat {
    /// RFC 9068: resource servers verify it themselves.
    Jwt,
    /// Random: resource servers ask.
    Opaque,
}

/// When refresh tokens are given.
#[derive(Copy, Clone, Debug, Eq, PartialEq, ValueEnum)]
enum RefreshWhen {
    /// When `offline_access` was granted.
    OfflineAccess,
    /// Each time.
    Always,
}

/// How the end of a refresh token moves.
#[derive(Copy, Clone, Debug, Eq, PartialEq, ValueEnum)]
enum RefreshExpiry {
    /// Each use moves it on, until the family ends.
    Sliding,
    /// It stays.
    Fixed,
}

/// `yes` or `no`.
pub fn yes_or_no(text: &str) -> Result<bool, &'static str> {
    match text {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err("must be yes or no"),
    }
}

fn access_token_lifetime(text: &str) -> Result<Duration, String> {
    let lifetime = duration::parse(text).map_err(|error| error.to_string())?;
    let allowed = Duration::from_mins(1)..=Duration::from_hours(1);
    if allowed.contains(&lifetime) { Ok(lifetime) } else { Err("must be from 1m to 1h".to_owned()) }
}

fn refresh_token_lifetime(text: &str) -> Result<Duration, String> {
    let lifetime = duration::parse(text).map_err(|error| error.to_string())?;
    if lifetime < Duration::from_mins(1) { Err("must be at least 1m".to_owned()) } else { Ok(lifetime) }
}

fn seconds(duration: Option<Duration>) -> Option<u64> {
    duration.map(|duration| duration.as_secs())
}

/// The JSON object in a file.
///
/// # Errors
/// When it cannot be read, or is none.
pub fn object(file: &Path) -> Result<Map<String, Value>, CommandError> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text)
        .map_err(|error| CommandError::refused(format!("{} holds no JSON object: {error}", file.display())))
}

fn encryption(text: &str) -> Result<Option<AccessTokenEncryption>, CommandError> {
    match text {
        "none" => Ok(None),
        "dir" => Ok(Some(AccessTokenEncryption::Direct)),
        file => Ok(Some(AccessTokenEncryption::RsaOaep256 { jwk: object(Path::new(file))? })),
    }
}

fn own_claims(file: &Path) -> Result<BTreeMap<String, OwnClaim>, CommandError> {
    let refuse = |what: String| CommandError::refused(format!("{}: {what}", file.display()));
    serde_json::from_value(Value::Object(object(file)?)).map_err(|error| refuse(error.to_string()))
}

fn frontend_url(text: &str) -> Result<FrontendUrl, CommandError> {
    text.parse().map_err(|error| CommandError::refused(format!("--frontend-url {text:?} {error}")))
}

/// What cannot be decided, in the words of the flags.
fn refuse(mistake: &PolicyMistake) -> CommandError {
    let flag = match mistake.member() {
        "own_claims" => "claims".to_owned(),
        member => member.replace('_', "-"),
    };
    let cure = match mistake {
        PolicyMistake::CookiesOfStranger => "; add --first-party",
        PolicyMistake::FrontendOfStranger(_) => "; add --first-party, or --frontend-url none",
        PolicyMistake::FrontendInClear(_) => " with --development, while the app is being made",
        _ => "",
    };
    CommandError::refused(format!("--{flag} {mistake}{cure}"))
}

impl Flags {
    /// Writes what was given over `members`.
    ///
    /// # Errors
    /// When the file of metadata cannot be read.
    pub fn write(&self, name: Option<&String>, members: &mut Map<String, Value>) -> Result<(), CommandError> {
        if let Some(file) = &self.metadata {
            members.extend(object(file)?);
        }
        let lists =
            [("redirect_uris", &self.redirect_uri), ("post_logout_redirect_uris", &self.post_logout_redirect_uri)];
        members.extend(
            lists.into_iter().filter(|(_, list)| !list.is_empty()).map(|(key, list)| (key.to_owned(), json!(list))),
        );
        let texts = [
            ("client_name", &name.cloned()),
            ("scope", &self.scope),
            ("token_endpoint_auth_method", &self.auth_method),
            ("jwks_uri", &self.jwks_uri),
            ("backchannel_logout_uri", &self.backchannel_logout_uri),
            ("frontchannel_logout_uri", &self.frontchannel_logout_uri),
        ];
        members.extend(texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), json!(text.as_ref()?)))));
        Ok(())
    }

    /// The decisions, where they were made, in place of those in `before`.
    ///
    /// # Errors
    /// When a file cannot be read, or they cannot be decided so.
    pub fn policy(&self, before: ClientPolicy) -> Result<ClientPolicy, CommandError> {
        let token_delivery = match self.token_delivery {
            Some(Delivery::Session) => TokenDelivery::Session,
            Some(Delivery::Code) => TokenDelivery::Code,
            Some(Delivery::Cookies) => TokenDelivery::Cookies,
            None => before.token_delivery,
        };
        let policy = ClientPolicy {
            first_party: self.first_party.unwrap_or(before.first_party),
            token_delivery,
            direct_tokens: self.direct_tokens.unwrap_or(before.direct_tokens),
            profile_provisioning: self.profile_provisioning.unwrap_or(before.profile_provisioning),
            require_pkce: self.require_pkce.unwrap_or(before.require_pkce),
            access_token: match self.access_token {
                Some(TokenFormat::Jwt) => AccessTokenFormat::Jwt,
                Some(TokenFormat::Opaque) => AccessTokenFormat::Opaque,
                None => before.format_for(token_delivery),
            },
            access_token_lifetime: seconds(self.access_token_lifetime).or(before.access_token_lifetime),
            access_token_encryption: match &self.access_token_encryption {
                Some(text) => encryption(text)?,
                None => before.access_token_encryption,
            },
            own_claims: match &self.claims {
                Some(file) => own_claims(file)?,
                None => before.own_claims,
            },
            refresh_token_expiry: match self.refresh_expiry {
                Some(RefreshExpiry::Sliding) => RefreshTokenExpiry::Sliding,
                Some(RefreshExpiry::Fixed) => RefreshTokenExpiry::Fixed,
                None => before.refresh_token_expiry,
            },
            refresh_token_lifetime: seconds(self.refresh_token_lifetime).or(before.refresh_token_lifetime),
            refresh_token_absolute: seconds(self.refresh_token_absolute).or(before.refresh_token_absolute),
            audience: if self.audience.is_empty() { before.audience } else { self.audience.clone() },
            refresh_token: match self.refresh_token {
                Some(RefreshWhen::OfflineAccess) => RefreshTokenPolicy::OfflineAccess,
                Some(RefreshWhen::Always) => RefreshTokenPolicy::Always,
                None => before.refresh_token,
            },
            development: self.development.unwrap_or(before.development),
            frontend_url: match self.frontend_url.as_deref() {
                Some("none") => None,
                Some(text) => Some(frontend_url(text)?),
                None => before.frontend_url,
            },
            least_acr: match self.least_acr {
                Some(LeastAcr::Any) => None,
                Some(LeastAcr::TwoFactors) => Some(Acr::TwoFactors),
                Some(LeastAcr::PhishingResistant) => Some(Acr::PhishingResistant),
                None => before.least_acr,
            },
        };
        policy.check().map_err(|mistake| refuse(&mistake))?;
        Ok(policy)
    }
}
