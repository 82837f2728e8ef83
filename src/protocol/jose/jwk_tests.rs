//! Tests of public keys: RFC 7515 appendix A, RFC 7638 §3.1, RFC 8037 appendix A, and every refusal.

use serde_json::json;

use super::*;

const RFC7638_N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

fn jwk(value: &Value) -> Result<Jwk, JoseError> {
    Jwk::parse(value.as_object().unwrap())
}

fn rsa() -> Value {
    json!({"kty": "RSA", "n": RFC7638_N, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"})
}

/// RFC 7515 appendix A.3.1.
fn p256() -> Value {
    json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})
}

/// RFC 8037 appendix A.2.
fn ed25519() -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
}

fn with(mut key: Value, name: &str, value: Value) -> Value {
    key[name] = value;
    key
}

#[test]
fn thumbprints_of_the_specifications() {
    // RFC 7638 §3.1, RFC 8037 appendix A.3.
    assert_eq!(jwk(&rsa()).unwrap().thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_eq!(jwk(&ed25519()).unwrap().thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn a_key_is_written_as_it_was_read() {
    for key in [rsa(), with(p256(), "kid", json!("a")), with(ed25519(), "alg", json!("EdDSA"))] {
        let written = serde_json::to_value(jwk(&key).unwrap()).unwrap();
        assert_eq!(written, with(key, "use", json!("sig")));
    }
}

#[test]
fn a_key_allows_only_what_fits_it() {
    let unbound = Jwk::parse(&{
        let mut members = rsa().as_object().unwrap().clone();
        members.remove("alg");
        members
    })
    .unwrap();
    for (key, allowed) in [
        (jwk(&rsa()).unwrap(), "RS256"),
        (unbound, "RS256 RS384 RS512 PS256 PS384 PS512"),
        (jwk(&p256()).unwrap(), "ES256"),
        (jwk(&ed25519()).unwrap(), "EdDSA"),
    ] {
        let all = JwsAlgorithm::ASYMMETRIC.iter().chain(JwsAlgorithm::SYMMETRIC);
        let found: Vec<_> = all.filter(|algorithm| key.allows(**algorithm)).map(|it| it.as_str()).collect();
        assert_eq!(found.join(" "), allowed);
    }
}

#[test]
fn unusable_keys_are_refused() {
    let weak = encode(&[0xC1; 255]);
    let large = encode(&[0xC1; 1025]);
    for (key, reason) in [
        (with(rsa(), "d", json!("AA")), "private"),
        (with(p256(), "d", json!("AA")), "private"),
        (json!({"kty": "oct", "k": "AAAA"}), "private"),
        (with(rsa(), "use", json!("enc")), "use"),
        (with(rsa(), "use", json!(1)), "use"),
        (with(rsa(), "key_ops", json!(["encrypt"])), "key_ops"),
        (with(rsa(), "n", json!(weak)), "2048"),
        (with(rsa(), "n", json!(large)), "8192"),
        (with(rsa(), "e", json!("AQ")), "out of range"),
        (with(rsa(), "e", json!("AQAA")), "out of range"),
        (with(rsa(), "e", json!("")), "out of range"),
        (with(rsa(), "e", json!("AAAAAAAAAAE")), "out of range"),
        (with(rsa(), "n", json!("not base64!")), "base64url"),
        (with(rsa(), "n", json!(7)), "string"),
        (with(rsa(), "alg", json!("ES256")), "does not fit"),
        (with(rsa(), "alg", json!("HS256")), "does not fit"),
        (with(rsa(), "alg", json!("RSA-OAEP")), "not a signature algorithm"),
        (with(rsa(), "kid", json!(7)), "string"),
        (with(p256(), "crv", json!("P-384")), "length"),
        (with(p256(), "crv", json!("secp256k1")), "crv"),
        (with(p256(), "y", p256()["x"].clone()), "curve"),
        (with(p256(), "x", json!("AA")), "length"),
        (with(ed25519(), "x", json!("AA")), "Ed25519"),
        (with(ed25519(), "crv", json!("Ed448")), "crv"),
        (json!({"kty": "AKP", "alg": "ML-DSA-44"}), "kty"),
        (json!({"n": "AQ"}), "kty is missing"),
        (json!({"kty": "RSA"}), "missing"),
    ] {
        let error = jwk(&key).unwrap_err().to_string();
        assert!(error.contains(reason), "{error} for {key}");
    }
}

#[test]
fn a_set_skips_what_it_cannot_use_and_says_why() {
    let set =
        json!({"keys": [with(rsa(), "use", json!("enc")), p256(), {"kty": "AKP"}, with(ed25519(), "kid", json!("e"))]});
    let set = JwkSet::parse(&set).unwrap();
    assert_eq!(set.keys().len(), 2);
    assert_eq!(
        set.skipped(),
        [
            "key 0: the key cannot be used: its use is not sig",
            "key 2: the key cannot be used: its kty is not supported"
        ]
    );
    assert_eq!(set.keys_for(JwsAlgorithm::EdDSA, Some("e")).count(), 1);
    assert_eq!(set.keys_for(JwsAlgorithm::EdDSA, Some("f")).count(), 0);
    assert_eq!(set.keys_for(JwsAlgorithm::EdDSA, None).count(), 1);
    assert_eq!(set.keys_for(JwsAlgorithm::ES256, Some("e")).count(), 1, "a key without kid answers to every name");
    assert_eq!(set.keys_for(JwsAlgorithm::RS256, None).count(), 0);
}

#[test]
fn a_set_that_is_none_or_tells_a_secret_is_refused() {
    for set in [
        json!([]),
        json!({}),
        json!({"keys": {}}),
        json!({"keys": [1]}),
        json!({"keys": vec![p256(); 65]}),
        json!({"keys": [p256(), with(rsa(), "p", json!("AA"))]}),
        json!({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}),
    ] {
        assert!(JwkSet::parse(&set).is_err(), "{set}");
    }
    assert!(JwkSet::from_json(br#"{"keys":[],"keys":[]}"#).is_err());
    assert!(JwkSet::from_json(&vec![b' '; MAX_SET_BYTES + 1]).is_err());
    assert!(JwkSet::from_json(br#"{"keys":[]}"#).is_ok());
}
