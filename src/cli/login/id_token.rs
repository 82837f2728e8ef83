//! The ID token, before it is believed.
//!
//! OIDC Core §3.1.3.7, §3.1.3.8 (`at_hash`); RFC 7515 §5.2.

use serde_json::{Map, Value};

use crate::protocol::jose::algorithm::SigningAlgorithm;
use crate::protocol::jose::jwk::JwkSet;
use crate::protocol::jose::jws::{Unverified, VerificationKey};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::oidc::id_token::at_hash;

/// Seconds by which clocks may differ.
const LEEWAY: i64 = 30;

/// What it has to say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    pub(super) access_token: &'a str,
    pub(super) now: NumericDate,
}

/// Its claims; or why it is not good.
pub(super) fn verify(token: &str, jwks: &[u8], expected: &Expected<'_>) -> Result<Map<String, Value>, String> {
    let unverified = Unverified::parse(token).map_err(|error| error.to_string())?;
    let algorithm = unverified.algorithm();
    let set = JwkSet::from_json(jwks).map_err(|error| format!("the published keys cannot be read: {error}"))?;
    let signed = set.keys_for(algorithm, unverified.kid()).find_map(|jwk| {
        let key = VerificationKey::from_jwk(jwk, algorithm).ok()?;
        unverified.verify(&key).ok()
    });
    let payload = signed.ok_or_else(|| format!("no published key verifies its signature ({algorithm})"))?;
    let claims = payload.object().map_err(|error| error.to_string())?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    for (name, value) in [("iss", expected.issuer), ("nonce", expected.nonce)] {
        if text(name) != Some(value) {
            return Err(format!("its {name} is {}", text(name).unwrap_or("absent")));
        }
    }
    let audience = match claims.get("aud") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !audience.contains(&expected.client_id) || text("azp").is_some_and(|azp| azp != expected.client_id) {
        return Err(format!("it is for {}", audience.join(", ")));
    }
    let moment = |name: &str| claims.get(name).and_then(Value::as_i64);
    let now = expected.now.seconds();
    if moment("exp").is_none_or(|exp| exp <= now - LEEWAY) {
        return Err("it has expired, or does not say when".to_owned());
    }
    if moment("iat").is_none_or(|iat| iat > now + LEEWAY) {
        return Err("it was made in the future, or does not say when: compare the clocks".to_owned());
    }
    if text("sub").is_none_or(str::is_empty) {
        return Err("it names nobody".to_owned());
    }
    if let (Some(hash), Ok(algorithm)) = (text("at_hash"), algorithm.as_str().parse::<SigningAlgorithm>())
        && hash != at_hash(algorithm, expected.access_token)
    {
        return Err("its at_hash belongs to another access token".to_owned());
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::jose::jws::SigningKey;

    #[test]
    fn a_token_is_believed_when_everything_is_right() {
        let key = SigningKey::generate(SigningAlgorithm::ES256).unwrap().key;
        let jwks = json!({"keys": [key.public_jwk()]}).to_string();
        let now = 1_800_000_000;
        let good = json!({
            "iss": "https://a", "aud": "shop", "nonce": "n", "sub": "alice", "iat": now, "exp": now + 60,
            "at_hash": at_hash(SigningAlgorithm::ES256, "token"),
        });
        let judge = |change: Value, jwks: &str| {
            let mut claims = good.as_object().unwrap().clone();
            claims.extend(change.as_object().unwrap().clone());
            let expected = Expected {
                issuer: "https://a",
                client_id: "shop",
                nonce: "n",
                access_token: "token",
                now: NumericDate::from_seconds(now),
            };
            verify(&key.sign("JWT", &claims).unwrap(), jwks.as_bytes(), &expected)
        };
        assert_eq!(judge(json!({}), &jwks).unwrap()["sub"], "alice");
        assert!(judge(json!({"aud": ["shop", "other"], "azp": "shop"}), &jwks).is_ok());
        for (change, told) in [
            (json!({"iss": "https://b"}), "iss"),
            (json!({"nonce": "x"}), "nonce"),
            (json!({"nonce": null}), "nonce"),
            (json!({"aud": "other"}), "for other"),
            (json!({"azp": "other"}), "for shop"),
            (json!({"exp": now - 60}), "expired"),
            (json!({"iat": now + 600}), "future"),
            (json!({"sub": ""}), "nobody"),
            (json!({"at_hash": "x"}), "at_hash"),
        ] {
            let reason = judge(change, &jwks).unwrap_err();
            assert!(reason.contains(told), "{told}: {reason}");
        }
        let other = SigningKey::generate(SigningAlgorithm::ES256).unwrap().key;
        let others = json!({"keys": [other.public_jwk()]}).to_string();
        assert!(judge(json!({}), &others).unwrap_err().contains("signature"));
    }
}
