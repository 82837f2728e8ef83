//! From parameters to an authorization request: the list of stages.
//!
//! RFC 6749 §4.1.1 and §4.1.2.1, OIDC Core §3.1.2.1 and §3.1.2.2, RFC 7636 §4.3, §4.4.1, RFC 9700 §4.11.2.

use super::{AuthorizationRequest, Display};
use crate::protocol::authorization_response::ReturnPath;
use crate::protocol::client_metadata::{ClientMetadata, GrantType};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::oidc::claims_request::ClaimsRequest;
use crate::protocol::oidc::prompt::Prompt;
use crate::protocol::params::Params;
use crate::protocol::pkce::CodeChallenge;
use crate::protocol::redirect_uri::{self, LoopbackHttp};
use crate::protocol::resource::resources;
use crate::protocol::response_mode::ResponseMode;
use crate::protocol::response_type::ResponseType;
use crate::protocol::scope::Scope;

/// Parameters whose specification repeats them (RFC 8707, RFC 8693).
const REPEATABLE: &[&str] = &["resource", "audience"];

/// The longest values, in bytes.
const MAX_STATE: usize = 4096;
const MAX_NONCE: usize = 1024;
const MAX_LOGIN_HINT: usize = 1024;
const MAX_ID_TOKEN_HINT: usize = 16 * 1024;
const MAX_LIST: usize = 2048;

/// What the server and its policy for the client demand of a request.
#[derive(Copy, Clone, Debug)]
pub struct RequestRules<'a> {
    /// Our name, sent along with each answer as `iss`.
    pub issuer: &'a str,
    /// Every scope token that means something here.
    pub scopes_supported: &'a Scope,
    /// A request without a PKCE challenge is refused.
    pub requires_pkce: bool,
    /// A web client may have answers sent to `http` on this machine.
    pub allows_http_loopback: bool,
}

/// Who is told of a refusal.
#[derive(Clone, Debug)]
pub enum Refused {
    /// The person, on a page of ours: no redirect URI is verified (RFC 9700 §4.11.2).
    Page(OAuthError),
    /// The client, by redirect.
    Client(Box<ReturnPath>, OAuthError),
}

impl AuthorizationRequest {
    /// Checks `params` against the client that `client_id` named.
    ///
    /// # Errors
    /// The first stage that refuses decides; from the second on, the client is told.
    pub fn parse(params: &Params, client: &ClientMetadata, rules: &RequestRules<'_>) -> Result<Self, Refused> {
        // 1. Where an answer may go at all.
        let redirect_uri = verified_redirect_uri(params, client, rules).map_err(Refused::Page)?;
        // 2. How it goes there, so that a mistake in the rest reaches the client.
        let return_path = return_path(params, redirect_uri, rules.issuer);
        // 3. Everything else.
        match Self::with_return_path(params, client, rules, &return_path) {
            Ok(request) => Ok(request),
            Err(error) => Err(Refused::Client(Box::new(return_path), error)),
        }
    }

    fn with_return_path(
        params: &Params,
        client: &ClientMetadata,
        rules: &RequestRules<'_>,
        return_path: &ReturnPath,
    ) -> Result<Self, OAuthError> {
        params.refuse_repeated(REPEATABLE)?;
        refuse_unsupported(params)?;
        let response_type = response_type(params, client)?;
        if let Some(mode) = params.get("response_mode") {
            mode.parse::<ResponseMode>()?;
        }
        bounded(params, "state", MAX_STATE)?;
        let max_age = params.get("max_age").map(max_age).transpose()?.or(client.default_max_age);
        let acr_values = match bounded(params, "acr_values", MAX_LIST)? {
            Some(values) => words(values),
            None => client.default_acr_values.clone(),
        };
        Ok(Self {
            response_type,
            return_path: return_path.clone(),
            redirect_uri: params.get("redirect_uri").map(str::to_owned),
            scope: scope(params, client, rules)?,
            nonce: bounded(params, "nonce", MAX_NONCE)?.map(str::to_owned),
            code_challenge: code_challenge(params, rules)?,
            prompt: params.get("prompt").map(str::parse::<Prompt>).transpose()?.unwrap_or_default(),
            max_age,
            login_hint: bounded(params, "login_hint", MAX_LOGIN_HINT)?.map(str::to_owned),
            id_token_hint: bounded(params, "id_token_hint", MAX_ID_TOKEN_HINT)?.map(str::to_owned),
            acr_values,
            display: params.get("display").map(str::parse::<Display>).transpose()?.unwrap_or_default(),
            ui_locales: locales(params, "ui_locales")?,
            claims_locales: locales(params, "claims_locales")?,
            claims: params.get("claims").map(ClaimsRequest::parse).transpose()?.unwrap_or_default(),
            resource: resources(params)?,
        })
    }
}

