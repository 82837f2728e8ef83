//! `/federation`, `/me/identities`: accounts at other servers, from an app's own screens (S-060, S-061, S-064, S-065).
//!
//! A browser is sent there by a URL of ours, so that what it brings back is bound to it; an app on a phone brings the token that it was
//! given there.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::account::Asking;
use crate::account::registration::MadeElsewhere;
use crate::account::settings::SignUp;
use crate::authn::upstream::{self, Resolution};
use crate::edge::store::{Beside, Unlinked};
use crate::edge::upstream::{Presented, UpstreamError};
use crate::http::api::answer::{Moment, nothing, ok};
use crate::http::api::body::{Json, body};
use crate::http::api::caller::{Guest, Means, Person};
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, delete, get, post};
use crate::http::api::problem::Problem;
use crate::http::api::recent::RecentPerson;
use crate::http::extract::params::{self, Segment};
use crate::http::page::account::identity::{cut_from, otherwise};
use crate::http::page::federation::{FROM_APP, Intent, Stranded, connected, departure, note_refusal, offered};
use crate::http::web::{Web, with_cookies};
use crate::model::authentication::Authentication;
use crate::model::client::Client;
use crate::model::fault::Fault;
use crate::model::id::LinkId;
use crate::model::identity_provider::IdentityProvider;
use crate::model::upstream_link::{UpstreamIdentity, UpstreamLink};
use crate::model::user::User;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::oidc::claims::Profile;
use crate::protocol::secret::{Secret, TokenHash};

/// What a sign-in by a token of another server can be refused with, beside the rest.
pub(super) const REFUSED: &[Code] = &[
    Code::ProviderNotFound,
    Code::FederationTokenInvalid,
    Code::FederationFailed,
    Code::VerificationRequired,
    Code::SignupNotAllowed,
    Code::IdentityNotAllowed,
    Code::EmailTaken,
    Code::Forbidden,
];
/// How much longer than it says an ID token is remembered that an app brought: it is believed for a minute after its end.
const LEEWAY: Duration = Duration::from_mins(5);
/// How long a token is remembered whose end nobody tells: access tokens last for months, and at GitHub until nobody has used them for a
/// year.
const REMEMBERED: Duration = Duration::from_hours(366 * 24);
/// The longest redirect path, in bytes.
const MAX_PATH: usize = 64;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/federation/{slug}/url", Group::Social), "Where a browser goes to sign in elsewhere", url)
            .query("redirect_path", "The page of this server that it ends on.")
            .gives::<StartUrl>(StatusCode::OK, "The URL, on this server; it leads there.")
            .refuses(&[Code::ProviderNotFound]),
        get(("/me/identities", Group::Social), "List your accounts elsewhere", list)
            .by_person()
            .gives::<IdentityList>(StatusCode::OK, "The accounts, the oldest first."),
        post(("/me/identities/{slug}/link", Group::Social), "Connect an account elsewhere", link)
            .by_person()
            .takes::<LinkIdentity>()
            .gives::<LinkStarted>(
                StatusCode::OK,
                "It is connected; or where the browser goes on, when no token was sent.",
            )
            .refuses(&[
                Code::ReauthRequired,
                Code::ProviderNotFound,
                Code::FederationTokenInvalid,
                Code::FederationFailed,
                Code::IdentityTaken,
            ]),
        delete(("/me/identities/{id}", Group::Social), "Cut the connection to an account elsewhere", cut)
            .by_person()
            .gives_nothing(StatusCode::NO_CONTENT, "It is cut.")
            .refuses(&[Code::ReauthRequired, Code::LastSignInMethod]),
    ]
}

/// Where a browser goes.
#[derive(Debug, Serialize, ToSchema)]
struct StartUrl {
    /// The URL.
    url: String,
}

async fn url(
    State(web): State<Web>,
    _guest: Guest,
    Segment(slug): Segment,
    uri: axum::http::Uri,
) -> Result<Response, Problem> {
    let query = params::query(&uri).map_err(|unreadable| {
        let is_long = unreadable.status() == StatusCode::URI_TOO_LONG;
        Problem::new(if is_long { Code::UriTooLong } else { Code::MalformedQuery })
    })?;
    let provider = offered(&web, &slug).await?.ok_or_else(|| Problem::new(Code::ProviderNotFound))?;
    let start = web.provider.issuer.at(&format!("/federation/{}/start", provider.slug));
    let mut start = url::form_urlencoded::Serializer::for_suffix(format!("{start}?"), start.len() + 1);
    start.append_pair(FROM_APP.0, FROM_APP.1);
    // Only names of pages of ours are heard where it leads; whatever else is sent ends on the account page.
    if let Some(path) = query.get("redirect_path").filter(|path| path.len() <= MAX_PATH) {
        start.append_pair("to", path.trim_start_matches('/'));
    }
    Ok(ok(&StartUrl { url: start.finish() }))
}

