//! What a completed sign-in gives: a session, a code, tokens, or tokens in cookies.
//!
//! `ACCOUNT_API.md` §3.2 (`token_delivery`), §3.3; S-071, S-076.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use http::header::HeaderValue;
use serde_json::Map;

use crate::account::new_device::Surface;
use crate::authn::flow::{Completed, Step};
use crate::edge::store::{Beside, Reach};
use crate::http::api::answer::{nothing, ok};
use crate::http::api::authenticators::told;
use crate::http::api::caller::{Carrier, Guest, csrf_token_of};
use crate::http::api::code::Code;
use crate::http::api::problem::Problem;
use crate::http::api::sign_in::answer::{SignInAnswer, asked};
use crate::http::api::sign_in::{attempt, refused};
use crate::http::api::token::pair;
use crate::http::api::user::UserView;
use crate::http::new_device::{notice, notice_in_browser};
use crate::http::web::{Web, with_cookies};
use crate::model::authentication::Amr;
use crate::model::client::Client;
use crate::model::fault::Fault;
use crate::model::id::UserId;
use crate::model::sign_in_flow::Purpose;
use crate::oauth::endpoint::revoke::give_back;
use crate::oauth::first_party;
use crate::oauth::interaction::Browser;
use crate::oauth::interaction::sign_in::{Keep, Persistence, SignedIn, sign_in};
use crate::oauth::token::own_claims;
use crate::protocol::secret::TokenHash;
use crate::protocol::token_response::TokenResponse;

/// Where a sign-in leads, and for whom.
pub(super) struct Destination {
    pub(super) client: Option<Arc<Client>>,
    pub(super) purpose: Purpose,
    pub(super) persistence: Persistence,
}

/// Gives what a step leads to.
pub(super) async fn finish(
    web: &Web,
    guest: &Guest,
    destination: Destination,
    step: Step,
) -> Result<Response, Problem> {
    let completed = match step {
        Step::Challenge(challenge) => return Ok(ok(&asked(web, challenge))),
        Step::Complete(completed) => completed,
    };
    let Completed { authentication, method, purpose, path } = completed;
    let backup_codes = match method {
        "totp_setup" => first_codes(web, guest, authentication.user).await?,
        _ => None,
    };
    let client_id = destination.client.as_ref().map(|client| client.id.clone());
    let keep = Keep { persistent: destination.persistence, method, client: client_id, beside: Beside::default() };
    let (wanted, client) = match (purpose, destination.client) {
        (Purpose::Session, _) => {
            let told = (authentication.user, keep.client.clone());
            let keep = Keep { beside: notice_in_browser(web, &guest.visitor, told).await, ..keep };
            let signed_in = sign_in(&web.provider, &guest.visitor.browser, authentication, keep).await?;
            return Ok(with_session(web, guest, signed_in, (backup_codes, path)).await?);
        }
        (wanted @ (Purpose::Code(_) | Purpose::Tokens(_) | Purpose::Cookies(_)), Some(client)) => (wanted, client),
        _ => return Err(Problem::new(Code::FlowInvalid)),
    };
    // Before anything is written down: without its claims no token of this app can be made.
    if let Some(user) = web.provider.edges.store.user(authentication.user).await? {
        own_claims::of_person(&client, &user, &Map::new())
            .map_err(|missing| Problem::new(Code::SignInDataIncomplete).hint(missing.to_string()))?;
    }
    // The browser has no cookie of this session: it is known by its grant alone.
    let browser = Browser { session: None, ..guest.visitor.browser.clone() };
    let told = (authentication.user, keep.client.clone());
    let beside = match &wanted {
        Purpose::Cookies(_) => notice_in_browser(web, &guest.visitor, told).await,
        _ => notice(web, &guest.visitor, told, Surface::App).await,
    };
    let keep = Keep { persistent: Persistence::Kept, beside, ..keep };
    let session = sign_in(&web.provider, &browser, authentication, keep).await?.session;
    match wanted {
        Purpose::Tokens(wanted) => {
            let tokens = first_party::tokens(&web.provider, (client, &session), wanted).await.map_err(refused)?;
            Ok(ok(&pair(&tokens).with(backup_codes)))
        }
        Purpose::Cookies(wanted) => {
            let person = session.authentication.user;
            let tokens = first_party::tokens(&web.provider, (client, &session), wanted).await.map_err(refused)?;
            let cookies = match in_cookies(web, &tokens).await {
                Ok(cookies) => cookies.into_iter().chain(web.mark(&guest.visitor, person)),
                Err(problem) => {
                    // Nobody has them: they end here.
                    let (store, now) = (&web.provider.edges.store, web.provider.now());
                    store.end_session(session.id, Reach::All, now, Beside::default()).await?;
                    return Err(problem);
                }
            };
            replace(web, guest).await?;
            let answer = match (&backup_codes, &path) {
                (None, None) => nothing(),
                // What is told once has to be told.
                _ => ok(&SignInAnswer { backup_codes, next: path, ..SignInAnswer::of("complete") }),
            };
            Ok(with_cookies(answer, cookies))
        }
        Purpose::Code(wanted) => {
            let code = first_party::code(&web.provider, (&client, &session), wanted).await?;
            Ok(ok(&SignInAnswer {
                authorization_code: Some(code.expose().clone()),
                expires_in: Some(web.provider.policy.lifetimes.authorization_code.as_secs()),
                backup_codes,
                ..SignInAnswer::of("complete")
            }))
        }
        Purpose::Session | Purpose::Raise => Err(Problem::new(Code::ServerError)),
    }
}

