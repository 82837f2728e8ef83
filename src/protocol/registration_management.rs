//! The client update request.
//!
//! RFC 7592 §2.2.

use serde_json::{Map, Value};

use crate::protocol::client_metadata::ClientMetadata;
use crate::protocol::client_registration::RegistrationRules;
use crate::protocol::error::OAuthError;

/// Members that are ours to give; an update must not hold them (RFC 7592 §2.2).
const OURS: &[&str] =
    &["registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"];

/// Reads an update, which replaces all of the client's metadata.
///
/// `client_id` is the client that the registration access token belongs to; `is_secret` tells, in constant time,
/// whether a secret is its own.
///
/// # Errors
/// `invalid_client_metadata` for a member that is ours to give, another `client_id`, another secret; else as
/// [`ClientMetadata::parse`].
pub fn parse_update(
    json: &Map<String, Value>,
    client_id: &str,
    is_secret: impl FnOnce(&str) -> bool,
    rules: &RegistrationRules<'_>,
) -> Result<ClientMetadata, OAuthError> {
    let refuse = |reason: String| Err(OAuthError::invalid_client_metadata(reason));
    if let Some(name) = OURS.iter().find(|name| json.contains_key(**name)) {
        return refuse(format!("{name} must not be in an update (RFC 7592 section 2.2)"));
    }
    match json.get("client_id") {
        Some(Value::String(given)) if given == client_id => {}
        Some(_) => return refuse("client_id must be the client's own".to_owned()),
        None => return refuse("client_id is missing".to_owned()),
    }
    match json.get("client_secret") {
        None | Some(Value::Null) => {}
        Some(Value::String(given)) if is_secret(given) => {}
        Some(_) => return refuse("client_secret must be the client's present one, or be left out".to_owned()),
    }
    ClientMetadata::parse(json, rules)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::client_registration::Unsupported;
    use crate::protocol::jose::algorithm::SigningAlgorithm;
    use crate::protocol::scope::Scope;

    fn update(changes: &Value) -> Result<ClientMetadata, OAuthError> {
        let mut json = json!({"client_id": "app", "redirect_uris": ["https://app.example/cb"]});
        let members = json.as_object_mut().expect("an object");
        members.extend(changes.as_object().expect("an object").clone());
        let rules = RegistrationRules {
            scopes_supported: &Scope::empty(),
            signing_algorithms: &[SigningAlgorithm::RS256],
            unsupported: Unsupported::LeaveOut,
            allows_http_loopback: false,
        };
        parse_update(members, "app", |secret| secret == "s1", &rules)
    }

    #[test]
    fn an_update_replaces_everything() {
        let metadata = update(&json!({"client_secret": "s1", "client_name": "New"})).expect("a good update");
        assert_eq!(metadata.client_name.as_deref(), Some("New"));
        assert!(update(&json!({"client_secret": null})).is_ok());
    }

    #[test]
    fn what_is_ours_to_give_is_refused() {
        for changes in [
            json!({"client_id": "other"}),
            json!({"client_id": 1}),
            json!({"client_id": null}),
            json!({"client_secret": "s2"}),
            json!({"client_secret": 1}),
            json!({"registration_access_token": "x"}),
            json!({"registration_client_uri": "https://id.example"}),
            json!({"client_secret_expires_at": 0}),
            json!({"client_id_issued_at": 0}),
            json!({"redirect_uris": "https://app.example/cb"}),
        ] {
            assert!(update(&changes).is_err(), "{changes}");
        }
    }
}
