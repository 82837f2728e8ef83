//! Settings that are allowed and weaken security, each with what it costs; `symbolon check` tells them.
//!
//! PROTOCOL.md A4, A15, T8, B4, O1, O5.

use std::collections::BTreeMap;
use std::time::Duration;

use super::client_registration::ClientRegistrationMode;
use super::mail::{MailTransport, SmtpTls};
use super::sms::SmsTransport;
use super::{Config, duration};

/// The longest time for which a proof should count before something sensitive.
const STEP_UP: Duration = Duration::from_hours(1);

/// A setting that is weaker than it could be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Weakness {
    /// The path of the key.
    pub key: &'static str,
    /// What it costs, and what to do.
    pub message: String,
}

impl Config {
    /// What weakens security, by the words of the settings alone, and of the `environment` that they name.
    pub fn weaknesses(&self, environment: &BTreeMap<String, String>) -> Vec<Weakness> {
        let mut found = Vec::new();
        let mut tell = |key, message: String| found.push(Weakness { key, message });
        if !self.issuer.is_https() {
            tell(
                "issuer",
                "is plain http: only browsers on this machine can sign in, and passwords travel in the open".into(),
            );
        }
        if self.client_registration.mode == ClientRegistrationMode::Open {
            let message = "lets everybody register clients; initial_access_token lets those whom you gave the token";
            tell("client_registration.mode", message.into());
        }
        if !self.server.operations.is_loopback() {
            let message = "answers to other machines; a firewall should let only your monitoring reach it";
            tell("server.operations", message.into());
        }
        if self.session.cookie_domain.is_some() {
            let message = "sends session cookies to every host of that domain; leave it out unless they share sign-in";
            tell("session.cookie_domain", message.into());
        }
        if self.issuer.is_https() && self.frontend.url.as_ref().is_some_and(|url| url.starts_with("http://")) {
            let message = "leads links of mails to the reader's own machine: whatever runs there can use them";
            tell("frontend.url", message.into());
        }
        found.extend(self.guard_weaknesses(environment));
        found.extend(self.message_weaknesses());
        found.extend(self.token_cookie_weaknesses().into_iter().map(|(key, message)| Weakness { key, message }));
        let mut tell = |key, message: String| found.push(Weakness { key, message });
        for (key, set, advised) in [
            ("tokens.access_lifetime", self.tokens.access_lifetime, Duration::from_mins(15)),
            ("session.lifetime", self.session.lifetime, Duration::from_hours(90 * 24)),
            ("keys.rotate_every", self.keys.rotate_every, Duration::from_hours(366 * 24)),
        ] {
            if set > advised {
                let [set, advised] = [set, advised].map(duration::format);
                tell(key, format!("is {set}; what leaks stays good for that long, so at most {advised} is advised"));
            }
        }
        let file = self.database.path.clone().unwrap_or_else(|| "symbolon.db".into());
        let is_beside = self.keys.master_key.is_none() && self.keys.master_key_file.parent() == file.parent();
        if self.database.url.is_none() && is_beside {
            let message =
                "stands beside the database: whoever copies the folder has both; another folder keeps them apart";
            tell("keys.master_key_file", message.into());
        }
        found
    }

    /// What weakens that guesses are counted, that the caller is known, and that a proof is asked for.
    fn guard_weaknesses(&self, environment: &BTreeMap<String, String>) -> Vec<Weakness> {
        let mut found = Vec::new();
        let mut tell = |key, message: String| found.push(Weakness { key, message });
        if self.server.trusted_proxies.cover_everybody() {
            let message = "believes whoever connects about who they are: every limit and every address in the log is what a stranger \
                           says; name the addresses of your proxies";
            tell("server.trusted_proxies", message.into());
        }
        for key in self.limits.off() {
            tell(key, "is off: nothing is counted there, so that a stranger may ask for it without end".into());
        }
        let reviewed = self.otp.review_accounts.len();
        if reviewed > 0 {
            let message = format!(
                "lets {reviewed} of your accounts in by a code that never changes, until its day; take out what is reviewed"
            );
            tell("otp.review_accounts", message);
        }
        if self.ephemeral.travels_openly(environment) {
            let message = "is plain redis:// to another machine: codes and requests under way can be read and changed on the way; use \
                           rediss://";
            tell("ephemeral.url", message.into());
        }
        let proven = self.session.step_up_lifetime;
        if proven > STEP_UP {
            let [set, advised] = [proven, STEP_UP].map(duration::format);
            let message = format!(
                "is {set}: whoever sits down at an open session may change everything for that long; at most {advised} is advised"
            );
            tell("session.step_up_lifetime", message);
        }
        found
    }

    /// What weakens or hinders mail and text messages.
    fn message_weaknesses(&self) -> Vec<Weakness> {
        let mut found = Vec::new();
        let mut tell = |key, message: &str| found.push(Weakness { key, message: message.to_owned() });
        let (mail, sms) = (self.mail_transports(), self.sms_transports());
        if mail.is_empty() {
            tell("mail.transport", "is not set: no mail is sent, so nobody can confirm an address or reset a password");
        }
        if mail.contains(&MailTransport::Log) {
            tell(
                "mail.transport",
                "is log: no mail is sent, and whoever reads the log can sign in with what stands there",
            );
        }
        if sms.contains(&SmsTransport::Log) {
            tell("sms.transport", "is log: no text message is sent, and whoever reads the log has every code");
        }
        let smtp = &self.mail.smtp;
        let is_near =
            smtp.address().is_some_and(|(host, _)| matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1"));
        if mail.contains(&MailTransport::Smtp) && smtp.tls == SmtpTls::None && !is_near {
            tell("mail.smtp.tls", "is none: codes, links and the password travel in the open; use starttls or tls");
        }
        if mail.contains(&MailTransport::File) || sms.contains(&SmsTransport::File) {
            tell(
                "mail.file.folder",
                "holds every code and link in the clear; only this server should be able to read it",
            );
        }
        for (key, url) in [
            ("mail.http.url", &self.mail.http.url),
            ("mail.webhook.url", &self.mail.webhook.url),
            ("sms.twilio.url", &self.sms.twilio.url),
            ("sms.webhook.url", &self.sms.webhook.url),
        ] {
            if url.starts_with("http://") {
                tell(key, "is plain http: codes and links travel in the open");
            }
        }
        for (key, webhook, is_used) in [
            ("mail.webhook.secret", &self.mail.webhook, mail.contains(&MailTransport::Webhook)),
            ("sms.webhook.secret", &self.sms.webhook, sms.contains(&SmsTransport::Webhook)),
        ] {
            if is_used && webhook.secret.is_none() {
                tell(key, "is not set: the server at the other end cannot tell our messages from those of others");
            }
        }
        found
    }
}
