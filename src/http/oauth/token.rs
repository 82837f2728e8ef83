//! `POST /oauth2/token`
//!
//! RFC 6749 §3.2, §5.

use axum::extract::{FromRequestParts as _, Request, State};
use axum::response::Response;
use http::StatusCode;
use http::header::{HeaderValue, PRAGMA};

use crate::authn::limit::Rule;
use crate::http::error::{OAuthAnswer, json};
use crate::http::extract::params;
use crate::http::extract::visitor::{FromWhere, Visitor};
use crate::http::oauth::{basic, called, open_to_own_origins, refused, token_exchange, unheard};
use crate::http::web::Web;
use crate::oauth::endpoint::token::token;
use crate::protocol::client_metadata::GrantType;
use crate::protocol::error::{ErrorCode, OAuthError};

/// Exchanges a grant for tokens.
pub async fn handle(State(web): State<Web>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let Ok(FromWhere(from)) = FromWhere::from_request_parts(&mut parts, &web).await;
    let headers = &parts.headers;
    // Nobody signs in here but by a token that an app brings: whose browser it is concerns no other grant.
    let sign_in =
        |client, asked| async { token_exchange::exchange(&web, Visitor::of(&parts, &web).await?, client, asked).await };
    let form = match params::form(headers, body).await {
        Ok(form) => form,
        Err(unreadable) => return refused(&web, "token", None, unreadable.into()),
    };
    // A token of somebody else's is a way to sign in, and counts as all of them do. An app that proves itself speaks for many people from
    // one address; whoever only pretends to is refused before anybody is asked about the token.
    let basic = basic(headers);
    let names_itself =
        matches!(basic, Ok(None)) && ["client_secret", "client_assertion"].iter().all(|name| form.get(name).is_none());
    if names_itself && form.get("grant_type") == Some(GrantType::TokenExchange.as_str()) {
        let often = (ErrorCode::AccessDenied, "too many sign-ins from this address; wait a moment");
        if let Some(refusal) = unheard(&web, (Rule::SignIn, &from.address), often).await {
            return refused(&web, "token", Some(&form), refusal);
        }
    }
    let (client, answer) = match basic {
        Ok(basic) => token(&web.provider, &form, called(basic.as_ref(), &from), sign_in).await,
        Err(error) => (None, Err(error)),
    };
    let mut response = match answer {
        Ok(tokens) => {
            let mut response = json(&tokens, "application/json");
            response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
            response
        }
        Err(error) => refused(&web, "token", Some(&form), answered(error)),
    };
    open_to_own_origins(&web, headers, &mut response, (client.as_deref(), Some(&form))).await;
    response
}

/// RFC 6749 §5.2: 400, also where a person said no (RFC 8628 §3.5).
fn answered(error: OAuthError) -> OAuthAnswer {
    let is_denied = error.code() == ErrorCode::AccessDenied;
    let answer = OAuthAnswer::from(error);
    if is_denied { answer.with_status(StatusCode::BAD_REQUEST) } else { answer }
}
