//! Tests of signed tokens: RFC 7515 appendix A, RFC 8037 appendix A, RFC 8725 §2 and §3.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::protocol::jose::algorithm::SigningAlgorithm;
use crate::protocol::jose::jwk::{Jwk, JwkSet};

fn jwk(value: &Value) -> Jwk {
    Jwk::parse(value.as_object().unwrap()).unwrap()
}

fn key(jwk: &Jwk, algorithm: JwsAlgorithm) -> VerificationKey {
    VerificationKey::from_jwk(jwk, algorithm).unwrap()
}

fn signed(header: &str, claims: &str, signature: &str) -> String {
    [header, claims, signature].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".")
}

fn sample(algorithm: SigningAlgorithm) -> (SigningKey, String) {
    let key = SigningKey::generate(algorithm).unwrap().key;
    let token = key.sign("at+jwt", &json!({"iss": "https://id.example", "exp": 4_000_000_000_u64})).unwrap();
    (key, token)
}

/// The key and the token of an appendix.
struct Vector {
    key: VerificationKey,
    token: &'static str,
    payload: &'static [u8],
}

const JOE: &[u8] = b"{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";

fn vectors() -> Vec<Vector> {
    let secret = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let rsa = jwk(
        &json!({"kty": "RSA", "e": "AQAB", "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}),
    );
    let p256 = jwk(&json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}));
    let p521 = jwk(&json!({"kty": "EC", "crv": "P-521",
        "x": "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
        "y": "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"}));
    let ed25519 = jwk(&json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}));
    vec![
        // RFC 7515 appendix A.1.
        Vector {
            key: VerificationKey::hmac(JwsAlgorithm::HS256, &URL_SAFE_NO_PAD.decode(secret).unwrap()).unwrap(),
            token: "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            payload: JOE,
        },
        // RFC 7515 appendix A.2.
        Vector {
            key: key(&rsa, JwsAlgorithm::RS256),
            token: "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
            payload: JOE,
        },
        // RFC 7515 appendix A.3.
        Vector {
            key: key(&p256, JwsAlgorithm::ES256),
            token: "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
            payload: JOE,
        },
        // RFC 7515 appendix A.4.
        Vector {
            key: key(&p521, JwsAlgorithm::ES512),
            token: "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn",
            payload: b"Payload",
        },
        // RFC 8037 appendix A.4.
        Vector {
            key: key(&ed25519, JwsAlgorithm::EdDSA),
            token: "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
            payload: b"Example of Ed25519 signing",
        },
    ]
}

#[test]
fn tokens_of_the_specifications_verify_and_changed_ones_do_not() {
    for vector in vectors() {
        let payload = Unverified::parse(vector.token).unwrap().verify(&vector.key);
        assert_eq!(payload.unwrap_or_else(|error| panic!("{error} {:?}", vector.key)).as_bytes(), vector.payload);

        let (signing_input, signature) = vector.token.rsplit_once('.').unwrap();
        let (header, _) = signing_input.split_once('.').unwrap();
        for changed in [
            format!("{header}.eyJpc3MiOiJldmUifQ.{signature}"),
            format!("{signing_input}.AA{}", &signature[2..]),
            format!("{signing_input}.{}", &signature[4..]),
            format!("{signing_input}.{signature}="),
            format!("{signing_input}.{signature}AAAA"),
        ] {
            let error = Unverified::parse(&changed).unwrap().verify(&vector.key).unwrap_err();
            assert_eq!(error, JoseError::BadSignature, "{changed}");
        }
    }
}

