//! `symbolon check`: the settings and what they point at, looked over without changing anything.
//!
//! PROTOCOL.md O7 and §3 (exit codes).

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::app::World;
use crate::cli::output::Table;
use crate::cli::{Call, CommandError};
use crate::config::database::Place;
use crate::config::{Config, process_environment};
use crate::edge::ephemeral::MemoryStore;
use crate::edge::sealing;
use crate::edge::store::schema::{self, Migration, MigrationState};
use crate::edge::store::{DatabaseSettings, Store};
use crate::edge::vault::Vault;
use crate::edge::vault::master_key::MasterKeySource;
use crate::http::tls::Certificates;
use crate::model::client::TokenDelivery;
use crate::model::signing_key::KeyState;
use crate::oauth::rotation::Rotation;
use crate::protocol::jose::published;
use crate::protocol::secret::Secret;

/// How bad it is.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum Severity {
    /// As it should be.
    Good,
    /// The server starts; something could be better.
    Warning,
    /// The server does not start; ends with this exit code.
    Error(u8),
}

impl Severity {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Warning => "warning",
            Self::Error(_) => "error",
        }
    }
}

/// One thing that was found.
pub(super) struct Finding {
    pub(super) severity: Severity,
    pub(super) about: String,
    pub(super) message: String,
}

/// Everything that was found.
#[derive(Default)]
pub(super) struct Findings(Vec<Finding>);

impl IntoIterator for Findings {
    type Item = Finding;
    type IntoIter = std::vec::IntoIter<Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Findings {
    fn add(&mut self, severity: Severity, about: impl Into<String>, message: impl Into<String>) {
        self.0.push(Finding { severity, about: about.into(), message: message.into() });
    }
}

/// Runs the command: every problem of the settings at once, what weakens security, then storage and keys.
///
/// # Errors
/// When the server would not start: 2 for settings, 3 for storage, 4 for keys.
pub async fn run(call: &Call) -> Result<(), CommandError> {
    let mut findings = Findings::default();
    match Config::examine(&call.sources()) {
        Ok(config) => {
            let told = call.file().map_or_else(|| "defaults".to_owned(), |file| file.display().to_string());
            findings.add(Severity::Good, "settings", told);
            for weakness in config.weaknesses(&process_environment()) {
                findings.add(Severity::Warning, weakness.key, weakness.message);
            }
            look_at_certificate(&config, &mut findings);
            look_at_storage(&config, &mut findings).await;
        }
        Err(mistakes) => {
            for mistake in mistakes {
                // Its line begins with the key and where it stands.
                let line = mistake.to_string();
                let message = line.strip_prefix(mistake.key()).unwrap_or(&line).trim_start_matches(": ").trim();
                findings.add(Severity::Error(2), mistake.key(), message);
            }
        }
    }
    report(call, &findings)
}

fn report(call: &Call, findings: &Findings) -> Result<(), CommandError> {
    let mut table = Table::new(["", "about", "finding"]);
    let mut values = Vec::new();
    for Finding { severity, about, message } in &findings.0 {
        table.row([severity.as_str().to_owned(), about.clone(), message.clone()]);
        values.push(json!({"severity": severity.as_str(), "about": about, "message": message}));
    }
    let codes: Vec<u8> = findings
        .0
        .iter()
        .filter_map(|finding| match finding.severity {
            Severity::Error(code) => Some(code),
            _ => None,
        })
        .collect();
    call.output.print(table, &json!({"ok": codes.is_empty(), "findings": Value::Array(values)}))?;
    match codes.first() {
        None => Ok(()),
        Some(code) => Err(CommandError::Checked { code: *code, count: codes.len() }),
    }
}

fn look_at_certificate(config: &Config, findings: &mut Findings) {
    let Some((certificate, key)) = config.server.tls.files() else { return };
    match Certificates::load(&certificate, &key) {
        Ok(_) => findings.add(Severity::Good, "server.tls", certificate.display().to_string()),
        Err(error) => findings.add(Severity::Error(4), "server.tls", error.to_string()),
    }
}

/// The database, the master key, the signing keys.
pub(super) async fn look_at_storage(config: &Config, findings: &mut Findings) {
    match config.database.place(&process_environment()) {
        Ok(Place::File(path)) => look_at_file(config, &path, findings).await,
        Ok(Place::Postgres(url)) => look_at_server(config, url, findings).await,
        Err(error) => findings.add(Severity::Error(2), error.key(), error.to_string()),
    }
}

async fn look_at_file(config: &Config, path: &Path, findings: &mut Findings) {
    let shown = path.display().to_string();
    let is_new = !path.exists();
    let needs_none = is_new || is_missing(config) && nothing_is_sealed(path).await;
    let vault = look_at_master_key(config, needs_none, findings);
    if is_new {
        match path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")) {
            folder if folder.is_dir() => {
                findings.add(Severity::Good, "database", format!("{shown} will be made at the first start"));
            }
            folder => {
                let message = format!("there is no folder {} for {shown}; make it", folder.display());
                findings.add(Severity::Error(3), "database.path", message);
            }
        }
        return;
    }
    match schema::of_file(path).await {
        Err(error) => return findings.add(Severity::Error(3), "database.path", error.to_string()),
        Ok(standing) if !is_up_to_date(&standing, (&shown, "database.path"), findings) => return,
        Ok(_) => {}
    }
    // Nothing is pending, so opening changes nothing.
    match Store::open(&DatabaseSettings { path: path.to_owned() }).await {
        Err(error) => findings.add(Severity::Error(3), "database.path", error.to_string()),
        Ok(store) => {
            findings.add(Severity::Good, "database", format!("{shown} is sound and up to date"));
            look_at_clients(config, &store, findings).await;
            if let Some(vault) = vault {
                look_at_keys(config, (store.clone(), &Arc::new(vault)), findings).await;
            }
            store.close().await;
        }
    }
}

