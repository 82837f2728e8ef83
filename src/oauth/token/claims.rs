//! Which claims about a person go where: the one place.
//!
//! OIDC Core §5.1, §5.4, §5.5.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::model::grant::Grant;
use crate::model::user::{IdentifierKind, User};
use crate::protocol::oidc::claims_request::ClaimWish;
use crate::protocol::scope::Scope;

/// What each standard scope stands for (§5.4). Discovery's `claims_supported` is read from here.
pub const SCOPES: &[(&str, &[&str])] = &[
    (Scope::OPENID, &["sub"]),
    (
        "profile",
        &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("phone", &["phone_number", "phone_number_verified"]),
    ("address", &["address"]),
    (Scope::OFFLINE_ACCESS, &[]),
];

/// Claims for the `UserInfo` answer: those of the scope and those asked for one by one (§5.3.2). Without `sub`.
pub fn for_userinfo(user: &User, grant: &Grant, scope: &Scope) -> Map<String, Value> {
    let all = all(user);
    let by_scope = SCOPES
        .iter()
        .filter(|(name, _)| scope.contains(name))
        .flat_map(|(_, claims)| claims.iter().copied());
    let by_wish = wished(&grant.details.claims.userinfo);
    select(all, by_scope.chain(by_wish))
}

/// Claims for the ID token: only those asked for one by one; the scope's are for `UserInfo` (§5.4).
pub fn for_id_token(user: &User, grant: &Grant) -> Map<String, Value> {
    if grant.details.claims.id_token.is_empty() {
        return Map::new();
    }
    select(all(user), wished(&grant.details.claims.id_token))
}

/// The claims in `wishes` that speak of the person, for the consent page and for selection.
pub fn wished(wishes: &BTreeMap<String, ClaimWish>) -> impl Iterator<Item = &'static str> {
    SCOPES
        .iter()
        .flat_map(|(_, claims)| claims.iter().copied())
        .filter(|claim| *claim != "sub" && wishes.contains_key(*claim))
}

fn select(mut all: Map<String, Value>, names: impl Iterator<Item = &'static str>) -> Map<String, Value> {
    names.filter_map(|name| all.remove(name).map(|value| (name.to_owned(), value))).collect()
}

/// Every claim that we know of a person; what is unknown is left out (§5.3.2).
fn all(user: &User) -> Map<String, Value> {
    let mut claims = match serde_json::to_value(&user.profile) {
        Ok(Value::Object(claims)) => claims,
        _ => Map::new(),
    };
    claims.insert("updated_at".into(), json!(user.updated_at));
    if let Some(username) = user.primary(IdentifierKind::Username) {
        claims.insert("preferred_username".into(), json!(username.value));
    }
    if let Some(email) = user.primary(IdentifierKind::Email) {
        claims.insert("email".into(), json!(email.value));
        claims.insert("email_verified".into(), json!(email.verified_at.is_some()));
    }
    if let Some(phone) = user.primary(IdentifierKind::Phone) {
        claims.insert("phone_number".into(), json!(phone.value));
        claims.insert("phone_number_verified".into(), json!(phone.verified_at.is_some()));
    }
    claims
}
