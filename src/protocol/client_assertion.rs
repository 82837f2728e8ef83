//! Client authentication by a JWT.
//!
//! RFC 7521 §4.2, RFC 7523 §2.2 and §3, OIDC Core §9 (`private_key_jwt`, `client_secret_jwt`), FAPI 2.0 §5.3.2.1.
//!
//! First [`ClientAssertion::parse`] tells which client it claims to be; then its keys are found; then
//! [`ClientAssertion::verify`] decides; last, the caller lets each `jti` pass once until [`AssertionId::expires_at`].

use std::time::Duration;

use serde_json::{Map, Value};

use crate::protocol::error::OAuthError;
use crate::protocol::jose::algorithm::JwsAlgorithm;
use crate::protocol::jose::error::JoseError;
use crate::protocol::jose::jws::{Unverified, VerificationKey};
use crate::protocol::numeric_date::NumericDate;

/// The only `client_assertion_type` (RFC 7523 §2.2).
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Clocks of clients run this much ahead of ours (FAPI 2.0 §5.3.2.1).
const AHEAD: Duration = Duration::from_secs(10);
/// An assertion lives at most this long from now: its `jti` is remembered until then (RFC 7523 §3, item 4).
const LONGEST: Duration = Duration::from_hours(24);
/// Bytes of `jti` that we read.
const MAX_JTI_BYTES: usize = 512;
/// Kinds of token that are client assertions; without `typ` it is one too. Others (`at+jwt`, …) stay what they are.
const TYPES: &[&str] = &["JWT", "client-authentication+jwt"];

/// An assertion whose shape is acceptable and whose signature nobody has looked at.
#[derive(Debug)]
pub struct ClientAssertion<'a> {
    token: Unverified<'a>,
    client_id: String,
}

/// Which `aud` an assertion may carry.
#[derive(Copy, Clone, Debug)]
pub struct AssertionAudience<'a> {
    /// Names of this server that are accepted: the issuer, and where allowed the token endpoint or the URL asked.
    pub accepted: &'a [&'a str],
    /// Whether a list will do.
    pub form: AudienceForm,
}

/// The form of `aud`.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum AudienceForm {
    /// One string; a list could carry the assertion to another server (RFC 7523bis, CVE-2025-27370).
    OneString,
    /// One string, or a list of which every member is accepted: with another server's name in it, that server could use
    /// the assertion here.
    StringOrList,
}

/// What makes an assertion single-use.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AssertionId {
    /// `jti`, unique for its client.
    pub jti: String,
    /// `exp`: from then on it is refused anyway.
    pub expires_at: NumericDate,
}

impl<'a> ClientAssertion<'a> {
    /// Reads `client_assertion_type` and `client_assertion`.
    ///
    /// # Errors
    /// `invalid_request` for another type; `invalid_client` when it is no acceptable JWT or `iss` and `sub` are not the
    /// same string.
    pub fn parse(assertion_type: &str, assertion: &'a str) -> Result<Self, OAuthError> {
        if assertion_type != ASSERTION_TYPE {
            return Err(OAuthError::invalid_request(format!("client_assertion_type must be {ASSERTION_TYPE}")));
        }
        let token = Unverified::parse(assertion).map_err(refused)?;
        if token.typ().is_some() && !TYPES.iter().any(|typ| token.is_type(typ)) {
            return Err(OAuthError::invalid_client("the typ of the client assertion is that of another kind of token"));
        }
        let claims = token.unverified_claims().map_err(refused)?;
        let (issuer, subject) = (text(&claims, "iss")?, text(&claims, "sub")?);
        if issuer != subject {
            return Err(OAuthError::invalid_client("iss and sub of a client assertion are both the client_id"));
        }
        Ok(Self { client_id: issuer.to_owned(), token })
    }

    /// The client it claims to come from.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// What it is signed with: tells whether a secret or a public key is needed.
    pub fn algorithm(&self) -> JwsAlgorithm {
        self.token.algorithm()
    }

    /// Which of the client's keys it names.
    pub fn kid(&self) -> Option<&str> {
        self.token.kid()
    }

