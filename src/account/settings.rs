//! What the operator decided about accounts.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::account::attribute::Attributes;
use crate::account::rule::IdentityRules;
use crate::model::invitation::Inviters;
use crate::model::user::IdentifierKind;

/// Decisions about accounts.
#[derive(Clone, Debug)]
pub struct AccountSettings {
    /// How accounts are made.
    pub sign_up: SignUp,
    /// Whether people register by themselves: neither where accounts are made for them, nor where registering is switched off (S-181).
    pub registers: bool,
    /// Whether people ask for a new password by themselves (S-181).
    pub resets: bool,
    /// Whether a link sets a password (S-181).
    pub sets_passwords: bool,
    /// Who may ask others in.
    pub inviters: Inviters,
    /// What is said of addresses that have an account.
    pub answers: Answers,
    /// Whether people choose a username.
    pub username: Presence,
    /// What else is known of people.
    pub attributes: Attributes,
    /// Claims and attributes that the view of a person has beside its own fields.
    pub view: Vec<String>,
    /// Which names are taken.
    pub rules: IdentityRules,
    /// By which names people sign in.
    pub identity_fields: Vec<IdentifierKind>,
    /// By what people register on pages and get back into their accounts: an address, a number. The first is asked for first.
    pub reached_by: Vec<IdentifierKind>,
    /// How long things are good.
    pub lifetimes: AccountLifetimes,
    /// How long sign-ins are remembered.
    pub history: Duration,
}

/// How long things are good.
#[derive(Copy, Clone, Debug)]
pub struct AccountLifetimes {
    /// A registration by code.
    pub registration: Duration,
    /// The link of a new account.
    pub activation: Duration,
    /// An invitation.
    pub invitation: Duration,
    /// A link for a new password.
    pub reset: Duration,
    /// A code for a new password, or for the forgotten address.
    pub code: Duration,
    /// A code for a further address or number.
    pub contact: Duration,
    /// The link by which somebody sets the first password of an account that was made for them.
    pub set_password: Duration,
    /// The mail to a new address.
    pub email_change: Duration,
    /// The link that takes a change of address back.
    pub email_change_undo: Duration,
    /// The link by which somebody says that a sign-in was not theirs.
    pub new_device: Duration,
    /// The time between the wish for a deletion and its end.
    pub deletion_grace: Duration,
    /// The link of an export.
    pub export: Duration,
}

/// How accounts are made.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SignUp {
    /// By a code: nothing is kept as an account until it is typed.
    Code,
    /// By a link: the account waits for it.
    Link,
    /// Not by people themselves.
    Off,
}

impl SignUp {
    /// As the settings and the API write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Link => "link",
            Self::Off => "off",
        }
    }
}

/// What is said of addresses that have an account.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answers {
    /// The same as of any other: strangers learn nothing, and the owner gets a mail.
    Privacy,
    /// That they are taken.
    Explicit,
}

/// Whether something is asked for.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It must be there.
    Required,
    /// It may be left out.
    Optional,
    /// It may not be there.
    Off,
}

impl Presence {
    /// As the settings and the API write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Optional => "optional",
            Self::Off => "off",
        }
    }
}
