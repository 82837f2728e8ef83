//! `[account]`: what people may do with their accounts, and what is known of them.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Config, ConfigError, duration};
use crate::account::attribute::{self, AttributeKind, Visibility};
use crate::account::rule::{IdentityRules, Rule, expression};
use crate::account::settings::{AccountLifetimes, AccountSettings, SignUp};
use crate::account::view;
use crate::http::api::operation::Group;
use crate::model::invitation::Inviters;
use crate::model::user::IdentifierKind;
use crate::protocol::oidc::claims::claims_supported;

/// `[account]`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Account {
    /// How long a deletion can be taken back; `0s` deletes at once
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub deletion_grace: Duration,
    /// A link for a new password; at most 1 h
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub reset_lifetime: Duration,
    /// A code for a new password, or for the forgotten address; at most 1 h
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub code_lifetime: Duration,
    /// A code for a further address or number; at most 1 h
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub contact_lifetime: Duration,
    /// The link by which somebody sets the first password of an account that an administrator made for them
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub set_password_lifetime: Duration,
    /// The mail to a new address
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub email_change_lifetime: Duration,
    /// The link that takes a change of address back
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub email_change_undo_lifetime: Duration,
    /// The link by which somebody says that a sign-in was not theirs
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub new_device_lifetime: Duration,
    /// The link to an export of one's data
    #[serde(with = "duration")]
    #[schemars(with = "duration::Written")]
    pub export_lifetime: Duration,
    /// Claims that `/api/v1/me` shows beside its own members: `name`, `middle_name`, `nickname`, `profile`, `website`, `gender`,
    /// `birthdate`, `zoneinfo`, `locale`, `address`
    pub view: Vec<String>,
    /// What else is to be known of people, a list of tables: `name`, `type` (`text`, `number`, `boolean`, `date`), `required`,
    /// `max_length`, `pattern`, `visibility` (`editable`, `visible`, `hidden`), `claim`
    pub attributes: Vec<Attribute>,
}

/// `[[account.attributes]]`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// Its name in the API and on pages: small letters, digits and `_`
    pub name: String,
    /// `text`, `number`, `boolean` or `date`
    #[serde(default, rename = "type")]
    #[schemars(with = "String")]
    pub kind: AttributeKind,
    /// Whether nobody may register without it
    #[serde(default)]
    pub required: bool,
    /// The most characters of a text
    #[serde(default)]
    pub max_length: Option<usize>,
    /// What a text must look like, from its first to its last character
    #[serde(default)]
    pub pattern: Option<String>,
    /// Who sees and changes it: `editable`, `visible` or `hidden` from the person
    #[serde(default)]
    #[schemars(with = "String")]
    pub visibility: Visibility,
    /// The claim that tells it to apps, with the scope `profile`
    #[serde(default)]
    pub claim: Option<String>,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            deletion_grace: Duration::from_hours(14 * 24),
            reset_lifetime: Duration::from_hours(1),
            code_lifetime: Duration::from_mins(5),
            contact_lifetime: Duration::from_mins(10),
            email_change_lifetime: Duration::from_hours(1),
            set_password_lifetime: Duration::from_hours(4 * 24),
            email_change_undo_lifetime: Duration::from_hours(7 * 24),
            new_device_lifetime: Duration::from_hours(7 * 24),
            export_lifetime: Duration::from_hours(24),
            view: Vec::new(),
            attributes: Vec::new(),
        }
    }
}

/// Names that an attribute cannot have: the view and bodies have members of these names.
const RESERVED: &[&str] = &[
    "id",
    "email",
    "email_verified",
    "username",
    "phone",
    "phone_verified",
    "first_name",
    "last_name",
    "avatar_url",
    "active",
    "staff",
    "created_at",
    "updated_at",
    "last_sign_in_at",
    "roles",
    "groups",
    "name",
    "middle_name",
    "nickname",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "address",
    "password",
    "confirm_password",
    "secret",
    "captcha",
    "registration",
    "code",
    "token",
    "client_id",
    "csrf",
];