#[test]
fn what_we_sign_verifies_with_the_prepared_key_the_published_key_and_jsonwebtoken() {
    for algorithm in SigningAlgorithm::ALL.iter().copied() {
        let (signing_key, token) = sample(algorithm);
        let unverified = Unverified::parse(&token).unwrap();
        assert_eq!(unverified.algorithm(), algorithm.to_jws());
        assert_eq!(unverified.kid(), Some(signing_key.kid()));
        assert!(unverified.is_type("at+jwt"));

        let expected = json!({"exp": 4_000_000_000_u64, "iss": "https://id.example"});
        let payload = unverified.verify(signing_key.verification_key()).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(payload.as_bytes()).unwrap(), expected);

        let published = json!({"keys": [signing_key.public_jwk()]});
        let set = JwkSet::parse(&published).unwrap();
        let found = set.keys_for(algorithm.to_jws(), Some(signing_key.kid())).next().unwrap();
        assert_eq!(unverified.verify(&key(found, algorithm.to_jws())).unwrap().as_bytes(), payload.as_bytes());

        if algorithm != SigningAlgorithm::ES512 {
            let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(json!(signing_key.public_jwk())).unwrap();
            assert_eq!(jwk.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256).unwrap(), signing_key.kid());
            let key = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
            let validation = jsonwebtoken::Validation::new(algorithm.as_str().parse().unwrap());
            let decoded = jsonwebtoken::decode::<Value>(&token, &key, &validation).unwrap();
            assert_eq!(decoded.claims["iss"], "https://id.example");
        }
    }
}

#[test]
fn ecdsa_signatures_have_the_length_of_their_curve() {
    for (algorithm, length) in
        [(SigningAlgorithm::ES256, 64), (SigningAlgorithm::ES384, 96), (SigningAlgorithm::ES512, 132)]
    {
        let (key, _) = sample(algorithm);
        // Each has a leading zero byte once in 256; all of them must be padded.
        for number in 0..300 {
            let token = key.sign("JWT", &json!({"jti": number})).unwrap();
            let signature = token.rsplit_once('.').unwrap().1;
            assert_eq!(URL_SAFE_NO_PAD.decode(signature).unwrap().len(), length);
            Unverified::parse(&token).unwrap().verify(key.verification_key()).unwrap();
        }
    }
}

#[test]
fn a_generated_key_is_read_back_and_foreign_ones_are_not() {
    for algorithm in SigningAlgorithm::ALL.iter().copied() {
        let generated = SigningKey::generate(algorithm).unwrap();
        let again = SigningKey::from_pkcs8(algorithm, generated.pkcs8.expose()).unwrap();
        assert_eq!(again.kid(), generated.key.kid());
        assert_eq!(format!("{:?}", generated.pkcs8), "…");
        for other in SigningAlgorithm::ALL.iter().copied().filter(|other| *other != algorithm) {
            let both_rsa =
                [algorithm, other].iter().all(|it| it.as_str().ends_with("S256") && !it.as_str().starts_with('E'));
            assert_eq!(
                SigningKey::from_pkcs8(other, generated.pkcs8.expose()).is_ok(),
                both_rsa,
                "{algorithm} {other}"
            );
        }
        assert!(SigningKey::from_pkcs8(algorithm, &[]).is_err());
        assert!(SigningKey::from_pkcs8(algorithm, &generated.pkcs8.expose()[..40]).is_err());
    }
}

#[test]
fn a_key_verifies_its_own_algorithm_only() {
    let (rsa, token) = sample(SigningAlgorithm::RS256);
    let (other, _) = sample(SigningAlgorithm::RS256);
    let (ec, _) = sample(SigningAlgorithm::ES256);
    let unverified = Unverified::parse(&token).unwrap();
    assert_eq!(unverified.verify(other.verification_key()).unwrap_err(), JoseError::BadSignature);
    assert!(matches!(unverified.verify(ec.verification_key()), Err(JoseError::WrongAlgorithm { .. })));
    // A key published for RS256 is not for PS256, nor for HMAC.
    for algorithm in [JwsAlgorithm::PS256, JwsAlgorithm::RS384, JwsAlgorithm::HS256, JwsAlgorithm::ES256] {
        assert!(VerificationKey::from_jwk(rsa.public_jwk(), algorithm).is_err(), "{algorithm}");
    }
}

