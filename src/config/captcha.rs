//! `[captcha]`: what keeps programs from trying, and where it is asked for.
//!
//! S-127.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::secret::SecretSource;
use super::{ConfigError, number};
use crate::authn::captcha::Demand;

/// `[captcha]`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Captcha {
    /// Who judges: `proof_of_work` is built in; `recaptcha`, `hcaptcha`, `turnstile` are asked over the internet
    pub provider: Provider,
    /// The site key at one of the three
    pub site_key: Option<String>,
    /// The secret there
    pub secret: Option<SecretSource>,
    /// The built-in one: half as many hashes are computed for each attempt
    #[serde(deserialize_with = "number::whole")]
    pub difficulty: usize,
    /// When it is asked for at sign-in: `off`, `adaptive` (after three failures from an address), `always`
    #[schemars(with = "String")]
    pub sign_in: Demand,
    /// At registration
    #[schemars(with = "String")]
    pub registration: Demand,
    /// Where a new password or a forgotten address is asked for
    #[schemars(with = "String")]
    pub recovery: Demand,
}

/// Who judges.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// This server.
    #[default]
    ProofOfWork,
    /// Google.
    Recaptcha,
    /// hCaptcha.
    Hcaptcha,
    /// Cloudflare.
    Turnstile,
}

impl Default for Captcha {
    fn default() -> Self {
        Self {
            provider: Provider::default(),
            site_key: None,
            secret: None,
            difficulty: 50_000,
            sign_in: Demand::Off,
            registration: Demand::Off,
            recovery: Demand::Off,
        }
    }
}

impl Captcha {
    /// What has to hold between its keys.
    pub(super) fn mistake(&self) -> Option<ConfigError> {
        let missing = |key: &'static str| {
            Some(ConfigError::new(
                key,
                "is missing; the captcha.provider that is set gives you one, proof_of_work needs none",
            ))
        };
        match (self.provider, &self.site_key, &self.secret) {
            (Provider::ProofOfWork, ..) if !(1_000..=10_000_000).contains(&self.difficulty) => Some(ConfigError::new(
                "captcha.difficulty",
                "must be from 1000 to 10000000; 50000 is a second or two of a telephone",
            )),
            (Provider::ProofOfWork, ..) => None,
            (_, None, _) => missing("captcha.site_key"),
            (_, _, None) => missing("captcha.secret"),
            _ => None,
        }
    }
}
