//! `[second_factor]`: what is asked for beside the first proof.
//!
//! S-100; NIST SP 800-63B-4 §2.2.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration;
use super::endpoints::switch;
use crate::authn::second_factor::SecondFactorPolicy;
use crate::model::authentication::Demand;

/// `[second_factor]`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SecondFactor {
    /// Whether everybody needs two factors; who has none sets one up at the next sign-in
    #[serde(deserialize_with = "switch")]
    pub required: bool,
    /// Whether those need two factors who have a role on this server; without them nobody gets into the administration, and no browser
    /// is remembered instead
    #[serde(deserialize_with = "switch")]
    pub administration: bool,
    /// How long no second factor is asked for in a browser in which the person wants that; `0s` offers it to nobody
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub remember: Duration,
}

impl Default for SecondFactor {
    fn default() -> Self {
        Self {
            required: false,
            administration: false,
            remember: SecondFactorPolicy::default().remember.unwrap_or_default(),
        }
    }
}

impl SecondFactor {
    /// As `authn/` wants it.
    pub fn policy(&self, backup_codes: u32) -> SecondFactorPolicy {
        SecondFactorPolicy {
            least: demand(self.required),
            administration: demand(self.administration),
            remember: Some(self.remember).filter(|remember| !remember.is_zero()),
            backup_codes,
        }
    }
}

const fn demand(required: bool) -> Demand {
    if required { Demand::TwoFactors } else { Demand::OneFactor }
}
