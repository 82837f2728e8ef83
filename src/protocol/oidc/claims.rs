//! Standard claims about a person.
//!
//! OIDC Core §5.1, §5.1.1, §5.4.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::protocol::oidc::claims_request::ClaimWish;
use crate::protocol::scope::Scope;

/// The scopes that stand for claims (§5.4), each with its claims.
pub const SCOPE_CLAIMS: &[(&str, &[&str])] = &[
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
    ("address", &["address"]),
    ("phone", &["phone_number", "phone_number_verified"]),
];

/// Claims of an ID token that are not about the person but about the sign-in; always there, so a wish adds nothing.
const SIGN_IN_CLAIMS: &[&str] = &["iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "sid"];

/// Every claim we can give, for discovery (`claims_supported`).
pub fn claims_supported() -> Vec<&'static str> {
    let standard = SCOPE_CLAIMS.iter().flat_map(|(_, claims)| claims.iter().copied());
    ["sub"].into_iter().chain(SIGN_IN_CLAIMS.iter().copied()).chain(standard).collect()
}

/// The claims that `scope` stands for (§5.4); `sub` is always there and not in this set.
pub fn scope_claims(scope: &Scope) -> BTreeSet<&'static str> {
    let granted = SCOPE_CLAIMS.iter().filter(|(name, _)| scope.contains(name));
    granted.flat_map(|(_, claims)| claims.iter().copied()).collect()
}

/// The claims about the person that `wishes` name and that we can give; those we cannot are ignored (§5.5).
///
/// A wish for a language (`name#ja`) is answered with the claim as it is (§5.2).
pub fn wished_claims(wishes: &BTreeMap<String, ClaimWish>) -> BTreeSet<&'static str> {
    let names = wishes.keys().map(|name| name.split_once('#').map_or(name.as_str(), |(name, _)| name));
    names.filter_map(standard_claim).collect()
}

/// What the `UserInfo` answer tells: the claims of the scope and those wished for one by one.
pub fn userinfo_claims(scope: &Scope, wishes: &BTreeMap<String, ClaimWish>) -> BTreeSet<&'static str> {
    scope_claims(scope).into_iter().chain(wished_claims(wishes)).collect()
}

/// RFC 4647 §3.3.1 (basic filtering): the tag is the range, or begins with it and a hyphen.
fn is_within(tag: &str, range: &str) -> bool {
    match tag.get(..range.len()) {
        Some(head) => head.eq_ignore_ascii_case(range) && matches!(tag.as_bytes().get(range.len()), None | Some(b'-')),
        None => false,
    }
}

/// Our own copy of the name, if it is the name of a standard claim about the person.
pub fn standard_claim(name: &str) -> Option<&'static str> {
    SCOPE_CLAIMS.iter().flat_map(|(_, claims)| claims.iter().copied()).find(|known| *known == name)
}

/// The claims of the `profile` and `address` scopes; e-mail and phone come from identifiers, with their proofs.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// Full name in displayable form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Given name or names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Surname or surnames.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// Middle name or names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<String>,
    /// Casual name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// URL of the profile page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// URL of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// URL of a web page or blog.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    /// `female`, `male` or another value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gender: Option<String>,
    /// ISO 8601-1 `YYYY-MM-DD`, `0000-MM-DD` or `YYYY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birthdate: Option<String>,
    /// IANA time zone name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zoneinfo: Option<String>,
    /// BCP 47 language tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// Postal address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// Claims in other languages and scripts, by name and BCP 47 tag: `name#ja-Kana-JP` (§5.2).
    #[serde(flatten)]
    pub localized: BTreeMap<String, String>,
}

/// A postal address (§5.1.1).
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    /// The whole address for display; lines separated by `\n`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formatted: Option<String>,
    /// Street, number, post box; lines separated by `\n`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street_address: Option<String>,
    /// City.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locality: Option<String>,
    /// State or province.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Country name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

