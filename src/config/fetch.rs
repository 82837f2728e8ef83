//! `[fetch]`: which other servers may be reached beside the public ones.
//!
//! RFC 9700 §4.11.2, DECISIONS: private addresses are refused, but for what is named here.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Config, ConfigError};
use crate::edge::fetch::FetchSettings;

/// `[fetch]`
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Fetch {
    /// Origins that are reached although their addresses are private or their scheme is http: `http://10.0.0.5:8080`,
    /// `https://sms.internal`.
    pub allow: Vec<String>,
    /// A file with certificates (PEM) to trust beside those of the system.
    pub extra_ca: Option<PathBuf>,
}

impl Config {
    /// What the way out may reach.
    ///
    /// # Errors
    /// When an origin is none, or the file cannot be read.
    pub fn fetch_settings(&self) -> Result<FetchSettings, ConfigError> {
        let mut settings = FetchSettings::default();
        for text in &self.fetch.allow {
            let url = text.parse::<url::Url>().ok().filter(|url| {
                matches!(url.scheme(), "https" | "http")
                    && url.has_host()
                    && url.path() == "/"
                    && url.query().is_none()
                    && url.fragment().is_none()
                    && url.username().is_empty()
            });
            let Some(url) = url else {
                let message = format!("{text:?} is not an origin; write it like http://10.0.0.5:8080");
                return Err(ConfigError::new("fetch.allow", message));
            };
            settings.allow.insert(url.origin().ascii_serialization());
        }
        if let Some(file) = &self.fetch.extra_ca {
            let refuse = |reason: String| ConfigError::new("fetch.extra_ca", reason);
            let pem = std::fs::read(file)
                .map_err(|error| refuse(format!("the file {} cannot be read: {error}", file.display())))?;
            settings = settings.trusting(&pem).map_err(|reason| refuse(format!("{}: {reason}", file.display())))?;
        }
        Ok(settings)
    }
}
