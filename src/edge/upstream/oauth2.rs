//! Servers of OAuth 2.0 that tell of the person as JSON.
//!
//! RFC 6749 §4.1, RFC 7636. There is no ID token: that the code was made for us is what the token endpoint says by redeeming it with our
//! secret and PKCE, over a connection that we opened.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Map, Value};
use url::Url;
use url::form_urlencoded::byte_serialize;

use crate::edge::upstream::reading::{Reading, is_true};
use crate::edge::upstream::{Account, Beginning, Presented, Returned, UpstreamError, UpstreamProvider};
use crate::model::identity_provider::TokenAuth;
use crate::model::upstream_link::UpstreamIdentity;
use crate::protocol::pkce::{CodeChallenge, CodeVerifier};
use crate::protocol::secret::Secret;

/// A code that nobody made, to ask whether our secret is right.
pub(super) const NO_CODE: &str = "symbolon-asks-whether-its-secret-is-right";

/// Any server of OAuth 2.0.
pub(super) struct OAuth2<'a> {
    pub(super) account: Account<'a>,
}

/// Where one kind of server is.
#[derive(Copy, Clone)]
pub(super) struct Places<'a> {
    pub(super) authorization: &'a str,
    pub(super) token: &'a str,
    pub(super) auth: TokenAuth,
}

/// What is redeemed.
#[derive(Copy, Clone)]
pub(super) struct Code<'a> {
    pub(super) value: &'a Secret,
    pub(super) verifier: Option<&'a Secret>,
    pub(super) redirect_uri: &'a str,
}

#[async_trait]
impl UpstreamProvider for OAuth2<'_> {
    async fn begin(&self, beginning: &Beginning) -> Result<String, UpstreamError> {
        authorization_url(&self.account, self.places(), beginning, &["openid", "profile", "email"])
    }

    async fn finish(&self, returned: &Returned) -> Result<UpstreamIdentity, UpstreamError> {
        let code =
            Code { value: &returned.code, verifier: Some(&returned.verifier), redirect_uri: &returned.redirect_uri };
        let token = access_token(&redeem(&self.account, self.places(), code).await?)?;
        self.person(&token).await
    }

    async fn accept(&self, presented: &Presented) -> Result<UpstreamIdentity, UpstreamError> {
        match presented {
            Presented::Code { code, verifier, redirect_uri, .. } => {
                let code = Code { value: code, verifier: verifier.as_ref(), redirect_uri };
                let token = access_token(&redeem(&self.account, self.places(), code).await?)?;
                self.person(&token).await
            }
            Presented::IdToken { .. } => Err(UpstreamError::Unsupported("it makes no ID tokens")),
            Presented::AccessToken(_) => Err(UpstreamError::Unsupported("it does not tell for which app a token is")),
        }
    }

    async fn probe(&self, redirect_uri: &str) -> Result<String, UpstreamError> {
        probe(&self.account, self.places(), redirect_uri).await
    }
}

impl OAuth2<'_> {
    fn places(&self) -> Places<'_> {
        let set = &self.account.provider.settings;
        Places {
            authorization: set.endpoints.authorization.as_deref().unwrap_or_default(),
            token: set.endpoints.token.as_deref().unwrap_or_default(),
            auth: set.token_auth,
        }
    }

    async fn person(&self, token: &Secret) -> Result<UpstreamIdentity, UpstreamError> {
        let settings = &self.account.provider.settings;
        let url = settings.endpoints.userinfo.as_deref().unwrap_or_default();
        let claims = self.account.way.get(url, Some(token.expose())).await?;
        let reading = Reading { settings, claims: &claims };
        let subject = reading.subject(&["sub", "id"])?;
        let verified = is_true(reading.claim("email_verified", &["email_verified"]));
        let mut identity = reading.identity((self.account.provider.issuer(), subject), verified);
        if identity.groups.is_none() && settings.groups.claim.is_some() {
            identity.groups = Some(Vec::new());
        }
        Ok(identity)
    }
}

