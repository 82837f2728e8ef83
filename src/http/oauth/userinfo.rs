//! `GET` and `POST /oauth2/userinfo`
//!
//! OIDC Core §5.3, RFC 6750.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use http::{Method, StatusCode};

use crate::http::cors;
use crate::http::error::{OAuthAnswer, json};
use crate::http::extract::params;
use crate::http::oauth::{bearer, open_to_own_origins, refused};
use crate::http::web::Web;
use crate::oauth::endpoint::userinfo::{UserInfo, userinfo};
use crate::protocol::bearer::challenge;
use crate::protocol::error::OAuthError;
use crate::protocol::secret::Secret;

/// Answers with claims about the person behind the token.
pub async fn handle(State(web): State<Web>, method: Method, headers: HeaderMap, body: Body) -> Response {
    let answer = match presented(&method, &headers, body).await {
        Ok(Some(token)) => userinfo(&web.provider, &token).await.map_err(|error| Box::new(error.into())),
        Ok(None) => return anonymous(&web, &headers).await,
        Err(refusal) => Err(refusal),
    };
    match answer {
        Ok((client, claims)) => {
            let mut response = written(claims);
            open_to_own_origins(&web, &headers, &mut response, (Some(&client), None)).await;
            response
        }
        Err(refusal) => {
            let challenge = challenge(web.provider.issuer.as_str(), Some(refusal.error()));
            let response = refused(&web, "userinfo", None, refusal.with_challenge(&challenge));
            open_to_registered(&web, &headers, response).await
        }
    }
}

/// In the header, or in the form of a POST; never in the query (RFC 9700 §4.3.2), never twice (RFC 6750 §2).
async fn presented(method: &Method, headers: &HeaderMap, body: Body) -> Result<Option<Secret>, Box<OAuthAnswer>> {
    let in_header = bearer(headers).map_err(|error| Box::new(error.into()))?;
    if method != Method::POST || !headers.contains_key(CONTENT_TYPE) {
        return Ok(in_header);
    }
    let form = params::form(headers, body).await.map_err(|unreadable| Box::new(unreadable.into()))?;
    let in_form = form.one("access_token").map_err(|error| Box::new(error.into()))?.map(Secret::from);
    if in_header.is_some() && in_form.is_some() {
        let twice = "the access token must come in one way only: in the header or in the form";
        return Err(Box::new(OAuthError::invalid_request(twice).into()));
    }
    Ok(in_header.or(in_form))
}

/// RFC 6750 §3.1: a request without a token is told the scheme and no more.
async fn anonymous(web: &Web, headers: &HeaderMap) -> Response {
    let mut response = StatusCode::UNAUTHORIZED.into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(value) = HeaderValue::from_str(&challenge(web.provider.issuer.as_str(), None)) {
        response.headers_mut().insert(WWW_AUTHENTICATE, value);
    }
    open_to_registered(web, headers, response).await
}

fn written(claims: UserInfo) -> Response {
    match claims {
        UserInfo::Json(claims) => json(&claims, "application/json"),
        UserInfo::Jwt(jwt) => {
            let mut response = Response::new(Body::from(jwt));
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/jwt"));
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
    }
}

/// A refusal belongs to no client; any registered origin may read it, so that an app learns that its token is dead.
async fn open_to_registered(web: &Web, headers: &HeaderMap, mut response: Response) -> Response {
    if let Some(origin) = cors::stated_origin(headers)
        && web.origins.contains(&web.provider, origin).await.unwrap_or(false)
    {
        cors::allow_own_origin(&mut response, headers, [origin]);
    }
    response
}
