//! The client registration request: JSON as received, then client metadata, true.
//!
//! RFC 7591 §2 and §3.1, OIDC Registration §2 and §3.1; RFC 8252 §8.4 (native clients); Back-Channel and Front-Channel Logout §2.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use url::{Origin, Url};

use self::member::Members;
use crate::protocol::client_metadata::{ApplicationType, ClientAuthMethod, ClientMetadata, GrantType, SubjectType};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::jose::algorithm::{JwsAlgorithm, SigningAlgorithm};
use crate::protocol::jose::jwk::JwkSet;
use crate::protocol::oidc::subject;
use crate::protocol::redirect_uri::{self, LoopbackHttp};
use crate::protocol::response_type::ResponseType;
use crate::protocol::scope::Scope;

mod member;

/// The most redirect URIs of one client.
const MAX_REDIRECT_URIS: usize = 100;
/// What the server offers to clients that register.
#[derive(Copy, Clone, Debug)]
pub struct RegistrationRules<'a> {
    /// Every scope token that may be asked for; a registered `scope` is clipped to it.
    pub scopes_supported: &'a Scope,
    /// The algorithms we have keys for, the default first.
    pub signing_algorithms: &'a [SigningAlgorithm],
    /// What to do with a value that is registered at IANA but not spoken here.
    pub unsupported: Unsupported,
    /// Web clients may have answers sent to `http` on this machine, and keep their documents there.
    pub allows_http_loopback: bool,
}

/// What becomes of grant types, response types, scopes and members that we do not offer.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Unsupported {
    /// They are left out, and the answer shows it (RFC 7591 §3.2.1): clients register one wish list everywhere.
    LeaveOut,
    /// They are refused: an operator who typed them wants to know.
    Refuse,
}

impl ClientMetadata {
    /// Reads and validates client metadata; members that we do not know are ignored (RFC 7591 §2), but of an operator, who wants to know;
    /// `null` is absent.
    ///
    /// What is not in the JSON is for the caller to find out: whether the sector document lists the redirect URIs
    /// ([`subject::check_sector_document`]).
    ///
    /// # Errors
    /// `invalid_redirect_uri` for a redirect URI; `invalid_client_metadata`, naming the member, for all else.
    pub fn parse(json: &Map<String, Value>, rules: &RegistrationRules<'_>) -> Result<Self, OAuthError> {
        let members = Members::new(json);
        refuse_unkept_promises(&members)?;
        let application_type = members.choice("application_type")?.unwrap_or_default();
        let token_endpoint_auth_method =
            members.choice("token_endpoint_auth_method")?.unwrap_or(ClientAuthMethod::ClientSecretBasic);
        let (grant_types, response_types) = grants(&members, rules.unsupported)?;
        let loopback = LoopbackHttp::when_development(rules.allows_http_loopback);
        let metadata = Self {
            redirect_uris: redirect_uris(&members, "redirect_uris", application_type, loopback)?,
            token_endpoint_auth_method,
            token_endpoint_auth_signing_alg: auth_signing_alg(&members, token_endpoint_auth_method)?,
            grant_types,
            response_types,
            application_type,
            client_name: members.display_text("client_name")?,
            client_uri: members.page_uri("client_uri")?,
            logo_uri: members.page_uri("logo_uri")?,
            policy_uri: members.page_uri("policy_uri")?,
            tos_uri: members.page_uri("tos_uri")?,
            contacts: members.strings("contacts", 20)?.unwrap_or_default(),
            scope: scope(&members, rules)?,
            jwks_uri: members.service_uri("jwks_uri", loopback)?,
            jwks: members.public_jwks("jwks")?,
            subject_type: members.choice("subject_type")?.unwrap_or_default(),
            sector_identifier_uri: members.service_uri("sector_identifier_uri", loopback)?,
            id_token_signed_response_alg: members
                .signing_algorithm("id_token_signed_response_alg", rules.signing_algorithms)?
                .or(rules.signing_algorithms.first().copied())
                .unwrap_or(SigningAlgorithm::RS256),
            userinfo_signed_response_alg: members
                .signing_algorithm("userinfo_signed_response_alg", rules.signing_algorithms)?,
            default_max_age: members.seconds("default_max_age")?,
            require_auth_time: members.flag("require_auth_time")?.unwrap_or_default(),
            default_acr_values: members.strings("default_acr_values", 20)?.unwrap_or_default(),
            initiate_login_uri: members.service_uri("initiate_login_uri", loopback)?,
            post_logout_redirect_uris: redirect_uris(&members, "post_logout_redirect_uris", application_type, loopback)
                .map_err(|error| OAuthError::invalid_client_metadata(error.description().to_owned()))?,
            backchannel_logout_uri: members.service_uri("backchannel_logout_uri", loopback)?,
            backchannel_logout_session_required: members
                .flag("backchannel_logout_session_required")?
                .unwrap_or_default(),
            frontchannel_logout_uri: members.service_uri("frontchannel_logout_uri", loopback)?,
            frontchannel_logout_session_required: members
                .flag("frontchannel_logout_session_required")?
                .unwrap_or_default(),
            software_id: members.text("software_id")?,
            software_version: members.text("software_version")?,
            localized: localized(&members)?,
        };
        check_agreement(&metadata)?;
        match members.unknown().filter(|_| rules.unsupported == Unsupported::Refuse) {
            Some(name) => Err(OAuthError::invalid_client_metadata(format!(
                "{} is not known here; leave it out",
                name.chars().take(64).collect::<String>()
            ))),
            None => Ok(metadata),
        }
    }
}

