//! A confidential web client: registers itself, sends a person through the code flow, redeems what comes back.
//!
//! RFC 7591, RFC 6749 §4.1, RFC 7636.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::json;
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

use crate::browser::{Browser, host, target};
use crate::connection::{Answer, Connection};

/// Nobody listens there: the driver reads the `Location` field only.
const REDIRECT_URI: &str = "https://bench.example/callback";
const SCOPE: &str = "openid profile email offline_access";
const VERIFIER: &str = "the-driver-proves-the-same-key-for-each-of-its-codes";

/// Where the server's endpoints are.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Endpoints {
    /// RFC 8414.
    pub(crate) issuer: Url,
    /// RFC 6749 §3.1.
    pub(crate) authorization_endpoint: Url,
    /// RFC 6749 §3.2.
    pub(crate) token_endpoint: Url,
    /// OIDC Core §5.3.
    pub(crate) userinfo_endpoint: Url,
    /// RFC 7517.
    pub(crate) jwks_uri: Url,
    /// RFC 7662.
    pub(crate) introspection_endpoint: Url,
    /// RFC 7591.
    pub(crate) registration_endpoint: Url,
}

/// A token answer (RFC 6749 §5.1).
#[derive(Clone, Debug, Deserialize)]
#[expect(clippy::struct_field_names, reason = "these are the names of RFC 6749")]
pub(crate) struct Tokens {
    /// The access token.
    pub(crate) access_token: String,
    /// The ID token, where there is one.
    pub(crate) id_token: Option<String>,
    /// The refresh token, where there is one.
    pub(crate) refresh_token: Option<String>,
}

impl Tokens {
    /// The `alg` of each signature that was made for this answer.
    pub(crate) fn signatures(&self) -> Vec<String> {
        [Some(&self.access_token), self.id_token.as_ref()]
            .into_iter()
            .flatten()
            .filter_map(|token| algorithm_of(token))
            .collect()
    }
}

/// `None` for an opaque token.
fn algorithm_of(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Header {
        alg: String,
    }
    let (header, rest) = token.split_once('.')?;
    let (_, _) = rest.split_once('.')?;
    let header: Header = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    Some(header.alg)
}

/// A registered client.
#[derive(Clone, Debug)]
pub(crate) struct RelyingParty {
    endpoints: Endpoints,
    client_id: String,
    credentials: String,
}

