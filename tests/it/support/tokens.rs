//! Tokens as a resource server reads them: by the published keys alone.

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Request;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;

use super::transport::Transport;

/// A JWT whose signature is good.
#[derive(Clone, Debug)]
pub(crate) struct Verified {
    pub(crate) header: Value,
    pub(crate) claims: Value,
}

/// Verifies a JWT by the JWKS of `server`.
pub(crate) async fn verify(server: &dyn Transport, token: &str) -> Verified {
    let keys = Request::get(format!("{}/oauth2/jwks", server.base())).body(Body::empty()).expect("a request");
    let keys = server.send(keys).await.ok();
    let header = part(token, 0);
    let kid = header["kid"].as_str().expect("our tokens name their key");
    let own: Vec<Value> =
        keys["keys"].as_array().expect("a list").iter().filter(|key| key["kid"] == kid).cloned().collect();
    assert_eq!(own.len(), 1, "the key {kid} is published once");
    assert!(own[0].get("d").is_none(), "private keys stay here");
    assert_eq!(own[0]["alg"], header["alg"]);
    if header["alg"] == "ES512" {
        verify_es512(token, &own[0]);
    } else {
        let key: Jwk = serde_json::from_value(own[0].clone()).expect("a JWK");
        let algorithm: Algorithm = header["alg"].as_str().expect("a name").parse().expect("a known algorithm");
        let set = JwkSet { keys: vec![key] };
        let key = DecodingKey::from_jwk(set.find(kid).expect("it is there")).expect("a public key");
        let mut validation = Validation::new(algorithm);
        // The stories have a clock of their own; they look at the claims themselves.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        jsonwebtoken::decode::<Value>(token, &key, &validation).expect("the signature is good");
    }
    Verified { header, claims: part(token, 1) }
}

/// RFC 7518 §3.4; the library above knows no P-521.
fn verify_es512(token: &str, key: &Value) {
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).expect("base64url");
    let coordinate = |name: &str| decode(key[name].as_str().expect("a coordinate"));
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    let (signed, signature) = token.rsplit_once('.').expect("three parts");
    aws_lc_rs::signature::UnparsedPublicKey::new(&aws_lc_rs::signature::ECDSA_P521_SHA512_FIXED, point)
        .verify(signed.as_bytes(), &decode(signature))
        .expect("the signature is good");
}

/// A part of a JWT, not verified: 0 is the header, 1 the claims.
pub(crate) fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}
