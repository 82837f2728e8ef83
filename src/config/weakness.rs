//! Settings that are allowed and weaken security, each with what it costs; `symbolon check` tells them.
//!
//! PROTOCOL.md T8, B4, O1.

use std::time::Duration;

use super::client_registration::ClientRegistrationMode;
use super::{Config, duration};

/// A setting that is weaker than it could be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Weakness {
    /// The path of the key.
    pub key: &'static str,
    /// What it costs, and what to do.
    pub message: String,
}

impl Config {
    /// What weakens security, by the words of the settings alone.
    pub fn weaknesses(&self) -> Vec<Weakness> {
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
        if self.database.url.is_none() && self.keys.master_key_file.parent() == file.parent() {
            let message =
                "stands beside the database: whoever copies the folder has both; another folder keeps them apart";
            tell("keys.master_key_file", message.into());
        }
        found
    }
}
