//! What is wrong with a form, as pages show it: below its fields, or above the whole.

use axum::response::Response;
use http::StatusCode;

use crate::account::{AccountError, Mistake, Why};
use crate::edge::template::context::account::FieldMistake;
use crate::model::fault::Fault;

/// Writes down what is wrong, for a page: at fields, or about the whole form. `code_field` is where a wrong code is shown.
///
/// # Errors
/// A fault, which is another page.
pub(super) fn note(
    error: AccountError,
    code_field: &str,
    (mistakes, whole): (&mut Vec<FieldMistake>, &mut Option<String>),
) -> Result<StatusCode, Fault> {
    match error {
        AccountError::Fields(found) => {
            mistakes.extend(found.into_iter().map(shown_mistake));
            Ok(StatusCode::UNPROCESSABLE_ENTITY)
        }
        AccountError::Refused(why @ Why::WrongCode) => {
            mistakes.push(shown_mistake(Mistake::new(code_field.to_owned(), why)));
            Ok(StatusCode::UNPROCESSABLE_ENTITY)
        }
        AccountError::Refused(why) => {
            *whole = Some(why.as_str().to_owned());
            Ok(if why == Why::Forbidden { StatusCode::FORBIDDEN } else { StatusCode::UNPROCESSABLE_ENTITY })
        }
        AccountError::RecentlySent(_) => {
            *whole = Some("code_recently_sent".to_owned());
            Ok(StatusCode::TOO_MANY_REQUESTS)
        }
        AccountError::SmsBudget(_) | AccountError::TooOften(_) => {
            *whole = Some("rate_limited".to_owned());
            Ok(StatusCode::TOO_MANY_REQUESTS)
        }
        AccountError::TooManyAttempts(_) => {
            *whole = Some("too_many_attempts".to_owned());
            Ok(StatusCode::TOO_MANY_REQUESTS)
        }
        AccountError::Undelivered => {
            *whole = Some("delivery_failed".to_owned());
            Ok(StatusCode::SERVICE_UNAVAILABLE)
        }
        AccountError::Fault(fault) => Err(fault),
    }
}

/// A mistake as pages show it.
pub(super) fn shown_mistake(mistake: Mistake) -> FieldMistake {
    FieldMistake {
        field: mistake.field.into_owned(),
        code: mistake.code.to_owned(),
        bound: mistake.bound.and_then(|(_, bound)| u64::try_from(bound).ok()),
    }
}

/// The page with another status.
pub(super) fn refused(mut response: Response, status: StatusCode) -> Response {
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_keeps_its_number() {
        let shown = shown_mistake(Mistake::new("password", Why::PasswordTooShort).with("min", 8));
        assert_eq!(
            (shown.field.as_str(), shown.code.as_str(), shown.bound),
            ("password", "password_too_short", Some(8))
        );
        let (mut mistakes, mut whole) = (Vec::new(), None);
        let status = note(Why::WrongCode.into(), "code", (&mut mistakes, &mut whole)).unwrap();
        assert_eq!((status.as_u16(), mistakes.len(), whole), (422, 1, None));
    }
}
