//! `symbolon init`: the settings of a server for real people, from three answers.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::json;

use crate::cli::{Call, CommandError, SETTINGS};
use crate::config::issuer::Issuer;
use crate::edge::random::SystemRandom;
use crate::edge::vault::Vault;
use crate::http::serve::Listen;

/// `symbolon init`
#[derive(Debug, clap::Args)]
pub struct Init {
    /// The public URL of the server: `https://login.example.com`.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Where it listens: `localhost:8080` behind a proxy on this machine.
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// The folder for the database and the master key.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

impl Init {
    /// Writes the settings and the master key, mode 0600.
    ///
    /// # Errors
    /// When an answer is no good, or a file of that name is there: nothing is ever written over.
    pub fn run(self, call: &Call) -> Result<(), CommandError> {
        let file = call.config.clone().unwrap_or_else(|| PathBuf::from(SETTINGS));
        if file.exists() {
            let reason =
                format!("{} is there already; move it away, or name another file with --config", file.display());
            return Err(CommandError::refused(reason));
        }
        let issuer = answer(self.issuer, ("--issuer", "Public URL", None))?;
        let issuer =
            Issuer::parse(&issuer).map_err(|reason| CommandError::refused(format!("--issuer {issuer}: {reason}")))?;
        let listen = answer(self.listen, ("--listen", "Listen on", Some("localhost:8080")))?;
        let listen: Listen =
            listen.parse().map_err(|error| CommandError::refused(format!("--listen {listen}: {error}")))?;
        let data = self.data.map(|folder| folder.display().to_string());
        let data = PathBuf::from(answer(data, ("--data", "Folder for data", Some(".")))?);
        std::fs::create_dir_all(&data).with_context(|| format!("cannot make the folder {}", data.display()))?;
        let data = data.canonicalize().with_context(|| format!("cannot find the folder {}", data.display()))?;
        let key = data.join("symbolon.key");
        Vault::load_or_create(&key, &SystemRandom).map_err(crate::app::StartError::from)?;
        write(&file, &settings(&issuer, &listen, (&data.join("symbolon.db"), &key)))?;
        let config = if call.config.is_some() { format!(" --config {}", file.display()) } else { String::new() };
        let human = format!(
            "wrote {} and {}; keep a copy of the key away from the database\n\nnext:\n  symbolon check{config}\n  \
             symbolon admin recover{config}   prints the link of the first administrator\n  symbolon serve{config}",
            file.display(),
            key.display()
        );
        call.output.print(human, &json!({"config": file, "master_key_file": key, "issuer": issuer.as_str()}))
    }
}

/// The flag, else what is typed at a terminal, else the proposal.
fn answer(
    flag: Option<String>,
    (name, question, proposal): (&str, &str, Option<&str>),
) -> Result<String, CommandError> {
    if let Some(flag) = flag {
        return Ok(flag);
    }
    if !std::io::stdin().is_terminal() {
        let missing =
            || CommandError::refused(format!("{name} is missing; give it as a flag, or answer at a terminal"));
        return proposal.map(str::to_owned).ok_or_else(missing);
    }
    let hint = proposal.map(|proposal| format!(" [{proposal}]")).unwrap_or_default();
    eprint!("{question}{hint}: ");
    std::io::stderr().flush().map_err(anyhow::Error::from)?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(anyhow::Error::from)?;
    match (line.trim(), proposal) {
        ("", Some(proposal)) => Ok(proposal.to_owned()),
        (typed, _) => Ok(typed.to_owned()),
    }
}

fn settings(issuer: &Issuer, listen: &Listen, (database, key): (&Path, &Path)) -> String {
    let text = |value: &str| toml_text(value);
    format!(
        "# Settings of Symbolon: only what differs from the defaults. `symbolon check` looks them over.\n\
         # SYMBOLON__SECTION__KEY in the environment goes before this file.\n\n\
         issuer = {}\n\n[server]\nlisten = {}\n# Health and version; keep it internal.\noperations = \"127.0.0.1:9090\"\n\n\
         [database]\npath = {}\n\n[keys]\n# Seals the signing keys in the database. Keep a copy elsewhere.\nmaster_key_file = {}\n",
        text(issuer.as_str()),
        text(&listen.to_string()),
        text(&database.display().to_string()),
        text(&key.display().to_string())
    )
}

/// A basic string of TOML.
fn toml_text(value: &str) -> String {
    let escaped: String = value
        .chars()
        .map(|letter| match letter {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            letter if letter.is_control() => format!("\\u{:04X}", u32::from(letter)),
            letter => letter.to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}

fn write(file: &Path, text: &str) -> Result<(), CommandError> {
    let told = || format!("cannot write {}", file.display());
    let mut options = std::fs::OpenOptions::new();
    let mut opened = options.write(true).create_new(true).mode(0o600).open(file).with_context(told)?;
    opened.write_all(text.as_bytes()).and_then(|()| opened.sync_all()).with_context(told)?;
    Ok(())
}
