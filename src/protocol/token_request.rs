//! The token request.
//!
//! RFC 6749 §4.1.3, §4.4.2, §6; RFC 7636 §4.5; RFC 8628 §3.4; RFC 8707 §2.2.

use crate::protocol::client_metadata::GrantType;
use crate::protocol::error::OAuthError;
use crate::protocol::params::Params;
use crate::protocol::pkce::CodeVerifier;
use crate::protocol::resource::resources;
use crate::protocol::scope::Scope;
use crate::protocol::secret::Secret;
use crate::protocol::token_exchange::TokenExchange;

/// The longest code or refresh token we look at, in bytes.
const MAX_TOKEN: usize = 4096;

/// What a client asks the token endpoint for; who the client is stands elsewhere in the request.
#[derive(Clone, Debug)]
pub enum TokenRequest {
    /// RFC 6749 §4.1.3.
    AuthorizationCode {
        /// The code.
        code: Secret,
        /// As the authorization request gave it.
        redirect_uri: Option<String>,
        /// The PKCE proof.
        code_verifier: Option<CodeVerifier>,
        /// Which of the granted resource servers the token is for (RFC 8707 §2.2).
        resource: Vec<String>,
    },
    /// RFC 6749 §6.
    RefreshToken {
        /// The token to exchange.
        refresh_token: Secret,
        /// A narrower scope, when the client wants one.
        scope: Option<Scope>,
        /// Which of the granted resource servers the token is for (RFC 8707 §2.2).
        resource: Vec<String>,
    },
    /// RFC 6749 §4.4.2.
    ClientCredentials {
        /// What the client wants; `None`: all it may have.
        scope: Option<Scope>,
        /// Which resource servers the token is for (RFC 8707): absolute URIs.
        resource: Vec<String>,
    },
    /// RFC 8628 §3.4.
    DeviceCode {
        /// What the device was given.
        device_code: Secret,
    },
    /// RFC 8693 §2.1.
    TokenExchange(TokenExchange),
}

impl TokenRequest {
    /// Reads the body of a token request.
    ///
    /// # Errors
    /// `invalid_request` for a missing or repeated parameter, `unsupported_grant_type`, `invalid_scope`, `invalid_grant`
    /// for a verifier that fits no challenge, `invalid_target` for a resource that is no absolute URI.
    pub fn parse(params: &Params) -> Result<Self, OAuthError> {
        params.refuse_repeated(&["resource", "audience"])?;
        let scope = || params.get("scope").map(str::parse::<Scope>).transpose();
        match params.required("grant_type")?.parse()? {
            GrantType::AuthorizationCode => Ok(Self::AuthorizationCode {
                code: token(params, "code")?,
                redirect_uri: params.get("redirect_uri").map(str::to_owned),
                code_verifier: params.get("code_verifier").map(CodeVerifier::parse).transpose()?,
                resource: resources(params)?,
            }),
            GrantType::RefreshToken => Ok(Self::RefreshToken {
                refresh_token: token(params, "refresh_token")?,
                scope: scope()?,
                resource: resources(params)?,
            }),
            GrantType::ClientCredentials => {
                Ok(Self::ClientCredentials { scope: scope()?, resource: resources(params)? })
            }
            GrantType::DeviceCode => Ok(Self::DeviceCode { device_code: token(params, "device_code")? }),
            GrantType::TokenExchange => TokenExchange::parse(params).map(Self::TokenExchange),
        }
    }

    /// Which grant it asks by.
    pub const fn grant_type(&self) -> GrantType {
        match self {
            Self::AuthorizationCode { .. } => GrantType::AuthorizationCode,
            Self::RefreshToken { .. } => GrantType::RefreshToken,
            Self::ClientCredentials { .. } => GrantType::ClientCredentials,
            Self::DeviceCode { .. } => GrantType::DeviceCode,
            Self::TokenExchange(_) => GrantType::TokenExchange,
        }
    }
}

