//! Exchanges of messages, kept as they went so that the demo can show them.
//!
//! RFC 9110 names the parts. Tokens are shown, since this is development; of a client secret only the ends are.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use url::{Url, form_urlencoded};

use super::check::Check;
use super::failure::Failure;
use crate::edge::fetch::{Addresses, Fetch, FetchPolicy};

/// One request and its answer.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Exchange {
    /// What it is for.
    pub(super) title: &'static str,
    /// Who carried it.
    pub(super) carrier: Carrier,
    /// `GET http://…`.
    pub(super) request_line: String,
    pub(super) request_headers: Vec<Field>,
    pub(super) request_body: Option<String>,
    /// Query and form, decoded.
    pub(super) parameters: Vec<Field>,
    /// `200 OK`; none while there is no answer.
    pub(super) response_line: Option<String>,
    pub(super) response_headers: Vec<Field>,
    /// JSON is set out in lines.
    pub(super) response_body: Option<String>,
    /// The JWTs in the answer, decoded.
    pub(super) tokens: Vec<DecodedToken>,
    /// What the app looked at before it believed the answer.
    pub(super) checks: Vec<Check>,
    /// Why there is no answer.
    pub(super) failure: Option<String>,
}

/// Who carried a message.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Carrier {
    /// The person's browser, by redirects.
    Browser,
    /// The app's server.
    Server,
    /// Nobody: the app looked at what it had.
    Nobody,
}

/// A name and a value.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) value: String,
}

/// A JWT, decoded and not verified.
#[derive(Clone, Debug, Serialize)]
pub(super) struct DecodedToken {
    /// The member of the answer it came as.
    pub(super) name: String,
    pub(super) header: String,
    pub(super) claims: String,
}

/// The exchanges of one action, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Journal(pub(super) Vec<Exchange>);

/// The way to the server: it keeps what it carries.
#[derive(Clone)]
pub(super) struct Courier(Arc<dyn Fetch>);

/// Longer bodies are cut for the page.
const MAX_SHOWN: usize = 64 * 1024;

impl Exchange {
    /// A request without an answer yet.
    pub(super) fn new(title: &'static str, carrier: Carrier, request_line: String) -> Self {
        Self {
            title,
            carrier,
            request_line,
            request_headers: Vec::new(),
            request_body: None,
            parameters: Vec::new(),
            response_line: None,
            response_headers: Vec::new(),
            response_body: None,
            tokens: Vec::new(),
            checks: Vec::new(),
            failure: None,
        }
    }

    /// A redirect that the browser is asked to follow.
    pub(super) fn redirect(title: &'static str, url: &Url) -> Self {
        let parameters = url.query_pairs().map(Field::from_pair).collect();
        Self { parameters, ..Self::new(title, Carrier::Browser, format!("GET {url}")) }
    }

    fn of_request(title: &'static str, request: &Request<Bytes>) -> Self {
        let query = request.uri().query().unwrap_or_default();
        let mut exchange = Self::new(title, Carrier::Server, format!("{} {}", request.method(), request.uri()));
        exchange.request_headers = fields(request.headers());
        exchange.parameters = form_urlencoded::parse(query.as_bytes()).map(Field::from_pair).collect();
        if !request.body().is_empty() {
            exchange.parameters.extend(form_urlencoded::parse(request.body()).map(Field::from_pair));
            exchange.request_body = Some(String::from_utf8_lossy(request.body()).into_owned());
        }
        exchange
    }

    fn answered(&mut self, response: &Response<Bytes>) {
        self.response_line = Some(response.status().to_string());
        self.response_headers = fields(response.headers());
        let body = response.body();
        if let Ok(json) = serde_json::from_slice::<Value>(body) {
            self.tokens = decoded_members(&json);
            self.response_body = Some(cut(pretty(&json)));
        } else if !body.is_empty() {
            self.response_body = Some(cut(String::from_utf8_lossy(body).into_owned()));
        }
    }
}

impl Journal {
    /// The exchange that was made last.
    pub(super) fn last(&mut self) -> Option<&mut Exchange> {
        self.0.last_mut()
    }
}

impl Courier {
    pub(super) const fn new(fetch: Arc<dyn Fetch>) -> Self {
        Self(fetch)
    }

