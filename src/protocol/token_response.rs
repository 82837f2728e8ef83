//! The token response.
//!
//! RFC 6749 §5.1; RFC 8693 §2.2.1; OIDC Core §3.1.3.3.

use serde::{Serialize, Serializer};

use crate::protocol::scope::Scope;
use crate::protocol::secret::Secret;

/// What the token endpoint gives. It is sent with `Cache-Control: no-store`.
#[derive(Clone, Debug, Serialize)]
pub struct TokenResponse {
    /// The access token.
    #[serde(serialize_with = "exposed")]
    pub access_token: Secret,
    /// How it is used.
    pub token_type: TokenType,
    /// Its lifetime in seconds.
    pub expires_in: u64,
    /// The refresh token.
    #[serde(serialize_with = "exposed_if_any", skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<Secret>,
    /// The ID token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// What was given; always told, also where it is what was asked.
    #[serde(skip_serializing_if = "Scope::is_empty")]
    pub scope: Scope,
    /// What the access token is, where it was exchanged (RFC 8693 §2.2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued_token_type: Option<&'static str>,
}

/// How an access token is used (RFC 6749 §7.1).
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub enum TokenType {
    /// RFC 6750.
    #[default]
    Bearer,
}

fn exposed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

#[expect(clippy::ref_option, reason = "serde hands the field over by reference")]
fn exposed_if_any<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(|secret| secret.expose().as_str()).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn absent_members_are_left_out() {
        let mut response = TokenResponse {
            access_token: "at".into(),
            token_type: TokenType::Bearer,
            expires_in: 900,
            refresh_token: None,
            id_token: None,
            scope: Scope::empty(),
            issued_token_type: None,
        };
        assert_eq!(
            serde_json::to_value(&response).expect("plain JSON"),
            json!({"access_token": "at", "token_type": "Bearer", "expires_in": 900})
        );
        response.refresh_token = Some("rt".into());
        response.id_token = Some("it".to_owned());
        response.scope = "openid email".parse().expect("well formed");
        assert_eq!(
            serde_json::to_value(&response).expect("plain JSON"),
            json!({"access_token": "at", "token_type": "Bearer", "expires_in": 900, "refresh_token": "rt",
                   "id_token": "it", "scope": "openid email"})
        );
    }
}
