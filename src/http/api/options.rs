//! `/sign-in/options`: what a sign-in screen has to offer.

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use http::header::{CACHE_CONTROL, ETAG, HeaderValue, IF_NONE_MATCH};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

use crate::http::api::answer::ok;
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, get};
use crate::http::api::problem::Problem;
use crate::http::document::is_known;
use crate::http::extract::params;
use crate::http::web::Web;
use crate::model::client::TokenDelivery;
use crate::model::id::ClientId;
use crate::protocol::secret::TokenHash;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/sign-in/options", Group::Core), "What a sign-in screen has to offer", options)
            .query("client_id", "The app whose screen it is.")
            .gives::<SignInOptions>(StatusCode::OK, "The options.")
            .gives_nothing(StatusCode::NOT_MODIFIED, "They are what If-None-Match names.")
            .refuses(&[Code::NotFound]),
    ]
}

/// What a sign-in screen has to offer.
#[derive(Debug, Serialize, ToSchema)]
struct SignInOptions {
    /// Ways to begin a sign-in.
    methods: Vec<&'static str>,
    /// The app, where one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<ClientOptions>,
    /// Parts of the API that are there, by the names of the settings.
    switches: BTreeMap<&'static str, bool>,
    /// Languages of texts.
    ui_locales: Vec<String>,
}

/// An app.
#[derive(Debug, Serialize, ToSchema)]
struct ClientOptions {
    /// Its name.
    name: String,
    /// Whether it may sign people in on screens of its own.
    first_party: bool,
    /// What it gets then: `session` or `code`.
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
    let methods = web.methods.iter().filter(|method| login && method.proves_a_name()).map(|method| method.name());
    let body = ok(&SignInOptions {
        methods: methods.collect(),
        client,
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
        token_delivery: match client.policy.token_delivery {
            TokenDelivery::Session => "session",
            TokenDelivery::Code => "code",
        },
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