/// RFC 8725 §2.1: an attacker signs with HMAC and the public key, which everybody knows, as the secret.
#[test]
fn a_public_rsa_key_is_no_hmac_secret() {
    let (rsa, _) = sample(SigningAlgorithm::RS256);
    let public = serde_json::to_vec(rsa.public_jwk()).unwrap();
    let header = jsonwebtoken::Header { kid: Some(rsa.kid().to_owned()), ..Default::default() };
    let forged =
        jsonwebtoken::encode(&header, &json!({"sub": "admin"}), &jsonwebtoken::EncodingKey::from_secret(&public))
            .unwrap();
    let unverified = Unverified::parse(&forged).unwrap();
    assert_eq!(
        unverified.verify(rsa.verification_key()).unwrap_err(),
        JoseError::WrongAlgorithm { expected: JwsAlgorithm::RS256, found: JwsAlgorithm::HS256 }
    );
    let set = JwkSet::parse(&json!({"keys": [rsa.public_jwk()]})).unwrap();
    assert_eq!(set.keys_for(JwsAlgorithm::HS256, Some(rsa.kid())).count(), 0);
}

#[test]
fn hmac_needs_a_secret_as_long_as_its_hash() {
    for (algorithm, least) in [(JwsAlgorithm::HS256, 32), (JwsAlgorithm::HS384, 48), (JwsAlgorithm::HS512, 64)] {
        assert!(VerificationKey::hmac(algorithm, &vec![b'k'; least - 1]).is_err());
        let key = VerificationKey::hmac(algorithm, &vec![b'k'; least]).unwrap();
        let header = jsonwebtoken::Header::new(algorithm.as_str().parse().unwrap());
        let secret = jsonwebtoken::EncodingKey::from_secret(&vec![b'k'; least]);
        let token = jsonwebtoken::encode(&header, &json!({"sub": "s"}), &secret).unwrap();
        assert_eq!(Unverified::parse(&token).unwrap().verify(&key).unwrap().as_bytes(), br#"{"sub":"s"}"#);
    }
    assert!(VerificationKey::hmac(JwsAlgorithm::RS256, &[b'k'; 64]).is_err());
}

#[test]
fn the_other_algorithms_of_clients_verify() {
    let pkcs8 = SigningKey::generate(SigningAlgorithm::RS256).unwrap().pkcs8;
    let rsa = SigningKey::from_pkcs8(SigningAlgorithm::RS256, pkcs8.expose()).unwrap();
    let mut unbound = json!(rsa.public_jwk());
    unbound.as_object_mut().unwrap().remove("alg");
    let pair = aws_lc_rs::signature::RsaKeyPair::from_pkcs8(pkcs8.expose()).unwrap();
    let encodings: [(JwsAlgorithm, &'static dyn aws_lc_rs::signature::RsaEncoding); 4] = [
        (JwsAlgorithm::RS384, &aws_lc_rs::signature::RSA_PKCS1_SHA384),
        (JwsAlgorithm::RS512, &aws_lc_rs::signature::RSA_PKCS1_SHA512),
        (JwsAlgorithm::PS384, &aws_lc_rs::signature::RSA_PSS_SHA384),
        (JwsAlgorithm::PS512, &aws_lc_rs::signature::RSA_PSS_SHA512),
    ];
    for (algorithm, encoding) in encodings {
        let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{algorithm}"}}"#));
        let input = format!("{header}.e30");
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(encoding, &aws_lc_rs::rand::SystemRandom::new(), input.as_bytes(), &mut signature).unwrap();
        let token = format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature));
        let unverified = Unverified::parse(&token).unwrap();
        assert!(unverified.verify(&key(&jwk(&unbound), algorithm)).is_ok(), "{algorithm}");
    }
}

