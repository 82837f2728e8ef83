//! `/sign-in`: start and answer, the two verbs that cover every way of signing in (S-020, S-025, S-026).
//!
//! `ACCOUNT_API.md` §3.1, §3.2. A sign-in is a flow of `authn/flow.rs`, as it is on pages and at the challenge endpoint; what it leads to
//! is told by the client: a session, a code, or tokens at once.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder};

use crate::account::new_device::Surface;
use crate::authn::flow::{Challenge, Chosen, Completed, Opening, SignIn, Step};
use crate::authn::magic_link::safe_path;
use crate::authn::{Answer, Attempt, Begun, Onward, Refusal, upstream};
use crate::edge::store::Beside;
use crate::http::api::answer::{answer as answered, ok};
use crate::http::api::authenticators::{AuthenticatorSetup, told};
use crate::http::api::body::{Body, Choice as _, Fields, Json, body, choices, describe};
use crate::http::api::caller::{Guest, csrf_token_of};
use crate::http::api::code::Code;
use crate::http::api::federation::{self, Brought, vouched};
use crate::http::api::operation::{Group, Operation, SwitchedOff, post};
use crate::http::api::problem::Problem;
use crate::http::api::qr::{self, PictureShown};
use crate::http::api::token::pair;
use crate::http::api::user::UserView;
use crate::http::new_device::{notice, notice_in_browser};
use crate::http::web::{Web, with_cookies};
use crate::model::authentication::{Amr, Authentication};
use crate::model::client::{Client, TokenDelivery};
use crate::model::fault::Fault;
use crate::model::id::UserId;
use crate::model::sign_in_flow::{BegunBy, Purpose};
use crate::oauth::first_party::{self, Pkce, Stated};
use crate::oauth::interaction::Browser;
use crate::oauth::interaction::sign_in::{Keep, Persistence, SignedIn, sign_in};
use crate::oauth::provider::Provider;
use crate::oauth::token::own_claims;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::secret::Secret;

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

