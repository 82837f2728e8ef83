//! The one place where tokens are made.
//!
//! RFC 6749 §5.1, RFC 9068 §2.2, OIDC Core §2 and §3.1.3.3.

use std::sync::Arc;
use std::time::Duration;

use crate::model::authentication::Authentication;
use crate::model::client::{AccessTokenFormat, Client};
use crate::model::grant::Grant;
use crate::model::id::UserId;
use crate::model::token::OpaqueAccessToken;
use crate::model::user::User;
use crate::oauth::grant::{Authorized, Party};
use crate::oauth::keys::SigningKeys;
use crate::oauth::provider::Provider;
use crate::oauth::token::claims;
use crate::protocol::client_metadata::SubjectType;
use crate::protocol::error::OAuthError;
use crate::protocol::jose::algorithm::SigningAlgorithm;
use crate::protocol::jose::error::JoseError;
use crate::protocol::jose::jws::SigningKey;
use crate::protocol::jwt_access_token::{self, AccessTokenClaims, TokenId};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::oidc::id_token::{IdTokenClaims, at_hash};
use crate::protocol::oidc::subject;
use crate::protocol::secret::{Secret, TokenHash};
use crate::protocol::token_response::{TokenResponse, TokenType};

/// What is to be made.
#[derive(Debug)]
pub struct Order {
    /// For whom and what it allows.
    pub authorized: Authorized,
    /// Whether an ID token belongs to it.
    pub id_token: IdToken,
    /// The refresh token that goes with it.
    pub refresh_token: Option<Secret>,
    /// The present moment.
    pub now: NumericDate,
}

/// Whether an ID token is made.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum IdToken {
    /// With the request's `nonce`.
    WithNonce,
    /// As a refresh gives it (OIDC Core §12.2).
    WithoutNonce,
    /// None.
    Omit,
}

/// What was made. Nothing is recorded yet.
#[derive(Debug)]
pub struct Issued {
    /// For the client.
    pub response: TokenResponse,
    /// To be recorded with the grant, when the access token is opaque.
    pub opaque: Option<OpaqueAccessToken>,
}

/// Makes the tokens of one answer.
///
/// # Errors
/// `server_error` when a signing key is missing.
pub fn issue(provider: &Provider, order: Order) -> Result<Issued, OAuthError> {
    let Order { authorized, id_token, refresh_token, now } = order;
    let keys = provider.keys.load();
    let lifetime = provider.policy.lifetimes.access_token_of(&authorized.client);
    let (access_token, opaque) = match authorized.client.policy.access_token {
        AccessTokenFormat::Jwt => (jwt(provider, &keys, &authorized, (now, lifetime))?, None),
        AccessTokenFormat::Opaque => {
            let (token, record) = opaque(provider, &authorized, (now, lifetime));
            (token, Some(record))
        }
    };
    let id_token = match (&authorized.party, id_token) {
        (Party::Person { user, grant }, IdToken::WithNonce | IdToken::WithoutNonce) => {
            let nonce = if id_token == IdToken::WithNonce { grant.details.nonce.clone() } else { None };
            let people = (user.as_ref(), grant.as_ref());
            Some(sign_id_token(
                provider,
                &keys,
                &authorized,
                IdTokenParts { people, nonce, access_token: &access_token, now },
            )?)
        }
        _ => None,
    };
    let response = TokenResponse {
        access_token,
        token_type: TokenType::Bearer,
        expires_in: lifetime.as_secs(),
        refresh_token,
        id_token,
        scope: authorized.scope,
    };
    Ok(Issued { response, opaque })
}

/// `sub` of a person as `client` sees them (OIDC Core §8).
///
/// # Errors
/// `server_error` when a pairwise client has no sector, which registration excludes.
pub fn subject_of(provider: &Provider, client: &Client, user: UserId) -> Result<String, OAuthError> {
    match client.metadata.subject_type {
        SubjectType::Public => Ok(user.to_string()),
        SubjectType::Pairwise => {
            let sector = subject::sector_identifier(&client.metadata)
                .map_err(|error| OAuthError::server_error("the client has no sector").caused_by(error))?;
            Ok(subject::pairwise(&provider.pairwise_key, &sector, user.as_bytes()))
        }
    }
}