impl RelyingParty {
    /// Registers a client whose ID tokens are signed with `algorithm`.
    pub(crate) async fn register(address: SocketAddr, endpoints: &Endpoints, algorithm: &str) -> Result<RelyingParty> {
        #[derive(Deserialize)]
        struct Registered {
            client_id: String,
            client_secret: String,
        }
        let metadata = json!({
            "client_name": format!("Load driver ({algorithm})"),
            "redirect_uris": [REDIRECT_URI],
            "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "client_secret_basic",
            "id_token_signed_response_alg": algorithm,
            "scope": SCOPE,
        });
        let url = &endpoints.registration_endpoint;
        let request = post(url, &[("Content-Type", "application/json")], &metadata.to_string());
        let mut connection = Connection::new(address);
        let answer = connection.exchange(&request).await.context("register a client")?;
        if answer.status != 201 {
            bail!("register a client: {}", answer.summary());
        }
        let registered: Registered = serde_json::from_slice(answer.body).context("the registered client")?;
        let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encode(&registered.client_id), encode(&registered.client_secret));
        Ok(RelyingParty {
            endpoints: endpoints.clone(),
            client_id: registered.client_id,
            credentials: format!("Basic {}", STANDARD.encode(pair)),
        })
    }

    /// The `Authorization` field.
    fn authorization(&self) -> (&'static str, &str) {
        ("Authorization", &self.credentials)
    }

    /// The authorization request (OIDC Core §3.1.2.1, RFC 7636).
    pub(crate) fn authorization_url(&self, state: &str, prompt: Option<&str>) -> Url {
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()));
        let mut url = self.endpoints.authorization_endpoint.clone();
        url.query_pairs_mut()
            .extend_pairs([("response_type", "code"), ("client_id", &self.client_id), ("redirect_uri", REDIRECT_URI)])
            .extend_pairs([("scope", SCOPE), ("code_challenge", &challenge), ("code_challenge_method", "S256")])
            .extend_pairs(prompt.map(|prompt| ("prompt", prompt)))
            .extend_pairs([("nonce", state), ("state", state)]);
        url
    }

    /// The request of a browser that is signed in, up to the value of `state`, and what follows it.
    pub(crate) fn authorization_request(&self, cookies: &str) -> (String, String) {
        let url = self.authorization_url("", None);
        let after = format!(" HTTP/1.1\r\nHost: {}\r\nCookie: {cookies}\r\n\r\n", host(&url));
        (format!("GET {}", target(&url)), after)
    }

    /// The code, when `location` is the redirect URI with one (RFC 6749 §4.1.2).
    pub(crate) fn code(location: &str) -> Result<&str> {
        let query = location.strip_prefix(REDIRECT_URI).and_then(|rest| rest.strip_prefix('?'));
        let code = query.into_iter().flat_map(|query| query.split('&')).find_map(|pair| pair.strip_prefix("code="));
        code.with_context(|| format!("no code in {location}"))
    }

    /// The token request for a code; a code travels as it came, percent-encoded (RFC 6749 §4.1.3).
    pub(crate) fn code_request(&self, code: &str) -> Vec<u8> {
        let fixed = [("grant_type", "authorization_code"), ("redirect_uri", REDIRECT_URI), ("code_verifier", VERIFIER)];
        let body = Serializer::new(String::new()).extend_pairs(fixed).finish();
        self.token_request(&format!("{body}&code={code}"))
    }

    /// The token request for a refresh token (RFC 6749 §6).
    pub(crate) fn refresh_request(&self, refresh_token: &str) -> Vec<u8> {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        self.token_request(&Serializer::new(String::new()).extend_pairs(fields).finish())
    }

    /// The token request for the client itself (RFC 6749 §4.4).
    pub(crate) fn client_credentials_request(&self) -> Vec<u8> {
        self.token_request("grant_type=client_credentials")
    }

    fn token_request(&self, body: &str) -> Vec<u8> {
        post(&self.endpoints.token_endpoint, &[self.authorization(), FORM], body)
    }

    /// RFC 7662 §2.1.
    pub(crate) fn introspection_request(&self, token: &str) -> Vec<u8> {
        let body = Serializer::new(String::new()).append_pair("token", token).finish();
        post(&self.endpoints.introspection_endpoint, &[self.authorization(), FORM], &body)
    }

    /// A whole code flow, with whatever pages it needs.
    pub(crate) async fn sign_in(
        &self,
        browser: &mut Browser,
        connection: &mut Connection,
        prompt: Option<&str>,
    ) -> Result<Tokens> {
        let back = browser.authorize(self.authorization_url("sign-in", prompt), REDIRECT_URI).await?;
        self.redeem(Self::code(back.as_str())?, connection).await
    }

    /// A code flow as the load repeats it: one redirect, no page.
    pub(crate) async fn flow_again(&self, cookies: &str, connection: &mut Connection) -> Result<Tokens> {
        let (before, after) = self.authorization_request(cookies);
        let answer = connection.exchange(format!("{before}again{after}").as_bytes()).await.context("authorize")?;
        let code = Self::code(answer.field("location").unwrap_or_default());
        let code =
            code.with_context(|| format!("the answer of a remembered consent: {}", answer.summary()))?.to_owned();
        self.redeem(&code, connection).await
    }

    async fn redeem(&self, code: &str, connection: &mut Connection) -> Result<Tokens> {
        let request = self.code_request(code);
        tokens(&connection.exchange(&request).await.context("redeem a code")?)
    }

    /// The tokens of one refresh.
    pub(crate) async fn refreshed(&self, tokens: &Tokens, connection: &mut Connection) -> Result<Tokens> {
        let refresh_token = tokens.refresh_token.as_ref().context("no refresh token was given")?;
        let request = self.refresh_request(refresh_token);
        self::tokens(&connection.exchange(&request).await.context("refresh")?)
    }

    /// One token for the client itself, to see how it is signed.
    pub(crate) async fn own_tokens(&self, connection: &mut Connection) -> Result<Tokens> {
        let request = self.client_credentials_request();
        tokens(&connection.exchange(&request).await.context("ask for the client's own token")?)
    }
}

fn tokens(answer: &Answer<'_>) -> Result<Tokens> {
    if answer.status != 200 {
        bail!("no tokens: {}", answer.summary());
    }
    serde_json::from_slice(answer.body).context("a token answer")
}

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// The bytes of a GET.
pub(crate) fn get(url: &Url, fields: &[(&str, &str)]) -> Vec<u8> {
    request("GET", url, fields, "")
}

fn post(url: &Url, fields: &[(&str, &str)], body: &str) -> Vec<u8> {
    let length = body.len().to_string();
    let mut fields = fields.to_vec();
    fields.push(("Content-Length", &length));
    request("POST", url, &fields, body)
}

fn request(method: &str, url: &Url, fields: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut request = format!("{method} {} HTTP/1.1\r\nHost: {}\r\n", target(url), host(url));
    for (name, value) in fields {
        request.push_str(name);
        request.push_str(": ");
        request.push_str(value);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    request.push_str(body);
    request.into_bytes()
}
