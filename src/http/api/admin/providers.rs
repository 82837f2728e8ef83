//! `/admin/providers`: servers elsewhere by which people may sign in (S-152 … S-155).
//!
//! The secret goes in and never comes out. *Why a variable has to end in `_CLIENT_SECRET` here, and not on the command line:* whoever may
//! call this need not be whoever runs the process; without it they could have any secret of its environment sent to a server of theirs.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::admin::group::named;
use crate::admin::provider::{GivenSecret, NewProvider, ProviderChange, usual};
use crate::http::api::admin::asked::{Asked, Named};
use crate::http::api::admin::caller::{Auditor, Caller, Owner};
use crate::http::api::admin::if_match::{IfMatch, tagged};
use crate::http::api::answer::{Moment, nothing, ok};
use crate::http::api::body::{Json, Patch, body, choices};
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, delete, get, patch, post};
use crate::http::api::paging::{CURSOR, LIMIT};
use crate::http::api::problem::Problem;
use crate::http::page::federation::{callback, logout_uri};
use crate::http::web::Web;
use crate::model::directory::Directory;
use crate::model::id::ProviderId;
use crate::model::identity_provider::{
    IdentityProvider, ProviderKind, ProviderSecret, ProviderSettings, ProviderSlug, TokenAuth,
};
use crate::model::user::Role;
use crate::protocol::secret::Secret;

/// How the name of a variable ends that holds a secret for this.
const VARIABLE_ENDING: &str = "_CLIENT_SECRET";

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/admin/providers", Group::Admin), "List providers, the oldest first", list)
            .by_role(Role::Auditor)
            .query(CURSOR.0, CURSOR.1)
            .query(LIMIT.0, LIMIT.1)
            .gives::<AdminProviderList>(StatusCode::OK, "One page of providers.")
            .refuses(&[Code::InvalidValue, Code::UnknownField]),
        post(("/admin/providers", Group::Admin), "Let people sign in by a server elsewhere", create)
            .by_role(Role::Owner)
            .by_proof()
            .takes::<NewAdminProvider>()
            .gives::<AdminProvider>(StatusCode::CREATED, "The provider; people see it at once.")
            .refuses(&[Code::AlreadyExists]),
        get(("/admin/providers/{id}", Group::Admin), "A provider, by its id or slug", show)
            .by_role(Role::Auditor)
            .gives::<AdminProvider>(StatusCode::OK, "The provider, without its secret."),
        patch(("/admin/providers/{id}", Group::Admin), "Change a provider", change)
            .by_role(Role::Owner)
            .by_proof()
            .if_match()
            .takes::<ProviderPatch>()
            .gives::<AdminProvider>(StatusCode::OK, "The provider as it is now."),
        delete(
            ("/admin/providers/{id}", Group::Admin),
            "Remove a provider with the connections of accounts to identities there",
            remove,
        )
        .by_role(Role::Owner)
        .by_proof()
        .if_match()
        .gives_nothing(StatusCode::NO_CONTENT, "It is gone."),
        post(("/admin/providers/{id}/test", Group::Admin), "Ask a provider whether it would let us in", test)
            .by_role(Role::Owner)
            .gives::<ProviderTest>(StatusCode::OK, "What it said."),
    ]
}