impl Config {
    /// What the operator decided about accounts.
    ///
    /// # Errors
    /// Every setting of `[registration]`, `[account]` and `[identity]` that is wrong.
    pub fn account_settings(&self) -> Result<AccountSettings, Vec<ConfigError>> {
        let mut mistakes = Vec::new();
        let attributes = self.attributes(&mut mistakes);
        let rules = self.identity_rules(&mut mistakes);
        if self.identity.fields.is_empty() {
            mistakes.push(ConfigError::new("identity.fields", "is empty; nobody could sign in"));
        }
        for name in &self.account.view {
            let is_attribute = attributes.iter().any(|attribute| attribute.name == *name);
            if !is_attribute && !view::CLAIMS.contains(&name.as_str()) {
                let known = view::CLAIMS.join(", ");
                let message = format!("{name:?} is neither an attribute of yours nor one of {known}");
                mistakes.push(ConfigError::new("account.view", message));
            }
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let off = self.switched_off();
        Ok(AccountSettings {
            sign_up: self.registration.mode,
            registers: self.registration.mode != SignUp::Off && off.allows(Group::Register),
            resets: off.allows(Group::ResetMail),
            sets_passwords: off.allows(Group::Reset),
            inviters: if off.allows(Group::Invitations) { self.registration.invitations } else { Inviters::Nobody },
            answers: self.registration.answers,
            username: self.registration.username,
            attributes: attributes.into_iter().collect(),
            view: self.account.view.clone(),
            rules,
            identity_fields: self.identity.fields.clone(),
            reached_by: self.reached_by(),
            lifetimes: AccountLifetimes {
                registration: self.registration.code_lifetime,
                activation: self.registration.link_lifetime,
                invitation: self.registration.invitation_lifetime,
                reset: self.account.reset_lifetime,
                code: self.account.code_lifetime,
                contact: self.account.contact_lifetime,
                email_change: self.account.email_change_lifetime,
                set_password: self.account.set_password_lifetime,
                email_change_undo: self.account.email_change_undo_lifetime,
                new_device: self.account.new_device_lifetime,
                deletion_grace: self.account.deletion_grace,
                export: self.account.export_lifetime,
            },
            history: self.history.lifetime,
        })
    }

    /// By what people are reached, that which they sign in by first; by text messages only where these go out.
    fn reached_by(&self) -> Vec<IdentifierKind> {
        let is_reached = |kind: &IdentifierKind| match kind {
            IdentifierKind::Email => true,
            IdentifierKind::Phone => !self.sms_transports().is_empty(),
            IdentifierKind::Username => false,
        };
        let ways: Vec<_> = self.identity.fields.iter().copied().filter(is_reached).collect();
        if ways.is_empty() { vec![IdentifierKind::Email] } else { ways }
    }

    fn attributes(&self, mistakes: &mut Vec<ConfigError>) -> Vec<attribute::Attribute> {
        let key = "account.attributes";
        let (mut names, mut claims) = (BTreeSet::new(), BTreeSet::new());
        let mut attributes = Vec::new();
        for set in &self.account.attributes {
            let name = &set.name;
            let is_name = name.len() <= 64
                && name.starts_with(|c: char| c.is_ascii_lowercase())
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
            if !is_name || RESERVED.contains(&name.as_str()) {
                let message = format!("{name:?} cannot be a name; write another one of small letters, digits and _");
                mistakes.push(ConfigError::new(key, message));
            }
            if !names.insert(name) {
                mistakes.push(ConfigError::new(key, format!("{name:?} is there twice")));
            }
            if let Some(claim) = &set.claim
                && (claims_supported().contains(&claim.as_str()) || !claims.insert(claim) || !is_claim(claim))
            {
                let message = format!("the claim {claim:?} of {name:?} has a meaning already; write one of your own");
                mistakes.push(ConfigError::new(key, message));
            }
            let pattern = set.pattern.as_deref().map(|pattern| expression(&format!("^(?:{pattern})$")));
            let pattern = match pattern.transpose() {
                Ok(pattern) => pattern,
                Err(error) => {
                    mistakes.push(ConfigError::new(key, format!("the pattern of {name:?} cannot be read: {error}")));
                    None
                }
            };
            attributes.push(attribute::Attribute {
                name: name.clone(),
                kind: set.kind,
                required: set.required,
                max_length: set.max_length,
                pattern,
                visibility: set.visibility,
                claim: set.claim.clone(),
            });
        }
        attributes
    }

    fn identity_rules(&self, mistakes: &mut Vec<ConfigError>) -> IdentityRules {
        let mut rules = Vec::new();
        for set in &self.identity.rules {
            match expression(&set.pattern) {
                Ok(pattern) => rules.push(Rule { effect: set.effect, kind: set.kind, pattern }),
                Err(error) => {
                    let message = format!("the pattern {:?} cannot be read: {error}", set.pattern);
                    mistakes.push(ConfigError::new("identity.rules", message));
                }
            }
        }
        let mut lines = |key: &'static str, file: &Option<PathBuf>| match file.as_ref().map(std::fs::read_to_string) {
            None => Vec::new(),
            Some(Ok(text)) => text.lines().map(str::to_owned).collect(),
            Some(Err(error)) => {
                mistakes.push(ConfigError::new(key, format!("the file cannot be read: {error}")));
                Vec::new()
            }
        };
        let domains = lines("identity.disposable_domains", &self.identity.disposable_domains);
        let words = lines("identity.offensive_usernames", &self.identity.offensive_usernames);
        IdentityRules::new(rules, domains, words)
    }
}

/// A claim of one's own: visible ASCII without `#`, which marks languages.
fn is_claim(claim: &str) -> bool {
    (1..=64).contains(&claim.len()) && claim.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#' && byte != b'"')
}
