//! A server elsewhere by which people sign in: Google, Apple, any issuer of OpenID Connect.
//!
//! S-152 … S-155, PROTOCOL A20. A record of the operator's, usable without a restart. What is said of an address counts only where
//! the operator trusts that server for its domain ([`Trust`]).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::id::{GroupId, ProviderId};
use crate::model::identifier::Email;
use crate::protocol::numeric_date::NumericDate;

/// A provider: what it is, by which account of the operator's we come there, and how far it is trusted.
#[derive(Clone, Debug)]
pub struct IdentityProvider {
    /// The row.
    pub id: ProviderId,
    /// Its name in URLs.
    pub slug: ProviderSlug,
    /// Whose ways it has.
    pub kind: ProviderKind,
    /// Our client id there.
    pub client_id: String,
    /// Our secret there; Apple's private key.
    pub secret: Option<ProviderSecret>,
    /// The rest.
    pub settings: ProviderSettings,
    /// When it was made.
    pub created_at: NumericDate,
    /// When it was last changed.
    pub updated_at: NumericDate,
    /// Since when it is not offered.
    pub disabled_at: Option<NumericDate>,
}

/// The name of a provider in URLs and events: 1 to 32 of `a`–`z`, `0`–`9` and `-`, no hyphen at an end.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProviderSlug(String);

/// The text names no provider.
#[derive(Copy, Clone, Debug, thiserror::Error)]
#[error("1 to 32 of a-z, 0-9 and -, with no hyphen at an end")]
pub struct NotASlug;

impl ProviderSlug {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProviderSlug {
    type Err = NotASlug;

    fn from_str(text: &str) -> Result<Self, NotASlug> {
        let is_good = (1..=32).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-');
        if is_good { Ok(Self(text.to_owned())) } else { Err(NotASlug) }
    }
}

impl TryFrom<String> for ProviderSlug {
    type Error = NotASlug;

    fn try_from(text: String) -> Result<Self, NotASlug> {
        text.parse()
    }
}

impl From<ProviderSlug> for String {
    fn from(slug: ProviderSlug) -> Self {
        slug.0
    }
}

impl fmt::Display for ProviderSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whose ways a provider has.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderKind {
    /// Any issuer of OpenID Connect, by discovery.
    Oidc,
    /// Google.
    Google,
    /// Sign in with Apple.
    Apple,
    /// Facebook: OAuth 2.0 and its Graph.
    Facebook,
    /// GitHub: OAuth 2.0 and its API.
    GitHub,
    /// Microsoft, of one tenant or of many.
    Microsoft,
    /// Any OAuth 2.0 server that tells of the person as JSON.
    OAuth2,
}

impl ProviderKind {
    /// Every kind.
    pub const ALL: &'static [Self] =
        &[Self::Oidc, Self::Google, Self::Apple, Self::Facebook, Self::GitHub, Self::Microsoft, Self::OAuth2];

    /// Whether it says when the person last proved there who they are, if it is asked (OIDC Core §3.1.2.1: `auth_time` is REQUIRED with
    /// `max_age`). The others have no such parameter, or do not promise it.
    pub const fn tells_when_proven(self) -> bool {
        matches!(self, Self::Oidc)
    }

    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Oidc => "oidc",
            Self::Google => "google",
            Self::Apple => "apple",
            Self::Facebook => "facebook",
            Self::GitHub => "github",
            Self::Microsoft => "microsoft",
            Self::OAuth2 => "oauth2",
        }
    }

    /// The kind stored as `text`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
    }

    /// The name that people know it by.
    pub const fn label(self) -> Option<&'static str> {
        match self {
            Self::Google => Some("Google"),
            Self::Apple => Some("Apple"),
            Self::Facebook => Some("Facebook"),
            Self::GitHub => Some("GitHub"),
            Self::Microsoft => Some("Microsoft"),
            Self::Oidc | Self::OAuth2 => None,
        }
    }

    /// The issuer of its identities, where that is fixed.
    pub const fn issuer(self) -> Option<&'static str> {
        match self {
            Self::Google => Some("https://accounts.google.com"),
            Self::Apple => Some("https://appleid.apple.com"),
            Self::Facebook => Some("https://www.facebook.com"),
            Self::GitHub => Some("https://github.com"),
            Self::Microsoft => Some("https://login.microsoftonline.com/common/v2.0"),
            Self::Oidc | Self::OAuth2 => None,
        }
    }

    /// The domains that are the provider's own, for which it is trusted unless the operator says otherwise.
    pub const fn own_domains(self) -> &'static [&'static str] {
        match self {
            Self::Google => &["gmail.com", "googlemail.com"],
            Self::Apple => &["privaterelay.appleid.com", "icloud.com", "me.com", "mac.com"],
            // An address there is what somebody typed once, and is told on without a word about who owns it now.
            Self::Facebook | Self::GitHub | Self::Microsoft | Self::Oidc | Self::OAuth2 => &[],
        }
    }
}