/// Accounts elsewhere.
#[derive(Debug, Serialize, ToSchema)]
struct IdentityList {
    /// The accounts.
    items: Vec<IdentityItem>,
}

/// An account elsewhere that opens the account here.
#[derive(Debug, Serialize, ToSchema)]
struct IdentityItem {
    /// The connection.
    id: String,
    /// The name of the provider in URLs.
    provider: String,
    /// The name of the provider for people.
    label: String,
    /// The address or name there; null when nothing is known of it.
    identity: Option<String>,
    /// Since when it is connected.
    linked_at: Moment,
    /// When it was last signed in by.
    last_used_at: Option<Moment>,
}

async fn list(State(web): State<Web>, person: Person) -> Result<Response, Problem> {
    let store = &web.provider.edges.store;
    let providers = store.identity_providers().await?;
    let links = store.upstream_links(person.user.id).await?;
    let items = links.into_iter().filter_map(|link| item(&providers, link)).collect();
    Ok(ok(&IdentityList { items }))
}

fn item(providers: &[Arc<IdentityProvider>], link: UpstreamLink) -> Option<IdentityItem> {
    let provider = providers.iter().find(|provider| provider.id == link.provider)?;
    Some(IdentityItem {
        id: link.id.to_string(),
        provider: provider.slug.to_string(),
        label: provider.label().to_owned(),
        identity: link.label,
        linked_at: Moment(link.linked_at),
        last_used_at: link.last_used_at.map(Moment),
    })
}

body! {
    /// An account elsewhere, by the token that an app was given there; nothing, from a browser.
    struct LinkIdentity {
        /// An ID token for an app of this server's operator.
        id_token: Option<Secret>,
        /// The nonce that it was asked for with.
        nonce: Option<String>,
        /// An access token, where the provider can be asked for which app it was made.
        access_token: Option<Secret>,
        /// An authorization code.
        code: Option<Secret>,
        /// PKCE, of the code.
        code_verifier: Option<Secret>,
        /// Where the provider sent the person, of the code.
        redirect_uri: Option<String>,
    }
}

/// What became of a wish to connect an account elsewhere.
#[derive(Debug, Serialize, ToSchema)]
struct LinkStarted {
    /// `connected`, or `redirect` when the browser has to go there.
    status: &'static str,
    /// Where the browser goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect_url: Option<String>,
    /// What is connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<IdentityItem>,
}

async fn link(
    State(web): State<Web>,
    RecentPerson { person, .. }: RecentPerson,
    Segment(slug): Segment,
    Json(body): Json<LinkIdentity>,
) -> Result<Response, Problem> {
    let provider = offered(&web, &slug).await?.ok_or_else(|| Problem::new(Code::ProviderNotFound))?;
    let brought = Brought {
        id_token: body.id_token,
        nonce: body.nonce,
        access_token: body.access_token,
        code: body.code,
        code_verifier: body.code_verifier,
        redirect_uri: body.redirect_uri,
    };
    let Some(presented) = brought.presented()? else { return begin(&web, &person, &provider).await };
    let identity = accept(&web, &person.guest, (&provider, &presented)).await?;
    let asking = Asking { session: person.session_id(), ..person.guest.visitor.asking() };
    if !connected(&web, (&provider, &identity), &person.user, &asking).await? {
        return Err(Problem::new(Code::IdentityTaken));
    }
    let standing = web.provider.edges.store.upstream_link(&identity.issuer, &identity.subject).await?;
    let identity = standing.and_then(|link| item(&[provider], link));
    Ok(ok(&LinkStarted { status: "connected", redirect_url: None, identity }))
}