fn token(params: &Params, name: &str) -> Result<Secret, OAuthError> {
    let token = params.required(name)?;
    if token.len() > MAX_TOKEN {
        return Err(OAuthError::invalid_grant(format!("{name} is not one that was issued here")));
    }
    Ok(token.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::error::ErrorCode;

    fn parse(text: &str) -> Result<TokenRequest, ErrorCode> {
        TokenRequest::parse(&Params::parse(text.as_bytes()).expect("well formed")).map_err(|error| error.code())
    }

    #[test]
    fn each_grant_has_its_parameters() {
        let verifier = "v".repeat(43);
        let code = parse(&format!(
            "grant_type=authorization_code&code=c1&redirect_uri=https%3A%2F%2Fa.example&code_verifier={verifier}&x=1"
        ))
        .expect("complete");
        let TokenRequest::AuthorizationCode { code, redirect_uri, code_verifier, .. } = code else {
            panic!("{code:?}")
        };
        assert!(code.matches("c1"));
        assert_eq!(redirect_uri.as_deref(), Some("https://a.example"));
        assert_eq!(code_verifier.as_ref().map(CodeVerifier::as_str), Some(verifier.as_str()));

        let refresh = parse("grant_type=refresh_token&refresh_token=r1&scope=a+b").expect("complete");
        let TokenRequest::RefreshToken { refresh_token, scope, .. } = refresh else { panic!("{refresh:?}") };
        assert!(refresh_token.matches("r1"));
        assert_eq!(scope.expect("given").to_string(), "a b");

        let own = parse("grant_type=client_credentials&resource=https://a.example&resource=urn:b").expect("complete");
        assert_eq!(own.grant_type(), GrantType::ClientCredentials);
        let TokenRequest::ClientCredentials { scope: None, resource } = own else { panic!("{own:?}") };
        assert_eq!(resource, ["https://a.example", "urn:b"]);

        let device = parse("grant_type=urn:ietf:params:oauth:grant-type:device_code&device_code=d1").expect("complete");
        let TokenRequest::DeviceCode { device_code } = device else { panic!("{device:?}") };
        assert!(device_code.matches("d1"));
    }

    #[test]
    fn malformed_requests_get_their_code() {
        for (text, code) in [
            ("", ErrorCode::InvalidRequest),
            ("grant_type=", ErrorCode::InvalidRequest),
            ("grant_type=password&username=a&password=b", ErrorCode::UnsupportedGrantType),
            ("grant_type=implicit", ErrorCode::UnsupportedGrantType),
            ("grant_type=Refresh_Token&refresh_token=r", ErrorCode::UnsupportedGrantType),
            ("grant_type=refresh_token&grant_type=refresh_token&refresh_token=r", ErrorCode::InvalidRequest),
            ("grant_type=authorization_code", ErrorCode::InvalidRequest),
            ("grant_type=authorization_code&code=a&code=b", ErrorCode::InvalidRequest),
            ("grant_type=authorization_code&code=a&code_verifier=short", ErrorCode::InvalidGrant),
            ("grant_type=refresh_token", ErrorCode::InvalidRequest),
            ("grant_type=urn:ietf:params:oauth:grant-type:device_code", ErrorCode::InvalidRequest),
            ("grant_type=device_code&device_code=d", ErrorCode::UnsupportedGrantType),
            ("grant_type=refresh_token&refresh_token=r&scope=%22", ErrorCode::InvalidScope),
            ("grant_type=client_credentials&resource=a", ErrorCode::InvalidTarget),
            ("grant_type=client_credentials&resource=https://a.example%23x", ErrorCode::InvalidTarget),
        ] {
            assert_eq!(parse(text).expect_err(text), code, "{text}");
        }
        let long = format!("grant_type=refresh_token&refresh_token={}", "r".repeat(MAX_TOKEN + 1));
        assert_eq!(parse(&long).expect_err("too long"), ErrorCode::InvalidGrant);
    }

    #[test]
    fn tokens_do_not_print() {
        let request = parse("grant_type=refresh_token&refresh_token=sEcReT").expect("complete");
        assert!(!format!("{request:?}").contains("sEcReT"));
    }

    proptest! {
        #[test]
        fn no_input_panics(pairs in proptest::collection::vec(("grant_type|code|scope|resource|refresh_token|code_verifier", "authorization_code|refresh_token|client_credentials|.{0,20}"), 0..6)) {
            let _ = TokenRequest::parse(&pairs.into_iter().collect());
        }
    }
}
