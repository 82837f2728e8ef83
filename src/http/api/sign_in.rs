//! `/sign-in`: start and answer, the two verbs that cover every way of signing in (S-020, S-025, S-026).
//!
//! `ACCOUNT_API.md` §3.1, §3.2. A sign-in is a flow of `authn/flow.rs`, as it is on pages and at the challenge endpoint; what it leads to
//! is told by the client: a session, a code, or tokens at once.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde_json::Value;

use crate::authn::flow::{Chosen, Opening, SignIn, Step};
use crate::authn::limit::Rule;
use crate::authn::magic_link::safe_path;
use crate::authn::{Answer, Attempt, Begun, Method, Onward, Refusal, upstream};
use crate::http::api::answer::{answer as answered, ok};
use crate::http::api::authenticators::AuthenticatorSetup;
use crate::http::api::body::{Choice as _, Json};
use crate::http::api::caller::Guest;
use crate::http::api::code::Code;
use crate::http::api::delivery::{Destination, finish};
use crate::http::api::federation::{self, Brought, vouched};
use crate::http::api::operation::{Group, Operation, SwitchedOff, post};
use crate::http::api::preference::{self, applied};
use crate::http::api::problem::Problem;
use crate::http::api::qr::{self, PictureShown};
use crate::http::api::sign_in::answer::{CodeSent, PasskeyOptions, SignInAnswer, asked};
use crate::http::api::sign_in::body::{
    AnswerChallenge, Beginning, Beginnings, ByPassword, BySocialToken, EverySignIn, SendChallenge, StartSignIn,
};
use crate::http::api::token::TokenPair;
use crate::http::web::Web;
use crate::model::authentication::Authentication;
use crate::model::client::Client;
use crate::model::sign_in_flow::{BegunBy, Purpose};
use crate::oauth::first_party::{self, Delivery, Pkce, Preference, Stated};
use crate::oauth::interaction::sign_in::Persistence;
use crate::oauth::provider::Provider;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::secret::Secret;

pub(super) mod answer;
mod body;

/// What any sign-in can be refused with.
pub(super) const REFUSED: &[Code] = &[
    Code::InvalidCredentials,
    Code::AccountDisabled,
    Code::AccountNotActivated,
    Code::TooManyAttempts,
    Code::UnauthorizedClient,
    Code::DeliveryNotAllowed,
    Code::SignInDataIncomplete,
];

/// What a sign-in gives that ends in cookies.
pub(super) const IN_COOKIES: &str = "The sign-in is complete; the browser keeps the tokens in cookies.";

/// What asking for a message can be refused with.
const SENDING: &[Code] = &[
    Code::Forbidden,
    Code::InvalidRedirect,
    Code::CodeRecentlySent,
    Code::RateLimited,
    Code::SmsBudgetExceeded,
    Code::IdentityNotAllowed,
    Code::SignInRequired,
    Code::DeliveryFailed,
];

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        post(("/sign-in", Group::Login), "Sign in", start)
            .takes::<StartSignIn>()
            .gives::<SignInAnswer>(StatusCode::OK, "The sign-in is complete, or asks for one more proof.")
            .gives::<TokenPair>(StatusCode::OK, "The tokens, where the app gets them in the body.")
            .gives::<SignInAnswer>(
                StatusCode::ACCEPTED,
                "If the address has an account, or may have one, a code was sent.",
            )
            .gives_nothing(StatusCode::NO_CONTENT, IN_COOKIES)
            .gives::<PictureShown>(StatusCode::CREATED, "A picture waits for a phone.")
            .prefers()
            .refuses(REFUSED)
            .refuses(SENDING)
            // Where a way is switched off, it is not there.
            .refuses(&[Code::WrongCode, Code::NotFound])
            .refuses(federation::REFUSED),
        post(("/sign-in/challenge", Group::Login), "Answer what a sign-in asks for", answer)
            .takes::<AnswerChallenge>()
            .gives::<SignInAnswer>(StatusCode::OK, "The sign-in is complete, or asks for one more proof.")
            .gives::<TokenPair>(StatusCode::OK, "The tokens, where the app gets them in the body.")
            .gives_nothing(StatusCode::NO_CONTENT, IN_COOKIES)
            .prefers()
            .refuses(REFUSED)
            .refuses(&[
                Code::WrongCode,
                Code::CodeExpired,
                Code::MagicLinkInvalid,
                Code::FlowExpired,
                Code::FlowInvalid,
            ]),
        post(("/sign-in/challenge/send", Group::Login), "Have made what the answer of a challenge needs", send)
            .takes::<SendChallenge>()
            .gives::<AuthenticatorSetup>(StatusCode::OK, "A secret for an app that makes codes of the time, told once.")
            .gives::<PasskeyOptions>(StatusCode::OK, "What the browser's call for a passkey takes.")
            .gives::<CodeSent>(StatusCode::ACCEPTED, "A code was sent.")
            .refuses(REFUSED)
            .refuses(SENDING)
            .refuses(&[Code::FlowExpired, Code::FlowInvalid, Code::CodeExpired, Code::MagicLinkInvalid]),
    ]
}

