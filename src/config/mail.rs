//! `[mail]`: how mail goes out.
//!
//! S-131 … S-137. The ways of `transport` are tried one after the other; each has a section of its own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::endpoints::switch;
use super::secret::SecretSource;
use super::{Config, ConfigError, duration, ways};
use crate::edge::mail::address::MailAddress;

/// `[mail]`
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Mail {
    /// The ways, in the order they are tried: `smtp`, `http`, `webhook`, `command`, `file`, `log`. When nothing is said a server
    /// on this machine writes mail into its log, and any other sends none.
    #[serde(deserialize_with = "ways::deserialize")]
    #[schemars(with = "Option<ways::Written<MailTransport>>")]
    pub transport: Option<Vec<MailTransport>>,
    /// `From`, like `Harbour <login@example.com>`; when nothing is said `no-reply@` and the issuer's host.
    pub from: Option<String>,
    /// `Reply-To`.
    pub reply_to: Option<String>,
    /// Whether codes and links of sign-ins, registrations and new passwords are handed over while the person waits, by mail and by text
    /// message, so that who asks hears when that fails; else every message waits in the outbox and is tried again
    #[serde(deserialize_with = "switch")]
    pub sync: bool,
    /// What templates of your own find as `data`.
    pub data: BTreeMap<String, serde_json::Value>,
    /// A mail server.
    pub smtp: Smtp,
    /// A provider's JSON interface.
    pub http: MailHttp,
    /// A server of yours.
    pub webhook: Webhook,
    /// A program of yours.
    pub command: Command,
    /// A folder.
    pub file: Folder,
}

/// A way for mail.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MailTransport {
    /// `[mail.smtp]`
    Smtp,
    /// `[mail.http]`
    Http,
    /// `[mail.webhook]`
    Webhook,
    /// `[mail.command]`
    Command,
    /// `[mail.file]`
    File,
    /// The server's log, on the machine of its developer.
    Log,
}

/// `[mail.smtp]`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Smtp {
    /// Its name; with a port where that is not 465 for `tls`, 587 for `starttls` or 25 for `none`: `mail.example.com:2525`.
    pub host: String,
    /// How the way to it is protected: `starttls`, `tls` from the first byte, or `none`.
    pub tls: SmtpTls,
    /// A certificate (PEM) to trust beside those of the system.
    pub ca: Option<PathBuf>,
    /// Who we are to it.
    pub username: Option<String>,
    /// Our password: a text, `{ file = "…" }` or `{ env = "…" }`.
    pub password: Option<SecretSource>,
    /// How long a command may take.
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub timeout: Duration,
}

/// How the way to a mail server is protected.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// RFC 3207, required.
    #[default]
    Starttls,
    /// RFC 8314.
    Tls,
    /// Not at all.
    None,
}

impl Default for Smtp {
    fn default() -> Self {
        Self {
            host: String::new(),
            tls: SmtpTls::default(),
            ca: None,
            username: None,
            password: None,
            timeout: Duration::from_secs(20),
        }
    }
}

impl Smtp {
    /// Name and port; `None` when it names no server.
    pub fn address(&self) -> Option<(String, Option<u16>)> {
        let (host, port) = match self.host.rsplit_once(':') {
            // An IPv6 address without brackets has no port.
            Some((host, _)) if host.contains(':') && !host.starts_with('[') => (self.host.as_str(), None),
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (self.host.as_str(), None),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let is_name =
            !host.is_empty() && !host.contains(|letter: char| letter.is_whitespace() || "/@?#".contains(letter));
        is_name.then(|| (host.to_owned(), port))
    }
}

/// `[mail.http]`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MailHttp {
    /// Where mails are posted, in the JSON of `SendGrid`'s version 3, which others take too.
    pub url: String,
    /// The bearer token: a text, `{ file = "…" }` or `{ env = "…" }`.
    pub token: Option<SecretSource>,
    /// How long an answer may take.
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub timeout: Duration,
}

impl Default for MailHttp {
    fn default() -> Self {
        Self { url: "https://api.sendgrid.com/v3/mail/send".to_owned(), token: None, timeout: Duration::from_secs(20) }
    }
}

/// `[mail.webhook]`, `[sms.webhook]`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Webhook {
    /// Where messages are posted as JSON.
    pub url: String,
    /// Signs each request (Standard Webhooks): a text, `{ file = "…" }` or `{ env = "…" }`.
    pub secret: Option<SecretSource>,
    /// How long an answer may take.
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub timeout: Duration,
}