/// One page of providers.
#[derive(Debug, Serialize, ToSchema)]
struct AdminProviderList {
    /// The providers.
    items: Vec<AdminProvider>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

/// A server elsewhere by which people may sign in.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "members of an answer")]
struct AdminProvider {
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

/// What a provider said.
#[derive(Debug, Serialize, ToSchema)]
struct ProviderTest {
    /// Whether it would let us in.
    ok: bool,
    /// What was found, or what is wrong, in a sentence for operators.
    found: String,
}

choices! {
    /// Whose ways a provider has.
    enum KindWord {
        /// Any issuer of OpenID Connect.
        Oidc = "oidc",
        /// Google.
        Google = "google",
        /// Sign in with Apple.
        Apple = "apple",
        /// Facebook.
        Facebook = "facebook",
        /// GitHub.
        GitHub = "github",
        /// Microsoft.
        Microsoft = "microsoft",
        /// Any OAuth 2.0 server that tells of the person as JSON.
        OAuth2 = "oauth2",
    }
}

choices! {
    /// Where a secret is kept.
    enum SourceWord {
        /// Sealed in the database.
        Plain = "PLAIN",
        /// In a variable of the server's environment; `client_secret` is its name.
        Environment = "ENVIRONMENT",
    }
}

choices! {
    /// How we prove ourselves at a token endpoint.
    enum TokenAuthWord {
        /// As its metadata say.
        Advertised = "advertised",
        /// HTTP Basic.
        Basic = "basic",
        /// In the form.
        Post = "post",
    }
}

body! {
    /// A server elsewhere by which people shall be able to sign in.
    struct NewAdminProvider {
        /// Its name in URLs: 1 to 32 of `a`–`z`, `0`–`9` and `-`.
        slug: String,
        /// Whose ways it has; left out: that of the slug.
        kind: Option<KindWord>,
        /// Our client id there.
        client_id: String,
        /// Our secret there, or the name of the variable that holds it; Apple's private key.
        client_secret: Option<Secret>,
        /// Where the secret is kept; left out: `PLAIN`.
        client_secret_source: Option<SourceWord>,
        /// Its name for operators.
        name: Option<String>,
        /// Its name on the button.
        label: Option<String>,
        /// Its picture on the button.
        logo_uri: Option<String>,
        /// The project there that the client id belongs to.
        provider_project: Option<String>,
        /// Notes.
        notes: Option<String>,
        /// The issuer, exactly as its metadata state it.
        issuer: Option<String>,
        /// Where people come back, if not at the usual place.
        callback_url: Option<String>,
        /// What is asked for, if not the usual.
        scopes: Option<Vec<String>>,
        /// Client ids of native apps whose ID tokens are taken too.
        audiences: Option<Vec<String>>,
        /// Domains or tenants whose accounts alone are let in.
        organizations: Option<Vec<String>>,
        /// Apple: the Team ID.
        team_id: Option<String>,
        /// Apple: the Key ID of the private key.
        key_id: Option<String>,
        /// How we prove ourselves at its token endpoint.
        token_auth: Option<TokenAuthWord>,
        /// Where people are sent, for a server without metadata.
        authorization_endpoint: Option<String>,
        /// Where codes are redeemed.
        token_endpoint: Option<String>,
        /// Where it is told who the person is.
        userinfo_endpoint: Option<String>,
        /// Domains for whose addresses its word counts; `*`: every one.
        trusted_domains: Option<Vec<String>>,
        /// Domains whose people sign in there: an address of them leads there from the sign-in page.
        home_domains: Option<Vec<String>>,
        /// Whoever has a proven address on both sides is let into their account at once; left out: no.
        auto_link: Option<bool>,
        /// People may make accounts by it; left out: yes.
        sign_up: Option<bool>,
        /// Our claim and the name of theirs, with `.` between levels.
        claims: Option<Map<String, Value>>,
        /// The claim that tells the groups there, with `.` between levels.
        groups_claim: Option<String>,
        /// A group there, and the group here that follows from it: its id, or its path.
        groups: Option<Map<String, Value>>,
        /// Whether it is offered; left out: yes.
        enabled: Option<bool>,
    }
}

body! {
    /// How a provider shall change; what is left out stays.
    struct ProviderPatch {
        /// Our client id there.
        client_id: Option<String>,
        /// Our secret there, or the name of the variable that holds it; null takes it away.
        client_secret: Patch<Secret>,
        /// Where the secret that is given is kept; left out: `PLAIN`.
        client_secret_source: Option<SourceWord>,
        /// Its name for operators.
        name: Option<String>,
        /// Its name on the button.
        label: Patch<String>,
        /// Its picture on the button.
        logo_uri: Patch<String>,
        /// The project there that the client id belongs to.
        provider_project: Patch<String>,
        /// Notes.
        notes: Patch<String>,
        /// The issuer.
        issuer: Patch<String>,
        /// Where people come back.
        callback_url: Patch<String>,
        /// What is asked for.
        scopes: Option<Vec<String>>,
        /// Client ids of native apps.
        audiences: Option<Vec<String>>,
        /// Domains or tenants whose accounts alone are let in.
        organizations: Option<Vec<String>>,
        /// Apple: the Team ID.
        team_id: Patch<String>,
        /// Apple: the Key ID.
        key_id: Patch<String>,
        /// How we prove ourselves at its token endpoint.
        token_auth: Option<TokenAuthWord>,
        /// Where people are sent.
        authorization_endpoint: Patch<String>,
        /// Where codes are redeemed.
        token_endpoint: Patch<String>,
        /// Where it is told who the person is.
        userinfo_endpoint: Patch<String>,
        /// Domains for whose addresses its word counts.
        trusted_domains: Option<Vec<String>>,
        /// Domains whose people sign in there.
        home_domains: Option<Vec<String>>,
        /// Whoever has a proven address on both sides is let into their account at once.
        auto_link: Option<bool>,
        /// People may make accounts by it.
        sign_up: Option<bool>,
        /// Our claim and the name of theirs; given whole.
        claims: Option<Map<String, Value>>,
        /// The claim that tells the groups there.
        groups_claim: Patch<String>,
        /// A group there, and the group here that follows from it; given whole.
        groups: Option<Map<String, Value>>,
        /// Whether it is offered.
        enabled: Option<bool>,
    }
}

impl From<KindWord> for ProviderKind {
    fn from(word: KindWord) -> Self {
        match word {
            KindWord::Oidc => Self::Oidc,
            KindWord::Google => Self::Google,
            KindWord::Apple => Self::Apple,
            KindWord::Facebook => Self::Facebook,
            KindWord::GitHub => Self::GitHub,
            KindWord::Microsoft => Self::Microsoft,
            KindWord::OAuth2 => Self::OAuth2,
        }
    }
}

impl From<TokenAuthWord> for TokenAuth {
    fn from(word: TokenAuthWord) -> Self {
        match word {
            TokenAuthWord::Advertised => Self::Advertised,
            TokenAuthWord::Basic => Self::Basic,
            TokenAuthWord::Post => Self::Post,
        }
    }
}

impl AdminProvider {
    fn of(web: &Web, provider: &IdentityProvider) -> Self {
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

impl NewAdminProvider {
    /// What is given is what a change would set.
    fn into_patch(self) -> ProviderPatch {
        fn set<T>(given: Option<T>) -> Patch<T> {
            given.map_or(Patch::Keep, Patch::Set)
        }
        ProviderPatch {
            client_id: Some(self.client_id),
            client_secret: set(self.client_secret),
            client_secret_source: self.client_secret_source,
            name: self.name,
            label: set(self.label),
            logo_uri: set(self.logo_uri),
            provider_project: set(self.provider_project),
            notes: set(self.notes),
            issuer: set(self.issuer),
            callback_url: set(self.callback_url),
            scopes: self.scopes,
            audiences: self.audiences,
            organizations: self.organizations,
            team_id: set(self.team_id),
            key_id: set(self.key_id),
            token_auth: self.token_auth,
            authorization_endpoint: set(self.authorization_endpoint),
            token_endpoint: set(self.token_endpoint),
            userinfo_endpoint: set(self.userinfo_endpoint),
            trusted_domains: self.trusted_domains,
            home_domains: self.home_domains,
            auto_link: self.auto_link,
            sign_up: self.sign_up,
            claims: self.claims,
            groups_claim: set(self.groups_claim),
            groups: self.groups,
            enabled: self.enabled,
        }
    }
}

impl ProviderPatch {
    /// The change of a provider that is called `client_id` there and is set as `set`.
    fn onto(
        self,
        (client_id, mut set, enabled): (&str, ProviderSettings, bool),
        directory: &Directory,
    ) -> Result<ProviderChange, Problem> {
        let secret = given_secret(self.client_secret, self.client_secret_source)?;
        for (given, kept) in [
            (self.label, &mut set.label),
            (self.logo_uri, &mut set.logo_uri),
            (self.provider_project, &mut set.provider_project),
            (self.notes, &mut set.notes),
            (self.issuer, &mut set.issuer),
            (self.callback_url, &mut set.callback_url),
            (self.team_id, &mut set.team_id),
            (self.key_id, &mut set.key_id),
            (self.authorization_endpoint, &mut set.endpoints.authorization),
            (self.token_endpoint, &mut set.endpoints.token),
            (self.userinfo_endpoint, &mut set.endpoints.userinfo),
            (self.groups_claim, &mut set.groups.claim),
        ] {
            match given {
                Patch::Keep => {}
                Patch::Clear => *kept = None,
                Patch::Set(value) => *kept = Some(value),
            }
        }
        for (given, kept) in [
            (self.scopes, &mut set.scopes),
            (self.audiences, &mut set.audiences),
            (self.organizations, &mut set.organizations),
            (self.trusted_domains, &mut set.trust.email_domains),
            (self.home_domains, &mut set.home_domains),
        ] {
            *kept = given.unwrap_or_else(|| std::mem::take(kept));
        }
        set.name = self.name.unwrap_or(set.name);
        set.token_auth = self.token_auth.map_or(set.token_auth, TokenAuth::from);
        set.trust.auto_link = self.auto_link.unwrap_or(set.trust.auto_link);
        set.trust.sign_up = self.sign_up.unwrap_or(set.trust.sign_up);
        if let Some(claims) = self.claims {
            let named =
                claims.into_iter().map(|(ours, theirs)| match theirs {
                    Value::String(theirs) if !theirs.is_empty() => Ok((ours, theirs)),
                    _ => Err(Problem::field("claims", Code::InvalidValue)
                        .hint("each member is the name of a claim of theirs")),
                });
            set.claims = named.collect::<Result<_, _>>()?;
        }
        if let Some(groups) = self.groups {
            let named = groups.into_iter().map(|(there, here)| {
                let unknown = || Problem::field("groups", Code::InvalidValue).hint("each member is a group here");
                let here = here.as_str().ok_or_else(unknown)?;
                Ok((there, named(directory, here).map_err(|_| unknown())?.id))
            });
            set.groups.map = named.collect::<Result<_, Problem>>()?;
        }
        let client_id = self.client_id.unwrap_or_else(|| client_id.to_owned());
        Ok(ProviderChange { client_id, secret, settings: set, enabled: self.enabled.unwrap_or(enabled) })
    }
}

#[expect(clippy::option_option, reason = "kept, taken away, or another")]
fn given_secret(given: Patch<Secret>, source: Option<SourceWord>) -> Result<Option<Option<GivenSecret>>, Problem> {
    match (given, source) {
        // What a secret is kept in is said with the secret.
        (Patch::Keep | Patch::Clear, Some(_)) => Err(Problem::field("client_secret", Code::Required)),
        (Patch::Keep, None) => Ok(None),
        (Patch::Clear, None) => Ok(Some(None)),
        (Patch::Set(secret), None | Some(SourceWord::Plain)) => Ok(Some(Some(GivenSecret::Plain(secret)))),
        (Patch::Set(variable), Some(SourceWord::Environment)) => {
            let variable = variable.expose();
            if variable.ends_with(VARIABLE_ENDING) {
                return Ok(Some(Some(GivenSecret::Environment(variable.clone()))));
            }
            let hint = "over the API, the name of a variable ends in _CLIENT_SECRET";
            Err(Problem::field("client_secret", Code::InvalidValue).hint(hint))
        }
    }
}

async fn found(caller: &Caller, named: &Named) -> Result<std::sync::Arc<IdentityProvider>, Problem> {
    Ok(caller.admin.provider(named.first()).await?)
}

async fn list(State(web): State<Web>, Auditor(caller): Auditor, asked: Asked) -> Result<Response, Problem> {
    let asked = asked.only(&[])?;
    let after = asked.paging.cursor(|cursor| cursor.parse::<ProviderId>().ok())?;
    let all = caller.admin.edges.store.identity_providers().await?;
    let fits = all.iter().filter(|provider| after.is_none_or(|after| provider.id > after));
    let mut page: Vec<_> = fits.take(asked.paging.limit as usize + 1).collect();
    let next = asked.paging.cut(&mut page, |provider| provider.id.to_string());
    Ok(ok(&AdminProviderList {
        items: page.into_iter().map(|provider| AdminProvider::of(&web, provider)).collect(),
        next,
    }))
}

async fn show(State(web): State<Web>, Auditor(caller): Auditor, named: Named) -> Result<Response, Problem> {
    Ok(tagged(StatusCode::OK, &AdminProvider::of(&web, &*found(&caller, &named).await?)))
}

async fn create(
    State(web): State<Web>,
    Owner(caller): Owner,
    Json(body): Json<NewAdminProvider>,
) -> Result<Response, Problem> {
    let slug: ProviderSlug = body.slug.parse().map_err(|error: crate::model::identity_provider::NotASlug| {
        Problem::field("slug", Code::InvalidValue).hint(error.to_string())
    })?;
    let kind = body.kind.map(ProviderKind::from).or_else(|| ProviderKind::parse(slug.as_str()));
    let kind = kind.ok_or_else(|| Problem::field("kind", Code::Required))?;
    caller.prove_again(&web).await?;
    let directory = caller.admin.edges.store.directory().await?;
    let given = body.into_patch().onto(("", usual(&slug, kind), true), &directory)?;
    let ProviderChange { client_id, secret, settings, enabled } = given;
    let new = NewProvider { slug, kind, client_id, secret: secret.flatten(), settings, enabled };
    let made = caller.admin.create_provider(new, &web.provider.vault).await?;
    Ok(tagged(StatusCode::CREATED, &AdminProvider::of(&web, &made)))
}

async fn change(
    State(web): State<Web>,
    Owner(caller): Owner,
    (named, seen): (Named, IfMatch),
    Json(body): Json<ProviderPatch>,
) -> Result<Response, Problem> {
    let before = found(&caller, &named).await?;
    seen.check(&AdminProvider::of(&web, &before))?;
    caller.prove_again(&web).await?;
    let directory = caller.admin.edges.store.directory().await?;
    let change = body.onto((&before.client_id, before.settings.clone(), before.is_enabled()), &directory)?;
    let after = caller.admin.change_provider(&before, change, &web.provider.vault).await?;
    Ok(tagged(StatusCode::OK, &AdminProvider::of(&web, &after)))
}

async fn remove(
    State(web): State<Web>,
    Owner(caller): Owner,
    (named, seen): (Named, IfMatch),
) -> Result<Response, Problem> {
    let provider = found(&caller, &named).await?;
    seen.check(&AdminProvider::of(&web, &provider))?;
    caller.prove_again(&web).await?;
    caller.admin.delete_provider(&provider).await?;
    Ok(nothing())
}

async fn test(State(web): State<Web>, Owner(caller): Owner, named: Named) -> Result<Response, Problem> {
    let provider = found(&caller, &named).await?;
    let said = web.upstreams.probe(&provider, &callback(&web, &provider)).await;
    let test = match said {
        Ok(found) => ProviderTest { ok: true, found },
        Err(error) => ProviderTest { ok: false, found: error.to_string() },
    };
    Ok(ok(&test))
}
