//! `/registrations`: making an account (S-002 to S-010, S-012, S-017).
//!
//! `ACCOUNT_API.md` §3.2. An address that has an account gets the same answer as any other, unless the operator chose to say so.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa::openapi::schema::{AdditionalProperties, Object};

use crate::account::registration::{Begun, Made, NewAccount};
use crate::authn::Refusal;
use crate::authn::flow::{Opening, Step};
use crate::edge::store::Beside;
use crate::http::api::answer::{answer, ok};
use crate::http::api::body::{Body, Fields, Json, Text, body};
use crate::http::api::caller::{Guest, csrf_token_of};
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, post};
use crate::http::api::password::POLICY;
use crate::http::api::problem::Problem;
use crate::http::api::sign_in::{attempt, caller};
use crate::http::web::{Web, with_cookies};
use crate::model::authentication::Demand;
use crate::model::sign_in_flow::Purpose;
use crate::model::user::IdentifierKind;
use crate::oauth::interaction::sign_in::{Keep, Persistence, sign_in};
use crate::protocol::oidc::claims::Profile;
use crate::protocol::secret::Secret;

/// What is wrong with a name, address or number.
pub(super) const NAMES: &[Code] = &[
    Code::InvalidEmail,
    Code::InvalidPhoneNumber,
    Code::IdentityNotAllowed,
    Code::EmailTaken,
    Code::PhoneTaken,
    Code::UsernameTaken,
];

/// What a message can be refused with.
pub(super) const SENDING: &[Code] =
    &[Code::Forbidden, Code::RateLimited, Code::CodeRecentlySent, Code::SmsBudgetExceeded];

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        post(("/registrations", Group::Register), "Begin to make an account", begin)
            .takes::<Registration>()
            .gives::<RegistrationBegun>(StatusCode::ACCEPTED, "A message was sent to the address or number.")
            .refuses(NAMES)
            .refuses(POLICY)
            .refuses(SENDING)
            .refuses(&[
                Code::PasswordsNotIdentical,
                Code::SignupNotAllowed,
                Code::UnauthorizedClient,
                Code::DeliveryFailed,
            ]),
        post(("/registrations/resend", Group::Register), "Send the message of a registration once more", resend)
            .takes::<ResendRegistration>()
            .gives::<RegistrationBegun>(StatusCode::ACCEPTED, "A message was sent to the address or number.")
            .refuses(SENDING)
            .refuses(&[Code::RegistrationInvalid, Code::RegistrationExpired, Code::DeliveryFailed]),
        post(("/registrations/confirm", Group::Register), "Make the account by the code of the message", confirm)
            .takes::<ConfirmRegistration>()
            .gives::<Account>(StatusCode::CREATED, "The account is made.")
            .refuses(NAMES)
            .refuses(&[
                Code::RegistrationInvalid,
                Code::RegistrationExpired,
                Code::AlreadyVerified,
                Code::WrongCode,
                Code::CodeAttemptsExceeded,
            ]),
        post(("/registrations/activate", Group::Activate), "Activate an account by the link of the message", activate)
            .takes::<ActivateAccount>()
            .gives::<Account>(StatusCode::OK, "The account may be used.")
            .refuses(&[Code::ActivationLinkInvalid]),
    ]
}

body! {
    /// An account that is wanted. Members that are named in none of these are attributes of the settings.
    struct Addressed {
        /// An e-mail address; it or a phone number must be there.
        email: Option<String>,
        /// A phone number with its country.
        phone: Option<String>,
        /// The app that it is for.
        client_id: Option<String>,
    }
}

body! {
    /// Who an account is for.
    struct Known {
        /// A chosen name, where the server asks for one.
        username: Option<Text>,
        /// The password, if one is wanted.
        password: Option<Secret>,
        /// The same once more; checked where it is there.
        confirm_password: Option<Secret>,
        /// The given name.
        first_name: Option<Text>,
        /// The family name.
        last_name: Option<Text>,
        /// The language of messages and pages, as a BCP 47 tag.
        locale: Option<Text>,
    }
}