/// Whether a master key would have to be made.
fn is_missing(config: &Config) -> bool {
    config.keys.source(&process_environment()).is_ok_and(|source| source.is_missing())
}

/// Whether the database is as `symbolon migrate` makes it: there, up to date, and empty.
async fn nothing_is_sealed(path: &Path) -> bool {
    let Ok(standing) = schema::of_file(path).await else { return false };
    // Opening changes nothing then.
    if standing.iter().any(|migration| migration.state != MigrationState::Applied) {
        return false;
    }
    let Ok(store) = Store::open(&DatabaseSettings { path: path.to_owned() }).await else { return false };
    is_bare(store).await
}

async fn is_bare(store: Store) -> bool {
    let is_bare = store.is_bare().await.is_ok_and(|is_bare| is_bare);
    store.close().await;
    is_bare
}

/// True when the next start has nothing to change, and nothing to refuse.
fn is_up_to_date(standing: &[Migration], (shown, key): (&str, &str), findings: &mut Findings) -> bool {
    if standing.iter().any(|migration| migration.state.is_refused()) {
        let message = format!("{shown} was written by another release (`symbolon migrate status`); run that one");
        findings.add(Severity::Error(3), key, message);
        return false;
    }
    let pending = standing.iter().filter(|migration| migration.state == MigrationState::Pending).count();
    if pending > 0 {
        let message = format!("{shown} waits for {pending} migrations; the next start applies them");
        findings.add(Severity::Warning, "database", message);
    }
    pending == 0
}

/// PostgreSQL is asked and not changed: no migration, no key.
async fn look_at_server(config: &Config, url: Secret, findings: &mut Findings) {
    let key = "database.url";
    let settings = match crate::app::postgres(config, url) {
        Ok(settings) => settings,
        Err(error) => return findings.add(Severity::Error(2), error.key(), error.to_string()),
    };
    if let Some(mode) = settings.verifies_nobody() {
        let message = format!(
            "sslmode is `{mode}`: whoever stands on the way to the database may read along and answer in its place; set \
             database.ca_file, or sslmode=verify-full in the URL"
        );
        findings.add(Severity::Warning, key, message);
    }
    let standing = match schema::of_server(&settings).await {
        Ok(standing) => standing,
        Err(error) => return findings.add(Severity::Error(3), key, error.to_string()),
    };
    let is_new = standing.iter().all(|migration| migration.state == MigrationState::Pending);
    let needs_none = is_new
        || is_missing(config)
            && match Store::look_at(&settings) {
                Ok(store) => is_bare(store).await,
                Err(_) => false,
            };
    let vault = look_at_master_key(config, needs_none, findings);
    if !is_up_to_date(&standing, ("PostgreSQL", key), findings) {
        return;
    }
    match Store::look_at(&settings) {
        Err(error) => findings.add(Severity::Error(3), key, error.to_string()),
        Ok(store) => {
            match store.ready().await {
                Ok(()) => findings.add(Severity::Good, "database", "PostgreSQL answers and is up to date"),
                Err(fault) => findings.add(Severity::Error(3), key, format!("{fault}; name the primary")),
            }
            look_at_clients(config, &store, findings).await;
            if let Some(vault) = vault {
                look_at_keys(config, (store.clone(), &Arc::new(vault)), findings).await;
            }
            store.close().await;
        }
    }
}

