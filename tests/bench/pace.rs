//! How fast the server's core is at this moment.
//!
//! On a virtual machine its speed changes from minute to minute, by a half and more. Each round stands between two looks at what a
//! signature costs, and its bound and its aims are those of a core of that speed.

use anyhow::{Context as _, Result};

use crate::bound::Costs;
use crate::machine::Pinning;
use crate::scenario::DEFAULT_ALGORITHM;
use crate::server;

/// Seconds of one look.
const LOOK: &str = "1";

/// What is compared with.
pub(crate) struct Pace<'a> {
    pinning: &'a Pinning,
    /// What a signature cost when the parts of the bound were measured, in µs.
    usual: f64,
}

impl<'a> Pace<'a> {
    /// Looks that are compared with `costs`.
    pub(crate) fn since(costs: &Costs, pinning: &'a Pinning) -> Result<Pace<'a>> {
        let usual = costs.signature.get(DEFAULT_ALGORITHM).copied().context("the cost of a signature")?;
        Ok(Pace { pinning, usual })
    }

    /// How many times as long as then everything takes now.
    pub(crate) fn now(&self) -> Result<f64> {
        let (_process, line) = server::start_role(self.pinning, &["signature", DEFAULT_ALGORITHM, LOOK])?;
        let cost: f64 = line.parse().context("the cost of a signature")?;
        Ok(cost / self.usual)
    }
}

impl Costs {
    /// What the parts cost where everything takes so many times as long.
    pub(crate) fn at(&self, pace: f64) -> Costs {
        let mut costs = self.clone();
        costs.request *= pace;
        costs.row.cost *= pace;
        costs.row_alone.cost *= pace;
        costs.signature.values_mut().for_each(|cost| *cost *= pace);
        costs
    }
}
