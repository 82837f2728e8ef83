//! `POST /federation/{slug}/backchannel-logout`: a provider tells that somebody left it, and their sessions end here as well.
//!
//! OpenID Connect Back-Channel Logout 1.0 §2.5 to §2.8. 200 also when nobody was signed in any more; 400 for whatever is wrong, since the
//! provider can do nothing about the rest; 429 where too many were refused.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderMap, HeaderValue};

use crate::authn::limit::Rule;
use crate::edge::store::{Beside, Left};
use crate::edge::upstream::UpstreamError;
use crate::http::error::OAuthAnswer;
use crate::http::extract::params::{self, Segment};
use crate::http::extract::visitor::FromWhere;
use crate::http::oauth::unheard;
use crate::http::web::Web;
use crate::model::event::{Actor, EventName, Provenance};
use crate::model::id::{SessionId, UserId};
use crate::model::identity_provider::IdentityProvider;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::params::Params;
use crate::protocol::secret::Secret;

/// The longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 16 * 1024;

/// Ends the sessions that a logout token speaks of.
pub async fn handle(
    State(web): State<Web>,
    FromWhere(from): FromWhere,
    Segment(slug): Segment,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let form = match params::form(&headers, body).await {
        Ok(form) => form,
        Err(unreadable) => return refused(&web, unreadable.into()),
    };
    // Counted before it is judged, so that nobody has us judge more at a time, and given back to who is believed.
    let counted = (Rule::LogoutToken, from.address.as_str());
    let often = (ErrorCode::AccessDenied, "too many logout tokens from this address were refused; wait a moment");
    if let Some(refusal) = unheard(&web, counted, often).await {
        return refused(&web, refusal);
    }
    match heard(&web, &from, &slug, &form).await {
        Ok(()) => {
            if let Err(fault) = web.limits.give_back(&*web.provider.edges.ephemeral, counted).await {
                tracing::warn!(error = %fault, "a logout token that was believed stays counted");
            }
            let mut response = StatusCode::OK.into_response();
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(error) => refused(&web, OAuthAnswer::from(error).with_status(StatusCode::BAD_REQUEST)),
    }
}

fn refused(web: &Web, answer: OAuthAnswer) -> Response {
    answer.explained_by(web.provider.issuer.as_str()).into_response()
}

async fn heard(web: &Web, from: &Provenance, slug: &str, form: &Params) -> Result<(), OAuthError> {
    form.refuse_repeated(&[])?;
    let token = form.required("logout_token")?;
    // Also of one that is not offered any more: people may be signed in by it.
    let provider = web.provider.edges.store.identity_provider(slug).await?;
    let provider = provider.ok_or_else(|| OAuthError::invalid_request("there is no provider of this name"))?;
    let refuse = |reason: &'static str| note_refusal(web, from, (&provider, reason));
    if token.len() > MAX_TOKEN {
        refuse("untrue");
        return Err(OAuthError::invalid_request("the logout token is longer than 16 kB"));
    }
    let token = web.upstreams.left(&provider, &Secret::from(token)).await.map_err(|error| {
        refuse(error.as_str());
        tracing::warn!(provider = provider.slug.as_str(), error = %error, "a logout token is not believed");
        let description = match &error {
            UpstreamError::Untrue(why) => format!("the logout token is not good: {why}"),
            UpstreamError::Unsupported(_) => "this provider tells nobody who leaves it".to_owned(),
            _ => "the logout token could not be verified; send it again later".to_owned(),
        };
        OAuthError::invalid_request(description).caused_by(error)
    })?;
    let (edges, told_by, slug) = (web.provider.edges.clone(), from.clone(), provider.slug.to_string());
    let told = move |user: UserId, session: SessionId| {
        let event = edges.event(EventName::SessionEnded).concerning(user).by(Actor::Server).within(session);
        let event = event.from(told_by.clone()).telling("reason", "upstream_logout");
        Beside::event(event.telling("provider", slug.as_str()))
    };
    match web.provider.edges.store.end_sessions_left(&token, web.provider.now(), told).await? {
        Left::Ended(_) => Ok(()),
        Left::Replayed => {
            refuse("replayed");
            Err(OAuthError::invalid_request("the logout token came before; each needs a jti of its own"))
        }
    }
}

/// Writes down that nobody was signed out, and why.
fn note_refusal(web: &Web, from: &Provenance, (provider, reason): (&IdentityProvider, &'static str)) {
    let event = web.provider.edges.event(EventName::SessionEnded).by(Actor::Anonymous).failed().from(from.clone());
    let event = event.telling("method", "upstream_logout").telling("provider", provider.slug.as_str());
    web.provider.edges.store.note_event(event.telling("reason", reason));
}
