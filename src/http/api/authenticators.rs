//! `/me/authenticators`: what a person can prove themselves with beside the password (S-101 to S-104).
//!
//! `ACCOUNT_API.md` §3.2. A secret is told once, in the answer that makes it, and by no `GET`.

use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::account::code_factor::CodeFactorBegun;
use crate::account::second_factor::{MAX_NAME, own_name};
use crate::authn::passkey::LIFETIME;
use crate::authn::totp::{SETUP_LIFETIME, TotpSetup};
use crate::authn::{Attempt, Refusal};
use crate::http::api::answer::{Moment, answer, nothing, ok};
use crate::http::api::body::{Json, body, choices};
use crate::http::api::caller::Person;
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, delete, get, patch, post};
use crate::http::api::problem::Problem;
use crate::http::api::recent::{acting, demand};
use crate::http::extract::params::Segment;
use crate::http::page::again;
use crate::http::qr::Picture;
use crate::http::web::Web;
use crate::model::authenticator::{Authenticator, AuthenticatorKind};
use crate::model::fault::Fault;
use crate::model::id::AuthenticatorId;
use crate::protocol::secret::Secret;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/me/authenticators", Group::Mfa), "What the person can prove themselves with", list)
            .by_person()
            .gives::<Authenticators>(StatusCode::OK, "The authenticators, the oldest first."),
        post(("/me/authenticators", Group::Mfa), "Begin with another authenticator", add)
            .by_person()
            .takes::<AddAuthenticator>()
            .gives::<AuthenticatorSetup>(StatusCode::CREATED, "It waits for its first code. Its secret is told once.")
            .gives::<PasskeySetup>(StatusCode::CREATED, "What the browser's call for a new passkey takes.")
            .gives::<AddressSetup>(StatusCode::ACCEPTED, "A code was sent to the address, which waits for it.")
            .refuses(&[
                Code::ReauthRequired,
                Code::TwoFactorAlreadyEnabled,
                Code::AlreadyVerified,
                Code::IdentityNotAllowed,
                Code::InvalidEmail,
                Code::InvalidPhoneNumber,
                Code::CodeRecentlySent,
                Code::RateLimited,
                Code::SmsBudgetExceeded,
            ]),
        post(("/me/authenticators/{id}/confirm", Group::Mfa), "Confirm an authenticator by its first code", confirm)
            .by_person()
            .takes::<ConfirmAuthenticator>()
            .gives::<Confirmed>(StatusCode::OK, "It is asked for from now on; every other session has ended.")
            .refuses(&[
                Code::ReauthRequired,
                Code::WrongCode,
                Code::SetupRequired,
                Code::TwoFactorAlreadyEnabled,
                Code::AlreadyVerified,
                Code::CodeExpired,
                Code::CodeAttemptsExceeded,
                Code::DeviceDoesNotExist,
            ]),
        patch(("/me/authenticators/{id}", Group::Mfa), "Call an authenticator something else", rename)
            .by_person()
            .takes::<RenameAuthenticator>()
            .gives::<AuthenticatorView>(StatusCode::OK, "The authenticator.")
            .refuses(&[Code::DeviceDoesNotExist, Code::SetupRequired]),
        delete(("/me/authenticators/{id}", Group::Mfa), "Remove an authenticator", remove)
            .by_person()
            .gives_nothing(StatusCode::NO_CONTENT, "It is gone; every other session has ended.")
            .refuses(&[Code::ReauthRequired, Code::LastDevice, Code::DeviceDoesNotExist, Code::SetupRequired]),
    ]
}

choices! {
    /// A kind of authenticator.
    pub(super) enum Kind {
        /// An app that makes codes of the time.
        Totp = "totp",
        /// A mailbox that gets codes.
        Email = "email",
        /// A phone that gets codes.
        Sms = "sms",
        /// A passkey.
        Passkey = "passkey",
    }
}

body! {
    /// An authenticator that is to be added.
    struct AddAuthenticator {
        /// Its kind.
        r#type: Kind,
        /// What its owner calls it.
        name: Option<String>,
        /// The mailbox, or the number with its country; without a number the person's own.
        address: Option<String>,
    }
}

body! {
    /// Another name for an authenticator.
    struct RenameAuthenticator {
        /// What its owner calls it, in up to 64 characters.
        name: String,
    }
}

