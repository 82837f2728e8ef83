//! The authorization code grant at the token endpoint.
//!
//! RFC 6749 §4.1.3, OIDC Core §3.1.3, RFC 7636 §4.6.

use std::sync::Arc;

use serde_json::Map;

use crate::edge::ephemeral::CODE;
use crate::edge::store::Beside;
use crate::model::authorization_code::AuthorizationCode;
use crate::model::client::{Client, RefreshTokenPolicy};
use crate::model::event::{Actor, EventName};
use crate::model::grant::{Grant, GrantDetails, SessionHolder};
use crate::model::token::{CodeRedemption, RefreshToken};
use crate::model::user::User;
use crate::oauth::allowed;
use crate::oauth::api::{self, Named, Target};
use crate::oauth::first_party::CHALLENGE_ENDPOINT;
use crate::oauth::grant::machine::{self, PresentedCode};
use crate::oauth::grant::{Authorized, Party, audience, person};
use crate::oauth::provider::Provider;
use crate::oauth::token::issue::{IdToken, Issued, Order, issue};
use crate::oauth::withdrawal::is_withdrawn_since;
use crate::protocol::client_metadata::GrantType;
use crate::protocol::error::OAuthError;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::pkce::CodeVerifier;
use crate::protocol::scope::Scope;
use crate::protocol::secret::{Secret, TokenHash};
use crate::protocol::token_response::TokenResponse;

/// The parameters of RFC 6749 §4.1.3 and RFC 7636 §4.5.
#[derive(Debug)]
pub struct CodeParameters<'a> {
    /// `code`.
    pub code: &'a Secret,
    /// `redirect_uri`.
    pub redirect_uri: Option<&'a str>,
    /// `code_verifier`.
    pub code_verifier: Option<&'a CodeVerifier>,
    /// `resource` (RFC 8707 §2.2).
    pub resource: &'a [String],
}

/// Redeems an authorization code, once. A second use revokes every token of its grant (§4.1.2).
///
/// # Errors
/// `invalid_grant` when the code is unknown, expired, used or not for this client, or the person's account, session or
/// consent no longer stands.
pub async fn redeem(
    provider: &Provider,
    client: Arc<Client>,
    parameters: CodeParameters<'_>,
) -> Result<TokenResponse, OAuthError> {
    let now = provider.now();
    let hash = TokenHash::of(parameters.code.expose());
    let waiting = CODE.get(&*provider.edges.ephemeral, hash.as_bytes(), now).await?;
    let waiting = waiting.filter(|code| !code.expires_at.is_past(now));
    if waiting.is_none() && provider.edges.store.revoke_by_code(&hash, now).await? {
        return Err(replayed(&client));
    }
    let presented = PresentedCode {
        client: &client,
        code: parameters.code,
        redirect_uri: parameters.redirect_uri,
        code_verifier: parameters.code_verifier,
    };
    let code = machine::access_token(&presented, waiting)?;
    give(provider, client, (hash, code), parameters.resource).await
}

/// Gives the tokens of a code that was proven, or that never left the server.
///
/// # Errors
/// As [`redeem`].
pub async fn give(
    provider: &Provider,
    client: Arc<Client>,
    (hash, mut code): (TokenHash, AuthorizationCode),
    resource: &[String],
) -> Result<TokenResponse, OAuthError> {
    let (now, issued_at) = (provider.now(), code.issued_at);
    let user = provider.edges.store.user(code.authentication.user).await?;
    let left = allowed::of(provider, (&client, user.as_deref()), &code.scope).await?.into_owned();
    allowed::settle(provider.policy.beyond_groups, &code.scope, &left)?;
    code.scope = left;
    let grant = Arc::new(grant_of(provider, (&client, hash), code, now));
    check_standing(provider, (&client, &grant, issued_at), Asked::Before).await?;
    let user = person(provider, &client, &grant).await?;
    commit(provider, client, user, (grant, issued_at), resource).await
}

/// When it is asked whether a grant may stand.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Asked {
    /// Before it is recorded: what is held in memory will do.
    Before,
    /// After: whoever is leaving at this moment has either seen the grant, or is seen.
    After,
}

/// Whether the person is still signed in and still agrees (PROTOCOL S3): leaving revokes grants, and a waiting code is none.
///
/// # Errors
/// `invalid_grant` when either has ended.
async fn check_standing(
    provider: &Provider,
    (client, grant, issued_at): (&Client, &Grant, NumericDate),
    asked: Asked,
) -> Result<(), OAuthError> {
    let store = &provider.edges.store;
    let session = match asked {
        Asked::Before => store.session(grant.session).await?,
        Asked::After => store.settled_session(grant.session).await?,
    };
    if !session.is_some_and(|session| session.is_live(grant.created_at)) {
        return Err(OAuthError::invalid_grant("the person signed out before the code was redeemed"));
    }
    if client.policy.first_party {
        // Asked once, when the grant is recorded: whoever took the permission back before has left a mark by then.
        if asked == Asked::After && is_withdrawn_since(provider, (grant.user, &client.id), issued_at).await? {
            return Err(OAuthError::invalid_grant("the person took the permission back before the code was redeemed"));
        }
        return Ok(());
    }
    let consent = match asked {
        Asked::Before => store.consent(grant.user, &client.id).await?,
        Asked::After => store.settled_consent(grant.user, &client.id).await?,
    };
    if consent.is_some_and(|consent| grant.scope.is_within(&consent.scope)) {
        Ok(())
    } else {
        Err(OAuthError::invalid_grant("the person took their consent back before the code was redeemed"))
    }
}

