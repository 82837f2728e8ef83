//! Tables of what may be registered.
//!
//! RFC 7591 §2 and §3.2.2, OIDC Registration §2.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn scopes() -> Scope {
    "openid profile email offline_access api:read".parse().expect("well formed")
}

fn parse_with(json: &Value, unsupported: Unsupported) -> Result<ClientMetadata, OAuthError> {
    let rules = RegistrationRules {
        scopes_supported: &scopes(),
        signing_algorithms: &[SigningAlgorithm::RS256, SigningAlgorithm::ES256],
        unsupported,
        allows_http_loopback: false,
    };
    ClientMetadata::parse(json.as_object().expect("an object"), &rules)
}

/// A good request with `changes` merged in.
fn merged(changes: &Value) -> Value {
    let mut json = json!({"redirect_uris": ["https://app.example/cb"]});
    json.as_object_mut().expect("an object").extend(changes.as_object().expect("an object").clone());
    json
}

fn parse(changes: &Value) -> Result<ClientMetadata, OAuthError> {
    parse_with(&merged(changes), Unsupported::LeaveOut)
}

/// OIDC Registration §2, RFC 7591 §2.
#[test]
fn defaults_are_those_of_the_specification() {
    let metadata = parse(&json!({})).expect("enough");
    assert_eq!(
        serde_json::to_value(&metadata).expect("plain JSON"),
        json!({
            "redirect_uris": ["https://app.example/cb"],
            "token_endpoint_auth_method": "client_secret_basic",
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            "application_type": "web",
            "subject_type": "public",
            "id_token_signed_response_alg": "RS256",
            "require_auth_time": false,
        })
    );
}

#[test]
fn everything_that_is_known_is_kept() {
    let json = json!({
        "redirect_uris": ["https://app.example/cb", "https://app.example/cb2"],
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "application_type": "web",
        "client_name": "App",
        "client_name#ja": "アプリ",
        "client_uri": "https://app.example/",
        "logo_uri": "https://app.example/logo.png",
        "policy_uri": "https://app.example/policy",
        "tos_uri": "https://app.example/tos",
        "contacts": ["admin@app.example"],
        "scope": "openid api:read",
        "jwks_uri": "https://app.example/jwks.json",
        "subject_type": "pairwise",
        "id_token_signed_response_alg": "ES256",
        "userinfo_signed_response_alg": "RS256",
        "default_max_age": 300,
        "require_auth_time": true,
        "default_acr_values": ["urn:symbolon:acr:1"],
        "initiate_login_uri": "https://app.example/login",
        "post_logout_redirect_uris": ["https://app.example/bye"],
        "backchannel_logout_uri": "https://app.example/told",
        "backchannel_logout_session_required": true,
        "frontchannel_logout_uri": "https://app.example/shown?a=b",
        "frontchannel_logout_session_required": true,
        "software_id": "4NRB1-0XZABZI9E6-5SM3R",
        "software_version": "2.1",
    });
    let metadata = parse(&json).expect("valid");
    let stored = serde_json::to_value(&metadata).expect("plain JSON");
    assert_eq!(stored, json);
    assert_eq!(serde_json::from_value::<ClientMetadata>(stored).expect("our own"), metadata);
}

