//! `[upstream]`: where people land who signed in elsewhere from a page of an app's own. The providers themselves are records:
//! `symbolon provider add`.
//!
//! S-067.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::ConfigError;

/// `[upstream]`
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Upstream {
    /// The app's page after a sign-in that began at `/api/v1/federation/{slug}/url`; without it a page of this server
    pub success_url: Option<String>,
    /// The app's page after one that failed; `code` is added to its query
    pub error_url: Option<String>,
}

impl Upstream {
    /// What has to hold.
    pub(super) fn mistake(&self) -> Option<ConfigError> {
        let set = [("upstream.success_url", &self.success_url), ("upstream.error_url", &self.error_url)];
        let is_bad = |url: &Option<String>| url.as_deref().is_some_and(|url| landing(url).is_none());
        let (key, _) = set.into_iter().find(|(_, url)| is_bad(url))?;
        Some(ConfigError::new(key, "must be an absolute URL of https, or of http on localhost, without a fragment"))
    }
}

/// A place where a browser may be sent.
fn landing(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_local = url.host_str().is_some_and(|host| host == "localhost" || host == "127.0.0.1");
    let is_good = url.scheme() == "https" || (url.scheme() == "http" && is_local);
    (is_good && url.host_str().is_some() && url.fragment().is_none()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_land_at_pages_of_apps() {
        for (url, good) in [
            ("https://app.example.com/done?x=1", true),
            ("http://localhost:3000/done", true),
            ("http://app.example.com/done", false),
            ("/done", false),
            ("javascript:alert(1)", false),
            ("https://app.example.com/#done", false),
        ] {
            let set = Upstream { error_url: Some(url.to_owned()), ..Upstream::default() };
            assert_eq!(set.mistake().is_none(), good, "{url}");
        }
    }
}
