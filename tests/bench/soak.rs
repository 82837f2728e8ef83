//! A mixed load for minutes, watching the memory of the server.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::load::{self, Target};
use crate::machine;
use crate::scenario::{Kind, Stage};

/// Access tokens live for minutes only: each round prepares its own.
const ROUND: Duration = Duration::from_secs(20);
/// Fast, so that rows and caches grow as quickly as they can.
pub(crate) const ALGORITHM: &str = "ES256";
/// One after another.
const MIX: [Kind; 5] = [Kind::CodeFlow, Kind::Refresh, Kind::ClientCredentials, Kind::UserInfo, Kind::Introspection];

/// Resident memory in KiB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Growth {
    /// Halfway, when the caches are full.
    pub(crate) halfway: u64,
    /// At the end.
    pub(crate) end: u64,
}

/// Runs the mix for so many minutes.
pub(crate) async fn run(stage: &mut Stage, target: Target, minutes: u64) -> Result<Growth> {
    let began = Instant::now();
    let length = Duration::from_secs(minutes * 60);
    let mut halfway = None;
    for kind in MIX.iter().copied().cycle() {
        if began.elapsed() >= length {
            break;
        }
        let scenario = stage.scenario(kind, ALGORITHM).await?;
        let (measured, _) = load::run(target, scenario.works, ROUND).await.with_context(|| scenario.name.clone())?;
        let memory = machine::resident_memory(target.pid)?;
        println!(
            "{:>6} s  {:<26} {:>8.0}/s  p99 {:>7.2} ms  memory {memory} KiB",
            began.elapsed().as_secs(),
            scenario.name,
            measured.rate,
            measured.p99
        );
        if began.elapsed() * 2 >= length {
            halfway.get_or_insert(memory);
        }
    }
    let end = machine::resident_memory(target.pid)?;
    Ok(Growth { halfway: halfway.unwrap_or(end), end })
}
