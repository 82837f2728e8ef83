//! The load: every connection with one request under way, for a time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde::Serialize;

use crate::connection::{Connection, Timed};
use crate::machine::{self, Pinning};
use crate::pace::Pace;
use crate::work::Work;

/// Caches fill and connections open before anything is counted.
const WARM_UP: Duration = Duration::from_secs(1);

/// A look at the sockets that takes less found nothing there.
const NOTHING: Duration = Duration::from_micros(4);

/// What was seen.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Measured {
    /// Operations per second of wall time.
    pub(crate) rate: f64,
    /// CPU time of the server for one operation, in µs.
    pub(crate) cpu: f64,
    /// The part of a core the server used.
    pub(crate) server_busy: f64,
    /// The part of a core the driver used: near 1, the driver is what is measured.
    pub(crate) driver_busy: f64,
    /// Time of one request, in ms: half of them were faster.
    pub(crate) p50: f64,
    /// Time of one request, in ms: 99 of 100 were faster.
    pub(crate) p99: f64,
    /// Answers to all connections from a request to its answer: 99 of 100 waited for fewer. As many as there are connections is the least
    /// that all can have, however slow the machine.
    pub(crate) turns: u32,
    /// How many times as long as when the parts of the bound were measured everything took.
    pub(crate) pace: f64,
}

struct Counted {
    operations: u64,
    times: Vec<Timed>,
    work: Work,
}

/// Whom the load goes to.
#[derive(Clone)]
pub(crate) struct Target {
    /// Where it listens: connections take the addresses in turn.
    pub(crate) addresses: Vec<SocketAddr>,
    /// The processes whose CPU time is counted.
    pub(crate) pids: Vec<u32>,
    /// Whether the driver stays awake between answers, on a core of its own. On a virtual machine the server pays for waking another
    /// core, and one whose clients are elsewhere never does.
    pub(crate) awake: bool,
}

impl Target {
    /// One server.
    pub(crate) fn one(address: SocketAddr, pid: u32, pinning: &Pinning) -> Target {
        Target { addresses: vec![address], pids: vec![pid], awake: pinning.has_own_cores() }
    }

    fn cpu_time(&self) -> Result<Duration> {
        self.pids.iter().map(|pid| machine::cpu_time(*pid)).sum()
    }

    /// Resident memory of all, in KiB.
    pub(crate) fn memory(&self) -> Result<u64> {
        self.pids.iter().map(|pid| machine::resident_memory(*pid)).sum()
    }
}

/// Runs each work on a connection of its own; hands the works back, so that a refresh can go on where it stopped.
pub(crate) async fn run(target: &Target, works: Vec<Work>, length: Duration) -> Result<(Measured, Vec<Work>)> {
    let begin = Instant::now() + WARM_UP;
    let end = begin + length;
    let addresses = target.addresses.iter().copied().cycle();
    let works = addresses.zip(works);
    let answers = Arc::new(AtomicU32::new(0));
    let connections = works.map(|(address, work)| (Connection::counting(address, Arc::clone(&answers)), work));
    let tasks: Vec<_> =
        connections.map(|(connection, work)| tokio::spawn(repeat(connection, work, begin, end))).collect();
    let waker = target.awake.then(|| tokio::spawn(stay_awake(begin, end)));
    let driver = std::process::id();
    tokio::time::sleep_until(begin.into()).await;
    let (started, server_before, driver_before) = (Instant::now(), target.cpu_time()?, machine::cpu_time(driver)?);
    tokio::time::sleep_until(end.into()).await;
    let (server_after, driver_after) = (target.cpu_time()?, machine::cpu_time(driver)?);
    let elapsed = started.elapsed().as_secs_f64();
    let idle = match waker {
        Some(waker) => waker.await.context("the waker")?,
        None => Duration::ZERO,
    };

    let mut operations = 0_u64;
    let mut times = Vec::new();
    let mut works = Vec::new();
    for task in tasks {
        let counted = task.await.context("a connection")??;
        operations += counted.operations;
        times.extend(counted.times);
        works.push(counted.work);
    }
    if operations == 0 {
        bail!("nothing was answered within {length:?}");
    }
    let mut turns: Vec<u32> = times.iter().map(|timed| timed.turns).collect();
    // Microseconds in 32 bits reach for more than an hour.
    let micros = |timed: &Timed| u32::try_from(timed.time.as_micros()).unwrap_or(u32::MAX);
    let mut times: Vec<u32> = times.iter().map(micros).collect();
    times.sort_unstable();
    turns.sort_unstable();
    let used = server_after.saturating_sub(server_before).as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "operations of one run are far below 2^52")]
    let operations = operations as f64;
    let measured = Measured {
        rate: operations / length.as_secs_f64(),
        cpu: used * 1_000_000.0 / operations,
        server_busy: used / elapsed,
        driver_busy: driver_after.saturating_sub(driver_before + idle).as_secs_f64() / elapsed,
        p50: f64::from(quantile(&times, 50)) / 1000.0,
        p99: f64::from(quantile(&times, 99)) / 1000.0,
        turns: quantile(&turns, 99),
        pace: 1.0,
    };
    Ok((measured, works))
}

/// [`run`], some times, each between two looks at the [`Pace`]: the round whose p99 is the middle one of a core that is always as fast. What
/// other guests of the machine do to one of them tells nothing of the server.
pub(crate) async fn middle(
    target: &Target,
    mut works: Vec<Work>,
    (rounds, length): (usize, Duration),
    pace: &Pace<'_>,
) -> Result<Measured> {
    let mut seen = Vec::new();
    let mut before = pace.now()?;
    for _ in 0..rounds.max(1) {
        let (mut measured, again) = run(target, works, length).await?;
        works = again;
        let after = pace.now()?;
        measured.pace = before.midpoint(after);
        before = after;
        seen.push(measured);
    }
    seen.sort_by(|one, other| (one.p99 / one.pace).total_cmp(&(other.p99 / other.pace)));
    let middle = seen.len() / 2;
    Ok(seen.swap_remove(middle))
}

/// Keeps the driver's thread awake until `end`; tells how long it had nothing to do since `begin`.
async fn stay_awake(begin: Instant, end: Instant) -> Duration {
    let (mut idle, mut before) = (Duration::ZERO, Instant::now());
    while before < end {
        tokio::task::yield_now().await;
        let now = Instant::now();
        let passed = now - before;
        if before >= begin && passed < NOTHING {
            idle += passed;
        }
        before = now;
    }
    idle
}

async fn repeat(mut connection: Connection, mut work: Work, begin: Instant, end: Instant) -> Result<Counted> {
    let mut counted = 0;
    let mut times = Vec::new();
    let mut latest = Vec::with_capacity(2);
    loop {
        latest.clear();
        work.once(&mut connection, &mut latest).await?;
        let now = Instant::now();
        if now >= end {
            return Ok(Counted { operations: counted, times, work });
        }
        if now >= begin {
            counted += 1;
            times.append(&mut latest);
        }
    }
}

/// What `percent` of the sorted values do not exceed.
fn quantile(values: &[u32], percent: usize) -> u32 {
    let at = values.len().saturating_sub(1) * percent / 100;
    values.get(at).copied().unwrap_or(0)
}
