//! The operator's own claims of an access token: where their values come from.
//!
//! S-083, S-084. First what the app set (where it may), then what is known of the person, then the value of the list.

use serde_json::{Map, Value};

use crate::model::client::Client;
use crate::model::grant::GrantDetails;
use crate::model::own_claim::{OwnClaim, is_free};
use crate::model::user::User;
use crate::oauth::token::claims;
use crate::protocol::error::OAuthError;

/// A claim that has no value and must have one.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the claim {0} has no value")]
pub struct Missing(pub String);

impl From<Missing> for OAuthError {
    fn from(missing: Missing) -> Self {
        Self::invalid_grant("the account lacks a claim that every token of this client must have")
            .hint(format!("claim {}", missing.0))
    }
}

/// The claims of `client`'s access tokens for `user`, with what the app has `set` so far.
///
/// # Errors
/// [`Missing`] names the first that is required and has no value.
pub fn of_person(client: &Client, user: &User, set: &Map<String, Value>) -> Result<Map<String, Value>, Missing> {
    gather(client, |name, rule| {
        let from_app = set.get(name).filter(|_| rule.updatable);
        let from_person = || rule.from.as_deref().and_then(|source| claims::value(user, source));
        from_app.cloned().or_else(from_person)
    })
}

/// The claims of a client's own tokens, which speak of no person.
///
/// # Errors
/// As [`of_person`].
pub fn of_client(client: &Client) -> Result<Map<String, Value>, Missing> {
    gather(client, |_, _| None)
}

/// The first claim that `client`'s tokens must have and that is not among `claims`.
pub fn first_missing<'a>(client: &'a Client, claims: &Map<String, Value>) -> Option<&'a str> {
    let mut required = client.policy.own_claims.iter().filter(|(name, rule)| rule.required && is_free(name));
    required.find(|(name, _)| !claims.contains_key(*name)).map(|(name, _)| name.as_str())
}

/// What an opaque token of a grant stands for: the values of this moment.
pub fn of_grant(client: &Client, user: &User, details: &GrantDetails) -> Map<String, Value> {
    of_person(client, user, &details.own_claims).unwrap_or_default()
}

fn gather(client: &Client, value: impl Fn(&str, &OwnClaim) -> Option<Value>) -> Result<Map<String, Value>, Missing> {
    let mut claims = Map::new();
    for (name, rule) in client.policy.own_claims.iter().filter(|(name, _)| is_free(name)) {
        match value(name, rule).or_else(|| rule.value.clone()).filter(|value| rule.kind.fits(value)) {
            Some(value) => drop(claims.insert(name.clone(), value)),
            None if rule.required => return Err(Missing(name.clone())),
            None => {}
        }
    }
    Ok(claims)
}