    /// Sends `request` and keeps the exchange in `journal`, whatever comes of it.
    pub(super) async fn send(
        &self,
        title: &'static str,
        request: Request<Bytes>,
        journal: &mut Journal,
    ) -> Result<Response<Bytes>, Failure> {
        let mut exchange = Exchange::of_request(title, &request);
        let policy = FetchPolicy {
            max_bytes: 1024 * 1024,
            timeout: Duration::from_secs(5),
            addresses: Addresses::PublicOrLoopback,
        };
        let answer = self.0.send(request, policy).await;
        match &answer {
            Ok(response) => exchange.answered(response),
            Err(error) => exchange.failure = Some(error.to_string()),
        }
        journal.0.push(exchange);
        answer.map_err(|error| Failure::new("The server cannot be reached", format!("{title}: {error}")))
    }
}

impl Field {
    pub(super) fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }

    fn from_pair((name, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)) -> Self {
        Self::new(name, value)
    }
}

impl DecodedToken {
    /// The parts of `token`; none when it is no JWT.
    pub(super) fn parse(name: &str, token: &str) -> Option<Self> {
        let (header, rest) = token.split_once('.')?;
        let (claims, _signature) = rest.split_once('.')?;
        let decode = |part: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
            serde_json::from_slice::<Value>(&bytes).ok().filter(Value::is_object)
        };
        Some(Self { name: name.to_owned(), header: pretty(&decode(header)?), claims: pretty(&decode(claims)?) })
    }
}

/// JSON set out in lines.
pub(super) fn pretty(json: &Value) -> String {
    serde_json::to_string_pretty(json).expect("a JSON value serializes")
}

fn decoded_members(json: &Value) -> Vec<DecodedToken> {
    let members = json.as_object().into_iter().flatten();
    members.filter_map(|(name, value)| DecodedToken::parse(name, value.as_str()?)).collect()
}

fn fields(headers: &HeaderMap) -> Vec<Field> {
    let field = |(name, value): (&HeaderName, &HeaderValue)| {
        Field::new(name.as_str(), shown(name, &String::from_utf8_lossy(value.as_bytes())))
    };
    headers.iter().map(field).collect()
}

/// The value of a header as shown: Basic credentials are decoded and the secret keeps its ends only.
fn shown(name: &HeaderName, value: &str) -> String {
    let basic = value.strip_prefix("Basic ").filter(|_| *name == header::AUTHORIZATION);
    let Some(credentials) = basic else { return value.to_owned() };
    let decoded = STANDARD.decode(credentials).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    match decoded.as_deref().and_then(|pair| pair.split_once(':')) {
        Some((id, secret)) => format!("Basic base64({id}:{})", masked(secret)),
        None => "Basic …".to_owned(),
    }
}

fn masked(secret: &str) -> String {
    let characters: Vec<char> = secret.chars().collect();
    match characters.as_slice() {
        [first, second, _, _, _, _, _, _, .., last_but_one, last] => format!("{first}{second}…{last_but_one}{last}"),
        _ => "…".to_owned(),
    }
}

fn cut(mut text: String) -> String {
    if text.len() > MAX_SHOWN {
        let end = (0..=MAX_SHOWN).rev().find(|index| text.is_char_boundary(*index)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_secret_only_the_ends_are_shown() {
        let credentials = format!("Basic {}", STANDARD.encode("demo-web:abcd-efgh-ijkl"));
        assert_eq!(shown(&header::AUTHORIZATION, &credentials), "Basic base64(demo-web:ab…kl)");
        assert_eq!(shown(&header::AUTHORIZATION, "Basic %%%"), "Basic …");
        assert_eq!(shown(&header::AUTHORIZATION, "Bearer abc"), "Bearer abc");
        assert_eq!(masked("short"), "…");
    }

    #[test]
    fn a_token_is_decoded_and_anything_else_left_alone() {
        let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
        let token = format!("{}.{}.sig", part(r#"{"alg":"RS256"}"#), part(r#"{"sub":"1"}"#));
        let decoded = DecodedToken::parse("id_token", &token).unwrap();
        assert_eq!(decoded.claims, "{\n  \"sub\": \"1\"\n}");
        for other in ["", "a.b", "a.b.c", "opaque", &format!("{}.x.y", part("1"))] {
            assert!(DecodedToken::parse("x", other).is_none(), "{other}");
        }
    }

    #[test]
    fn long_bodies_are_cut_between_characters() {
        let text = cut("é".repeat(MAX_SHOWN));
        assert!(text.len() <= MAX_SHOWN + '…'.len_utf8());
        assert!(text.ends_with("é…"));
    }
}
