//! Discovery: derived from the lists, so that it cannot lie.
//!
//! OIDC Discovery §3, RFC 8414 §2.

use crate::model::authentication::Acr;
use crate::model::claim_mapper::DIRECTORY_SCOPES;
use crate::oauth::client_auth::METHODS;
use crate::oauth::endpoint::device_authorization::DEVICE_AUTHORIZATION_ENDPOINT;
use crate::oauth::first_party::CHALLENGE_ENDPOINT;
use crate::oauth::grant::GRANT_TYPES;
use crate::oauth::policy::{ChallengeEndpoint, ClientRegistration};
use crate::oauth::provider::Provider;
use crate::protocol::authorization_request::Display;
use crate::protocol::client_metadata::{ClientAuthMethod, SubjectType};
use crate::protocol::metadata::{ProviderMetadata, client_assertion_algorithms};
use crate::protocol::oidc::claims::claims_supported;
use crate::protocol::oidc::prompt::Prompt;
use crate::protocol::response_mode::ResponseMode;
use crate::protocol::response_type::ResponseType;

/// The document at both well-known places.
pub fn metadata(provider: &Provider) -> ProviderMetadata {
    let at = |path: &str| provider.issuer.at(path);
    let accounts = &provider.accounts.settings;
    let algorithms = provider.keys.load().algorithms();
    // RFC 7662 §2.1: who introspects proves who it is.
    let confidential: Vec<ClientAuthMethod> =
        METHODS.iter().copied().filter(|method| *method != ClientAuthMethod::None).collect();
    ProviderMetadata {
        issuer: provider.issuer.as_str().to_owned(),
        authorization_endpoint: at("/oauth2/authorize"),
        token_endpoint: at("/oauth2/token"),
        userinfo_endpoint: at("/oauth2/userinfo"),
        jwks_uri: at("/oauth2/jwks"),
        registration_endpoint: match provider.policy.client_registration {
            ClientRegistration::Off => None,
            ClientRegistration::InitialAccessToken(_) | ClientRegistration::Open => Some(at("/oauth2/register")),
        },
        authorization_challenge_endpoint: match provider.policy.challenge_endpoint {
            ChallengeEndpoint::Off => None,
            ChallengeEndpoint::On => Some(at(CHALLENGE_ENDPOINT)),
        },
        device_authorization_endpoint: at(DEVICE_AUTHORIZATION_ENDPOINT),
        revocation_endpoint: at("/oauth2/revoke"),
        introspection_endpoint: at("/oauth2/introspect"),
        end_session_endpoint: at("/oauth2/logout"),
        // Whatever ends a session tells them, and each of our logout tokens has a sid.
        backchannel_logout_supported: true,
        backchannel_logout_session_supported: true,
        frontchannel_logout_supported: true,
        frontchannel_logout_session_supported: true,
        scopes_supported: provider.scopes_supported.clone(),
        response_types_supported: ResponseType::ALL.to_vec(),
        response_modes_supported: ResponseMode::ALL.to_vec(),
        grant_types_supported: GRANT_TYPES.to_vec(),
        acr_values_supported: Acr::REACHABLE.iter().map(|acr| acr.as_str().to_owned()).collect(),
        subject_types_supported: vec![SubjectType::Public, SubjectType::Pairwise],
        userinfo_signing_alg_values_supported: algorithms.clone(),
        id_token_signing_alg_values_supported: algorithms,
        token_endpoint_auth_methods_supported: METHODS.to_vec(),
        token_endpoint_auth_signing_alg_values_supported: client_assertion_algorithms(),
        revocation_endpoint_auth_methods_supported: METHODS.to_vec(),
        revocation_endpoint_auth_signing_alg_values_supported: client_assertion_algorithms(),
        introspection_endpoint_auth_methods_supported: confidential,
        introspection_endpoint_auth_signing_alg_values_supported: client_assertion_algorithms(),
        display_values_supported: Display::ALL.to_vec(),
        prompt_values_supported: Prompt::VALUES
            .iter()
            .copied()
            .filter(|value| *value != "create" || accounts.registers)
            .collect(),
        claim_types_supported: vec!["normal"],
        claims_supported: claims_supported()
            .into_iter()
            .chain(DIRECTORY_SCOPES.iter().copied())
            .map(str::to_owned)
            .chain(accounts.attributes.all().iter().filter_map(|attribute| attribute.claim.clone()))
            .collect(),
        ui_locales_supported: provider.ui_locales.clone(),
        service_documentation: None,
        op_policy_uri: None,
        op_tos_uri: None,
        claims_parameter_supported: true,
        request_parameter_supported: false,
        request_uri_parameter_supported: false,
        code_challenge_methods_supported: vec!["S256"],
        authorization_response_iss_parameter_supported: true,
    }
}
