//! Token introspection.
//!
//! RFC 7662.

use serde::Serialize;

use crate::protocol::error::OAuthError;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::params::Params;
use crate::protocol::revocation::TokenTypeHint;
use crate::protocol::scope::Scope;
use crate::protocol::secret::Secret;
use crate::protocol::token_response::TokenType;

/// A question about a token (§2.1).
#[derive(Clone, Debug)]
pub struct IntrospectionRequest {
    /// The token, of either kind.
    pub token: Secret,
    /// Which kind to look for first.
    pub token_type_hint: Option<TokenTypeHint>,
}

impl IntrospectionRequest {
    /// Reads the body of an introspection request.
    ///
    /// # Errors
    /// `invalid_request` for a missing or repeated parameter.
    pub fn parse(params: &Params) -> Result<Self, OAuthError> {
        params.refuse_repeated(&[])?;
        Ok(Self {
            token: params.required("token")?.into(),
            token_type_hint: params.get("token_type_hint").and_then(TokenTypeHint::parse),
        })
    }
}

/// The answer (§2.2). Of a token that is not good, only that is told.
#[derive(Clone, Debug, Default, Serialize)]
pub struct IntrospectionResponse {
    /// It is good now, and the asker may know.
    pub active: bool,
    /// What it allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// The client it was given to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The name of the person, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// How it is used; access tokens only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<TokenType>,
    /// The end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<NumericDate>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<NumericDate>,
    /// The person, or the client itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// Whom it is for; one name is written as a string.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "one_or_many")]
    pub aud: Vec<String>,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// When the person signed in (RFC 9470 §6.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<NumericDate>,
    /// How surely (RFC 9470 §6.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// By which methods.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// The operator's own claims (§2.2: a server may extend the answer).
    #[serde(flatten)]
    pub own: serde_json::Map<String, serde_json::Value>,
}

impl IntrospectionResponse {
    /// The answer for a token that is unknown, expired, revoked, or none of the asker's business (§2.2).
    pub fn inactive() -> Self {
        Self::default()
    }
}

fn one_or_many<S: serde::Serializer>(names: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    match names {
        [only] => serializer.serialize_str(only),
        names => names.serialize(serializer),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_a_dead_token_nothing_is_told() {
        let answer = serde_json::to_value(IntrospectionResponse::inactive()).expect("plain JSON");
        assert_eq!(answer, json!({"active": false}));
    }

    #[test]
    fn a_live_token_is_described() {
        let mut response = IntrospectionResponse {
            active: true,
            scope: Some("openid".parse().expect("well formed")),
            token_type: Some(TokenType::Bearer),
            exp: Some(NumericDate::from_seconds(9)),
            aud: vec!["a".to_owned()],
            ..IntrospectionResponse::default()
        };
        assert_eq!(
            serde_json::to_value(&response).expect("plain JSON"),
            json!({"active": true, "scope": "openid", "token_type": "Bearer", "exp": 9, "aud": "a"})
        );
        response.aud.push("b".to_owned());
        assert_eq!(serde_json::to_value(&response).expect("plain JSON")["aud"], json!(["a", "b"]));
    }

    #[test]
    fn malformed_requests_are_refused() {
        for text in ["", "token=", "token=a&token=b"] {
            let params = Params::parse(text.as_bytes()).expect("well formed");
            assert!(IntrospectionRequest::parse(&params).is_err(), "{text}");
        }
        let params = Params::parse(b"token=t&token_type_hint=refresh_token").expect("well formed");
        let request = IntrospectionRequest::parse(&params).expect("complete");
        assert_eq!(request.token_type_hint, Some(TokenTypeHint::RefreshToken));
    }
}