/// True when nobody may begin by the method `name`: it is switched off.
pub(super) fn is_off(name: &str, off: &SwitchedOff) -> bool {
    Beginning::ALL.iter().any(|way| way.as_str() == name && !off.allows(way.group()))
}

async fn start(State(web): State<Web>, guest: Guest, Json(body): Json<StartSignIn>) -> Result<Response, Problem> {
    let preferred = preference::stated(&guest.visitor.headers)?;
    if is_off(body.proof.way().as_str(), web.api.off()) {
        return Err(Problem::new(Code::NotFound));
    }
    let destination = destination(&web.provider, &body.rest, preferred).await?;
    Ok(applied(preferred, begin(&web, &guest, destination, body).await?))
}

async fn begin(web: &Web, guest: &Guest, destination: Destination, body: StartSignIn) -> Result<Response, Problem> {
    let StartSignIn { proof, rest: body } = body;
    if destination.purpose.sets_cookies() {
        guest.check_csrf_token(web)?;
    }
    let opening = opening(guest, &destination);
    let attempt = attempt(web, guest, destination.client.as_deref());
    let sign_in = web.sign_in();
    let (method, proof) = match proof {
        Beginnings::Password(ByPassword { identifier, password }) => {
            (Beginning::Password.as_str(), Answer::Password { login: identifier, password })
        }
        Beginnings::SocialToken(proof) => {
            let client = destination.client.as_deref();
            (upstream::NAME, Answer::Vouched(by_social_token(web, guest, (*proof, body.nonce.clone()), client).await?))
        }
        Beginnings::Asked(way, identifier, path) => {
            let path = path.map(|path| safe_path(&path).ok_or(Code::InvalidRedirect)).transpose();
            let path = path.map_err(|code| Problem::field("redirect_path", code))?;
            let onward = Onward { remember: destination.persistence == Persistence::Kept, ..Onward::default() };
            let (attempt, opening) = (Attempt { onward, ..attempt }, Opening { path, ..opening });
            if web.method(way.as_str()).is_some_and(Method::sends) {
                count_code(web, &attempt.from.address).await?;
            }
            let (challenge, begun) = sign_in.ask_by(&attempt, (way.as_str(), &identifier), opening).await?;
            if let Some(Begun::Picture(asked)) = &begun {
                return Ok(qr::shown(web, &challenge, asked));
            }
            let code = (way == Beginning::MagicLink).then(|| web.magic_link.confirm_code(&challenge.flow));
            let confirm_code = code.map(|code| code.expose().clone());
            let answer = SignInAnswer { code: None, confirm_code, ..asked(web, challenge) };
            if let Some(Begun::PublicKey(options)) = begun {
                return Ok(ok(&SignInAnswer { public_key: Some(options), ..answer }));
            }
            let resend_after = Some(web.provider.accounts.starts.pause().as_secs());
            return Ok(answered(StatusCode::ACCEPTED, &SignInAnswer { resend_after, ..answer }));
        }
    };
    let caller = opening.begun_by.clone();
    let mut step = sign_in.prove(&attempt, (method, &proof), opening).await?;
    if let Some(otp) = body.otp {
        step = with_code(&sign_in, (&attempt, &caller), step, otp).await?;
    }
    finish(web, guest, destination, step).await
}