/// Each with the code and the member that the error must name.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_is_wrong_is_named() {
    for (changes, code, member) in [
        (json!({"redirect_uris": "https://app.example/cb"}), ErrorCode::InvalidClientMetadata, "redirect_uris"),
        (json!({"redirect_uris": [1]}), ErrorCode::InvalidClientMetadata, "redirect_uris"),
        (json!({"redirect_uris": []}), ErrorCode::InvalidRedirectUri, "redirect_uris"),
        (json!({"redirect_uris": null}), ErrorCode::InvalidRedirectUri, "redirect_uris"),
        (json!({"redirect_uris": ["https://app.example/cb#x"]}), ErrorCode::InvalidRedirectUri, "redirect_uris"),
        (json!({"redirect_uris": ["http://app.example/cb"]}), ErrorCode::InvalidRedirectUri, "redirect_uris"),
        (json!({"redirect_uris": ["javascript:alert(1)"]}), ErrorCode::InvalidRedirectUri, "redirect_uris"),
        (json!({"redirect_uris": ["com.example.app:/cb"]}), ErrorCode::InvalidRedirectUri, "redirect_uris"),
        (
            json!({"redirect_uris": vec!["https://app.example/cb"; 101]}),
            ErrorCode::InvalidClientMetadata,
            "redirect_uris",
        ),
        (
            json!({"post_logout_redirect_uris": ["data:x"]}),
            ErrorCode::InvalidClientMetadata,
            "post_logout_redirect_uris",
        ),
        (
            json!({"backchannel_logout_uri": "http://app.example/told"}),
            ErrorCode::InvalidClientMetadata,
            "backchannel_logout_uri",
        ),
        (
            json!({"backchannel_logout_uri": "https://app.example/told#x"}),
            ErrorCode::InvalidClientMetadata,
            "backchannel_logout_uri",
        ),
        (json!({"backchannel_logout_uri": "told"}), ErrorCode::InvalidClientMetadata, "backchannel_logout_uri"),
        (
            json!({"backchannel_logout_session_required": "yes"}),
            ErrorCode::InvalidClientMetadata,
            "backchannel_logout_session_required",
        ),
        (
            json!({"frontchannel_logout_uri": "javascript:alert(1)"}),
            ErrorCode::InvalidClientMetadata,
            "frontchannel_logout_uri",
        ),
        (
            json!({"frontchannel_logout_uri": "https://other.example/shown"}),
            ErrorCode::InvalidClientMetadata,
            "frontchannel_logout_uri",
        ),
        (
            json!({"token_endpoint_auth_method": "tls_client_auth"}),
            ErrorCode::InvalidClientMetadata,
            "token_endpoint_auth_method",
        ),
        (json!({"token_endpoint_auth_method": 1}), ErrorCode::InvalidClientMetadata, "token_endpoint_auth_method"),
        (json!({"token_endpoint_auth_method": "private_key_jwt"}), ErrorCode::InvalidClientMetadata, "jwks"),
        (
            json!({"token_endpoint_auth_signing_alg": "none"}),
            ErrorCode::InvalidClientMetadata,
            "token_endpoint_auth_signing_alg",
        ),
        (
            json!({"token_endpoint_auth_method": "client_secret_jwt", "token_endpoint_auth_signing_alg": "RS256"}),
            ErrorCode::InvalidClientMetadata,
            "token_endpoint_auth_signing_alg",
        ),
        (json!({"grant_types": ["implicit"]}), ErrorCode::InvalidClientMetadata, "grant_types"),
        (json!({"grant_types": ["password"]}), ErrorCode::InvalidClientMetadata, "grant_types"),
        (json!({"grant_types": "authorization_code"}), ErrorCode::InvalidClientMetadata, "grant_types"),
        (json!({"grant_types": ["refresh_token"]}), ErrorCode::InvalidClientMetadata, "grant_types"),
        (
            json!({"grant_types": ["client_credentials"], "response_types": ["code"]}),
            ErrorCode::InvalidClientMetadata,
            "response_types",
        ),
        (
            json!({"grant_types": ["client_credentials"], "token_endpoint_auth_method": "none"}),
            ErrorCode::InvalidClientMetadata,
            "client_credentials",
        ),
        (json!({"response_types": ["token"]}), ErrorCode::InvalidClientMetadata, "response_types"),
        (json!({"response_types": []}), ErrorCode::InvalidClientMetadata, "response_types"),
        (json!({"application_type": "desktop"}), ErrorCode::InvalidClientMetadata, "application_type"),
        (json!({"client_name": ["App"]}), ErrorCode::InvalidClientMetadata, "client_name"),
        (json!({"client_name": "App\u{202E}"}), ErrorCode::InvalidClientMetadata, "client_name"),
        (json!({"client_name": "App\u{0}"}), ErrorCode::InvalidClientMetadata, "client_name"),
        (json!({"client_name": "x".repeat(201)}), ErrorCode::InvalidClientMetadata, "client_name"),
        (json!({"client_name#de": 1}), ErrorCode::InvalidClientMetadata, "client_name#de"),
        (json!({"logo_uri#de": "javascript:alert(1)"}), ErrorCode::InvalidClientMetadata, "logo_uri#de"),
        (json!({"client_uri": "javascript:alert(1)"}), ErrorCode::InvalidClientMetadata, "client_uri"),
        (json!({"logo_uri": "data:image/png;base64,x"}), ErrorCode::InvalidClientMetadata, "logo_uri"),
        (json!({"policy_uri": "/policy"}), ErrorCode::InvalidClientMetadata, "policy_uri"),
        (json!({"tos_uri": {}}), ErrorCode::InvalidClientMetadata, "tos_uri"),
        (json!({"contacts": "admin@app.example"}), ErrorCode::InvalidClientMetadata, "contacts"),
        (json!({"scope": ["openid"]}), ErrorCode::InvalidClientMetadata, "scope"),
        (json!({"scope": "a\"b"}), ErrorCode::InvalidClientMetadata, "scope"),
        (json!({"jwks_uri": "http://app.example/jwks"}), ErrorCode::InvalidClientMetadata, "jwks_uri"),
        (json!({"jwks_uri": "http://localhost/jwks"}), ErrorCode::InvalidClientMetadata, "jwks_uri"),
        (json!({"jwks": "{}"}), ErrorCode::InvalidClientMetadata, "jwks"),
        (json!({"jwks": {"keys": [1]}}), ErrorCode::InvalidClientMetadata, "jwks"),
        (json!({"jwks": {"keys": [{"kty": "EC", "d": "x"}]}}), ErrorCode::InvalidClientMetadata, "jwks"),
        (json!({"jwks": {"keys": [{"kty": "oct", "k": "x"}]}}), ErrorCode::InvalidClientMetadata, "jwks"),
        (
            json!({"jwks": {"keys": [{"kty": "EC"}]}, "jwks_uri": "https://app.example/jwks"}),
            ErrorCode::InvalidClientMetadata,
            "jwks_uri",
        ),
        (json!({"subject_type": "private"}), ErrorCode::InvalidClientMetadata, "subject_type"),
        (
            json!({"subject_type": "pairwise", "redirect_uris": ["https://a.example/", "https://b.example/"]}),
            ErrorCode::InvalidClientMetadata,
            "sector_identifier_uri",
        ),
        (
            json!({"sector_identifier_uri": "http://app.example/"}),
            ErrorCode::InvalidClientMetadata,
            "sector_identifier_uri",
        ),
        (
            json!({"id_token_signed_response_alg": "none"}),
            ErrorCode::InvalidClientMetadata,
            "id_token_signed_response_alg",
        ),
        (
            json!({"id_token_signed_response_alg": "EdDSA"}),
            ErrorCode::InvalidClientMetadata,
            "id_token_signed_response_alg",
        ),
        (
            json!({"userinfo_signed_response_alg": "HS256"}),
            ErrorCode::InvalidClientMetadata,
            "userinfo_signed_response_alg",
        ),
        (
            json!({"id_token_encrypted_response_alg": "RSA-OAEP"}),
            ErrorCode::InvalidClientMetadata,
            "id_token_encrypted_response_alg",
        ),
        (json!({"dpop_bound_access_tokens": true}), ErrorCode::InvalidClientMetadata, "dpop_bound_access_tokens"),
        (json!({"default_max_age": "300"}), ErrorCode::InvalidClientMetadata, "default_max_age"),
        (json!({"default_max_age": -1}), ErrorCode::InvalidClientMetadata, "default_max_age"),
        (json!({"default_max_age": 1.5}), ErrorCode::InvalidClientMetadata, "default_max_age"),
        (json!({"require_auth_time": "true"}), ErrorCode::InvalidClientMetadata, "require_auth_time"),
        (json!({"default_acr_values": [null]}), ErrorCode::InvalidClientMetadata, "default_acr_values"),
        (
            json!({"initiate_login_uri": "http://app.example/login"}),
            ErrorCode::InvalidClientMetadata,
            "initiate_login_uri",
        ),
        (json!({"software_id": 7}), ErrorCode::InvalidClientMetadata, "software_id"),
        (json!({"software_id": "x".repeat(2049)}), ErrorCode::InvalidClientMetadata, "software_id"),
    ] {
        let error = parse(&changes).expect_err(&changes.to_string());
        assert_eq!(error.code(), code, "{changes}: {error}");
        assert!(error.description().contains(member), "{changes}: {error}");
    }
}

