//! A refusal of the API.
//!
//! RFC 9457: `application/problem+json` with `type`, `title`, `status`, `code`, `errors` and `request_id`. A handler returns it;
//! the layer around the API ([`super::manners`]) writes it down in the caller's language.

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::account::{AccountError, Mistake, Why};
use crate::authn::limit::Exceeded;
use crate::authn::{Refusal, Unsent};
use crate::http::api::code::Code;
use crate::model::fault::{Fault, FaultKind};

/// Seconds after which a caller should try again what the server could not do for the moment.
const RETRY_SECONDS: u64 = 2;

/// A refusal: its code is the contract.
#[derive(Clone, Debug)]
#[must_use]
pub struct Problem {
    pub(in crate::http) code: Code,
    pub(in crate::http) status: StatusCode,
    pub(in crate::http) errors: Vec<FieldError>,
    pub(in crate::http) own: Option<Box<Own>>,
    pub(in crate::http) retry_after: Option<u64>,
    pub(in crate::http) hint: Option<Cow<'static, str>>,
    pub(in crate::http) source: Option<Arc<dyn Error + Send + Sync>>,
}

/// What a refusal has of its own; boxed, since few have.
#[derive(Clone, Debug, Default)]
pub(in crate::http) struct Own {
    /// Members of its body (RFC 9457 §3.2).
    pub(in crate::http) members: Map<String, Value>,
    /// `WWW-Authenticate`
    pub(in crate::http) challenge: Option<String>,
    /// `RateLimit`: the rule that allows no more.
    pub(in crate::http) exceeded: Option<Exceeded>,
}

/// What is wrong with one field.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct FieldError {
    /// Its name.
    pub field: Cow<'static, str>,
    /// What is wrong.
    pub code: Code,
    /// What a text about it needs: `min`, `max`.
    pub params: Map<String, Value>,
}

impl FieldError {
    /// `code` at `field`.
    pub fn new(field: impl Into<Cow<'static, str>>, code: Code) -> Self {
        Self { field: field.into(), code, params: Map::new() }
    }

    /// With a value that a text about it needs.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }
}

impl Problem {
    /// A refusal with the usual status of its code.
    pub fn new(code: Code) -> Self {
        let retry_after = (code.status() == StatusCode::SERVICE_UNAVAILABLE).then_some(RETRY_SECONDS);
        Self { code, status: code.status(), errors: Vec::new(), own: None, retry_after, hint: None, source: None }
    }

    /// One field that cannot be taken.
    pub fn field(field: impl Into<Cow<'static, str>>, code: Code) -> Self {
        Self::fields(vec![FieldError::new(field, code)])
    }

    /// Every field that cannot be taken. The code is that of the first; the status is 409 where every one of them is about
    /// a state, else 422.
    ///
    /// # Panics
    /// Never; without a field it is a fault of ours.
    pub fn fields(errors: Vec<FieldError>) -> Self {
        let Some(first) = errors.first() else { return Self::new(Code::ServerError).hint("a refusal of no field") };
        let is_state = errors.iter().all(|error| error.code.status() == StatusCode::CONFLICT);
        let status = if is_state { StatusCode::CONFLICT } else { StatusCode::UNPROCESSABLE_ENTITY };
        Self { status, ..Self::new(first.code) }.with_errors(errors)
    }

    fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    /// With another of the statuses of its code: `wrong_code` is 422 in a settings form.
    pub fn with_status(mut self, status: StatusCode) -> Self {
        debug_assert!(self.code.statuses().contains(&status.as_u16()), "{} never comes with {status}", self.code);
        self.status = status;
        self
    }

    /// With a member of its own (RFC 9457 §3.2).
    pub fn telling(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.own.get_or_insert_default().members.insert(name.to_owned(), value.into());
        self
    }

    /// With another value of `WWW-Authenticate` than the usual one of a 401.
    pub fn challenging(mut self, challenge: String) -> Self {
        self.own.get_or_insert_default().challenge = Some(challenge);
        self
    }

