//! The one place where tokens are made.
//!
//! RFC 6749 §5.1, RFC 9068 §2.2, OIDC Core §2 and §3.1.3.3.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::model::authentication::Authentication;
use crate::model::claim_mapper::Destination;
use crate::model::client::{AccessTokenEncryption, AccessTokenFormat, Client};
use crate::model::id::UserId;
use crate::model::token::OpaqueAccessToken;
use crate::oauth::api;
use crate::oauth::grant::{Authorized, Party};
use crate::oauth::keys::SigningKeys;
use crate::oauth::provider::Provider;
use crate::oauth::token::mapped::Mapped;
use crate::oauth::token::{claims, own_claims};
use crate::protocol::client_metadata::SubjectType;
use crate::protocol::error::OAuthError;
use crate::protocol::jose::algorithm::SigningAlgorithm;
use crate::protocol::jose::error::JoseError;
use crate::protocol::jose::jwe::{ContentKey, Recipient};
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
/// `server_error` when a signing key is missing; `invalid_grant` when a claim that the client requires has no value.
pub async fn issue(provider: &Provider, order: Order) -> Result<Issued, OAuthError> {
    let mapped = Mapped::load(provider, order.authorized.person()).await?;
    let keys = provider.keys.load();
    let (authorized, now) = (&order.authorized, order.now);
    let terms = api::terms(provider, mapped.directory(), authorized);
    let lifetime = terms.lifetime;
    let (access_token, opaque) = match terms.format {
        AccessTokenFormat::Jwt => {
            let claims = access_token_claims(provider, &order, &mapped)?;
            let key = signer(&keys, terms.signing_alg)?;
            let token = claims.sign(key, &provider.policy.token_header).map(Secret::new).map_err(unsigned)?;
            encrypt(provider, key, (authorized, token), (now, lifetime))?
        }
        AccessTokenFormat::Opaque => {
            own_claims(authorized)?;
            let token = provider.edges.random.token();
            let record = recorded(authorized, &token, (now, lifetime));
            (token, Some(record))
        }
    };
    let id_token = match (&authorized.party, order.id_token) {
        (Party::Person { .. }, IdToken::WithNonce | IdToken::WithoutNonce) => {
            let claims = id_token_claims(provider, &order, (&mapped, Some(&access_token)))?;
            let key = signer(&keys, authorized.client.metadata.id_token_signed_response_alg)?;
            Some(key.sign("JWT", &claims).map_err(unsigned)?)
        }
        _ => None,
    };
    let response = TokenResponse {
        access_token,
        token_type: TokenType::Bearer,
        expires_in: lifetime.as_secs(),
        refresh_token: order.refresh_token,
        id_token,
        scope: order.authorized.scope,
        issued_token_type: None,
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

/// What an access token says (RFC 9068 §2.2): of the operator's claims those of the client's own list stand above the mappers'.
///
/// # Errors
/// `server_error` when a pairwise client has no sector; `invalid_grant` when a claim that the client requires has no value.
pub(super) fn access_token_claims(
    provider: &Provider,
    order: &Order,
    mapped: &Mapped,
) -> Result<AccessTokenClaims, OAuthError> {
    let (authorized, now) = (&order.authorized, order.now);
    let client = &authorized.client;
    let lifetime = api::terms(provider, mapped.directory(), authorized).lifetime;
    let mut own = mapped.claims((client, &authorized.scope), Destination::AccessToken);
    own.extend(own_claims(authorized)?);
    let (subject, grant) = match &authorized.party {
        Party::Person { user, grant } => (subject_of(provider, client, user.id)?, Some(grant)),
        Party::Client => (client.id.to_string(), None),
    };
    let authentication = grant.map(|grant| &grant.details.authentication);
    let token_id = TokenId { grant: grant.map(|grant| grant.id.uuid()), unique: provider.edges.random.bytes() };
    Ok(AccessTokenClaims {
        iss: provider.issuer.as_str().to_owned(),
        sub: subject,
        aud: authorized.audience.clone(),
        client_id: client.id.to_string(),
        scope: authorized.scope.clone(),
        iat: now,
        exp: now.plus(lifetime),
        nbf: provider.policy.not_before.map(|delay| now.plus(delay)),
        jti: token_id,
        auth_time: authentication.map(|authentication| authentication.at),
        acr: authentication.map(|authentication| authentication.acr().as_str().to_owned()),
        amr: authentication.map(Authentication::amr_values).unwrap_or_default(),
        sid: grant.map(|grant| grant.session.to_string()),
        own,
    })
}

/// The operator's own claims.
fn own_claims(authorized: &Authorized) -> Result<Map<String, Value>, OAuthError> {
    let claims = match &authorized.party {
        Party::Person { user, grant } => own_claims::of_person(&authorized.client, user, &grant.details.own_claims),
        Party::Client => own_claims::of_client(&authorized.client),
    };
    claims.map_err(OAuthError::from)
}

/// A signed token as its client gets it. One that this server cannot read again is recorded like an opaque one.
fn encrypt(
    provider: &Provider,
    key: &SigningKey,
    (authorized, token): (&Authorized, Secret),
    (now, lifetime): (NumericDate, Duration),
) -> Result<(Secret, Option<OpaqueAccessToken>), OAuthError> {
    let (typ, signed) = (jwt_access_token::TYPE, token.expose());
    match &authorized.client.policy.access_token_encryption {
        None => Ok((token, None)),
        Some(AccessTokenEncryption::Direct) => {
            let encrypted = content_key(provider, key.kid()).encrypt(typ, signed).map_err(unsigned)?;
            Ok((Secret::new(encrypted), None))
        }
        Some(AccessTokenEncryption::RsaOaep256 { jwk }) => {
            let recipient = Recipient::parse(jwk).map_err(unsigned)?;
            let encrypted = Secret::new(recipient.encrypt(typ, signed).map_err(unsigned)?);
            let record = recorded(authorized, &encrypted, (now, lifetime));
            Ok((encrypted, Some(record)))
        }
    }
}

/// The key for content that is signed with the key `kid`: one comes and goes with the other.
pub(super) fn content_key(provider: &Provider, kid: &str) -> ContentKey {
    ContentKey::new(kid, &provider.content_key.mac(&[kid.as_bytes()]))
}

/// What a token means that cannot be read, under its hash.
fn recorded(authorized: &Authorized, token: &Secret, (now, lifetime): (NumericDate, Duration)) -> OpaqueAccessToken {
    OpaqueAccessToken {
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
    }
}

/// What an ID token says (OIDC Core §2); `access_token` is what it is given with.
///
/// # Errors
/// `server_error` when a pairwise client has no sector, or when no person stands behind it.
pub(super) fn id_token_claims(
    provider: &Provider,
    order: &Order,
    (mapped, access_token): (&Mapped, Option<&Secret>),
) -> Result<IdTokenClaims, OAuthError> {
    let (client, now) = (&order.authorized.client, order.now);
    let Party::Person { user, grant } = &order.authorized.party else {
        return Err(OAuthError::server_error("an ID token speaks of a person"));
    };
    let algorithm = client.metadata.id_token_signed_response_alg;
    let authentication = &grant.details.authentication;
    let mut person = mapped.claims((client, &order.authorized.scope), Destination::IdToken);
    person.extend(claims::for_id_token(user, grant));
    claims::keep_accepted(&mut person, &grant.details.claims.id_token);
    Ok(IdTokenClaims {
        iss: provider.issuer.as_str().to_owned(),
        sub: subject_of(provider, client, user.id)?,
        aud: vec![client.id.to_string()],
        exp: now.plus(provider.policy.lifetimes.id_token),
        iat: now,
        auth_time: Some(authentication.at),
        nonce: if order.id_token == IdToken::WithNonce { grant.details.nonce.clone() } else { None },
        acr: Some(authentication.acr().as_str().to_owned()),
        amr: authentication.amr_values(),
        azp: Some(client.id.to_string()),
        at_hash: access_token.map(|token| at_hash(algorithm, token.expose())),
        sid: Some(grant.session.to_string()),
        person,
    })
}

pub(super) fn signer(keys: &SigningKeys, algorithm: SigningAlgorithm) -> Result<&Arc<SigningKey>, OAuthError> {
    keys.signer(algorithm)
        .ok_or_else(|| OAuthError::server_error("no key signs with the algorithm that this client is registered for"))
}

pub(super) fn unsigned(error: JoseError) -> OAuthError {
    OAuthError::server_error("the token could not be signed").caused_by(error)
}