/// Sends a browser there; what comes back is connected with the session that asks.
async fn begin(web: &Web, person: &Person, provider: &IdentityProvider) -> Result<Response, Problem> {
    let Means::Session(session) = &person.by else { return Err(Problem::field("id_token", Code::Required)) };
    let intent = Intent::Connect { user: person.user.id, session: session.id };
    let departed =
        departure(web, &person.guest.visitor, provider, (intent, None, None)).await.map_err(
            |stranded| match stranded {
                Stranded::Provider(error) => Problem::new(Code::FederationFailed).caused_by(error),
                Stranded::Fault(fault) => fault.into(),
            },
        )?;
    let answer = LinkStarted { status: "redirect", redirect_url: Some(departed.url), identity: None };
    Ok(with_cookies(ok(&answer), departed.cookie))
}

async fn cut(
    State(web): State<Web>,
    RecentPerson { person, .. }: RecentPerson,
    Segment(id): Segment,
) -> Result<Response, Problem> {
    let id: LinkId = id.parse().map_err(|_| Problem::new(Code::NotFound))?;
    let asking = Asking { session: person.session_id(), ..person.guest.visitor.asking() };
    let beside = cut_from(&web, (&person.user, id), &asking).await?;
    let (store, now) = (&web.provider.edges.store, web.provider.now());
    match store.unlink_identity((person.user.id, id), otherwise(&web, &person.user).await?, now, beside).await? {
        Unlinked::Unlinked => Ok(nothing()),
        Unlinked::Unknown => Err(Problem::new(Code::NotFound)),
        Unlinked::Last => Err(Problem::new(Code::LastSignInMethod)),
    }
}

/// What an app brings that signed somebody in by itself.
#[derive(Debug, Default)]
pub(in crate::http) struct Brought {
    pub(in crate::http) id_token: Option<Secret>,
    pub(in crate::http) nonce: Option<String>,
    pub(in crate::http) access_token: Option<Secret>,
    pub(in crate::http) code: Option<Secret>,
    pub(in crate::http) code_verifier: Option<Secret>,
    pub(in crate::http) redirect_uri: Option<String>,
}

impl Brought {
    /// The one of them that counts; none when nothing was brought. An ID token goes before all others: it names whom it is for.
    ///
    /// # Errors
    /// That a code came without where it was sent to.
    pub(super) fn presented(self) -> Result<Option<Presented>, Problem> {
        let nonce = self.nonce;
        if let Some(token) = self.id_token {
            return Ok(Some(Presented::IdToken { token, nonce }));
        }
        if let Some(code) = self.code {
            let redirect_uri = self.redirect_uri.ok_or_else(|| Problem::field("redirect_uri", Code::Required))?;
            return Ok(Some(Presented::Code { code, verifier: self.code_verifier, redirect_uri, nonce }));
        }
        Ok(self.access_token.map(Presented::AccessToken))
    }
}

/// Whose what was brought is; each token counts once.
///
/// # Errors
/// `federation_token_invalid` for whatever is wrong with it, `federation_failed` when the provider does not answer.
pub(in crate::http) async fn accept(
    web: &Web,
    guest: &Guest,
    (provider, presented): (&IdentityProvider, &Presented),
) -> Result<UpstreamIdentity, Problem> {
    let refuse = |reason: &str| note_refusal(web, &guest.visitor, provider.slug.as_str(), reason);
    let identity = web.upstreams.accept(provider, presented).await.map_err(|error| {
        refuse(error.as_str());
        let code = match error {
            UpstreamError::Unreachable(_) | UpstreamError::Resting | UpstreamError::Misconfigured(_) => {
                Code::FederationFailed
            }
            UpstreamError::Refused(_) | UpstreamError::Untrue(_) | UpstreamError::Unsupported(_) => {
                Code::FederationTokenInvalid
            }
        };
        Problem::new(code).caused_by(error)
    })?;
    if is_first(web, presented, identity.good_until).await? {
        Ok(identity)
    } else {
        refuse("replayed");
        Err(Problem::new(Code::FederationTokenInvalid).hint("the token was used before"))
    }
}