/// RFC 7591 §2: what is not understood is ignored; §3.2.1: the answer tells what was registered instead.
#[test]
fn what_is_not_offered_is_left_out_or_refused() {
    let wish_list = json!({
        "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:saml2-bearer", "implicit"],
        "response_types": ["code", "id_token"],
        "scope": "openid telepathy",
        "request_uris": ["https://app.example/request"],
        "dpop_bound_access_tokens": false,
        "software_statement": "a.b.c",
        "shoe_size": 47,
    });
    let metadata = parse(&wish_list).expect("what is offered is enough");
    assert_eq!(metadata.grant_types, [GrantType::AuthorizationCode, GrantType::RefreshToken]);
    assert_eq!(metadata.response_types, [ResponseType::Code]);
    assert_eq!(metadata.scope.expect("given").to_string(), "openid");
    for name in ["grant_types", "response_types", "scope"] {
        let only = merged(&json!({name: wish_list[name]}));
        let error = parse_with(&only, Unsupported::Refuse).expect_err(name);
        assert!(error.description().contains(name), "{error}");
    }
}

/// An empty scope is the smallest, not the standard one: a client that sends back its answer must not gain by it.
#[test]
fn an_empty_scope_stays_empty() {
    for text in ["", "telepathy"] {
        assert_eq!(parse(&json!({"scope": text})).expect("clipped").scope, Some(Scope::empty()), "{text}");
    }
    assert_eq!(parse(&json!({})).expect("enough").scope, None);
}

