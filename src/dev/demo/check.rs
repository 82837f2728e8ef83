//! What the demo looks at before it believes a token, one line for each check.
//!
//! OIDC Core §3.1.3.7, §3.1.3.8 and §12.2 for ID tokens; RFC 9068 §4 for access tokens; Back-Channel Logout §2.6 for logout tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Map, Value};

use super::signature::{self, HeaderRules, Presence};
use crate::protocol::jose::algorithm::JwsAlgorithm;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::oidc::backchannel_logout::{self, LogoutToken};
use crate::protocol::secret::TokenHash;

/// One thing that was looked at.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) passed: bool,
    /// What was seen.
    pub(super) detail: String,
}

/// A token that was looked at.
#[derive(Clone, Debug)]
pub(super) struct Verification {
    pub(super) checks: Vec<Check>,
    /// What it claims; to be believed when every check passed.
    pub(super) claims: Map<String, Value>,
}

/// What an ID token must be.
#[derive(Clone, Copy, Debug)]
pub(super) struct IdTokenRules<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: Nonce<'a>,
    /// The one that came with it.
    pub(super) access_token: &'a str,
    /// What the request asked for, in seconds.
    pub(super) max_age: Option<u64>,
    /// Who it must be about, when that is known.
    pub(super) subject: Option<&'a str>,
    pub(super) now: NumericDate,
}

/// What is asked of `nonce`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Nonce<'a> {
    /// The one that was sent.
    Sent(&'a str),
    /// After a refresh it is absent, or the one of the first ID token (§12.2).
    IfPresent(&'a str),
}

/// What an access token must be.
#[derive(Clone, Copy, Debug)]
pub(super) struct AccessTokenRules<'a> {
    pub(super) issuer: &'a str,
    /// The API that would receive it.
    pub(super) audience: &'a str,
    pub(super) client_id: &'a str,
    /// Who the ID token was about.
    pub(super) subject: &'a str,
    pub(super) now: NumericDate,
}

/// The demo is registered for RS256 and hence expects it (RFC 8725 §3.1); `typ` is not required of ID tokens.
const ID_TOKEN: HeaderRules =
    HeaderRules { typ: "JWT", presence: Presence::Optional, algorithm: Some(JwsAlgorithm::RS256) };

/// RFC 9068 §4: the type keeps an ID token from being used as an access token.
const ACCESS_TOKEN: HeaderRules = HeaderRules { typ: "at+jwt", presence: Presence::Required, algorithm: None };

/// Back-Channel Logout §2.6: signed as ID tokens are; the type keeps one of those from being used here.
const LOGOUT_TOKEN: HeaderRules =
    HeaderRules { typ: backchannel_logout::TYPE, presence: Presence::Required, algorithm: Some(JwsAlgorithm::RS256) };

/// Seconds by which clocks may differ.
const LEEWAY: i64 = 10;

impl Check {
    pub(super) fn new(name: &'static str, passed: bool, detail: impl Into<String>) -> Self {
        Self { name, passed, detail: detail.into() }
    }

    /// Passes when `seen` is what was `expected`.
    pub(super) fn equal(name: &'static str, seen: Option<&str>, expected: &str) -> Self {
        match seen {
            Some(seen) if seen == expected => Self::new(name, true, seen),
            Some(seen) => Self::new(name, false, format!("“{seen}” where “{expected}” was expected")),
            None => Self::new(name, false, format!("absent where “{expected}” was expected")),
        }
    }
}

