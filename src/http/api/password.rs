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
use crate::http::cookie::Keep;
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
            .refuses(POLICY),
        put(("/me/password", Group::Me), "Change the password", change)
            .by_person()
            .takes::<ChangePassword>()
            .gives_nothing(StatusCode::NO_CONTENT, "It is changed; other sessions and all tokens have ended.")
            .refuses(POLICY)
            .refuses(&[Code::InvalidPassword, Code::PasswordsNotIdentical, Code::TooManyAttempts]),
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
    }
}

body! {
    /// A change of password.
    struct ChangePassword {
        /// The password as it is.
        current_password: Secret,
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

async fn check(State(web): State<Web>, _: Guest, Json(body): Json<PasswordCheck>) -> Result<Response, Problem> {
    let names = body.email.iter().chain(&body.username);
    let known = names.fold(Known::default(), |known, name| known.with(name));
    let weaknesses = web.passwords.weaknesses(&body.password, known).await?;
    if weaknesses.is_empty() {
        return Ok(ok(&ValidPassword { valid: true }));
    }
    Err(Problem::fields(weaknesses.into_iter().map(|weakness| weak("password", weakness)).collect()))
}

async fn change(State(web): State<Web>, person: Person, Json(body): Json<ChangePassword>) -> Result<Response, Problem> {
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
    let session = &renewed.session;
    let keep =
        if session.is_persistent { Keep::For(session.expires_at.since(web.provider.now())) } else { Keep::WhileOpen };
    web.cookies.set_session(&renewed.token, keep)
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
