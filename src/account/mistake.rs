//! Why something was not done, in the words of the API's catalogue (`http/api/code.rs`): pages have texts of the same names.

use std::borrow::Cow;

use crate::authn::limit::Exceeded;
use crate::model::fault::Fault;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// What is wrong.
        #[derive(Copy, Clone, Debug, Eq, PartialEq)]
        pub enum Why {
            $($(#[$doc])* $name,)*
        }

        impl Why {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code of the catalogue.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

reasons! {
    /// It must be there.
    Required = "required";
    /// It is empty.
    Blank = "blank";
    /// It may not be there.
    UnknownField = "unknown_field";
    /// It is of another type.
    WrongType = "wrong_type";
    /// It is none of what it can be.
    InvalidValue = "invalid_value";
    /// It is too long.
    TooLong = "too_long";
    /// No e-mail address.
    InvalidEmail = "invalid_email";
    /// No phone number.
    InvalidPhoneNumber = "invalid_phone_number";
    /// The rules of this server do not allow it.
    IdentityNotAllowed = "identity_not_allowed";
    /// It has an owner.
    EmailTaken = "email_taken";
    /// It has an owner.
    PhoneTaken = "phone_taken";
    /// It has an owner.
    UsernameTaken = "username_taken";
    /// The password is too short.
    PasswordTooShort = "password_too_short";
    /// The two passwords differ.
    PasswordsNotIdentical = "passwords_not_identical";
    /// It has to be proven first.
    VerificationRequired = "verification_required";
    /// Nobody may register.
    SignupNotAllowed = "signup_not_allowed";
    /// The invitation is used, over, taken back or unknown.
    InvitationInvalid = "invitation_invalid";
    /// The caller may not.
    Forbidden = "forbidden";
    /// The code is not right.
    WrongCode = "wrong_code";
    /// The code was guessed at too often.
    CodeAttemptsExceeded = "code_attempts_exceeded";
    /// It has run out.
    RegistrationExpired = "registration_expired";
    /// There is no such registration, or it is another browser's.
    RegistrationInvalid = "registration_invalid";
    /// It was done before.
    AlreadyVerified = "already_verified";
    /// The link is used, over or unknown.
    ActivationLinkInvalid = "activation_link_invalid";
    /// The link is used, over or unknown.
    PasswordResetLinkInvalid = "password_reset_link_invalid";
    /// The link is used, over or unknown.
    EmailChangeExpired = "email_change_expired";
    /// The link is used, over or unknown.
    LinkInvalid = "link_invalid";
    /// It has run out.
    FlowExpired = "flow_expired";
    /// It is used, dead or unknown.
    FlowInvalid = "flow_invalid";
    /// It has run out.
    CodeExpired = "code_expired";
    /// The last proven address or number stays.
    LastDevice = "last_device";
    /// There is nothing of this name.
    NotFound = "not_found";
    /// There is no such factor.
    DeviceDoesNotExist = "device_does_not_exist";
    /// A factor has to be set up first.
    SetupRequired = "setup_required";
    /// The second factor is on.
    TwoFactorAlreadyEnabled = "2fa_already_enabled";
    /// The second factor is off.
    TwoFactorNotEnabled = "2fa_not_enabled";
    /// No factor is confirmed yet.
    NoConfirmedFactor = "no_confirmed_factor";
    /// The account may not be used.
    AccountDisabled = "account_disabled";
}

/// What is wrong with one field.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mistake {
    /// Its name.
    pub field: Cow<'static, str>,
    /// What is wrong: a code of the catalogue.
    pub code: &'static str,
    /// A number that a text about it needs, by its name.
    pub bound: Option<(&'static str, usize)>,
}

impl Mistake {
    /// `why` at `field`.
    pub fn new(field: impl Into<Cow<'static, str>>, why: Why) -> Self {
        Self { field: field.into(), code: why.as_str(), bound: None }
    }

    /// With a number that a text about it needs.
    #[must_use]
    pub const fn with(mut self, name: &'static str, bound: usize) -> Self {
        self.bound = Some((name, bound));
        self
    }
}

/// Why something was not done.
#[derive(Clone, Debug)]
pub enum AccountError {
    /// Fields that cannot be taken, all at once.
    Fields(Vec<Mistake>),
    /// It cannot be done.
    Refused(Why),
    /// A message was sent to the address a moment ago; seconds until the next may be.
    RecentlySent(u64),
    /// Too many text messages.
    SmsBudget(Exceeded),
    /// The caller asks too often.
    TooOften(Exceeded),
    /// Too much that came from the caller's address was wrong; seconds until anything is heard from there.
    TooManyAttempts(u64),
    /// Nobody takes the message that would be waited for.
    Undelivered,
    /// We could not.
    Fault(Fault),
}

impl From<Why> for AccountError {
    fn from(why: Why) -> Self {
        Self::Refused(why)
    }
}

impl From<Mistake> for AccountError {
    fn from(mistake: Mistake) -> Self {
        Self::Fields(vec![mistake])
    }
}

impl From<Fault> for AccountError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