/// Who an account is for, with the attributes of the settings: part of the bodies that make one.
#[derive(Clone, Debug)]
pub(super) struct NewPerson {
    known: Known,
    attributes: Map<String, Value>,
}

impl NewPerson {
    /// Takes its members out of `fields`, and all that nothing has taken: to be read last.
    pub(super) fn read(fields: &mut Fields) -> Option<Self> {
        let known = Known::read(fields);
        let attributes = fields.rest();
        Some(Self { known: known?, attributes })
    }

    /// The schema of a body that has its members beside those of `body`.
    pub(super) fn beside(mut body: Object) -> Object {
        body.properties.extend(Known::schema().properties);
        body.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(true)));
        body
    }

    /// The account, without the address that proves it.
    pub(super) fn account(self) -> NewAccount {
        let Known { username, password, confirm_password, first_name, last_name, locale } = self.known;
        let text = |text: Option<Text>| text.map(|Text(text)| text);
        NewAccount {
            username: text(username),
            password,
            confirm_password,
            profile: Profile {
                given_name: text(first_name),
                family_name: text(last_name),
                locale: text(locale),
                ..Profile::default()
            },
            attributes: self.attributes,
            ..NewAccount::default()
        }
    }
}

/// An account that is wanted, with who it is for.
#[derive(Clone, Debug)]
struct Registration {
    addressed: Addressed,
    person: NewPerson,
}

impl Body for Registration {
    const NAME: &'static str = "Registration";

    fn read(fields: &mut Fields) -> Option<Self> {
        let (addressed, person) = (Addressed::read(fields), NewPerson::read(fields));
        Some(Self { addressed: addressed?, person: person? })
    }

    fn schema() -> Object {
        NewPerson::beside(Addressed::schema())
    }
}

body! {
    /// A registration that waits.
    struct ResendRegistration {
        /// Its handle.
        registration: Option<Secret>,
    }
}

body! {
    /// The code of a registration.
    struct ConfirmRegistration {
        /// The handle.
        registration: Option<Secret>,
        /// The code of the message.
        code: String,
        /// Another name, where the one that was chosen turned out to be taken.
        username: Option<String>,
        /// A session begins in this browser, as after a sign-in, unless the account needs one more proof.
        sign_in: Option<bool>,
    }
}

body! {
    /// The link of an account that waits.
    struct ActivateAccount {
        /// The token of the link.
        token: Secret,
    }
}

/// A registration that waits for what the message says.
#[derive(Debug, Serialize, ToSchema)]
struct RegistrationBegun {
    /// The handle for what follows.
    registration: String,
    /// Seconds that it is good for.
    expires_in: u64,
    /// Seconds until the message may be asked for again.
    resend_after: u64,
}

impl From<Begun> for RegistrationBegun {
    fn from(begun: Begun) -> Self {
        Self {
            registration: begun.registration.expose().clone(),
            expires_in: begun.expires_in,
            resend_after: begun.resend_after,
        }
    }
}

/// An account.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Account {
    /// Whose; the `sub` of their tokens.
    id: String,
    /// The e-mail address.
    email: Option<String>,
    /// The phone number, in E.164.
    phone: Option<String>,
    /// The chosen name.
    username: Option<String>,
    /// What belongs into `X-CSRF-Token` from now on; where a session began.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf_token: Option<String>,
}

impl From<Made> for Account {
    fn from(made: Made) -> Self {
        let value = |kind| made.user.primary(kind).map(|identifier| identifier.value.clone());
        Self {
            id: made.user.id.to_string(),
            email: value(IdentifierKind::Email),
            phone: value(IdentifierKind::Phone),
            username: value(IdentifierKind::Username),
            csrf_token: None,
        }
    }
}

