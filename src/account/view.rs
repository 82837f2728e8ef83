//! A person as the API shows them to themselves (S-001, S-013): the same object in `/me` and wherever a sign-in is told.
//!
//! Nothing secret can be added to it: what the settings name is a standard claim or an attribute that is not hidden.

use serde_json::{Map, Value, json};

use crate::account::attribute::Visibility;
use crate::account::{Accounts, export};
use crate::model::user::{IdentifierKind, Role, User};

/// Standard claims that a view can have beside its own members.
pub const CLAIMS: &[&str] =
    &["name", "middle_name", "nickname", "profile", "website", "gender", "birthdate", "zoneinfo", "locale", "address"];

impl Accounts {
    /// The view of `user`.
    pub fn view(&self, user: &User) -> Map<String, Value> {
        let primary = |kind| user.primary(kind);
        let value = |kind| primary(kind).map(|identifier| json!(identifier.value)).unwrap_or_default();
        let proven = |kind| json!(primary(kind).is_some_and(|identifier| identifier.verified_at.is_some()));
        let is_owner = user.role == Role::Owner;
        let roles: Vec<&str> = if is_owner { vec!["owner"] } else { Vec::new() };
        let fixed = json!({
            "id": user.id,
            "email": value(IdentifierKind::Email),
            "email_verified": proven(IdentifierKind::Email),
            "username": value(IdentifierKind::Username),
            "phone": value(IdentifierKind::Phone),
            "phone_verified": proven(IdentifierKind::Phone),
            "first_name": user.profile.given_name,
            "last_name": user.profile.family_name,
            "avatar_url": user.profile.picture,
            "active": user.is_enabled(),
            "staff": is_owner,
            "created_at": export::moment(user.created_at),
            "updated_at": export::moment(user.updated_at),
            "last_sign_in_at": user.last_sign_in_at.map(export::moment),
            "roles": roles,
            "groups": [],
        });
        let Value::Object(mut view) = fixed else { return Map::new() };
        for attribute in self.settings.attributes.all() {
            if attribute.visibility != Visibility::Hidden {
                let value = user.attributes.get(&attribute.name).cloned().unwrap_or_default();
                view.entry(attribute.name.clone()).or_insert(value);
            }
        }
        for name in &self.settings.view {
            if CLAIMS.contains(&name.as_str()) {
                view.entry(name.clone()).or_insert(user.profile.claim(name).unwrap_or_default());
            }
        }
        view
    }
}
