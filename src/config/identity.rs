//! `[identity]`: which names, addresses and numbers are taken.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::identity_rule::{Effect, RuleKind};
use crate::model::user::IdentifierKind;

/// `[identity]`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Identity {
    /// By which names people sign in, a list of `email`, `username`, `phone`
    #[schemars(with = "Vec<String>")]
    pub fields: Vec<IdentifierKind>,
    /// Which names are taken, a list of tables: `type` (`allow` beats `deny`), `kind` (`email`, `phone`, `username`, `ip`), `pattern`
    pub rules: Vec<Rule>,
    /// A file with domains of throw-away addresses, one a line; they and their subdomains are denied
    pub disposable_domains: Option<PathBuf>,
    /// A file with words that no username may hold, one a line
    pub offensive_usernames: Option<PathBuf>,
}

impl Default for Identity {
    fn default() -> Self {
        let fields = vec![IdentifierKind::Email, IdentifierKind::Username, IdentifierKind::Phone];
        Self { fields, rules: Vec::new(), disposable_domains: None, offensive_usernames: None }
    }
}

/// `[[identity.rules]]`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// `allow` or `deny`
    #[serde(rename = "type")]
    #[schemars(with = "String")]
    pub effect: Effect,
    /// `email`, `phone`, `username` or `ip`
    #[schemars(with = "String")]
    pub kind: RuleKind,
    /// A regular expression, sought in the name in its canonical form; it runs in linear time
    pub pattern: String,
}
