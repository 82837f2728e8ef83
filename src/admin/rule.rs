//! Which names, addresses, numbers and callers are taken, beside the rules of the settings (S-024).

use super::group::description;
use super::{AdminError, Administration, Refusal, Thing};
use crate::account::rule::expression;
use crate::edge::store::{Beside, Creation};
use crate::model::event::EventName;
use crate::model::id::IdentityRuleId;
use crate::model::identity_rule::{Effect, IdentityRule, RuleKind};

/// The longest expression, in bytes.
const MAX_PATTERN: usize = 1_000;
/// The most rules beside those of the settings: each name is held against all of them.
const MOST: usize = 1_000;

impl Administration {
    /// Makes a rule; running servers go by it within a second.
    ///
    /// # Errors
    /// When the expression cannot be read, there are too many, or there is one that says the same.
    pub async fn create_rule(
        &self,
        (effect, kind): (Effect, RuleKind),
        pattern: &str,
        note: &str,
    ) -> Result<IdentityRule, AdminError> {
        if pattern.len() > MAX_PATTERN {
            return Err(Refusal::malformed("pattern", format_args!("at most {MAX_PATTERN} bytes")).into());
        }
        expression(pattern).map_err(|error| Refusal::malformed("pattern", error))?;
        if self.edges.store.identity_rule_ids().await?.len() >= MOST {
            return Err(Refusal::malformed("pattern", format_args!("there are {MOST} rules already")).into());
        }
        let now = self.now();
        let rule = IdentityRule {
            id: IdentityRuleId::new(now, self.edges.random.bytes()),
            effect,
            kind,
            pattern: pattern.to_owned(),
            note: description(note)?,
            created_at: now,
        };
        match self.edges.store.create_identity_rule(&rule, self.told_of_rule(EventName::RuleCreated, &rule)).await? {
            Creation::Created => Ok(rule),
            Creation::AlreadyExists => Err(Refusal::Taken { what: Thing::Rule }.into()),
        }
    }

    /// Takes a rule away.
    ///
    /// # Errors
    /// When there is none of this id.
    pub async fn delete_rule(&self, id: IdentityRuleId) -> Result<IdentityRule, AdminError> {
        let unknown = || Refusal::Unknown { what: Thing::Rule, name: id.to_string() };
        let all = self.edges.store.identity_rules().await?;
        let rule = all.into_iter().find(|rule| rule.id == id).ok_or_else(unknown)?;
        let told = self.told_of_rule(EventName::RuleDeleted, &rule);
        if self.edges.store.delete_identity_rule(id, told).await? { Ok(rule) } else { Err(unknown().into()) }
    }

    fn told_of_rule(&self, name: EventName, rule: &IdentityRule) -> Beside {
        let id = rule.id.to_string();
        let details = [
            ("rule", id.as_str()),
            ("type", rule.effect.as_str()),
            ("kind", rule.kind.as_str()),
            ("pattern", rule.pattern.as_str()),
        ];
        self.told(name, &details)
    }
}