/// RFC 9864 §2.2: the same signature under its newer name.
#[test]
fn ed25519_is_accepted_under_both_names() {
    let pkcs8 = SigningKey::generate(SigningAlgorithm::EdDSA).unwrap().pkcs8;
    let signing_key = SigningKey::from_pkcs8(SigningAlgorithm::EdDSA, pkcs8.expose()).unwrap();
    let pair = aws_lc_rs::signature::Ed25519KeyPair::from_pkcs8(pkcs8.expose()).unwrap();
    let input = format!("{}.e30", URL_SAFE_NO_PAD.encode(r#"{"alg":"Ed25519"}"#));
    let token = format!("{input}.{}", URL_SAFE_NO_PAD.encode(pair.sign(input.as_bytes())));
    let unverified = Unverified::parse(&token).unwrap();
    assert!(unverified.verify(&key(signing_key.public_jwk(), JwsAlgorithm::EdDSA)).is_ok());
    assert!(unverified.verify(signing_key.verification_key()).is_ok());
}

#[test]
fn headers_that_are_not_acceptable_are_refused() {
    let many = format!("{{\"alg\":\"RS256\"{}}}", (0..17).fold(String::new(), |all, i| all + &format!(",\"x{i}\":1")));
    let long_kid = format!(r#"{{"alg":"RS256","kid":"{}"}}"#, "k".repeat(257));
    let deep = format!(r#"{{"alg":"RS256","x":{}}}"#, "[".repeat(5000));
    for (header, expected) in [
        (r#"{"alg":"none"}"#, "alg of the token is missing or not supported"),
        (r#"{"alg":"None"}"#, "not supported"),
        (r#"{"alg":"RS256 "}"#, "not supported"),
        (r#"{"typ":"JWT"}"#, "alg of the token is missing"),
        (r#"{"alg":null}"#, "wrong type"),
        (r#"{"alg":["RS256"]}"#, "wrong type"),
        (r#"{"alg":"RS256","kid":7}"#, "wrong type"),
        (r#"{"alg":"RS256","typ":{}}"#, "wrong type"),
        (r#"{"alg":"RS256","crit":["exp"],"exp":1}"#, "member crit is not"),
        (r#"{"alg":"RS256","crit":[]}"#, "member crit is not"),
        (r#"{"alg":"RS256","b64":false}"#, "member b64 is not"),
        (r#"{"alg":"RS256","jwk":{"kty":"RSA"}}"#, "member jwk is not"),
        (r#"{"alg":"RS256","jku":"https://evil.example"}"#, "member jku is not"),
        (r#"{"alg":"RS256","x5u":"https://evil.example"}"#, "member x5u is not"),
        (r#"{"alg":"RS256","x5c":["MII"]}"#, "member x5c is not"),
        (r#"{"alg":"RS256","zip":"DEF"}"#, "member zip is not"),
        (r#"{"alg":"RSA-OAEP","enc":"A128GCM"}"#, "member enc is not"),
        (r#"{"alg":"RS256","alg":"none"}"#, "repeated"),
        (r#"{"alg":"none","\u0061lg":"RS256"}"#, "repeated"),
        (r#"{"alg":"RS256","x":1,"x":2}"#, "repeated"),
        (r#"{"alg":"RS256"} x"#, "syntax breaks"),
        (r#"["RS256"]"#, "wrong type"),
        ("", "empty"),
        ("{", "syntax breaks"),
        (&many, "too many members"),
        (&long_kid, "256 bytes"),
        (&deep, "syntax breaks"),
    ] {
        let error = Unverified::parse(&signed(header, "{}", "s")).unwrap_err().to_string();
        assert!(error.contains(expected), "{error} for {header}");
    }
}

#[test]
fn shapes_that_are_no_jws_are_refused() {
    let (_, token) = sample(SigningAlgorithm::EdDSA);
    let (signing_input, signature) = token.rsplit_once('.').unwrap();
    for shape in ["", ".", "..", "a.b", "a.b.c.d", "a.b.c.d.e", "{}", "a b c", "é.é.é"] {
        assert!(Unverified::parse(shape).is_err(), "{shape}");
    }
    assert!(Unverified::parse(&format!("{signing_input}.")).is_err(), "no signature");
    assert!(Unverified::parse(&format!("{signing_input}={signature}")).is_err());
    let padded = token.replacen('.', "=.", 1);
    assert!(Unverified::parse(&padded).is_err(), "padding");
    let spaced = format!(" {token}");
    assert!(Unverified::parse(&spaced).is_err(), "white space");
    let long = format!("{token}{}", "A".repeat(MAX_TOKEN_BYTES));
    assert_eq!(Unverified::parse(&long).unwrap_err(), JoseError::TooLong(MAX_TOKEN_BYTES));
}

#[test]
fn types_compare_as_media_types() {
    for (typ, fits) in [
        ("at+jwt", true),
        ("AT+JWT", true),
        ("application/at+jwt", true),
        ("Application/At+Jwt", true),
        ("JWT", false),
        ("application/application/at+jwt", false),
        ("at+jwt ", false),
        ("", false),
    ] {
        let token = signed(&format!(r#"{{"alg":"RS256","typ":"{typ}"}}"#), "{}", "s");
        assert_eq!(Unverified::parse(&token).unwrap().is_type("at+jwt"), fits, "{typ}");
    }
    assert!(!Unverified::parse(&signed(r#"{"alg":"RS256"}"#, "{}", "s")).unwrap().is_type("at+jwt"));
}

#[test]
fn an_unprepared_type_is_signed_too() {
    let (key, _) = sample(SigningAlgorithm::ES256);
    let token = key.sign("token-introspection+jwt", &json!({})).unwrap();
    assert_eq!(Unverified::parse(&token).unwrap().typ(), Some("token-introspection+jwt"));
}

#[test]
fn claims_read_before_verification_are_strict_json() {
    let read = |claims: &str| {
        let token = signed(r#"{"alg":"RS256"}"#, claims, "s");
        Unverified::parse(&token).unwrap().unverified_claims()
    };
    assert_eq!(read(r#"{"iss":"a"}"#).unwrap()["iss"], "a");
    for claims in [r#"{"iss":"a","iss":"b"}"#, "[]", "7", "{", "\u{feff}{}"] {
        assert!(read(claims).is_err(), "{claims}");
    }
}

#[test]
fn nothing_secret_is_printed() {
    let (key, token) = sample(SigningAlgorithm::EdDSA);
    let unverified = Unverified::parse(&token).unwrap();
    let printed = format!("{key:?} {unverified:?} {:?}", unverified.verify(key.verification_key()).unwrap());
    let signature = token.rsplit_once('.').unwrap().1;
    assert!(!printed.contains(signature) && !printed.contains("id.example"), "{printed}");
    let hmac = VerificationKey::hmac(JwsAlgorithm::HS256, &[b'k'; 32]).unwrap();
    assert!(!format!("{hmac:?}").contains("kkk"));
}

proptest! {
    #[test]
    fn reading_never_panics(token in "\\PC{0,200}", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Unverified::parse(&token);
        let _ = json::parse_object(&bytes, "claims");
        let _ = JwkSet::from_json(&bytes);
        let encoded = URL_SAFE_NO_PAD.encode(&bytes);
        let token = format!("eyJhbGciOiJFUzI1NiJ9.{encoded}.{encoded}");
        if let Ok(unverified) = Unverified::parse(&token) {
            let _ = unverified.unverified_claims();
        }
        let _ = Unverified::parse(&format!("{encoded}.e30.AA"));
        for algorithm in SigningAlgorithm::ALL {
            prop_assert!(SigningKey::from_pkcs8(*algorithm, &bytes).is_err());
        }
    }

    #[test]
    fn a_changed_token_never_verifies(position in 0_usize..1000, replacement in "[A-Za-z0-9_-]") {
        thread_local! { static SAMPLE: (SigningKey, String) = sample(SigningAlgorithm::EdDSA); }
        SAMPLE.with(|(key, token)| {
            let mut changed = token.clone();
            let position = position % token.len();
            changed.replace_range(position..=position, &replacement);
            if changed != *token {
                let verified = Unverified::parse(&changed).and_then(|unverified| unverified.verify(key.verification_key()));
                prop_assert!(verified.is_err());
            }
            Ok(())
        })?;
    }
}
