//! Whether a person sits there, or at least somebody who pays for each attempt.
//!
//! S-127. The built-in way is a proof of work ([`proof_of_work`]): no third party, nothing to solve by eye. reCAPTCHA, hCaptcha and
//! Turnstile are asked at their documented endpoints ([`remote`]). When it is asked for is [`Demand`], route by route; the adaptive one
//! asks who failed three times from the same address, and no longer when they have waited. To add a provider: a variant of
//! [`Provider`] and its endpoint.

pub mod proof_of_work;
pub mod remote;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::authn::captcha::proof_of_work::ProofOfWork;
use crate::authn::captcha::remote::Remote;
use crate::edge::Edges;
use crate::edge::ephemeral::{Decision, EphemeralKey, Quota};
use crate::model::fault::Fault;
use crate::protocol::secret::TokenHash;

const FAILED: &str = "captcha_failed";
/// So many failures from an address are nobody's business; after that, one in each period.
const FAILURES: Quota = Quota { burst: 3, period: Duration::from_mins(5) };

/// When a route asks.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Demand {
    /// Never.
    #[default]
    Off,
    /// After three failures from the same address.
    Adaptive,
    /// Each time.
    Always,
}

/// What is asked of.
#[derive(Clone, Debug)]
pub enum Provider {
    /// This server.
    ProofOfWork(Box<ProofOfWork>),
    /// Another one.
    Remote(Remote),
}

/// What an answer is worth.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It counts.
    Solved,
    /// It is wrong, over, used or made for another site.
    Invalid,
}

impl Provider {
    /// Judges an answer that came from `address`.
    ///
    /// # Errors
    /// A fault, when whoever has to judge does not answer: then nobody is let through.
    pub async fn judge(&self, edges: &Edges, answer: &str, address: &str) -> Result<Verdict, Fault> {
        match self {
            Self::ProofOfWork(work) => work.judge(edges, answer).await,
            Self::Remote(remote) => remote.judge(edges, answer, address).await,
        }
    }

    /// Its name in the settings and in what apps are told.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ProofOfWork(_) => "proof_of_work",
            Self::Remote(remote) => remote.service().name(),
        }
    }
}

impl Demand {
    /// Its name in the settings and in what apps are told.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Adaptive => "adaptive",
            Self::Always => "always",
        }
    }

    /// Whether it asks `address` for an answer now.
    ///
    /// # Errors
    /// A fault of the ephemeral store.
    pub async fn asks(self, edges: &Edges, address: &str) -> Result<bool, Fault> {
        match self {
            Self::Off => Ok(false),
            Self::Always => Ok(true),
            Self::Adaptive => {
                let key = key(address);
                let room = edges.ephemeral.rate(&key, FAILURES, edges.clock.now()).await?;
                if room == Decision::Allowed {
                    edges.ephemeral.give_back(&key, FAILURES).await?;
                }
                Ok(room != Decision::Allowed)
            }
        }
    }

    /// Notes that an attempt from `address` failed.
    ///
    /// # Errors
    /// A fault of the ephemeral store.
    pub async fn failed(self, edges: &Edges, address: &str) -> Result<(), Fault> {
        if self == Self::Adaptive {
            edges.ephemeral.rate(&key(address), FAILURES, edges.clock.now()).await?;
        }
        Ok(())
    }
}

fn key(address: &str) -> EphemeralKey {
    EphemeralKey::new(FAILED, TokenHash::of(address).as_bytes())
}
