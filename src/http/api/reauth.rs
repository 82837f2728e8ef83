//! `/me/reauth`: a person proves again who they are, before something sensitive (S-098).

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::account::step_up::{Acting, FlowState, Place, Proven, judge};
use crate::authn::passkey::{self, Ceremony};
use crate::authn::{Answer, Attempt, Method as _, Refusal, upstream};
use crate::edge::store::Beside;
use crate::edge::upstream::Presented;
use crate::http::api::answer::ok;
use crate::http::api::body::{Json, body};
use crate::http::api::caller::{Person, csrf_token_of};
use crate::http::api::code::Code;
use crate::http::api::federation::accept;
use crate::http::api::operation::{Group, Operation, post};
use crate::http::api::problem::Problem;
use crate::http::api::recent::acting;
use crate::http::page::again::{attempt, life, prove, proven};
use crate::http::page::federation::offered;
use crate::http::web::{Web, with_cookies};
use crate::protocol::secret::{Secret, TokenHash};

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        post(
            ("/me/reauth/passkey", Group::Me),
            "What the browser's call for a passkey takes, to prove again who you are",
            challenge,
        )
        .by_person()
        .gives::<PasskeyChallenge>(StatusCode::OK, "Good for five minutes, here.")
        .refuses(&[Code::DeviceDoesNotExist]),
        post(("/me/reauth", Group::Me), "Prove again who you are, before something sensitive", reauthenticate)
            .by_person()
            .takes::<Reauthentication>()
            .gives::<Reauthenticated>(StatusCode::OK, "Sensitive operations are open for a while.")
            .refuses(&[
                Code::InvalidPassword,
                Code::InvalidCredentials,
                Code::WrongCode,
                Code::ProviderNotFound,
                Code::FederationTokenInvalid,
                Code::FederationFailed,
                Code::TooManyAttempts,
                Code::FlowExpired,
                Code::FlowInvalid,
            ]),
    ]
}

body! {
    /// What proves the person.
    struct Reauthentication {
        /// The password of the account.
        password: Option<Secret>,
        /// In its place a code of the second factor, or a backup code.
        code: Option<Secret>,
        /// In its place the credential that the browser's call for a passkey gave.
        credential: Option<Map<String, Value>>,
        /// What `/me/reauth/passkey` gave beside the options of that call.
        state: Option<String>,
        /// In its place the name of a provider that the account is connected to, whose ID token comes with it.
        provider: Option<String>,
        /// The ID token of the provider, made within the last minutes; it says by `auth_time` that the person was asked then.
        id_token: Option<Secret>,
        /// The nonce that it was asked for with.
        nonce: Option<String>,
        /// The handle of the refusal that asked for it; may be left out.
        flow: Option<Secret>,
    }
}

/// What the browser's call for a passkey takes.
#[derive(Debug, Serialize, ToSchema)]
struct PasskeyChallenge {
    /// `publicKey` of `navigator.credentials.get` (W3C Web Authentication).
    #[schema(value_type = Object)]
    public_key: Value,
    /// What comes back with its answer.
    state: String,
}

/// The person proved who they are.
#[derive(Debug, Serialize, ToSchema)]
struct Reauthenticated {
    /// For how many seconds it counts.
    expires_in: u64,
    /// What belongs into `X-CSRF-Token` from now on; the session has a new cookie with it. Missing for access tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf_token: Option<String>,
}

/// What a challenge is bound to: where the person acts.
fn binding(acting: &Acting) -> TokenHash {
    TokenHash::of(&match acting.place() {
        Place::Session(id) => format!("reauth:session:{id}"),
        Place::Grant(id) => format!("reauth:grant:{id}"),
    })
}

async fn challenge(State(web): State<Web>, person: Person) -> Result<Response, Problem> {
    let acting = acting(&person).ok_or(Code::Forbidden)?;
    let passkeys = web.provider.passkeys.as_ref().ok_or(Code::DeviceDoesNotExist)?;
    if passkeys.offers(&person.user).await?.is_empty() {
        return Err(Problem::new(Code::DeviceDoesNotExist));
    }
    let Ceremony { options, state } = passkeys.sign_in_page(&binding(&acting))?;
    Ok(ok(&PasskeyChallenge { public_key: passkey::json(&options)?, state }))
}

