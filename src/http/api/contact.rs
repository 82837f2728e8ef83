//! `/me/emails`, `/me/phones` and the change of the primary address (S-116 to S-120).
//!
//! `ACCOUNT_API.md` §3.2. An address of somebody else gets the same answer as any other; only its owner could type the code.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::account::contact::ContactBegun;
use crate::account::email_change::EmailChangeProof;
use crate::edge::store::Kept;
use crate::http::api::answer::{answer, nothing, ok};
use crate::http::api::body::{Json, body};
use crate::http::api::caller::{Guest, Person, csrf_token_of};
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, delete, get, post, put};
use crate::http::api::problem::Problem;
use crate::http::api::recent::demand;
use crate::http::api::recovery::{Sent, one_proof};
use crate::http::extract::params::Segment;
use crate::http::page::again::life;
use crate::http::web::{Web, with_cookies};
use crate::model::id::IdentifierId;
use crate::model::user::{Identifier, IdentifierKind};
use crate::protocol::secret::{Secret, TokenHash};

/// What asking for a further address or number can be refused with.
const ADDING: &[Code] = &[
    Code::ReauthRequired,
    Code::IdentityNotAllowed,
    Code::AlreadyVerified,
    Code::CodeRecentlySent,
    Code::RateLimited,
    Code::SmsBudgetExceeded,
];

/// What its code can be refused with.
const CONFIRMING: &[Code] = &[
    Code::WrongCode,
    Code::CodeExpired,
    Code::CodeAttemptsExceeded,
    Code::RateLimited,
    Code::TooManyAttempts,
    Code::AlreadyVerified,
];

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/me/emails", Group::Me), "The person's e-mail addresses", list_emails)
            .by_person()
            .gives::<Contacts>(StatusCode::OK, "The addresses, the primary one first."),
        post(("/me/emails", Group::Me), "Add an e-mail address", add_email)
            .by_person()
            .takes::<AddEmail>()
            .gives::<ContactAdded>(StatusCode::ACCEPTED, "A code was sent to the address.")
            .refuses(ADDING)
            .refuses(&[Code::InvalidEmail]),
        post(("/me/emails/{id}/confirm", Group::Me), "Confirm an e-mail address by its code", confirm_email)
            .by_person()
            .takes::<ConfirmContact>()
            .gives::<ContactView>(StatusCode::OK, "The address is the person's.")
            .refuses(CONFIRMING)
            .refuses(&[Code::EmailTaken]),
        put(("/me/emails/{id}/primary", Group::Me), "Make an e-mail address the primary one", prefer_email)
            .by_person()
            .gives_nothing(StatusCode::NO_CONTENT, "It is; every other session has ended.")
            .refuses(&[Code::ReauthRequired, Code::VerificationRequired]),
        delete(("/me/emails/{id}", Group::Me), "Remove an e-mail address", remove_email)
            .by_person()
            .gives_nothing(StatusCode::NO_CONTENT, "It is gone; every other session has ended.")
            .refuses(&[Code::ReauthRequired, Code::LastDevice]),
        get(("/me/phones", Group::Me), "The person's phone numbers", list_phones)
            .by_person()
            .gives::<Contacts>(StatusCode::OK, "The numbers, the primary one first."),
        post(("/me/phones", Group::Me), "Add a phone number", add_phone)
            .by_person()
            .takes::<AddPhone>()
            .gives::<ContactAdded>(StatusCode::ACCEPTED, "A code was sent to the number.")
            .refuses(ADDING)
            .refuses(&[Code::InvalidPhoneNumber]),
        post(("/me/phones/{id}/confirm", Group::Me), "Confirm a phone number by its code", confirm_phone)
            .by_person()
            .takes::<ConfirmContact>()
            .gives::<ContactView>(StatusCode::OK, "The number is the person's.")
            .refuses(CONFIRMING)
            .refuses(&[Code::PhoneTaken]),
        put(("/me/phones/{id}/primary", Group::Me), "Make a phone number the primary one", prefer_phone)
            .by_person()
            .gives_nothing(StatusCode::NO_CONTENT, "It is; every other session has ended.")
            .refuses(&[Code::ReauthRequired, Code::VerificationRequired]),
        delete(("/me/phones/{id}", Group::Me), "Remove a phone number", remove_phone)
            .by_person()
            .gives_nothing(StatusCode::NO_CONTENT, "It is gone; every other session has ended.")
            .refuses(&[Code::ReauthRequired, Code::LastDevice]),
        post(("/me/email-changes", Group::Me), "Put another e-mail address in the place of the primary one", change)
            .by_person()
            .takes::<ChangeEmail>()
            .gives::<Sent>(StatusCode::ACCEPTED, "The new address got a link and a code, the old one a notice.")
            .refuses(ADDING)
            .refuses(&[Code::InvalidEmail, Code::UnauthorizedClient]),
        post(("/email-changes/confirm", Group::Me), "Confirm the new address by its link or code", confirm_change)
            .takes::<ConfirmEmailChange>()
            .gives::<EmailChanged>(StatusCode::OK, "The address is changed; every other session has ended.")
            .refuses(&[Code::WrongCode, Code::CodeAttemptsExceeded, Code::EmailChangeExpired, Code::EmailTaken]),
    ]
}