body! {
    /// The first code of an authenticator.
    struct ConfirmAuthenticator {
        /// The code.
        code: Option<Secret>,
        /// The credential of a new passkey, as the browser gave it.
        credential: Option<Map<String, Value>>,
        /// What its owner calls a new passkey; without it the name of its maker.
        name: Option<String>,
    }
}

/// An authenticator of a person.
#[derive(Debug, Serialize, ToSchema)]
struct AuthenticatorView {
    /// Its name in the paths.
    id: String,
    /// Its kind.
    r#type: &'static str,
    /// What its owner calls it.
    name: String,
    /// Whether it proves something.
    confirmed: bool,
    /// When it was added.
    created_at: Moment,
    /// When it last proved its owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<Moment>,
}

/// The authenticators of a person.
#[derive(Debug, Serialize, ToSchema)]
struct Authenticators {
    /// Each of them.
    items: Vec<AuthenticatorView>,
    /// Where more follow: nowhere.
    next: Option<String>,
}

/// A secret for an app that makes codes of the time.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuthenticatorSetup {
    /// The authenticator, for its confirmation.
    id: String,
    /// The secret in base32.
    secret: String,
    /// The same with what an app wants to know.
    otpauth_uri: String,
    /// The URI as a picture: an SVG element.
    qr_svg: String,
    /// The URI as a picture: a PNG.
    qr_png_base64: String,
    /// Seconds that it waits.
    expires_in: u64,
}

/// An address that waits for its code.
#[derive(Debug, Serialize, ToSchema)]
struct AddressSetup {
    /// The authenticator, for its confirmation.
    id: String,
    /// The address as it is kept.
    address: String,
    /// Seconds that the code is good for.
    expires_in: u64,
    /// Seconds until the next may be asked for.
    resend_after: u64,
}

/// A passkey that waits for its registration.
#[derive(Debug, Serialize, ToSchema)]
struct PasskeySetup {
    /// The authenticator, for its confirmation.
    id: String,
    /// `publicKey` of `navigator.credentials.create` (W3C Web Authentication).
    #[schema(value_type = Object)]
    public_key: Value,
    /// Seconds that it waits.
    expires_in: u64,
}

/// An authenticator that is asked for from now on.
#[derive(Debug, Serialize, ToSchema)]
struct Confirmed {
    /// Its name in the paths.
    id: String,
    /// Codes for the day when it is lost, told once; missing for who has some.
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_codes: Option<Vec<String>>,
}

impl From<&Authenticator> for AuthenticatorView {
    fn from(own: &Authenticator) -> Self {
        Self {
            id: own.id.to_string(),
            r#type: own.kind.as_str(),
            name: own.name.clone(),
            confirmed: own.confirmed_at.is_some(),
            created_at: Moment(own.created_at),
            last_used_at: own.last_used_at.map(Moment),
        }
    }
}

impl AuthenticatorSetup {
    /// As the API tells it, once.
    ///
    /// # Errors
    /// Internal, when it does not fit into a picture, which cannot be.
    pub(super) fn of(setup: &TotpSetup) -> Result<Self, Fault> {
        let uri = setup.uri.expose();
        let picture = Picture::of(uri).ok_or_else(|| Fault::internal("a name is too long for a picture"))?;
        Ok(Self {
            id: setup.id.to_string(),
            secret: setup.secret.expose().clone(),
            otpauth_uri: uri.clone(),
            qr_svg: picture.svg(),
            qr_png_base64: STANDARD.encode(picture.png()),
            expires_in: SETUP_LIFETIME.as_secs(),
        })
    }
}

/// An attempt of the person who calls.
pub(super) fn attempt(web: &Web, person: &Person) -> Result<Attempt, Problem> {
    let acting = acting(person).ok_or(Code::Forbidden)?;
    Ok(again::attempt(web, &person.guest.visitor, &acting))
}

/// Codes as they are told, once.
pub(super) fn told(codes: &[Secret]) -> Vec<String> {
    codes.iter().map(|code| code.expose().clone()).collect()
}

async fn list(State(web): State<Web>, person: Person) -> Result<Response, Problem> {
    let (store, now) = (&web.provider.edges.store, web.provider.now());
    let own = store.authenticators(person.user.id).await?;
    let shown = own.iter().filter(|own| own.confirmed_at.is_some() || own.is_waiting(now));
    Ok(ok(&Authenticators { items: shown.map(AuthenticatorView::from).collect(), next: None }))
}