impl Profile {
    /// The claim `name` in those of `languages` that the person has it in, each under its full name (§5.2).
    ///
    /// A language asks for itself and for what is more particular: `ja` finds `name#ja-Kana-JP`.
    pub fn in_languages<'a>(&'a self, name: &str, languages: &[&str]) -> impl Iterator<Item = (&'a str, &'a str)> {
        let wanted = |full: &str| {
            let Some((own, tag)) = full.split_once('#') else { return false };
            own == name && languages.iter().any(|language| is_within(tag, language))
        };
        let full_names: Vec<&String> = self.localized.keys().filter(|full| wanted(full)).collect();
        full_names.into_iter().filter_map(|full| self.localized.get(full).map(|value| (full.as_str(), value.as_str())))
    }

    /// The value of a claim of the `profile` or `address` scope, if the person has one; for those that live elsewhere
    /// (`preferred_username`, `updated_at`, e-mail, phone) there is none here.
    pub fn claim(&self, name: &str) -> Option<Value> {
        let text = match name {
            "name" => &self.name,
            "given_name" => &self.given_name,
            "family_name" => &self.family_name,
            "middle_name" => &self.middle_name,
            "nickname" => &self.nickname,
            "profile" => &self.profile,
            "picture" => &self.picture,
            "website" => &self.website,
            "gender" => &self.gender,
            "birthdate" => &self.birthdate,
            "zoneinfo" => &self.zoneinfo,
            "locale" => &self.locale,
            "address" => return self.address.as_ref().and_then(|address| serde_json::to_value(address).ok()),
            _ => return None,
        };
        text.clone().map(Value::String)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::oidc::claims_request::ClaimsRequest;

    fn scope(text: &str) -> Scope {
        text.parse().expect("well formed")
    }

    /// OIDC Core §5.4.
    #[test]
    fn scopes_stand_for_claims() {
        assert!(scope_claims(&scope("openid offline_access")).is_empty());
        assert_eq!(scope_claims(&scope("openid profile")).len(), 14);
        assert_eq!(
            scope_claims(&scope("email phone address")),
            BTreeSet::from(["email", "email_verified", "phone_number", "phone_number_verified", "address"])
        );
    }

    #[test]
    fn wishes_add_what_we_know() {
        let claims = r#"{"userinfo":{"name#ja-Kana-JP":null,"email":{"essential":true},"shoe_size":null,"acr":null,"sub":null}}"#;
        let wishes = ClaimsRequest::parse(claims).expect("well formed").userinfo;
        assert_eq!(wished_claims(&wishes), BTreeSet::from(["name", "email"]));
        assert_eq!(userinfo_claims(&scope("openid address"), &wishes), BTreeSet::from(["address", "name", "email"]));
    }

    #[test]
    fn each_claim_of_a_profile_is_found_by_its_name() {
        let full = json!({
            "name": "1", "given_name": "2", "family_name": "3", "middle_name": "4", "nickname": "5", "profile": "6",
            "picture": "7", "website": "8", "gender": "9", "birthdate": "10", "zoneinfo": "11", "locale": "12",
            "address": {"locality": "Bern"},
        });
        let profile = serde_json::from_value::<Profile>(full.clone()).expect("standard claims");
        for (name, value) in full.as_object().expect("an object") {
            assert_eq!(profile.claim(name).as_ref(), Some(value), "{name}");
            assert!(standard_claim(name).is_some(), "{name}");
        }
        for name in ["email", "sub", "updated_at", "shoe_size"] {
            assert_eq!(profile.claim(name), None, "{name}");
        }
        assert_eq!(Profile::default().claim("name"), None);
    }

    #[test]
    fn claims_supported_are_distinct() {
        let all = claims_supported();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }

    /// OIDC Core §5.2
    #[test]
    fn a_claim_is_found_in_the_languages_asked_for() {
        let profile = Profile {
            localized: [("name#ja-Kana-JP", "アリス"), ("name#de", "Alice"), ("nickname#ja", "ア")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            ..Profile::default()
        };
        for (languages, found) in [
            (&["ja"][..], &["name#ja-Kana-JP"][..]),
            (&["JA-kana-jp", "de"], &["name#de", "name#ja-Kana-JP"]),
            (&["ja-Kana-JP-x"], &[]),
            (&["j", ""], &[]),
            (&[], &[]),
        ] {
            let names: Vec<&str> = profile.in_languages("name", languages).map(|(name, _)| name).collect();
            assert_eq!(names, found, "{languages:?}");
        }
        let text = serde_json::to_string(&profile).unwrap();
        assert_eq!(serde_json::from_str::<Profile>(&text).unwrap(), profile);
    }
}
