//! The command line: one file for each command.
//!
//! To add one: a file with its arguments and `run`, a variant of [`Command`].

pub mod dev;
pub mod serve;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::app::StartError;
use crate::config::{Config, ConfigError, process_environment};
use crate::dev::credentials::CredentialsError;
use crate::dev::data_folder::DataFolderError;
use crate::http::serve::BindError;

/// An OAuth 2.0 / OpenID Connect authorization server in one binary.
#[derive(Debug, Parser)]
#[command(name = "symbolon", version, about)]
pub struct Arguments {
    /// The settings, in TOML; variables like `SYMBOLON__TOKENS__ACCESS_LIFETIME` stand above it.
    /// The settings, in TOML; variables like `SYMBOLON__TOKENS__ACCESS_LIFETIME` stand above it.
    #[arg(long, global = true, value_name = "FILE", env = "SYMBOLON_CONFIG")]
    config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Command {
    /// Starts a server to develop against, with people, clients, a demo app and a mailbox.
    Dev(dev::Dev),
    /// Starts the server as the settings say.
    Serve(serve::Serve),
}

/// Why a command ended.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The settings.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The server cannot be built.
    #[error(transparent)]
    Start(#[from] StartError),
    /// An address cannot be bound.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The data folder of a development server cannot be used.
    #[error("{0}")]
    DataFolder(#[from] DataFolderError),
    /// The passwords kept there cannot be used.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// Anything else.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl CommandError {
    /// 2 config · 3 storage · 4 keys · 5 bind · 1 anything else.
    fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) => ConfigError::EXIT_CODE,
            Self::Start(error) => error.exit_code(),
            Self::DataFolder(_) | Self::Credentials(_) => 3,
            Self::Bind(_) => 5,
            Self::Other(_) => 1,
        }
    }
}

/// How long a thread of the blocking pool waits for work; what it last used (19 MiB for a password hash) goes with it.
const IDLE_THREAD: Duration = Duration::from_secs(3);

/// Runs the command that the arguments name.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    match execute(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("symbolon: {}", one_line(&error));
            ExitCode::from(error.exit_code())
        }
    }
}

fn execute(arguments: Arguments) -> Result<(), CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_keep_alive(IDLE_THREAD)
        .build()
        .map_err(anyhow::Error::from)?;
    let config = arguments.config.as_deref();
    match arguments.command {
        Command::Dev(dev) => runtime.block_on(dev.run(config)),
        Command::Serve(serve) => runtime.block_on(serve.run(config)),
    }
}

/// Settings from the file and the environment of this process.
fn settings(file: Option<&std::path::Path>) -> Result<Config, ConfigError> {
    Config::load(file, &process_environment())
}

/// The log goes to standard error: for people on a terminal, as JSON elsewhere; `RUST_LOG` chooses what is told.
fn start_log() {
    use std::io::IsTerminal as _;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A log that was started before (in a test) stays.
    let _ = if std::io::stderr().is_terminal() { log.try_init() } else { log.json().try_init() };
}

/// The error with all its causes in one line.
fn one_line(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !line.contains(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        source = cause.source();
    }
    line
}
