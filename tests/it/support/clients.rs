//! Clients as an operator registers them.

use serde_json::{Value, json};
use symbolon::model::client::{Client, ClientOrigin, ClientPolicy, ClientSecret};
use symbolon::protocol::client_metadata::ClientMetadata;
use symbolon::protocol::numeric_date::NumericDate;
use symbolon::protocol::secret::TokenHash;

use super::world::BEGINNING;

/// The secret of every confidential client.
pub(crate) const SECRET: &str = "a secret of this client, long enough for anything: 0123456789";

/// A client with these metadata, over those of a web app.
pub(crate) fn client(id: &str, changed: &Value) -> Client {
    let mut metadata = json!({
        "redirect_uris": [format!("https://{id}.example/callback")],
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "application_type": "web",
        "client_name": format!("The {id}"),
        "client_uri": format!("https://{id}.example/"),
        "subject_type": "public",
        "id_token_signed_response_alg": "RS256",
        "post_logout_redirect_uris": [format!("https://{id}.example/bye")],
    });
    for (name, value) in changed.as_object().expect("an object") {
        metadata[name] = value.clone();
    }
    let metadata: ClientMetadata = serde_json::from_value(metadata).expect("metadata");
    let secret = metadata.token_endpoint_auth_method.needs_secret();
    Client {
        id: id.parse().expect("a client id"),
        metadata,
        secret: secret.then(|| ClientSecret::Hashed(TokenHash::of(SECRET))),
        origin: ClientOrigin::Operator,
        policy: ClientPolicy::default(),
        created_at: NumericDate::from_seconds(BEGINNING),
        disabled_at: None,
    }
}

/// A web app with a secret.
pub(crate) fn web(id: &str) -> Client {
    client(id, &json!({}))
}

/// A single-page app: public.
pub(crate) fn spa(id: &str) -> Client {
    client(id, &json!({"token_endpoint_auth_method": "none"}))
}

/// An app on a machine of its user.
pub(crate) fn native(id: &str) -> Client {
    let redirect_uris = ["http://127.0.0.1/callback", "http://[::1]/callback", "com.example.app:/callback"];
    client(
        id,
        &json!({"token_endpoint_auth_method": "none", "application_type": "native", "redirect_uris": redirect_uris}),
    )
}

/// An app on a device without a browser: public.
pub(crate) fn device(id: &str) -> Client {
    client(
        id,
        &json!({
            "token_endpoint_auth_method": "none", "application_type": "native", "redirect_uris": [], "response_types": [],
            "grant_types": ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
        }),
    )
}

/// A service that speaks for itself.
pub(crate) fn service(id: &str) -> Client {
    client(id, &json!({"grant_types": ["client_credentials"], "response_types": [], "redirect_uris": []}))
}
