//! The token exchange grant: an app on a phone brings what a provider of identities gave it, and gets tokens of ours.
//!
//! RFC 8693 §2. First-party apps only, by the same rules as `/api/v1/sign-in` with `social_token` (S-061): the token is for an app of
//! ours, is good once, and opens the account that its identity is connected to. Whoever has to prove something more does so in a browser;
//! such a token is "unacceptable based on policy", and the answer is `invalid_request` as for one that is not valid (§2.2.2).

use std::sync::Arc;

use serde_json::Map;

use crate::account::new_device::Surface;
use crate::authn::flow::{Completed, Opening, Step};
use crate::authn::{Answer, Attempt, Refusal, upstream};
use crate::http::api::caller::{Carrier, Guest};
use crate::http::api::code::Code;
use crate::http::api::federation::{Brought, vouched};
use crate::http::api::problem::Problem;
use crate::http::extract::visitor::Visitor;
use crate::http::new_device::notice;
use crate::http::web::Web;
use crate::model::client::Client;
use crate::model::sign_in_flow::{BegunBy, Purpose};
use crate::oauth::first_party::{self, Pkce, Stated};
use crate::oauth::grant::audience;
use crate::oauth::interaction::Browser;
use crate::oauth::interaction::sign_in::{Keep, Persistence, sign_in};
use crate::oauth::token::own_claims;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::jose::jws::Unverified;
use crate::protocol::token_exchange::{ACCESS_TOKEN, SubjectTokenType, TokenExchange};
use crate::protocol::token_response::TokenResponse;

/// Signs a person in by the token of a provider.
///
/// # Errors
/// `unauthorized_client` for an app that is not first-party; `invalid_target`, `invalid_scope`; `invalid_request` for a token that is not
/// good, or with which the person has to do more; `temporarily_unavailable` while the provider does not answer.
pub(super) async fn exchange(
    web: &Web,
    visitor: Visitor,
    client: Arc<Client>,
    asked: TokenExchange,
) -> Result<TokenResponse, OAuthError> {
    if !client.policy.first_party {
        return Err(OAuthError::unauthorized_client("the client may not sign people in by tokens of others")
            .hint(format!("symbolon client update {} --first-party", client.id)));
    }
    let own = audience(&web.provider, &client);
    if let Some(foreign) = asked.targets.iter().find(|target| !own.contains(target)) {
        return Err(OAuthError::new(ErrorCode::InvalidTarget, "the client may not have tokens for this target")
            .hint(format!("asked {foreign}, registered {own:?}")));
    }
    let scope = asked.scope.as_ref().map(ToString::to_string);
    let stated = Stated { scope: scope.as_deref(), nonce: asked.nonce.as_deref(), ..Stated::default() };
    let wanted = first_party::wanted(&web.provider, &client, (stated, Pkce::Unneeded)).await?;
    let slug = maker(web, &asked).await?;
    let mut brought = Brought { nonce: asked.nonce, ..Brought::default() };
    match asked.subject_token_type {
        SubjectTokenType::IdToken => brought.id_token = Some(asked.subject_token),
        SubjectTokenType::AccessToken => brought.access_token = Some(asked.subject_token),
    }
    let provenance = visitor.browser.provenance.clone();
    let guest = Guest { provenance, visitor, token: None, carrier: Carrier::Header };
    let vouching = vouched(web, &guest, (&slug, brought, (None, None)), Some(&client)).await;
    let proof = Answer::Vouched(vouching.map_err(|problem| refused(web, &slug, &problem))?);
    let from = guest.provenance.clone();
    let attempt = Attempt { from, client: Some(client.id.clone()), ..Attempt::default() };
    let begun_by = BegunBy { client: Some(client.id.clone()), browser: None };
    let opening = Opening { begun_by, purpose: Purpose::Tokens(wanted), demand: client.demand(), path: None };
    let step = web.sign_in().prove(&attempt, (upstream::NAME, &proof), opening).await.map_err(said)?;
    let Step::Complete(Completed { authentication, method, purpose: Purpose::Tokens(wanted), .. }) = step else {
        return Err(OAuthError::invalid_request(
            "the person has to prove a second factor: sign them in at /api/v1/sign-in or in a browser",
        ));
    };
    if let Some(user) = web.provider.edges.store.user(authentication.user).await? {
        own_claims::of_person(&client, &user, &Map::new())?;
    }
    let browser = Browser { session: None, ..guest.visitor.browser.clone() };
    let told = (authentication.user, Some(client.id.clone()));
    let beside = notice(web, &guest.visitor, told, Surface::App).await;
    let keep = Keep { persistent: Persistence::Kept, method, client: Some(client.id.clone()), beside };
    let session = sign_in(&web.provider, &browser, authentication, keep).await?.session;
    let tokens = first_party::tokens(&web.provider, (client, &session), wanted).await?;
    Ok(TokenResponse { issued_token_type: Some(ACCESS_TOKEN), ..tokens })
}

/// The name of the provider that made the subject token: as the app says, else as the token says; who it is of is judged later.
async fn maker(web: &Web, asked: &TokenExchange) -> Result<String, OAuthError> {
    let named = match (&asked.subject_issuer, asked.subject_token_type) {
        (Some(named), _) => named.clone(),
        (None, SubjectTokenType::AccessToken) => {
            return Err(OAuthError::invalid_request(
                "subject_issuer is missing; an access token does not tell who made it",
            ));
        }
        (None, SubjectTokenType::IdToken) => {
            let claims = Unverified::parse(asked.subject_token.expose()).and_then(|token| token.unverified_claims());
            let claims =
                claims.map_err(|error| OAuthError::invalid_request("subject_token is no ID token").caused_by(error))?;
            claims.get("iss").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
        }
    };
    let providers = web.provider.edges.store.identity_providers().await?;
    let found = providers.iter().find(|provider| provider.is_enabled() && provider.answers_to(&named));
    found
        .map(|provider| provider.slug.to_string())
        .ok_or_else(|| OAuthError::invalid_request("nobody signs in here by whoever made the subject_token"))
}

/// A refusal of the account API in the words of RFC 8693 §2.2.2.
fn refused(web: &Web, slug: &str, problem: &Problem) -> OAuthError {
    let hint = problem.hint.as_deref().unwrap_or_default().to_owned();
    let start = web.provider.issuer.at(&format!("/federation/{slug}/start"));
    match problem.code() {
        Code::FederationFailed | Code::Unavailable => {
            OAuthError::new(ErrorCode::TemporarilyUnavailable, "the provider does not answer; try again later")
        }
        Code::ServerError => OAuthError::server_error("the exchange failed"),
        Code::VerificationRequired => OAuthError::invalid_request(format!(
            "the person has to prove their address or their account first, in a browser at {start}"
        )),
        Code::SignupNotAllowed => OAuthError::invalid_request("nobody makes an account by this provider"),
        Code::FederationTokenInvalid => {
            OAuthError::invalid_request("the subject_token is not good, or was used before")
        }
        other => OAuthError::invalid_request(format!("the person cannot be signed in: {}", other.as_str())),
    }
    .hint(hint)
}

/// Why the account cannot be used.
fn said(refusal: Refusal) -> OAuthError {
    match refusal {
        Refusal::Fault(fault) => fault.into(),
        Refusal::Disabled => OAuthError::invalid_request("the account is switched off"),
        Refusal::NotActivated => OAuthError::invalid_request("the account waits for its activation"),
        _ => OAuthError::invalid_request("the person cannot be signed in by this token alone"),
    }
}
