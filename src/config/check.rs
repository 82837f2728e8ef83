//! What has to hold between settings; each refusal names its key.
//!
//! PROTOCOL.md T1, T5, T8, B4.

use std::collections::BTreeMap;
use std::time::Duration;

use url::Url;

use super::client_registration::ClientRegistrationMode;
use super::{Config, ConfigError, duration};
use crate::http::proxy::Peers;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const YEAR: Duration = Duration::from_hours(365 * 24);

impl Config {
    /// Every rule that does not hold.
    pub(super) fn mistakes(&self, environment: &BTreeMap<String, String>) -> Vec<ConfigError> {
        let mut found = Vec::new();
        let (tokens, session) = (&self.tokens, &self.session);
        for (key, set, least, most) in [
            ("tokens.code_lifetime", tokens.code_lifetime, SECOND, MINUTE),
            ("tokens.access_lifetime", tokens.access_lifetime, MINUTE, HOUR),
            ("tokens.id_lifetime", tokens.id_lifetime, MINUTE, DAY),
            ("tokens.refresh_idle_lifetime", tokens.refresh_idle_lifetime, MINUTE, YEAR),
            ("tokens.refresh_lifetime", tokens.refresh_lifetime, tokens.refresh_idle_lifetime, YEAR),
            ("tokens.leeway", tokens.leeway, Duration::ZERO, 5 * MINUTE),
            ("session.step_up_lifetime", session.step_up_lifetime, MINUTE, DAY),
            ("session.sign_in_lifetime", session.sign_in_lifetime, MINUTE, HOUR),
            ("otp.lifetime", self.otp.lifetime, MINUTE, HOUR),
            ("otp.resend_after", self.otp.resend_after, MINUTE, HOUR),
            ("account.set_password_lifetime", self.account.set_password_lifetime, HOUR, 30 * DAY),
            ("history.lifetime", self.history.lifetime, DAY, 10 * YEAR),
            ("session.idle_lifetime", session.idle_lifetime, MINUTE, YEAR),
            ("session.lifetime", session.lifetime, session.idle_lifetime, YEAR),
            ("session.interaction_lifetime", session.interaction_lifetime, MINUTE, DAY),
            // A key is published for an hour before it signs.
            ("keys.rotate_every", self.keys.rotate_every, 2 * HOUR, 10 * YEAR),
            ("registration.link_lifetime", self.registration.link_lifetime, MINUTE, 30 * DAY),
            ("registration.invitation_lifetime", self.registration.invitation_lifetime, HOUR, 90 * DAY),
            ("registration.code_lifetime", self.registration.code_lifetime, MINUTE, HOUR),
            ("account.code_lifetime", self.account.code_lifetime, MINUTE, HOUR),
            ("account.contact_lifetime", self.account.contact_lifetime, MINUTE, HOUR),
            ("account.email_change_undo_lifetime", self.account.email_change_undo_lifetime, HOUR, 90 * DAY),
            ("account.new_device_lifetime", self.account.new_device_lifetime, HOUR, 90 * DAY),
            ("account.export_lifetime", self.account.export_lifetime, MINUTE, 30 * DAY),
            ("account.reset_lifetime", self.account.reset_lifetime, MINUTE, HOUR),
            ("account.email_change_lifetime", self.account.email_change_lifetime, MINUTE, DAY),
            ("account.deletion_grace", self.account.deletion_grace, Duration::ZERO, YEAR),
            ("server.drain", self.server.drain, Duration::ZERO, HOUR),
            ("limits.block_for", self.limits.block_for, MINUTE, DAY),
            ("second_factor.remember", self.second_factor.remember, Duration::ZERO, YEAR),
        ] {
            if set < least || set > most {
                let [set, least, most] = [set, least, most].map(duration::format);
                found.push(ConfigError::new(key, format!("is {set}; it must be from {least} to {most}")));
            }
        }
        found.extend(self.check_codes().err());
        let codes = self.backup_codes.count;
        if codes > 50 {
            found.push(ConfigError::new("backup_codes.count", format!("is {codes}; it must be from 1 to 50")));
        }
        found.extend(self.check_registration(environment).err());
        found.extend(self.account_settings().err().into_iter().flatten());
        found.extend(self.frontend_pages().err());
        for (key, domain) in [
            ("session.cookie_domain", &self.session.cookie_domain),
            ("token_cookies.domain", &self.token_cookies.domain),
        ] {
            found.extend(self.check_cookie_domain(key, domain.as_deref()).err());
        }
        found.extend(self.token_cookie_mistakes());
        found.extend(self.check_password().err());
        found.extend(self.upstream.mistake());
        found.extend(self.check_proxies().err());
        found.extend(self.check_limits(environment).err());
        found.extend(self.database.place(environment).err());
        found.extend(self.database.ca().err());
        found.extend(self.ephemeral.redis(environment).err());
        found.extend(self.ephemeral.ca().err());
        found.extend(self.keys.source(environment).err());
        if !(2..=1_000).contains(&self.database.connections) {
            let message = format!("is {}; it must be from 2 to 1000", self.database.connections);
            found.push(ConfigError::new("database.connections", message));
        }
        let tls = &self.server.tls;
        if tls.certificate.is_some() != tls.key.is_some() {
            let (missing, set) = if tls.key.is_some() { ("certificate", "key") } else { ("key", "certificate") };
            let message = format!("is missing, while server.tls.{set} is set: TLS needs both files");
            found.push(ConfigError::new(format!("server.tls.{missing}"), message));
        }
        found.extend(self.mail_mistakes(environment));
        found.extend(self.sms_mistakes(environment));
        found.extend(self.fetch_settings().err());
        for (key, path) in
            [("database.path", self.database.path.as_ref()), ("keys.master_key_file", Some(&self.keys.master_key_file))]
        {
            if path.is_some_and(|path| path.as_os_str().is_empty()) {
                found.push(ConfigError::new(key, "is empty; write the path of a file"));
            }
        }
        found
    }