body! {
    /// An address that is to be added.
    struct AddEmail {
        /// The address.
        email: String,
    }
}

body! {
    /// A number that is to be added.
    struct AddPhone {
        /// The number with its country.
        phone: String,
    }
}

body! {
    /// The code that was sent.
    struct ConfirmContact {
        /// The code.
        code: String,
    }
}

body! {
    /// The address that shall be.
    struct ChangeEmail {
        /// The address.
        new_email: String,
        /// The app that it is for, if that takes the link.
        client_id: Option<String>,
    }
}

body! {
    /// What proves the new address: the token of the link, or the code with its handle.
    struct ConfirmEmailChange {
        /// The token of the link.
        token: Option<Secret>,
        /// The handle of the code.
        flow: Option<Secret>,
        /// The code.
        code: Option<String>,
    }
}

/// An address or number of a person.
#[derive(Debug, Serialize, ToSchema)]
struct ContactView {
    /// Its name in the paths.
    id: String,
    /// As it is kept.
    value: String,
    /// Whether it was proven.
    verified: bool,
    /// Whether it is the one of its kind that is shown and told to apps.
    primary: bool,
}

/// Addresses or numbers of a person.
#[derive(Debug, Serialize, ToSchema)]
struct Contacts {
    /// Each of them.
    items: Vec<ContactView>,
    /// Where more follow: nowhere.
    next: Option<String>,
}

/// An address or number that waits for its code.
#[derive(Debug, Serialize, ToSchema)]
struct ContactAdded {
    /// Its name in the paths.
    id: String,
    /// As it will be kept.
    value: String,
    /// Seconds that the code is good for.
    expires_in: u64,
    /// Seconds until the next may be asked for.
    resend_after: u64,
}

/// An address that was changed.
#[derive(Debug, Serialize, ToSchema)]
struct EmailChanged {
    /// The address.
    email: String,
    /// What belongs into `X-CSRF-Token` from now on; where the session of the person stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf_token: Option<String>,
}

impl From<&Identifier> for ContactView {
    fn from(identifier: &Identifier) -> Self {
        Self {
            id: identifier.id.to_string(),
            value: identifier.value.clone(),
            verified: identifier.verified_at.is_some(),
            primary: identifier.is_primary,
        }
    }
}

impl From<ContactBegun> for ContactAdded {
    fn from(begun: ContactBegun) -> Self {
        Self {
            id: begun.id.to_string(),
            value: begun.value,
            expires_in: begun.expires_in,
            resend_after: begun.resend_after,
        }
    }
}

async fn list_emails(person: Person) -> Response {
    list(&person, IdentifierKind::Email)
}

async fn list_phones(person: Person) -> Response {
    list(&person, IdentifierKind::Phone)
}

fn list(person: &Person, kind: IdentifierKind) -> Response {
    let mut own: Vec<&Identifier> = person.user.of_kind(kind).collect();
    own.sort_by_key(|identifier| (!identifier.is_primary, identifier.id));
    ok(&Contacts { items: own.into_iter().map(ContactView::from).collect(), next: None })
}

async fn add_email(State(web): State<Web>, person: Person, Json(body): Json<AddEmail>) -> Result<Response, Problem> {
    add(&web, &person, (IdentifierKind::Email, &body.email)).await
}

async fn add_phone(State(web): State<Web>, person: Person, Json(body): Json<AddPhone>) -> Result<Response, Problem> {
    add(&web, &person, (IdentifierKind::Phone, &body.phone)).await
}

async fn add(web: &Web, person: &Person, typed: (IdentifierKind, &str)) -> Result<Response, Problem> {
    demand(web, person).await?;
    let asking = person.guest.asking(web, None).await?;
    let begun = web.provider.accounts.add_contact(&person.user, typed, &asking).await?;
    Ok(answer(StatusCode::ACCEPTED, &ContactAdded::from(begun)))
}

