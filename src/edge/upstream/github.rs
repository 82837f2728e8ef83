//! GitHub.
//!
//! "Authorizing OAuth apps", REST API "Get the authenticated user", "List email addresses", "Check a token": a person is a number (`id`;
//! the login may be given to somebody else later); addresses are asked for apart, the primary one with whether it is verified.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Value, json};

use crate::edge::upstream::oauth2::{Code, Places, access_token, authorization_url, probe, redeem};
use crate::edge::upstream::reading::{Reading, is_true};
use crate::edge::upstream::{Account, Beginning, Presented, Returned, UpstreamError, UpstreamProvider};
use crate::model::identity_provider::TokenAuth;
use crate::model::upstream_link::UpstreamIdentity;
use crate::protocol::secret::Secret;

const PLACES: Places<'static> = Places {
    authorization: "https://github.com/login/oauth/authorize",
    token: "https://github.com/login/oauth/access_token",
    auth: TokenAuth::Post,
};
const USER: &str = "https://api.github.com/user";
const EMAILS: &str = "https://api.github.com/user/emails";

/// GitHub.
pub(super) struct GitHub<'a> {
    pub(super) account: Account<'a>,
}

#[async_trait]
impl UpstreamProvider for GitHub<'_> {
    async fn begin(&self, beginning: &Beginning) -> Result<String, UpstreamError> {
        authorization_url(&self.account, PLACES, beginning, &["read:user", "user:email"])
    }

    async fn finish(&self, returned: &Returned) -> Result<UpstreamIdentity, UpstreamError> {
        let code =
            Code { value: &returned.code, verifier: Some(&returned.verifier), redirect_uri: &returned.redirect_uri };
        self.person(&access_token(&redeem(&self.account, PLACES, code).await?)?).await
    }

    async fn accept(&self, presented: &Presented) -> Result<UpstreamIdentity, UpstreamError> {
        match presented {
            Presented::Code { code, verifier, redirect_uri, .. } => {
                let code = Code { value: code, verifier: verifier.as_ref(), redirect_uri };
                self.person(&access_token(&redeem(&self.account, PLACES, code).await?)?).await
            }
            Presented::AccessToken(token) => {
                self.is_for_us(token).await?;
                self.person(token).await
            }
            Presented::IdToken { .. } => Err(UpstreamError::Unsupported("it makes no ID tokens")),
        }
    }

    async fn probe(&self, redirect_uri: &str) -> Result<String, UpstreamError> {
        probe(&self.account, PLACES, redirect_uri).await
    }
}

impl GitHub<'_> {
    /// "Check a token": 404 for one that was made for another app (S-061).
    async fn is_for_us(&self, token: &Secret) -> Result<(), UpstreamError> {
        let client_id = &self.account.provider.client_id;
        let url = url::Url::parse("https://api.github.com/applications/")
            .and_then(|url| url.join(&format!("{client_id}/token")));
        let url = url.map_err(|_| UpstreamError::Misconfigured("its client id fits in no URL".to_owned()))?;
        let basic = STANDARD.encode(format!("{client_id}:{}", self.account.secret()?.expose()));
        let asked = json!({ "access_token": token.expose() });
        let (status, answer) = self.account.way.post_json(url.as_str(), &asked, format!("Basic {basic}")).await?;
        let app = answer.get("app").and_then(|app| app.get("client_id"));
        if status == StatusCode::OK && app.is_some_and(|app| app == client_id) {
            return Ok(());
        }
        Err(UpstreamError::Refused("the access token was made for another app".to_owned()))
    }

    async fn person(&self, token: &Secret) -> Result<UpstreamIdentity, UpstreamError> {
        let settings = &self.account.provider.settings;
        let mut claims = self.account.way.get(USER, Some(token.expose())).await?;
        // What the profile shows is what its owner typed there.
        claims.remove("email");
        let mut verified = false;
        let emails = self.account.way.get_any(EMAILS, Some(token.expose())).await?;
        let primary = emails.as_array().and_then(|emails| emails.iter().find(|email| is_true(email.get("primary"))));
        if let Some(primary) = primary {
            verified = is_true(primary.get("verified"));
            claims.insert("email".to_owned(), primary.get("email").cloned().unwrap_or(Value::Null));
        }
        if let Some(picture) = claims.get("avatar_url").cloned() {
            claims.insert("picture".to_owned(), picture);
        }
        let reading = Reading { settings, claims: &claims };
        let subject = reading.subject(&["id"])?;
        Ok(reading.identity((self.account.provider.issuer(), subject), verified))
    }
}
