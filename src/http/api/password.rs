//! `/api/v1/password-checks`, `/api/v1/me/password`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use http::header::HeaderValue;
use serde::Serialize;
use utoipa::ToSchema;

use crate::account::password_change::{Asking, Change, Mistake, Others, Refused, Renewed};
use crate::authn::password::strength::{Known, Weakness};
use crate::http::api::answer::{nothing, ok};
use crate::http::api::body::{Json, body};
use crate::http::api::caller::{Guest, Means, Person};
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, post, put};
use crate::http::api::problem::{FieldError, Problem};
use crate::http::api::recent::demand;
use crate::http::page::again::life;
use crate::http::web::{Web, with_cookies};
use crate::protocol::secret::Secret;

/// What a new password can be refused for.
pub(super) const POLICY: &[Code] = &[
    Code::PasswordTooShort,
    Code::TooLong,
    Code::PasswordTooSimilar,
    Code::PasswordTooCommon,
    Code::PasswordEntirelyNumeric,
    Code::PasswordBreached,
    Code::PasswordUnchecked,
];

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        post(("/password-checks", Group::Validate), "Try a password against the policy", check)
            .takes::<PasswordCheck>()
            .gives::<ValidPassword>(StatusCode::OK, "It may be used.")
            .refuses(POLICY)
            .refuses(&[Code::LinkInvalid]),
        put(("/me/password", Group::Me), "Change the password", change)
            .by_person()
            .takes::<ChangePassword>()
            .gives_nothing(StatusCode::NO_CONTENT, "It is changed; other sessions and all tokens have ended.")
            .refuses(POLICY)
            .refuses(&[
                Code::InvalidPassword,
                Code::PasswordsNotIdentical,
                Code::TooManyAttempts,
                Code::ReauthRequired,
            ]),
    ]
}

body! {
    /// A password that is tried before it is set.
    struct PasswordCheck {
        /// The password.
        password: Secret,
        /// The address that the account has or will have.
        email: Option<String>,
        /// Its username.
        username: Option<String>,
        /// The token of a link that sets a password: the names of its account count.
        token: Option<Secret>,
        /// The handle of a registration: what was typed for it counts.
        registration: Option<Secret>,
    }
}

body! {
    /// A change of password.
    struct ChangePassword {
        /// The password as it is; left out by a person who has none, and who proved a short while ago who they are.
        current_password: Option<Secret>,
        /// The password as it shall be.
        new_password: Secret,
        /// The same once more; it may be left out.
        confirm_password: Option<Secret>,
        /// Whether other sessions end; `false` where the operator allows it.
        sign_out_others: Option<bool>,
    }
}

/// A password that may be used.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct ValidPassword {
    /// Always true.
    valid: bool,
}

/// A weakness at `field`.
pub(super) fn weak(field: &'static str, weakness: Weakness) -> FieldError {
    let error = FieldError::new(field, Code::parse(weakness.code()).unwrap_or(Code::InvalidValue));
    match weakness.param() {
        Some((name, bound)) => error.with(name, bound),
        None => error,
    }
}

async fn check(State(web): State<Web>, guest: Guest, Json(body): Json<PasswordCheck>) -> Result<Response, Problem> {
    let accounts = &web.provider.accounts;
    let known = match (&body.token, &body.registration) {
        (Some(token), _) => accounts.known_by_reset(token).await?.ok_or(Code::LinkInvalid)?,
        (None, Some(handle)) => {
            let asking = guest.asking(&web, None).await?;
            accounts.known_by_registration(handle, &asking).await?.ok_or(Code::LinkInvalid)?
        }
        (None, None) => Known::default(),
    };
    let known = body.email.iter().chain(&body.username).fold(known, |known, name| known.with(name));
    let weaknesses = web.passwords.weaknesses(&body.password, known).await?;
    if weaknesses.is_empty() {
        return Ok(ok(&ValidPassword { valid: true }));
    }
    Err(Problem::fields(weaknesses.into_iter().map(|weakness| weak("password", weakness)).collect()))
}

async fn change(State(web): State<Web>, person: Person, Json(body): Json<ChangePassword>) -> Result<Response, Problem> {
    if body.current_password.is_none() {
        if web.provider.edges.store.password(person.user.id).await?.is_some() {
            return Err(Problem::field("current_password", Code::Required));
        }
        demand(&web, &person).await?;
    }
    let change = Change {
        current: body.current_password,
        new: body.new_password,
        confirm: body.confirm_password,
        others: if body.sign_out_others == Some(false) { Others::Stay } else { Others::End },
    };
    match web.password_change.change(&asking(&web, &person), &change).await {
        Ok(renewed) => Ok(with_cookies(nothing(), renewed.map(|renewed| cookie(&web, &renewed)))),
        Err(Refused::Mistakes(mistakes)) => Err(Problem::fields(mistakes.into_iter().map(field).collect())),
        Err(Refused::NoChoice) => Err(Problem::new(Code::Forbidden).hint("other sessions end with the old password")),
        Err(Refused::Unheard(refusal)) => Err(refusal.into()),
    }
}

/// The new cookie of the session that goes on.
fn cookie(web: &Web, renewed: &Renewed) -> HeaderValue {
    web.cookies.set_session(&renewed.token, life(web, &renewed.session))
}

fn field(mistake: Mistake) -> FieldError {
    match mistake {
        Mistake::Current => FieldError::new("current_password", Code::InvalidPassword),
        Mistake::New(weakness) => weak("new_password", weakness),
        Mistake::Confirm => FieldError::new("confirm_password", Code::PasswordsNotIdentical),
    }
}

fn asking(web: &Web, person: &Person) -> Asking {
    let visitor = &person.guest.visitor;
    let (session, client) = match &person.by {
        Means::Session(session) => (Some(session.id), None),
        Means::Token(token) => (None, Some(token.client.id.clone())),
    };
    Asking {
        user: Arc::clone(&person.user),
        session,
        client,
        device: web.cookies.device(&visitor.headers),
        provenance: person.guest.provenance.clone(),
        languages: vec![web.pages.frame(visitor.id, &visitor.headers, &[]).language.tag().to_owned()],
    }
}