/// What asking for a message can be refused with.
const SENDING: &[Code] = &[
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
            .gives::<SignInAnswer>(
                StatusCode::ACCEPTED,
                "If the address has an account, or may have one, a code was sent.",
            )
            .gives::<PictureShown>(StatusCode::CREATED, "A picture waits for a phone.")
            .refuses(REFUSED)
            .refuses(SENDING)
            // Where a way is switched off, it is not there.
            .refuses(&[Code::WrongCode, Code::NotFound])
            .refuses(federation::REFUSED),
        post(("/sign-in/challenge", Group::Login), "Answer what a sign-in asks for", answer)
            .takes::<AnswerChallenge>()
            .gives::<SignInAnswer>(StatusCode::OK, "The sign-in is complete, or asks for one more proof.")
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

choices! {
    /// A way to begin.
    pub(super) enum Beginning {
        /// A name and a password.
        Password = "password",
        /// A token of another server.
        SocialToken = "social_token",
        /// A code that is sent to an e-mail address.
        EmailCode = "email_code",
        /// A code that is sent to a phone.
        SmsCode = "sms_code",
        /// A link that is sent to an e-mail address.
        MagicLink = "magic_link",
        /// A passkey.
        Passkey = "passkey",
        /// A picture that a signed-in phone reads.
        Qr = "qr",
    }
}

impl Beginning {
    /// Every way.
    const ALL: [Self; 7] =
        [Self::Password, Self::SocialToken, Self::EmailCode, Self::SmsCode, Self::MagicLink, Self::Passkey, Self::Qr];

    /// What it goes with when it is switched off (S-181).
    const fn group(self) -> Group {
        match self {
            Self::Password | Self::Passkey | Self::Qr => Group::Login,
            Self::SocialToken => Group::Social,
            Self::EmailCode | Self::SmsCode | Self::MagicLink => Group::Otp,
        }
    }
}

/// True when nobody may begin by the method `name`: it is switched off.
pub(super) fn is_off(name: &str, off: &SwitchedOff) -> bool {
    Beginning::ALL.iter().any(|way| way.as_str() == name && !off.allows(way.group()))
}

/// How a sign-in begins: the way decides which members there are beside those of every sign-in.
struct StartSignIn {
    proof: Beginnings,
    rest: EverySignIn,
}

/// What a sign-in begins with.
enum Beginnings {
    Password(ByPassword),
    SocialToken(Box<BySocialToken>),
    /// A way that asks first, the name that it asks of, empty where it needs none, and where its link leads.
    Asked(Beginning, String, Option<String>),
}

impl Beginnings {
    const fn way(&self) -> Beginning {
        match self {
            Self::Password(_) => Beginning::Password,
            Self::SocialToken(_) => Beginning::SocialToken,
            Self::Asked(way, ..) => *way,
        }
    }
}

body! {
    /// A name and a password.
    struct ByPassword {
        /// An e-mail address, username or phone number.
        identifier: String,
        /// The password.
        password: Secret,
    }
}

body! {
    /// A code that is sent.
    struct ByName {
        /// An e-mail address or phone number.
        identifier: String,
    }
}

body! {
    /// A link that is sent.
    struct ByLink {
        /// An e-mail address.
        identifier: String,
        /// Where it leads: a path of this server.
        redirect_path: Option<String>,
    }
}

body! {
    /// A token or code of another server, which an app got there by itself.
    struct BySocialToken {
        /// The name of the provider.
        provider: String,
        /// An ID token for one of our client ids there.
        id_token: Option<Secret>,
        /// An access token, where the provider can be asked for which app it was made.
        access_token: Option<Secret>,
        /// An authorization code.
        code: Option<Secret>,
        /// PKCE, of the code.
        code_verifier: Option<Secret>,
        /// Where the provider sent the person, of the code.
        redirect_uri: Option<String>,
        /// The given name, where the provider tells none.
        first_name: Option<String>,
        /// The family name, where the provider tells none.
        last_name: Option<String>,
    }
}

body! {
    /// What every sign-in may have.
    struct EverySignIn {
        /// A code of the second factor, for who is asked for one: then the sign-in is complete at once.
        otp: Option<Secret>,
        /// The browser keeps the session after it is closed.
        remember: Option<bool>,
        /// The first-party app that it is for; without it a session of this server begins.
        client_id: Option<String>,
        /// What the app's tokens shall allow.
        scope: Option<String>,
        /// PKCE (RFC 7636), where the app gets a code.
        code_challenge: Option<String>,
        /// `S256`
        code_challenge_method: Option<String>,
        /// For the ID token; with `social_token` also what the other server's ID token has to repeat.
        nonce: Option<String>,
    }
}

impl Body for StartSignIn {
    const NAME: &'static str = "StartSignIn";

    fn read(fields: &mut Fields) -> Option<Self> {
        let method = fields.take::<Beginning>("method");
        // Without a way the usual one is meant, so that every mistake is told at once.
        let proof = match method {
            Some(Beginning::SocialToken) => {
                BySocialToken::read(fields).map(|proof| Beginnings::SocialToken(Box::new(proof)))
            }
            Some(way @ (Beginning::EmailCode | Beginning::SmsCode)) => {
                ByName::read(fields).map(|ByName { identifier }| Beginnings::Asked(way, identifier, None))
            }
            Some(way @ Beginning::MagicLink) => ByLink::read(fields)
                .map(|ByLink { identifier, redirect_path }| Beginnings::Asked(way, identifier, redirect_path)),
            Some(way @ (Beginning::Passkey | Beginning::Qr)) => Some(Beginnings::Asked(way, String::new(), None)),
            Some(Beginning::Password) | None => ByPassword::read(fields).map(Beginnings::Password),
        };
        let rest = EverySignIn::read(fields);
        method?;
        Some(Self { proof: proof?, rest: rest? })
    }

    fn schema() -> Object {
        let mut schema = describe::<Beginning>(ObjectBuilder::new(), "method", "The way.").build();
        for part in [ByPassword::schema(), ByLink::schema(), BySocialToken::schema(), EverySignIn::schema()] {
            schema.properties.extend(part.properties);
        }
        schema.description = Some("How a sign-in begins.".to_owned());
        schema
    }
}

body! {
    /// An answer.
    struct AnswerChallenge {
        /// The handle of the sign-in.
        flow: Secret,
        /// Which of several challenges of one kind.
        id: Option<String>,
        /// The kind of the challenge that is answered.
        r#type: String,
        /// The answer; of a passkey the credential in JSON.
        value: Option<Secret>,
        /// The answer of a passkey, as an object.
        credential: Option<Map<String, Value>>,
        /// The browser keeps the session after it is closed.
        remember: Option<bool>,
        /// The app that began.
        client_id: Option<String>,
    }
}

/// What becomes of a sign-in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SignInAnswer {
    /// `complete`, or `challenge` when one more proof is asked for.
    status: &'static str,
    /// Who is signed in; where a session began.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserView>,
    /// What belongs into `X-CSRF-Token` from now on; where a session began.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf_token: Option<String>,
    /// Whether the account was made by this very sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    is_new_user: Option<bool>,
    /// For the token endpoint; where the app gets a code.
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_code: Option<String>,
    /// Seconds that the code, or the sign-in under way, is good for.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<u64>,
    /// `publicKey` of `navigator.credentials.get`, for a passkey.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    public_key: Option<Value>,
    /// What is typed where a link is opened in another browser than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    confirm_code: Option<String>,
    /// The path that the sign-in was begun for.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// Seconds until the next message may be asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    resend_after: Option<u64>,
    /// The handle of the sign-in under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    flow: Option<String>,
    /// Why it is not complete: `2fa_required`.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    /// What may be answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    challenges: Option<Vec<AskedChallenge>>,
    /// Codes for the day when a second factor is lost that was taken up in this sign-in; told once.
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_codes: Option<Vec<String>>,
}