/// How our secret at a provider is kept (S-153, S-154).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ProviderSecret {
    /// `PLAIN`: sealed by the vault, told to nobody.
    Sealed(Vec<u8>),
    /// `ENVIRONMENT`: the value of this variable.
    Environment(String),
}

/// What is set of a provider; stored as JSON.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProviderSettings {
    /// Its name for the operator.
    pub name: String,
    /// Its name on the button; else that of its kind, else its name.
    pub label: Option<String>,
    /// Its picture on the button; `https`.
    pub logo_uri: Option<String>,
    /// The project, app or account there that the client id belongs to, for the operator.
    pub provider_project: Option<String>,
    /// Notes of the operator.
    pub notes: Option<String>,
    /// The issuer, exactly as its metadata states it.
    pub issuer: Option<String>,
    /// Where people come back, if not at the usual place below our issuer.
    pub callback_url: Option<String>,
    /// What is asked for, if not the usual.
    pub scopes: Vec<String>,
    /// Endpoints of servers without metadata.
    pub endpoints: Endpoints,
    /// Client ids of the operator's own native apps there: their ID tokens are taken too.
    pub audiences: Vec<String>,
    /// Whose accounts are let in: domains of Google Workspace, tenants of Microsoft. Empty: everybody's.
    pub organizations: Vec<String>,
    /// Apple: the Team ID.
    pub team_id: Option<String>,
    /// Apple: the Key ID of the private key.
    pub key_id: Option<String>,
    /// How we prove ourselves at the token endpoint.
    pub token_auth: TokenAuth,
    /// How far it is trusted.
    pub trust: Trust,
    /// Domains whose people sign in there: an address of them leads there from our own page.
    pub home_domains: Vec<String>,
    /// Our claim → the name of theirs, with `.` between levels.
    pub claims: BTreeMap<String, String>,
    /// Which groups here follow from groups there.
    pub groups: GroupMapping,
}

/// Which groups here follow from groups there, at each sign-in.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GroupMapping {
    /// The name of the claim that tells them, with `.` between levels; none: nothing follows.
    pub claim: Option<String>,
    /// A group there → the one here.
    pub map: BTreeMap<String, GroupId>,
}

impl GroupMapping {
    /// The groups here of somebody who is in these groups there.
    pub fn of(&self, there: &[String]) -> BTreeSet<GroupId> {
        there.iter().filter_map(|group| self.map.get(group).copied()).collect()
    }
}

/// Endpoints of a server without metadata, and of one whose metadata are wrong.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Endpoints {
    /// Where people are sent.
    pub authorization: Option<String>,
    /// Where codes are redeemed.
    pub token: Option<String>,
    /// Where it is told who the person is.
    pub userinfo: Option<String>,
}

/// How we prove ourselves at a token endpoint (RFC 6749 §2.3.1).
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenAuth {
    /// As its metadata say; HTTP Basic without a word.
    #[default]
    Advertised,
    /// HTTP Basic.
    Basic,
    /// In the form.
    Post,
}

/// How far a provider is trusted.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Trust {
    /// Domains for which its `email_verified` counts as a proof of ours; `*`: every domain.
    pub email_domains: Vec<String>,
    /// Somebody whose address is proven on both sides is let into their account at once; else they prove the account first.
    pub auto_link: bool,
    /// People may make an account by it, where people may make accounts at all.
    pub sign_up: bool,
}

impl Default for Trust {
    fn default() -> Self {
        Self { email_domains: Vec::new(), auto_link: false, sign_up: true }
    }
}

impl Trust {
    /// True when what it says of `email` counts: the very domain is named, not one above it.
    pub fn covers(&self, email: &Email) -> bool {
        let domain = email.domain();
        self.email_domains.iter().any(|trusted| trusted == "*" || trusted.eq_ignore_ascii_case(&domain))
    }
}

