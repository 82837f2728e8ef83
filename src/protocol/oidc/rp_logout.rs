//! The logout request of a relying party.
//!
//! OIDC RP-Initiated Logout §2.

use crate::protocol::error::OAuthError;
use crate::protocol::params::Params;

/// The longest values, in bytes.
const MAX_LENGTH: usize = 16 * 1024;
const MAX_STATE: usize = 4096;

/// A wish to end a session. Nothing in it is verified yet.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LogoutRequest {
    /// An ID token we issued: whose session, at which client.
    pub id_token_hint: Option<String>,
    /// What the person probably types as their name, or a `sid`.
    pub logout_hint: Option<String>,
    /// The client that asks.
    pub client_id: Option<String>,
    /// Where the person should land; to be compared byte for byte with the registered ones.
    pub post_logout_redirect_uri: Option<String>,
    /// Echoed there.
    pub state: Option<String>,
    /// Languages for pages, best first.
    pub ui_locales: Vec<String>,
}

impl LogoutRequest {
    /// Reads the query or the form body.
    ///
    /// # Errors
    /// `invalid_request` for a repeated parameter, one that is too long, or a redirect without a way to know the client
    /// (`id_token_hint` or `client_id`, §2).
    pub fn parse(params: &Params) -> Result<Self, OAuthError> {
        params.refuse_repeated(&[])?;
        let take = |name: &str, most: usize| match params.get(name) {
            Some(value) if value.len() > most => {
                Err(OAuthError::invalid_request(format!("{name} is longer than {most} bytes")))
            }
            value => Ok(value.map(str::to_owned)),
        };
        let request = Self {
            id_token_hint: take("id_token_hint", MAX_LENGTH)?,
            logout_hint: take("logout_hint", MAX_STATE)?,
            client_id: take("client_id", MAX_STATE)?,
            post_logout_redirect_uri: take("post_logout_redirect_uri", MAX_STATE)?,
            state: take("state", MAX_STATE)?,
            ui_locales: take("ui_locales", MAX_STATE)?
                .map(|tags| tags.split(' ').filter(|tag| !tag.is_empty()).map(str::to_owned).collect())
                .unwrap_or_default(),
        };
        let names_client = request.id_token_hint.is_some() || request.client_id.is_some();
        if request.post_logout_redirect_uri.is_some() && !names_client {
            return Err(OAuthError::invalid_request(
                "post_logout_redirect_uri needs id_token_hint or client_id beside it, to know whose it is",
            ));
        }
        Ok(request)
    }

    /// Where the person lands: the verified `post_logout_redirect_uri` with `state`, its own query kept (§3).
    pub fn landing(&self, verified_uri: &str) -> String {
        crate::protocol::authorization_response::with_query(
            verified_uri,
            self.state.as_deref().map(|state| ("state", state)).into_iter(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<LogoutRequest, OAuthError> {
        LogoutRequest::parse(&Params::parse(text.as_bytes()).expect("well formed"))
    }

    #[test]
    fn requests_are_read() {
        assert_eq!(parse("").expect("all is optional"), LogoutRequest::default());
        let request = parse(
            "id_token_hint=a.b.c&logout_hint=alice&client_id=app&post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fbye\
             &state=s+1&ui_locales=de+en&x=1",
        )
        .expect("complete");
        assert_eq!(request.client_id.as_deref(), Some("app"));
        assert_eq!(request.ui_locales, ["de", "en"]);
        assert_eq!(request.landing("https://app.example/bye"), "https://app.example/bye?state=s%201");
        assert_eq!(request.landing("https://app.example/bye?a=1"), "https://app.example/bye?a=1&state=s%201");
        assert_eq!(LogoutRequest::default().landing("https://app.example/bye"), "https://app.example/bye");
    }

    #[test]
    fn malformed_requests_are_refused() {
        let long = format!("state={}", "x".repeat(MAX_STATE + 1));
        for text in ["state=1&state=2", "post_logout_redirect_uri=https://app.example/bye", &long] {
            assert!(parse(text).is_err(), "{text:.60}");
        }
    }
}
