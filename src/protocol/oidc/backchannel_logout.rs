//! Logout tokens: a server says that a person left it. Ours to apps, and those of other servers to us.
//!
//! OpenID Connect Back-Channel Logout 1.0 §2.4 (what is in them) and §2.6 (how they are judged); RFC 8417.

use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::protocol::numeric_date::NumericDate;

/// The one event that makes a token one of these (§2.4).
pub const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// The type of our own, so that no other kind of token passes as one (§2.4, RFC 8725 §3.11).
pub const TYPE: &str = "logout+jwt";
/// The types that are taken; one without a type of its own, too (§2.4).
pub const TYPES: &[&str] = &[TYPE, "JWT"];
/// How long our own are good (§2.4: at most two minutes).
pub const LIFETIME: Duration = Duration::from_mins(2);
/// Clocks differ (PROTOCOL §3: 60 s).
const LEEWAY: Duration = Duration::from_mins(1);
/// A token is remembered for as long as it is good; nobody needs more than a day to deliver one.
const LONGEST: Duration = Duration::from_hours(24);
/// The longest `jti`, `sub` and `sid`, in bytes.
const MAX_NAME: usize = 512;

/// What a logout token of ours says (§2.4). It has no `nonce`, and no way to hold one.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct LogoutClaims {
    /// Who made it: this server.
    pub iss: String,
    /// The person, as this client knows them.
    pub sub: String,
    /// The client.
    pub aud: String,
    /// When it was made.
    pub iat: NumericDate,
    /// The end: at this moment it is no longer good.
    pub exp: NumericDate,
    /// Its name, which no other has.
    pub jti: String,
    /// The session that is over.
    pub sid: String,
    /// That this is a logout token.
    pub events: Event,
}

/// The event of [`EVENT`], about which there is nothing more to say.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct Event;

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json!({EVENT: {}}).serialize(serializer)
    }
}

/// A logout token that is all it has to be; whether it came before is another question.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogoutToken {
    /// Who says so.
    pub issuer: String,
    /// Who left; all their sessions are over unless `sid` names one.
    pub subject: Option<String>,
    /// Which session of theirs there.
    pub sid: Option<String>,
    /// Its name, once for each issuer.
    pub jti: String,
    /// From then on it is refused anyway.
    pub expires_at: NumericDate,
}

/// A token that is none of these, in words for a developer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct NoLogoutToken(pub &'static str);

impl LogoutToken {
    /// Judges claims whose signature was verified (§2.6): they have to be of `issuer` and for `audience` alone.
    ///
    /// # Errors
    /// The rule that is broken.
    pub fn judge(
        claims: &Map<String, Value>,
        (issuer, audience): (&str, &str),
        now: NumericDate,
    ) -> Result<Self, NoLogoutToken> {
        if claims.get("iss").is_none_or(|iss| iss != issuer) {
            return Err(NoLogoutToken("iss names another server"));
        }
        let is_for_us = match claims.get("aud") {
            Some(Value::Array(several)) => !several.is_empty() && several.iter().all(|one| one == audience),
            one => one.is_some_and(|one| one == audience),
        };
        if !is_for_us {
            return Err(NoLogoutToken("aud names another client, or others as well"));
        }
        let issued_at = date(claims, "iat").ok_or(NoLogoutToken("iat is missing, or no date"))?;
        if issued_at > now.plus(LEEWAY) {
            return Err(NoLogoutToken("iat lies in the future"));
        }
        let expires_at = date(claims, "exp").ok_or(NoLogoutToken("exp is missing, or no date"))?;
        if expires_at.plus(LEEWAY).is_past(now) {
            return Err(NoLogoutToken("the token has expired"));
        }
        if expires_at > now.plus(LONGEST) {
            return Err(NoLogoutToken("exp is more than 24 hours away"));
        }
        if !claims.get("events").and_then(|events| events.get(EVENT)).is_some_and(Value::is_object) {
            return Err(NoLogoutToken("events does not say that somebody left"));
        }
        // What says so is an ID token that somebody sent here.
        if claims.contains_key("nonce") {
            return Err(NoLogoutToken("nonce has no place in a logout token"));
        }
        let (subject, sid) = (name(claims, "sub")?, name(claims, "sid")?);
        if subject.is_none() && sid.is_none() {
            return Err(NoLogoutToken("it names neither sub nor sid"));
        }
        let jti = name(claims, "jti")?.ok_or(NoLogoutToken("jti is missing"))?;
        Ok(Self { issuer: issuer.to_owned(), subject, sid, jti, expires_at })
    }
}

