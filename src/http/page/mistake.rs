//! What is wrong with a form, as pages show it: below its fields, or above the whole.

use axum::response::Response;
use http::StatusCode;
use http::header::{HeaderMap, HeaderValue, RETRY_AFTER};

use crate::account::{AccountError, Mistake, Why};
use crate::authn::limit::Exceeded;
use crate::authn::{Refusal, Unsent};
use crate::edge::template::context::account::FieldMistake;
use crate::http::rate_limit;
use crate::model::fault::Fault;

/// What a page answers with, beside what it shows.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) struct Noted {
    status: StatusCode,
    wait: Wait,
}

/// When it may be tried again.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum Wait {
    /// At once, or never: waiting does not help.
    Nothing,
    /// After so many seconds.
    Seconds(u64),
    /// When the rule allows one more.
    Exceeded(Exceeded),
}

impl From<StatusCode> for Noted {
    fn from(status: StatusCode) -> Self {
        Self { status, wait: Wait::Nothing }
    }
}

impl Wait {
    /// What is to be waited for after a refusal of a sign-in.
    pub(super) const fn after(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::TooMany(seconds) | Refusal::Unsent(Unsent::Recently(seconds)) => Self::Seconds(*seconds),
            Refusal::Unsent(Unsent::TooOften(exceeded) | Unsent::Budget(exceeded)) => Self::Exceeded(*exceeded),
            _ => Self::Nothing,
        }
    }

    /// Tells it in the headers of an answer.
    pub(super) fn tell(self, headers: &mut HeaderMap) {
        match self {
            Self::Nothing => {}
            Self::Seconds(seconds) => {
                headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
            }
            Self::Exceeded(exceeded) => rate_limit::tell(exceeded, headers),
        }
    }
}

/// Writes down what is wrong, for a page: at fields, or about the whole form. `code_field` is where a wrong code is shown.
///
/// # Errors
/// A fault, which is another page.
pub(super) fn note(
    error: AccountError,
    code_field: &str,
    (mistakes, whole): (&mut Vec<FieldMistake>, &mut Option<String>),
) -> Result<Noted, Fault> {
    let (key, status, wait) = match error {
        AccountError::Fields(found) => {
            mistakes.extend(found.into_iter().map(shown_mistake));
            return Ok(StatusCode::UNPROCESSABLE_ENTITY.into());
        }
        AccountError::Refused(why @ Why::WrongCode) => {
            mistakes.push(shown_mistake(Mistake::new(code_field.to_owned(), why)));
            return Ok(StatusCode::UNPROCESSABLE_ENTITY.into());
        }
        AccountError::Refused(why @ Why::Forbidden) => (why.as_str(), StatusCode::FORBIDDEN, Wait::Nothing),
        AccountError::Refused(why) => (why.as_str(), StatusCode::UNPROCESSABLE_ENTITY, Wait::Nothing),
        AccountError::RecentlySent(seconds) => {
            ("code_recently_sent", StatusCode::TOO_MANY_REQUESTS, Wait::Seconds(seconds))
        }
        AccountError::SmsBudget(exceeded) | AccountError::TooOften(exceeded) => {
            ("rate_limited", StatusCode::TOO_MANY_REQUESTS, Wait::Exceeded(exceeded))
        }
        AccountError::TooManyAttempts(seconds) => {
            ("too_many_attempts", StatusCode::TOO_MANY_REQUESTS, Wait::Seconds(seconds))
        }
        AccountError::Undelivered => ("delivery_failed", StatusCode::SERVICE_UNAVAILABLE, Wait::Nothing),
        AccountError::Fault(fault) => return Err(fault),
    };
    *whole = Some(key.to_owned());
    Ok(Noted { status, wait })
}

/// A mistake as pages show it.
pub(super) fn shown_mistake(mistake: Mistake) -> FieldMistake {
    FieldMistake {
        field: mistake.field.into_owned(),
        code: mistake.code.to_owned(),
        bound: mistake.bound.and_then(|(_, bound)| u64::try_from(bound).ok()),
    }
}

/// The page with another status, and when to come back.
pub(super) fn refused(mut response: Response, noted: impl Into<Noted>) -> Response {
    let Noted { status, wait } = noted.into();
    *response.status_mut() = status;
    wait.tell(response.headers_mut());
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authn::limit::Rule;

    #[test]
    fn a_mistake_keeps_its_number() {
        let shown = shown_mistake(Mistake::new("password", Why::PasswordTooShort).with("min", 8));
        assert_eq!(
            (shown.field.as_str(), shown.code.as_str(), shown.bound),
            ("password", "password_too_short", Some(8))
        );
        let (mut mistakes, mut whole) = (Vec::new(), None);
        let noted = note(Why::WrongCode.into(), "code", (&mut mistakes, &mut whole)).unwrap();
        assert_eq!((noted.status.as_u16(), mistakes.len(), whole), (422, 1, None));
    }

    #[test]
    fn a_page_tells_when_to_come_back() {
        let exceeded = Exceeded { rule: Rule::CodeStart, rate: Rule::CodeStart.default_rate(), retry_after: 720 };
        for (error, told) in [
            (AccountError::TooOften(exceeded), ["720", "\"code_start\";r=0;t=720", "\"code_start\";q=5;w=3600"]),
            (AccountError::RecentlySent(40), ["40", "", ""]),
            (AccountError::Undelivered, ["", "", ""]),
        ] {
            let noted = note(error, "code", (&mut Vec::new(), &mut None)).unwrap();
            let response = refused(Response::default(), noted);
            let header = |name: &str| response.headers().get(name).map_or("", |value| value.to_str().unwrap());
            assert_eq!(["retry-after", "ratelimit", "ratelimit-policy"].map(header), told);
        }
    }
}
