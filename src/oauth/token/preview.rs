//! What tokens would say, and why: made by the functions that make real ones, without a signature.
//!
//! RFC 9068 §2.2, OIDC Core §2 and §5.3; S-147, S-148.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::model::authentication::{Amr, Authentication};
use crate::model::claim_mapper::Destination;
use crate::model::client::Client;
use crate::model::directory::Directory;
use crate::model::fault::Fault;
use crate::model::grant::{Grant, GrantDetails, SessionHolder};
use crate::model::id::{GrantId, SessionId};
use crate::model::user::User;
use crate::oauth::allowed;
use crate::oauth::api::{self, Named, Target};
use crate::oauth::endpoint::userinfo;
use crate::oauth::grant::{Authorized, Party, audience};
use crate::oauth::provider::Provider;
use crate::oauth::token::issue::{self, IdToken, Order};
use crate::oauth::token::mapped::{Explained, Mapped};
use crate::protocol::error::OAuthError;
use crate::protocol::oidc::claims::SCOPE_CLAIMS;
use crate::protocol::oidc::claims_request::ClaimsRequest;
use crate::protocol::scope::Scope;
use crate::protocol::secret::TokenHash;

/// What would be told.
#[derive(Clone, Debug)]
pub struct Preview {
    /// What would be granted.
    pub scope: Scope,
    /// What would not, and why.
    pub left_out: Vec<LeftOut>,
    /// The ID token; `None` without `openid`.
    pub id_token: Option<Vec<Explained>>,
    /// The access token, as a JWT.
    pub access_token: Vec<Explained>,
    /// The `UserInfo` answer; `None` without `openid`.
    pub userinfo: Option<Vec<Explained>>,
    /// What introspection tells beside the usual.
    pub introspection: Vec<Explained>,
}

/// A scope that would not be granted.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct LeftOut {
    /// Which.
    pub scope: String,
    /// Why, for an operator.
    pub because: String,
}

/// What `client` would be given of `user` who signs in by password and agrees to all of `asked`.
///
/// # Errors
/// A fault of the store; `invalid_grant` when a claim that the client requires is missing.
pub async fn preview(
    provider: &Provider,
    (client, user): (&Arc<Client>, &Arc<User>),
    asked: &Scope,
) -> Result<Preview, OAuthError> {
    let known = allowed::to_client(provider, client).await?;
    let scope = allowed::of(provider, (client, Some(user)), &asked.intersection(&known)).await?.into_owned();
    let left_out = left_out(provider, client, (asked, &scope)).await?;
    let grant = Arc::new(grant(provider, (client, user), &scope));
    let mapped = Mapped::load(provider, Some(user)).await?;
    let usual = (&**client, grant.details.audience.as_slice());
    let Target { audience, scope } = api::target(provider, usual, Named::default(), scope).await?;
    let authorized = Authorized {
        client: Arc::clone(client),
        scope: scope.clone(),
        audience,
        party: Party::Person { user: Arc::clone(user), grant: Arc::clone(&grant) },
    };
    let now = provider.now();
    let order = Order { authorized, id_token: IdToken::WithNonce, refresh_token: None, now };
    let why = Why { client, mapped: &mapped, scope: &scope };
    let claims = issue::access_token_claims(provider, &order, &mapped)?;
    let mut access = json(&claims)?;
    access.extend(claims.own);
    let has_openid = scope.contains(Scope::OPENID);
    let id_token = if has_openid {
        let claims = issue::id_token_claims(provider, &order, (&mapped, None))?;
        Some(why.explain(json(&claims)?, Destination::IdToken))
    } else {
        None
    };
    let told = has_openid.then(|| userinfo::told(provider, (client, user, &grant), &scope, &mapped)).transpose()?;
    Ok(Preview {
        id_token,
        access_token: why.explain(access, Destination::AccessToken),
        userinfo: told.map(|claims| why.explain(claims, Destination::Userinfo)),
        introspection: mapped.explain((client, &scope), Destination::Introspection),
        scope,
        left_out,
    })
}