async fn reauthenticate(
    State(web): State<Web>,
    person: Person,
    Json(body): Json<Reauthentication>,
) -> Result<Response, Problem> {
    let Some(acting) = acting(&person) else { return Err(Problem::new(Code::Forbidden)) };
    if let Some(flow) = &body.flow {
        match web.step_up.flow(flow, &acting).await? {
            FlowState::Open => {}
            FlowState::Expired => return Err(Problem::new(Code::FlowExpired)),
            FlowState::Invalid => return Err(Problem::new(Code::FlowInvalid)),
        }
    }
    let visitor = &person.guest.visitor;
    let method = match (body.password, body.code) {
        (None, None) if body.credential.is_some() => {
            let credential = body.credential.map(Value::Object).unwrap_or_default();
            let answer = json!({"credential": credential, "state": body.state.unwrap_or_default()});
            let attempt = Attempt { browser: Some(binding(&acting)), ..attempt(&web, visitor, &acting) };
            let method = web.method("passkey").ok_or(Code::DeviceDoesNotExist)?;
            judge(method, &attempt, &Answer::Passkey(Secret::new(answer.to_string()))).await?;
            "passkey"
        }
        (None, None) if body.provider.is_some() || body.id_token.is_some() => {
            let slug = body.provider.ok_or_else(|| Problem::field("provider", Code::Required))?;
            let token = body.id_token.ok_or_else(|| Problem::field("id_token", Code::Required))?;
            by_provider(&web, &person, (&slug, Presented::IdToken { token, nonce: body.nonce })).await?;
            upstream::NAME
        }
        (Some(password), _) => {
            let answer = Answer::Password { login: person.user.login().to_owned(), password };
            match prove(&web, visitor, &acting, ("password", &answer)).await {
                Ok(()) => "password",
                Err(Refusal::Wrong) => return Err(Problem::field("password", Code::InvalidPassword)),
                Err(refusal) => return Err(refusal.into()),
            }
        }
        (None, Some(code)) => {
            let attempt = attempt(&web, visitor, &acting);
            match web.provider.factors.prove_by_code(&code, &web.methods, &attempt).await {
                Ok(method) => method,
                Err(Refusal::WrongCode(_)) => return Err(Problem::field("code", Code::WrongCode)),
                Err(refusal) => return Err(refusal.into()),
            }
        }
        (None, None) => return Err(Problem::field("password", Code::Required)),
    };
    let beside = Beside::event(proven(&web, visitor, &acting, method));
    let proven = web.step_up.prove(&acting, beside).await?;
    if let Some(flow) = &body.flow {
        web.step_up.close(flow).await?;
    }
    answered(&web, &acting, proven)
}

/// That an account elsewhere which is connected to the person's has just been proven there.
async fn by_provider(web: &Web, person: &Person, (slug, token): (&str, Presented)) -> Result<(), Problem> {
    let provider = offered(web, slug).await?.ok_or_else(|| Problem::new(Code::ProviderNotFound))?;
    let identity = accept(web, &person.guest, (&provider, &token)).await?;
    let link = web.provider.edges.store.upstream_link(&identity.issuer, &identity.subject).await?;
    let refused = |hint: &'static str| Problem::new(Code::FederationTokenInvalid).hint(hint);
    if link.is_none_or(|link| link.user != person.user.id) {
        return Err(refused("the identity is not connected to this account"));
    }
    if identity.is_fresh_since(web.provider.now().minus(web.step_up.lifetime)) {
        Ok(())
    } else {
        Err(refused("it does not say that the person was asked of late (auth_time); ask with max_age=0"))
    }
}

fn answered(web: &Web, acting: &Acting, proven: Option<Proven>) -> Result<Response, Problem> {
    let expires_in = web.step_up.lifetime.as_secs();
    match (acting, proven) {
        (Acting::Session(_), Some(Proven { session, token })) => {
            let csrf_token = Some(csrf_token_of(web, &token));
            let cookie = web.cookies.set_session(&token, life(web, &session));
            Ok(with_cookies(ok(&Reauthenticated { expires_in, csrf_token }), [cookie]))
        }
        // It was ended elsewhere a moment ago.
        (Acting::Session(_), None) => Err(Problem::new(Code::SignInRequired)),
        (Acting::Grant(_), _) => Ok(ok(&Reauthenticated { expires_in, csrf_token: None })),
    }
}
