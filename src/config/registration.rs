//! `[registration]`: how people make accounts.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration;
use crate::account::settings::{Answers, Presence, SignUp};
use crate::model::invitation::Inviters;

/// `[registration]`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Registration {
    /// How people make accounts: `code` (nothing is kept before the code of the mail is typed), `link` (the account waits for its
    /// link), `off`
    #[schemars(with = "String")]
    pub mode: SignUp,
    /// Whether people choose a username: `required`, `optional` (one is made of the address), `off`
    #[schemars(with = "String")]
    pub username: Presence,
    /// What is said of an address that has an account: `privacy` (the same as of any other; its owner gets a mail), `explicit`
    #[schemars(with = "String")]
    pub answers: Answers,
    /// The code of a new account; at most 1 h
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub code_lifetime: Duration,
    /// The link of a new account
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub link_lifetime: Duration,
    /// Who may invite, also where nobody registers: `nobody`, `staff` (who looks after people), `everybody`
    #[schemars(with = "String")]
    pub invitations: Inviters,
    /// An invitation
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub invitation_lifetime: Duration,
}

impl Default for Registration {
    fn default() -> Self {
        Self {
            mode: SignUp::Code,
            username: Presence::Off,
            answers: Answers::Privacy,
            code_lifetime: Duration::from_mins(10),
            link_lifetime: Duration::from_hours(24),
            invitations: Inviters::Staff,
            invitation_lifetime: Duration::from_hours(7 * 24),
        }
    }
}
