//! Bad input at every URL: an exact error or a clear page, never a fault of ours.
//!
//! RFC 6749 §3.1, §3.2, §5.2; RFC 9110 §15.5; PROTOCOL R8, §3.

use axum::body::Body;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use http::{HeaderValue, Method, Request, StatusCode};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::support::clients::SECRET;
use crate::support::relying_party::basic;
use crate::support::server::Setup;
use crate::support::{Answer, Browser, RelyingParty, TestServer};

/// Who reads the answers of a URL.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Reader {
    /// JSON with an OAuth error.
    Client,
    /// A page.
    Person,
}

/// What a URL takes.
#[derive(Copy, Clone, Debug)]
struct Endpoint {
    path: &'static str,
    methods: &'static [Method],
    reader: Reader,
    /// The body that it reads.
    body: Option<&'static str>,
    /// Whether it reads its query.
    reads_query: bool,
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const MIB: usize = 1024 * 1024;

const fn endpoint(path: &'static str, methods: &'static [Method], reader: Reader) -> Endpoint {
    Endpoint { path, methods, reader, body: None, reads_query: false }
}

impl Endpoint {
    const fn body(self, body: &'static str) -> Self {
        Self { body: Some(body), ..self }
    }

    const fn query(self) -> Self {
        Self { reads_query: true, ..self }
    }
}

/// Every URL of the public address.
const ENDPOINTS: &[Endpoint] = &[
    endpoint("/oauth2/authorize", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/oauth2/token", &[Method::POST], Reader::Client).body(FORM),
    endpoint("/oauth2/challenge", &[Method::POST], Reader::Client).body(FORM),
    endpoint("/oauth2/device_authorization", &[Method::POST], Reader::Client).body(FORM),
    endpoint("/oauth2/userinfo", &[Method::GET, Method::POST], Reader::Client).body(FORM),
    endpoint("/oauth2/introspect", &[Method::POST], Reader::Client).body(FORM),
    endpoint("/oauth2/revoke", &[Method::POST], Reader::Client).body(FORM),
    endpoint("/oauth2/register", &[Method::POST], Reader::Client).body(JSON),
    endpoint("/oauth2/register/shop", &[Method::GET, Method::PUT, Method::DELETE], Reader::Client).body(JSON),
    endpoint("/oauth2/logout", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/oauth2/jwks", &[Method::GET], Reader::Client),
    endpoint("/.well-known/openid-configuration", &[Method::GET], Reader::Client),
    endpoint("/.well-known/oauth-authorization-server", &[Method::GET], Reader::Client),
    endpoint("/", &[Method::GET], Reader::Person),
    endpoint("/sign-in", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/sign-in/account", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/sign-in/link", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/sign-in/email_code", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/sign-in/sms_code", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/sign-in/qr", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/sign-in/qr/state", &[Method::GET], Reader::Person),
    endpoint("/device", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/sign-in/passkey/offer", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/sign-in/passkey", &[Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/.well-known/passkey-endpoints", &[Method::GET], Reader::Person),
    endpoint("/.well-known/change-password", &[Method::GET], Reader::Person),
    endpoint("/sign-in/magic_link", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/sign-in/magic", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/sign-in/second", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/register", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/register/code", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/recover", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/recover/code", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/recover/password", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/recover/email", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/recover/email/code", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/invitation", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/activate", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/email-change", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/email-change/undo", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/account/restore", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/account/export", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/account/profile", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/account/contacts", &[Method::GET, Method::POST], Reader::Person).body(FORM),
    endpoint("/account/data", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/account/password", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/account/not-me", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/consent", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/sign-out", &[Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/account", &[Method::GET], Reader::Person),
    endpoint("/account/apps", &[Method::GET], Reader::Person),
    endpoint("/account/sessions", &[Method::GET], Reader::Person),
    endpoint("/account/sessions/end-others", &[Method::POST], Reader::Person).body(FORM),
    endpoint("/account/history", &[Method::GET], Reader::Person).query(),
    endpoint("/sign-in/again", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/account/security", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    // Its form has a file: what it does not take is told in `acceptance/avatar.rs`.
    endpoint("/account/profile/picture", &[Method::POST], Reader::Person),
    endpoint("/account/invitations", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/account/identities", &[Method::GET], Reader::Person),
    endpoint("/account/identities/x/connect", &[Method::POST], Reader::Person).body(FORM),
    endpoint("/account/identities/x/cut", &[Method::POST], Reader::Person).body(FORM),
    endpoint("/federation/connect", &[Method::GET, Method::POST], Reader::Person).body(FORM),
    endpoint("/federation/done", &[Method::GET], Reader::Person),
    endpoint("/federation/x/start", &[Method::GET], Reader::Person).query(),
    endpoint("/federation/x/callback", &[Method::GET, Method::POST], Reader::Person).body(FORM).query(),
    endpoint("/federation/x/backchannel-logout", &[Method::POST], Reader::Client).body(FORM),
    endpoint("/account/apps/shop/revoke", &[Method::POST], Reader::Person).body(FORM),
    endpoint("/account/sessions/x/end", &[Method::POST], Reader::Person).body(FORM),
    endpoint("/admin", &[Method::GET], Reader::Person),
    endpoint("/admin/messages", &[Method::POST], Reader::Person).body(FORM),
    endpoint("/docs/errors", &[Method::GET], Reader::Person),
    endpoint("/docs/errors/x", &[Method::GET], Reader::Person),
    endpoint("/avatars/x", &[Method::GET], Reader::Person),
    endpoint("/assets/x", &[Method::GET], Reader::Person),
    endpoint("/healthz", &[Method::GET], Reader::Client),
];

/// Where a request body is read.
fn with_body() -> impl Iterator<Item = (Endpoint, Method, &'static str)> {
    let takes_body = |method: &Method| [Method::POST, Method::PUT].contains(method);
    ENDPOINTS.iter().filter_map(|endpoint| endpoint.body.map(|body| (*endpoint, body))).flat_map(
        move |(endpoint, body)| {
            endpoint
                .methods
                .iter()
                .filter(move |method| takes_body(method))
                .map(move |method| (endpoint, method.clone(), body))
        },
    )
}

struct Story {
    server: TestServer,
    browser: Browser,
}

impl Story {
    async fn new() -> Self {
        let configure = |config: &mut symbolon::config::Config| {
            config.api.challenge_endpoint = symbolon::config::api::Switch::On;
        };
        let server = TestServer::with(Setup { configure, ..Setup::default() }).await;
        RelyingParty::web(&server, "shop").await;
        let browser = Browser::signed_in(&server, "alice").await;
        Self { server, browser }
    }

    /// As a client that proves itself, or as a browser that is signed in: what stands before the mistake is right.
    async fn send(&self, endpoint: &Endpoint, mut request: Request<Body>) -> Answer {
        let headers = request.headers_mut();
        if endpoint.reader == Reader::Person {
            headers.insert("accept", HeaderValue::from_static("text/html"));
            headers.insert("cookie", self.browser.cookie_header().parse().expect("ASCII"));
        } else if ["/oauth2/token", "/oauth2/challenge", "/oauth2/introspect", "/oauth2/revoke"]
            .contains(&endpoint.path)
        {
            headers.insert("authorization", basic("shop", SECRET).parse().expect("ASCII"));
        }
        self.server.send(request).await
    }
}

/// A refusal that its reader understands: an error code in JSON, or a page with a heading and a way on.
#[track_caller]
fn is_clear(reader: Reader, answer: &Answer, what: &str) {
    assert!(answer.status.is_client_error(), "{what}: {answer}");
    match reader {
        Reader::Client => {
            let error = answer.json()["error"].as_str().map(str::to_owned);
            assert!(error.is_some_and(|error| !error.is_empty()), "{what}: {answer}");
            assert!(answer.json()["error_description"].as_str().is_some_and(is_plain), "{what}: {answer}");
        }
        Reader::Person => {
            let page = answer.page();
            assert!(
                page.has("error-page") && !page.way_back().is_empty() && !page.heading().is_empty(),
                "{what}: {answer}"
            );
        }
    }
}

/// RFC 6749 §5.2: printable ASCII without `"` and `\`.
fn is_plain(description: &str) -> bool {
    !description.is_empty() && description.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}

/// Whatever it is: an answer, and no fault of ours.
#[track_caller]
fn is_no_fault(answer: &Answer, what: &str) {
    assert!(!answer.status.is_server_error(), "{what}: {answer}");
}

fn request(method: &Method, target: &str, content_type: Option<&str>, body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::builder().method(method.clone()).uri(target);
    if let Some(content_type) = content_type {
        request = request.header(CONTENT_TYPE, content_type);
    }
    request.body(body.into()).expect("a request")
}

/// The table above is the route table.
#[test]
fn every_route_is_in_the_table() {
    let routes = include_str!("../../src/http/routes.rs");
    let mut found = 0;
    let parts = routes.split(".route(").flat_map(|part| part.split(".page(")).skip(1);
    for path in parts.filter_map(|part| part.split('"').nth(1)) {
        let path = path.replace("{client_id}", "shop").replace("{id}", "x").replace("{name}", "x");
        let path = path.replace("{code}", "x").replace("{slug}", "x");
        assert!(ENDPOINTS.iter().any(|endpoint| endpoint.path == path), "{path} is not in the table of bad input");
        found += 1;
    }
    assert!(found > 60, "{found}");
}

#[tokio::test]
async fn another_method_is_refused() {
    let story = Story::new().await;
    let all = [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::TRACE, Method::CONNECT];
    for endpoint in ENDPOINTS {
        for method in all.iter().filter(|method| !endpoint.methods.contains(method)) {
            let what = format!("{method} {}", endpoint.path);
            let answer = story.send(endpoint, request(method, endpoint.path, None, Body::empty())).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{what}: {answer}");
            assert!(answer.headers.contains_key("allow"), "RFC 9110 §15.5.6: {what}: {answer}");
        }
        for method in [Method::OPTIONS, Method::HEAD, Method::from_bytes(b"BREW").expect("a token")] {
            let answer = story.send(endpoint, request(&method, endpoint.path, None, Body::empty())).await;
            is_no_fault(&answer, &format!("{method} {}", endpoint.path));
        }
    }
}

#[tokio::test]
async fn another_content_type_is_refused() {
    let story = Story::new().await;
    for (endpoint, method, own) in with_body() {
        let body = if own == FORM { "a=b" } else { "{}" };
        let other = if own == FORM { JSON } else { FORM };
        for content_type in
            [None, Some(other), Some("text/plain"), Some("multipart/form-data; boundary=x"), Some("nonsense"), Some("")]
        {
            if content_type.is_none() && endpoint.path == "/oauth2/userinfo" {
                continue; // A POST without a body carries its token in the header (RFC 6750 §2.1).
            }
            let what = format!("{method} {} as {content_type:?}", endpoint.path);
            let answer = story.send(&endpoint, request(&method, endpoint.path, content_type, body)).await;
            is_clear(endpoint.reader, &answer, &what);
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{what}");
        }
        let mut twice = request(&method, endpoint.path, Some(own), body);
        twice.headers_mut().append(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        is_clear(endpoint.reader, &story.send(&endpoint, twice).await, "two content types");
        let mut compressed = request(&method, endpoint.path, Some(own), body);
        compressed.headers_mut().insert("content-encoding", HeaderValue::from_static("gzip"));
        is_clear(endpoint.reader, &story.send(&endpoint, compressed).await, "compressed");
    }
}

#[tokio::test]
async fn what_is_too_long_is_refused() {
    let story = Story::new().await;
    for (endpoint, method, own) in with_body() {
        let text =
            if own == FORM { format!("a={}", "x".repeat(MIB)) } else { format!("{{\"a\":\"{}\"}}", "x".repeat(MIB)) };
        let what = format!("{method} {}", endpoint.path);
        let answer = story.send(&endpoint, request(&method, endpoint.path, Some(own), text.clone())).await;
        is_clear(endpoint.reader, &answer, &what);
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{what}");
        // Without a length, and with a false one.
        let chunks =
            text.into_bytes().chunks(50_000).map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec())).collect::<Vec<_>>();
        let streamed = Body::from_stream(futures_util::stream::iter(chunks));
        let answer = story.send(&endpoint, request(&method, endpoint.path, Some(own), streamed)).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{what}, streamed: {answer}");
        let broken: Vec<Result<Vec<u8>, std::io::Error>> = vec![Ok(b"a=".to_vec()), Err(std::io::Error::other("gone"))];
        let broken = Body::from_stream(futures_util::stream::iter(broken));
        is_clear(
            endpoint.reader,
            &story.send(&endpoint, request(&method, endpoint.path, Some(own), broken)).await,
            &what,
        );
        let many = (0..300).map(|number| format!("p{number}=x")).collect::<Vec<_>>().join("&");
        if own == FORM {
            is_clear(
                endpoint.reader,
                &story.send(&endpoint, request(&method, endpoint.path, Some(own), many)).await,
                &what,
            );
        }
        let mut lying = request(&method, endpoint.path, Some(own), "a=b");
        lying.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("99999999999999999999"));
        is_no_fault(&story.send(&endpoint, lying).await, &what);
    }
    for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.methods.contains(&Method::GET)) {
        // The largest query that an HTTP/1 line holds in our buffer; more is cut off before us (`src/http/serve_tests.rs`).
        let target = format!("{}?a={}", endpoint.path, "x".repeat(30_000));
        let answer = story.send(endpoint, request(&Method::GET, &target, None, Body::empty())).await;
        is_no_fault(&answer, endpoint.path);
        if endpoint.reads_query {
            is_clear(endpoint.reader, &answer, endpoint.path);
            assert_eq!(answer.status, StatusCode::URI_TOO_LONG, "{}", endpoint.path);
        }
    }
}

/// Bytes that are no text, and text that is no parameter.
#[tokio::test]
async fn what_is_no_text_is_refused() {
    let story = Story::new().await;
    let encoded =
        ["a=%FF", "a=%C3%28", "%FF=a", "a=%00", "client_id=%00", "a=%", "a=%4", "a=%zz", "a=%E2%80", "a=%1B%5B2J"];
    for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.reads_query && endpoint.methods.contains(&Method::GET))
    {
        for query in encoded {
            let target = format!("{}?{query}", endpoint.path);
            let answer = story.send(endpoint, request(&Method::GET, &target, None, Body::empty())).await;
            is_clear(endpoint.reader, &answer, &target);
            assert!(!answer.headers.contains_key(LOCATION), "{target}");
        }
    }
    for (endpoint, method, own) in with_body() {
        let what = format!("{method} {}", endpoint.path);
        let forms: Vec<Vec<u8>> = encoded.iter().map(|form| form.as_bytes().to_vec()).collect();
        let raw: Vec<Vec<u8>> = vec![b"a=\xff\xfe".to_vec(), b"a=\0".to_vec(), vec![0xff; 100], b"\0\0\0".to_vec()];
        let json: Vec<Vec<u8>> = [
            "",
            "{",
            "[]",
            "7",
            "null",
            "\"text\"",
            "{\"a\":1}x",
            "{'a':1}",
            "{\"a\":\u{0}}",
            "{\"a\":NaN}",
            "{\"a\":1e999999}",
            "{\"redirect_uris\":[\"\\ud800\"]}",
            "{\"redirect_uris\":[\"https://a.example/\\u0000\"]}",
        ]
        .iter()
        .map(|text| text.as_bytes().to_vec())
        .chain(["[".repeat(10_000).into_bytes(), "{\"a\":".repeat(10_000).into_bytes(), b"{\"a\":\"\xff\"}".to_vec()])
        .collect();
        let bodies = if own == FORM { [forms, raw].concat() } else { [json, raw].concat() };
        for body in bodies {
            let shown = String::from_utf8_lossy(&body).chars().take(40).collect::<String>();
            let answer = story.send(&endpoint, request(&method, endpoint.path, Some(own), body)).await;
            is_clear(endpoint.reader, &answer, &format!("{what} {shown:?}"));
        }
    }
}

/// A path, the parameters of a whole request, its answer, and what becomes of it without each one.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, &'a [&'a str]);

/// Missing, empty and repeated, for each parameter of each endpoint: the exact error.
#[tokio::test]
async fn each_parameter_missing_empty_and_repeated() {
    let story = Story::new().await;
    let code = [
        ("grant_type", "authorization_code"),
        ("code", "x"),
        ("redirect_uri", "https://shop.example/callback"),
        ("code_verifier", "v-v-v-v-v-v-v-v-v-v-v-v-v-v-v-v-v-v-v-v-v-v-v"),
    ];
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", "x"), ("scope", "openid")];
    let (token, hint) = (("token", "x"), ("token_type_hint", "access_token"));
    let (missing, unknown) = ("400 invalid_request", "400 invalid_grant");
    let cases: [Case<'_>; 4] = [
        ("/oauth2/token", &code, unknown, &[missing, missing, unknown, unknown]),
        ("/oauth2/token", &refresh, unknown, &[missing, missing, unknown]),
        ("/oauth2/introspect", &[token, hint], "200 (no error)", &[missing, "200 (no error)"]),
        ("/oauth2/revoke", &[token, hint], "200", &[missing, "200"]),
    ];
    let said =
        |answer: &Answer| if answer.body.is_empty() { answer.status.as_u16().to_string() } else { answer.error() };
    for (path, whole, expected, without) in cases {
        let endpoint = ENDPOINTS.iter().find(|endpoint| endpoint.path == path).expect("in the table");
        let send = async |fields: &[(&str, &str)]| {
            said(&story.send(endpoint, crate::support::server::form(path, fields)).await)
        };
        assert_eq!(send(whole).await, expected, "{path}");
        for (index, expected) in without.iter().enumerate() {
            let name = whole[index].0;
            let mut fields = whole.to_vec();
            fields.remove(index);
            assert_eq!(send(&fields).await, *expected, "{path} without {name}");
            fields.insert(index, (name, ""));
            assert_eq!(send(&fields).await, *expected, "{path} with an empty {name}");
            fields[index] = whole[index];
            fields.push(whole[index]);
            assert_eq!(send(&fields).await, missing, "{path} with {name} twice");
            fields.pop();
            let long = "x".repeat(20_000);
            fields[index] = (name, &long);
            let answer = send(&fields).await;
            assert!(answer.starts_with("400 ") || answer.starts_with("200"), "{path} with a long {name}: {answer}");
        }
    }
}

/// Each member of a registration, of each JSON type: taken or refused by name, never a fault.
#[tokio::test]
async fn each_member_of_a_registration_in_each_json_type() {
    let story = Story::new().await;
    let members = [
        "redirect_uris",
        "token_endpoint_auth_method",
        "token_endpoint_auth_signing_alg",
        "grant_types",
        "response_types",
        "application_type",
        "client_name",
        "client_uri",
        "logo_uri",
        "policy_uri",
        "tos_uri",
        "contacts",
        "scope",
        "jwks_uri",
        "jwks",
        "subject_type",
        "sector_identifier_uri",
        "id_token_signed_response_alg",
        "userinfo_signed_response_alg",
        "default_max_age",
        "require_auth_time",
        "default_acr_values",
        "initiate_login_uri",
        "post_logout_redirect_uris",
        "backchannel_logout_uri",
        "backchannel_logout_session_required",
        "frontchannel_logout_uri",
        "frontchannel_logout_session_required",
        "software_id",
        "software_version",
        "client_name#de",
        "dpop_bound_access_tokens",
        "id_token_encrypted_response_alg",
    ];
    let values = [
        json!(true),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!("x"),
        json!("x".repeat(50_000)),
        json!("\u{0}"),
        json!("\u{202e}"),
        json!([]),
        json!([7]),
        json!([[]]),
        json!([""]),
        json!(["x", "x"]),
        json!({}),
        json!({"keys": 7}),
        json!({"keys": [{}]}),
        json!({"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]}),
        json!([null]),
        Value::Null,
    ];
    for member in members {
        for value in &values {
            let mut metadata = json!({"redirect_uris": ["https://a.example/"]});
            metadata[member] = value.clone();
            let answer = story.server.json((Method::POST, "/oauth2/register"), &metadata, None).await;
            let shown = value.to_string().chars().take(40).collect::<String>();
            if answer.status != StatusCode::CREATED {
                is_clear(Reader::Client, &answer, &format!("{member}: {shown}"));
                let code = answer.json()["error"].clone();
                assert!(
                    code == "invalid_client_metadata" || code == "invalid_redirect_uri",
                    "{member}: {shown}: {answer}"
                );
            }
        }
    }
}

/// Random bytes in every place: query, body, path, header, cookie.
#[tokio::test]
async fn random_bytes_are_answered() {
    let story = Story::new().await;
    let mut random = StdRng::seed_from_u64(7);
    let mut bytes = |most: usize| {
        let mut bytes = vec![0; usize::try_from(random.next_u32()).expect("it fits") % most + 1];
        random.fill_bytes(&mut bytes);
        bytes
    };
    for round in 0..30 {
        for endpoint in ENDPOINTS {
            let encoded = |bytes: &[u8]| url::form_urlencoded::byte_serialize(bytes).collect::<String>();
            let target =
                format!("{}?{}={}&{}", endpoint.path, encoded(&bytes(10)), encoded(&bytes(80)), encoded(&bytes(20)));
            for method in endpoint.methods {
                let mut request = request(method, &target, endpoint.body, bytes(2_000));
                let (cookie, authorization) = (bytes(60), bytes(60));
                for (name, value) in [
                    ("cookie", cookie),
                    ("authorization", authorization),
                    ("origin", bytes(20)),
                    ("accept-language", bytes(30)),
                ] {
                    if let Ok(value) =
                        HeaderValue::from_bytes(&value.iter().map(|byte| byte % 95 + 32).collect::<Vec<_>>())
                    {
                        request.headers_mut().insert(name, value);
                    }
                }
                let answer = story.server.send(request).await;
                is_no_fault(&answer, &format!("round {round}: {method} {target}"));
            }
        }
    }
    for path in [
        "/oauth2/register/%00",
        "/account/apps/%FF%FE/revoke",
        "/account/sessions/%2e%2e/end",
        "/assets/..%2f..%2fetc%2fpasswd",
        "/assets/%00",
        "/%",
        "//",
        "/oauth2/../admin",
        "/oauth2/token/",
        "/SIGN-IN",
    ] {
        for method in [Method::GET, Method::POST] {
            let answer = story.server.send(request(&method, path, Some(FORM), "a=b")).await;
            is_no_fault(&answer, path);
            assert!(answer.status.is_client_error(), "{method} {path}: {answer}");
        }
    }
    assert!(story.browser.open("/account").await.page().has("sign-out"), "and all is well");
}
