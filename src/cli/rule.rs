//! `symbolon rule`: which names, addresses, numbers and callers are taken.
//!
//! S-024. One rule that allows beats all that deny. Running servers follow within a second.

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::cli::output::{Facts, Table, moment};
use crate::cli::site::{Absent, Site};
use crate::cli::{Call, CommandError};
use crate::model::id::IdentityRuleId;
use crate::model::identity_rule::{Effect, IdentityRule, RuleKind};

/// `symbolon rule`
#[derive(Debug, Subcommand)]
pub enum RuleCommand {
    /// Makes a rule.
    Create {
        /// What it does.
        effect: EffectName,
        /// What it is about.
        kind: KindName,
        /// What it finds: a regular expression, sought in the name in its canonical form.
        pattern: String,
        /// Why it is there.
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Lists the rules, those of the settings first.
    List,
    /// Takes a rule away; those of the settings are changed there.
    Delete {
        /// Its id.
        id: IdentityRuleId,
    },
}

/// What a rule does.
#[derive(Copy, Clone, Debug, Eq, PartialEq, ValueEnum)]
pub enum EffectName {
    /// What it finds is taken, whatever else is said.
    Allow,
    /// What it finds is not taken.
    Deny,
}

/// What a rule is about.
#[derive(Copy, Clone, Debug, Eq, PartialEq, ValueEnum)]
pub enum KindName {
    /// E-mail addresses.
    Email,
    /// Phone numbers.
    Phone,
    /// Usernames.
    Username,
    /// Addresses of callers.
    Ip,
}

impl From<EffectName> for Effect {
    fn from(name: EffectName) -> Self {
        match name {
            EffectName::Allow => Self::Allow,
            EffectName::Deny => Self::Deny,
        }
    }
}

impl From<KindName> for RuleKind {
    fn from(name: KindName) -> Self {
        match name {
            KindName::Email => Self::Email,
            KindName::Phone => Self::Phone,
            KindName::Username => Self::Username,
            KindName::Ip => Self::Ip,
        }
    }
}

impl RuleCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When the stores cannot be used, or what is asked for cannot be.
    pub async fn run(self, call: &Call) -> Result<(), CommandError> {
        let site = Site::open(call, Absent::Refuse).await?;
        let done = self.act(call, &site).await;
        site.close().await;
        done
    }

    async fn act(self, call: &Call, site: &Site) -> Result<(), CommandError> {
        match self {
            Self::Create { effect, kind, pattern, note } => {
                let rule = site.administration().create_rule((effect.into(), kind.into()), &pattern, &note).await?;
                let facts = Facts::default()
                    .with("id", rule.id)
                    .with("type", rule.effect.as_str())
                    .with("kind", rule.kind.as_str())
                    .with("pattern", &rule.pattern)
                    .with("note", &rule.note);
                call.output.print(facts, &json_of(&rule))
            }
            Self::List => list(call, site).await,
            Self::Delete { id } => {
                site.administration().delete_rule(id).await?;
                call.output
                    .print("taken away; running servers follow within a second", &json!({"id": id, "deleted": true}))
            }
        }
    }
}

async fn list(call: &Call, site: &Site) -> Result<(), CommandError> {
    let mut table = Table::new(["id", "type", "kind", "pattern", "note", "made"]);
    let mut values = Vec::new();
    for rule in &site.config.identity.rules {
        let (effect, kind) = (rule.effect.as_str(), rule.kind.as_str());
        let source = "[identity]".to_owned();
        table.row([source, effect.into(), kind.into(), rule.pattern.clone(), String::new(), String::new()]);
        values.push(json!({"id": null, "type": effect, "kind": kind, "pattern": rule.pattern, "note": ""}));
    }
    for rule in &site.edges.store.identity_rules().await? {
        table.row([
            rule.id.to_string(),
            rule.effect.as_str().to_owned(),
            rule.kind.as_str().to_owned(),
            rule.pattern.clone(),
            rule.note.clone(),
            moment(rule.created_at),
        ]);
        values.push(json_of(rule));
    }
    call.output.print(table, &Value::Array(values))
}

fn json_of(rule: &IdentityRule) -> Value {
    json!({
        "id": rule.id, "type": rule.effect, "kind": rule.kind, "pattern": rule.pattern, "note": rule.note,
        "created_at": rule.created_at,
    })
}
