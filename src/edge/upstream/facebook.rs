//! Facebook.
//!
//! "Manually Build a Login Flow" (OAuth 2.0 and the Graph), "Securing Graph API Requests" (`appsecret_proof`), "Access Token Debugging"
//! (`debug_token`), "Limited Login" (ID tokens of apps on iOS, by OpenID Connect). An address is told without a word about whether it is
//! proven: it never counts as such.

use std::fmt::Write as _;

use async_trait::async_trait;
use serde_json::{Map, Value};
use url::Url;

use crate::edge::upstream::oauth2::{Code, Places, access_token, authorization_url, probe, redeem};
use crate::edge::upstream::oidc::{Dialect, Oidc};
use crate::edge::upstream::reading::{Reading, is_true};
use crate::edge::upstream::{Account, Beginning, Presented, Returned, UpstreamError, UpstreamProvider};
use crate::model::identity_provider::TokenAuth;
use crate::model::upstream_link::UpstreamIdentity;
use crate::protocol::secret::{Secret, hmac_sha256};

const PLACES: Places<'static> = Places {
    authorization: "https://www.facebook.com/v23.0/dialog/oauth",
    token: "https://graph.facebook.com/v23.0/oauth/access_token",
    auth: TokenAuth::Post,
};
const ME: &str = "https://graph.facebook.com/v23.0/me";
const DEBUG_TOKEN: &str = "https://graph.facebook.com/v23.0/debug_token";
const FIELDS: &str = "id,name,first_name,last_name,email";
/// The issuers of Limited Login, the present one and the one before.
const LIMITED: &[&str] = &["https://limited.facebook.com", "https://www.facebook.com"];
const LIMITED_KEYS: &str = "https://limited.facebook.com/.well-known/oauth/openid/jwks/";

/// Facebook.
pub(super) struct Facebook<'a> {
    pub(super) account: Account<'a>,
}

#[async_trait]
impl UpstreamProvider for Facebook<'_> {
    async fn begin(&self, beginning: &Beginning) -> Result<String, UpstreamError> {
        authorization_url(&self.account, PLACES, beginning, &["public_profile", "email"])
    }

    async fn finish(&self, returned: &Returned) -> Result<UpstreamIdentity, UpstreamError> {
        let code =
            Code { value: &returned.code, verifier: Some(&returned.verifier), redirect_uri: &returned.redirect_uri };
        let token = access_token(&redeem(&self.account, PLACES, code).await?)?;
        self.person(&token).await
    }

    async fn accept(&self, presented: &Presented) -> Result<UpstreamIdentity, UpstreamError> {
        match presented {
            Presented::Code { code, verifier, redirect_uri, .. } => {
                let code = Code { value: code, verifier: verifier.as_ref(), redirect_uri };
                let token = access_token(&redeem(&self.account, PLACES, code).await?)?;
                self.person(&token).await
            }
            Presented::AccessToken(token) => self.person(token).await,
            Presented::IdToken { .. } => {
                let Account { way, documents, provider, ref secret } = self.account;
                let account = Account { way, documents, provider, secret: secret.clone() };
                let dialect = Dialect {
                    keys_uri: Some(LIMITED_KEYS),
                    issuer_of: limited_issuer,
                    // The same people as on the web.
                    known_as: |_| "https://www.facebook.com".to_owned(),
                    email_verified: |_| false,
                    asks_userinfo: false,
                    ..Dialect::plain("https://limited.facebook.com".to_owned())
                };
                Oidc { account, dialect }.accept(presented).await
            }
        }
    }

    async fn probe(&self, redirect_uri: &str) -> Result<String, UpstreamError> {
        probe(&self.account, PLACES, redirect_uri).await
    }
}

impl Facebook<'_> {
    /// Whose a token is, by the Graph; first whether it was made for our app (S-061).
    async fn person(&self, token: &Secret) -> Result<UpstreamIdentity, UpstreamError> {
        let subject = self.inspect(token).await?;
        let url = at(
            ME,
            &[
                ("fields", FIELDS),
                ("access_token", token.expose()),
                ("appsecret_proof", &proof(self.account.secret()?, token)),
            ],
        )?;
        let mut claims = self.account.way.get(&url, None).await?;
        if claims.get("id").and_then(Value::as_str) != Some(subject.as_str()) {
            return Err(UpstreamError::Untrue("the Graph tells of somebody else".to_owned()));
        }
        for (theirs, ours) in [("first_name", "given_name"), ("last_name", "family_name")] {
            if let Some(value) = claims.remove(theirs) {
                claims.insert(ours.to_owned(), value);
            }
        }
        let reading = Reading { settings: &self.account.provider.settings, claims: &claims };
        Ok(reading.identity((self.account.provider.issuer(), subject), false))
    }

    /// Who the token is of; it is ours, and good.
    async fn inspect(&self, token: &Secret) -> Result<String, UpstreamError> {
        let client_id = &self.account.provider.client_id;
        let own = format!("{client_id}|{}", self.account.secret()?.expose());
        let url = at(DEBUG_TOKEN, &[("input_token", token.expose()), ("access_token", &own)])?;
        let told = self.account.way.get(&url, None).await?;
        let data = told.get("data").and_then(Value::as_object);
        let data = data.ok_or_else(|| UpstreamError::Untrue("debug_token tells nothing".to_owned()))?;
        let is_ours = data.get("app_id").is_some_and(|app| app == client_id) && is_true(data.get("is_valid"));
        if !is_ours {
            return Err(UpstreamError::Refused("the access token was made for another app, or is over".to_owned()));
        }
        let user = data.get("user_id").and_then(Value::as_str).map(str::to_owned);
        user.ok_or_else(|| UpstreamError::Untrue("the access token is nobody's".to_owned()))
    }
}

fn limited_issuer(_: &str, claims: &Map<String, Value>) -> Result<String, UpstreamError> {
    let iss = claims.get("iss").and_then(Value::as_str).unwrap_or_default();
    let known = LIMITED.iter().find(|known| **known == iss);
    known
        .map(|known| (*known).to_owned())
        .ok_or_else(|| UpstreamError::Untrue("the token is of another issuer".to_owned()))
}

/// `appsecret_proof`: HMAC-SHA-256 of the token under our secret, in hexadecimal.
fn proof(secret: &Secret, token: &Secret) -> String {
    let tag = hmac_sha256(secret.expose().as_bytes(), &[token.expose().as_bytes()]);
    tag.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn at(url: &str, query: &[(&str, &str)]) -> Result<String, UpstreamError> {
    let url = Url::parse_with_params(url, query);
    url.map(String::from).map_err(|_| UpstreamError::Misconfigured("an endpoint is no URL".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 4231 §4.3, in the form of the Graph.
    #[test]
    fn the_proof_is_an_hmac() {
        assert_eq!(
            proof(&Secret::from("Jefe"), &Secret::from("what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
