//! Whole lives of grants for minutes, watching the memory of the server.
//!
//! # How it is judged
//!
//! Each operation is a code flow, userinfo with its token, a refresh, introspection of the new token: no token comes twice, so
//! every cache meets as many keys as a busy month brings. All operations are alike, so that a round late in the run compares
//! with an early one. The caches are bounded: they fill during the first half, and nothing may grow after that. Resident memory
//! is read at the end of each round; growth is the mean of the last quarter of the rounds less the mean of the quarter that
//! begins at the half. Means, since allocators and the page caches of SQLite breathe by a megabyte from round to round.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::load::{self, Target};
use crate::scenario::Stage;

const ROUND: Duration = Duration::from_secs(14);
/// Fast, so that rows and caches grow as quickly as they can.
pub(crate) const ALGORITHM: &str = "ES256";

/// Resident memory in KiB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Growth {
    /// From the third quarter to the last.
    pub(crate) grown: f64,
    /// At the end.
    pub(crate) end: u64,
    /// How many lives there were.
    pub(crate) lives: f64,
}

/// Runs for so many minutes.
pub(crate) async fn run(stage: &Stage, target: &Target, minutes: u64, rate: Option<u32>) -> Result<Growth> {
    let began = Instant::now();
    let length = Duration::from_secs(minutes * 60);
    let mut works = stage.lives(rate);
    let mut seen = Vec::new();
    let mut lives = 0.0;
    while began.elapsed() < length {
        let (measured, again) = load::run(target, works, ROUND).await.context("soak")?;
        works = again;
        let memory = target.memory()?;
        // The second of warming up counts as well.
        lives += measured.rate * (ROUND.as_secs_f64() + 1.0);
        seen.push(memory);
        println!(
            "{:>6} s  {:>7.0} lives/s  p99 {:>7.2} ms  {lives:>9.0} lives  memory {memory} KiB",
            began.elapsed().as_secs(),
            measured.rate,
            measured.p99
        );
    }
    let quarter = seen.len() / 4;
    let (Some(&end), Some(third), Some(last)) =
        (seen.last(), seen.get(seen.len() - 2 * quarter..seen.len() - quarter), seen.get(seen.len() - quarter..))
    else {
        bail!("the soak was too short");
    };
    if quarter == 0 {
        bail!("the soak was too short: four rounds of {ROUND:?} at least");
    }
    Ok(Growth { grown: mean(last) - mean(third), end, lives })
}

#[expect(clippy::cast_precision_loss, reason = "memory in KiB is far below 2^52")]
fn mean(memory: &[u64]) -> f64 {
    memory.iter().sum::<u64>() as f64 / memory.len().max(1) as f64
}
