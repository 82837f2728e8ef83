//! A message to a person, before it is put into words: what it is about and what it has to tell.
//!
//! The words are in `templates/mail/` and `templates/sms/`, by [`MessageKind`]; the worker renders them when the turn comes, in the
//! language that is asked for here.

use serde::{Deserialize, Serialize};

use crate::model::event::Provenance;
use crate::model::id::{ClientId, UserId};

/// A message that is to be sent.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// What it is about.
    pub kind: MessageKind,
    /// The way it goes.
    pub channel: Channel,
    /// The address, or the phone number in E.164.
    pub to: String,
    /// Whose it is, if they have an account.
    pub user: Option<UserId>,
    /// The app it is sent for, whose templates may differ.
    pub client: Option<ClientId>,
    /// BCP 47 tags, the most wanted first.
    pub languages: Vec<String>,
    /// What it has to tell.
    pub data: MessageData,
}

/// The way a message goes.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// E-mail.
    Mail,
    /// A text message.
    Sms,
}

/// What a message has to tell. Its kind says which members are there.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MessageData {
    /// What the person is called.
    pub name: Option<String>,
    /// A code to be typed.
    pub code: Option<String>,
    /// A link to be opened.
    pub url: Option<String>,
    /// How long code or link are good, in minutes.
    pub valid_minutes: Option<u64>,
    /// Another address or number that it is about, masked where it is somebody else's to know.
    pub address: Option<String>,
    /// Where the request came from that led to it.
    pub request: Option<Provenance>,
    /// How many are left, where something is used up.
    pub remaining: Option<u32>,
    /// The server elsewhere that it is about, as people know it.
    pub provider: Option<String>,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// What a message is about: the name of its templates.
        #[derive(Copy, Clone, Debug, Eq, PartialEq, Hash, Serialize, Deserialize)]
        pub enum MessageKind {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
        }

        impl MessageKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name of its templates.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

kinds! {
    /// A link that activates a new account.
    Activate = "activate";
    /// A code that confirms a registration.
    RegistrationCode = "registration_code";
    /// A code that signs in.
    SignInCode = "sign_in_code";
    /// A link that signs in.
    MagicLink = "magic_link";
    /// A link that sets a new password.
    PasswordReset = "password_reset";
    /// A code that allows a new password.
    PasswordResetCode = "password_reset_code";
    /// An account was made for the person; a link sets its first password.
    SetPassword = "set_password";
    /// The password was changed.
    PasswordChanged = "password_changed";
    /// A code and a link that confirm a new address, sent to it.
    EmailChange = "email_change";
    /// The address is about to change, sent to the old one with a link that undoes it.
    EmailChangeNotice = "email_change_notice";
    /// A code that confirms a phone number or a further address.
    ContactCode = "contact_code";
    /// An address or number was added to the account.
    ContactAdded = "contact_added";
    /// Another address or number is the primary one.
    ContactPrimary = "contact_primary";
    /// An address or number was removed from the account.
    ContactRemoved = "contact_removed";
    /// A code that proves the person again before something sensitive.
    StepUpCode = "step_up_code";
    /// A code that lets a person look up their forgotten address.
    RecoveryCode = "recovery_code";
    /// Somebody tried to register with an address that has an account.
    AccountExists = "account_exists";
    /// A sign-in from a browser that was not seen before, with a link for "this was not me".
    NewDevice = "new_device";
    /// The second factor was changed.
    MfaChanged = "mfa_changed";
    /// A backup code was used; how many are left.
    BackupCodeUsed = "backup_code_used";
    /// An account at a server elsewhere was connected: whoever has it signs in by it.
    IdentityLinked = "identity_linked";
    /// Such a connection was cut.
    IdentityUnlinked = "identity_unlinked";
    /// The account will be deleted, with a link that undoes it.
    AccountDeletion = "account_deletion";
    /// An export of the person's data is ready.
    ExportReady = "export_ready";
    /// Somebody invites the person.
    Invitation = "invitation";
    /// An operator wants to see whether messages arrive.
    Test = "test";
}
