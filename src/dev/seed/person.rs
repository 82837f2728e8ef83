//! The seeded people, with every standard claim (OIDC Core §5.1).
//!
//! Names, addresses and numbers are of the kind that belongs to nobody: RFC 2606 domains, 555-01xx numbers.

use std::collections::BTreeMap;

use crate::edge::random::Random;
use crate::model::epoch::Epoch;
use crate::model::id::{IdentifierId, UserId};
use crate::model::user::{AccountState, Identifier, IdentifierKind, Role, User};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::oidc::claims::{Address, Profile};

/// Who operates the server.
pub const ADMIN: &str = "admin";
/// A person.
pub(super) const ALICE: &str = "alice";
/// Another.
pub(super) const BOB: &str = "bob";

/// A person to be seeded.
pub(super) struct Person {
    pub(super) username: &'static str,
    phone: Option<&'static str>,
    role: Role,
    profile: Profile,
}

/// Everybody. Pictures are served by the development server itself, below `issuer`.
pub(super) fn people(issuer: &str) -> Vec<Person> {
    vec![
        Person {
            username: ADMIN,
            phone: None,
            role: Role::Owner,
            profile: Profile {
                picture: Some(picture(issuer, ADMIN)),
                ..names("Ada Admin", ["Ada", "", "Admin"], "ada")
            },
        },
        Person {
            username: ALICE,
            phone: Some("+12025550143"),
            role: Role::Member,
            profile: Profile {
                picture: Some(picture(issuer, ALICE)),
                gender: some("female"),
                birthdate: some("1988-04-19"),
                zoneinfo: some("America/New_York"),
                locale: some("en-US"),
                localized: in_japanese(&[
                    ("name", "アリス・アダムス"),
                    ("given_name", "アリス"),
                    ("family_name", "アダムス"),
                ]),
                address: Some(address(["17 Maple Street", "Springfield", "Illinois", "62704", "United States"])),
                ..names("Alice Adams", ["Alice", "Marie", "Adams"], "ali")
            },
        },
        Person {
            username: BOB,
            phone: Some("+442079460147"),
            role: Role::Member,
            profile: Profile {
                picture: Some(picture(issuer, BOB)),
                gender: some("male"),
                birthdate: some("1979-11-02"),
                zoneinfo: some("Europe/London"),
                locale: some("en-GB"),
                address: Some(address(["4 Harbour Lane", "Whitby", "North Yorkshire", "YO21 3PU", "United Kingdom"])),
                ..names("Bob Baker", ["Bob", "James", "Baker"], "bobby")
            },
        },
    ]
}

impl Person {
    /// `name@example.com`.
    pub(super) fn email(&self) -> String {
        format!("{}@example.com", self.username)
    }

    /// A new account, all of its identifiers proven.
    pub(super) fn user(&self, random: &dyn Random, now: NumericDate) -> User {
        let identifier = |kind, value: &str| Identifier {
            id: IdentifierId::new(now, random.bytes()),
            kind,
            value: value.to_owned(),
            verified_at: Some(now),
            is_primary: true,
        };
        let named =
            [identifier(IdentifierKind::Username, self.username), identifier(IdentifierKind::Email, &self.email())];
        let phone = self.phone.map(|phone| identifier(IdentifierKind::Phone, phone));
        User {
            id: UserId::new(random.bytes()),
            profile: self.profile.clone(),
            identifiers: named.into_iter().chain(phone).collect(),
            role: self.role,
            auth_epoch: Epoch::FIRST,
            created_at: now,
            updated_at: now,
            state: AccountState::Active,
            attributes: serde_json::Map::new(),
            last_sign_in_at: None,
        }
    }
}

/// The names of a person and the pages that go with them: full name, then given, middle and family name, then nickname.
/// Claims in another script, for `claims_locales=ja` (OIDC Core §5.2).
fn in_japanese(claims: &[(&str, &str)]) -> BTreeMap<String, String> {
    claims.iter().map(|(name, value)| (format!("{name}#ja-Kana-JP"), (*value).to_owned())).collect()
}

fn names(full: &str, [given, middle, family]: [&str; 3], nickname: &str) -> Profile {
    let host = given.to_lowercase();
    Profile {
        name: some(full),
        given_name: some(given),
        middle_name: some(middle),
        family_name: some(family),
        nickname: some(nickname),
        profile: Some(format!("https://people.example.com/{host}")),
        website: Some(format!("https://{host}.example.com/")),
        ..Profile::default()
    }
}

fn address([street_address, locality, region, postal_code, country]: [&str; 5]) -> Address {
    Address {
        formatted: Some(format!("{street_address}\n{locality}, {region} {postal_code}\n{country}")),
        street_address: some(street_address),
        locality: some(locality),
        region: some(region),
        postal_code: some(postal_code),
        country: some(country),
    }
}

fn picture(issuer: &str, username: &str) -> String {
    format!("{issuer}/dev/picture/{username}.svg")
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::edge::random::SystemRandom;

    /// OIDC Core §5.1: what is left comes from identifiers (`email`, `phone_number`, `preferred_username`) and the account.
    #[test]
    fn alice_and_bob_have_every_standard_claim() {
        let members = [
            "name",
            "given_name",
            "family_name",
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
        ];
        for person in people("http://localhost:8080").iter().filter(|person| person.role == Role::Member) {
            let profile = serde_json::to_value(&person.profile).unwrap();
            for member in members {
                assert!(profile.get(member).is_some_and(|value| *value != Value::Null), "{} {member}", person.username);
            }
            assert_eq!(profile["address"].as_object().unwrap().len(), 6);
            let user = person.user(&SystemRandom, NumericDate::from_seconds(1));
            for kind in [IdentifierKind::Username, IdentifierKind::Email, IdentifierKind::Phone] {
                assert!(user.primary(kind).is_some_and(|identifier| identifier.verified_at.is_some()), "{kind:?}");
            }
        }
    }
}