    /// Verifies the signature under one of `keys`, then the claims.
    ///
    /// # Errors
    /// `invalid_client`, with a sentence that says which rule was broken.
    pub fn verify<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k VerificationKey>,
        audience: AssertionAudience<'_>,
        now: NumericDate,
    ) -> Result<AssertionId, OAuthError> {
        let mut failure = None;
        for key in keys {
            match self.token.verify(key) {
                Ok(payload) => return check(&payload.object().map_err(refused)?, audience, now),
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.map_or_else(
            || {
                OAuthError::invalid_client("no key of the client fits the alg and kid of its assertion").hint(format!(
                    "alg {}, kid {}",
                    self.algorithm(),
                    self.kid().unwrap_or("absent")
                ))
            },
            refused,
        ))
    }
}

/// The claims of RFC 7523 §3 that follow the signature; `iss` and `sub` were read from the same bytes before.
fn check(
    claims: &Map<String, Value>,
    audience: AssertionAudience<'_>,
    now: NumericDate,
) -> Result<AssertionId, OAuthError> {
    check_audience(claims, audience)?;
    let expires_at = date(claims, "exp")?
        .ok_or_else(|| OAuthError::invalid_client("the client assertion has no exp, which is required"))?;
    if expires_at.is_past(now) {
        return Err(OAuthError::invalid_client("the client assertion has expired")
            .hint(format!("exp is {expires_at}, this server's clock is at {now}")));
    }
    if expires_at > now.plus(LONGEST) {
        return Err(OAuthError::invalid_client("the exp of the client assertion is more than 24 hours away"));
    }
    for name in ["nbf", "iat"] {
        if date(claims, name)?.is_some_and(|moment| moment > now.plus(AHEAD)) {
            return Err(OAuthError::invalid_client(format!("the {name} of the client assertion lies in the future"))
                .hint(format!("this server's clock is at {now} and accepts 10 seconds ahead")));
        }
    }
    let jti = text(claims, "jti")?;
    if jti.is_empty() || jti.len() > MAX_JTI_BYTES {
        return Err(OAuthError::invalid_client("the jti of the client assertion is empty or longer than 512 bytes"));
    }
    Ok(AssertionId { jti: jti.to_owned(), expires_at })
}

fn check_audience(claims: &Map<String, Value>, audience: AssertionAudience<'_>) -> Result<(), OAuthError> {
    let accepted = |value: &Value| value.as_str().is_some_and(|text| audience.accepted.contains(&text));
    let fits = match claims.get("aud") {
        Some(one @ Value::String(_)) => accepted(one),
        Some(Value::Array(list)) if audience.form == AudienceForm::StringOrList => {
            !list.is_empty() && list.iter().all(accepted)
        }
        Some(Value::Array(_)) => {
            return Err(OAuthError::invalid_client("the aud of the client assertion must be one string, not a list"));
        }
        Some(_) => false,
        None => return Err(OAuthError::invalid_client("the client assertion has no aud, which is required")),
    };
    if fits {
        return Ok(());
    }
    Err(OAuthError::invalid_client("the aud of the client assertion is not this server")
        .hint(format!("accepted: {}", audience.accepted.join(", "))))
}

/// A required claim that is a string.
fn text<'c>(claims: &'c Map<String, Value>, name: &str) -> Result<&'c str, OAuthError> {
    match claims.get(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(OAuthError::invalid_client(format!("the {name} of the client assertion is not a string"))),
        None => Err(OAuthError::invalid_client(format!("the client assertion has no {name}, which is required"))),
    }
}