/// Issues the tokens and records them with the grant in one transaction, which is where the code is used up.
async fn commit(
    provider: &Provider,
    client: Arc<Client>,
    user: Arc<User>,
    (grant, issued_at): (Arc<Grant>, NumericDate),
    resource: &[String],
) -> Result<TokenResponse, OAuthError> {
    let now = grant.created_at;
    let refresh = renewable(&client, &grant.scope).then(|| {
        let token = provider.edges.random.token();
        let record = first_refresh_token(provider, (&client, &grant), &token);
        (token, record)
    });
    let named = Named { granted: &grant.details.resource, asked: resource };
    let Target { audience, scope } =
        api::target(provider, (&client, &grant.details.audience), named, grant.scope.clone()).await?;
    let authorized = Authorized {
        scope,
        audience,
        party: Party::Person { user, grant: Arc::clone(&grant) },
        client: Arc::clone(&client),
    };
    let id_token = if grant.scope.contains(Scope::OPENID) { IdToken::WithNonce } else { IdToken::Omit };
    let (token, record) = refresh.unzip();
    let Issued { response, opaque } =
        issue(provider, Order { authorized, id_token, refresh_token: token, now }).await?;
    match provider.edges.store.redeem_code(&grant, record.as_ref(), opaque.as_ref(), now).await? {
        // Asked again: who left after the first question found no grant to revoke, and must not leave one behind.
        CodeRedemption::Recorded => match check_standing(provider, (&client, &grant, issued_at), Asked::After).await {
            Ok(()) => {
                if client.policy.profile_provisioning {
                    Box::pin(begin_profile(provider, (&client, &grant))).await;
                }
                Ok(response)
            }
            Err(refusal) => {
                provider.edges.store.revoke_grant(grant.id, now, Beside::default()).await?;
                Err(refusal)
            }
        },
        CodeRedemption::Replayed => Err(replayed(&client)),
    }
}

/// Tells of the first sign-in to an app that keeps profiles (S-163). What cannot be told now is told at the next sign-in.
async fn begin_profile(provider: &Provider, (client, grant): (&Client, &Grant)) {
    let event = provider.edges.event(EventName::ProfileProvision).concerning(grant.user).by(Actor::Server);
    let beside = Beside::event(event.through(&client.id).within(grant.session));
    let noted = provider.edges.store.note_profile((grant.user, &client.id), grant.created_at, beside).await;
    if let Err(fault) = noted {
        tracing::warn!(client_id = %client.id, error = %fault, "the first sign-in to an app was not told");
    }
}

fn replayed(client: &Client) -> OAuthError {
    tracing::warn!(client_id = %client.id, "an authorization code was presented again; its grant is revoked");
    OAuthError::invalid_grant("the authorization code was used before; the tokens it gave are revoked (RFC 6749 4.1.2)")
}

fn grant_of(
    provider: &Provider,
    (client, code_hash): (&Client, TokenHash),
    code: AuthorizationCode,
    now: NumericDate,
) -> Grant {
    let is_of_an_app = code.redirect_uri == provider.issuer.at(CHALLENGE_ENDPOINT);
    Grant {
        id: code.grant,
        code_hash,
        user: code.authentication.user,
        client: code.client,
        session: code.session,
        details: GrantDetails {
            authentication: code.authentication,
            claims: code.claims,
            claims_locales: code.claims_locales,
            audience: audience(provider, client),
            resource: code.resource,
            nonce: code.nonce,
            own_claims: Map::new(),
            session_holder: if is_of_an_app { SessionHolder::App } else { SessionHolder::Browser },
        },
        created_at: now,
        expires_at: if renewable(client, &code.scope) {
            now.plus(provider.policy.lifetimes.refresh_family_of(client))
        } else {
            now.plus(provider.policy.lifetimes.access_token_of(client).max(api::LONGEST))
        },
        scope: code.scope,
        revoked_at: None,
    }
}

/// When a refresh token comes with the access token (`DECISIONS.md`).
fn renewable(client: &Client, scope: &Scope) -> bool {
    client.allows(GrantType::RefreshToken)
        && match client.policy.refresh_token {
            RefreshTokenPolicy::Always => true,
            RefreshTokenPolicy::OfflineAccess => scope.contains(Scope::OFFLINE_ACCESS),
        }
}

fn first_refresh_token(provider: &Provider, (client, grant): (&Client, &Grant), token: &Secret) -> RefreshToken {
    let lifetimes = &provider.policy.lifetimes;
    let end = grant.created_at.plus(lifetimes.refresh_family_of(client));
    RefreshToken {
        hash: TokenHash::of(token.expose()),
        grant: grant.id,
        scope: grant.scope.clone(),
        issued_at: grant.created_at,
        expires_at: grant.created_at.plus(lifetimes.refresh_token_of(client)).min(end),
        family_expires_at: end,
        used_at: None,
    }
}