#[test]
fn kinds_of_clients() {
    let service = json!({"grant_types": ["client_credentials"]});
    let service = parse_with(&service, Unsupported::Refuse).expect("needs no redirect URI");
    assert!(service.response_types.is_empty() && service.redirect_uris.is_empty());
    let device = json!({
        "application_type": "native",
        "token_endpoint_auth_method": "none",
        "grant_types": ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
    });
    let device = parse_with(&device, Unsupported::Refuse).expect("needs no redirect URI");
    assert_eq!(device.grant_types, [GrantType::DeviceCode, GrantType::RefreshToken]);
    assert!(device.response_types.is_empty() && device.redirect_uris.is_empty());
    let native = json!({
        "application_type": "native",
        "token_endpoint_auth_method": "none",
        "redirect_uris": ["http://127.0.0.1/cb", "com.example.app:/cb", "com.example.app:/cb"],
    });
    assert_eq!(parse(&native).expect("native").redirect_uris, ["http://127.0.0.1/cb", "com.example.app:/cb"]);
    let pairwise = json!({
        "subject_type": "pairwise",
        "redirect_uris": ["https://a.example/", "https://b.example/"],
        "sector_identifier_uri": "https://s.example/uris.json",
    });
    assert!(parse(&pairwise).is_ok());
}

/// What a client keeps on this machine is read under development, and only then.
#[test]
fn documents_on_this_machine_are_for_development() {
    for member in ["jwks_uri", "sector_identifier_uri"] {
        for (uri, is_development, is_good) in [
            ("https://app.example/document", false, true),
            ("http://localhost:3000/document", false, false),
            ("http://localhost:3000/document", true, true),
            ("http://127.0.0.1:3000/document", true, true),
            ("http://app.example/document", true, false),
        ] {
            let rules = RegistrationRules {
                scopes_supported: &scopes(),
                signing_algorithms: &[SigningAlgorithm::RS256],
                unsupported: Unsupported::LeaveOut,
                allows_http_loopback: is_development,
            };
            let json = merged(&json!({member: uri}));
            let parsed = ClientMetadata::parse(json.as_object().expect("an object"), &rules);
            assert_eq!(parsed.is_ok(), is_good, "{member}: {uri}, development: {is_development}");
        }
    }
}

/// RFC 7517 appendix A.1: its key for encryption is of no use for an assertion.
#[test]
fn keys_by_value_must_be_of_use() {
    let key = |purpose: &str| {
        json!({
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "ES256",
            "jwks": {"keys": [{
                "kty": "EC", "crv": "P-256", "use": purpose, "kid": "1",
                "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
                "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
            }, {"kty": "AKP"}]},
        })
    };
    assert!(parse(&key("sig")).is_ok());
    assert!(parse(&key("enc")).expect_err("no key for signatures").description().contains("jwks"));
}

#[test]
fn algorithms_have_one_name() {
    let metadata = parse(&json!({"token_endpoint_auth_signing_alg": "Ed25519"})).expect("a known name");
    assert_eq!(metadata.token_endpoint_auth_signing_alg.as_deref(), Some("EdDSA"));
}

proptest! {
    /// Whatever is accepted is stored and read back as it was, and would be accepted again.
    #[test]
    fn what_is_accepted_stays_valid(
        name in proptest::option::of(".{0,20}"),
        grants in proptest::collection::vec("authorization_code|refresh_token|client_credentials|implicit", 0..4),
        uri in "https://[a-z]{1,5}\\.example/[ -~]{0,8}",
        age in proptest::option::of(0u64..100_000),
    ) {
        let json = json!({"client_name": name, "grant_types": grants, "redirect_uris": [uri], "default_max_age": age});
        if let Ok(metadata) = parse(&json) {
            let stored = serde_json::to_value(&metadata).expect("plain JSON");
            prop_assert_eq!(&serde_json::from_value::<ClientMetadata>(stored.clone()).expect("our own"), &metadata);
            prop_assert_eq!(parse_with(&stored, Unsupported::Refuse).expect("still valid"), metadata);
        }
    }

    #[test]
    fn no_member_panics(
        member in "redirect_uris|jwks|scope|client_name#de|logo_uri|default_max_age|grant_types|contacts",
        text in ".{0,30}",
    ) {
        let _ = parse(&json!({ member.as_str(): text }));
        let _ = parse(&json!({ member.as_str(): [text] }));
        let _ = parse(&json!({ member.as_str(): {"keys": [text]} }));
    }
}