impl Verification {
    /// True when every check passed.
    pub(super) fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.passed)
    }

    /// The checks that did not pass, in words.
    pub(super) fn complaint(&self) -> String {
        let failed = self.checks.iter().filter(|check| !check.passed);
        failed.map(|check| format!("{}: {}", check.name, check.detail)).collect::<Vec<_>>().join("; ")
    }

    fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim).and_then(Value::as_str)
    }

    fn moment(&self, claim: &str) -> Option<i64> {
        self.claims.get(claim).and_then(Value::as_i64)
    }

    fn push(&mut self, check: Check) {
        self.checks.push(check);
    }

    /// Passes from the first to the last second of the token's life.
    fn check_lifetime(&mut self, now: NumericDate) {
        let check = match self.moment("exp") {
            Some(exp) if exp > now.seconds() - LEEWAY => {
                Check::new("exp", true, format!("{} s left", exp - now.seconds()))
            }
            Some(exp) => Check::new("exp", false, format!("expired {} s ago", now.seconds() - exp)),
            None => Check::new("exp", false, "absent"),
        };
        self.push(check);
        let check = match self.moment("iat") {
            Some(iat) if iat <= now.seconds() + LEEWAY => {
                Check::new("iat", true, format!("{} s ago", now.seconds() - iat))
            }
            Some(iat) => Check::new("iat", false, format!("{} s in the future", iat - now.seconds())),
            None => Check::new("iat", false, "absent"),
        };
        self.push(check);
    }

    fn check_audience(&mut self, expected: &str) {
        let audience = self.audience();
        let detail = format!("[{}]", audience.join(", "));
        let passed = audience.contains(&expected);
        self.push(Check::new("aud", passed, if passed { detail } else { format!("{detail} lacks “{expected}”") }));
    }

    /// `aud` is a string or a list of strings (RFC 7519 §4.1.3).
    fn audience(&self) -> Vec<&str> {
        match self.claims.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

/// Looks at an ID token.
pub(super) fn id_token(token: &str, jwks: &[u8], rules: &IdTokenRules) -> Verification {
    let mut seen = signature::verify(token, jwks, ID_TOKEN);
    if !seen.passed() {
        return seen;
    }
    seen.push(Check::equal("iss", seen.text("iss"), rules.issuer));
    seen.check_audience(rules.client_id);
    if seen.audience().len() > 1 || seen.claims.contains_key("azp") {
        seen.push(Check::equal("azp", seen.text("azp"), rules.client_id));
    }
    seen.check_lifetime(rules.now);
    match (rules.nonce, seen.text("nonce")) {
        (Nonce::IfPresent(_), None) => {}
        (Nonce::Sent(sent) | Nonce::IfPresent(sent), nonce) => seen.push(Check::equal("nonce", nonce, sent)),
    }
    seen.push(Check::equal("at_hash", seen.text("at_hash"), &at_hash(rules.access_token)));
    seen.push(subject(&seen, rules.subject));
    if let Some(max_age) = rules.max_age {
        seen.push(auth_time(&seen, max_age, rules.now));
    }
    seen
}

/// Looks at an access token as the API that receives it would.
pub(super) fn access_token(token: &str, jwks: &[u8], rules: &AccessTokenRules) -> Verification {
    let mut seen = signature::verify(token, jwks, ACCESS_TOKEN);
    if !seen.passed() {
        return seen;
    }
    seen.push(Check::equal("iss", seen.text("iss"), rules.issuer));
    seen.check_audience(rules.audience);
    seen.check_lifetime(rules.now);
    seen.push(Check::equal("client_id", seen.text("client_id"), rules.client_id));
    seen.push(subject(&seen, Some(rules.subject)));
    let jti = seen.text("jti").map(str::to_owned);
    seen.push(Check::new("jti", jti.is_some(), jti.unwrap_or_else(|| "absent".to_owned())));
    let scope = seen.text("scope").unwrap_or_default().to_owned();
    seen.push(Check::new("scope", scope.split(' ').any(|token| token == "openid"), scope));
    seen
}

/// Looks at a logout token: what it says, where every check passed.
pub(super) fn logout_token(
    token: &str,
    jwks: &[u8],
    (issuer, client_id): (&str, &str),
    now: NumericDate,
) -> (Verification, Option<LogoutToken>) {
    let mut seen = signature::verify(token, jwks, LOGOUT_TOKEN);
    if !seen.passed() {
        return (seen, None);
    }
    match LogoutToken::judge(&seen.claims, (issuer, client_id), now) {
        Ok(judged) => {
            let session = judged.sid.clone().unwrap_or_else(|| "every session of the person".to_owned());
            seen.push(Check::new("sid", true, session));
            (seen, Some(judged))
        }
        Err(broken) => {
            seen.push(Check::new("claims", false, broken.to_string()));
            (seen, None)
        }
    }
}

fn subject(seen: &Verification, expected: Option<&str>) -> Check {
    match (seen.text("sub"), expected) {
        (sub, Some(expected)) => Check::equal("sub", sub, expected),
        (Some(sub), None) if !sub.is_empty() => Check::new("sub", true, sub),
        (_, None) => Check::new("sub", false, "absent"),
    }
}

/// OIDC Core §3.1.2.1: with `max_age` the ID token says when the person signed in, and that is recent.
fn auth_time(seen: &Verification, max_age: u64, now: NumericDate) -> Check {
    let Some(at) = seen.moment("auth_time") else {
        return Check::new("auth_time", false, "absent though max_age asked for it");
    };
    let age = now.since(NumericDate::from_seconds(at)).as_secs();
    Check::new(
        "auth_time",
        age <= max_age + LEEWAY.unsigned_abs(),
        format!("signed in {age} s ago, max_age is {max_age}"),
    )
}

/// The left half of the access token's SHA-256 (OIDC Core §3.1.3.6, for an algorithm that ends in 256).
pub(super) fn at_hash(access_token: &str) -> String {
    let hash = TokenHash::of(access_token);
    let (left, _) = hash.as_bytes().split_at(16);
    URL_SAFE_NO_PAD.encode(left)
}
