//! A setting that is wrong: one line with the key, where it stands, and what to write instead.
//!
//! PROTOCOL.md O7 and §3 (exit codes).

use std::fmt;
use std::io;
use std::path::Path;

use figment::error::Kind;
use figment::{Figment, Metadata};

use super::nearest::nearest;
use super::{environment, flags};

/// Why the settings are not taken. Prints as one line; never shows the value of a secret.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigError {
    key: String,
    place: Option<String>,
    message: String,
}

impl ConfigError {
    /// The exit code of a process that cannot start for it.
    pub const EXIT_CODE: u8 = 2;

    /// `key` is the path, such as `tokens.access_lifetime`; `message` says what is wrong and what to write instead.
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { key: key.into(), place: None, message: message.into() }
    }

    /// The path of the key.
    pub fn key(&self) -> &str {
        &self.key
    }

    pub(super) fn unreadable(file: &Path, error: &io::Error) -> Self {
        let cure = match error.kind() {
            io::ErrorKind::NotFound => "; name a file that exists, or leave --config out to start with the defaults",
            io::ErrorKind::PermissionDenied => "; let the user of this process read it",
            _ => "",
        };
        Self::new(file.display().to_string(), format!("cannot be read: {error}{cure}"))
    }

    /// Adds where the key was set, as `settings` knows.
    pub(super) fn placed(mut self, settings: &Figment) -> Self {
        self.place = source(settings, &self.key);
        self
    }

    pub(super) fn from_figment(error: &figment::Error) -> Self {
        let mut path = error.path.clone();
        let message = match &error.kind {
            Kind::UnknownField(name, known) => {
                if path.last() != Some(name) {
                    path.push(name.clone());
                }
                let known = known.iter().copied().filter(|known| !known.is_empty());
                match nearest(name, known.clone()) {
                    Some(nearest) => format!("there is no such key; did you mean `{nearest}`?"),
                    None => format!("there is no such key; there are {}", known.collect::<Vec<_>>().join(", ")),
                }
            }
            Kind::UnknownVariant(_, known) => format!("must be one of {}", known.join(", ")),
            Kind::MissingField(name) => {
                path.push(name.to_string());
                "is missing".to_owned()
            }
            Kind::InvalidType(_, expected) if expected.starts_with("struct ") => {
                format!("is a section; write [{}] with its keys below", path.join("."))
            }
            // What is there may be a secret; what should be there is enough.
            Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) => format!("must be {expected}"),
            other => one_line(&other.to_string()),
        };
        let place = error.metadata.as_ref().and_then(|metadata| place(metadata, &path));
        let key = if path.is_empty() { "settings".to_owned() } else { path.join(".") };
        Self { key, place, message }
    }
}

/// The file, the variable or the flag that sets `key`.
pub(super) fn source(settings: &Figment, key: &str) -> Option<String> {
    let path: Vec<String> = key.split('.').map(str::to_owned).collect();
    settings.find_metadata(key).and_then(|metadata| place(metadata, &path))
}

/// The file, the variable or the flag that a value came from.
fn place(metadata: &Metadata, path: &[String]) -> Option<String> {
    if metadata.name == environment::NAME {
        return Some(environment::variable(path));
    }
    if metadata.name == flags::NAME {
        return Some(flags::flag(path));
    }
    let source = metadata.source.as_ref()?;
    Some(source.file_path().map_or_else(|| source.to_string(), |file| file.display().to_string()))
}

/// TOML draws its mistakes over several lines. Those with a bar quote the file, and perhaps a secret: they are left out.
fn one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.contains('|'));
    lines.collect::<Vec<_>>().join(": ")
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.key)?;
        if let Some(place) = &self.place {
            write!(f, " ({place})")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for ConfigError {}