/// A text of reasonable length, where there is one.
fn name(claims: &Map<String, Value>, claim: &str) -> Result<Option<String>, NoLogoutToken> {
    match claims.get(claim) {
        None => Ok(None),
        Some(Value::String(text)) if (1..=MAX_NAME).contains(&text.len()) => Ok(Some(text.clone())),
        Some(_) => Err(NoLogoutToken("one of sub, sid and jti is no text of reasonable length")),
    }
}

fn date(claims: &Map<String, Value>, claim: &str) -> Option<NumericDate> {
    claims.get(claim)?.as_i64().map(NumericDate::from_seconds)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: NumericDate = NumericDate::from_seconds(1_000_000);

    fn judge(lie: &Value) -> Result<LogoutToken, NoLogoutToken> {
        let mut claims = json!({
            "iss": "https://idp.example", "aud": "us", "iat": 1_000_000, "exp": 1_000_120, "jti": "1", "sub": "ada",
            "sid": "s", "events": {EVENT: {}},
        });
        for (name, value) in lie.as_object().unwrap() {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            } else {
                claims[name] = value.clone();
            }
        }
        LogoutToken::judge(claims.as_object().unwrap(), ("https://idp.example", "us"), NOW)
    }

    #[test]
    fn a_token_says_who_left_or_which_session_is_over() {
        let whole = judge(&json!({})).unwrap();
        assert_eq!((whole.subject.as_deref(), whole.sid.as_deref()), (Some("ada"), Some("s")));
        for good in [
            json!({"sid": null}),
            json!({"sub": null}),
            json!({"aud": ["us"]}),
            json!({"exp": 999_945}),
            json!({"iat": 1_000_060}),
        ] {
            assert!(judge(&good).is_ok(), "{good}");
        }
    }

    #[test]
    fn our_own_are_such_tokens() {
        let claims = LogoutClaims {
            iss: "https://idp.example".to_owned(),
            sub: "ada".to_owned(),
            aud: "us".to_owned(),
            iat: NOW,
            exp: NOW.plus(LIFETIME),
            jti: "1".to_owned(),
            sid: "s".to_owned(),
            events: Event,
        };
        let claims = serde_json::to_value(&claims).unwrap();
        let token = LogoutToken::judge(claims.as_object().unwrap(), ("https://idp.example", "us"), NOW).unwrap();
        assert_eq!((token.subject.as_deref(), token.sid.as_deref()), (Some("ada"), Some("s")));
        assert_eq!(claims.as_object().unwrap().len(), 8, "{claims}");
    }

    /// OpenID Connect Back-Channel Logout §2.6
    #[test]
    fn every_rule_is_kept() {
        for lie in [
            json!({"iss": "https://evil.example"}),
            json!({"iss": null}),
            json!({"aud": "them"}),
            json!({"aud": ["us", "them"]}),
            json!({"aud": []}),
            json!({"aud": null}),
            json!({"iat": null}),
            json!({"iat": "now"}),
            json!({"iat": 1_000_061}),
            json!({"exp": null}),
            json!({"exp": 999_930}),
            json!({"exp": 1_100_000}),
            json!({"events": null}),
            json!({"events": {}}),
            json!({"events": EVENT}),
            json!({"events": {EVENT: true}}),
            json!({"nonce": "n"}),
            json!({"sub": null, "sid": null}),
            json!({"sub": ""}),
            json!({"sub": 7}),
            json!({"sid": {}}),
            json!({"jti": null}),
            json!({"jti": ""}),
        ] {
            assert!(judge(&lie).is_err(), "{lie}");
        }
    }
}
