//! What somebody typed who makes an account, judged: every mistake at once.

use serde_json::Map;

use crate::account::attribute::Unfit;
use crate::account::password::differs;
use crate::account::registration::{Contact, NewAccount, Typed, contact, kept};
use crate::account::settings::{Answers, Presence};
use crate::account::{AccountError, Accounts, Mistake, Why};
use crate::authn::password::strength::Known;
use crate::model::fault::Fault;
use crate::model::identifier::{Email, Phone, Username};
use crate::model::user::LookupName;

/// How many names are tried when one is made up.
const ATTEMPTS: u32 = 20;

impl Accounts {
    /// Judges what was typed.
    pub(super) async fn judge(&self, new: NewAccount) -> Result<(Contact, Typed), AccountError> {
        let mut mistakes = Vec::new();
        let email = new.email.as_deref().map(|email| self.email(email));
        let phone = new.phone.as_deref().map(|phone| self.phone(phone));
        let (email, phone) = (noted(email, &mut mistakes), noted(phone, &mut mistakes));
        if new.email.is_none() && new.phone.is_none() {
            mistakes.push(Mistake::new("email", Why::Required));
        }
        let username = match (new.username.as_deref(), self.settings.username) {
            (Some(_), Presence::Off) => Some(Err(Mistake::new("username", Why::UnknownField))),
            (None, Presence::Required) => Some(Err(Mistake::new("username", Why::Required))),
            (Some(blank), Presence::Required) if blank.trim().is_empty() => {
                Some(Err(Mistake::new("username", Why::Required)))
            }
            (Some(blank), Presence::Optional) if blank.trim().is_empty() => None,
            (None, _) => None,
            (Some(username), _) => Some(self.username(username)),
        };
        let username = noted(username, &mut mistakes);
        if let Some(username) = &username
            && self.settings.answers == Answers::Explicit
            && self.is_taken(username.as_str()).await?
        {
            mistakes.push(Mistake::new("username", Why::UsernameTaken));
        }
        if let Some(password) = &new.password {
            let names = [&new.email, &new.username, &new.profile.given_name, &new.profile.family_name];
            let known = names.into_iter().flatten().fold(Known::default(), |known, name| known.with(name));
            mistakes.extend(self.password_mistakes(password, known).await?);
            mistakes.extend(differs(password, new.confirm_password.as_ref()));
        }
        let mut given = new.attributes;
        let attributes = self.settings.attributes.take(&mut given).unwrap_or_else(|unfit| {
            mistakes.extend(unfit.into_iter().map(|(name, unfit)| unfit_mistake(name, unfit)));
            Map::new()
        });
        let mut unknown: Vec<String> = given.into_iter().map(|(name, _)| name.chars().take(64).collect()).collect();
        unknown.sort();
        mistakes.extend(unknown.into_iter().take(16).map(|name| Mistake::new(name, Why::UnknownField)));
        match contact(email.as_ref(), phone.as_ref()) {
            Some(contact) if mistakes.is_empty() => Ok((
                contact,
                Typed {
                    email: email.map(|email| email.as_str().to_owned()),
                    phone: phone.map(|phone| phone.as_str().to_owned()),
                    username: username.as_ref().map(kept),
                    phc: None,
                    profile: new.profile,
                    attributes,
                },
            )),
            _ => Err(AccountError::Fields(mistakes)),
        }
    }

    /// An address that may be taken.
    pub(in crate::account) fn email(&self, typed: &str) -> Result<Email, Mistake> {
        let email = Email::parse(typed).ok_or_else(|| Mistake::new("email", Why::InvalidEmail))?;
        let is_allowed = self.settings.rules.allow_email(&email);
        if is_allowed { Ok(email) } else { Err(Mistake::new("email", Why::IdentityNotAllowed)) }
    }

    /// A number that may be taken.
    pub(in crate::account) fn phone(&self, typed: &str) -> Result<Phone, Mistake> {
        let phone = Phone::parse(typed).ok_or_else(|| Mistake::new("phone", Why::InvalidPhoneNumber))?;
        let is_allowed = self.settings.rules.allow_phone(&phone);
        if is_allowed { Ok(phone) } else { Err(Mistake::new("phone", Why::IdentityNotAllowed)) }
    }

    /// A username that may be taken.
    pub(in crate::account) fn username(&self, typed: &str) -> Result<Username, Mistake> {
        let username = Username::parse(typed).ok_or_else(|| Mistake::new("username", Why::InvalidValue))?;
        let is_allowed = self.settings.rules.allow_username(&username);
        if is_allowed { Ok(username) } else { Err(Mistake::new("username", Why::IdentityNotAllowed)) }
    }

    async fn is_taken(&self, name: &str) -> Result<bool, Fault> {
        let Some(name) = LookupName::parse(name) else { return Ok(false) };
        Ok(self.edges.store.user_by_name(&name).await?.is_some())
    }

    /// A username for somebody who chose none, or one that is taken: of that or of their address, with digits behind it.
    pub(super) async fn free_username(&self, typed: &Typed) -> Result<String, AccountError> {
        let of_email = typed.email.as_deref().and_then(|email| email.split('@').next());
        let local = typed.username.as_deref().or(of_email).unwrap_or_default();
        let letters: String = local.chars().filter(|c| c.is_alphanumeric() || "._-".contains(*c)).take(24).collect();
        let own = Username::parse(&letters).filter(|name| self.settings.rules.allow_username(name));
        let base = own.as_ref().map_or_else(|| "user".to_owned(), kept);
        for attempt in 0..ATTEMPTS {
            let name = match (attempt, &own) {
                (0, Some(_)) => base.clone(),
                _ => format!("{base}-{:04}", u32::from_be_bytes(self.edges.random.bytes()) % 10_000),
            };
            if !self.is_taken(&name).await? {
                return Ok(name);
            }
        }
        Ok(format!("{base}-{:08x}", u32::from_be_bytes(self.edges.random.bytes())))
    }
}

/// A value of an attribute that does not fit, as a mistake.
pub fn unfit_mistake(name: String, unfit: Unfit) -> Mistake {
    match unfit {
        Unfit::Required => Mistake::new(name, Why::Required),
        Unfit::Blank => Mistake::new(name, Why::Blank),
        Unfit::WrongType => Mistake::new(name, Why::WrongType),
        Unfit::TooLong(max) => Mistake::new(name, Why::TooLong).with("max", max),
        Unfit::Invalid => Mistake::new(name, Why::InvalidValue),
    }
}

fn noted<T>(judged: Option<Result<T, Mistake>>, mistakes: &mut Vec<Mistake>) -> Option<T> {
    match judged? {
        Ok(value) => Some(value),
        Err(mistake) => {
            mistakes.push(mistake);
            None
        }
    }
}
