//! Sign in with Apple.
//!
//! "Authenticating users with Sign in with Apple", "Creating a client secret": the secret is a JWT that we sign by ES256 with the key of
//! the developer account (`kid`: Key ID, `iss`: Team ID, `sub`: our Services ID, `aud`: Apple); scopes are given only with
//! `response_mode=form_post`; the name comes once, in a field `user` beside the first response; `email_verified` and `is_private_email`
//! are booleans or texts.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::edge::upstream::oidc::{Dialect, Oidc};
use crate::edge::upstream::reading::{Reading, is_true};
use crate::edge::upstream::{Account, Beginning, Presented, Returned, UpstreamError, UpstreamProvider};
use crate::model::identity_provider::{ProviderSettings, TokenAuth};
use crate::model::upstream_link::UpstreamIdentity;
use crate::protocol::jose::algorithm::SigningAlgorithm;
use crate::protocol::jose::import::import;
use crate::protocol::jose::json::parse_object;
use crate::protocol::secret::Secret;

const ISSUER: &str = "https://appleid.apple.com";
/// Seconds that a secret is good for: it is made for each exchange. Apple allows six months.
const LIFETIME: i64 = 300;
/// The longest field `user` that is read, in bytes.
const MAX_USER: usize = 4096;

/// Apple, whose secret is made when it is needed.
pub(super) struct Apple<'a>(Result<Oidc<'a>, UpstreamError>);

pub(super) fn connector(account: Account<'_>) -> Apple<'_> {
    let made = client_secret(&account).map(|secret| {
        let dialect = Dialect {
            scopes: &["name", "email"],
            parameters: vec![("response_mode", "form_post".to_owned())],
            email_verified: |claims| is_said(claims, "email_verified"),
            asks_userinfo: false,
            secret: Some(secret),
            auth: Some(TokenAuth::Post),
            names,
            ..Dialect::plain(account.provider.issuer())
        };
        Oidc { account, dialect }
    });
    Apple(made)
}

#[async_trait::async_trait]
impl UpstreamProvider for Apple<'_> {
    async fn begin(&self, beginning: &Beginning) -> Result<String, UpstreamError> {
        self.oidc()?.begin(beginning).await
    }

    async fn finish(&self, returned: &Returned) -> Result<UpstreamIdentity, UpstreamError> {
        self.oidc()?.finish(returned).await
    }

    async fn accept(&self, presented: &Presented) -> Result<UpstreamIdentity, UpstreamError> {
        self.oidc()?.accept(presented).await
    }

    async fn probe(&self, redirect_uri: &str) -> Result<String, UpstreamError> {
        self.oidc()?.probe(redirect_uri).await
    }
}

impl<'a> Apple<'a> {
    fn oidc(&self) -> Result<&Oidc<'a>, UpstreamError> {
        self.0.as_ref().map_err(Clone::clone)
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

/// The secret for one exchange, signed with the `.p8` that the operator gave.
fn client_secret(account: &Account<'_>) -> Result<Secret, UpstreamError> {
    let unusable = |why: &dyn std::fmt::Display| UpstreamError::Misconfigured(format!("its private key: {why}"));
    let key = import(account.secret()?.expose().as_bytes(), Some(SigningAlgorithm::ES256));
    let key = key.map_err(|error| unusable(&error))?.key;
    let settings = &account.provider.settings;
    let now = account.way.now().seconds();
    let claims = Claims {
        iss: settings.team_id.as_deref().unwrap_or_default(),
        sub: &account.provider.client_id,
        aud: ISSUER,
        iat: now,
        exp: now + LIFETIME,
    };
    let kid = settings.key_id.as_deref().unwrap_or_default();
    key.sign_as(kid, &claims).map(Secret::new).map_err(|error| unusable(&error))
}

/// Apple says yes by `true` and by `"true"`, as its documents tell.
fn is_said(claims: &Map<String, Value>, name: &str) -> bool {
    is_true(claims.get(name)) || claims.get(name).is_some_and(|value| value == "true")
}

/// The name of the field `user`: nobody has signed it, so that it is taken for a name and for nothing else.
fn names(returned: &Returned, identity: &mut UpstreamIdentity) {
    let Some(user) = returned.user.as_deref().filter(|user| user.len() <= MAX_USER) else { return };
    let Ok(user) = parse_object(user.as_bytes(), "user") else { return };
    let Some(Value::Object(name)) = user.get("name") else { return };
    let settings = ProviderSettings::default();
    let reading = Reading { settings: &settings, claims: name };
    identity.profile.given_name = reading.text("given_name", &["firstName"]);
    identity.profile.family_name = reading.text("family_name", &["lastName"]);
    let parts = [&identity.profile.given_name, &identity.profile.family_name];
    let whole: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    identity.profile.name = (!whole.is_empty()).then(|| whole.join(" "));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn apple_says_yes_in_two_ways() {
        for (value, said) in [(json!(true), true), (json!("true"), true), (json!("false"), false), (json!(1), false)] {
            let claims = json!({ "email_verified": value });
            assert_eq!(is_said(claims.as_object().unwrap(), "email_verified"), said, "{claims}");
        }
    }
}
