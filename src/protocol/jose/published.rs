//! Private keys that everybody has: those of specifications, of examples, and of our own tests.
//!
//! RFC 7638 (the thumbprint by which a key is known), PROTOCOL.md A19. `keys/README.md` tells where each comes from.

/// Thumbprints of keys whose private half was published.
const THUMBPRINTS: &[&str] = &[
    // keys/
    "SXe2Hzz02Qkv50T3Ax0XR-eAx1HA-gqRuJkrKnop3Bw",
    "zoq-m2jQe-VDn9dZ-IYkVJpKSlBWKT2U37KBMgWBgps",
    "01DG09zMawdgiQmYNd1JaiKUyKCDQ6g8doPHuhR_XE4",
    "fJsLWeIpJK1I4bd8JctAM2gSIfn9YZ8VHPRK4-_eGyA",
    "7zFUDOHt4OJcp7nkk6SswkS5bFtbOL6ag96O1iT5-Bs",
    "FLvKdGisaAF6QheVhsMoHCj735vmrXxS7lyzpbJPZZg",
    // RFC 8037 §A.1
    "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
    // RFC 7517 §A.2, whose RSA key is that of RFC 7638 §3.1
    "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s",
    "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
    // RFC 7515 §A.3
    "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U",
];

/// True when everybody can sign with the key of this name (its thumbprint, as every key of ours is named).
pub fn is_published(kid: &str) -> bool {
    THUMBPRINTS.contains(&kid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::jose::import::import;

    /// RFC 8037 §A.1 and every key of `keys/`, in whatever form.
    #[test]
    fn keys_of_examples_and_tests_are_known() {
        let okp = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        assert!(is_published(import(okp.as_bytes(), None).unwrap().key.kid()));
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/keys");
        let mut seen = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "pem" || ending == "openssh") {
                let key = import(&std::fs::read(&path).unwrap(), None).unwrap();
                assert!(is_published(key.key.kid()), "{}: {}", path.display(), key.key.kid());
                seen += 1;
            }
        }
        assert_eq!(seen, 11);
    }
}