/// Members by which a client demands a protection that is not built: leaving them out would break a promise, while for
/// all others the answer tells what was left out.
fn refuse_unkept_promises(members: &Members<'_>) -> Result<(), OAuthError> {
    for name in [
        "id_token_encrypted_response_alg",
        "userinfo_encrypted_response_alg",
        "introspection_encrypted_response_alg",
        "authorization_signed_response_alg",
        "authorization_encrypted_response_alg",
        "introspection_signed_response_alg",
    ] {
        if members.get(name).is_some() {
            return Err(OAuthError::invalid_client_metadata(format!("{name} is not supported; leave it out")));
        }
    }
    for name in [
        "require_pushed_authorization_requests",
        "require_signed_request_object",
        "dpop_bound_access_tokens",
        "tls_client_certificate_bound_access_tokens",
    ] {
        if members.flag(name)? == Some(true) {
            return Err(OAuthError::invalid_client_metadata(format!("{name} is not supported; it can only be false")));
        }
    }
    Ok(())
}

/// Grant types and response types, which must agree (RFC 7591 §2.1).
fn grants(members: &Members<'_>, unsupported: Unsupported) -> Result<(Vec<GrantType>, Vec<ResponseType>), OAuthError> {
    let grant_types = offered(members, "grant_types", GrantType::ALL, (GrantType::as_str, unsupported))?
        .unwrap_or_else(|| vec![GrantType::AuthorizationCode]);
    let uses_code = grant_types.contains(&GrantType::AuthorizationCode);
    let uses_device_code = grant_types.contains(&GrantType::DeviceCode);
    let response_types =
        match offered(members, "response_types", ResponseType::ALL, (ResponseType::as_str, unsupported))? {
            Some(response_types) => response_types,
            None if uses_code => vec![ResponseType::Code],
            None => Vec::new(),
        };
    if uses_code != response_types.contains(&ResponseType::Code) {
        return Err(OAuthError::invalid_client_metadata(
            "grant_types and response_types disagree: authorization_code goes with code (RFC 7591 section 2.1)",
        ));
    }
    if grant_types.contains(&GrantType::RefreshToken) && !uses_code && !uses_device_code {
        return Err(OAuthError::invalid_client_metadata(
            "grant_types: refresh_token needs authorization_code or the device code grant beside it",
        ));
    }
    Ok((grant_types, response_types))
}

