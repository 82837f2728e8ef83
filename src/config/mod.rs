//! The settings of an operator: one typed value, from `symbolon.toml`, the environment and the command line.
//!
//! Later wins: defaults, the file, `SYMBOLON__SECTION__KEY`, then `--setting section.key=value`. Every mistake stops the start with one line that names the key, where
//! it stands and what to write instead; an unknown key names its nearest neighbour. Settings reach the folders below as their own
//! small structs: only `app.rs` and `cli/` see [`Config`]. To add a section: a file with a struct that has `Default`, documents each
//! key (the first paragraph is its row in the README, which `symbolon config reference` prints) and denies unknown fields, with
//! `Serialize` and `JsonSchema`; a field in [`Config`]; what has to hold between keys in `check`; and in `effective`, if
//! it is opened once, that it waits for a restart.

pub mod account;
pub mod api;
pub mod backup_codes;
pub mod captcha;
mod check;
pub mod client_registration;
pub mod database;
pub mod device;
pub mod dotenv;
pub mod duration;
pub mod effective;
pub mod endpoints;
mod environment;
pub mod ephemeral;
mod error;
pub mod fetch;
pub mod flags;
pub mod frontend;
pub mod history;
pub mod identity;
pub mod issuer;
pub mod keys;
pub mod limits;
pub mod list;
pub mod log;
pub mod mail;
mod nearest;
mod number;
pub mod otp;
pub mod password;
pub mod reference;
pub mod registration;
pub mod second_factor;
pub mod secret;
pub mod server;
pub mod session;
pub mod sms;
pub mod theme;
pub mod token_cookies;
pub mod token_header;
pub mod tokens;
pub mod upstream;
mod ways;
pub mod weakness;

use std::collections::BTreeMap;
use std::path::PathBuf;

use figment::Figment;
use figment::providers::{Format as _, Serialized, Toml};
use figment::value::{Dict, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::environment::Environment;
pub use self::error::ConfigError;
use self::flags::{Flag, Flags};

/// Everything an operator can set. Without any of it a server for this machine starts.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The public URL, without a slash at its end: `https://login.example.com`; https except on localhost
    #[schemars(with = "String")]
    pub issuer: issuer::Issuer,
    /// Where it listens.
    pub server: server::Server,
    /// Where it remembers.
    pub database: database::Database,
    /// Where requests under way wait.
    pub ephemeral: ephemeral::Ephemeral,
    /// What seals its secrets.
    pub keys: keys::Keys,
    /// How long tokens live, and how they are signed.
    pub tokens: tokens::Tokens,
    /// Who may register clients.
    pub client_registration: client_registration::ClientRegistration,
    /// How people make accounts.
    pub registration: registration::Registration,
    /// What people may do with their accounts, and what is known of them.
    pub account: account::Account,
    /// Which names, addresses and numbers are taken.
    pub identity: identity::Identity,
    /// What is asked for beside the first proof.
    pub second_factor: second_factor::SecondFactor,
    /// Codes that are sent.
    pub otp: otp::Otp,
    /// Codes for the day when every other factor is lost.
    pub backup_codes: backup_codes::BackupCodes,
    /// Devices that wait for a person who decides elsewhere.
    pub device: device::Device,
    /// An app of your own that takes the links of mails.
    pub frontend: frontend::Frontend,
    /// How long people stay signed in.
    pub session: session::Session,
    /// How long it is remembered what happened.
    pub history: history::History,
    /// Who may call the account API from a browser.
    pub api: api::ApiSection,
    /// How browsers keep the tokens of first-party apps that get them in cookies.
    pub token_cookies: token_cookies::TokenCookies,
    /// What of the account API is there.
    pub endpoints: endpoints::Endpoints,
    /// What a new password has to hold.
    pub password: password::Password,
    /// How often something may be asked for.
    pub limits: limits::Limits,
    /// What keeps programs from trying.
    pub captcha: captcha::Captcha,
    /// Where people land who signed in elsewhere.
    pub upstream: upstream::Upstream,
    /// How pages look.
    pub theme: theme::Theme,
    /// What is written of requests.
    pub log: log::Log,
    /// How mail goes out.
    pub mail: mail::Mail,
    /// How text messages go out.
    pub sms: sms::Sms,
    /// Which other servers may be reached.
    pub fetch: fetch::Fetch,
}

/// Where settings come from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file, if one is named.
    pub file: Option<PathBuf>,
    /// All variables; what does not begin with `SYMBOLON__` is skipped, unless a secret names it.
    pub environment: BTreeMap<String, String>,
    /// What the command line sets.
    pub flags: Vec<Flag>,
}

impl Sources {
    /// This file alone.
    pub fn file(file: impl Into<PathBuf>) -> Self {
        Self { file: Some(file.into()), ..Self::default() }
    }
}

impl Config {
    /// Reads the sources.
    ///
    /// # Errors
    /// [`ConfigError`] names the first key that is wrong.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let figment = Self::settings(sources)?;
        let config: Self = figment.extract().map_err(|error| ConfigError::from_figment(&error))?;
        match config.mistakes(&sources.environment).into_iter().next() {
            Some(mistake) => Err(mistake.placed(&figment)),
            None => Ok(config),
        }
    }

    /// As [`Config::load`], with every mistake at once. What is wrong counts as left out when the rest is looked at.
    ///
    /// # Errors
    /// At least one mistake.
    pub fn examine(sources: &Sources) -> Result<Self, Vec<ConfigError>> {
        let figment = Self::settings(sources).map_err(|error| vec![error])?;
        let mut tree: Dict = figment.extract().map_err(|error| vec![ConfigError::from_figment(&error)])?;
        let mut mistakes = Vec::new();
        let config: Self = loop {
            match Figment::from(Serialized::defaults(&tree)).extract() {
                Ok(config) => break config,
                Err(error) => {
                    let mistake = ConfigError::from_figment(&error).placed(&figment);
                    let path: Vec<&str> = mistake.key().split('.').collect();
                    let is_gone = remove(&mut tree, &path);
                    mistakes.push(mistake.clone());
                    if !is_gone {
                        return Err(mistakes);
                    }
                }
            }
        };
        mistakes.extend(config.mistakes(&sources.environment).into_iter().map(|mistake| mistake.placed(&figment)));
        if mistakes.is_empty() { Ok(config) } else { Err(mistakes) }
    }

    fn settings(sources: &Sources) -> Result<Figment, ConfigError> {
        let environment = Environment::new(&sources.environment)?;
        let flags = Flags::new(&sources.flags)?;
        let mut figment = Figment::new();
        if let Some(file) = &sources.file {
            // Read here first: figment's own message for an unreadable file names no cure.
            std::fs::read_to_string(file).map_err(|error| ConfigError::unreadable(file, &error))?;
            figment = figment.merge(Toml::file_exact(file));
        }
        for (key, variable) in environment.named_files() {
            if figment.find_value(key).is_ok() {
                let twice = format!("is set twice: there, and by the variable {variable}; leave one of them out");
                return Err(ConfigError::new(key, twice).placed(&figment));
            }
        }
        Ok(figment.merge(environment).merge(flags))
    }
}

/// Takes the value at `path` out of `tree`; false when there is none.
fn remove(tree: &mut Dict, path: &[&str]) -> bool {
    match path {
        [] => false,
        [name] => tree.remove(*name).is_some(),
        [name, rest @ ..] => match tree.get_mut(*name) {
            Some(Value::Dict(_, below)) => remove(below, rest),
            _ => false,
        },
    }
}

/// The environment of this process, as far as it is text.
pub fn process_environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

#[cfg(test)]
mod tests;
