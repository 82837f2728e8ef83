//! The command line: one file for each command.
//!
//! To add one: a file with its arguments and `run`, a variant of [`Command`].

pub mod about;
pub mod admin;
pub mod api;
pub mod audit;
pub mod check;
pub mod claim;
pub mod client;
pub mod copy;
pub mod dev;
pub mod doctor;
pub mod events;
pub mod group;
pub mod healthcheck;
pub mod invitation;
pub mod key;
pub mod login;
pub mod message;
pub mod migrate;
pub mod operations;
pub mod output;
pub mod password_list;
pub mod permission;
mod progress;
pub mod provider;
pub mod reload;
pub mod role;
pub mod scope;
pub mod secret;
pub mod seed;
pub mod serve;
pub mod service;
pub mod session;
pub mod settings;
pub mod setup;
pub mod site;
pub mod template;
pub mod token;
pub mod user;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::admin::{AdminError, Refusal, Thing};
use crate::app::StartError;
use crate::cli::output::Output;
use crate::config::flags::Flag;
use crate::config::log::Format;
use crate::config::{Config, ConfigError, Sources, process_environment};
use crate::dev::credentials::CredentialsError;
use crate::dev::data_folder::DataFolderError;
use crate::http::request_log::Form;
use crate::http::serve::BindError;
use crate::http::tls::TlsError;
use crate::model::fault::Fault;

/// An OAuth 2.0 / OpenID Connect authorization server in one binary.
#[derive(Debug, Parser)]
#[command(name = "symbolon", version, about)]
pub struct Arguments {
    /// The settings, in TOML; variables like `SYMBOLON__TOKENS__ACCESS_LIFETIME` stand above it.
    #[arg(long, global = true, value_name = "FILE", env = "SYMBOLON_CONFIG")]
    config: Option<PathBuf>,
    /// One setting, above the file and the variables: `--setting server.listen=127.0.0.1:9000`; may be given many times.
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    setting: Vec<Flag>,
    /// Answers in JSON, one line, for programs.
    #[arg(long, global = true)]
    json: bool,
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

/// What every command is given.
#[derive(Debug)]
pub struct Call {
    /// The file of settings.
    config: Option<PathBuf>,
    /// The settings of the command line.
    flags: Vec<Flag>,
    /// For whom it speaks.
    output: Output,
}

/// The file of settings that is read when none is named and it is there.
const SETTINGS: &str = "symbolon.toml";

impl Call {
    /// Settings from the file that was named (else `symbolon.toml` of this folder), the environment of this process and the flags.
    fn settings(&self) -> Result<Config, ConfigError> {
        Config::load(&self.sources())
    }

    fn sources(&self) -> Sources {
        Sources { file: self.file(), environment: process_environment(), flags: self.flags.clone() }
    }

