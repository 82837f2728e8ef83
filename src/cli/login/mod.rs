//! `symbolon login`: signs in at any issuer from the terminal, and shows what an app would get.
//!
//! RFC 6749 §4.1 with PKCE (RFC 7636) and a loopback redirect (RFC 8252 §7.3), RFC 9207 (`iss`), OIDC Core §3.1.3.7.

mod callback;
mod id_token;

use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

use crate::app::World;
use crate::cli::login::callback::Callback;
use crate::cli::login::id_token::Expected;
use crate::cli::{Call, CommandError, open_browser};
use crate::edge::fetch::{Addresses, FetchPolicy};
use crate::protocol::pkce::{CodeChallenge, CodeVerifier};
use crate::protocol::secret::Secret;

const POLICY: FetchPolicy =
    FetchPolicy { max_bytes: 1024 * 1024, timeout: Duration::from_secs(15), addresses: Addresses::Anywhere };

/// `symbolon login`
#[derive(Debug, Args)]
pub struct Login {
    /// The issuer; left out, the one of the settings.
    issuer: Option<String>,
    /// The client, registered for `http://127.0.0.1/callback` (`symbolon client create Terminal --type native --redirect-uri …`).
    #[arg(long)]
    client_id: String,
    /// The variable that holds the secret of a confidential client; arguments stay in histories.
    #[arg(long, value_name = "VARIABLE")]
    client_secret_env: Option<String>,
    /// What is asked for.
    #[arg(long, default_value = "openid profile email")]
    scope: String,
    /// The port of the redirect; 0 is a free one, which an issuer has to allow for loopback addresses.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Prints the URL, and leaves opening it to you.
    #[arg(long)]
    no_browser: bool,
    /// How many seconds the sign-in may take.
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    wait: u64,
}