impl Default for Webhook {
    fn default() -> Self {
        Self { url: String::new(), secret: None, timeout: Duration::from_secs(20) }
    }
}

/// `[mail.command]`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Command {
    /// The program and its arguments; it reads one message as JSON and ends with 0 when it has it.
    pub program: Vec<String>,
    /// How long it may take.
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub timeout: Duration,
}

impl Default for Command {
    fn default() -> Self {
        Self { program: Vec::new(), timeout: Duration::from_secs(20) }
    }
}

/// `[mail.file]`, `[sms.file]`
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Folder {
    /// The folder that gets a file for each message.
    pub folder: Option<PathBuf>,
}

impl Config {
    /// The ways of mail: those that are set, else the log on the machine of its developer.
    pub fn mail_transports(&self) -> Vec<MailTransport> {
        let usual = if self.issuer.is_loopback() { vec![MailTransport::Log] } else { Vec::new() };
        self.mail.transport.clone().unwrap_or(usual)
    }

    /// Every rule of `[mail]` that does not hold.
    pub(super) fn mail_mistakes(&self, environment: &BTreeMap<String, String>) -> Vec<ConfigError> {
        let mut found = Vec::new();
        let mail = &self.mail;
        for (key, address) in [("mail.from", &mail.from), ("mail.reply_to", &mail.reply_to)] {
            if address.as_deref().is_some_and(|address| address.parse::<MailAddress>().is_err()) {
                found.push(ConfigError::new(key, "is no address; write one like Harbour <login@example.com>"));
            }
        }
        for way in self.mail_transports() {
            match way {
                MailTransport::Smtp => {
                    if mail.smtp.address().is_none() {
                        let message = "names no server, and mail.transport names smtp; write it like mail.example.com";
                        found.push(ConfigError::new("mail.smtp.host", message));
                    }
                    if mail.smtp.username.is_some() != mail.smtp.password.is_some() {
                        let message = "needs mail.smtp.username beside it, or neither of them";
                        found.push(ConfigError::new("mail.smtp.password", message));
                    }
                }
                MailTransport::Http => found.extend(not_a_url("mail.http.url", &mail.http.url)),
                MailTransport::Webhook => found.extend(not_a_url("mail.webhook.url", &mail.webhook.url)),
                MailTransport::Command if mail.command.program.is_empty() => {
                    found.push(ConfigError::new("mail.command.program", "is missing; mail.transport names command"));
                }
                MailTransport::File if mail.file.folder.is_none() => {
                    found.push(ConfigError::new("mail.file.folder", "is missing; mail.transport names file"));
                }
                MailTransport::Log if !self.issuer.is_loopback() => found.push(ConfigError::new(
                    "mail.transport",
                    "is log, which tells every code and link to whoever reads the log; it is for an issuer on this machine",
                )),
                _ => {}
            }
        }
        for (key, secret) in [
            ("mail.smtp.password", &mail.smtp.password),
            ("mail.http.token", &mail.http.token),
            ("mail.webhook.secret", &mail.webhook.secret),
        ] {
            found.extend(secret.as_ref().and_then(|secret| secret.read(key, environment).err()));
        }
        for (key, timeout) in [
            ("mail.smtp.timeout", mail.smtp.timeout),
            ("mail.http.timeout", mail.http.timeout),
            ("mail.webhook.timeout", mail.webhook.timeout),
            ("mail.command.timeout", mail.command.timeout),
        ] {
            found.extend(not_a_timeout(key, timeout));
        }
        found
    }
}

pub(super) fn not_a_url(key: &'static str, text: &str) -> Option<ConfigError> {
    let is_url = text.parse::<url::Url>().is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
    (!is_url).then(|| ConfigError::new(key, "is not a URL; write one like https://messages.example.com/send"))
}

/// Handing a message over ends within a minute, so that nobody else takes it meanwhile.
pub(super) fn not_a_timeout(key: &'static str, timeout: Duration) -> Option<ConfigError> {
    let fits = (Duration::from_secs(1)..=Duration::from_secs(50)).contains(&timeout);
    (!fits).then(|| ConfigError::new(key, format!("is {}; it must be from 1s to 50s", duration::format(timeout))))
}
