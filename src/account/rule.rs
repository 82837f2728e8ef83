//! Which names, addresses and numbers are taken (S-024): one rule that allows beats all that deny; without any rule everything is taken.
//!
//! The expressions run in linear time, whatever is sent (the crate `regex` has no backtracking).

use std::collections::HashSet;
use std::sync::Arc;

use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::model::identifier::{Email, Phone, Username};
use crate::model::user::LookupName;

/// What a rule does with what it finds.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It is taken, whatever else is said.
    Allow,
    /// It is not.
    Deny,
}

/// What a rule is about.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    /// E-mail addresses, in lower case.
    Email,
    /// Phone numbers in E.164.
    Phone,
    /// Usernames, in lower case.
    Username,
    /// The address of the caller.
    Ip,
}

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
    disposable_domains: Arc<HashSet<String>>,
    offensive_words: Arc<[String]>,
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
            disposable_domains: Arc::new(disposable_domains.into_iter().filter_map(lines).collect()),
            offensive_words: offensive_words.into_iter().filter_map(lines).collect(),
        }
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
        let finds = |effect| {
            let mut of_kind = self.rules.iter().filter(|rule| rule.kind == kind && rule.effect == effect);
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
