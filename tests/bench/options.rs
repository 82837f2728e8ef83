//! What the load driver is asked to do.

use std::path::PathBuf;

/// Measures Symbolon on one core, with the driver on another.
#[derive(clap::Parser, Debug)]
#[command(name = "cargo bench --bench load --")]
pub(crate) struct Options {
    /// How long each scenario is measured, in seconds, after one second of warming up.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seconds: u64,
    /// How often; the round with the middle p99 counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=99))]
    rounds: u8,
    /// Keep-alive connections, each with one request under way.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub(crate) connections: u32,
    /// Only the scenarios whose name contains this.
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Option<String>,
    /// Writes the result as JSON too.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Afterwards whole lives of grants for so many minutes, watching the memory of the server.
    #[arg(long, value_name = "MINUTES")]
    pub(crate) soak: Option<u64>,
    /// So many lives each second during the soak, in place of as many as go.
    #[arg(long, value_name = "PER_SECOND", requires = "soak", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) soak_rate: Option<u32>,
    /// Also measures one node and more, up to so many, on a PostgreSQL and a Redis of the machine's packages.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=8), conflicts_with = "stand_in")]
    pub(crate) nodes: Option<u32>,
    /// Measures this program instead of the one that was just built.
    #[arg(long, value_name = "FILE")]
    pub(crate) program: Option<PathBuf>,
    /// Measures the small stand-in server: a test of the driver itself.
    #[arg(long, conflicts_with = "program")]
    pub(crate) stand_in: bool,
    /// Given by cargo.
    #[arg(long, hide = true)]
    pub(crate) bench: bool,
    /// What this process is, when the driver started it.
    #[command(subcommand)]
    pub(crate) role: Option<Role>,
}

impl Options {
    /// How often each scenario is measured.
    pub(crate) fn rounds(&self) -> usize {
        self.rounds.into()
    }

    /// Whether the scenario of this name is to be measured.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| name.contains(only.as_str()))
    }
}

/// The driver starts itself again on the server's core to measure what things cost there.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Role {
    /// Signs with one prepared key.
    #[command(hide = true)]
    Signature {
        /// RS256, ES256 or `EdDSA`.
        algorithm: String,
        /// For how long.
        seconds: u64,
    },
    /// Hashes passwords.
    #[command(hide = true)]
    Password {
        /// For how long.
        seconds: u64,
    },
    /// Inserts durable rows.
    #[command(hide = true)]
    Row {
        /// Where the database may be.
        folder: PathBuf,
        /// Rows in one transaction.
        group: u32,
        /// For how long.
        seconds: u64,
    },
    /// Answers the bytes of a file.
    #[command(hide = true)]
    BareAxum {
        /// The file.
        body: PathBuf,
    },
    /// Answers like an authorization server, for the driver's own test.
    #[command(hide = true)]
    StandIn,
}
