//! What one core could give at best, from what the parts cost on it (the formula stands in `main.rs`).

use std::collections::BTreeMap;

use serde::Serialize;

/// A hash and some reads in memory, in µs: what `STACK.md` §9 leaves between a request and userinfo.
const LOOK_UP: f64 = 3.6;

/// What the parts cost on the server's core, in µs of CPU.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Costs {
    /// One exchange with a bare axum server.
    pub(crate) request: f64,
    /// One durable row in a group of 64.
    pub(crate) row: DurableRow,
    /// One durable row in a transaction of its own.
    pub(crate) row_alone: DurableRow,
    /// One signature, by algorithm.
    pub(crate) signature: BTreeMap<&'static str, f64>,
}

impl Costs {
    /// What the parts cost on the machine for which the aims were set (`STACK.md` §9).
    pub(crate) fn aimed_at() -> Costs {
        let signature = BTreeMap::from([("RS256", 235.0), ("ES256", 13.0), ("EdDSA", 7.0)]);
        let row = |cost: f64| DurableRow { cost, rate: 1_000_000.0 / cost };
        Costs { request: 8.5, row: row(17.5), row_alone: row(69.0), signature }
    }
}

/// A row that is on the disk when it is acknowledged.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct DurableRow {
    /// µs of CPU.
    pub(crate) cost: f64,
    /// Rows in a second of wall time, one after the other.
    pub(crate) rate: f64,
}

/// What one operation cannot do without.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Needs {
    /// HTTP requests.
    pub(crate) requests: u32,
    /// Durable rows.
    pub(crate) rows: u32,
    /// Look-ups in memory.
    pub(crate) look_ups: u32,
    /// The `alg` of every token that is signed.
    pub(crate) signatures: Vec<String>,
}

impl Needs {
    /// Operations per second; `None` when the cost of a signature is not known.
    pub(crate) fn bound(&self, costs: &Costs) -> Option<f64> {
        let mut signatures = 0.0;
        for algorithm in &self.signatures {
            signatures += costs.signature.get(algorithm.as_str())?;
        }
        let work = f64::from(self.requests) * costs.request + f64::from(self.rows) * costs.row.cost;
        Some(1_000_000.0 / (work + f64::from(self.look_ups) * LOOK_UP + signatures))
    }
}

impl Needs {
    /// How many times as long as on the machine of the aims the least of this operation takes here; 1 where it is no slower.
    ///
    /// Aims in seconds are set for one machine: with twice the cost of a signature, 64 requests that are always under way
    /// cannot be answered in the same time.
    pub(crate) fn slowness(&self, bound: Option<f64>) -> f64 {
        match (self.bound(&Costs::aimed_at()), bound) {
            (Some(aimed_at), Some(bound)) => (aimed_at / bound).max(1.0),
            _ => 1.0,
        }
    }
}

/// What issue 2 asks for.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Aim {
    /// This part of the bound.
    OfBound(f64),
    /// So many operations per second on the machine of the aims.
    Rate(f64),
    /// Nothing is said.
    None,
}

/// Whether an aim was reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// It was.
    Met,
    /// It was not.
    Below,
}

impl Aim {
    /// As a machine can give it that is so many times slower.
    pub(crate) fn slower(self, times: f64) -> Aim {
        match self {
            Aim::Rate(rate) => Aim::Rate(rate / times),
            Aim::OfBound(_) | Aim::None => self,
        }
    }

    /// `None` when there is nothing to compare.
    pub(crate) fn verdict(self, rate: f64, bound: Option<f64>) -> Option<Verdict> {
        let reached = match self {
            Aim::OfBound(part) => rate >= part * bound?,
            Aim::Rate(wanted) => rate >= wanted,
            Aim::None => return None,
        };
        Some(if reached { Verdict::Met } else { Verdict::Below })
    }
}

impl std::fmt::Display for Aim {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Aim::OfBound(part) => write!(formatter, "{:.0} %", part * 100.0),
            Aim::Rate(rate) => write!(formatter, "{rate:.0}/s"),
            Aim::None => formatter.write_str("–"),
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Verdict::Met => "met",
            Verdict::Below => "below",
        })
    }
}
