//! Tables of authorization requests: which are good, which end on a page, which the client hears of.
//!
//! RFC 6749 §4.1.2.1, OIDC Core §3.1.2.6.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::protocol::authorization_response::AuthorizationResponse;

const ISSUER: &str = "https://id.example";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn client() -> ClientMetadata {
    serde_json::from_value(json!({
        "redirect_uris": ["https://app.example/cb"],
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "application_type": "web",
        "subject_type": "public",
        "id_token_signed_response_alg": "RS256",
    }))
    .expect("complete")
}

/// A good request, with `changes` in place of or beside its parameters; an empty value takes one away.
fn params(changes: &[(&str, &str)]) -> Params {
    let good = [
        ("client_id", "app"),
        ("redirect_uri", "https://app.example/cb"),
        ("response_type", "code"),
        ("scope", "openid"),
        ("state", "s1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let kept = good.into_iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    kept.chain(changes.iter().copied()).collect()
}

fn parse(client: &ClientMetadata, params: &Params) -> Result<AuthorizationRequest, Refused> {
    let scopes = "openid profile email offline_access".parse().expect("well formed");
    let rules =
        RequestRules { issuer: ISSUER, scopes_supported: &scopes, requires_pkce: true, allows_http_loopback: false };
    AuthorizationRequest::parse(params, client, &rules)
}

fn parsed(changes: &[(&str, &str)]) -> AuthorizationRequest {
    parse(&client(), &params(changes)).expect("a good request")
}

#[test]
fn a_full_request_is_read() {
    let request = parsed(&[
        ("nonce", "n1"),
        ("prompt", "login consent"),
        ("max_age", "300"),
        ("login_hint", "zoë@example.com"),
        ("id_token_hint", "a.b.c"),
        ("acr_values", "urn:a  urn:b"),
        ("display", "popup"),
        ("ui_locales", "fr-CA not_a_tag fr"),
        ("claims_locales", "en"),
        ("claims", r#"{"userinfo":{"name":null}}"#),
        ("response_mode", "fragment"),
        ("shoe_size", "47"),
        ("resource", "https://a.example"),
    ]);
    assert_eq!(request.nonce.as_deref(), Some("n1"));
    assert!(request.prompt.login && request.prompt.consent && !request.prompt.none);
    assert_eq!(request.max_age, Some(300));
    assert_eq!(request.login_hint.as_deref(), Some("zoë@example.com"));
    assert_eq!(request.acr_values, ["urn:a", "urn:b"]);
    assert_eq!(request.display, Display::Popup);
    assert_eq!(request.ui_locales, ["fr-CA", "fr"]);
    assert!(request.claims.userinfo.contains_key("name"));
    assert_eq!(request.return_path.mode(), ResponseMode::Fragment);
    assert_eq!(request.return_path.state(), Some("s1"));
    assert_eq!(request.code_challenge.as_ref().map(CodeChallenge::as_str), Some(CHALLENGE));
    let stored = serde_json::to_string(&request).expect("plain JSON");
    assert_eq!(serde_json::from_str::<AuthorizationRequest>(&stored).expect("our own"), request);
}

/// RFC 9700 §4.11.2, PROTOCOL R2: nothing is sent to an address that is not verified.
#[test]
fn bad_redirect_uris_end_on_a_page() {
    for changes in [
        &[("redirect_uri", "https://evil.example/cb")][..],
        &[("redirect_uri", "https://app.example/cb/")],
        &[("redirect_uri", "https://app.example/cb"), ("redirect_uri", "https://app.example/cb")],
        &[("client_id", "app"), ("client_id", "app")],
        &[("redirect_uri", "")],
        &[("redirect_uri", ""), ("scope", "email"), ("scope", "openid")],
        &[("redirect_uri", "javascript:alert(1)"), ("request", "x")],
    ] {
        assert!(matches!(parse(&client(), &params(changes)), Err(Refused::Page(_))), "{changes:?}");
    }
    let mut imported = client();
    imported.redirect_uris = vec!["javascript:alert(1)".to_owned()];
    let request = params(&[("redirect_uri", "javascript:alert(1)")]);
    assert!(matches!(parse(&imported, &request), Err(Refused::Page(_))));
}

#[test]
fn a_near_miss_is_explained() {
    let Err(Refused::Page(error)) = parse(&client(), &params(&[("redirect_uri", "https://app.example/cb/")])) else {
        panic!("a page was expected");
    };
    assert!(error.developer_hint().is_some_and(|hint| hint.contains("slash")));
    assert!(!error.description().contains("app.example"));
}

/// RFC 6749 §3.1.2.3; OIDC Core §3.1.2.1 requires it.
#[test]
fn the_redirect_uri_may_be_left_out_when_there_is_one_and_no_openid() {
    let request = parsed(&[("redirect_uri", ""), ("scope", "email")]);
    assert_eq!(request.redirect_uri, None);
    assert_eq!(request.return_path.redirect_uri(), "https://app.example/cb");
    let mut two = client();
    two.redirect_uris.push("https://app.example/other".to_owned());
    let params = params(&[("redirect_uri", ""), ("scope", "email")]);
    assert!(matches!(parse(&two, &params), Err(Refused::Page(_))));
}

#[test]
fn everything_else_is_told_to_the_client() {
    let long = "x".repeat(MAX_ID_TOKEN_HINT + 1);
    for (changes, code) in [
        (&[("scope", "openid"), ("scope", "email")][..], ErrorCode::InvalidRequest),
        (&[("shoe_size", "1"), ("shoe_size", "2")], ErrorCode::InvalidRequest),
        (&[("state", "1"), ("state", "2")], ErrorCode::InvalidRequest),
        (&[("response_mode", "query"), ("response_mode", "fragment")], ErrorCode::InvalidRequest),
        (&[("response_mode", "web_message")], ErrorCode::InvalidRequest),
        (&[("response_type", "")], ErrorCode::InvalidRequest),
        (&[("response_type", "token")], ErrorCode::UnsupportedResponseType),
        (&[("response_type", "code id_token")], ErrorCode::UnsupportedResponseType),
        (&[("request", "a.b.c")], ErrorCode::RequestNotSupported),
        (&[("request_uri", "urn:x")], ErrorCode::RequestUriNotSupported),
        (&[("registration", "{}")], ErrorCode::RegistrationNotSupported),
        (&[("scope", "open\"id")], ErrorCode::InvalidScope),
        (&[("scope", "unknown")], ErrorCode::InvalidScope),
        (&[("scope", "offline_access")], ErrorCode::InvalidScope),
        (&[("code_challenge", "")], ErrorCode::InvalidRequest),
        (&[("code_challenge", ""), ("code_challenge_method", "")], ErrorCode::InvalidRequest),
        (&[("code_challenge_method", "plain")], ErrorCode::InvalidRequest),
        (&[("code_challenge_method", "")], ErrorCode::InvalidRequest),
        (&[("code_challenge", "short")], ErrorCode::InvalidRequest),
        (&[("prompt", "none login")], ErrorCode::InvalidRequest),
        (&[("prompt", "created")], ErrorCode::InvalidRequest),
        (&[("display", "hologram")], ErrorCode::InvalidRequest),
        (&[("max_age", "-1")], ErrorCode::InvalidRequest),
        (&[("max_age", "+1")], ErrorCode::InvalidRequest),
        (&[("max_age", "1.5")], ErrorCode::InvalidRequest),
        (&[("max_age", "soon")], ErrorCode::InvalidRequest),
        (&[("max_age", "99999999999999999999999")], ErrorCode::InvalidRequest),
        (&[("claims", "[]")], ErrorCode::InvalidRequest),
        (&[("claims", "{")], ErrorCode::InvalidRequest),
        (&[("state", &long)], ErrorCode::InvalidRequest),
        (&[("nonce", &long)], ErrorCode::InvalidRequest),
        (&[("login_hint", &long)], ErrorCode::InvalidRequest),
        (&[("id_token_hint", &long)], ErrorCode::InvalidRequest),
        (&[("ui_locales", &long)], ErrorCode::InvalidRequest),
    ] {
        match parse(&client(), &params(changes)) {
            Err(Refused::Client(path, error)) => {
                assert_eq!(error.code(), code, "{changes:.60?}");
                assert_eq!(path.redirect_uri(), "https://app.example/cb");
                assert!(matches!(path.error(&error), AuthorizationResponse::Redirect(_)));
            }
            other => panic!("{changes:.60?}: {other:?}"),
        }
    }
}

#[test]
fn errors_travel_as_the_request_asked_when_it_is_clear_how() {
    let refused = |changes: &[(&str, &str)]| match parse(&client(), &params(changes)) {
        Err(Refused::Client(path, _)) => (path.mode(), path.state().map(str::to_owned)),
        other => panic!("{changes:?}: {other:?}"),
    };
    let state = Some("s1".to_owned());
    assert_eq!(
        refused(&[("response_mode", "form_post"), ("response_type", "x")]),
        (ResponseMode::FormPost, state.clone())
    );
    assert_eq!(refused(&[("response_mode", "x")]), (ResponseMode::Query, state));
    assert_eq!(refused(&[("state", "1"), ("state", "2")]), (ResponseMode::Query, None));
}

#[test]
fn scopes_are_kept_within_server_and_client() {
    let mut client = client();
    assert_eq!(parsed(&[("scope", "email unknown openid")]).scope.to_string(), "email openid");
    assert_eq!(parsed(&[("scope", "openid offline_access")]).scope.to_string(), "openid");
    assert!(parsed(&[("scope", "")]).scope.is_empty());
    client.grant_types.push(GrantType::RefreshToken);
    client.scope = Some("openid offline_access".parse().expect("well formed"));
    let request = parse(&client, &params(&[("scope", "openid email offline_access")])).expect("a good request");
    assert_eq!(request.scope.to_string(), "openid offline_access");
}

#[test]
fn the_clients_defaults_stand_where_the_request_is_silent() {
    let mut client = client();
    client.default_max_age = Some(60);
    client.default_acr_values = vec!["urn:a".to_owned()];
    let silent = parse(&client, &params(&[])).expect("a good request");
    assert_eq!((silent.max_age, silent.acr_values.len()), (Some(60), 1));
    let loud = parse(&client, &params(&[("max_age", "0"), ("acr_values", "x y")])).expect("a good request");
    assert_eq!((loud.max_age, loud.acr_values.len()), (Some(0), 2));
}

#[test]
fn a_client_without_the_grant_is_refused() {
    let mut client = client();
    client.grant_types = vec![GrantType::ClientCredentials];
    let Err(Refused::Client(_, error)) = parse(&client, &params(&[])) else { panic!("a refusal was expected") };
    assert_eq!(error.code(), ErrorCode::UnauthorizedClient);
}

proptest! {
    #[test]
    fn no_value_panics(name in "scope|state|prompt|max_age|claims|display|redirect_uri|ui_locales|code_challenge", value: String) {
        let _ = parse(&client(), &params(&[(name.as_str(), value.as_str())]));
    }

    /// Whatever the redirect URI, an answer goes to the registered one only.
    #[test]
    fn no_other_address_is_answered(given in "https://app\\.example[/@:.a-z#?%]{0,12}") {
        if let Ok(request) = parse(&client(), &params(&[("redirect_uri", &given)])) {
            prop_assert_eq!(request.return_path.redirect_uri(), "https://app.example/cb");
        }
    }
}
