//! What the server tells about itself.
//!
//! OIDC Discovery §3, RFC 8414 §2, RFC 8628 §4, RFC 9207 §3, RP-Initiated Logout §2.1, Back-Channel Logout §2.1, Front-Channel Logout §3,
//! Initiating User Registration §3.

use serde::Serialize;

use crate::protocol::authorization_request::Display;
use crate::protocol::client_metadata::{ClientAuthMethod, GrantType, SubjectType};
use crate::protocol::jose::algorithm::{JwsAlgorithm, SigningAlgorithm};
use crate::protocol::response_mode::ResponseMode;
use crate::protocol::response_type::ResponseType;
use crate::protocol::scope::Scope;

/// The document at both well-known places. What is not offered is left out.
#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the members are those of the specifications")]
pub struct ProviderMetadata {
    /// Our name: `iss` in tokens and answers.
    pub issuer: String,
    /// Where browsers are sent.
    pub authorization_endpoint: String,
    /// Where codes become tokens.
    pub token_endpoint: String,
    /// Where claims about the person are.
    pub userinfo_endpoint: String,
    /// Our public keys.
    pub jwks_uri: String,
    /// Where clients register; absent when registration is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_endpoint: Option<String>,
    /// OAuth 2.0 for First-Party Applications §4; absent when it is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_challenge_endpoint: Option<String>,
    /// RFC 8628 §4: where devices begin.
    pub device_authorization_endpoint: String,
    /// RFC 7009.
    pub revocation_endpoint: String,
    /// RFC 7662.
    pub introspection_endpoint: String,
    /// RP-Initiated Logout.
    pub end_session_endpoint: String,
    /// Back-Channel Logout: apps are told when a session is over.
    pub backchannel_logout_supported: bool,
    /// They are told which, by `sid`.
    pub backchannel_logout_session_supported: bool,
    /// Front-Channel Logout: the browser tells them.
    pub frontchannel_logout_supported: bool,
    /// They are told which session of which server, by `sid` and `iss`.
    pub frontchannel_logout_session_supported: bool,
    /// Every scope token.
    #[serde(serialize_with = "tokens")]
    pub scopes_supported: Scope,
    /// Every response type.
    pub response_types_supported: Vec<ResponseType>,
    /// Every response mode.
    pub response_modes_supported: Vec<ResponseMode>,
    /// Every grant type.
    pub grant_types_supported: Vec<GrantType>,
    /// Every authentication context class that can be reached.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub acr_values_supported: Vec<String>,
    /// Public, pairwise.
    pub subject_types_supported: Vec<SubjectType>,
    /// How ID tokens can be signed.
    pub id_token_signing_alg_values_supported: Vec<SigningAlgorithm>,
    /// How `UserInfo` answers can be signed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub userinfo_signing_alg_values_supported: Vec<SigningAlgorithm>,
    /// How clients prove themselves at the token endpoint.
    pub token_endpoint_auth_methods_supported: Vec<ClientAuthMethod>,
    /// How their assertions may be signed.
    pub token_endpoint_auth_signing_alg_values_supported: Vec<String>,
    /// The same at the revocation endpoint.
    pub revocation_endpoint_auth_methods_supported: Vec<ClientAuthMethod>,
    /// The same at the revocation endpoint.
    pub revocation_endpoint_auth_signing_alg_values_supported: Vec<String>,
    /// The same at the introspection endpoint.
    pub introspection_endpoint_auth_methods_supported: Vec<ClientAuthMethod>,
    /// The same at the introspection endpoint.
    pub introspection_endpoint_auth_signing_alg_values_supported: Vec<String>,
    /// How pages can be shown.
    pub display_values_supported: Vec<Display>,
    /// What a person can be asked.
    pub prompt_values_supported: Vec<&'static str>,
    /// Kinds of claims: `normal`.
    pub claim_types_supported: Vec<&'static str>,
    /// Every claim we can give.
    pub claims_supported: Vec<String>,
    /// Languages of the pages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ui_locales_supported: Vec<String>,
    /// Documentation for developers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_documentation: Option<String>,
    /// Privacy policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op_policy_uri: Option<String>,
    /// Terms of service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op_tos_uri: Option<String>,
    /// The `claims` parameter.
    pub claims_parameter_supported: bool,
    /// Request objects by value.
    pub request_parameter_supported: bool,
    /// Request objects by reference; when absent, clients take it for true.
    pub request_uri_parameter_supported: bool,
    /// RFC 7636: `S256`.
    pub code_challenge_methods_supported: Vec<&'static str>,
    /// RFC 9207: always.
    pub authorization_response_iss_parameter_supported: bool,
}

/// The algorithms that client assertions may be signed with.
pub fn client_assertion_algorithms() -> Vec<String> {
    let all = JwsAlgorithm::ASYMMETRIC.iter().chain(JwsAlgorithm::SYMMETRIC);
    all.map(|algorithm| algorithm.as_str().to_owned()).collect()
}