async fn begin(State(web): State<Web>, guest: Guest, Json(body): Json<Registration>) -> Result<Response, Problem> {
    let Registration { addressed: Addressed { email, phone, client_id }, person } = body;
    let asking = guest.asking(&web, client_id.as_deref()).await?;
    let new = NewAccount { email, phone, ..person.account() };
    let begun = web.provider.accounts.start_registration(new, &asking).await?;
    Ok(answer(StatusCode::ACCEPTED, &RegistrationBegun::from(begun)))
}

async fn resend(
    State(web): State<Web>,
    guest: Guest,
    Json(body): Json<ResendRegistration>,
) -> Result<Response, Problem> {
    let asking = guest.asking(&web, None).await?;
    let handle = handle(body.registration)?;
    let begun = web.provider.accounts.resend_registration(handle.expose(), &asking).await?;
    Ok(answer(StatusCode::ACCEPTED, &RegistrationBegun::from(begun)))
}

async fn confirm(
    State(web): State<Web>,
    guest: Guest,
    Json(body): Json<ConfirmRegistration>,
) -> Result<Response, Problem> {
    let signs_in = body.sign_in == Some(true);
    if signs_in {
        guest.check_csrf_token(&web)?;
    }
    let asking = guest.asking(&web, None).await?;
    let handle = handle(body.registration)?;
    let proof = (handle.expose().as_str(), body.code.as_str());
    let made = web.provider.accounts.confirm_registration(proof, body.username.as_deref(), &asking).await?;
    finish(&web, &guest, (made, "registration"), Session::of(signs_in)).await
}

/// Whether a session begins with an account.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum Session {
    /// None does.
    None,
    /// One does, in this browser.
    Begins,
}

impl Session {
    /// As a body asks for it.
    pub(super) const fn of(wanted: bool) -> Self {
        if wanted { Self::Begins } else { Self::None }
    }
}

/// Tells of an account that was made by `method`, and begins a session where one is wanted.
///
/// # Errors
/// A fault of a store.
pub(super) async fn finish(
    web: &Web,
    guest: &Guest,
    (made, method): (Made, &'static str),
    session: Session,
) -> Result<Response, Problem> {
    if session == Session::None {
        return Ok(answer(StatusCode::CREATED, &Account::from(made)));
    }
    let proof = (method, made.authentication(web.provider.now()));
    let begun_by = caller(guest, None);
    let opening = Opening { begun_by, purpose: Purpose::Session, demand: Demand::default(), path: None };
    let step = web.sign_in().go_on_from(&attempt(web, guest, None), proof, opening).await;
    let authentication = match step {
        Ok(Step::Complete(completed)) => completed.authentication,
        Err(Refusal::Fault(fault)) => return Err(fault.into()),
        // The account is there; what it needs beside, a sign-in asks for.
        Ok(Step::Challenge(_)) | Err(_) => return Ok(answer(StatusCode::CREATED, &Account::from(made))),
    };
    let keep = Keep { persistent: Persistence::Browser, method, client: None, beside: Beside::default() };
    let signed_in = sign_in(&web.provider, &guest.visitor.browser, authentication, keep).await?;
    let account = Account { csrf_token: Some(csrf_token_of(web, &signed_in.token)), ..Account::from(made) };
    let cookies = web.session_cookies(&guest.visitor, &signed_in);
    Ok(with_cookies(answer(StatusCode::CREATED, &account), cookies))
}

async fn activate(
    State(web): State<Web>,
    guest: Guest,
    Json(body): Json<ActivateAccount>,
) -> Result<Response, Problem> {
    let asking = guest.asking(&web, None).await?;
    Ok(ok(&Account::from(web.provider.accounts.activate(body.token.expose(), &asking).await?)))
}

/// No handle is as good as a wrong one (S-004).
fn handle(registration: Option<Secret>) -> Result<Secret, Problem> {
    registration.ok_or_else(|| Problem::new(Code::RegistrationInvalid))
}
