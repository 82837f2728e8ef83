//! Private keys from outside: PEM, DER and JWK become the one form that we keep.
//!
//! RFC 7468 (PEM), RFC 5958 (PKCS#8), RFC 8017 §A.1.2 (RSA), RFC 5915 (EC), RFC 7517 and 7518 §6 (JWK), RFC 8037 §2; OpenSSH's form.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::protocol::jose::algorithm::SigningAlgorithm;
use crate::protocol::jose::error::JoseError;
use crate::protocol::jose::jws::{GeneratedKey, SigningKey};
use crate::protocol::jose::openssh::{OpenSshKey, modulo_predecessor};
use crate::protocol::secret::Secret;

/// Bytes of a key file that we read.
pub const MAX_BYTES: usize = 64 * 1024;

/// Reads a private key from PEM (also with `|` for line breaks, as variables hold it), from DER or a JWK. `algorithm` is needed only
/// to use an RSA key for PS256.
///
/// # Errors
/// [`JoseError::Key`] when it is encrypted, of an unknown kind, weak, or not for `algorithm`.
pub fn import(bytes: &[u8], algorithm: Option<SigningAlgorithm>) -> Result<GeneratedKey, JoseError> {
    let found = match std::str::from_utf8(bytes).map(str::trim) {
        Ok(text) if text.starts_with('{') => from_jwk(text)?,
        Ok(text) if text.contains("-----BEGIN ") => from_pem(text)?,
        _ => from_der(bytes)?,
    };
    let own = algorithm.or(found.named).unwrap_or(found.usual);
    let is_fit = own == found.usual || (found.usual == SigningAlgorithm::RS256 && own == SigningAlgorithm::PS256);
    if !is_fit {
        return Err(JoseError::Key("it is of another kind than its algorithm"));
    }
    Ok(GeneratedKey { key: SigningKey::from_pkcs8(own, found.pkcs8.expose())?, pkcs8: found.pkcs8 })
}

struct Found {
    pkcs8: Secret<Vec<u8>>,
    usual: SigningAlgorithm,
    named: Option<SigningAlgorithm>,
}

const CURVES: &[(SigningAlgorithm, &EcdsaSigningAlgorithm)] = &[
    (SigningAlgorithm::ES256, &ECDSA_P256_SHA256_FIXED_SIGNING),
    (SigningAlgorithm::ES384, &ECDSA_P384_SHA384_FIXED_SIGNING),
    (SigningAlgorithm::ES512, &ECDSA_P521_SHA512_FIXED_SIGNING),
];

/// The first private key of a PEM text; what stands around it is ignored (RFC 7468 §2).
fn from_pem(text: &str) -> Result<Found, JoseError> {
    for (_, block) in text.match_indices("-----BEGIN ").map(|(at, begin)| text.split_at(at + begin.len())) {
        let Some((label, rest)) = block.split_once("-----") else { break };
        match label {
            "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" | "OPENSSH PRIVATE KEY" => {}
            "ENCRYPTED PRIVATE KEY" => return Err(ENCRYPTED),
            // Parameters and certificates often stand beside a key.
            _ => continue,
        }
        let (body, _) = rest.split_once("-----END ").ok_or(JoseError::Key("its PEM has no end"))?;
        if body.contains("Proc-Type:") {
            return Err(ENCRYPTED);
        }
        let is_break = |character: char| character.is_whitespace() || character == '|';
        let body = Zeroizing::new(body.split(is_break).collect::<String>());
        let body = STANDARD.decode(body.as_bytes()).map(Zeroizing::new);
        let body = body.map_err(|_| JoseError::Key("its PEM is damaged"))?;
        return if label == "OPENSSH PRIVATE KEY" { from_openssh(&body) } else { from_der(&body) };
    }
    Err(JoseError::Key("the PEM holds no private key"))
}

const ENCRYPTED: JoseError =
    JoseError::Key("it is encrypted; decrypt a copy with `openssl pkcs8 -in FILE -out COPY` first");

fn from_der(der: &[u8]) -> Result<Found, JoseError> {
    if let Ok(pair) = RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der)) {
        return rsa(&pair);
    }
    if let Ok(pair) = Ed25519KeyPair::from_pkcs8(der) {
        return ed25519(&pair);
    }
    for (algorithm, curve) in CURVES {
        if let Ok(pair) =
            EcdsaKeyPair::from_pkcs8(curve, der).or_else(|_| EcdsaKeyPair::from_private_key_der(curve, der))
        {
            return ec(*algorithm, &pair);
        }
    }
    Err(JoseError::Key("it is no RSA key of 2048 bits or more, no key on P-256, P-384 or P-521, and no Ed25519 key"))
}