/// The redirect URI that the request names, or the only registered one where it may be left out (RFC 6749 §3.1.2.3).
fn verified_redirect_uri<'a>(
    params: &'a Params,
    client: &'a ClientMetadata,
    rules: &RequestRules<'_>,
) -> Result<&'a str, OAuthError> {
    params.one("client_id")?;
    let verified = match (params.one("redirect_uri")?, client.redirect_uris.as_slice()) {
        (Some(given), registered) => {
            let is_registered =
                registered.iter().any(|known| redirect_uri::matches(known, given, client.application_type));
            if !is_registered {
                return Err(OAuthError::invalid_request(
                    "the redirect_uri of this request is not registered for the client",
                )
                .hint(redirect_uri::explain_mismatch(&shown(given), registered)));
            }
            given
        }
        (None, [_]) if asks_for_openid(params) => {
            return Err(OAuthError::invalid_request(
                "parameter missing: redirect_uri (OpenID Connect requests must name it)",
            ));
        }
        (None, [only]) => only,
        (None, _) => return Err(OAuthError::invalid_request("parameter missing: redirect_uri")),
    };
    let loopback = LoopbackHttp::when_development(rules.allows_http_loopback);
    redirect_uri::validate(verified, client.application_type, loopback).map_err(|refusal| {
        OAuthError::invalid_request(format!(
            "the redirect_uri is registered but may not be used: {}",
            refusal.description()
        ))
    })?;
    Ok(verified)
}

/// As much of a stranger's text as a hint should repeat, on one line.
fn shown(text: &str) -> String {
    text.chars().take(redirect_uri::MAX_LENGTH).map(|c| if c.is_control() { '?' } else { c }).collect()
}

fn asks_for_openid(params: &Params) -> bool {
    params.many("scope").iter().any(|scope| scope.split(' ').any(|token| token == Scope::OPENID))
}

/// The way back; whatever is wrong with `response_mode` or `state` themselves, the client hears of it on the default way.
fn return_path(params: &Params, redirect_uri: &str, issuer: &str) -> ReturnPath {
    let mode = params.one("response_mode").ok().flatten().and_then(|mode| mode.parse().ok());
    let state = params.one("state").ok().flatten().filter(|state| state.len() <= MAX_STATE);
    ReturnPath::new(redirect_uri, mode.unwrap_or(ResponseMode::default_for(ResponseType::Code)), state, issuer)
}

/// OIDC Core §3.1.2.6: what we do not speak has error codes of its own.
fn refuse_unsupported(params: &Params) -> Result<(), OAuthError> {
    for (name, code) in [
        ("request", ErrorCode::RequestNotSupported),
        ("request_uri", ErrorCode::RequestUriNotSupported),
        ("registration", ErrorCode::RegistrationNotSupported),
    ] {
        if params.get(name).is_some() {
            let description = format!("the parameter {name} is not supported; send each parameter by itself");
            return Err(OAuthError::new(code, description));
        }
    }
    Ok(())
}

fn response_type(params: &Params, client: &ClientMetadata) -> Result<ResponseType, OAuthError> {
    let response_type = params.required("response_type")?.parse()?;
    if !client.response_types.contains(&response_type) || !client.grant_types.contains(&GrantType::AuthorizationCode) {
        return Err(OAuthError::unauthorized_client(
            "the client is not registered for response_type code and grant_type authorization_code",
        ));
    }
    Ok(response_type)
}

/// The scope, within what the server knows and the client may ask; the rest is ignored (OIDC Core §3.1.2.1).
fn scope(params: &Params, client: &ClientMetadata, rules: &RequestRules<'_>) -> Result<Scope, OAuthError> {
    let requested = params.get("scope").map(str::parse::<Scope>).transpose()?.unwrap_or_default();
    let mut scope = requested.intersection(rules.scopes_supported);
    if let Some(registered) = &client.scope {
        scope = scope.intersection(registered);
    }
    if !client.grant_types.contains(&GrantType::RefreshToken) {
        scope = scope.without(&Scope::from_iter([Scope::OFFLINE_ACCESS]));
    }
    if scope.is_empty() && !requested.is_empty() {
        let registered = client.scope.as_ref().map_or_else(|| "any".to_owned(), ToString::to_string);
        return Err(OAuthError::invalid_scope("the client may not ask for any of these scopes").hint(format!(
            "requested: {requested}; supported: {}; registered for the client: {registered}",
            rules.scopes_supported
        )));
    }
    Ok(scope)
}

fn code_challenge(params: &Params, rules: &RequestRules<'_>) -> Result<Option<CodeChallenge>, OAuthError> {
    match (params.get("code_challenge"), params.get("code_challenge_method")) {
        (Some(challenge), method) => CodeChallenge::parse(challenge, method).map(Some),
        (None, None) if !rules.requires_pkce => Ok(None),
        (None, None) => Err(OAuthError::invalid_request(
            "parameter missing: code_challenge (the client must use PKCE with code_challenge_method=S256, RFC 7636)",
        )),
        (None, Some(_)) => {
            Err(OAuthError::invalid_request("code_challenge_method is given but code_challenge is missing"))
        }
    }
}

fn max_age(text: &str) -> Result<u64, OAuthError> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|_| is_number)
        .ok_or_else(|| OAuthError::invalid_request("max_age must be a whole number of seconds, zero or more"))
}

fn bounded<'a>(params: &'a Params, name: &str, max_length: usize) -> Result<Option<&'a str>, OAuthError> {
    match params.get(name) {
        Some(value) if value.len() > max_length => {
            Err(OAuthError::invalid_request(format!("{name} is longer than {max_length} bytes")))
        }
        value => Ok(value),
    }
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Language tags (BCP 47); what is no tag is left out, since no wish for a language may cause an error (§3.1.2.1).
fn locales(params: &Params, name: &str) -> Result<Vec<String>, OAuthError> {
    let is_tag = |word: &String| {
        word.len() <= 35
            && word
                .split('-')
                .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
    };
    Ok(bounded(params, name, MAX_LIST)?.map(words).unwrap_or_default().into_iter().filter(is_tag).collect())
}

#[cfg(test)]
mod tests;
