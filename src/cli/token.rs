//! `symbolon token`: what is in a token, and whether it is good.
//!
//! RFC 7519, RFC 9068.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::Subcommand;
use serde_json::{Map, Value, json};

use crate::admin::{Administration, Refusal, Thing};
use crate::app::{App, World};
use crate::cli::output::{Facts, Table, moment};
use crate::cli::site::Site;
use crate::cli::{Call, CommandError};
use crate::model::id::ClientId;
use crate::oauth::policy::Mode;
use crate::oauth::token::access_token;
use crate::oauth::token::mapped::Explained;
use crate::oauth::token::preview::{self, Preview};
use crate::protocol::error::OAuthError;
use crate::protocol::jose::jws::{MAX_TOKEN_BYTES, Unverified};
use crate::protocol::numeric_date::NumericDate;

/// `symbolon token`
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Shows the header and the claims of a JWT, whoever made it. Nothing is verified.
    Decode {
        /// The token; left out, it is read from standard input, which no history remembers.
        token: Option<String>,
    },
    /// Shows what tokens would say, and why, without making any.
    Preview {
        /// Of whom: a name, an e-mail address, a phone number or the id.
        #[arg(long, value_name = "NAME")]
        user: String,
        /// To which client.
        #[arg(long, value_name = "CLIENT_ID")]
        client: String,
        /// What it asks for.
        #[arg(long, default_value = "openid")]
        scope: String,
    },
    /// Says whether a token of this server is good: signature, issuer, times and, for access tokens, revocation.
    Verify {
        /// The token; left out, it is read from standard input, which no history remembers.
        token: Option<String>,
    },
}

impl TokenCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When the token cannot be read or is not good: exit code 1.
    pub async fn run(self, call: &Call) -> Result<(), CommandError> {
        match self {
            Self::Decode { token } => decode(call, &read(token)?),
            Self::Preview { user, client, scope } => preview(call, (&user, &client, &scope)).await,
            Self::Verify { token } => verify(call, &read(token)?).await,
        }
    }
}

fn read(given: Option<String>) -> Result<String, CommandError> {
    let token = match given {
        Some(token) if token != "-" => token,
        _ => {
            let mut text = String::new();
            let limit = u64::try_from(MAX_TOKEN_BYTES + 2).unwrap_or(u64::MAX);
            std::io::stdin().take(limit).read_to_string(&mut text).map_err(anyhow::Error::from)?;
            text
        }
    };
    let token = token.trim().to_owned();
    if token.is_empty() {
        return Err(CommandError::refused("there is no token; give it as an argument or on standard input".to_owned()));
    }
    Ok(token)
}

fn decode(call: &Call, token: &str) -> Result<(), CommandError> {
    let [header, claims] = parts(token)?;
    let text = |object: &Map<String, Value>| serde_json::to_string_pretty(object).map_err(anyhow::Error::from);
    let mut times = Facts::default();
    for name in ["iat", "nbf", "auth_time", "exp"] {
        let date = claims.get(name).and_then(Value::as_i64).map(NumericDate::from_seconds);
        times = times.with(name, date.map(moment).unwrap_or_default());
    }
    let human = format!("{}\n{}\n\n{times}(not verified)", text(&header)?, text(&claims)?);
    call.output.print(human, &json!({"header": header, "claims": claims, "verified": false}))
}

fn parts(token: &str) -> Result<[Map<String, Value>; 2], CommandError> {
    let part = |part: Option<&str>| -> Option<Map<String, Value>> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part?).ok()?).ok()
    };
    let mut split = token.split('.');
    let (header, claims) = (part(split.next()), part(split.next()));
    header.zip(claims).map(|(header, claims)| [header, claims]).ok_or_else(|| {
        let reason = "this is no JWT; an opaque token says nothing by itself: `symbolon token verify` looks it up";
        CommandError::refused(reason.to_owned())
    })
}

async fn verify(call: &Call, token: &str) -> Result<(), CommandError> {
    let config = call.settings()?;
    Site::must_exist(&config)?;
    let app = App::build(&config, Mode::Production, World::real()).await?;
    let verdict = judge(&app, token).await;
    app.close().await;
    let claims = verdict?;
    call.output.print(
        format!("good\n{}", serde_json::to_string_pretty(&claims).map_err(anyhow::Error::from)?),
        &json!({"verified": true, "claims": claims}),
    )
}