/// Counts a start of a code or a link from an address: which way a sign-in begins shows in its body alone (S-122).
async fn count_code(web: &Web, address: &str) -> Result<(), Problem> {
    let (ephemeral, now) = (&*web.provider.edges.ephemeral, web.provider.now());
    Ok(web.limits.count(ephemeral, (Rule::Otp, address), now).await??)
}

/// Who is behind a token of another server.
async fn by_social_token(
    web: &Web,
    guest: &Guest,
    (proof, nonce): (BySocialToken, Option<String>),
    client: Option<&Client>,
) -> Result<Authentication, Problem> {
    let brought = Brought {
        id_token: proof.id_token,
        nonce,
        access_token: proof.access_token,
        code: proof.code,
        code_verifier: proof.code_verifier,
        redirect_uri: proof.redirect_uri,
    };
    let names = (proof.first_name, proof.last_name);
    vouched(web, guest, (&proof.provider, brought, names), client).await
}

/// How a sign-in that leads to `destination` begins.
pub(super) fn opening(guest: &Guest, destination: &Destination) -> Opening {
    let client = destination.client.as_deref();
    Opening {
        begun_by: caller(guest, client),
        purpose: destination.purpose.clone(),
        demand: client.map(Client::demand).unwrap_or_default(),
        path: None,
    }
}

/// A code that came with the first proof, where codes of the time are asked for after it (S-107).
async fn with_code(
    sign_in: &SignIn<'_>,
    (attempt, caller): (&Attempt, &BegunBy),
    step: Step,
    otp: Secret,
) -> Result<Step, Refusal> {
    let Step::Challenge(challenge) = step else { return Ok(step) };
    if !challenge.asked.iter().any(|asked| asked.method == "totp") {
        return Ok(Step::Challenge(challenge));
    }
    sign_in.answer(attempt, (&challenge.flow, caller), ("totp".into(), otp)).await
}

async fn send(State(web): State<Web>, guest: Guest, Json(body): Json<SendChallenge>) -> Result<Response, Problem> {
    let client = match &body.client_id {
        Some(id) => Some(first_party::client(&web.provider, id).await.map_err(refused)?),
        None => None,
    };
    let caller = caller(&guest, client.as_deref());
    let flow = web.sign_in().waiting(&body.flow, &caller).await?;
    if flow.purpose.sets_cookies() {
        guest.check_csrf_token(&web)?;
    }
    let asked = flow.asked.iter().find(|asked| asked.id == body.id).ok_or(Refusal::Wrong)?;
    let chosen = Chosen { method: &asked.method, id: Some(&asked.id) };
    let attempt = attempt(&web, &guest, client.as_deref());
    match web.sign_in().begin(&attempt, (&body.flow, &caller), chosen).await? {
        Begun::Setup(setup) => Ok(ok(&AuthenticatorSetup::of(&setup)?)),
        Begun::PublicKey(public_key) => Ok(ok(&PasskeyOptions { public_key })),
        Begun::Picture(_) => Err(Refusal::Wrong.into()),
        Begun::Sent { resend_after } => Ok(answered(StatusCode::ACCEPTED, &CodeSent { resend_after })),
    }
}