fn from_openssh(bytes: &[u8]) -> Result<Found, JoseError> {
    let inconsistent = |_| JoseError::Key("its numbers do not form a key pair");
    match OpenSshKey::parse(bytes)? {
        OpenSshKey::Ed25519 { public, seed } => {
            ed25519(&Ed25519KeyPair::from_seed_and_public_key(seed, public).map_err(inconsistent)?)
        }
        OpenSshKey::Ec { curve, point, scalar } => {
            let names: [(&[u8], usize); 3] = [(b"nistp256", 32), (b"nistp384", 48), (b"nistp521", 66)];
            let known = CURVES.iter().zip(names).find(|(_, (name, _))| *name == curve);
            let ((algorithm, signing), (_, length)) = known.ok_or(JoseError::Key("its curve is not supported"))?;
            // A number of RFC 4251 is as short as it can be, with a zero where it would be negative.
            let digits = scalar.iter().position(|byte| *byte != 0).and_then(|first| scalar.get(first..)).unwrap_or(&[]);
            let mut padded = Zeroizing::new(vec![0; length.saturating_sub(digits.len())]);
            padded.extend_from_slice(digits);
            ec(
                *algorithm,
                &EcdsaKeyPair::from_private_key_and_public_key(signing, &padded, point).map_err(inconsistent)?,
            )
        }
        OpenSshKey::Rsa(key) => {
            let (dp, dq) = (modulo_predecessor(key.d, key.p), modulo_predecessor(key.d, key.q));
            let numbers = [key.n, key.e, key.d, key.p, key.q, &dp, &dq, key.qi];
            let numbers: Vec<_> = numbers.into_iter().map(|number| Zeroizing::new(number.to_vec())).collect();
            rsa(&RsaKeyPair::from_der(&rsa_private_key(&numbers)).map_err(inconsistent)?)
        }
    }
}

fn rsa(pair: &RsaKeyPair) -> Result<Found, JoseError> {
    let der = AsDer::<Pkcs8V1Der<'_>>::as_der(pair).map_err(|_| JoseError::Key("it cannot be written as PKCS#8"))?;
    Ok(Found { pkcs8: Secret::new(der.as_ref().to_vec()), usual: SigningAlgorithm::RS256, named: None })
}

fn ed25519(pair: &Ed25519KeyPair) -> Result<Found, JoseError> {
    let der = pair.to_pkcs8v1().map_err(|_| JoseError::Key("it cannot be written as PKCS#8"))?;
    Ok(Found { pkcs8: Secret::new(der.as_ref().to_vec()), usual: SigningAlgorithm::EdDSA, named: None })
}

fn ec(usual: SigningAlgorithm, pair: &EcdsaKeyPair) -> Result<Found, JoseError> {
    let der = pair.to_pkcs8v1().map_err(|_| JoseError::Key("it cannot be written as PKCS#8"))?;
    Ok(Found { pkcs8: Secret::new(der.as_ref().to_vec()), usual, named: None })
}

