//! What the operator adds to the view of a person (S-012, S-013): the same in `/me` and wherever a sign-in is told.
//!
//! Nothing secret can be added to it: what the settings name is a standard claim or an attribute that is not hidden.

use serde_json::{Map, Value};

use crate::account::Accounts;
use crate::account::attribute::Visibility;
use crate::model::user::User;

/// Standard claims that a view can have beside its own members.
pub const CLAIMS: &[&str] =
    &["name", "middle_name", "nickname", "profile", "website", "gender", "birthdate", "zoneinfo", "locale", "address"];

impl Accounts {
    /// Attributes that the person may see, and claims that the settings name; `null` where nothing is known.
    pub fn more_of(&self, user: &User) -> Map<String, Value> {
        let attributes = self.settings.attributes.all().iter();
        let seen = attributes.filter(|attribute| attribute.visibility != Visibility::Hidden);
        let attributes = seen.map(|attribute| {
            let value = user.attributes.get(&attribute.name).cloned().unwrap_or_default();
            (attribute.name.clone(), value)
        });
        let named = self.settings.view.iter().filter(|name| CLAIMS.contains(&name.as_str()));
        let claims = named.map(|name| (name.clone(), user.profile.claim(name).unwrap_or_default()));
        attributes.chain(claims).collect()
    }
}