/// The URL that the person is sent to (RFC 6749 §4.1.1).
pub(super) fn authorization_url(
    account: &Account<'_>,
    places: Places<'_>,
    beginning: &Beginning,
    scopes: &[&str],
) -> Result<String, UpstreamError> {
    let mut url = Url::parse(places.authorization)
        .map_err(|_| UpstreamError::Misconfigured("its authorization endpoint is no URL".to_owned()))?;
    let verifier = CodeVerifier::parse(beginning.verifier.expose());
    let verifier = verifier.map_err(|_| UpstreamError::Misconfigured("our verifier has another form".to_owned()))?;
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &account.provider.client_id)
        .append_pair("redirect_uri", &beginning.redirect_uri)
        .append_pair("scope", &account.scopes(scopes).join(" "))
        .append_pair("state", beginning.state.expose())
        .append_pair("code_challenge", CodeChallenge::of(&verifier).as_str())
        .append_pair("code_challenge_method", "S256");
    if let Some(hint) = &beginning.login_hint {
        url.query_pairs_mut().append_pair("login_hint", hint);
    }
    Ok(url.into())
}

/// Redeems a code (RFC 6749 §4.1.3); the token response. Some answer a refusal with 200.
pub(super) async fn redeem(
    account: &Account<'_>,
    places: Places<'_>,
    code: Code<'_>,
) -> Result<Map<String, Value>, UpstreamError> {
    let client_id = account.provider.client_id.as_str();
    let mut fields =
        vec![("grant_type", "authorization_code"), ("code", code.value.expose()), ("redirect_uri", code.redirect_uri)];
    if let Some(verifier) = code.verifier {
        fields.push(("code_verifier", verifier.expose()));
    }
    let mut authorization = None;
    match (&account.secret, places.auth) {
        (None, _) => fields.push(("client_id", client_id)),
        (Some(secret), TokenAuth::Post) => {
            fields.extend([("client_id", client_id), ("client_secret", secret.expose())]);
        }
        (Some(secret), TokenAuth::Basic | TokenAuth::Advertised) => {
            let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
            let pair = format!("{}:{}", encoded(client_id), encoded(secret.expose()));
            authorization = Some(format!("Basic {}", STANDARD.encode(pair)));
        }
    }
    let (status, answer) = account.way.post(places.token, &fields, authorization).await?;
    let Some(error) = error_code(&answer) else {
        return if status == StatusCode::OK {
            Ok(answer)
        } else {
            Err(UpstreamError::Refused(format!("the token endpoint answers {status}")))
        };
    };
    // GitHub calls a wrong secret `incorrect_client_credentials`.
    if error.contains("client") {
        return Err(UpstreamError::Misconfigured(format!("the token endpoint says {error}")));
    }
    Err(UpstreamError::Refused(format!("the token endpoint says {error}")))
}

/// The code of an error, which is a text or, at Facebook, an object; cut to what a log may hold.
fn error_code(answer: &Map<String, Value>) -> Option<String> {
    let error = answer.get("error")?;
    let code = match error {
        Value::Object(inner) => inner.get("type").and_then(Value::as_str).unwrap_or("error"),
        Value::String(code) => code,
        _ => "error",
    };
    Some(code.chars().filter(char::is_ascii_graphic).take(64).collect())
}

/// The access token of a response.
pub(super) fn access_token(response: &Map<String, Value>) -> Result<Secret, UpstreamError> {
    let token = response.get("access_token").and_then(Value::as_str).filter(|token| !token.is_empty());
    token.map(Secret::from).ok_or_else(|| UpstreamError::Untrue("it gives no access token".to_owned()))
}

/// Asks the token endpoint for tokens of a code that nobody made: who refuses the code has let us in.
pub(super) async fn probe(
    account: &Account<'_>,
    places: Places<'_>,
    redirect_uri: &str,
) -> Result<String, UpstreamError> {
    let code = Secret::from(NO_CODE);
    match redeem(account, places, Code { value: &code, verifier: None, redirect_uri }).await {
        Err(UpstreamError::Refused(_)) => Ok("its token endpoint knows our client id and secret".to_owned()),
        Err(error) => Err(error),
        Ok(_) => Err(UpstreamError::Untrue("it gives tokens for a code that it never made".to_owned())),
    }
}