fn tokens<S: serde::Serializer>(scope: &Scope, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(scope.iter())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::oidc::claims;
    use crate::protocol::oidc::prompt::Prompt;
    use crate::protocol::pkce;

    fn metadata() -> ProviderMetadata {
        let at = |path: &str| format!("https://id.example{path}");
        ProviderMetadata {
            issuer: at(""),
            authorization_endpoint: at("/oauth2/authorize"),
            token_endpoint: at("/oauth2/token"),
            userinfo_endpoint: at("/oauth2/userinfo"),
            jwks_uri: at("/oauth2/jwks"),
            registration_endpoint: None,
            authorization_challenge_endpoint: None,
            device_authorization_endpoint: at("/oauth2/device_authorization"),
            revocation_endpoint: at("/oauth2/revoke"),
            introspection_endpoint: at("/oauth2/introspect"),
            end_session_endpoint: at("/oauth2/logout"),
            backchannel_logout_supported: true,
            backchannel_logout_session_supported: true,
            frontchannel_logout_supported: true,
            frontchannel_logout_session_supported: true,
            scopes_supported: "openid email".parse().expect("well formed"),
            response_types_supported: ResponseType::ALL.to_vec(),
            response_modes_supported: ResponseMode::ALL.to_vec(),
            grant_types_supported: GrantType::ALL.to_vec(),
            acr_values_supported: vec!["urn:symbolon:acr:1".to_owned()],
            subject_types_supported: vec![SubjectType::Public, SubjectType::Pairwise],
            id_token_signing_alg_values_supported: vec![SigningAlgorithm::RS256],
            userinfo_signing_alg_values_supported: Vec::new(),
            token_endpoint_auth_methods_supported: ClientAuthMethod::ALL.to_vec(),
            token_endpoint_auth_signing_alg_values_supported: client_assertion_algorithms(),
            revocation_endpoint_auth_methods_supported: ClientAuthMethod::ALL.to_vec(),
            revocation_endpoint_auth_signing_alg_values_supported: client_assertion_algorithms(),
            introspection_endpoint_auth_methods_supported: ClientAuthMethod::ALL.to_vec(),
            introspection_endpoint_auth_signing_alg_values_supported: client_assertion_algorithms(),
            display_values_supported: Display::ALL.to_vec(),
            prompt_values_supported: Prompt::VALUES.to_vec(),
            claim_types_supported: vec!["normal"],
            claims_supported: claims::claims_supported().into_iter().map(str::to_owned).collect(),
            ui_locales_supported: vec!["en".to_owned()],
            service_documentation: None,
            op_policy_uri: None,
            op_tos_uri: None,
            claims_parameter_supported: true,
            request_parameter_supported: false,
            request_uri_parameter_supported: false,
            code_challenge_methods_supported: pkce::METHODS.to_vec(),
            authorization_response_iss_parameter_supported: true,
        }
    }

    #[test]
    fn values_are_written_as_they_are_registered() {
        let document = serde_json::to_value(metadata()).expect("plain JSON");
        for (member, value) in [
            ("scopes_supported", json!(["openid", "email"])),
            ("response_types_supported", json!(["code"])),
            ("response_modes_supported", json!(["query", "fragment", "form_post"])),
            (
                "grant_types_supported",
                json!([
                    "authorization_code",
                    "refresh_token",
                    "client_credentials",
                    "urn:ietf:params:oauth:grant-type:device_code",
                    "urn:ietf:params:oauth:grant-type:token-exchange"
                ]),
            ),
            (
                "token_endpoint_auth_methods_supported",
                json!(["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"]),
            ),
            ("display_values_supported", json!(["page", "popup", "touch", "wap"])),
            ("prompt_values_supported", json!(["none", "login", "consent", "select_account", "create"])),
            ("code_challenge_methods_supported", json!(["S256"])),
            ("request_uri_parameter_supported", json!(false)),
            ("authorization_response_iss_parameter_supported", json!(true)),
        ] {
            assert_eq!(document[member], value, "{member}");
        }
    }

    /// RFC 8414 §2: "Claims with zero elements MUST be omitted from the response."
    #[test]
    fn what_is_not_offered_is_left_out() {
        let document = serde_json::to_value(metadata()).expect("plain JSON");
        let members = document.as_object().expect("an object");
        assert!(members.values().all(|value| !value.is_null() && *value != json!([])));
        assert!(!members.contains_key("registration_endpoint"));
        assert!(!members.contains_key("userinfo_signing_alg_values_supported"));
        let algorithms = document["token_endpoint_auth_signing_alg_values_supported"].as_array().expect("a list");
        assert!(!algorithms.contains(&json!("none")));
    }
}
