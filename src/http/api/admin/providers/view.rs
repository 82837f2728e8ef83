//! A provider, as those see it who administer. Its secret is told nowhere (S-154).

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::api::answer::Moment;
use crate::http::page::federation::{callback, logout_uri};
use crate::http::web::Web;
use crate::model::identity_provider::{IdentityProvider, ProviderSecret, TokenAuth};

/// A server elsewhere by which people may sign in.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "members of an answer")]
pub(super) struct AdminProvider {
    /// Its id.
    id: String,
    /// Its name in URLs.
    slug: String,
    /// `oidc`, `google`, `apple`, `facebook`, `github`, `microsoft` or `oauth2`.
    kind: &'static str,
    /// Its name for operators.
    name: String,
    /// Its name on the button.
    label: String,
    /// Its picture on the button.
    logo_uri: Option<String>,
    /// The project there that the client id belongs to.
    provider_project: Option<String>,
    /// Notes; people see them nowhere.
    notes: Option<String>,
    /// Our client id there.
    client_id: String,
    /// Whether we have a secret there.
    client_secret_set: bool,
    /// `PLAIN` or `ENVIRONMENT`.
    client_secret_source: Option<&'static str>,
    /// The variable of the server's environment that holds the secret.
    client_secret_variable: Option<String>,
    /// The issuer of its identities.
    issuer: String,
    /// Where people come back; it has to be registered there.
    callback_url: String,
    /// Where it tells us who left it (OpenID Connect Back-Channel Logout); it has to be registered there.
    backchannel_logout_uri: String,
    /// What is asked for; empty: what is usual.
    scopes: Vec<String>,
    /// Client ids of native apps whose ID tokens are taken too.
    audiences: Vec<String>,
    /// Domains or tenants whose accounts are let in; empty: everybody's.
    organizations: Vec<String>,
    /// Apple: the Team ID.
    team_id: Option<String>,
    /// Apple: the Key ID of the private key.
    key_id: Option<String>,
    /// How we prove ourselves at its token endpoint.
    token_auth: &'static str,
    /// Where people are sent, for a server without metadata.
    authorization_endpoint: Option<String>,
    /// Where codes are redeemed.
    token_endpoint: Option<String>,
    /// Where it is told who the person is.
    userinfo_endpoint: Option<String>,
    /// Domains for whose addresses its word counts; `*`: every one.
    trusted_domains: Vec<String>,
    /// Domains whose people sign in there: an address of them leads there from the sign-in page.
    home_domains: Vec<String>,
    /// Whoever has a proven address on both sides is let into their account at once.
    auto_link: bool,
    /// People may make accounts by it.
    sign_up: bool,
    /// Our claim and the name of theirs.
    #[schema(value_type = Object)]
    claims: Value,
    /// The claim that tells the groups there.
    groups_claim: Option<String>,
    /// A group there, and the id of the group here that follows from it at each sign-in.
    #[schema(value_type = Object)]
    groups: Value,
    /// Whether it is offered.
    enabled: bool,
    /// What is wrong with it, so that nobody can sign in by it.
    misconfigured: Option<String>,
    /// When it was made.
    created_at: Moment,
    /// When it was last changed.
    updated_at: Moment,
}

impl AdminProvider {
    pub(super) fn of(web: &Web, provider: &IdentityProvider) -> Self {
        let set = provider.settings.clone();
        let (source, variable) = match &provider.secret {
            None => (None, None),
            Some(ProviderSecret::Sealed(_)) => (Some("PLAIN"), None),
            Some(ProviderSecret::Environment(variable)) => (Some("ENVIRONMENT"), Some(variable.clone())),
        };
        Self {
            id: provider.id.to_string(),
            slug: provider.slug.to_string(),
            kind: provider.kind.as_str(),
            label: provider.label().to_owned(),
            client_id: provider.client_id.clone(),
            client_secret_set: provider.secret.is_some(),
            client_secret_source: source,
            client_secret_variable: variable,
            issuer: provider.issuer(),
            callback_url: callback(web, provider),
            backchannel_logout_uri: logout_uri(web, provider),
            token_auth: match set.token_auth {
                TokenAuth::Advertised => "advertised",
                TokenAuth::Basic => "basic",
                TokenAuth::Post => "post",
            },
            claims: serde_json::to_value(&set.claims).unwrap_or_default(),
            groups_claim: set.groups.claim,
            groups: serde_json::to_value(&set.groups.map).unwrap_or_default(),
            enabled: provider.is_enabled(),
            misconfigured: web.upstreams.is_set_up(provider).err().map(|error| error.to_string()),
            created_at: Moment(provider.created_at),
            updated_at: Moment(provider.updated_at),
            name: set.name,
            logo_uri: set.logo_uri,
            provider_project: set.provider_project,
            notes: set.notes,
            scopes: set.scopes,
            audiences: set.audiences,
            organizations: set.organizations,
            team_id: set.team_id,
            key_id: set.key_id,
            authorization_endpoint: set.endpoints.authorization,
            token_endpoint: set.endpoints.token,
            userinfo_endpoint: set.endpoints.userinfo,
            trusted_domains: set.trust.email_domains,
            home_domains: set.home_domains,
            auto_link: set.trust.auto_link,
            sign_up: set.trust.sign_up,
        }
    }
}