fn from_jwk(text: &str) -> Result<Found, JoseError> {
    let members: Map<String, Value> = serde_json::from_str(text).map_err(|_| JoseError::Key("it is no JSON object"))?;
    if members.contains_key("keys") {
        return Err(JoseError::Key("it is a set of keys; give one key"));
    }
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let bytes = |name: &'static str| {
        let decoded = text(name).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).map(Zeroizing::new);
        decoded.ok_or(JoseError::Key("it lacks a member of a private key, or one is not base64url"))
    };
    let inconsistent = |_| JoseError::Key("its numbers do not form a key pair");
    let found = match (text("kty"), text("crv")) {
        (Some("RSA"), _) => {
            let numbers = ["n", "e", "d", "p", "q", "dp", "dq", "qi"];
            let numbers = numbers.into_iter().map(bytes).collect::<Result<Vec<_>, _>>()?;
            rsa(&RsaKeyPair::from_der(&rsa_private_key(&numbers)).map_err(inconsistent)?)?
        }
        (Some("OKP"), Some("Ed25519")) => {
            let pair = Ed25519KeyPair::from_seed_and_public_key(&bytes("d")?, &bytes("x")?);
            ed25519(&pair.map_err(inconsistent)?)?
        }
        (Some("EC"), Some(curve)) => {
            let names = ["P-256", "P-384", "P-521"];
            let known = CURVES.iter().zip(names).find(|(_, name)| *name == curve);
            let ((algorithm, signing), _) = known.ok_or(JoseError::Key("its crv is not supported"))?;
            let point = [&[4][..], &bytes("x")?, &bytes("y")?].concat();
            let pair = EcdsaKeyPair::from_private_key_and_public_key(signing, &bytes("d")?, &point);
            ec(*algorithm, &pair.map_err(inconsistent)?)?
        }
        _ => return Err(JoseError::Key("its kty or crv is not supported")),
    };
    let named = text("alg")
        .map(|name| SigningAlgorithm::ALL.iter().copied().find(|algorithm| algorithm.as_str() == name))
        .map(|known| known.ok_or(JoseError::Key("its alg is not one we sign with")))
        .transpose()?;
    Ok(Found { named, ..found })
}

/// `RSAPrivateKey` (RFC 8017 §A.1.2): version 0, then the numbers in the order given.
fn rsa_private_key(numbers: &[Zeroizing<Vec<u8>>]) -> Zeroizing<Vec<u8>> {
    let mut content = Zeroizing::new(vec![2, 1, 0]);
    for number in numbers {
        let significant = number.iter().position(|byte| *byte != 0).and_then(|first| number.get(first..));
        let significant = significant.unwrap_or(&[0]);
        // A leading one would make it negative.
        let pad: &[u8] = if significant.first().is_some_and(|byte| *byte >= 0x80) { &[0] } else { &[] };
        content.push(2);
        content.extend(der_length(pad.len() + significant.len()));
        content.extend_from_slice(pad);
        content.extend_from_slice(significant);
    }
    let mut sequence = Zeroizing::new(vec![0x30]);
    sequence.extend(der_length(content.len()));
    sequence.extend_from_slice(&content);
    sequence
}

