//! Which names, addresses and numbers are taken (S-024): one rule that allows beats all that deny; without any rule everything is taken.
//!
//! The expressions run in linear time, whatever is sent (the crate `regex` has no backtracking). Rules of the settings stand as long as
//! these; others are made while the server runs, and every node follows them within a second.

use std::collections::HashSet;
use std::sync::Arc;

use arc_swap::ArcSwap;
use regex::{Regex, RegexBuilder};

use crate::edge::store::Store;
use crate::model::fault::Fault;
use crate::model::id::IdentityRuleId;
use crate::model::identifier::{Email, Phone, Username};
use crate::model::identity_rule::{Effect, IdentityRule, RuleKind};
use crate::model::user::LookupName;

/// A rule, ready to be applied.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What it does.
    pub effect: Effect,
    /// What it is about.
    pub kind: RuleKind,
    /// What it finds.
    pub pattern: Regex,
}

/// Every rule. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct IdentityRules {
    rules: Arc<[Rule]>,
    recorded: Arc<ArcSwap<Recorded>>,
    disposable_domains: Arc<HashSet<String>>,
    offensive_words: Arc<[String]>,
}

/// Rules that were made while the server ran, as they were read.
#[derive(Debug, Default)]
struct Recorded {
    ids: Vec<IdentityRuleId>,
    rules: Vec<Rule>,
}

/// An expression of a size that is read in no time.
///
/// # Errors
/// What is wrong with it, in a line.
pub fn expression(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern).size_limit(1 << 20).build().map_err(|error| match error {
        regex::Error::Syntax(text) => text.lines().last().unwrap_or_default().to_owned(),
        _ => "it is too large".to_owned(),
    })
}

impl IdentityRules {
    /// The rules, with the domains of throw-away addresses and the words that no username may hold.
    pub fn new(
        rules: Vec<Rule>,
        disposable_domains: impl IntoIterator<Item = String>,
        offensive_words: impl IntoIterator<Item = String>,
    ) -> Self {
        let lines = |text: String| {
            let text = text.trim().to_lowercase();
            (!text.is_empty() && !text.starts_with('#')).then_some(text)
        };
        Self {
            rules: rules.into(),
            recorded: Arc::default(),
            disposable_domains: Arc::new(disposable_domains.into_iter().filter_map(lines).collect()),
            offensive_words: offensive_words.into_iter().filter_map(lines).collect(),
        }
    }

    /// Those of the settings.
    pub fn of_settings(&self) -> &[Rule] {
        &self.rules
    }

    /// Goes by the rules of the store, where they are others than those it goes by.
    ///
    /// # Errors
    /// A fault of the store; then it goes by those it has.
    pub async fn follow(&self, store: &Store) -> Result<(), Fault> {
        let ids = store.identity_rule_ids().await?;
        if self.recorded.load().ids != ids {
            self.take_over(&store.identity_rules().await?);
        }
        Ok(())
    }

    fn take_over(&self, recorded: &[IdentityRule]) {
        let ready = |rule: &IdentityRule| match expression(&rule.pattern) {
            Ok(pattern) => Some(Rule { effect: rule.effect, kind: rule.kind, pattern }),
            // It was read when it was made: by a release that knew other expressions.
            Err(error) => {
                tracing::error!(rule = %rule.id, error, "a rule cannot be read; it finds nothing");
                None
            }
        };
        let ids = recorded.iter().map(|rule| rule.id).collect();
        let rules = recorded.iter().filter_map(ready).collect();
        self.recorded.store(Arc::new(Recorded { ids, rules }));
    }

    /// Whether an address or number is taken; what is neither is not forbidden.
    pub fn allow(&self, contact: &str) -> bool {
        Email::parse(contact).is_none_or(|email| self.allow_email(&email))
            && Phone::parse(contact).is_none_or(|phone| self.allow_phone(&phone))
    }

    /// Whether an address is taken.
    pub fn allow_email(&self, email: &Email) -> bool {
        self.decide(RuleKind::Email, &canonical(email.as_str()), || {
            let domain = email.domain();
            let labels: Vec<&str> = domain.split('.').collect();
            (0..labels.len()).any(|from| {
                labels.get(from..).is_some_and(|labels| self.disposable_domains.contains(&labels.join(".")))
            })
        })
    }

    /// Whether a number is taken.
    pub fn allow_phone(&self, phone: &Phone) -> bool {
        self.decide(RuleKind::Phone, phone.as_str(), || false)
    }

    /// Whether a username is taken.
    pub fn allow_username(&self, username: &Username) -> bool {
        let name = canonical(username.as_str());
        self.decide(RuleKind::Username, &name, || self.offensive_words.iter().any(|word| name.contains(word)))
    }

    /// Whether a caller from `address` is heard.
    pub fn allow_caller(&self, address: &str) -> bool {
        self.decide(RuleKind::Ip, address, || false)
    }

    fn decide(&self, kind: RuleKind, text: &str, is_listed: impl Fn() -> bool) -> bool {
        let recorded = self.recorded.load();
        let finds = |effect| {
            let all = self.rules.iter().chain(&recorded.rules);
            let mut of_kind = all.filter(|rule| rule.kind == kind && rule.effect == effect);
            of_kind.any(|rule| rule.pattern.is_match(text))
        };
        finds(Effect::Allow) || !(finds(Effect::Deny) || is_listed())
    }
}

fn canonical(name: &str) -> String {
    LookupName::parse(name).map(|name| name.as_str().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(rules: &[(Effect, RuleKind, &str)]) -> IdentityRules {
        let rules = rules.iter().map(|(effect, kind, pattern)| Rule {
            effect: *effect,
            kind: *kind,
            pattern: Regex::new(pattern).expect("an expression"),
        });
        let domains = ["# thrown away", "trash.example", ""].map(str::to_owned);
        IdentityRules::new(rules.collect(), domains, ["rude".to_owned()])
    }

    #[test]
    fn allow_beats_deny_and_nothing_allows() {
        let rules = rules(&[
            (Effect::Deny, RuleKind::Phone, r"^\+1900"),
            (Effect::Deny, RuleKind::Email, r"@(.*\.)?evil\.example$"),
            (Effect::Allow, RuleKind::Email, r"^good@evil\.example$"),
            (Effect::Allow, RuleKind::Email, r"^kept@trash\.example$"),
            (Effect::Deny, RuleKind::Ip, r"^192\.0\.2\."),
        ]);
        let email = |text| rules.allow_email(&Email::parse(text).expect("an address"));
        assert!(email("a@fine.example") && email("Good@Evil.example") && email("kept@trash.example"));
        assert!(!email("a@EVIL.example") && !email("a@sub.evil.example"));
        assert!(!email("a@trash.example") && !email("a@deep.sub.Trash.example") && email("a@nottrash.example"));
        assert!(rules.allow_caller("198.51.100.7") && !rules.allow_caller("192.0.2.7"));
        let username = |text| rules.allow_username(&Username::parse(text).expect("a name"));
        assert!(username("nice") && !username("So.RUDE.indeed"));
        assert!(IdentityRules::default().allow_caller("192.0.2.7"));
    }

    /// What takes other engines years.
    #[test]
    fn no_expression_is_slow() {
        let rules = rules(&[(Effect::Deny, RuleKind::Username, r"^(a+)+$")]);
        let name = Username::parse(&format!("{}b", "a".repeat(60))).expect("a name");
        assert!(rules.allow_username(&name));
    }
}