    fn check_registration(&self, environment: &BTreeMap<String, String>) -> Result<(), ConfigError> {
        let key = "client_registration.token";
        match (self.client_registration.mode, &self.client_registration.token) {
            (ClientRegistrationMode::InitialAccessToken, Some(token)) => {
                let token = token.read(key, environment)?;
                // 128 bits in base64url, or more (RFC 6749 §10.10).
                if token.expose().len() < 22 {
                    return Err(ConfigError::new(
                        key,
                        "is too short to be hard to guess; write at least 22 random characters",
                    ));
                }
                if is_well_known(token.expose()) {
                    let message = "is a text from examples, which strangers try first; write random characters";
                    return Err(ConfigError::new(key, message));
                }
                Ok(())
            }
            (ClientRegistrationMode::InitialAccessToken, None) => {
                Err(ConfigError::new(key, "is missing; client_registration.mode = \"initial_access_token\" needs it"))
            }
            (_, Some(_)) => Err(ConfigError::new(
                key,
                "has no effect; set client_registration.mode = \"initial_access_token\", or leave it out",
            )),
            (_, None) => Ok(()),
        }
    }

    /// PROTOCOL.md A1.
    fn check_password(&self) -> Result<(), ConfigError> {
        if (8..=64).contains(&self.password.min_length) {
            Ok(())
        } else {
            Err(ConfigError::new("password.min_length", "must be from 8 to 64 characters"))
        }
    }

    /// PROTOCOL.md A4, S-123, S-127.
    fn check_limits(&self, environment: &BTreeMap<String, String>) -> Result<(), ConfigError> {
        if self.limits.block_after.is_some_and(|failures| !(1..=1_000).contains(&failures)) {
            return Err(ConfigError::new("limits.block_after", "must be from 1 to 1000 failures"));
        }
        if let Some(secret) = &self.captcha.secret {
            secret.read("captcha.secret", environment)?;
        }
        self.captcha.mistake().map_or(Ok(()), Err)
    }

    /// PROTOCOL.md O5: a number of proxies alone would let everybody who connects say who they are.
    fn check_proxies(&self) -> Result<(), ConfigError> {
        let server = &self.server;
        let needs = |key: &'static str| {
            let cure = "needs server.trusted_proxies: the addresses from which proxies connect";
            Err(ConfigError::new(key, cure))
        };
        match (server.trusted_proxies.is_empty(), server.proxy_count, server.peers) {
            (true, Some(1..), _) => needs("server.proxy_count"),
            (true, _, Peers::ProxiesOnly) => needs("server.peers"),
            (_, Some(17..), _) => {
                Err(ConfigError::new("server.proxy_count", "is above 16; so long a chain is not read"))
            }
            _ => Ok(()),
        }
    }

    /// RFC 6265 §5.3: a browser takes a cookie only for a domain that the host belongs to, with at least two labels.
    fn check_cookie_domain(&self, key: &'static str, domain: Option<&str>) -> Result<(), ConfigError> {
        let Some(domain) = domain else { return Ok(()) };
        let is_name = domain.contains('.')
            && domain.split('.').all(|label| {
                !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            });
        if !is_name {
            return Err(ConfigError::new(key, "is not a domain; write one like example.com, without a dot in front"));
        }
        let host =
            Url::parse(self.issuer.as_str()).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        let belongs = host == domain || host.strip_suffix(domain).is_some_and(|prefix| prefix.ends_with('.'));
        if !belongs || !self.issuer.is_https() {
            return Err(ConfigError::new(
                key,
                format!("must be a domain that the issuer's host {host} belongs to, over https"),
            ));
        }
        Ok(())
    }
}

/// What stands in examples in place of a secret.
const WELL_KNOWN: [&str; 6] = ["changeme", "change-me", "your-256-bit-secret", "insecure", "example", "password"];

/// True for a text that is no random one: the same characters again and again, or words of an example.
fn is_well_known(secret: &str) -> bool {
    let mut different: Vec<char> = secret.chars().collect();
    different.sort_unstable();
    different.dedup();
    let lower = secret.to_ascii_lowercase();
    different.len() < 8 || WELL_KNOWN.iter().any(|word| lower.contains(word))
}