fn json(claims: &impl Serialize) -> Result<Map<String, Value>, OAuthError> {
    let written = serde_json::to_value(claims).map_err(|error| Fault::internal("write claims").caused_by(error))?;
    match written {
        Value::Object(members) => Ok(members),
        _ => Err(Fault::internal("claims are an object").into()),
    }
}

/// A grant as a sign-in by password would leave it.
fn grant(provider: &Provider, (client, user): (&Client, &User), scope: &Scope) -> Grant {
    let now = provider.now();
    Grant {
        id: GrantId::new(now, [0; 10]),
        code_hash: TokenHash::of(""),
        user: user.id,
        client: client.id.clone(),
        session: SessionId::new(now, [0; 10]),
        scope: scope.clone(),
        details: GrantDetails {
            authentication: Authentication::new((user.id, user.auth_epoch), now, vec![Amr::Pwd]),
            claims: ClaimsRequest::default(),
            claims_locales: Vec::new(),
            audience: audience(provider, client),
            resource: Vec::new(),
            nonce: None,
            own_claims: Map::new(),
            session_holder: SessionHolder::Browser,
        },
        created_at: now,
        expires_at: now,
        revoked_at: None,
    }
}

async fn left_out(
    provider: &Provider,
    client: &Client,
    (asked, granted): (&Scope, &Scope),
) -> Result<Vec<LeftOut>, Fault> {
    let directory = provider.edges.store.directory().await?;
    let known = allowed::known(&provider.scopes_supported, &directory);
    let because = |token: &str| {
        if !known.contains(token) {
            "nothing here is called so".to_owned()
        } else if client.metadata.scope.as_ref().is_some_and(|registered| !registered.contains(token)) {
            "the client is not registered for it".to_owned()
        } else if [allowed::ADMIN, allowed::ADMIN_READ].contains(&token) {
            "only people with a role on this server may have it".to_owned()
        } else if client.metadata.scope.is_none() && directory.knows_scope(token) {
            "the client names no scopes; one that an operator made must be named".to_owned()
        } else {
            format!("only members of {} may have it", holders(&directory, token))
        }
    };
    let missing = asked.without(granted);
    Ok(missing.iter().map(|token| LeftOut { scope: token.to_owned(), because: because(token) }).collect())
}

fn holders(directory: &Directory, token: &str) -> String {
    let keeping = directory.scopes().iter().filter(|scope| scope.scopes.contains(token));
    let paths: Vec<&str> = keeping.map(|scope| directory.path(scope.group)).collect();
    paths.join(", ")
}

/// What says why a claim is there.
struct Why<'a> {
    client: &'a Client,
    mapped: &'a Mapped,
    scope: &'a Scope,
}

impl Why<'_> {
    fn explain(&self, claims: Map<String, Value>, into: Destination) -> Vec<Explained> {
        let mapped = self.mapped.explain((self.client, self.scope), into);
        let because = |name: &str, value: &Value| {
            let by_mapper = mapped.iter().find(|one| one.claim == name && one.value == *value);
            if let Some(mapper) = by_mapper {
                return mapper.because.clone();
            }
            if into == Destination::AccessToken && self.client.policy.own_claims.contains_key(name) {
                return "a claim of the client's own list".to_owned();
            }
            let of_scope = SCOPE_CLAIMS.iter().find(|(_, names)| names.contains(&name)).map(|(scope, _)| *scope);
            match (into, of_scope) {
                (Destination::Userinfo, Some(scope)) => format!("the scope {scope} (OIDC Core 5.4)"),
                (Destination::Userinfo, None) if name != "sub" => {
                    "an attribute of the settings, by the scope profile".to_owned()
                }
                (Destination::Userinfo | Destination::Introspection, _) => "always there (OIDC Core 5.3.2)".to_owned(),
                (Destination::IdToken, _) => "of every ID token (OIDC Core 2)".to_owned(),
                (Destination::AccessToken, _) => "of every access token (RFC 9068 2.2)".to_owned(),
            }
        };
        let explained = claims.into_iter().map(|(claim, value)| {
            let because = because(&claim, &value);
            Explained { claim, value, because }
        });
        explained.collect()
    }
}