/// The values of a list member that we offer. A list that was given, but of which nothing is left, is refused.
fn offered<T: Copy + PartialEq>(
    members: &Members<'_>,
    name: &str,
    all: &[T],
    (as_str, unsupported): (fn(T) -> &'static str, Unsupported),
) -> Result<Option<Vec<T>>, OAuthError> {
    let Some(wanted) = members.strings(name, 50)? else { return Ok(None) };
    let mut kept = Vec::new();
    let mut is_left_out = false;
    for value in &wanted {
        match all.iter().copied().find(|known| as_str(*known) == value) {
            Some(known) if kept.contains(&known) => {}
            Some(known) => kept.push(known),
            None => is_left_out = true,
        }
    }
    if is_left_out && (kept.is_empty() || unsupported == Unsupported::Refuse) {
        let supported = all.iter().map(|known| as_str(*known)).collect::<Vec<_>>().join(", ");
        return Err(OAuthError::invalid_client_metadata(format!(
            "{name} holds a value that is not supported; supported: {supported}"
        )));
    }
    Ok(Some(kept))
}

fn redirect_uris(
    members: &Members<'_>,
    name: &str,
    application_type: ApplicationType,
    loopback: LoopbackHttp,
) -> Result<Vec<String>, OAuthError> {
    let mut uris = Vec::new();
    for uri in members.strings(name, MAX_REDIRECT_URIS)?.unwrap_or_default() {
        redirect_uri::validate(&uri, application_type, loopback).map_err(|error| {
            let hint = error.developer_hint().unwrap_or_default().to_owned();
            OAuthError::invalid_redirect_uri(format!("{name}: {}", error.description())).hint(hint)
        })?;
        if !uris.contains(&uri) {
            uris.push(uri);
        }
    }
    Ok(uris)
}

fn auth_signing_alg(members: &Members<'_>, method: ClientAuthMethod) -> Result<Option<String>, OAuthError> {
    const NAME: &str = "token_endpoint_auth_signing_alg";
    let Some(given) = members.text(NAME)? else { return Ok(None) };
    let suits = |algorithm: &JwsAlgorithm| match method {
        ClientAuthMethod::PrivateKeyJwt => !algorithm.is_symmetric(),
        ClientAuthMethod::ClientSecretJwt => algorithm.is_symmetric(),
        _ => true,
    };
    match given.parse::<JwsAlgorithm>().ok().filter(suits) {
        Some(algorithm) => Ok(Some(algorithm.as_str().to_owned())),
        None => Err(OAuthError::invalid_client_metadata(format!(
            "{NAME} does not suit {}; private_key_jwt takes RS256, PS256, ES256, EdDSA and their like, client_secret_jwt \
             HS256, HS384 or HS512",
            method.as_str()
        ))),
    }
}

fn scope(members: &Members<'_>, rules: &RegistrationRules<'_>) -> Result<Option<Scope>, OAuthError> {
    if members.get("scope").is_none() {
        return Ok(None);
    }
    let text = members.text("scope")?.unwrap_or_default();
    let wanted =
        text.parse::<Scope>().map_err(|error| OAuthError::invalid_client_metadata(error.description().to_owned()))?;
    if rules.unsupported == Unsupported::Refuse && !wanted.is_within(rules.scopes_supported) {
        return Err(OAuthError::invalid_client_metadata(format!(
            "scope holds what is not supported here: {}; supported: {}",
            wanted.without(rules.scopes_supported),
            rules.scopes_supported
        )));
    }
    Ok(Some(wanted.intersection(rules.scopes_supported)))
}

/// Human-readable members in other languages (RFC 7591 §2.2), checked like those without a language.
fn localized(members: &Members<'_>) -> Result<BTreeMap<String, String>, OAuthError> {
    let mut localized = BTreeMap::new();
    for key in members.names() {
        let Some((name, tag)) = key.split_once('#') else { continue };
        let is_tag = (1..=35).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !is_tag {
            continue;
        }
        let value = match name {
            "client_name" => members.display_text(key)?,
            "client_uri" | "logo_uri" | "policy_uri" | "tos_uri" => members.page_uri(key)?,
            _ => None,
        };
        localized.extend(value.map(|value| (key.to_owned(), value)));
    }
    if localized.len() > 100 {
        return Err(OAuthError::invalid_client_metadata("there are more than 100 members with a language tag"));
    }
    Ok(localized)
}

/// What members demand of one another.
fn check_agreement(metadata: &ClientMetadata) -> Result<(), OAuthError> {
    let refuse = |reason: &'static str| Err(OAuthError::invalid_client_metadata(reason));
    let uses = |grant_type| metadata.grant_types.contains(&grant_type);
    if uses(GrantType::AuthorizationCode) && metadata.redirect_uris.is_empty() {
        return Err(OAuthError::new(
            ErrorCode::InvalidRedirectUri,
            "redirect_uris is missing; the authorization_code grant needs at least one",
        ));
    }
    if metadata.jwks.is_some() && metadata.jwks_uri.is_some() {
        return refuse("jwks and jwks_uri must not both be given (RFC 7591 section 2)");
    }
    match metadata.token_endpoint_auth_method {
        ClientAuthMethod::PrivateKeyJwt if metadata.jwks.is_none() && metadata.jwks_uri.is_none() => {
            return refuse("private_key_jwt needs the client's public keys: give jwks or jwks_uri");
        }
        ClientAuthMethod::PrivateKeyJwt if holds_no_key(metadata) => {
            return refuse("private_key_jwt needs a key in jwks that is for signatures and of a kind we know");
        }
        ClientAuthMethod::None if uses(GrantType::ClientCredentials) => {
            return refuse("client_credentials is for clients that can prove themselves; none is no proof");
        }
        _ => {}
    }
    if metadata.subject_type == SubjectType::Pairwise {
        subject::sector_identifier(metadata)?;
    }
    if let Some(uri) = &metadata.frontchannel_logout_uri
        && !metadata.redirect_uris.iter().any(|known| origin(known) == origin(uri))
    {
        return refuse("frontchannel_logout_uri must have scheme, host and port of one of the redirect_uris");
    }
    Ok(())
}

/// Scheme, host and port; `None` for what is no URL.
fn origin(uri: &str) -> Option<Origin> {
    Url::parse(uri).ok().map(|url| url.origin())
}

/// True when there are keys by value, but none that can verify an assertion.
fn holds_no_key(metadata: &ClientMetadata) -> bool {
    metadata.jwks.as_ref().is_some_and(|jwks| JwkSet::parse(jwks).is_ok_and(|set| set.keys().is_empty()))
}

#[cfg(test)]
mod tests;
