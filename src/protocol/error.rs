//! Errors that a client receives.
//!
//! RFC 6749 §4.1.2.1 and §5.2, and the codes registered since: RFC 6750 §3.1, OIDC Core §3.1.2.6, RFC 7591 §3.2.2,
//! RFC 8628 §3.5.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $status:literal;)*) => {
        /// A registered error code.
        #[derive(Copy, Clone, Debug, Eq, PartialEq, Hash)]
        pub enum ErrorCode { $($(#[$doc])* $variant,)* }

        impl ErrorCode {
            /// Every code we can answer.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code as sent.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The HTTP status of an answer that carries this code in its body.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }
        }
    };
}

codes! {
    /// RFC 6749 §4.1.2.1, §5.2.
    InvalidRequest = "invalid_request", 400;
    /// RFC 6749 §5.2: client authentication failed.
    InvalidClient = "invalid_client", 401;
    /// RFC 6749 §5.2.
    InvalidGrant = "invalid_grant", 400;
    /// RFC 6749 §4.1.2.1, §5.2.
    UnauthorizedClient = "unauthorized_client", 400;
    /// RFC 6749 §5.2.
    UnsupportedGrantType = "unsupported_grant_type", 400;
    /// RFC 6749 §4.1.2.1.
    UnsupportedResponseType = "unsupported_response_type", 400;
    /// RFC 6749 §4.1.2.1, §5.2.
    InvalidScope = "invalid_scope", 400;
    /// RFC 6749 §4.1.2.1.
    AccessDenied = "access_denied", 403;
    /// RFC 6749 §4.1.2.1.
    ServerError = "server_error", 500;
    /// RFC 6749 §4.1.2.1.
    TemporarilyUnavailable = "temporarily_unavailable", 503;
    /// RFC 6750 §3.1.
    InvalidToken = "invalid_token", 401;
    /// RFC 6750 §3.1.
    InsufficientScope = "insufficient_scope", 403;
    /// OIDC Core §3.1.2.6.
    InteractionRequired = "interaction_required", 400;
    /// OIDC Core §3.1.2.6.
    LoginRequired = "login_required", 400;
    /// OIDC Core §3.1.2.6.
    AccountSelectionRequired = "account_selection_required", 400;
    /// OIDC Core §3.1.2.6.
    ConsentRequired = "consent_required", 400;
    /// OIDC Core §3.1.2.6.
    RequestNotSupported = "request_not_supported", 400;
    /// OIDC Core §3.1.2.6.
    RequestUriNotSupported = "request_uri_not_supported", 400;
    /// OIDC Core §3.1.2.6.
    RegistrationNotSupported = "registration_not_supported", 400;
    /// OIDC Unmet Authentication Requirements §2.
    UnmetAuthenticationRequirements = "unmet_authentication_requirements", 400;
    /// RFC 8707 §2.
    InvalidTarget = "invalid_target", 400;
    /// RFC 7009 §2.2.1.
    UnsupportedTokenType = "unsupported_token_type", 400;
    /// RFC 7591 §3.2.2.
    InvalidRedirectUri = "invalid_redirect_uri", 400;
    /// RFC 7591 §3.2.2.
    InvalidClientMetadata = "invalid_client_metadata", 400;
    /// RFC 7591 §3.2.2.
    InvalidSoftwareStatement = "invalid_software_statement", 400;
    /// RFC 7591 §3.2.2.
    UnapprovedSoftwareStatement = "unapproved_software_statement", 400;
    /// RFC 8628 §3.5: nobody has answered yet.
    AuthorizationPending = "authorization_pending", 400;
    /// RFC 8628 §3.5: the same, and the device asks too often.
    SlowDown = "slow_down", 400;
    /// RFC 8628 §3.5: the device code has run out.
    ExpiredToken = "expired_token", 400;
    /// OAuth 2.0 for First-Party Applications §5.2.2.
    InsufficientAuthorization = "insufficient_authorization", 400;
    /// OAuth 2.0 for First-Party Applications §5.2.2.
    InvalidSession = "invalid_session", 400;
}

impl ErrorCode {
    /// `error_uri` (RFC 6749 §5.2): the page at `issuer` that explains the code.
    pub fn uri(self, issuer: &str) -> String {
        format!("{issuer}/docs/errors/{self}")
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refusal: the code and a sentence for the client, a hint for the developer, the cause for the log.
///
/// The hint is shown in development and in the log only: it may name what is registered.
#[derive(Clone, Debug)]
pub struct OAuthError {
    code: ErrorCode,
    description: Cow<'static, str>,
    hint: Option<String>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

macro_rules! constructors {
    ($($name:ident => $code:ident;)*) => {
        impl OAuthError {
            $(
                #[doc = concat!("An error with the code `", stringify!($name), "`.")]
                pub fn $name(description: impl Into<Cow<'static, str>>) -> Self {
                    Self::new(ErrorCode::$code, description)
                }
            )*
        }
    };
}

constructors! {
    invalid_request => InvalidRequest;
    invalid_client => InvalidClient;
    invalid_grant => InvalidGrant;
    unauthorized_client => UnauthorizedClient;
    invalid_scope => InvalidScope;
    invalid_token => InvalidToken;
    invalid_client_metadata => InvalidClientMetadata;
    invalid_redirect_uri => InvalidRedirectUri;
    access_denied => AccessDenied;
    server_error => ServerError;
}

impl OAuthError {
    /// An error with `code`; `description` is a plain sentence that teaches, without secrets.
    pub fn new(code: ErrorCode, description: impl Into<Cow<'static, str>>) -> Self {
        Self { code, description: printable(description.into()), hint: None, source: None }
    }

    /// Adds what a developer should look at; for the log and development pages.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the cause, for the log.
    #[must_use]
    pub fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// The registered code.
    pub const fn code(&self) -> ErrorCode {
        self.code
    }

    /// The sentence for the client: printable ASCII without `"` and `\` (RFC 6749 §5.2).
    pub fn description(&self) -> &str {
        &self.description
    }

    /// What helps a developer, if anything was said.
    pub fn developer_hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

/// RFC 6749 §5.2 allows %x20-21 / %x23-5B / %x5D-7E; anything else becomes `?`.
fn printable(text: Cow<'static, str>) -> Cow<'static, str> {
    let allowed = |c: char| matches!(c, '\x20'..='\x21' | '\x23'..='\x5B' | '\x5D'..='\x7E');
    if text.chars().all(allowed) {
        return text;
    }
    text.chars()
        .map(|c| match c {
            c if allowed(c) => c,
            '"' => '\'',
            '\n' | '\r' | '\t' => ' ',
            _ => '?',
        })
        .collect::<String>()
        .into()
}

impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.description)
    }
}

impl Error for OAuthError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_keep_to_the_permitted_characters() {
        let error = OAuthError::invalid_request("a \"quoted\" \\ word, a line\nand ümlauts");
        assert_eq!(error.description(), "a 'quoted' ? word, a line and ?mlauts");
    }

    #[test]
    fn codes_are_distinct() {
        let mut seen = std::collections::HashSet::new();
        assert!(ErrorCode::ALL.iter().all(|code| seen.insert(code.as_str())));
    }
}
