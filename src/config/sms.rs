//! `[sms]`: how text messages go out.
//!
//! S-050. The ways of `transport` are tried one after the other; each has a section of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::mail::{Folder, Webhook, not_a_timeout, not_a_url};
use super::secret::SecretSource;
use super::{Config, ConfigError, duration, ways};

/// `[sms]`
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sms {
    /// The ways, in the order they are tried: `twilio`, `webhook`, `file`, `log`. When nothing is said a server on this machine
    /// writes text messages into its log, and any other sends none.
    #[serde(deserialize_with = "ways::deserialize")]
    #[schemars(with = "Option<ways::Written<SmsTransport>>")]
    pub transport: Option<Vec<SmsTransport>>,
    /// Twilio, or a provider with its interface.
    pub twilio: Twilio,
    /// A server of yours.
    pub webhook: Webhook,
    /// A folder.
    pub file: Folder,
}

/// A way for text messages.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SmsTransport {
    /// `[sms.twilio]`
    Twilio,
    /// `[sms.webhook]`
    Webhook,
    /// `[sms.file]`
    File,
    /// The server's log, on the machine of its developer.
    Log,
}

/// `[sms.twilio]`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Twilio {
    /// Where its interface stands, without `/2010-04-01`.
    pub url: String,
    /// The account.
    pub account_sid: String,
    /// Its token: a text, `{ file = "…" }` or `{ env = "…" }`.
    pub auth_token: Option<SecretSource>,
    /// The number or name that messages come from, or the id of a messaging service (`MG…`).
    pub from: String,
    /// How long an answer may take.
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub timeout: Duration,
}

impl Default for Twilio {
    fn default() -> Self {
        Self {
            url: "https://api.twilio.com".to_owned(),
            account_sid: String::new(),
            auth_token: None,
            from: String::new(),
            timeout: Duration::from_secs(20),
        }
    }
}

impl Config {
    /// The ways of text messages: those that are set, else the log on the machine of its developer.
    pub fn sms_transports(&self) -> Vec<SmsTransport> {
        let usual = if self.issuer.is_loopback() { vec![SmsTransport::Log] } else { Vec::new() };
        self.sms.transport.clone().unwrap_or(usual)
    }

    /// Every rule of `[sms]` that does not hold.
    pub(super) fn sms_mistakes(&self, environment: &BTreeMap<String, String>) -> Vec<ConfigError> {
        let mut found = Vec::new();
        let sms = &self.sms;
        for way in self.sms_transports() {
            match way {
                SmsTransport::Twilio => {
                    found.extend(not_a_url("sms.twilio.url", &sms.twilio.url));
                    for (key, text) in
                        [("sms.twilio.account_sid", &sms.twilio.account_sid), ("sms.twilio.from", &sms.twilio.from)]
                    {
                        if text.is_empty() {
                            found.push(ConfigError::new(key, "is missing; sms.transport names twilio"));
                        }
                    }
                    if sms.twilio.auth_token.is_none() {
                        found.push(ConfigError::new("sms.twilio.auth_token", "is missing; sms.transport names twilio"));
                    }
                }
                SmsTransport::Webhook => found.extend(not_a_url("sms.webhook.url", &sms.webhook.url)),
                SmsTransport::File if sms.file.folder.is_none() => {
                    found.push(ConfigError::new("sms.file.folder", "is missing; sms.transport names file"));
                }
                SmsTransport::Log if !self.issuer.is_loopback() => found.push(ConfigError::new(
                    "sms.transport",
                    "is log, which tells every code to whoever reads the log; it is for an issuer on this machine",
                )),
                _ => {}
            }
        }
        for (key, secret) in
            [("sms.twilio.auth_token", &sms.twilio.auth_token), ("sms.webhook.secret", &sms.webhook.secret)]
        {
            found.extend(secret.as_ref().and_then(|secret| secret.read(key, environment).err()));
        }
        for (key, timeout) in [("sms.twilio.timeout", sms.twilio.timeout), ("sms.webhook.timeout", sms.webhook.timeout)]
        {
            found.extend(not_a_timeout(key, timeout));
        }
        found
    }
}