    /// With the seconds after which it may be tried again.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds.max(1));
        self
    }

    /// With the rule that allows no more, and the seconds after which it does.
    pub fn exceeding(mut self, exceeded: Exceeded) -> Self {
        self.own.get_or_insert_default().exceeded = Some(exceeded);
        self.retry_after(exceeded.retry_after)
    }

    /// With what helps a developer, for the log.
    pub fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With its cause, for the log.
    pub fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// The code.
    pub const fn code(&self) -> Code {
        self.code
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl From<Exceeded> for Problem {
    fn from(exceeded: Exceeded) -> Self {
        Self::new(Code::RateLimited).exceeding(exceeded)
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        let code = match fault.kind() {
            FaultKind::Unavailable => Code::Unavailable,
            FaultKind::Internal => Code::ServerError,
        };
        Self::new(code).caused_by(fault)
    }
}

/// The code that `account/` means; both have the same words.
fn code_of(text: &str) -> Code {
    Code::parse(text).unwrap_or(Code::ServerError)
}

impl From<Mistake> for FieldError {
    fn from(mistake: Mistake) -> Self {
        let error = Self::new(mistake.field, code_of(mistake.code));
        match mistake.bound {
            Some((name, bound)) => error.with(name, bound),
            None => error,
        }
    }
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Fields(mistakes) => Self::fields(mistakes.into_iter().map(FieldError::from).collect()),
            AccountError::Refused(why @ Why::WrongCode) => Self::field("code", code_of(why.as_str())),
            AccountError::Refused(why) => Self::new(code_of(why.as_str())),
            AccountError::RecentlySent(seconds) => Self::new(Code::CodeRecentlySent).retry_after(seconds),
            AccountError::SmsBudget(exceeded) => Self::new(Code::SmsBudgetExceeded).exceeding(exceeded),
            AccountError::TooOften(exceeded) => exceeded.into(),
            AccountError::TooManyAttempts(seconds) => Self::new(Code::TooManyAttempts).retry_after(seconds),
            AccountError::Undelivered => Self::new(Code::DeliveryFailed),
            AccountError::Fault(fault) => fault.into(),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Wrong => Self::new(Code::InvalidCredentials),
            Refusal::WrongCode(None) => Self::new(Code::WrongCode),
            Refusal::WrongCode(Some(left)) => Self::new(Code::WrongCode).telling("attempts_left", left),
            Refusal::CodeExpired => Self::new(Code::CodeExpired),
            Refusal::LinkInvalid => Self::new(Code::MagicLinkInvalid),
            Refusal::Unsent(Unsent::Recently(seconds)) => Self::new(Code::CodeRecentlySent).retry_after(seconds),
            Refusal::Unsent(Unsent::TooOften(exceeded)) => exceeded.into(),
            Refusal::Unsent(Unsent::Budget(exceeded)) => Self::new(Code::SmsBudgetExceeded).exceeding(exceeded),
            Refusal::Unsent(Unsent::Undelivered) => Self::new(Code::DeliveryFailed),
            Refusal::Unsent(Unsent::SignInRequired) => Self::new(Code::SignInRequired),
            Refusal::Unsent(Unsent::NotAllowed) => Self::new(Code::IdentityNotAllowed),
            Refusal::Unsent(Unsent::Forbidden) => Self::new(Code::Forbidden),
            // No moment is told: waiting does not help.
            Refusal::Closed => Self::new(Code::TooManyAttempts),
            Refusal::Disabled => Self::new(Code::AccountDisabled),
            Refusal::NotActivated => Self::new(Code::AccountNotActivated),
            Refusal::FlowExpired => Self::new(Code::FlowExpired),
            Refusal::FlowInvalid => Self::new(Code::FlowInvalid),
            Refusal::TooMany(seconds) => Self::new(Code::TooManyAttempts).retry_after(seconds),
            Refusal::Fault(fault) => fault.into(),
        }
    }
}

/// An empty answer that carries the problem to the layer around the API.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_decide_code_and_status() {
        for (codes, code, status) in [
            (vec![Code::Required, Code::EmailTaken], Code::Required, 422),
            (vec![Code::EmailTaken, Code::UsernameTaken], Code::EmailTaken, 409),
            (vec![Code::EmailTaken, Code::PasswordTooShort], Code::EmailTaken, 422),
            (vec![], Code::ServerError, 500),
        ] {
            let errors = codes.iter().map(|code| FieldError::new("field", *code)).collect();
            let problem = Problem::fields(errors);
            assert_eq!((problem.code, problem.status.as_u16()), (code, status), "{codes:?}");
        }
    }

    #[test]
    fn account_and_api_have_the_same_words() {
        for why in Why::ALL {
            assert!(Code::parse(why.as_str()).is_some(), "{why:?}");
        }
        let mistake = Mistake::new("password", Why::PasswordTooShort).with("min", 8);
        assert_eq!(FieldError::from(mistake), FieldError::new("password", Code::PasswordTooShort).with("min", 8));
        let wrong = Problem::from(AccountError::from(Why::WrongCode));
        assert_eq!((wrong.status.as_u16(), wrong.errors.len()), (422, 1), "a code of a form is a field");
    }

    #[test]
    fn faults_tell_when_to_come_back() {
        assert_eq!(Problem::from(Fault::unavailable("x")).retry_after, Some(RETRY_SECONDS));
        assert_eq!(Problem::from(Fault::internal("x")).status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(Problem::from(Refusal::TooMany(0)).retry_after, Some(1));
    }
}
