//! A device with a passkey, made of its specification: W3C Web Authentication Level 3 §6.1, §6.5.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use symbolon::protocol::secret::TokenHash;

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const ATTESTED: u8 = 0x40;

/// A device with one passkey.
pub(crate) struct Device {
    key: EcdsaKeyPair,
    id: [u8; 16],
    handle: String,
    counter: u32,
    /// What the browser says of the page.
    pub(crate) origin: String,
    /// Whether it recognises its owner.
    pub(crate) verifies: bool,
}

impl Device {
    pub(crate) fn new(number: u8, origin: &str) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
        Self { key, id: [number; 16], handle: String::new(), counter: 0, origin: origin.to_owned(), verifies: true }
    }

    /// Makes its passkey: what `navigator.credentials.create` gives.
    pub(crate) fn create(&mut self, options: &Value) -> Value {
        options["user"]["id"].as_str().expect("a handle").clone_into(&mut self.handle);
        let point = self.key.public_key().as_ref();
        let (x, y) = (&point[1..33], &point[33..65]);
        let cose = [&b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20"[..], x, b"\x22\x58\x20", y].concat();
        let length = [0, u8::try_from(self.id.len()).expect("short")];
        let data = [self.data(&options["rp"]["id"], ATTESTED), vec![0; 16], length.to_vec(), self.id.to_vec(), cose];
        let data = data.concat();
        let short = u8::try_from(data.len()).expect("short");
        let object = [b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec(), vec![short], data].concat();
        let said = self.said("webauthn.create", options);
        self.credential(&json!({"clientDataJSON": said, "attestationObject": URL_SAFE_NO_PAD.encode(object)}))
    }

    /// Uses it: what `navigator.credentials.get` gives.
    pub(crate) fn get(&mut self, options: &Value) -> Value {
        self.counter += 1;
        let data = self.data(&options["rpId"], 0);
        let said = self.said("webauthn.get", options);
        let hash = TokenHash::of_bytes(&URL_SAFE_NO_PAD.decode(&said).expect("base64url"));
        let signed = [data.as_slice(), hash.as_bytes()].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).expect("signed");
        self.credential(&json!({
            "clientDataJSON": said,
            "authenticatorData": URL_SAFE_NO_PAD.encode(data),
            "signature": URL_SAFE_NO_PAD.encode(signature.as_ref()),
            "userHandle": self.handle,
        }))
    }

    fn data(&self, relying_party: &Value, more: u8) -> Vec<u8> {
        let hash = TokenHash::of(relying_party.as_str().expect("a name"));
        let flags = PRESENT | more | if self.verifies { VERIFIED } else { 0 };
        [hash.as_bytes().as_slice(), &[flags], &self.counter.to_be_bytes()].concat()
    }

    fn said(&self, kind: &str, options: &Value) -> String {
        let said =
            json!({"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": false});
        URL_SAFE_NO_PAD.encode(said.to_string())
    }

    fn credential(&self, response: &Value) -> Value {
        let id = URL_SAFE_NO_PAD.encode(self.id);
        json!({"id": id, "rawId": id, "type": "public-key", "response": response, "extensions": {}})
    }
}