/// RFC 9068 §2.2.
fn jwt(
    provider: &Provider,
    keys: &SigningKeys,
    authorized: &Authorized,
    (now, lifetime): (NumericDate, Duration),
) -> Result<Secret, OAuthError> {
    let client = &authorized.client;
    let (subject, grant) = match &authorized.party {
        Party::Person { user, grant } => (subject_of(provider, client, user.id)?, Some(grant)),
        Party::Client => (client.id.to_string(), None),
    };
    let authentication = grant.map(|grant| &grant.details.authentication);
    let token_id = TokenId { grant: grant.map(|grant| grant.id.uuid()), unique: provider.edges.random.bytes() };
    let claims = AccessTokenClaims {
        iss: provider.issuer.as_str().to_owned(),
        sub: subject,
        aud: authorized.audience.clone(),
        client_id: client.id.to_string(),
        scope: authorized.scope.clone(),
        iat: now,
        exp: now.plus(lifetime),
        jti: token_id,
        auth_time: authentication.map(|authentication| authentication.at),
        acr: authentication.map(|authentication| authentication.acr().as_str().to_owned()),
        amr: authentication.map(Authentication::amr_values).unwrap_or_default(),
        sid: grant.map(|grant| grant.session.to_string()),
    };
    let key = signer(keys, provider.policy.access_token_signing_alg)?;
    let token = key.sign(jwt_access_token::TYPE, &claims).map_err(unsigned)?;
    Ok(Secret::new(token))
}

/// A random token; what it means is recorded under its hash.
fn opaque(
    provider: &Provider,
    authorized: &Authorized,
    (now, lifetime): (NumericDate, Duration),
) -> (Secret, OpaqueAccessToken) {
    let token = provider.edges.random.token();
    let record = OpaqueAccessToken {
        hash: TokenHash::of(token.expose()),
        grant: match &authorized.party {
            Party::Person { grant, .. } => Some(grant.id),
            Party::Client => None,
        },
        client: authorized.client.id.clone(),
        scope: authorized.scope.clone(),
        audience: authorized.audience.clone(),
        issued_at: now,
        expires_at: now.plus(lifetime),
    };
    (token, record)
}

struct IdTokenParts<'a> {
    people: (&'a User, &'a Grant),
    nonce: Option<String>,
    access_token: &'a Secret,
    now: NumericDate,
}

/// OIDC Core §2.
fn sign_id_token(
    provider: &Provider,
    keys: &SigningKeys,
    authorized: &Authorized,
    parts: IdTokenParts<'_>,
) -> Result<String, OAuthError> {
    let IdTokenParts { people: (user, grant), nonce, access_token, now } = parts;
    let client = &authorized.client;
    let algorithm = client.metadata.id_token_signed_response_alg;
    let authentication = &grant.details.authentication;
    let claims = IdTokenClaims {
        iss: provider.issuer.as_str().to_owned(),
        sub: subject_of(provider, client, user.id)?,
        aud: vec![client.id.to_string()],
        exp: now.plus(provider.policy.lifetimes.id_token),
        iat: now,
        auth_time: Some(authentication.at),
        nonce,
        acr: Some(authentication.acr().as_str().to_owned()),
        amr: authentication.amr_values(),
        azp: Some(client.id.to_string()),
        at_hash: Some(at_hash(algorithm, access_token.expose())),
        sid: Some(grant.session.to_string()),
        person: claims::for_id_token(user, grant),
    };
    signer(keys, algorithm)?.sign("JWT", &claims).map_err(unsigned)
}

fn signer(keys: &SigningKeys, algorithm: SigningAlgorithm) -> Result<&Arc<SigningKey>, OAuthError> {
    keys.signer(algorithm)
        .ok_or_else(|| OAuthError::server_error("no key signs with the algorithm that this client is registered for"))
}

fn unsigned(error: JoseError) -> OAuthError {
    OAuthError::server_error("the token could not be signed").caused_by(error)
}
