//! The machine: its cores, and what a process used of it (proc(5)).

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};

const SERVER_CORE: &str = "0";
const DRIVER_CORE: &str = "1";
/// `sysconf(_SC_CLK_TCK)` is 100 on every Linux that Rust supports.
const TICKS_PER_SECOND: u64 = 100;

/// Whether each side has a core of its own.
#[derive(Clone, Debug)]
pub(crate) enum Pinning {
    /// The server on core 0, the driver on core 1.
    OwnCores,
    /// Not so, and why.
    Free(String),
}

impl Pinning {
    /// True when each side has a core of its own.
    pub(crate) const fn has_own_cores(&self) -> bool {
        matches!(self, Self::OwnCores)
    }
}

/// Moves this process to the driver's core.
pub(crate) fn pin_driver() -> Pinning {
    let pid = std::process::id().to_string();
    let asked = Command::new("taskset").args(["-a", "-c", "-p", DRIVER_CORE, &pid]).stdout(Stdio::null()).output();
    match asked {
        Ok(output) if output.status.success() => Pinning::OwnCores,
        Ok(output) => Pinning::Free(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Pinning::Free(format!("taskset (package util-linux): {error}")),
    }
}

/// A command whose process stays on the server's core.
pub(crate) fn on_server_core(program: &Path, pinning: &Pinning) -> Command {
    match pinning {
        Pinning::OwnCores => {
            let mut command = Command::new("taskset");
            command.args(["-c", SERVER_CORE]).arg(program);
            command
        }
        Pinning::Free(_) => Command::new(program),
    }
}

/// The CPU time a process has used, its ended threads included.
pub(crate) fn cpu_time(pid: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).context("read /proc/PID/stat")?;
    // The second field is the name in parentheses and may hold anything.
    let (_, fields) = stat.rsplit_once(')').context("a line of /proc/PID/stat")?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next().and_then(|field| field.parse::<u64>().ok()).context("a field of /proc/PID/stat");
    let (user, system) = (ticks()?, ticks()?);
    Ok(Duration::from_millis((user + system) * 1000 / TICKS_PER_SECOND))
}

/// The resident memory of a process, in KiB.
pub(crate) fn resident_memory(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).context("read /proc/PID/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    line.trim().trim_end_matches(" kB").parse().context("VmRSS in kB")
}

/// Processor, cores and kernel in one line.
pub(crate) fn description() -> String {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models: Vec<&str> = cpus
        .lines()
        .filter(|line| line.starts_with("model name"))
        .filter_map(|line| line.split_once(": "))
        .map(|(_, model)| model)
        .collect();
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{} × {}, Linux {}", models.len(), models.first().unwrap_or(&"unknown processor"), kernel.trim())
}

/// How busy the machine is already: the load average of the last minute.
pub(crate) fn load_average() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split_ascii_whitespace().next()?.parse().ok()
}