/// Who is behind what an app brought: an account that is known, or one that is made or connected now (S-061, S-062, S-063). Where the
/// person has to prove something first, the refusal tells where a browser does that.
///
/// # Errors
/// Those of [`accept`]; `verification_required` when an address or an account has to be proven; what registrations refuse.
pub(in crate::http) async fn vouched(
    web: &Web,
    guest: &Guest,
    (slug, brought, names): (&str, Brought, (Option<String>, Option<String>)),
    client: Option<&Client>,
) -> Result<Authentication, Problem> {
    let provider = offered(web, slug).await?.ok_or_else(|| Problem::new(Code::ProviderNotFound))?;
    let presented = brought.presented()?.ok_or_else(|| Problem::field("id_token", Code::Required))?;
    let mut identity = accept(web, guest, (&provider, &presented)).await?;
    fill(&mut identity.profile, &names);
    let (edges, accounts) = (&web.provider.edges, &web.provider.accounts);
    let opens = accounts.settings.sign_up != SignUp::Off;
    let asked = |problem: Problem| {
        note_refusal(web, &guest.visitor, provider.slug.as_str(), "unproven");
        problem.telling("start_url", web.provider.issuer.at(&format!("/federation/{}/start", provider.slug)))
    };
    let user = match upstream::resolve(edges, (&provider, &identity), opens).await? {
        Resolution::Known(user, link) => {
            edges.store.note_upstream_use(link.id, identity.label.clone(), web.provider.now());
            name(web, &user, &names).await?;
            user
        }
        Resolution::Connect(user) => {
            if !connected(web, (&provider, &identity), &user, &guest.visitor.asking()).await? {
                return Err(Problem::new(Code::FederationTokenInvalid).hint("the identity is somebody else's"));
            }
            user
        }
        Resolution::Create => {
            let mut asking = guest.visitor.asking();
            asking.client = client.map(|client| client.id.clone());
            match accounts.make_from_upstream((&provider, &identity), &asking).await? {
                MadeElsewhere::Made(made) => Arc::new(made.user),
                MadeElsewhere::Incomplete => return Err(asked(Problem::new(Code::VerificationRequired))),
            }
        }
        Resolution::Complete => return Err(asked(Problem::new(Code::VerificationRequired))),
        // The account of that address is proven first, where a browser can ask for it.
        Resolution::Prove(_) => {
            return Err(asked(Problem::new(Code::VerificationRequired).with_status(StatusCode::FORBIDDEN)));
        }
        Resolution::Closed => return Err(Problem::new(Code::SignupNotAllowed)),
    };
    Ok(upstream::vouched(edges, (&provider, &identity), &user).await?)
}

/// Names that the app knows fill what is empty, and nothing else: nobody has signed them (S-062).
fn fill(profile: &mut Profile, (first, last): &(Option<String>, Option<String>)) {
    let is_name = |name: &&String| name.chars().count() <= 128 && !name.chars().any(char::is_control);
    for (own, told) in [(&mut profile.given_name, first), (&mut profile.family_name, last)] {
        if own.is_none() {
            *own = told.as_ref().filter(is_name).map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        }
    }
    if profile.name.is_none() {
        let parts = [&profile.given_name, &profile.family_name].into_iter().flatten();
        let whole = parts.map(String::as_str).collect::<Vec<_>>().join(" ");
        profile.name = Some(whole).filter(|whole| !whole.is_empty());
    }
}

/// The same for an account that is there.
async fn name(web: &Web, user: &User, names: &(Option<String>, Option<String>)) -> Result<(), Fault> {
    let mut filled = user.profile.clone();
    fill(&mut filled, names);
    if filled == user.profile {
        return Ok(());
    }
    let names = names.clone();
    let change = move |profile: &mut Profile, _: &mut Map<String, Value>| fill(profile, &names);
    let store = &web.provider.edges.store;
    store.update_profile(user.id, &change, web.provider.now(), Beside::default()).await.map(|_| ())
}

/// PROTOCOL T20: a token that was caught on its way is good for nobody else.
async fn is_first(web: &Web, presented: &Presented, good_until: Option<NumericDate>) -> Result<bool, Fault> {
    let token = match presented {
        Presented::IdToken { token, .. } | Presented::AccessToken(token) => token,
        // The provider takes a code once.
        Presented::Code { .. } => return Ok(true),
    };
    let now = web.provider.now();
    let until = match presented {
        // What the Graph or an API says beside belongs to the person, and not to the token.
        Presented::AccessToken(_) => None,
        Presented::IdToken { .. } | Presented::Code { .. } => good_until,
    };
    let until = until.map_or_else(|| now.plus(REMEMBERED), |until| until.plus(LEEWAY));
    web.provider.edges.store.consume_once("social_token", &TokenHash::of(token.expose()), until, now).await
}
