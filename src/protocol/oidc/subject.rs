//! Subject identifiers.
//!
//! OIDC Core §8, §8.1 (pairwise); OIDC Registration §5 (`sector_identifier_uri`).

use url::Url;

use crate::protocol::client_metadata::ClientMetadata;
use crate::protocol::error::OAuthError;
use crate::protocol::secret::MacKey;

/// The pairwise `sub` of a person for all clients of one sector: 43 characters.
///
/// `user` is the id of the person. Without `key` nobody can tell that two of them are the same person (§8.1).
pub fn pairwise(key: &MacKey, sector: &str, user: &[u8; 16]) -> String {
    key.mac_text(&[b"pairwise", sector.as_bytes(), user])
}

/// The sector a client belongs to: the host of its `sector_identifier_uri`, else the one host of its redirect URIs.
///
/// # Errors
/// `invalid_client_metadata` when the redirect URIs have several hosts or none, so that `sector_identifier_uri` is
/// needed (§8.1).
pub fn sector_identifier(metadata: &ClientMetadata) -> Result<String, OAuthError> {
    let host = |uri: &String| Url::parse(uri).ok().and_then(|url| url.host_str().map(str::to_owned));
    if let Some(uri) = &metadata.sector_identifier_uri {
        return host(uri).ok_or_else(|| OAuthError::invalid_client_metadata("sector_identifier_uri has no host"));
    }
    let mut hosts = metadata.redirect_uris.iter().map(host);
    match hosts.next().flatten() {
        Some(first) if hosts.all(|other| other.as_ref() == Some(&first)) => Ok(first),
        _ => Err(OAuthError::invalid_client_metadata(
            "subject_type pairwise needs sector_identifier_uri unless all redirect_uris have the same host",
        )),
    }
}

/// Checks the document found at `sector_identifier_uri`: a JSON array that lists each redirect URI (OIDC Registration §5).
///
/// # Errors
/// `invalid_client_metadata` when it is not or does not.
pub fn check_sector_document(document: &[u8], redirect_uris: &[String]) -> Result<(), OAuthError> {
    let listed = serde_json::from_slice::<Vec<String>>(document).map_err(|error| {
        OAuthError::invalid_client_metadata("sector_identifier_uri does not lead to a JSON array of redirect URIs")
            .caused_by(error)
    })?;
    match redirect_uris.iter().find(|uri| !listed.contains(uri)) {
        None => Ok(()),
        Some(missing) => Err(OAuthError::invalid_client_metadata(
            "the document at sector_identifier_uri does not list all redirect_uris",
        )
        .hint(format!("missing: {missing}"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata(redirect_uris: &[&str], sector_identifier_uri: Option<&str>) -> ClientMetadata {
        serde_json::from_value(json!({
            "redirect_uris": redirect_uris,
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            "application_type": "native",
            "subject_type": "pairwise",
            "id_token_signed_response_alg": "RS256",
            "sector_identifier_uri": sector_identifier_uri,
        }))
        .expect("complete")
    }

    #[test]
    fn sectors_are_hosts() {
        for (uris, sector_uri, sector) in [
            (&["https://a.example/x", "https://a.example:8443/y"][..], None, Some("a.example")),
            (&["https://a.example/x", "https://b.example/y"], None, None),
            (&["https://a.example/x", "https://b.example/y"], Some("https://s.example/uris.json"), Some("s.example")),
            (&["com.example.app:/cb"], None, None),
            (&[], None, None),
        ] {
            assert_eq!(sector_identifier(&metadata(uris, sector_uri)).ok().as_deref(), sector, "{uris:?}");
        }
    }

    #[test]
    fn subjects_differ_by_sector_and_person() {
        let key = MacKey::new(&[1; 32]);
        let alice = pairwise(&key, "a.example", &[1; 16]);
        assert_eq!(alice, pairwise(&key, "a.example", &[1; 16]));
        assert_eq!(alice.len(), 43);
        assert_ne!(alice, pairwise(&key, "b.example", &[1; 16]));
        assert_ne!(alice, pairwise(&key, "a.example", &[2; 16]));
        assert_ne!(alice, pairwise(&MacKey::new(&[2; 32]), "a.example", &[1; 16]));
    }

    #[test]
    fn the_sector_document_lists_each_redirect_uri() {
        let uris = ["https://a.example/x".to_owned(), "https://b.example/y".to_owned()];
        let good = json!(["https://b.example/y", "https://a.example/x", "https://c.example/z"]).to_string();
        assert!(check_sector_document(good.as_bytes(), &uris).is_ok());
        for bad in ["", "{}", "[]", "[1]", r#"["https://a.example/x"]"#] {
            assert!(check_sector_document(bad.as_bytes(), &uris).is_err(), "{bad}");
        }
    }
}
