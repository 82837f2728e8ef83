//! The settings in force, each with where it was set; and what differs between two readings of them.
//!
//! EXPERIENCE.md §2: a reload says what changed, and what waits for a restart.

use serde_json::Value;

use super::keys::Keys;
use super::reference::{self, Setting, Shown};
use super::secret::SecretSource;
use super::server::Server;
use super::{Config, ConfigError, Sources};
use crate::http::api::admin::settings::AdminSetting;
use crate::protocol::secret::TokenHash;

/// One setting in force.
#[derive(Clone, Debug)]
pub struct Effective {
    /// Its path.
    pub key: String,
    /// Its value; of a secret only where it stands, `…` when in the settings themselves.
    pub value: Value,
    /// The file, the variable or the flag that set it; `None` for the default.
    pub source: Option<String>,
    /// Tells two contents of a secret apart without keeping them.
    hash: Option<TokenHash>,
}

/// A setting that another reading has otherwise.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// Its path.
    pub key: String,
    /// When it counts.
    pub counts: Counts,
}

/// When a changed setting counts.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Counts {
    /// From the reload on.
    AtOnce,
    /// From the next start on.
    AfterRestart,
}

/// What is opened once: addresses and stores. Everything else is built anew from them.
///
/// *Why the issuer too:* it stands in every token, cookie and registration; changing it is a move, not an adjustment.
const FIXED: &[&str] = &[
    "issuer",
    "server.listen",
    "server.operations",
    "server.tls",
    "server.drain",
    "database",
    "ephemeral",
    "keys.master_key_file",
    "keys.master_key",
    "log",
    "fetch",
];

impl Config {
    /// As [`Config::load`], with each setting and where it was set.
    ///
    /// # Errors
    /// [`ConfigError`] names the first key that is wrong.
    pub fn effective(sources: &Sources) -> Result<(Self, Vec<Effective>), ConfigError> {
        let config = Self::load(sources)?;
        let figment = Self::settings(sources)?;
        let mut values = reference::flat(&config);
        let all = reference::settings().iter().map(|setting| {
            let source =
                figment.find_value(&setting.key).ok().and_then(|_| super::error::source(&figment, &setting.key));
            let hash = match setting.shown {
                Shown::Plainly => None,
                Shown::Never => figment.extract_inner::<SecretSource>(&setting.key).ok().and_then(|source| {
                    let secret = source.read(&setting.key, &sources.environment).ok()?;
                    Some(TokenHash::of(secret.expose()))
                }),
            };
            let value = values.remove(&setting.key).unwrap_or_default();
            Effective { key: setting.key.clone(), value, source, hash }
        });
        Ok((config, all.collect()))
    }
}

/// The settings of a server that was given them as they are: by a program, from nowhere that could be named.
pub fn of(config: &Config) -> Vec<Effective> {
    let mut values = reference::flat(config);
    let effective = |setting: &Setting| {
        let value = values.remove(&setting.key).unwrap_or_default();
        let is_usual = match &setting.default {
            Some(default) => *default == value,
            None => reference::is_empty(&value),
        };
        let source = (!is_usual).then(|| "the program".to_owned());
        Effective { key: setting.key.clone(), value, source, hash: None }
    };
    reference::settings().iter().map(effective).collect()
}

/// Settings as those see them who administer.
pub fn shown(settings: &[Effective]) -> Vec<AdminSetting> {
    let one = |(effective, setting): (&Effective, &Setting)| AdminSetting {
        key: effective.key.clone(),
        value: effective.value.clone(),
        default: setting.default.clone(),
        source: effective.source.clone(),
        secret: setting.shown == Shown::Never,
        counts_after: match counts(&effective.key) {
            Counts::AtOnce => "reload",
            Counts::AfterRestart => "restart",
        },
        about: setting.about.clone(),
    };
    settings.iter().zip(reference::settings()).map(one).collect()
}

impl Config {
    /// These settings as a running server takes them over: what is opened once stays as it was opened.
    #[must_use]
    pub fn beside(self, running: &Self) -> Self {
        let (issuer, database, ephemeral) =
            (running.issuer.clone(), running.database.clone(), running.ephemeral.clone());
        let server = Server { trusted_proxies: self.server.trusted_proxies, ..running.server.clone() };
        let Keys { master_key_file, master_key, .. } = running.keys.clone();
        let keys = Keys { master_key_file, master_key, ..self.keys };
        Self {
            issuer,
            database,
            ephemeral,
            server,
            keys,
            log: running.log.clone(),
            fetch: running.fetch.clone(),
            ..self
        }
    }
}

/// The settings that are otherwise in `new` than in `old`.
pub fn changes(old: &[Effective], new: &[Effective]) -> Vec<Change> {
    let differ = old.iter().zip(new).filter(|(old, new)| old.value != new.value || old.hash != new.hash);
    differ.map(|(_, new)| Change { key: new.key.clone(), counts: counts(&new.key) }).collect()
}

fn counts(key: &str) -> Counts {
    let is_fixed =
        FIXED.iter().any(|fixed| key.strip_prefix(fixed).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')));
    if is_fixed { Counts::AfterRestart } else { Counts::AtOnce }
}
