//! `/sign-in/options`: what a sign-in screen has to offer.

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use http::header::{CACHE_CONTROL, ETAG, HeaderValue, IF_NONE_MATCH};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

use crate::authn::captcha::Provider;
use crate::authn::captcha::proof_of_work::Challenge;
use crate::http::api::answer::ok;
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, get};
use crate::http::api::problem::Problem;
use crate::http::api::sign_in::is_off;
use crate::http::captcha::Captcha;
use crate::http::document::is_known;
use crate::http::extract::params;
use crate::http::page::federation::callback;
use crate::http::web::Web;
use crate::model::id::ClientId;
use crate::model::identity_provider::IdentityProvider;
use crate::protocol::secret::TokenHash;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/sign-in/options", Group::Core), "What a sign-in screen has to offer", options)
            .query("client_id", "The app whose screen it is.")
            .gives::<SignInOptions>(StatusCode::OK, "The options.")
            .gives_nothing(StatusCode::NOT_MODIFIED, "They are what If-None-Match names.")
            .refuses(&[Code::NotFound]),
        get(("/captcha", Group::Core), "A challenge of the built-in captcha", challenge)
            .gives::<CaptchaChallenge>(StatusCode::OK, "Find the number; base64 of the JSON with it is the answer.")
            .refuses(&[Code::NotFound]),
    ]
}

/// A proof of work, in the form of ALTCHA: the number behind the salt whose SHA-256 is the challenge.
#[derive(Debug, Serialize, ToSchema)]
struct CaptchaChallenge {
    /// `SHA-256`
    algorithm: &'static str,
    /// The hash, in hexadecimal.
    challenge: String,
    /// What stands before the number.
    salt: String,
    /// That the challenge is ours.
    signature: String,
    /// The largest number.
    maxnumber: u32,
}

/// Where a captcha is asked for: `off`, `adaptive` or `always`.
#[derive(Debug, Serialize, ToSchema)]
struct CaptchaOptions {
    /// Who judges: `proof_of_work`, `recaptcha`, `hcaptcha` or `turnstile`.
    provider: &'static str,
    /// What the widget of a service is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    site_key: Option<String>,
    /// At sign-in.
    sign_in: &'static str,
    /// At registration.
    registration: &'static str,
    /// Where a new password or a forgotten address is asked for.
    recovery: &'static str,
}

impl From<&Captcha> for CaptchaOptions {
    fn from(captcha: &Captcha) -> Self {
        let site_key = match &captcha.provider {
            Provider::ProofOfWork(_) => None,
            Provider::Remote(remote) => Some(remote.site_key().to_owned()),
        };
        Self {
            provider: captcha.provider.name(),
            site_key,
            sign_in: captcha.sign_in.as_str(),
            registration: captcha.registration.as_str(),
            recovery: captcha.recovery.as_str(),
        }
    }
}

async fn challenge(State(web): State<Web>) -> Result<Response, Problem> {
    let Provider::ProofOfWork(work) = &web.captcha.provider else {
        return Err(Problem::new(Code::NotFound).hint("another service judges; sign-in/options names it"));
    };
    let Challenge { algorithm, challenge, salt, signature, maxnumber } = work.challenge(&web.provider.edges);
    Ok(ok(&CaptchaChallenge { algorithm, challenge, salt, signature, maxnumber }))
}

/// What a sign-in screen has to offer.
#[derive(Debug, Serialize, ToSchema)]
struct SignInOptions {
    /// Ways to begin a sign-in.
    methods: Vec<&'static str>,
    /// Servers elsewhere by which people sign in.
    providers: Vec<ProviderOptions>,
    /// The app, where one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<ClientOptions>,
    /// Where a captcha is asked for.
    captcha: CaptchaOptions,
    /// The kinds of names that `identifier` may be.
    identity_fields: Vec<&'static str>,
    /// How accounts are made; none where people do not make them.
    registration: Option<RegistrationOptions>,
    /// Parts of the API that are there, by the names of the settings.
    switches: BTreeMap<&'static str, bool>,
    /// Languages of texts.
    ui_locales: Vec<String>,
}

/// A server elsewhere by which people sign in.
#[derive(Debug, Serialize, ToSchema)]
struct ProviderOptions {
    /// Its name in URLs.
    slug: String,
    /// Whose ways it has: `oidc`, `google`, `apple`, `facebook`, `github`, `microsoft` or `oauth2`.
    kind: &'static str,
    /// Its name for people.
    label: String,
    /// Its picture.
    logo_uri: Option<String>,
    /// The client id there: what an app on a phone asks for an ID token with, which has to be for it.
    client_id: String,
    /// The client ids of apps on phones, whose ID tokens are taken too.
    native_client_ids: Vec<String>,
    /// Where a browser begins.
    start_url: String,
    /// Where a code of the provider's is sent.
    redirect_uri: String,
}