body! {
    /// A challenge whose answer needs something.
    struct SendChallenge {
        /// The handle of the sign-in.
        flow: Secret,
        /// The challenge.
        id: String,
        /// The app that began.
        client_id: Option<String>,
    }
}

/// What the browser's call for a passkey takes.
#[derive(Debug, Serialize, ToSchema)]
struct PasskeyOptions {
    /// `publicKey` of `navigator.credentials.get` (W3C Web Authentication).
    #[schema(value_type = Object)]
    public_key: Value,
}

/// A code is on its way.
#[derive(Debug, Serialize, ToSchema)]
struct CodeSent {
    /// Seconds until the next may be asked for.
    resend_after: u64,
}

/// One way to go on.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AskedChallenge {
    /// Its name in this sign-in.
    id: String,
    /// Its kind.
    r#type: String,
    /// What tells it from others of its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

/// Where a sign-in leads, and for whom.
pub(super) struct Destination {
    pub(super) client: Option<Arc<Client>>,
    pub(super) purpose: Purpose,
    pub(super) persistence: Persistence,
}

async fn start(State(web): State<Web>, guest: Guest, Json(body): Json<StartSignIn>) -> Result<Response, Problem> {
    let StartSignIn { proof, rest: body } = body;
    if is_off(proof.way().as_str(), web.api.off()) {
        return Err(Problem::new(Code::NotFound));
    }
    let destination = destination(&web.provider, &body).await?;
    if destination.purpose == Purpose::Session {
        guest.check_csrf_token(&web)?;
    }
    let opening = opening(&guest, &destination);
    let attempt = attempt(&web, &guest, destination.client.as_deref());
    let sign_in = web.sign_in();
    let (method, proof) = match proof {
        Beginnings::Password(ByPassword { identifier, password }) => {
            (Beginning::Password.as_str(), Answer::Password { login: identifier, password })
        }
        Beginnings::SocialToken(proof) => {
            let client = destination.client.as_deref();
            (
                upstream::NAME,
                Answer::Vouched(by_social_token(&web, &guest, (*proof, body.nonce.clone()), client).await?),
            )
        }
        Beginnings::Asked(way, identifier, path) => {
            let path = path.map(|path| safe_path(&path).ok_or(Code::InvalidRedirect)).transpose();
            let path = path.map_err(|code| Problem::field("redirect_path", code))?;
            let onward = Onward { remember: destination.persistence == Persistence::Kept, ..Onward::default() };
            let (attempt, opening) = (Attempt { onward, ..attempt }, Opening { path, ..opening });
            let (challenge, begun) = sign_in.ask_by(&attempt, (way.as_str(), &identifier), opening).await?;
            if let Some(Begun::Picture(asked)) = &begun {
                return Ok(qr::shown(&web, &challenge, asked));
            }
            let code = (way == Beginning::MagicLink).then(|| web.magic_link.confirm_code(&challenge.flow));
            let confirm_code = code.map(|code| code.expose().clone());
            let answer = SignInAnswer { code: None, confirm_code, ..asked(&web, challenge) };
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
    finish(&web, &guest, destination, step).await
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
    if flow.purpose == Purpose::Session {
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
    if purpose == Purpose::Session {
        guest.check_csrf_token(&web)?;
    }
    let chosen = Chosen { method: &body.r#type, id: body.id.as_deref() };
    let credential = body.credential.map(|credential| Secret::new(Value::Object(credential).to_string()));
    let value = body.value.or(credential).ok_or_else(|| Problem::field("value", Code::Required))?;
    let answered = (chosen, value);
    let attempt = attempt(&web, &guest, client.as_deref());
    let step = web.sign_in().answer(&attempt, (&body.flow, &caller), answered).await?;
    finish(&web, &guest, Destination { client, purpose, persistence: persistence(body.remember) }, step).await
}

/// What the client is registered for decides what a sign-in leads to.
async fn destination(provider: &Provider, body: &EverySignIn) -> Result<Destination, Problem> {
    let persistence = persistence(body.remember);
    let Some(id) = &body.client_id else {
        return Ok(Destination { client: None, purpose: Purpose::Session, persistence });
    };
    let client = first_party::client(provider, id).await.map_err(refused)?;
    let purpose = match first_party::delivery(&client) {
        TokenDelivery::Session => Purpose::Session,
        TokenDelivery::Code => {
            let stated = Stated {
                scope: body.scope.as_deref(),
                code_challenge: body.code_challenge.as_deref(),
                code_challenge_method: body.code_challenge_method.as_deref(),
                nonce: body.nonce.as_deref(),
            };
            if stated.code_challenge.is_none() {
                return Err(Problem::field("code_challenge", Code::Required));
            }
            Purpose::Code(first_party::wanted(provider, &client, (stated, Pkce::Required)).await.map_err(refused)?)
        }
    };
    Ok(Destination { client: Some(client), purpose, persistence })
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
        client: client.map(|client| client.id.clone()),
        languages: guest.visitor.asking().languages,
        ..Attempt::default()
    }
}

/// Who goes on with a sign-in.
pub(super) fn caller(guest: &Guest, client: Option<&Client>) -> BegunBy {
    BegunBy { client: client.map(|client| client.id.clone()), browser: guest.visitor.browser.flow }
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
        (wanted @ (Purpose::Code(_) | Purpose::Tokens(_)), Some(client)) => (wanted, client),
        _ => return Err(Problem::new(Code::FlowInvalid)),
    };
    // Before anything is written down: without its claims no token of this app can be made.
    if let Some(user) = web.provider.edges.store.user(authentication.user).await? {
        own_claims::of_person(&client, &user, &Map::new())
            .map_err(|missing| Problem::new(Code::SignInDataIncomplete).hint(missing.to_string()))?;
    }
    // The app has no cookies: its session is known by its grant alone.
    let browser = Browser { session: None, ..guest.visitor.browser.clone() };
    let told = (authentication.user, keep.client.clone());
    let beside = notice(web, &guest.visitor, told, Surface::App).await;
    let keep = Keep { persistent: Persistence::Kept, beside, ..keep };
    let session = sign_in(&web.provider, &browser, authentication, keep).await?.session;
    match wanted {
        Purpose::Tokens(wanted) => {
            let tokens = first_party::tokens(&web.provider, (client, &session), wanted).await.map_err(refused)?;
            Ok(ok(&pair(&tokens)))
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

impl SignInAnswer {
    const fn of(status: &'static str) -> Self {
        Self {
            status,
            user: None,
            csrf_token: None,
            is_new_user: None,
            authorization_code: None,
            expires_in: None,
            public_key: None,
            confirm_code: None,
            next: None,
            resend_after: None,
            flow: None,
            code: None,
            challenges: None,
            backup_codes: None,
        }
    }
}

fn asked(web: &Web, challenge: Challenge) -> SignInAnswer {
    let asked = challenge.asked.into_iter();
    let challenges =
        asked.map(|asked| AskedChallenge { id: asked.id, r#type: asked.method, hint: asked.hint }).collect();
    SignInAnswer {
        code: Some("2fa_required"),
        flow: Some(challenge.flow.expose().clone()),
        expires_in: Some(challenge.expires_at.since(web.provider.now()).as_secs()),
        challenges: Some(challenges),
        ..SignInAnswer::of("challenge")
    }
}

/// Backup codes for who took a second factor up in this sign-in.
async fn first_codes(web: &Web, guest: &Guest, person: UserId) -> Result<Option<Vec<String>>, Problem> {
    let Some(user) = web.provider.edges.store.user(person).await? else { return Ok(None) };
    let codes = web.provider.factors.new_backup_codes(&user, &attempt(web, guest, None)).await?;
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