/// A `NumericDate`: a JSON number, whose fraction we drop (RFC 7519 §2 allows one). A string is an error.
fn date(claims: &Map<String, Value>, name: &str) -> Result<Option<NumericDate>, OAuthError> {
    let wrong = || OAuthError::invalid_client(format!("the {name} of the client assertion is not a NumericDate"));
    let Some(value) = claims.get(name) else { return Ok(None) };
    let number = value.as_number().ok_or_else(wrong)?;
    let seconds = number.as_i64().or_else(|| number.as_f64().and_then(whole_seconds)).ok_or_else(wrong)?;
    Ok(Some(NumericDate::from_seconds(seconds)))
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked, and dropping the fraction is the purpose")]
fn whole_seconds(number: f64) -> Option<i64> {
    // 2^53: up to there every whole number is exact.
    (number.abs() < 9_007_199_254_740_992.0).then(|| number.floor() as i64)
}

fn refused(error: JoseError) -> OAuthError {
    OAuthError::invalid_client(format!("the client assertion is refused: {error}")).caused_by(error)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::protocol::error::ErrorCode;
    use crate::protocol::jose::algorithm::SigningAlgorithm;
    use crate::protocol::jose::jwk::JwkSet;
    use crate::protocol::jose::jws::SigningKey;

    const ISSUER: &str = "https://id.example";
    const NOW: NumericDate = NumericDate::from_seconds(10_000);
    const STRICT: AssertionAudience<'_> = AssertionAudience { accepted: &[ISSUER], form: AudienceForm::OneString };

    fn claims() -> Value {
        json!({"iss": "shop", "sub": "shop", "aud": ISSUER, "exp": 10_060, "iat": 10_000, "jti": "j1"})
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = claims();
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value,
        }
        claims
    }

    fn keys_of(key: &SigningKey) -> Vec<VerificationKey> {
        let set = JwkSet::parse(&json!({"keys": [key.public_jwk()]})).unwrap();
        let algorithm = key.algorithm().to_jws();
        set.keys_for(algorithm, None).map(|jwk| VerificationKey::from_jwk(jwk, algorithm).unwrap()).collect()
    }

    fn judge(key: &SigningKey, claims: &Value, audience: AssertionAudience<'_>) -> Result<AssertionId, OAuthError> {
        let token = key.sign("JWT", claims).unwrap();
        ClientAssertion::parse(ASSERTION_TYPE, &token)?.verify(&keys_of(key), audience, NOW)
    }

    #[test]
    fn a_client_proves_itself_with_each_of_its_keys() {
        for algorithm in SigningAlgorithm::ALL {
            let key = SigningKey::generate(*algorithm).unwrap().key;
            let id = judge(&key, &claims(), STRICT).unwrap();
            assert_eq!(id, AssertionId { jti: "j1".to_owned(), expires_at: NumericDate::from_seconds(10_060) });
        }
    }

    #[test]
    fn a_client_proves_itself_with_its_secret() {
        let secret = [b's'; 64];
        for algorithm in JwsAlgorithm::SYMMETRIC.iter().copied() {
            let header = jsonwebtoken::Header::new(algorithm.as_str().parse().unwrap());
            let token =
                jsonwebtoken::encode(&header, &claims(), &jsonwebtoken::EncodingKey::from_secret(&secret)).unwrap();
            let assertion = ClientAssertion::parse(ASSERTION_TYPE, &token).unwrap();
            assert_eq!((assertion.client_id(), assertion.algorithm(), assertion.kid()), ("shop", algorithm, None));
            let right = VerificationKey::hmac(algorithm, &secret).unwrap();
            let wrong = VerificationKey::hmac(algorithm, &[b't'; 64]).unwrap();
            assert!(assertion.verify([&wrong, &right], STRICT, NOW).is_ok());
            let error = assertion.verify([&wrong], STRICT, NOW).unwrap_err();
            assert!(error.description().contains("signature"), "{error}");
        }
    }

    #[test]
    fn claims_are_checked_one_by_one() {
        let key = SigningKey::generate(SigningAlgorithm::EdDSA).unwrap().key;
        for (name, value, expected) in [
            ("iss", Value::Null, "no iss"),
            ("sub", Value::Null, "no sub"),
            ("sub", json!("other"), "both the client_id"),
            ("sub", json!(7), "sub of the client assertion is not a string"),
            ("iss", json!(["shop"]), "iss of the client assertion is not a string"),
            ("aud", Value::Null, "no aud"),
            ("aud", json!("https://id.example/"), "not this server"),
            ("aud", json!("https://other.example"), "not this server"),
            ("aud", json!([ISSUER]), "one string"),
            ("aud", json!(7), "not this server"),
            ("exp", Value::Null, "no exp"),
            ("exp", json!("10060"), "exp of the client assertion is not a NumericDate"),
            ("exp", json!(true), "not a NumericDate"),
            ("exp", json!(1e300), "not a NumericDate"),
            ("exp", json!(u64::MAX), "not a NumericDate"),
            ("exp", json!(10_000), "has expired"),
            ("exp", json!(10_000.9), "has expired"),
            ("exp", json!(-1), "has expired"),
            ("exp", json!(10_000 + 86_401), "24 hours"),
            ("nbf", json!(10_011), "nbf of the client assertion lies in the future"),
            ("nbf", json!("10000"), "nbf of the client assertion is not a NumericDate"),
            ("iat", json!(10_011), "iat of the client assertion lies in the future"),
            ("iat", json!("10000"), "iat of the client assertion is not a NumericDate"),
            ("jti", Value::Null, "no jti"),
            ("jti", json!(""), "empty"),
            ("jti", json!(7), "jti of the client assertion is not a string"),
            ("jti", json!("j".repeat(513)), "longer"),
        ] {
            let error = judge(&key, &with(name, value.clone()), STRICT).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidClient);
            assert!(error.description().contains(expected), "{error} for {name}: {value}");
        }
        for (name, value) in [
            ("exp", json!(10_000 + 86_400)),
            ("exp", json!(10_059.5)),
            ("nbf", json!(10_010)),
            ("iat", json!(10_010)),
            ("iat", Value::Null),
            ("other", json!({"a": 1})),
        ] {
            assert!(judge(&key, &with(name, value.clone()), STRICT).is_ok(), "{name}: {value}");
        }
    }

    #[test]
    fn a_list_of_audiences_passes_only_where_it_is_allowed() {
        let key = SigningKey::generate(SigningAlgorithm::EdDSA).unwrap().key;
        let accepted = &["https://id.example", "https://id.example/oauth2/token"];
        let tolerant = AssertionAudience { accepted, form: AudienceForm::StringOrList };
        for (aud, passes) in [
            (json!(accepted[0]), true),
            (json!(accepted[1]), true),
            (json!([accepted[1]]), true),
            (json!([accepted[0], accepted[1]]), true),
            (json!(["https://other.example", accepted[1]]), false),
            (json!(["x"]), false),
            (json!([]), false),
            (json!([accepted[0], 7]), false),
        ] {
            assert_eq!(judge(&key, &with("aud", aud.clone()), tolerant).is_ok(), passes, "{aud}");
        }
    }

    #[test]
    fn another_key_another_type_and_no_key_are_refused() {
        let [key, other] = [(); 2].map(|()| SigningKey::generate(SigningAlgorithm::ES256).unwrap().key);
        let token = key.sign("JWT", &claims()).unwrap();
        let assertion = ClientAssertion::parse(ASSERTION_TYPE, &token).unwrap();
        assert_eq!(assertion.kid(), Some(key.kid()));
        let error = assertion.verify(&keys_of(&other), STRICT, NOW).unwrap_err();
        assert!(error.description().contains("signature"), "{error}");
        let error = assertion.verify([], STRICT, NOW).unwrap_err();
        assert!(error.description().contains("no key of the client fits"), "{error}");

        let error = ClientAssertion::parse("urn:ietf:params:oauth:grant-type:jwt-bearer", &token).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidRequest);
        for (typ, accepted) in
            [("client-authentication+jwt", true), ("jwt", true), ("at+jwt", false), ("dpop+jwt", false)]
        {
            let token = key.sign(typ, &claims()).unwrap();
            assert_eq!(ClientAssertion::parse(ASSERTION_TYPE, &token).is_ok(), accepted, "{typ}");
        }
    }

    #[test]
    fn unsigned_and_repeated_members_are_refused() {
        let forge = |header: &str, claims: &str| {
            let token = [header, claims, "s"].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
            ClientAssertion::parse(ASSERTION_TYPE, &token).map(|assertion| assertion.client_id().to_owned())
        };
        let good = claims().to_string();
        assert_eq!(forge(r#"{"alg":"ES256"}"#, &good).unwrap(), "shop");
        assert!(forge(r#"{"alg":"none"}"#, &good).is_err());
        assert!(forge(r#"{"alg":"ES256","jwk":{}}"#, &good).is_err());
        assert!(forge(r#"{"alg":"ES256"}"#, r#"{"iss":"a","sub":"a","iss":"a"}"#).is_err());
        assert!(forge(r#"{"alg":"ES256"}"#, "[]").is_err());
    }

    proptest! {
        #[test]
        fn reading_never_panics(token in "\\PC{0,100}", claims in "\\PC{0,100}") {
            let _ = ClientAssertion::parse(ASSERTION_TYPE, &token);
            let token = format!("eyJhbGciOiJFUzI1NiJ9.{}.AA", URL_SAFE_NO_PAD.encode(claims));
            let _ = ClientAssertion::parse(ASSERTION_TYPE, &token);
        }

        #[test]
        fn dates_never_panic(number in any::<f64>()) {
            let _ = date(&with("exp", json!(number)).as_object().unwrap().clone(), "exp");
        }
    }
}
