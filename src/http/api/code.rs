//! The catalogue of codes: what an answer of the API can say went wrong.
//!
//! RFC 9457 §4, DECISIONS.md (codes of the account API). A code is the contract; its title, in every language, is the text
//! `problem-<code>` of `templates/locale/<tag>/problem.ftl`. To add one: a line here, and its texts.
//!
//! `2fa_required` is none of them: a second factor that is asked for is a challenge and not an error.

use std::fmt;

use http::StatusCode;
use serde::{Serialize, Serializer};

macro_rules! catalogue {
    ($($(#[$doc:meta])* $name:ident = $text:literal [$($status:literal),+] $(($($parameter:literal),+))?;)*) => {
        /// What went wrong.
        #[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// The whole catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// The statuses it comes with; the first is the usual one.
            pub const fn statuses(self) -> &'static [u16] {
                match self {
                    $(Self::$name => &[$($status),+],)*
                }
            }

            /// The names of what `params` holds with it.
            pub const fn parameters(self) -> &'static [&'static str] {
                match self {
                    $(Self::$name => &[$($($parameter),+)?],)*
                }
            }
        }
    };
}

catalogue! {
    // Fields: what was sent cannot be taken.
    /// A field is empty.
    Blank = "blank" [422];
    /// A field is missing.
    Required = "required" [422];
    /// There is no such field.
    UnknownField = "unknown_field" [422];
    /// A field is of another JSON type.
    WrongType = "wrong_type" [422] ("expected");
    /// A field is none of the values that it can have.
    InvalidValue = "invalid_value" [422];
    /// A field is too long.
    TooLong = "too_long" [422] ("max");
    /// No e-mail address.
    InvalidEmail = "invalid_email" [422];
    /// No phone number.
    InvalidPhoneNumber = "invalid_phone_number" [422];
    /// A password is too short.
    PasswordTooShort = "password_too_short" [422] ("min");
    /// A password is too much like a name of the person.
    PasswordTooSimilar = "password_too_similar" [422];
    /// A password that many people have.
    PasswordTooCommon = "password_too_common" [422];
    /// A password of digits only.
    PasswordEntirelyNumeric = "password_entirely_numeric" [422];
    /// A password that is in a list of stolen ones.
    PasswordBreached = "password_breached" [422];
    /// A password that could not be looked up among stolen ones, where this server takes no other.
    PasswordUnchecked = "password_unchecked" [422];
    /// Two entries of a password differ.
    PasswordsNotIdentical = "passwords_not_identical" [422];
    /// The present password is not right.
    InvalidPassword = "invalid_password" [422];
    /// A username has an owner.
    UsernameTaken = "username_taken" [409, 422];
    /// An e-mail address has an owner.
    EmailTaken = "email_taken" [409, 422];
    /// A phone number has an owner.
    PhoneTaken = "phone_taken" [409, 422];
    /// The rules of this server do not allow the name or address.
    IdentityNotAllowed = "identity_not_allowed" [422, 403];
    /// A captcha is needed.
    CaptchaRequired = "captcha_required" [422];
    /// A captcha was not solved.
    CaptchaInvalid = "captcha_invalid" [422];
    /// A claim that this server does not know.
    UnexpectedClaim = "unexpected_claim" [422];
    /// A redirect to a place that is not allowed.
    InvalidRedirect = "invalid_redirect" [422];

    // Not proven.
    /// Name and password, or whatever was proven with, are not right.
    InvalidCredentials = "invalid_credentials" [401];
    /// A one-time code is not right: 401 in a sign-in, 422 in a settings form.
    WrongCode = "wrong_code" [401, 422] ("remaining");
    /// A sign-in under way has run out.
    FlowExpired = "flow_expired" [401];
    /// Nobody is signed in.
    SignInRequired = "sign_in_required" [401];
    /// A refresh token is unknown, used or over.
    InvalidRefreshToken = "invalid_refresh_token" [401];
    /// An access token is unknown, revoked or over.
    TokenInvalid = "token_invalid" [401];
    /// A token of another provider is not good.
    FederationTokenInvalid = "federation_token_invalid" [401];
    /// An access token lacks a claim that this server wants.
    MissingClaims = "missing_claims" [401];

    // Proven, and not allowed.
    /// The account is switched off.
    AccountDisabled = "account_disabled" [403];
    /// The account waits for its activation.
    AccountNotActivated = "account_not_activated" [403];
    /// Nobody may register here.
    SignupNotAllowed = "signup_not_allowed" [403];
    /// The person may not invite.
    InviteNotAllowed = "invite_not_allowed" [403];
    /// The request does not come from a page that may send it.
    CsrfFailed = "csrf_failed" [403];
    /// The person has to prove again who they are.
    ReauthRequired = "reauth_required" [403, 401];
    /// A claim that is fixed.
    ClaimNotUpdatable = "claim_not_updatable" [403];
    /// A hook of the operator said no.
    Vetoed = "vetoed" [403];
    /// The caller may not do this.
    Forbidden = "forbidden" [403];
    /// The client may not do this.
    UnauthorizedClient = "unauthorized_client" [403];
    /// The person said no.
    AccessDenied = "access_denied" [403];
    /// An address has to be proven first.
    VerificationRequired = "verification_required" [422, 403];
    /// The other provider said no.
    FederationDenied = "federation_denied" [403];

    // Not there.
    /// There is no such factor.
    DeviceDoesNotExist = "device_does_not_exist" [404];
    /// There is no such provider.
    ProviderNotFound = "provider_not_found" [404];
    /// There is nothing of this name, or it is not the caller's.
    NotFound = "not_found" [404];

    // State.
    /// The second factor is on.
    TwoFactorAlreadyEnabled = "2fa_already_enabled" [409];
    /// The second factor is off.
    TwoFactorNotEnabled = "2fa_not_enabled" [409];
    /// A factor has to be set up first.
    SetupRequired = "setup_required" [409];
    /// No factor is confirmed yet.
    NoConfirmedFactor = "no_confirmed_factor" [409];
    /// The last factor stays while one is required.
    LastDevice = "last_device" [409];
    /// The last way to sign in stays.
    LastSignInMethod = "last_sign_in_method" [409];
    /// An account elsewhere is connected to somebody else.
    IdentityTaken = "identity_taken" [409];
    /// An address is proven already.
    AlreadyVerified = "already_verified" [409];
    /// Something of this name is there.
    AlreadyExists = "already_exists" [409];
    /// A group would stand within itself.
    GroupCircle = "group_circle" [409];
    /// Groups would nest too deep.
    GroupTooDeep = "group_too_deep" [409];
    /// Other groups stand within it.
    GroupInUse = "group_in_use" [409];
    /// The last owner stays one.
    LastOwner = "last_owner" [409];
    /// The client authenticates in another way than by a secret.
    ClientHasNoSecret = "client_has_no_secret" [409];
    /// Clients do not know the next keys yet.
    KeysNotKnown = "keys_not_known" [409];
    /// The person is signed in too often.
    TooManySessions = "too_many_sessions" [409] ("max");

    // Used or over.
    /// A sign-in under way is used, dead or unknown.
    FlowInvalid = "flow_invalid" [410];
    /// An activation link is used, over or unknown.
    ActivationLinkInvalid = "activation_link_invalid" [410];
    /// A reset link is used, over or unknown.
    PasswordResetLinkInvalid = "password_reset_link_invalid" [410];
    /// A sign-in link is used, over or unknown.
    MagicLinkInvalid = "magic_link_invalid" [410];
    /// A change of address has run out.
    EmailChangeExpired = "email_change_expired" [410];
    /// A registration has run out.
    RegistrationExpired = "registration_expired" [410];
    /// A registration is used, dead or unknown.
    RegistrationInvalid = "registration_invalid" [422];
    /// A code has run out.
    CodeExpired = "code_expired" [410];
    /// A code was guessed at too often.
    CodeAttemptsExceeded = "code_attempts_exceeded" [410];
    /// An invitation is used, over or unknown.
    InvitationInvalid = "invitation_invalid" [410];
    /// A link is used, over or unknown.
    LinkInvalid = "link_invalid" [410];

    // Limits.
    /// Too many requests.
    RateLimited = "rate_limited" [429];
    /// Too many wrong tries.
    TooManyAttempts = "too_many_attempts" [429];
    /// A code was sent a moment ago.
    CodeRecentlySent = "code_recently_sent" [429];
    /// Too many text messages.
    SmsBudgetExceeded = "sms_budget_exceeded" [429];
    /// The same question comes too often.
    SlowDown = "slow_down" [429];

    // For the moment not possible.
    /// A message could not be handed on.
    DeliveryFailed = "delivery_failed" [503];
    /// What a sign-in needs does not answer.
    SignInUnavailable = "sign_in_unavailable" [503];
    /// What a sign-in needs is not complete.
    SignInDataIncomplete = "sign_in_data_incomplete" [503];
    /// The other provider does not answer as it should.
    FederationFailed = "federation_failed" [503];
    /// Something that this server needs does not answer.
    Unavailable = "unavailable" [503];

    // The request itself.
    /// The body is no JSON object.
    MalformedBody = "malformed_body" [400];
    /// The query cannot be read.
    MalformedQuery = "malformed_query" [400];
    /// The client may not have its answer in this way.
    DeliveryNotAllowed = "delivery_not_allowed" [400];
    /// A device's request has run out.
    ExpiredToken = "expired_token" [400];
    /// A return from another provider that was not begun in this browser.
    FederationStateInvalid = "federation_state_invalid" [400];
    /// A SAML message that is not good.
    SamlInvalid = "saml_invalid" [400];
    /// The URL does not take this method.
    MethodNotAllowed = "method_not_allowed" [405];
    /// The body took too long.
    RequestTimeout = "request_timeout" [408];
    /// It was changed since the caller saw it.
    PreconditionFailed = "precondition_failed" [412];
    /// The body is too large.
    PayloadTooLarge = "payload_too_large" [413] ("max");
    /// The URL is too long.
    UriTooLong = "uri_too_long" [414];
    /// The body is not JSON.
    UnsupportedMediaType = "unsupported_media_type" [415];
    /// A mistake of ours.
    ServerError = "server_error" [500];
}

impl Code {
    /// The usual status.
    ///
    /// # Panics
    /// Never: the catalogue holds valid statuses.
    pub fn status(self) -> StatusCode {
        let first = self.statuses().first().copied().unwrap_or(500);
        StatusCode::from_u16(first).expect("the catalogue holds valid statuses")
    }

    /// The code called `text`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_code_stands_once_and_has_statuses_of_refusals() {
        let names: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            assert!(code.statuses().iter().all(|status| (400..600).contains(status)), "{code}");
            assert_eq!(Code::parse(code.as_str()), Some(*code));
        }
    }

    /// Codes that tell strangers who exists have no successor (`ACCOUNT_API.md` §3.5).
    #[test]
    fn no_code_enumerates() {
        for gone in ["user_does_not_exist", "unknown_user"] {
            assert_eq!(Code::parse(gone), None);
        }
    }
}
