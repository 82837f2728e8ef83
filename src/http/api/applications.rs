//! `/applications`: the apps that are registered here, for services that look for one another (S-162).
//!
//! RFC 6750 §3.1. It is for a service's own token with the scope `applications:read`, and for who administers.

use axum::extract::{FromRequestParts, State};
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::api::admin::asked::Asked;
use crate::http::api::admin::caller::Auditor;
use crate::http::api::answer::{Moment, ok};
use crate::http::api::caller::presented;
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, get};
use crate::http::api::paging::{CURSOR, LIMIT};
use crate::http::api::problem::Problem;
use crate::http::web::Web;
use crate::model::client::Client;
use crate::model::id::ClientId;
use crate::oauth::allowed::APPLICATIONS_READ;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/applications", Group::Admin), "List the apps that are registered here and may act", list)
            .by_bearer()
            .query(CURSOR.0, CURSOR.1)
            .query(LIMIT.0, LIMIT.1)
            .query("q", "A part of the id, or of what the app says of itself.")
            .gives::<ApplicationList>(StatusCode::OK, "One page of apps, by their ids.")
            .refuses(&[Code::Forbidden, Code::ReauthRequired, Code::InvalidValue, Code::TooLong, Code::UnknownField]),
    ]
}

/// One page of apps.
#[derive(Debug, Serialize, ToSchema)]
struct ApplicationList {
    /// The apps.
    items: Vec<Application>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

/// An app that is registered here.
#[derive(Debug, Serialize, ToSchema)]
struct Application {
    /// Its `client_id`.
    id: String,
    /// What it is called.
    name: Option<String>,
    /// Its home page.
    base_url: Option<String>,
    /// Where people come back from signing in.
    callbacks: Vec<String>,
    /// Where people come back from signing out.
    signed_out_callbacks: Vec<String>,
    /// The origins of its pages.
    origins: Vec<String>,
    /// The mail addresses of those responsible.
    owners: Vec<String>,
    /// Where its public keys are.
    jwks_uri: Option<String>,
    /// Its public keys, where it registered them by value.
    #[schema(value_type = Option<Object>)]
    jwks: Option<serde_json::Value>,
    /// Whether it belongs to the house (S-164).
    first_party: bool,
    /// Whether it keeps a profile of each person (S-163).
    profile_provisioning: bool,
    /// When it was registered.
    created_at: Moment,
}

impl Application {
    fn of(client: &Client) -> Self {
        let metadata = &client.metadata;
        let urls = metadata.redirect_uris.iter().filter_map(|uri| url::Url::parse(uri).ok());
        let mut origins: Vec<String> =
            urls.filter(|url| url.origin().is_tuple()).map(|url| url.origin().ascii_serialization()).collect();
        origins.sort();
        origins.dedup();
        Self {
            id: client.id.to_string(),
            name: metadata.client_name.clone(),
            base_url: metadata.client_uri.clone(),
            callbacks: metadata.redirect_uris.clone(),
            signed_out_callbacks: metadata.post_logout_redirect_uris.clone(),
            origins,
            owners: metadata.contacts.clone(),
            jwks_uri: metadata.jwks_uri.clone(),
            jwks: metadata.jwks.clone(),
            first_party: client.policy.first_party,
            profile_provisioning: client.policy.profile_provisioning,
            created_at: Moment(client.created_at),
        }
    }
}

/// A service, or somebody who administers.
struct Looking;

impl FromRequestParts<Web> for Looking {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let live = presented(web, &parts.headers).await?.ok_or(Code::SignInRequired)?;
        if live.person.is_some() {
            return Auditor::from_request_parts(parts, web).await.map(|_| Self);
        }
        let is_for_us = live.token.audience.iter().any(|audience| audience == web.provider.issuer.as_str());
        if is_for_us && live.scope().contains(APPLICATIONS_READ) {
            return Ok(Self);
        }
        Err(Problem::new(Code::Forbidden).hint("the token is for another resource server, or lacks the scope"))
    }
}

async fn list(State(web): State<Web>, _: Looking, asked: Asked) -> Result<Response, Problem> {
    let asked = asked.only(&["q"])?;
    let after = asked.paging.cursor(|cursor| cursor.parse::<ClientId>().ok())?;
    let part = asked.text("q")?;
    let mut clients = web.provider.edges.store.find_clients(after.as_ref(), part, asked.paging.limit + 1).await?;
    let next = asked.paging.cut(&mut clients, |client| client.id.to_string());
    // One that may do nothing is not to be found; its page is shorter then.
    let items = clients.iter().filter(|client| client.is_enabled()).map(|client| Application::of(client)).collect();
    Ok(ok(&ApplicationList { items, next }))
}