    fn file(&self) -> Option<PathBuf> {
        let usual = || Path::new(SETTINGS).exists().then(|| PathBuf::from(SETTINGS));
        self.config.clone().or_else(usual)
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Command {
    /// Starts a server to develop against, with people, clients, a demo app and a mailbox.
    Dev(dev::Dev),
    /// Starts the server as the settings say.
    Serve(serve::Serve),
    /// Writes the settings of a server for real people, from three answers.
    Init(setup::Init),
    /// Looks over the settings, the database and the keys; changes nothing.
    Check,
    /// Looks at the server as it stands, from the settings to the front door; tells what is wrong and what helps.
    Doctor,
    /// What can be set, and what is.
    #[command(subcommand)]
    Config(settings::ConfigCommand),
    /// Has the running server read its settings again; tells what changed and what waits for a restart.
    Reload,
    /// Asks the running server whether it is ready.
    Healthcheck,
    /// Brings the schema of the database up to date, or tells where it stands.
    Migrate(migrate::Migrate),
    /// Copies the database into a file while the server runs.
    Backup(copy::Backup),
    /// Puts a backup in the place of the database.
    Restore(copy::Restore),
    /// Apps that may ask for tokens.
    #[command(subcommand)]
    Client(client::ClientCommand),
    /// APIs that access tokens are for.
    #[command(subcommand)]
    Api(api::ApiCommand),
    /// People.
    #[command(subcommand)]
    User(user::UserCommand),
    /// Asking people in.
    #[command(subcommand)]
    Invitation(invitation::InvitationCommand),
    /// Groups of people, and who is in them.
    #[command(subcommand)]
    Group(group::GroupCommand),
    /// Roles that apps are told of, and who has them.
    #[command(subcommand)]
    Role(role::RoleCommand),
    /// What may be done in apps, and which groups and roles may.
    #[command(subcommand)]
    Permission(permission::PermissionCommand),
    /// Scopes that only the members of a group may have.
    #[command(subcommand)]
    Scope(scope::ScopeCommand),
    /// What happened.
    #[command(subcommand)]
    Events(events::EventsCommand),
    /// Whether what was written down still stands.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Claims that apps are told of people.
    #[command(subcommand)]
    Claim(claim::ClaimCommand),
    /// Makes many people in many groups, to see how a server bears them.
    Seed(seed::Seed),
    /// Who is signed in.
    #[command(subcommand)]
    Session(session::SessionCommand),
    /// Servers elsewhere by which people may sign in: Google, Apple, any issuer.
    #[command(subcommand)]
    Provider(provider::ProviderCommand),
    /// The keys that sign tokens.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Mails and text messages on their way.
    #[command(subcommand)]
    Message(message::MessageCommand),
    /// The words and pages that people see.
    #[command(subcommand)]
    Template(template::TemplateCommand),
    /// The list of stolen passwords.
    #[command(subcommand)]
    PasswordList(password_list::PasswordListCommand),
    /// The master key, which seals the secrets of the database.
    #[command(subcommand)]
    Secret(secret::SecretCommand),
    /// The way in for administrators.
    #[command(subcommand)]
    Admin(admin::AdminCommand),
    /// Signs in at any issuer from the terminal, and shows the tokens that an app would get.
    Login(login::Login),
    /// What is in a token, and whether it is good.
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Prints the version.
    Version,
    /// Prints the completions for a shell.
    Completions(about::Completions),
    /// Prints the manual pages.
    Man,
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
    /// The certificate cannot be served.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An address cannot be bound.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The data folder of a development server cannot be used.
    #[error("{0}")]
    DataFolder(#[from] DataFolderError),
    /// The passwords kept there cannot be used.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The stores cannot be used as they are.
    #[error("{0}")]
    Storage(String),
    /// The stores failed.
    #[error(transparent)]
    Store(#[from] Fault),
    /// What was asked for cannot be done, and why.
    #[error("{0}")]
    Refused(String),
    /// `check` found reasons why the server would not start, and printed them.
    #[error("{count} problems stop the server from starting")]
    Checked {
        /// The exit code of the first.
        code: u8,
        /// How many.
        count: usize,
    },
    /// `doctor` found what is wrong, and printed it.
    #[error("{count} {} wrong", if *count == 1 { "thing is" } else { "things are" })]
    Unwell {
        /// How many.
        count: usize,
    },
    /// `template check` found what people would stumble over, and printed it.
    #[error("{count} {} wrong with the templates", if *count == 1 { "thing is" } else { "things are" })]
    Templates {
        /// How many.
        count: usize,
    },
    /// Anything else.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl CommandError {
    /// 2 config · 3 storage · 4 keys · 5 bind · 1 anything else.
    fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Templates { .. } => ConfigError::EXIT_CODE,
            Self::Start(error) => error.exit_code(),
            Self::Tls(_) => 4,
            Self::Bind(_) => 5,
            Self::DataFolder(_) | Self::Credentials(_) | Self::Storage(_) | Self::Store(_) | Self::Unwell { .. } => 3,
            Self::Checked { code, .. } => *code,
            Self::Refused(_) | Self::Other(_) => 1,
        }
    }

    /// What was asked for cannot be done; `reason` is one line with a cure.
    const fn refused(reason: String) -> Self {
        Self::Refused(reason)
    }
}

impl From<AdminError> for CommandError {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::Fault(fault) => Self::Store(fault),
            AdminError::Refused(refusal) => refusal.into(),
        }
    }
}

impl From<Refusal> for CommandError {
    fn from(refusal: Refusal) -> Self {
        let line = match &refusal {
            Refusal::Unknown { what: Thing::Person, name } => {
                format!("nobody is called {name}; `symbolon user list` shows all")
            }
            Refusal::Unknown { what, .. } => {
                let noun = match what {
                    Thing::Person => "user",
                    Thing::Group => "group",
                    Thing::GroupScope => "scope",
                    Thing::Role => "role",
                    Thing::Permission => "permission",
                    Thing::ClaimMapper => "claim",
                    Thing::Client => "client",
                    Thing::Api => "api",
                    Thing::Provider => "provider",
                };
                format!("{refusal}; `symbolon {noun} list` shows all")
            }
            _ => refusal.to_string(),
        };
        Self::Refused(line)
    }
}

/// How long a thread of the blocking pool waits for work; what it last used (19 MiB for a password hash) goes with it.
const IDLE_THREAD: Duration = Duration::from_secs(3);

/// After how many tasks a thread looks for what came in. *Why not after 61, as usual:* a task may sign, which takes up to a millisecond;
/// who comes then waits for 61 of them, and then many come at once.
const LOOK_AFTER: u32 = 16;

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
        .event_interval(LOOK_AFTER)
        .build()
        .map_err(anyhow::Error::from)?;
    let output = if arguments.json { Output::Json } else { Output::Human };
    let call = Call { config: arguments.config, flags: arguments.setting, output };
    runtime.block_on(arguments.command.run(&call))
}