impl IdentityProvider {
    /// The column of its sealed secret, for the vault.
    pub const SECRET_COLUMN: &'static str = "secret";
    /// Its table, for the vault.
    pub const TABLE: &'static str = "identity_provider";

    /// True when it is offered.
    pub const fn is_enabled(&self) -> bool {
        self.disabled_at.is_none()
    }

    /// True when people with this address sign in there.
    pub fn is_home_of(&self, email: &Email) -> bool {
        let domain = email.domain();
        self.settings.home_domains.iter().any(|home| home.eq_ignore_ascii_case(&domain))
    }

    /// Its name on the button.
    pub fn label(&self) -> &str {
        let own = self.settings.label.as_deref().or_else(|| self.kind.label());
        own.unwrap_or(if self.settings.name.is_empty() { self.slug.as_str() } else { &self.settings.name })
    }

    /// The issuer of its identities: as set, else that of its kind, else its name here.
    pub fn issuer(&self) -> String {
        let set = self.settings.issuer.as_deref().or_else(|| self.kind.issuer());
        set.map_or_else(|| format!("urn:symbolon:provider:{}", self.id), str::to_owned)
    }

    /// True when an app may mean it by this name: its own here, or the issuer of its tokens. Whose they are is judged elsewhere.
    pub fn answers_to(&self, name: &str) -> bool {
        let is_of_kind = match self.kind {
            ProviderKind::Google => name == "accounts.google.com",
            ProviderKind::Microsoft => name.starts_with("https://login.microsoftonline.com/"),
            _ => false,
        };
        is_of_kind || self.slug.as_str() == name || self.issuer() == name
    }

    /// What is missing before anybody can sign in by it, each as its field; the secret is judged where it is read.
    pub fn missing(&self) -> Vec<&'static str> {
        let set = &self.settings;
        let is_there = |value: &Option<String>| value.as_ref().is_some_and(|value| !value.is_empty());
        let needed: Vec<(&'static str, bool)> = match self.kind {
            ProviderKind::Oidc => vec![("issuer", is_there(&set.issuer))],
            ProviderKind::Apple => vec![("team_id", is_there(&set.team_id)), ("key_id", is_there(&set.key_id))],
            ProviderKind::OAuth2 => vec![
                ("authorization_endpoint", is_there(&set.endpoints.authorization)),
                ("token_endpoint", is_there(&set.endpoints.token)),
                ("userinfo_endpoint", is_there(&set.endpoints.userinfo)),
            ],
            ProviderKind::Google | ProviderKind::Facebook | ProviderKind::GitHub | ProviderKind::Microsoft => {
                Vec::new()
            }
        };
        needed.into_iter().filter(|(_, is_there)| !is_there).map(|(field, _)| field).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_one_segment_of_a_path() {
        for (text, good) in [
            ("google", true),
            ("corp-2", true),
            ("", false),
            ("-a", false),
            ("a-", false),
            ("Google", false),
            ("a/b", false),
            ("a.b", false),
            ("ü", false),
        ] {
            assert_eq!(text.parse::<ProviderSlug>().is_ok(), good, "{text:?}");
        }
        assert!("x".repeat(33).parse::<ProviderSlug>().is_err());
    }

    /// PROTOCOL A20
    #[test]
    fn trust_is_for_the_very_domain() {
        let covers = |domains: &[&str], email: &str| {
            let email_domains = domains.iter().map(|domain| (*domain).to_owned()).collect();
            Trust { email_domains, ..Trust::default() }.covers(&Email::parse(email).unwrap())
        };
        assert!(!covers(&[], "a@example.com"), "nobody is trusted until somebody says so");
        assert!(covers(&["example.com"], "a@Example.com"));
        assert!(!covers(&["example.com"], "a@mail.example.com"));
        assert!(!covers(&["example.com"], "a@notexample.com"));
        assert!(covers(&["*"], "a@anything.example"));
    }

    #[test]
    fn kinds_are_found_by_the_name_they_are_stored_under() {
        for kind in ProviderKind::ALL {
            assert_eq!(ProviderKind::parse(kind.as_str()), Some(*kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        let old: ProviderSettings = serde_json::from_str("{}").unwrap();
        assert!(old.trust.sign_up && !old.trust.auto_link);
    }
}