/// How accounts are made.
#[derive(Debug, Serialize, ToSchema)]
struct RegistrationOptions {
    /// `code`: the code of the message makes the account; `link`: the account waits for its link.
    mode: &'static str,
    /// Whether a username is chosen: `required`, `optional` or `off`.
    username: &'static str,
    /// What else is asked for.
    attributes: Vec<AttributeOptions>,
}

/// An attribute that is asked for.
#[derive(Debug, Serialize, ToSchema)]
struct AttributeOptions {
    /// Its name.
    name: String,
    /// `text`, `number`, `boolean` or `date`.
    r#type: &'static str,
    /// Whether nobody may register without it.
    required: bool,
    /// The most characters of a text.
    max_length: Option<usize>,
}

impl RegistrationOptions {
    /// None where people do not make accounts, or not by this API.
    fn of(web: &Web) -> Option<Self> {
        let settings = &web.provider.accounts.settings;
        if !settings.registers {
            return None;
        }
        let attributes = settings.attributes.asked().map(|asked| AttributeOptions {
            name: asked.name.clone(),
            r#type: asked.kind.as_str(),
            required: asked.required,
            max_length: asked.max_length,
        });
        Some(Self {
            mode: settings.sign_up.as_str(),
            username: settings.username.as_str(),
            attributes: attributes.collect(),
        })
    }
}

/// An app.
#[derive(Debug, Serialize, ToSchema)]
struct ClientOptions {
    /// Its name.
    name: String,
    /// Whether it may sign people in on screens of its own.
    first_party: bool,
    /// What it gets then: `session`, `code` or `cookies`.
    token_delivery: &'static str,
}

async fn options(State(web): State<Web>, request: Request) -> Result<Response, Problem> {
    let query = params::query(request.uri()).map_err(|unreadable| {
        let is_long = unreadable.status() == StatusCode::URI_TOO_LONG;
        Problem::new(if is_long { Code::UriTooLong } else { Code::MalformedQuery })
    })?;
    let client = match query.get("client_id") {
        None => None,
        Some(id) => Some(named(&web, id).await?),
    };
    let off = web.api.off();
    let login = off.allows(Group::Login);
    let methods = web
        .methods
        .iter()
        .filter(|method| login && (method.proves_a_name() || method.sends() || method.begins_unnamed()))
        .map(|method| method.name())
        .filter(|method| !is_off(method, off));
    let social = login && off.allows(Group::Social);
    let providers = web.provider.edges.store.identity_providers().await?;
    let is_offered = |provider: &&Arc<IdentityProvider>| {
        social && provider.is_enabled() && web.upstreams.is_set_up(provider).is_ok()
    };
    let providers = providers.iter().filter(is_offered).map(|provider| ProviderOptions {
        slug: provider.slug.to_string(),
        kind: provider.kind.as_str(),
        label: provider.label().to_owned(),
        logo_uri: provider.settings.logo_uri.clone(),
        client_id: provider.client_id.clone(),
        native_client_ids: provider.settings.audiences.clone(),
        start_url: web.provider.issuer.at(&format!("/federation/{}/start", provider.slug)),
        redirect_uri: callback(&web, provider),
    });
    let body = ok(&SignInOptions {
        methods: methods.collect(),
        providers: providers.collect(),
        client,
        captcha: CaptchaOptions::from(&web.captcha),
        identity_fields: web.provider.accounts.settings.identity_fields.iter().map(|kind| kind.as_str()).collect(),
        registration: RegistrationOptions::of(&web),
        switches: Group::ALL.iter().map(|group| (group.as_str(), off.allows(*group))).collect(),
        ui_locales: web.pages.templates().languages(),
    });
    Ok(tagged(request.headers().get(IF_NONE_MATCH), body).await)
}

async fn named(web: &Web, id: &str) -> Result<ClientOptions, Problem> {
    let unknown = || Problem::new(Code::NotFound);
    let id: ClientId = id.parse().map_err(|_| unknown())?;
    let client = web.provider.edges.store.client(&id).await?.filter(|client| client.is_enabled());
    let client = client.ok_or_else(unknown)?;
    Ok(ClientOptions {
        name: client.display_name().to_owned(),
        first_party: client.policy.first_party,
        token_delivery: client.policy.token_delivery.as_str(),
    })
}

/// With an `ETag` of its bytes; without the bytes for who has them.
async fn tagged(known: Option<&HeaderValue>, response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, usize::MAX).await else {
        return Problem::new(Code::ServerError).into_response();
    };
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(TokenHash::of_bytes(&bytes).as_bytes()));
    let Ok(tag) = HeaderValue::from_str(&tag) else { return Problem::new(Code::ServerError).into_response() };
    let is_known = known.is_some_and(|known| is_known(known, &tag));
    parts.headers.insert(ETAG, tag);
    parts.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if is_known {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(http::header::CONTENT_TYPE);
        return Response::from_parts(parts, axum::body::Body::empty());
    }
    Response::from_parts(parts, bytes.into())
}
