//! A person who proved a short while ago who they are: what a sensitive operation takes in place of `Person`.
//!
//! S-098, RFC 9470 §3. In a session the refusal is 403 `reauth_required` with a `flow` for `POST /me/reauth`. To an app it says with
//! 401 `insufficient_user_authentication` and `max_age` what RFC 9470 clients understand: they send their person through the
//! authorization endpoint again; a first-party app may use the `flow` as well.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::StatusCode;
use http::request::Parts;

use crate::account::step_up::{Acting, FLOW_LIFETIME, Recent};
use crate::http::api::caller::{Means, Person};
use crate::http::api::code::Code;
use crate::http::api::problem::Problem;
use crate::http::web::Web;
use crate::model::authenticator::AuthenticatorKind;
use crate::model::fault::Fault;
use crate::protocol::step_up;

/// A signed-in person, with the proof that they are.
#[derive(Clone, Debug)]
pub struct RecentPerson {
    /// Who, and the request they sent.
    pub person: Person,
    /// The proof.
    pub recent: Recent,
}

/// Where a person acts; `None` for a token without a grant, which speaks of no person.
pub fn acting(person: &Person) -> Option<Acting> {
    match &person.by {
        Means::Session(session) => Some(Acting::Session(Arc::clone(session))),
        Means::Token(token) => token.person.as_ref().map(|(_, grant)| Acting::Grant(Arc::clone(grant))),
    }
}

impl FromRequestParts<Web> for RecentPerson {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let person = Person::from_request_parts(parts, web).await?;
        let recent = demand(web, &person).await?;
        Ok(Self { person, recent })
    }
}

/// Lets a person on who proved a short while ago who they are.
///
/// # Errors
/// `reauth_required`, with a handle for the proof.
pub async fn demand(web: &Web, person: &Person) -> Result<Recent, Problem> {
    demand_of(web, acting(person).ok_or(Code::Forbidden)?).await
}

/// By what the person can prove it, as `POST /me/reauth` takes it.
async fn methods(web: &Web, acting: &Acting) -> Result<Vec<&'static str>, Fault> {
    let store = &web.provider.edges.store;
    let (user, mut methods) = (acting.user(), Vec::new());
    if store.password(user).await?.is_some() {
        methods.push("password");
    }
    let own = store.authenticators(user).await?;
    let has = |kind| own.iter().any(|own| own.kind == kind && own.confirmed_at.is_some());
    if has(AuthenticatorKind::Totp) || store.second_factor(user).await?.backup_codes.remaining > 0 {
        methods.push("code");
    }
    if has(AuthenticatorKind::Passkey) && web.provider.passkeys.is_some() {
        methods.push("passkey");
    }
    Ok(methods)
}

/// [`demand`], of whoever acts there.
///
/// # Errors
/// As there.
pub async fn demand_of(web: &Web, acting: Acting) -> Result<Recent, Problem> {
    if let Some(recent) = web.step_up.recent(&acting).await? {
        return Ok(recent);
    }
    let flow = web.step_up.begin(&acting).await?;
    let methods = methods(web, &acting).await?;
    let problem = Problem::new(Code::ReauthRequired)
        .telling("flow", flow.expose().as_str())
        .telling("expires_in", FLOW_LIFETIME.as_secs())
        .telling("methods", methods);
    Err(match acting {
        Acting::Session(_) => problem,
        Acting::Grant(_) => {
            let challenge = step_up::challenge(web.provider.issuer.as_str(), web.step_up.lifetime);
            problem.with_status(StatusCode::UNAUTHORIZED).challenging(challenge)
        }
    })
}
