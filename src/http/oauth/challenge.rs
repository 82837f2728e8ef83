//! `POST /oauth2/challenge`: sign-in on the screens of a first-party app, in the words of OAuth.
//!
//! OAuth 2.0 for First-Party Applications §5 (authorization challenge endpoint): a code, or `insufficient_authorization` with the
//! `auth_session` to go on with, which is the `flow` of `/api/v1/sign-in`. The client proves itself as at the token endpoint.
//! What the specification leaves open is ours: `username` and `password` answer, then `otp` with `auth_session` for a code of the second
//! factor or a backup code; `code` says in the words of the account API why an answer was refused.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use http::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use serde::Serialize;
use serde_json::Map;

use crate::account::new_device::Surface;
use crate::authn::flow::{Challenge, Chosen, Completed, Opening, Step};
use crate::authn::limit::Rule;
use crate::authn::{Answer, Attempt, Refusal};
use crate::http::api::code::Code;
use crate::http::error::{OAuthAnswer, json};
use crate::http::extract::params;
use crate::http::extract::visitor::Visitor;
use crate::http::new_device::notice;
use crate::http::oauth::{basic, called, open_to_own_origins, refused, unheard};
use crate::http::web::Web;
use crate::model::client::Client;
use crate::model::sign_in_flow::{BegunBy, Purpose};
use crate::oauth::client_auth;
use crate::oauth::first_party::{self, Pkce, Stated};
use crate::oauth::interaction::Browser;
use crate::oauth::interaction::sign_in::{Keep, Persistence, sign_in};
use crate::oauth::policy::ChallengeEndpoint;
use crate::oauth::token::own_claims;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::params::Params;
use crate::protocol::secret::Secret;

/// The first proof that this endpoint can ask for today.
const PASSWORD: &str = "password";

#[derive(Serialize)]
struct Given {
    authorization_code: String,
}

/// §5.2.2
#[derive(Serialize)]
struct Refused {
    error: &'static str,
    error_description: &'static str,
    error_uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    challenges: Option<Vec<Asked>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Code>,
}

#[derive(Serialize)]
struct Asked {
    r#type: String,
}

/// Signs a person in for the app.
pub async fn handle(State(web): State<Web>, visitor: Visitor, headers: HeaderMap, body: Body) -> Response {
    if web.provider.policy.challenge_endpoint == ChallengeEndpoint::Off {
        return web.pages.not_found(visitor.id, &headers);
    }
    let form = match params::form(&headers, body).await {
        Ok(form) => form,
        Err(unreadable) => return refused(&web, "challenge", None, unreadable.into()),
    };
    if let Some(too_often) = too_often(&web, &visitor, &form).await {
        return refused(&web, "challenge", Some(&form), too_often);
    }
    let client = match authenticate(&web, &visitor, &form).await {
        Ok(client) => client,
        Err(error) => return refused(&web, "challenge", Some(&form), OAuthAnswer::from(error)),
    };
    let mut response = match answer(&web, &visitor, &client, &form).await {
        Ok(response) => response,
        Err(error) => refused(&web, "challenge", Some(&form), OAuthAnswer::from(error)),
    };
    open_to_own_origins(&web, &headers, &mut response, (Some(&client), Some(&form))).await;
    response
}

/// What answers one answer to a challenge too many: which of its two steps a request is shows in the form alone (S-122).
async fn too_often(web: &Web, visitor: &Visitor, form: &Params) -> Option<OAuthAnswer> {
    form.get("auth_session")?;
    let often =
        (ErrorCode::AccessDenied, "too much came from this address; try again after the seconds of Retry-After");
    let rules: &[Rule] = if form.get("otp").is_some() { &[Rule::Challenge, Rule::Otp] } else { &[Rule::Challenge] };
    for rule in rules {
        if let Some(refusal) = unheard(web, (*rule, &visitor.address.0), often).await {
            return Some(refusal);
        }
    }
    None
}

async fn authenticate(web: &Web, visitor: &Visitor, form: &Params) -> Result<std::sync::Arc<Client>, OAuthError> {
    let basic = basic(&visitor.headers)?;
    let caller = called(basic.as_ref(), &visitor.browser.provenance);
    let client = client_auth::authenticate(&web.provider, form, caller).await?;
    first_party::check(&client)?;
    Ok(client)
}