async fn preview(call: &Call, (user, client, scope): (&str, &str, &str)) -> Result<(), CommandError> {
    let config = call.settings()?;
    Site::must_exist(&config)?;
    let app = App::build(&config, Mode::Production, World::real()).await?;
    let shown = look_ahead(&app, (user, client, scope)).await;
    app.close().await;
    let shown = shown?;
    let mut parts = Vec::new();
    let mut json = Map::new();
    for (name, claims) in [
        ("id_token", shown.id_token.as_ref()),
        ("access_token", Some(&shown.access_token)),
        ("userinfo", shown.userinfo.as_ref()),
        ("introspection", Some(&shown.introspection)),
    ] {
        let Some(claims) = claims else { continue };
        let mut table = Table::new(["claim", "value", "because"]);
        for one in claims {
            table.row([one.claim.clone(), one.value.to_string(), one.because.clone()]);
        }
        parts.push(format!("{name}\n{table}"));
        let member = |one: &Explained| (one.claim.clone(), json!({"value": one.value, "because": one.because}));
        json.insert(name.to_owned(), Value::Object(claims.iter().map(member).collect()));
    }
    let left_out: Vec<String> =
        shown.left_out.iter().map(|one| format!("left out  {}: {}\n", one.scope, one.because)).collect();
    json.insert("scope".to_owned(), json!(shown.scope));
    json.insert("left_out".to_owned(), json!(shown.left_out));
    let human = format!("granted  {}\n{}\n{}", shown.scope, left_out.concat(), parts.join("\n"));
    call.output.print(human, &Value::Object(json))
}

async fn look_ahead(app: &App, (user, client, scope): (&str, &str, &str)) -> Result<Preview, CommandError> {
    let admin = Administration::of_operator(&app.provider.edges);
    let user = admin.person(user).await?;
    let id = client.parse::<ClientId>().ok();
    let found = match &id {
        Some(id) => app.provider.edges.store.client(id).await?,
        None => None,
    };
    let client = found.ok_or_else(|| Refusal::Unknown { what: Thing::Client, name: client.to_owned() })?;
    let refuse = |error: OAuthError| CommandError::refused(error.description().to_owned());
    let scope = scope.parse().map_err(refuse)?;
    preview::preview(&app.provider, (&client, &user), &scope).await.map_err(refuse)
}

async fn judge(app: &App, token: &str) -> Result<Value, CommandError> {
    let refuse = |reason: String| CommandError::refused(format!("not good: {reason}"));
    let provider = &app.provider;
    if !token.contains('.') {
        let live = access_token::inspect(provider, token).await?;
        let live = live.ok_or_else(|| refuse("it is unknown, expired or was taken back".to_owned()))?;
        let said = &live.token;
        return Ok(json!({
            "client_id": said.client, "scope": said.scope, "aud": said.audience, "sub": said.subject,
            "iat": said.issued_at, "exp": said.expires_at,
        }));
    }
    let unverified = Unverified::parse(token).map_err(|error| refuse(error.to_string()))?;
    let keys = provider.keys.load();
    let key = unverified.kid().and_then(|kid| keys.by_kid(kid));
    let key = key.ok_or_else(|| refuse("it was not signed by a key of this server, or the key is gone".to_owned()))?;
    let payload = unverified.verify(key).and_then(|payload| payload.object());
    let claims = payload.map_err(|error| refuse(error.to_string()))?;
    if claims.get("iss").and_then(Value::as_str) != Some(provider.issuer.as_str()) {
        return Err(refuse(format!("its iss is not {}", provider.issuer.as_str())));
    }
    let expires_at = claims.get("exp").and_then(Value::as_i64).map(NumericDate::from_seconds);
    if let Some(expires_at) = expires_at.filter(|expires_at| expires_at.is_past(provider.now())) {
        return Err(refuse(format!("it expired at {}", moment(expires_at))));
    }
    if unverified.is_type("at+jwt") && access_token::inspect(provider, token).await?.is_none() {
        return Err(refuse("it was taken back, or its person, client or grant no longer stands".to_owned()));
    }
    Ok(Value::Object(claims))
}
