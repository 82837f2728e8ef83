//! Token exchange: what somebody else gave becomes what we give.
//!
//! RFC 8693 §2.1 and §2.2. The subject is a token of a provider of identities by which people sign in here; nobody acts for anybody else
//! (§1.1, delegation), so that an actor is refused.

use crate::protocol::error::OAuthError;
use crate::protocol::params::Params;
use crate::protocol::scope::Scope;
use crate::protocol::secret::Secret;

/// `issued_token_type` of every answer (§3).
pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
/// The longest subject token, in bytes.
const MAX_TOKEN: usize = 16 * 1024;
/// The longest name of an issuer, in bytes.
const MAX_ISSUER: usize = 512;
/// The most targets that one request may name.
const MAX_TARGETS: usize = 20;

/// A request for an exchange (§2.1).
#[derive(Clone, Debug)]
pub struct TokenExchange {
    /// `subject_token`
    pub subject_token: Secret,
    /// `subject_token_type`
    pub subject_token_type: SubjectTokenType,
    /// Who made it: the name or the issuer of a provider; where it is missing, the token tells. No parameter of the RFC, but a common one.
    pub subject_issuer: Option<String>,
    /// The nonce that the app asked with, which the ID token repeats (OIDC Core §3.1.2.1). No parameter of the RFC.
    pub nonce: Option<String>,
    /// `scope`
    pub scope: Option<Scope>,
    /// `resource` and `audience`: whom the new token shall be for.
    pub targets: Vec<String>,
}

/// What a subject token is (§3).
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum SubjectTokenType {
    /// An ID token (OIDC Core §2).
    IdToken,
    /// An access token.
    AccessToken,
}

impl TokenExchange {
    /// Reads the parameters of §2.1.
    ///
    /// # Errors
    /// `invalid_request` for what is missing, too long, or not offered: other types, and an actor; `invalid_scope`.
    pub fn parse(params: &Params) -> Result<Self, OAuthError> {
        let subject_token = params.required("subject_token")?;
        if subject_token.len() > MAX_TOKEN {
            return Err(OAuthError::invalid_request("subject_token is longer than 16 kB"));
        }
        let subject_token_type = match params.required("subject_token_type")? {
            ID_TOKEN => SubjectTokenType::IdToken,
            ACCESS_TOKEN => SubjectTokenType::AccessToken,
            _ => {
                return Err(OAuthError::invalid_request(format!(
                    "subject_token_type must be {ID_TOKEN} or {ACCESS_TOKEN}"
                )));
            }
        };
        if params.get("actor_token").is_some() || params.get("actor_token_type").is_some() {
            return Err(OAuthError::invalid_request(
                "actor_token is not supported: nobody acts for somebody else here",
            ));
        }
        if params.get("requested_token_type").is_some_and(|asked| asked != ACCESS_TOKEN) {
            return Err(OAuthError::invalid_request(format!("requested_token_type must be {ACCESS_TOKEN}")));
        }
        let targets: Vec<String> =
            ["resource", "audience"].into_iter().flat_map(|name| params.many(name)).map(str::to_owned).collect();
        if targets.len() > MAX_TARGETS {
            return Err(OAuthError::invalid_request("the request names more than 20 targets"));
        }
        let short = |name: &'static str| match params.get(name) {
            Some(text) if text.len() > MAX_ISSUER => {
                Err(OAuthError::invalid_request(format!("{name} is longer than 512 characters")))
            }
            text => Ok(text.map(str::to_owned)),
        };
        Ok(Self {
            subject_token: subject_token.into(),
            subject_token_type,
            subject_issuer: short("subject_issuer")?,
            nonce: short("nonce")?,
            scope: params.get("scope").map(str::parse::<Scope>).transpose()?,
            targets,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::error::ErrorCode;

    fn parse(text: &str) -> Result<TokenExchange, ErrorCode> {
        let params = Params::parse(text.as_bytes()).expect("well formed");
        TokenExchange::parse(&params).map_err(|error| error.code())
    }

    #[test]
    fn a_request_names_a_token_and_its_type() {
        let id_token = format!("subject_token=t&subject_token_type={ID_TOKEN}");
        let read = parse(&format!("{id_token}&scope=openid+email&audience=a&resource=https://b.example&nonce=n"));
        let read = read.expect("complete");
        assert_eq!((read.subject_token_type, read.nonce.as_deref()), (SubjectTokenType::IdToken, Some("n")));
        assert_eq!(read.targets, ["https://b.example", "a"]);
        let other = format!("subject_token=t&subject_token_type={ACCESS_TOKEN}&subject_issuer=github");
        assert_eq!(parse(&other).expect("complete").subject_issuer.as_deref(), Some("github"));
        for (text, code) in [
            (String::new(), ErrorCode::InvalidRequest),
            ("subject_token=t".to_owned(), ErrorCode::InvalidRequest),
            ("subject_token=t&subject_token_type=jwt".to_owned(), ErrorCode::InvalidRequest),
            (format!("{id_token}&actor_token=a"), ErrorCode::InvalidRequest),
            (format!("{id_token}&requested_token_type={ID_TOKEN}"), ErrorCode::InvalidRequest),
            (format!("{id_token}&scope=%22"), ErrorCode::InvalidScope),
            (format!("{id_token}&nonce={}", "n".repeat(513)), ErrorCode::InvalidRequest),
        ] {
            assert_eq!(parse(&text).expect_err(&text), code, "{text}");
        }
    }
}
