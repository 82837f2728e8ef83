//! Forms that only our own pages can send.
//!
//! OWASP ASVS 3.5.1-3.5.3: a token bound to the browser's flow cookie and to the purpose of the form, and the origin of the request
//! as the browser states it (Fetch §3.1; Fetch Metadata §2.4). Sign-in forms are covered too, since the flow cookie precedes the session.

use http::header::{HeaderMap, HeaderName, ORIGIN};
use subtle::ConstantTimeEq;

use crate::http::cookie::FlowCookie;
use crate::protocol::secret::MacKey;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Makes and checks the tokens of forms.
#[derive(Clone, Debug)]
pub struct Csrf {
    key: MacKey,
    origin: String,
}

/// Why a form is not taken; a person sees the page `error-csrf`.
#[derive(Copy, Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CsrfError {
    /// The browser says that another site sent it.
    #[error("the form was sent by another site")]
    OtherSite,
    /// The browser has no flow cookie: it does not keep cookies, or never opened the form.
    #[error("the browser has no flow cookie")]
    NoCookie,
    /// The token is missing, or made for another browser or purpose.
    #[error("the form's token is not that of this browser and form")]
    Token,
}

impl Csrf {
    /// `origin` is the issuer's: `https://login.example.com`, without a slash at its end.
    pub fn new(key: MacKey, origin: impl Into<String>) -> Self {
        Self { key, origin: origin.into() }
    }

    /// The token for a form with `purpose` (such as `consent` and the id of its interaction) in the browser of `flow`.
    pub fn token(&self, flow: &FlowCookie, purpose: &str) -> String {
        self.key.mac_text(&[b"csrf", flow.0.expose().as_bytes(), purpose.as_bytes()])
    }

    /// Whether a form came from our own page in the same browser.
    ///
    /// # Errors
    /// [`CsrfError`] names what is wrong; nothing may be changed then.
    pub fn check(
        &self,
        headers: &HeaderMap,
        flow: Option<&FlowCookie>,
        purpose: &str,
        presented: Option<&str>,
    ) -> Result<(), CsrfError> {
        self.check_origin(headers)?;
        let flow = flow.ok_or(CsrfError::NoCookie)?;
        let expected = self.token(flow, purpose);
        let presented = presented.ok_or(CsrfError::Token)?;
        if bool::from(expected.as_bytes().ct_eq(presented.as_bytes())) { Ok(()) } else { Err(CsrfError::Token) }
    }

    /// Whether a browser says that another site sent the request. `Origin: null` says so here: pages of ours that post have
    /// a cookie, and are asked by [`Csrf::check`].
    pub fn is_foreign(&self, headers: &HeaderMap) -> bool {
        headers.get(ORIGIN).is_some_and(|origin| origin == "null") || self.check_origin(headers).is_err()
    }

    /// [`Csrf::check_origin`], where an origin that `is_allowed` names counts as ours.
    ///
    /// # Errors
    /// [`CsrfError::OtherSite`].
    pub fn check_origin_or(&self, headers: &HeaderMap, is_allowed: &dyn Fn(&str) -> bool) -> Result<(), CsrfError> {
        let mut origins = headers.get_all(ORIGIN).iter();
        let stated = origins.next().and_then(|origin| origin.to_str().ok());
        let is_listed = origins.next().is_none() && stated.is_some_and(is_allowed);
        if is_listed { Ok(()) } else { self.check_origin(headers) }
    }

    /// Whether the browser names our own origin, where it names one.
    ///
    /// `Origin: null` says nothing here: our pages carry `Referrer-Policy: no-referrer`, and a form posted from such a page
    /// has it (Fetch §3.1). Then `Sec-Fetch-Site` decides, and without that the token does.
    ///
    /// # Errors
    /// [`CsrfError::OtherSite`].
    pub fn check_origin(&self, headers: &HeaderMap) -> Result<(), CsrfError> {
        let site_is_ours = headers.get_all(SEC_FETCH_SITE).iter().all(|site| site == "same-origin" || site == "none");
        let origin_is_ours =
            headers.get_all(ORIGIN).iter().all(|origin| origin == self.origin.as_str() || origin == "null");
        if site_is_ours && origin_is_ours { Ok(()) } else { Err(CsrfError::OtherSite) }
    }
}

#[cfg(test)]
mod tests {
    use http::header::HeaderValue;

    use super::*;
    use crate::protocol::secret::Secret;

    fn csrf() -> Csrf {
        Csrf::new(MacKey::new(&[3; 32]), "https://login.example.com")
    }

    fn flow(value: &str) -> FlowCookie {
        FlowCookie(Secret::from(value))
    }

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn a_token_is_good_for_its_browser_and_its_form_alone() {
        let (csrf, alice) = (csrf(), flow("alice"));
        let token = csrf.token(&alice, "consent:1");
        let check = |flow: Option<&FlowCookie>, purpose: &str, token: Option<&str>| {
            csrf.check(&HeaderMap::new(), flow, purpose, token)
        };
        assert_eq!(check(Some(&alice), "consent:1", Some(&token)), Ok(()));
        assert_eq!(check(Some(&alice), "consent:2", Some(&token)), Err(CsrfError::Token));
        assert_eq!(check(Some(&flow("mallory")), "consent:1", Some(&token)), Err(CsrfError::Token));
        assert_eq!(check(None, "consent:1", Some(&token)), Err(CsrfError::NoCookie));
        let longer = format!("{token}A");
        for wrong in [None, Some(""), Some(&token[1..]), Some(longer.as_str()), Some("ünïcode")] {
            assert_eq!(check(Some(&alice), "consent:1", wrong), Err(CsrfError::Token), "{wrong:?}");
        }
        let other_key = Csrf::new(MacKey::new(&[4; 32]), "https://login.example.com");
        assert_ne!(other_key.token(&alice, "consent:1"), token);
    }

    #[test]
    fn the_browser_must_not_name_another_site() {
        let ours = "https://login.example.com";
        for (sent, accepted) in [
            (vec![], true),
            (vec![(ORIGIN, ours)], true),
            (vec![(ORIGIN, "null")], true),
            (vec![(ORIGIN, "null"), (SEC_FETCH_SITE, "same-origin")], true),
            (vec![(SEC_FETCH_SITE, "none")], true),
            (vec![(ORIGIN, ours), (SEC_FETCH_SITE, "same-origin")], true),
            (vec![(ORIGIN, "null"), (SEC_FETCH_SITE, "cross-site")], false),
            (vec![(SEC_FETCH_SITE, "cross-site")], false),
            (vec![(SEC_FETCH_SITE, "same-site")], false),
            (vec![(SEC_FETCH_SITE, "Same-Origin")], false),
            (vec![(ORIGIN, "https://evil.example")], false),
            (vec![(ORIGIN, "http://login.example.com")], false),
            (vec![(ORIGIN, "https://login.example.com.evil.example")], false),
            (vec![(ORIGIN, "https://login.example.com:8443")], false),
            (vec![(ORIGIN, ours), (ORIGIN, "https://evil.example")], false),
            (vec![(ORIGIN, ours), (SEC_FETCH_SITE, "cross-site")], false),
        ] {
            assert_eq!(csrf().check_origin(&headers(&sent)).is_ok(), accepted, "{sent:?}");
        }
    }
}