async fn add(State(web): State<Web>, person: Person, Json(body): Json<AddAuthenticator>) -> Result<Response, Problem> {
    demand(&web, &person).await?;
    let name: String = body.name.unwrap_or_default();
    if name.chars().count() > MAX_NAME {
        return Err(Problem::field("name", Code::TooLong));
    }
    match body.r#type {
        Kind::Totp => {
            let setup = web.provider.factors.begin_totp(&person.user, name.trim()).await?;
            Ok(answer(StatusCode::CREATED, &AuthenticatorSetup::of(&setup)?))
        }
        Kind::Passkey => {
            let passkeys = web.provider.passkeys.as_ref().ok_or(Code::NotFound)?;
            let (id, public_key) = passkeys.begin_registration(&person.user).await?;
            let setup = PasskeySetup { id: id.to_string(), public_key, expires_in: LIFETIME.as_secs() };
            Ok(answer(StatusCode::CREATED, &setup))
        }
        kind @ (Kind::Email | Kind::Sms) => {
            let kind = if kind == Kind::Email { AuthenticatorKind::Email } else { AuthenticatorKind::Sms };
            let asking = person.guest.asking(&web, None).await?;
            let wanted = (kind, body.address.as_deref(), name.trim());
            let begun = web.provider.accounts.begin_code_factor(&person.user, wanted, &asking).await?;
            let CodeFactorBegun { id, address, expires_in, resend_after } = begun;
            let setup = AddressSetup { id: id.to_string(), address, expires_in, resend_after };
            Ok(answer(StatusCode::ACCEPTED, &setup))
        }
    }
}

async fn confirm(
    State(web): State<Web>,
    person: Person,
    Segment(id): Segment,
    Json(body): Json<ConfirmAuthenticator>,
) -> Result<Response, Problem> {
    demand(&web, &person).await?;
    let factors = &web.provider.factors;
    let attempt = attempt(&web, &person)?;
    if let Some(credential) = body.credential {
        return register(&web, &person, (&id, credential, body.name.unwrap_or_default()), &attempt).await;
    }
    let code = body.code.ok_or_else(|| Problem::field("code", Code::Required))?;
    let own = factors.authenticator(&person.user, &id).await?;
    let proof = (&own, &code);
    let codes = if own.kind == AuthenticatorKind::Totp {
        factors.confirm_totp(&person.user, proof, &attempt).await?
    } else {
        web.provider.accounts.confirm_code_factor(factors, &person.user, proof, &attempt).await?
    };
    let backup_codes = Some(told(&codes)).filter(|codes| !codes.is_empty());
    Ok(ok(&Confirmed { id: own.id.to_string(), backup_codes }))
}

/// Confirms a passkey.
async fn register(
    web: &Web,
    person: &Person,
    (id, credential, name): (&str, Map<String, Value>, String),
    attempt: &Attempt,
) -> Result<Response, Problem> {
    let passkeys = web.provider.passkeys.as_ref().ok_or(Code::NotFound)?;
    let id: AuthenticatorId = id.parse().map_err(|_| Problem::new(Code::DeviceDoesNotExist))?;
    let credential = Value::Object(credential).to_string();
    let name: String = name.trim().chars().take(MAX_NAME).collect();
    match passkeys.finish_registration(&person.user, id, (&credential, &name), attempt).await {
        Ok(()) => Ok(ok(&Confirmed { id: id.to_string(), backup_codes: None })),
        Err(Refusal::FlowInvalid) => Err(Problem::new(Code::SetupRequired)),
        Err(Refusal::Wrong) => Err(Problem::field("credential", Code::InvalidValue)),
        Err(refusal) => Err(refusal.into()),
    }
}

async fn rename(
    State(web): State<Web>,
    person: Person,
    Segment(id): Segment,
    Json(body): Json<RenameAuthenticator>,
) -> Result<Response, Problem> {
    let factors = &web.provider.factors;
    let own = factors.authenticator(&person.user, &id).await?;
    let name = own_name(&body.name).ok_or_else(|| Problem::field("name", Code::InvalidValue))?;
    factors.rename(&own, &name).await?;
    Ok(ok(&AuthenticatorView::from(&Authenticator { name, ..own })))
}

async fn remove(State(web): State<Web>, person: Person, Segment(id): Segment) -> Result<Response, Problem> {
    demand(&web, &person).await?;
    let factors = &web.provider.factors;
    let own = factors.authenticator(&person.user, &id).await?;
    factors.remove(&person.user, &own, &attempt(&web, &person)?).await?;
    Ok(nothing())
}