impl Command {
    async fn run(self, call: &Call) -> Result<(), CommandError> {
        match self {
            Self::Dev(dev) => dev.run(call).await,
            Self::Serve(serve) => serve.run(call).await,
            Self::Init(init) => init.run(call),
            Self::Check => check::run(call).await,
            Self::Doctor => Box::pin(doctor::run(call)).await,
            Self::Config(command) => command.run(call),
            Self::Reload => reload::run(call).await,
            Self::Healthcheck => healthcheck::run(call).await,
            Self::Migrate(migrate) => migrate.run(call).await,
            Self::Backup(backup) => backup.run(call).await,
            Self::Restore(restore) => restore.run(call).await,
            Self::Login(login) => login.run(call).await,
            Self::Token(command) => command.run(call).await,
            Self::Version => about::version(call),
            Self::Completions(completions) => completions.run(),
            Self::Man => about::man(),
            Self::Client(command) => command.run(call).await,
            Self::Api(command) => command.run(call).await,
            Self::User(command) => command.run(call).await,
            Self::Invitation(command) => command.run(call).await,
            Self::Group(command) => command.run(call).await,
            Self::Role(command) => command.run(call).await,
            Self::Permission(command) => command.run(call).await,
            Self::Scope(command) => command.run(call).await,
            Self::Events(command) => command.run(call).await,
            Self::Audit(command) => command.run(call).await,
            Self::Claim(command) => command.run(call).await,
            Self::Seed(seed) => seed.run(call).await,
            Self::Session(command) => command.run(call).await,
            Self::Provider(command) => command.run(call).await,
            Self::Key(command) => command.run(call).await,
            Self::Message(command) => command.run(call).await,
            Self::Template(command) => command.run(call),
            Self::PasswordList(command) => command.run(call),
            Self::Secret(command) => command.run(call).await,
            Self::Admin(command) => command.run(call).await,
        }
    }
}

/// The form of the log that the settings ask for.
fn form(format: Format) -> Form {
    use std::io::IsTerminal as _;
    match format {
        Format::Text => Form::Text,
        Format::Auto if std::io::stderr().is_terminal() => Form::Text,
        Format::Json | Format::Auto => Form::Json,
    }
}

/// The log goes to standard error; `RUST_LOG` chooses what is told.
fn start_log(format: Format) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr);
    // A log that was started before (in a test) stays.
    let _ = match form(format) {
        Form::Text => log.try_init(),
        Form::Json => log.json().try_init(),
    };
}

/// Asks the desktop; when there is none, says so and goes on.
fn open_browser(url: &str) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = std::process::Command::new(opener);
    command
        .arg(url)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    let url = url.to_owned();
    // It may last as long as the browser does.
    std::thread::spawn(move || {
        if !command.status().is_ok_and(|status| status.success()) {
            eprintln!("symbolon: no browser could be opened ({opener}); open {url} yourself");
        }
    });
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