fn look_at_master_key(config: &Config, needs_none: bool, findings: &mut Findings) -> Option<Vault> {
    let about = if config.keys.master_key.is_some() { "keys.master_key" } else { "keys.master_key_file" };
    let source = match config.keys.source(&process_environment()) {
        Ok(source) => source,
        Err(error) => {
            findings.add(Severity::Error(2), error.key(), error.to_string());
            return None;
        }
    };
    if let MasterKeySource::File(file) = &source
        && !file.exists()
    {
        let (severity, message) = if needs_none {
            (Severity::Good, format!("{} will be made at the first start", file.display()))
        } else {
            let message = "is not there, while the database is; restore it from your backup: a new one opens nothing";
            (Severity::Error(4), format!("{} {message}", file.display()))
        };
        findings.add(severity, about, message);
        return None;
    }
    match Vault::load(source) {
        Ok(vault) => Some(vault),
        Err(error) => {
            findings.add(Severity::Error(4), about, error.to_string());
            None
        }
    }
}

/// Where links of mails lead that are sent for an app, and who sees its tokens.
async fn look_at_clients(config: &Config, store: &Store, findings: &mut Findings) {
    let clients = match store.clients(u32::MAX).await {
        Ok(clients) => clients,
        Err(fault) => return findings.add(Severity::Error(3), "clients", crate::cli::one_line(&fault)),
    };
    for client in clients.iter().filter(|client| client.policy.token_delivery == TokenDelivery::Cookies) {
        let about = format!("client {}", client.id);
        if !client.has_token_cookies() && client.is_enabled() {
            let message =
                "its tokens are to be in cookies, but it is not first-party, or has a secret: nobody can sign in";
            findings.add(Severity::Warning, about, message);
        } else if client.policy.direct_tokens {
            let message = "has direct_tokens beside cookies: a script in its pages can have the tokens of a sign-in, \
                           which cookies keep from it";
            findings.add(Severity::Warning, about, message);
        }
    }
    for (client, url) in clients.iter().filter_map(|client| Some((client, client.frontend_url()?))) {
        let about = format!("client {}", client.id);
        if config.frontend.url.is_none() {
            let message = format!("its links of mails lead to pages here and not to {url}: [frontend] names no paths");
            findings.add(Severity::Warning, about, message);
        } else if !url.is_https() && config.issuer.is_https() {
            let message =
                format!("links of mails lead to {url}: whatever runs there on the reader's machine can use them");
            findings.add(Severity::Warning, about, message);
        }
    }
}

async fn look_at_keys(config: &Config, (store, vault): (Store, &Arc<Vault>), findings: &mut Findings) {
    let edges = crate::app::edges(World::real(), (store, Arc::new(MemoryStore::new())), vault);
    if let Err(fault) = sealing::inspect(&edges.store, vault).await {
        return findings.add(Severity::Error(4), "signing keys", crate::cli::one_line(&fault));
    }
    let rotation = Rotation { edges: &edges, vault, policy: crate::app::rotation_policy(config) };
    match rotation.open(None).await {
        Err(fault) => {
            findings.add(Severity::Error(4), "signing keys", crate::cli::one_line(&fault));
        }
        Ok(keys) => {
            if let Some((known, _)) = keys.iter().find(|(key, _)| published::is_published(key.kid())) {
                let kid = known.kid();
                let message =
                    format!("{kid} was published: everybody can sign with it; `symbolon key retire {kid} --now`");
                return findings.add(Severity::Error(4), "signing keys", message);
            }
            let count = |state| keys.iter().filter(|(_, has)| *has == state).count();
            let told = format!(
                "{} sign, {} are next, {} retire",
                count(KeyState::Active),
                count(KeyState::Next),
                count(KeyState::Retiring)
            );
            findings.add(Severity::Good, "signing keys", told);
        }
    }
}
