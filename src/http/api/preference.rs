//! `Prefer`: how an app wants its tokens, where it may have them in more than one way (S-079).
//!
//! RFC 7240 §2, §3. *Why a wish that is not known is refused, which the RFC passes over:* it says where a token may lie, and an app that
//! gets it elsewhere than it believes would keep it badly.

use axum::response::Response;
use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::http::api::code::Code;
use crate::http::api::problem::Problem;
use crate::oauth::first_party::Preference;

const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// What a request prefers.
///
/// # Errors
/// `delivery_not_allowed` for a wish that is not known, and for two that exclude each other.
pub(super) fn stated(headers: &HeaderMap) -> Result<Option<Preference>, Problem> {
    let refuse = |hint: &'static str| Problem::new(Code::DeliveryNotAllowed).hint(hint);
    let mut stated = None;
    for wish in wishes(headers) {
        let wish = wish.ok_or_else(|| refuse("Prefer is token or cookies"))?;
        if stated.is_some_and(|before| before != wish) {
            return Err(refuse("Prefer is token or cookies, and not both"));
        }
        stated = Some(wish);
    }
    Ok(stated)
}

/// Whether a request wants to be known by the cookies of its app's tokens, and by no session.
pub(super) fn wants_cookies(headers: &HeaderMap) -> bool {
    wishes(headers).any(|wish| wish == Some(Preference::Cookies))
}

/// Refuses a preference other than `way`, in which the answer comes.
///
/// # Errors
/// `delivery_not_allowed`.
pub(super) fn only(preferred: Option<Preference>, way: Preference) -> Result<(), Problem> {
    if preferred.is_none_or(|preferred| preferred == way) {
        return Ok(());
    }
    Err(Problem::new(Code::DeliveryNotAllowed).hint(format!("the answer comes by {} here", way.as_str())))
}

/// An answer that says which preference it follows.
pub(super) fn applied(preferred: Option<Preference>, mut response: Response) -> Response {
    if let Some(preferred) = preferred {
        response.headers_mut().insert(PREFERENCE_APPLIED, HeaderValue::from_static(preferred.as_str()));
    }
    response
}

/// Each wish; `None` for one that is not known.
fn wishes(headers: &HeaderMap) -> impl Iterator<Item = Option<Preference>> {
    let lists = headers.get_all(PREFER).iter().map(|list| list.to_str().unwrap_or("unreadable"));
    let wishes = lists.flat_map(|list| list.split(',')).map(str::trim).filter(|wish| !wish.is_empty());
    wishes.map(|wish| Preference::parse(wish.split(';').next().unwrap_or_default().trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_known_or_refused() {
        let read = |lists: &[&'static str]| {
            let headers: HeaderMap = lists.iter().map(|list| (PREFER, HeaderValue::from_static(list))).collect();
            stated(&headers).map_err(|problem| problem.code)
        };
        for (lists, expected) in [
            (vec![], Ok(None)),
            (vec![""], Ok(None)),
            (vec!["token"], Ok(Some(Preference::Token))),
            (vec!["Cookies"], Ok(Some(Preference::Cookies))),
            (vec![" cookies ; x=1 ,"], Ok(Some(Preference::Cookies))),
            (vec!["cookies", "cookies"], Ok(Some(Preference::Cookies))),
            (vec!["cookies, token"], Err(Code::DeliveryNotAllowed)),
            (vec!["cookies", "token"], Err(Code::DeliveryNotAllowed)),
            (vec!["session"], Err(Code::DeliveryNotAllowed)),
            (vec!["token=1"], Err(Code::DeliveryNotAllowed)),
        ] {
            assert_eq!(read(&lists), expected, "{lists:?}");
        }
    }
}