fn der_length(length: usize) -> Vec<u8> {
    let bytes = length.to_be_bytes();
    let significant: Vec<u8> = bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => vec![short],
        // At most eight bytes.
        _ => std::iter::once(0x80 | u8::try_from(significant.len()).unwrap_or(8)).chain(significant).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem(label: &str, der: &[u8]) -> String {
        let body = STANDARD.encode(der);
        let lines: Vec<_> = body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("Bag Attributes\n-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
    }

    #[test]
    fn every_kind_comes_back_from_pkcs8_as_pem_and_der() {
        for algorithm in SigningAlgorithm::ALL.iter().copied() {
            let made = SigningKey::generate(algorithm).unwrap();
            let wanted = (algorithm == SigningAlgorithm::PS256).then_some(algorithm);
            for bytes in [made.pkcs8.expose().clone(), pem("PRIVATE KEY", made.pkcs8.expose()).into_bytes()] {
                let read = import(&bytes, wanted).unwrap();
                assert_eq!(read.key.kid(), made.key.kid(), "{algorithm:?}");
                assert_eq!(read.key.algorithm(), algorithm);
                assert!(SigningKey::from_pkcs8(algorithm, read.pkcs8.expose()).is_ok(), "what is kept opens again");
            }
        }
    }

    /// RFC 8037 §A.1 and RFC 7517 §A.2.
    #[test]
    fn keys_of_the_specifications_are_read_from_jwk() {
        let okp = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        assert_eq!(import(okp.as_bytes(), None).unwrap().key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        let ec = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE","use":"enc","kid":"1"}"#;
        assert_eq!(import(ec.as_bytes(), None).unwrap().key.algorithm(), SigningAlgorithm::ES256);
    }

    #[test]
    fn an_rsa_key_of_a_jwk_keeps_its_name() {
        let made = SigningKey::generate(SigningAlgorithm::RS256).unwrap();
        let numbers = rsa_numbers(made.pkcs8.expose());
        let names = ["n", "e", "d", "p", "q", "dp", "dq", "qi"];
        let mut jwk: Map<String, Value> = names
            .into_iter()
            .zip(&numbers)
            .map(|(name, number)| (name.to_owned(), URL_SAFE_NO_PAD.encode(number).into()))
            .collect();
        jwk.insert("kty".into(), "RSA".into());
        jwk.insert("alg".into(), "PS256".into());
        let text = Value::Object(jwk).to_string();
        let read = import(text.as_bytes(), None).unwrap();
        assert_eq!((read.key.kid(), read.key.algorithm()), (made.key.kid(), SigningAlgorithm::PS256));
        assert!(import(text.as_bytes(), Some(SigningAlgorithm::ES256)).is_err());
        // PKCS#1, as `openssl rsa -traditional` writes it.
        let numbers: Vec<_> = numbers.into_iter().map(Zeroizing::new).collect();
        let traditional = pem("RSA PRIVATE KEY", &rsa_private_key(&numbers));
        assert_eq!(import(traditional.as_bytes(), None).unwrap().key.kid(), made.key.kid());
    }

    /// The numbers of the `RSAPrivateKey` inside a PKCS#8 document.
    fn rsa_numbers(pkcs8: &[u8]) -> Vec<Vec<u8>> {
        // The octet string is the last member; its content begins with SEQUENCE, version 0.
        let start = pkcs8.windows(3).rposition(|window| window == [2, 1, 0]).unwrap();
        let first = pkcs8.windows(3).position(|window| window == [2, 1, 0]).unwrap();
        assert!(start > first);
        let start = first + 3 + pkcs8[first + 3..].windows(3).position(|window| window == [2, 1, 0]).unwrap();
        let mut rest = &pkcs8[start + 3..];
        let mut numbers = Vec::new();
        while numbers.len() < 8 {
            let (header, length) = match rest[1] {
                0x82 => (4, usize::from(rest[2]) << 8 | usize::from(rest[3])),
                0x81 => (3, usize::from(rest[2])),
                short => (2, usize::from(short)),
            };
            numbers.push(rest[header..header + length].iter().copied().skip_while(|byte| *byte == 0).collect());
            rest = &rest[header + length..];
        }
        numbers
    }

    /// Each key of `keys/` stands there in both forms.
    #[test]
    fn a_key_of_openssh_is_the_same_as_in_pkcs8() {
        for (name, algorithm) in [
            ("ed25519", SigningAlgorithm::EdDSA),
            ("p256", SigningAlgorithm::ES256),
            ("p384", SigningAlgorithm::ES384),
            ("p521", SigningAlgorithm::ES512),
            ("rsa", SigningAlgorithm::RS256),
        ] {
            let read = |ending| {
                let path = format!("{}/keys/test-{name}.{ending}", env!("CARGO_MANIFEST_DIR"));
                std::fs::read_to_string(path).unwrap()
            };
            let openssh = read("openssh");
            let key = import(openssh.as_bytes(), None).unwrap();
            assert_eq!(key.key.algorithm(), algorithm);
            assert_eq!(key.key.kid(), import(read("pem").as_bytes(), None).unwrap().key.kid(), "{name}");
            assert!(SigningKey::from_pkcs8(algorithm, key.pkcs8.expose()).is_ok(), "what is kept opens again");
            // As the variables of seed 003 hold it.
            let one_line = openssh.replace('\n', "|");
            assert_eq!(import(one_line.as_bytes(), None).unwrap().key.kid(), key.key.kid());
        }
    }

    #[test]
    fn what_cannot_be_used_is_told_with_its_cure() {
        for (text, part) in [
            (pem("ENCRYPTED PRIVATE KEY", b"x"), "openssl pkcs8"),
            (pem("OPENSSH PRIVATE KEY", b"x"), "OpenSSH form is damaged"),
            (pem("OPENSSH PRIVATE KEY", b"openssh-key-v1\0\0\0\0\x0aaes256-ctr"), "ssh-keygen"),
            (pem("CERTIFICATE", b"x"), "no private key"),
            (pem("PRIVATE KEY", b"x"), "no RSA key"),
            ("-----BEGIN PRIVATE KEY-----\n!!!\n-----END PRIVATE KEY-----".to_owned(), "damaged"),
            (r#"{"keys":[]}"#.to_owned(), "set of keys"),
            (r#"{"kty":"RSA","n":"AQAB"}"#.to_owned(), "lacks a member"),
            (r#"{"kty":"oct","k":"AQAB"}"#.to_owned(), "not supported"),
            (String::new(), "no RSA key"),
        ] {
            let error = import(text.as_bytes(), None).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
