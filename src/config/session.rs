//! `[session]`: how long people stay signed in.
//!
//! NIST SP 800-63B-4 §2.2.3; DECISIONS.md (lifetimes, cookies).

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{duration, number};
use crate::account::step_up::STEP_UP_LIFETIME;
use crate::authn::flow::SIGN_IN_LIFETIME;
use crate::model::session::SessionLifetimes;
use crate::oauth::policy::Lifetimes;

/// `[session]`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Session {
    /// A session that is not used
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub idle_lifetime: Duration,
    /// A session with “keep me signed in”, however it is used
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub lifetime: Duration,
    /// A proof of who one is, before something sensitive; after that the person proves it again
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub step_up_lifetime: Duration,
    /// A sign-in of several steps, from the first to the last
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub sign_in_lifetime: Duration,
    /// The most sessions of one person; one more ends the oldest
    #[serde(deserialize_with = "number::positive")]
    pub at_most: u32,
    /// A sign-in under way, from the app's request to the answer
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub interaction_lifetime: Duration,
    /// A domain for the cookies, when several hosts share them; else they belong to this host alone
    pub cookie_domain: Option<String>,
}

impl Default for Session {
    fn default() -> Self {
        let lifetimes = SessionLifetimes::default();
        Self {
            idle_lifetime: lifetimes.idle,
            lifetime: lifetimes.absolute,
            step_up_lifetime: STEP_UP_LIFETIME,
            sign_in_lifetime: SIGN_IN_LIFETIME,
            at_most: lifetimes.at_most,
            interaction_lifetime: Lifetimes::default().interaction,
            cookie_domain: None,
        }
    }
}