async fn confirm_email(
    State(web): State<Web>,
    person: Person,
    Segment(id): Segment,
    Json(body): Json<ConfirmContact>,
) -> Result<Response, Problem> {
    confirm(&web, &person, (IdentifierKind::Email, &id), &body.code).await
}

async fn confirm_phone(
    State(web): State<Web>,
    person: Person,
    Segment(id): Segment,
    Json(body): Json<ConfirmContact>,
) -> Result<Response, Problem> {
    confirm(&web, &person, (IdentifierKind::Phone, &id), &body.code).await
}

async fn confirm(
    web: &Web,
    person: &Person,
    (kind, id): (IdentifierKind, &str),
    code: &str,
) -> Result<Response, Problem> {
    let asking = person.guest.asking(web, None).await?;
    let proof = (kind, named(id)?, code);
    let confirmed = web.provider.accounts.confirm_contact(&person.user, proof, &asking).await?;
    Ok(ok(&ContactView::from(&confirmed)))
}

async fn prefer_email(State(web): State<Web>, person: Person, Segment(id): Segment) -> Result<Response, Problem> {
    prefer(&web, &person, (IdentifierKind::Email, &id)).await
}

async fn prefer_phone(State(web): State<Web>, person: Person, Segment(id): Segment) -> Result<Response, Problem> {
    prefer(&web, &person, (IdentifierKind::Phone, &id)).await
}

async fn prefer(web: &Web, person: &Person, (kind, id): (IdentifierKind, &str)) -> Result<Response, Problem> {
    demand(web, person).await?;
    let asking = person.guest.asking(web, None).await?;
    web.provider.accounts.make_contact_primary(&person.user, (kind, named(id)?), &asking).await?;
    Ok(nothing())
}

async fn remove_email(State(web): State<Web>, person: Person, Segment(id): Segment) -> Result<Response, Problem> {
    remove(&web, &person, (IdentifierKind::Email, &id)).await
}

async fn remove_phone(State(web): State<Web>, person: Person, Segment(id): Segment) -> Result<Response, Problem> {
    remove(&web, &person, (IdentifierKind::Phone, &id)).await
}

async fn remove(web: &Web, person: &Person, (kind, id): (IdentifierKind, &str)) -> Result<Response, Problem> {
    demand(web, person).await?;
    let asking = person.guest.asking(web, None).await?;
    web.provider.accounts.remove_contact(&person.user, (kind, named(id)?), &asking).await?;
    Ok(nothing())
}

/// What is no id is nobody's.
fn named(id: &str) -> Result<IdentifierId, Problem> {
    id.parse().map_err(|_| Problem::new(Code::NotFound))
}

async fn change(State(web): State<Web>, person: Person, Json(body): Json<ChangeEmail>) -> Result<Response, Problem> {
    demand(&web, &person).await?;
    let asking = person.guest.asking(&web, body.client_id.as_deref()).await?;
    let begun = web.provider.accounts.request_email_change(&person.user, &body.new_email, &asking).await?;
    let flow = Some(begun.flow.expose().clone());
    Ok(answer(StatusCode::ACCEPTED, &Sent { flow, expires_in: begun.expires_in, resend_after: begun.resend_after }))
}

async fn confirm_change(
    State(web): State<Web>,
    guest: Guest,
    Json(body): Json<ConfirmEmailChange>,
) -> Result<Response, Problem> {
    let proof = match (body.token, body.flow, body.code) {
        (Some(token), None, None) => EmailChangeProof::Link(token),
        (None, Some(flow), Some(code)) => EmailChangeProof::Code { flow, code },
        (token, flow, code) => return Err(one_proof((token.is_some(), flow.is_some(), code.is_some()))),
    };
    let asking = guest.asking(&web, None).await?;
    let cookie = web.provider.edges.random.token();
    let session = guest.visitor.browser.session.as_ref();
    let keep = session.map(|session| Kept { session: session.id, token: TokenHash::of(cookie.expose()) });
    let (owner, email) = web.provider.accounts.confirm_email_change(&proof, keep, &asking).await?;
    let Some(session) = session.filter(|session| session.authentication.user == owner) else {
        return Ok(ok(&EmailChanged { email: email.value, csrf_token: None }));
    };
    let life = life(&web, session);
    let changed = EmailChanged { email: email.value, csrf_token: Some(csrf_token_of(&web, &cookie)) };
    Ok(with_cookies(ok(&changed), [web.cookies.set_session(&cookie, life)]))
}