async fn answer(State(web): State<Web>, guest: Guest, Json(body): Json<AnswerChallenge>) -> Result<Response, Problem> {
    let client = match &body.client_id {
        Some(id) => Some(first_party::client(&web.provider, id).await.map_err(refused)?),
        None => None,
    };
    let caller = caller(&guest, client.as_deref());
    let purpose = web.sign_in().purpose(&body.flow, &caller).await?;
    if purpose.sets_cookies() {
        guest.check_csrf_token(&web)?;
    }
    let preferred = preference::stated(&guest.visitor.headers)?;
    if preferred.is_some_and(|preferred| !preferred.is_of(&purpose)) {
        return Err(Problem::new(Code::DeliveryNotAllowed).hint("the sign-in was begun for another delivery"));
    }
    let chosen = Chosen { method: &body.r#type, id: body.id.as_deref() };
    let credential = body.credential.map(|credential| Secret::new(Value::Object(credential).to_string()));
    let value = body.value.or(credential).ok_or_else(|| Problem::field("value", Code::Required))?;
    let answered = (chosen, value);
    let attempt = attempt(&web, &guest, client.as_deref());
    let step = web.sign_in().answer(&attempt, (&body.flow, &caller), answered).await?;
    let destination = Destination { client, purpose, persistence: persistence(body.remember) };
    Ok(applied(preferred, finish(&web, &guest, destination, step).await?))
}

/// What the client is registered for decides what a sign-in leads to, and what the request prefers of it.
async fn destination(
    provider: &Provider,
    body: &EverySignIn,
    preferred: Option<Preference>,
) -> Result<Destination, Problem> {
    let persistence = persistence(body.remember);
    let Some(id) = &body.client_id else {
        if preferred.is_some() {
            return Err(Problem::new(Code::DeliveryNotAllowed).hint("tokens are for apps: client_id names none"));
        }
        return Ok(Destination { client: None, purpose: Purpose::Session, persistence });
    };
    let client = first_party::client(provider, id).await.map_err(refused)?;
    let stated = Stated {
        scope: body.scope.as_deref(),
        code_challenge: body.code_challenge.as_deref(),
        code_challenge_method: body.code_challenge_method.as_deref(),
        nonce: body.nonce.as_deref(),
    };
    let delivery = first_party::delivery(&client, preferred).ok_or_else(|| {
        Problem::new(Code::DeliveryNotAllowed).hint("the client is not registered for what the request prefers")
    })?;
    let purpose = match delivery {
        Delivery::Session => Purpose::Session,
        Delivery::Code => {
            if stated.code_challenge.is_none() {
                return Err(Problem::field("code_challenge", Code::Required));
            }
            Purpose::Code(first_party::wanted(provider, &client, (stated, Pkce::Required)).await.map_err(refused)?)
        }
        Delivery::Tokens => {
            check_public(&client)?;
            Purpose::Tokens(first_party::wanted(provider, &client, (stated, Pkce::Unneeded)).await.map_err(refused)?)
        }
        Delivery::Cookies => {
            check_public(&client)?;
            Purpose::Cookies(first_party::wanted_in_cookies(provider, &client, stated).await.map_err(refused)?)
        }
    };
    Ok(Destination { client: Some(client), purpose, persistence })
}

/// Whether a client may have tokens of the API, where it proves nothing.
///
/// # Errors
/// `unauthorized_client`.
pub(super) fn check_public(client: &Client) -> Result<(), Problem> {
    if client.is_public() {
        return Ok(());
    }
    Err(Problem::new(Code::UnauthorizedClient).hint("a client with a secret uses the challenge endpoint"))
}

/// A refusal of the protocol in the words of the API.
pub(super) fn refused(error: OAuthError) -> Problem {
    let problem = match error.code() {
        ErrorCode::InvalidClient | ErrorCode::UnauthorizedClient => Problem::new(Code::UnauthorizedClient),
        ErrorCode::InvalidScope => Problem::field("scope", Code::InvalidValue),
        ErrorCode::InvalidRequest => Problem::field("code_challenge", Code::InvalidValue),
        ErrorCode::TemporarilyUnavailable => Problem::new(Code::Unavailable),
        _ => Problem::new(Code::ServerError),
    };
    problem.caused_by(error)
}

pub(super) fn persistence(remember: Option<bool>) -> Persistence {
    if remember == Some(true) { Persistence::Kept } else { Persistence::Browser }
}

/// Where an attempt comes from, and for which app.
pub(super) fn attempt(web: &Web, guest: &Guest, client: Option<&Client>) -> Attempt {
    Attempt {
        from: guest.provenance.clone(),
        device: web.cookies.device(&guest.visitor.headers),
        remembered: guest.visitor.browser.remembered.clone(),
        here: guest.visitor.here(),
        client: client.map(|client| client.id.clone()),
        languages: guest.visitor.asking().languages,
        ..Attempt::default()
    }
}

/// Who goes on with a sign-in.
pub(super) fn caller(guest: &Guest, client: Option<&Client>) -> BegunBy {
    BegunBy { client: client.map(|client| client.id.clone()), browser: guest.visitor.browser.flow }
}