/// The members of a discovery document that a sign-in needs.
#[derive(Debug, Deserialize)]
struct Provider {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl Login {
    /// Runs the command.
    ///
    /// # Errors
    /// When the issuer refuses, or its answer is not to be believed: exit code 1.
    pub async fn run(self, call: &Call) -> Result<(), CommandError> {
        let issuer = match &self.issuer {
            Some(issuer) => issuer.trim_end_matches('/').to_owned(),
            None => call.settings()?.issuer.as_str().to_owned(),
        };
        let world = World::real();
        let provider = discover(&world, &issuer).await?;
        let secret = self.secret()?;
        let callback = Callback::listen(self.port).await?;
        let [state, nonce, verifier] = [(); 3].map(|()| world.random.token());
        let verifier = CodeVerifier::parse(verifier.expose()).map_err(|error| refuse(error.to_string()))?;
        let mut target = provider.authorization_endpoint.clone();
        target
            .query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", callback.redirect_uri())
            .append_pair("scope", &self.scope)
            .append_pair("state", state.expose())
            .append_pair("nonce", nonce.expose())
            .append_pair("code_challenge", CodeChallenge::of(&verifier).as_str())
            .append_pair("code_challenge_method", "S256");
        // Standard output is for the answer.
        eprintln!("sign in at\n\n  {target}\n");
        if !self.no_browser {
            open_browser(target.as_str());
        }
        let returned = callback.wait(Duration::from_secs(self.wait)).await?;
        let named = provider.authorization_response_iss_parameter_supported.then_some(provider.issuer.as_str());
        let code = returned.code(state.expose(), named).map_err(refuse)?;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.expose().as_str()),
            ("redirect_uri", callback.redirect_uri()),
            ("code_verifier", verifier.as_str()),
        ];
        let tokens = self.redeem(&world, &provider, (&form, secret.as_ref())).await?;
        let keys = get(&world, provider.jwks_uri.as_str()).await?;
        let claims = match tokens.get("id_token").and_then(Value::as_str) {
            Some(token) => {
                let expected = Expected {
                    issuer: &provider.issuer,
                    client_id: &self.client_id,
                    nonce: nonce.expose(),
                    access_token: tokens.get("access_token").and_then(Value::as_str).unwrap_or_default(),
                    now: world.clock.now(),
                };
                Some(
                    id_token::verify(token, &keys, &expected)
                        .map_err(|reason| refuse(format!("the ID token is not good: {reason}")))?,
                )
            }
            None if self.scope.split(' ').any(|scope| scope == "openid") => {
                return Err(refuse("openid was asked for, and no ID token came".to_owned()));
            }
            None => None,
        };
        let shown = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default();
        let claims = claims.map_or(Value::Null, Value::Object);
        let verdict = if claims.is_null() {
            "no ID token was asked for".to_owned()
        } else {
            format!("the ID token is good:\n{}", shown(&claims))
        };
        call.output
            .print(format!("{}\n\n{verdict}", shown(&tokens)), &json!({"tokens": tokens, "id_token_claims": claims}))
    }

    fn secret(&self) -> Result<Option<Secret>, CommandError> {
        let Some(name) = &self.client_secret_env else { return Ok(None) };
        match std::env::var(name) {
            Ok(secret) => Ok(Some(Secret::new(secret))),
            Err(_) => Err(refuse(format!("the variable {name} is not set"))),
        }
    }

    /// RFC 6749 §4.1.3; a secret goes by HTTP Basic (§2.3.1).
    async fn redeem(
        &self,
        world: &World,
        provider: &Provider,
        (form, secret): (&[(&str, &str)], Option<&Secret>),
    ) -> Result<Value, CommandError> {
        let mut body = Serializer::new(String::new());
        body.extend_pairs(form);
        let mut request = Request::builder().method(Method::POST).uri(provider.token_endpoint.as_str());
        request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").header(ACCEPT, "application/json");
        match secret {
            None => {
                body.append_pair("client_id", &self.client_id);
            }
            Some(secret) => request = request.header(AUTHORIZATION, basic(&self.client_id, secret)),
        }
        let request = request.body(Bytes::from(body.finish())).map_err(|error| refuse(error.to_string()))?;
        let answer = world.fetch.send(request, POLICY).await;
        let answer =
            answer.map_err(|error| refuse(format!("{} cannot be reached: {error}", provider.token_endpoint)))?;
        let told: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        if answer.status().is_success() && told.is_object() {
            return Ok(told);
        }
        let (code, description) = (
            told.get("error").and_then(Value::as_str),
            told.get("error_description").and_then(Value::as_str).unwrap_or_default(),
        );
        let reason = code.map_or_else(|| "no JSON".to_owned(), |code| format!("{code}: {description}"));
        Err(refuse(format!("the token endpoint answers {}, {reason}", answer.status().as_u16())))
    }
}

fn basic(client_id: &str, secret: &Secret) -> String {
    use base64::Engine as _;
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encoded(client_id), encoded(secret.expose()));
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

/// OIDC Discovery §4.3: the document names the very issuer that was asked.
async fn discover(world: &World, issuer: &str) -> Result<Provider, CommandError> {
    let url = format!("{issuer}/.well-known/openid-configuration");
    let provider: Provider = serde_json::from_slice(&get(world, &url).await?)
        .map_err(|error| refuse(format!("{url} is no discovery document: {error}")))?;
    if provider.issuer.trim_end_matches('/') != issuer {
        return Err(refuse(format!("{url} names another issuer, {}", provider.issuer)));
    }
    Ok(provider)
}

async fn get(world: &World, url: &str) -> Result<Bytes, CommandError> {
    let request = Request::get(url).body(Bytes::new()).map_err(|_| refuse(format!("{url} is no URL")))?;
    let answer = world.fetch.send(request, POLICY).await;
    let answer = answer.map_err(|error| refuse(format!("{url} cannot be reached: {error}")))?;
    if !answer.status().is_success() {
        return Err(refuse(format!("{url} answers {}", answer.status().as_u16())));
    }
    Ok(answer.into_body())
}

fn refuse(reason: String) -> CommandError {
    CommandError::refused(reason)
}