/// Ends the tokens whose place in the browser others take.
async fn replace(web: &Web, guest: &Guest) -> Result<(), Fault> {
    let before = guest.token.as_ref().filter(|_| guest.carrier == Carrier::Cookie);
    match before.and_then(|token| token.person.as_ref()) {
        Some((_, grant)) => give_back(&web.provider, grant, &guest.provenance).await,
        None => Ok(()),
    }
}

/// `Set-Cookie` for these tokens, each for as long as it is good (S-072).
///
/// # Errors
/// A fault of the store; `server_error` for an access token that is longer than browsers keep.
pub(super) async fn in_cookies(web: &Web, tokens: &TokenResponse) -> Result<Vec<HeaderValue>, Problem> {
    let access = web.token_cookies.set_access(&tokens.access_token, Duration::from_secs(tokens.expires_in));
    let access = access.ok_or_else(|| {
        Problem::new(Code::ServerError).hint(
            "the access token is longer than the 4096 bytes of a cookie; symbolon client update --access-token opaque",
        )
    })?;
    let refresh = match &tokens.refresh_token {
        Some(token) => {
            let record = web.provider.edges.store.refresh_token(&TokenHash::of(token.expose())).await?;
            let left = record.map(|record| record.expires_at.since(web.provider.now())).unwrap_or_default();
            web.token_cookies.set_refresh(token, left)
        }
        // One of an earlier sign-in does not outlive it.
        None => web.token_cookies.clear_refresh(),
    };
    Ok(vec![access, refresh])
}

/// Backup codes for who took a second factor up in this sign-in.
async fn first_codes(web: &Web, guest: &Guest, person: UserId) -> Result<Option<Vec<String>>, Problem> {
    let Some(user) = web.provider.edges.store.user(person).await? else { return Ok(None) };
    let codes = web.provider.factors.first_backup_codes(&user, &attempt(web, guest, None)).await?;
    Ok(Some(told(&codes)))
}

/// The answer that begins a session in the browser.
async fn with_session(
    web: &Web,
    guest: &Guest,
    signed_in: SignedIn,
    (backup_codes, next): (Option<Vec<String>>, Option<String>),
) -> Result<Response, Fault> {
    let authentication = &signed_in.session.authentication;
    let found = web.provider.edges.store.user(authentication.user).await?;
    // Nobody else has an account by this very sign-in (S-018): a registration answers for itself.
    let makes_accounts = matches!(authentication.amr.first(), Some(Amr::Fed | Amr::Mail));
    let is_new = found.as_ref().is_some_and(|user| makes_accounts && user.created_at == authentication.at);
    let user = match found {
        Some(user) => Some(UserView::of(web, &user).await?),
        None => None,
    };
    let answer = SignInAnswer {
        user,
        csrf_token: Some(csrf_token_of(web, &signed_in.token)),
        is_new_user: Some(is_new),
        backup_codes,
        next,
        ..SignInAnswer::of("complete")
    };
    Ok(with_cookies(ok(&answer), web.session_cookies(&guest.visitor, &signed_in)))
}