async fn answer(web: &Web, visitor: &Visitor, client: &Client, form: &Params) -> Result<Response, OAuthError> {
    form.refuse_repeated(&[])?;
    let begun_by = BegunBy { client: Some(client.id.clone()), browser: None };
    let from = visitor.browser.provenance.clone();
    let attempt = Attempt { from, client: Some(client.id.clone()), ..Attempt::default() };
    let password = form.get("password").map(Secret::from);
    let sign_in = web.sign_in();
    if let Some(handle) = form.get("auth_session").map(Secret::from) {
        let auth_session = Some(handle.expose().clone());
        let answered: (Chosen<'_>, Secret) = match (password, form.get("otp")) {
            (Some(password), _) => (PASSWORD.into(), password),
            (None, Some(otp)) => (second(otp).into(), Secret::from(otp)),
            (None, None) => {
                return Err(OAuthError::invalid_request(
                    "password or otp is missing; auth_session alone answers nothing",
                ));
            }
        };
        let kind = answered.0.method;
        return match sign_in.answer(&attempt, (&handle, &begun_by), answered).await {
            Ok(step) => give(web, visitor, client, step).await,
            Err(Refusal::Wrong) if kind == PASSWORD => Ok(written(&Refused { auth_session, ..wrong(web) })),
            Err(Refusal::Wrong | Refusal::WrongCode(_)) => {
                let more = refusal(web, ErrorCode::InsufficientAuthorization, "the code is not right");
                Ok(written(&Refused { auth_session, code: Some(Code::WrongCode), ..more }))
            }
            Err(refusal) => said(web, refusal),
        };
    }
    let stated = Stated {
        scope: form.get("scope"),
        code_challenge: form.get("code_challenge"),
        code_challenge_method: form.get("code_challenge_method"),
        nonce: form.get("nonce"),
    };
    let wanted = first_party::wanted(&web.provider, client, (stated, Pkce::Required)).await?;
    let username = form.required("username")?;
    let opening = Opening { begun_by, purpose: Purpose::Code(wanted), demand: client.demand(), path: None };
    let Some(password) = password else {
        let challenge = sign_in.ask(username, opening).await;
        return challenge.map_or_else(|refusal| said(web, refusal), |challenge| Ok(written(&asked(web, challenge))));
    };
    let proof = Answer::Password { login: username.to_owned(), password };
    match sign_in.prove(&attempt, (PASSWORD, &proof), opening.clone()).await {
        Ok(step) => give(web, visitor, client, step).await,
        // The app may go on with the same name.
        Err(Refusal::Wrong) => match sign_in.ask(username, opening).await {
            Ok(challenge) => Ok(written(&Refused { code: wrong(web).code, ..asked(web, challenge) })),
            Err(refusal) => said(web, refusal),
        },
        Err(refusal) => said(web, refusal),
    }
}

/// The kind of a code of a second factor, by its length.
fn second(otp: &str) -> &'static str {
    if otp.chars().filter(|c| !c.is_whitespace()).count() <= 8 { "totp" } else { "backup_code" }
}

async fn give(web: &Web, visitor: &Visitor, client: &Client, step: Step) -> Result<Response, OAuthError> {
    let completed = match step {
        Step::Challenge(challenge) => return Ok(written(&asked(web, challenge))),
        Step::Complete(completed) => completed,
    };
    let Completed { authentication, method, purpose: Purpose::Code(wanted), .. } = completed else {
        return Err(OAuthError::invalid_request("auth_session is of a sign-in that does not end in a code"));
    };
    if let Some(user) = web.provider.edges.store.user(authentication.user).await? {
        own_claims::of_person(client, &user, &Map::new())?;
    }
    let browser = Browser { session: None, ..visitor.browser.clone() };
    let told = (authentication.user, Some(client.id.clone()));
    let beside = notice(web, visitor, told, Surface::App).await;
    let keep = Keep { persistent: Persistence::Kept, method, client: Some(client.id.clone()), beside };
    let session = sign_in(&web.provider, &browser, authentication, keep).await?.session;
    let code = first_party::code(&web.provider, (client, &session), wanted).await?;
    Ok(json(&Given { authorization_code: code.expose().clone() }, "application/json"))
}

/// `insufficient_authorization`, with what the app should ask the person for.
fn asked(web: &Web, challenge: Challenge) -> Refused {
    Refused {
        auth_session: Some(challenge.flow.expose().clone()),
        expires_in: Some(challenge.expires_at.since(web.provider.now()).as_secs()),
        challenges: Some(challenge.asked.into_iter().map(|asked| Asked { r#type: asked.method }).collect()),
        ..refusal(web, ErrorCode::InsufficientAuthorization, "more is needed; answer one of the challenges")
    }
}

/// `insufficient_authorization` after a wrong answer.
fn wrong(web: &Web) -> Refused {
    Refused {
        code: Some(Code::InvalidCredentials),
        challenges: Some(vec![Asked { r#type: PASSWORD.to_owned() }]),
        ..refusal(web, ErrorCode::InsufficientAuthorization, "username and password do not belong together")
    }
}

/// A refusal that no other answer makes good.
fn said(web: &Web, refused: Refusal) -> Result<Response, OAuthError> {
    let (error, description, code) = match refused {
        Refusal::Wrong | Refusal::WrongCode(_) | Refusal::CodeExpired | Refusal::LinkInvalid | Refusal::Unsent(_) => {
            (ErrorCode::AccessDenied, "the answer is wrong", Code::InvalidCredentials)
        }
        Refusal::Disabled => (ErrorCode::AccessDenied, "the account is switched off", Code::AccountDisabled),
        Refusal::NotActivated => {
            (ErrorCode::AccessDenied, "the account waits for its activation", Code::AccountNotActivated)
        }
        Refusal::FlowExpired => (ErrorCode::InvalidSession, "auth_session has expired; begin again", Code::FlowExpired),
        Refusal::FlowInvalid => {
            (ErrorCode::InvalidSession, "auth_session is not known here, or was used; begin again", Code::FlowInvalid)
        }
        Refusal::TooMany(_) | Refusal::Closed => {
            (ErrorCode::AccessDenied, "there were too many attempts", Code::TooManyAttempts)
        }
        Refusal::Fault(fault) => return Err(fault.into()),
    };
    let mut response = written(&Refused { code: Some(code), ..refusal(web, error, description) });
    if code == Code::TooManyAttempts {
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    }
    if let Refusal::TooMany(seconds) = refused {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}

fn refusal(web: &Web, error: ErrorCode, error_description: &'static str) -> Refused {
    let error_uri = error.uri(web.provider.issuer.as_str());
    let error = error.as_str();
    Refused { error, error_description, error_uri, auth_session: None, expires_in: None, challenges: None, code: None }
}

/// §5.2.2: each refusal has the status 400, unless HTTP has a better one.
fn written(body: &Refused) -> Response {
    let mut response = json(body, "application/json");
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}
