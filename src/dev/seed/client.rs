//! The seeded clients: one of each kind.

use std::collections::BTreeMap;

use crate::dev::credentials::Credentials;
use crate::dev::demo::BACKCHANNEL_LOGOUT;
use crate::model::client::{Client, ClientOrigin, ClientPolicy, ClientSecret};
use crate::model::fault::Fault;
use crate::protocol::client_metadata::{ApplicationType, ClientAuthMethod, ClientMetadata, GrantType, SubjectType};
use crate::protocol::jose::algorithm::SigningAlgorithm;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::response_type::ResponseType;
use crate::protocol::secret::TokenHash;

/// The demo app: a web app with a secret.
pub const DEMO_WEB: &str = "demo-web";
/// The single-page app: public.
pub const DEMO_SPA: &str = "demo-spa";
/// A service that speaks for itself.
pub const DEMO_API: &str = "demo-api";
/// The API that access tokens of these clients are for.
pub const API_AUDIENCE: &str = "https://api.example.com";

/// Where development servers of single-page apps usually listen.
const SPA_DEVELOPMENT: &str = "http://localhost:5173";

/// Every client, for a demo app on the origin `demo`.
///
/// # Errors
/// None with these names; they are checked like any other client id.
pub(super) fn clients(demo: &str, credentials: &Credentials, now: NumericDate) -> Result<Vec<Client>, Fault> {
    let web = ClientMetadata {
        redirect_uris: vec![format!("{demo}/callback")],
        post_logout_redirect_uris: vec![format!("{demo}/"), format!("{demo}/signed-out")],
        initiate_login_uri: Some(format!("{demo}/sign-in")),
        backchannel_logout_uri: Some(format!("{demo}{BACKCHANNEL_LOGOUT}")),
        backchannel_logout_session_required: true,
        client_uri: Some(format!("{demo}/")),
        ..for_people("Demo app", ClientAuthMethod::ClientSecretBasic)
    };
    let spa = ClientMetadata {
        redirect_uris: vec![
            format!("{demo}/spa"),
            format!("{SPA_DEVELOPMENT}/"),
            format!("{SPA_DEVELOPMENT}/callback"),
        ],
        post_logout_redirect_uris: vec![format!("{demo}/spa"), format!("{SPA_DEVELOPMENT}/")],
        client_uri: Some(format!("{demo}/spa")),
        ..for_people("Demo single-page app", ClientAuthMethod::None)
    };
    let api = ClientMetadata {
        grant_types: vec![GrantType::ClientCredentials],
        response_types: Vec::new(),
        ..for_people("Demo service", ClientAuthMethod::ClientSecretBasic)
    };
    [(DEMO_WEB, web), (DEMO_SPA, spa), (DEMO_API, api)]
        .into_iter()
        .map(|(name, metadata)| client(name, metadata, credentials, now))
        .collect()
}

fn client(name: &str, metadata: ClientMetadata, credentials: &Credentials, now: NumericDate) -> Result<Client, Fault> {
    let secret = (metadata.token_endpoint_auth_method != ClientAuthMethod::None)
        .then(|| ClientSecret::Hashed(TokenHash::of(credentials.of(name).expose())));
    Ok(Client {
        id: name.parse().map_err(|error| Fault::internal(format!("seed the client {name}")).caused_by(error))?,
        metadata,
        secret,
        origin: ClientOrigin::Operator,
        policy: ClientPolicy { audience: vec![API_AUDIENCE.to_owned()], development: true, ..ClientPolicy::default() },
        created_at: now,
        disabled_at: None,
    })
}

/// The defaults of a client that signs people in (RFC 7591 §2).
fn for_people(client_name: &str, token_endpoint_auth_method: ClientAuthMethod) -> ClientMetadata {
    ClientMetadata {
        redirect_uris: Vec::new(),
        token_endpoint_auth_method,
        token_endpoint_auth_signing_alg: None,
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        response_types: vec![ResponseType::Code],
        application_type: ApplicationType::Web,
        client_name: Some(client_name.to_owned()),
        client_uri: None,
        logo_uri: None,
        policy_uri: None,
        tos_uri: None,
        contacts: Vec::new(),
        scope: None,
        jwks_uri: None,
        jwks: None,
        subject_type: SubjectType::Public,
        sector_identifier_uri: None,
        id_token_signed_response_alg: SigningAlgorithm::RS256,
        userinfo_signed_response_alg: None,
        default_max_age: None,
        require_auth_time: false,
        default_acr_values: Vec::new(),
        initiate_login_uri: None,
        post_logout_redirect_uris: Vec::new(),
        backchannel_logout_uri: None,
        backchannel_logout_session_required: false,
        frontchannel_logout_uri: None,
        frontchannel_logout_session_required: false,
        software_id: None,
        software_version: None,
        localized: BTreeMap::new(),
    }
}
