//! Which claims about a person go where: the one place.
//!
//! OIDC Core §5.1, §5.4, §5.5. What a scope stands for is in `protocol/oidc/claims.rs`; the values are gathered here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::model::claim_mapper::DIRECTORY_SCOPES;
use crate::model::grant::Grant;
use crate::model::user::{Identifier, IdentifierKind, User};
use crate::protocol::oidc::claims::{SCOPE_CLAIMS, userinfo_claims, wished_claims};
use crate::protocol::oidc::claims_request::{ClaimWish, ClaimsRequest};
use crate::protocol::scope::Scope;

/// Claims for the `UserInfo` answer: those of the scope and those asked for one by one (§5.3.2). Without `sub`.
pub fn for_userinfo(user: &User, grant: &Grant, scope: &Scope) -> Map<String, Value> {
    let wishes = &grant.details.claims.userinfo;
    gather(user, grant, userinfo_claims(scope, wishes), wishes)
}

/// Claims for the ID token: only those asked for one by one; the scope's are for `UserInfo` (§5.4).
pub fn for_id_token(user: &User, grant: &Grant) -> Map<String, Value> {
    let wishes = &grant.details.claims.id_token;
    gather(user, grant, wished_claims(wishes), wishes)
}

/// Leaves out what was asked for with other values than those there are: it was not asked for as it is (§5.5.1). For all claims about a
/// person, whoever adds them; `sub` and `acr` are none, and decide about the sign-in ([`crate::oauth::interaction`]).
pub fn keep_accepted(claims: &mut Map<String, Value>, wishes: &BTreeMap<String, ClaimWish>) {
    claims.retain(|name, value| wishes.get(name).is_none_or(|wish| wish.accepts(value)));
}

/// Names of the claims about the person that a request asks for one by one, for the consent page.
pub fn asked_singly(request: &ClaimsRequest) -> Vec<String> {
    let names: BTreeSet<&str> =
        wished_claims(&request.id_token).into_iter().chain(wished_claims(&request.userinfo)).collect();
    names.into_iter().map(str::to_owned).collect()
}

/// The scopes that speak of a person, which a client cannot have for itself.
pub fn personal_scopes() -> Scope {
    let of_claims = SCOPE_CLAIMS.iter().map(|(scope, _)| *scope).chain(DIRECTORY_SCOPES.iter().copied());
    of_claims.chain([Scope::OPENID, Scope::OFFLINE_ACCESS]).collect()
}

/// The values that we know, also in the languages asked for (§5.2); what is unknown is left out (§5.3.2).
fn gather(
    user: &User,
    grant: &Grant,
    names: BTreeSet<&'static str>,
    wishes: &BTreeMap<String, ClaimWish>,
) -> Map<String, Value> {
    let mut claims = Map::new();
    for name in names {
        if let Some(value) = value(user, name) {
            claims.insert(name.to_owned(), value);
        }
        if user.profile.localized.is_empty() {
            continue;
        }
        let asked = wishes.keys().filter_map(|wish| wish.split_once('#')).filter(|(own, _)| *own == name);
        let general = grant.details.claims_locales.iter().map(String::as_str);
        let languages: Vec<&str> = asked.map(|(_, tag)| tag).chain(general).collect();
        for (full_name, value) in user.profile.in_languages(name, &languages) {
            claims.insert(full_name.to_owned(), json!(value));
        }
    }
    claims
}

/// The value of one claim about a person (OIDC Core §5.1), if they have it.
pub(super) fn value(user: &User, name: &str) -> Option<Value> {
    let text = |kind| user.primary(kind).map(|identifier: &Identifier| json!(identifier.value));
    let proven = |kind| user.primary(kind).map(|identifier: &Identifier| json!(identifier.verified_at.is_some()));
    match name {
        "updated_at" => Some(json!(user.updated_at)),
        "preferred_username" => text(IdentifierKind::Username),
        "email" => text(IdentifierKind::Email),
        "email_verified" => proven(IdentifierKind::Email),
        "phone_number" => text(IdentifierKind::Phone),
        "phone_number_verified" => proven(IdentifierKind::Phone),
        _ => user.profile.claim(name),
    }
}
