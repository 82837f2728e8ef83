//! Recognising our own access tokens, JWT or opaque.
//!
//! RFC 9068 §4, RFC 6750. A signature is verified once; what can change (grant, person, client, revocation) is looked up
//! each time, in memory.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use serde_json::{Map, Value};

use crate::edge::tally;
use crate::model::client::Client;
use crate::model::fault::Fault;
use crate::model::grant::Grant;
use crate::model::id::{ClientId, GrantId};
use crate::model::user::User;
use crate::oauth::allowed;
use crate::oauth::keys::SigningKeys;
use crate::oauth::provider::Provider;
use crate::oauth::token::issue::content_key;
use crate::oauth::token::own_claims;
use crate::protocol::jose::jwe::Encrypted;
use crate::protocol::jose::jws::Unverified;
use crate::protocol::jwt_access_token::{AccessTokenClaims, TokenId};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::scope::Scope;
use crate::protocol::secret::TokenHash;

/// What a token says, true when it was issued.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// The client it was given to.
    pub client: ClientId,
    /// The grant it belongs to; `None` for a client's own token.
    pub grant: Option<GrantId>,
    /// What it allows.
    pub scope: Scope,
    /// `sub`; `None` in opaque tokens of people, where it is derived from the grant.
    pub subject: Option<String>,
    /// Whom it is for.
    pub audience: Vec<String>,
    /// `jti`; `None` in opaque tokens.
    pub jti: Option<TokenId>,
    /// The operator's own claims in it; ask [`LiveAccessToken::own`], which knows those of opaque tokens too.
    pub own: Map<String, Value>,
    /// When it was made.
    pub issued_at: NumericDate,
    /// The end.
    pub expires_at: NumericDate,
    /// By which its revocation is known.
    pub denial: TokenHash,
}

/// A token that is good at this moment.
#[derive(Clone, Debug)]
pub struct LiveAccessToken {
    /// What it says.
    pub token: Arc<AccessToken>,
    /// The client it was given to.
    pub client: Arc<Client>,
    /// The person and what they allowed; `None` for a client's own token.
    pub person: Option<(Arc<User>, Arc<Grant>)>,
    /// What of its scope is no longer all of it (S-150).
    narrowed: Option<Scope>,
}

impl LiveAccessToken {
    /// What it still allows: what it says, within what the client and the person may have at this moment.
    pub fn scope(&self) -> &Scope {
        self.narrowed.as_ref().unwrap_or(&self.token.scope)
    }
}

/// Bytes of verified tokens that are remembered: some ten thousand usual ones. One that is forgotten is verified again.
const REMEMBERED: u64 = 8 * 1024 * 1024;

/// Tokens whose signature was verified, by the hash of the whole token; bounded by bytes, since clients have a say in how long
/// their scopes and audiences are.
#[derive(Debug)]
pub struct VerifiedTokens {
    tokens: Cache<TokenHash, Arc<AccessToken>>,
}

impl Default for VerifiedTokens {
    fn default() -> Self {
        let weigh = |_: &TokenHash, token: &Arc<AccessToken>| u32::try_from(token.weight()).unwrap_or(u32::MAX);
        Self { tokens: Cache::builder().weigher(weigh).max_capacity(REMEMBERED).build() }
    }
}

impl VerifiedTokens {
    /// Forgets all; to be called when a key is withdrawn.
    pub fn clear(&self) {
        self.tokens.invalidate_all();
    }
}

impl AccessToken {
    /// About how many bytes it takes to remember it, with what the map keeps beside it.
    fn weight(&self) -> usize {
        const BESIDE: usize = 256;
        const EACH: usize = size_of::<String>() + 16;
        let scope: usize = self.scope.iter().map(|token| token.len() + EACH).sum();
        let audience: usize = self.audience.iter().map(|name| name.len() + EACH).sum();
        let names = self.client.as_str().len() + self.subject.as_ref().map_or(0, String::len);
        let own = self.own.iter().map(|(name, value)| name.len() + value.to_string().len() + EACH).sum::<usize>();
        size_of::<Self>() + BESIDE + scope + audience + names + own
    }
}

/// What `token` is good for at this moment; `None` when it is not ours, expired, revoked, or its person, client or grant
/// no longer stands.
///
/// # Errors
/// A fault when the store cannot be asked: never "good" by default.
pub async fn inspect(provider: &Provider, token: &str) -> Result<Option<LiveAccessToken>, Fault> {
    let now = provider.now();
    let hash = TokenHash::of(token);
    let Some(said) = recognise(provider, token, hash).await? else { return Ok(None) };
    let store = &provider.edges.store;
    // What was signed is read by other clocks too; what we recorded is judged by our own.
    let leeway = if said.jti.is_some() { provider.policy.leeway } else { Duration::ZERO };
    if said.expires_at.plus(leeway).is_past(now) || store.is_denied(&said.denial).await? {
        return Ok(None);
    }
    let Some(client) = store.client(&said.client).await?.filter(|client| client.is_enabled()) else { return Ok(None) };
    let person = match said.grant {
        None => None,
        Some(id) => {
            let Some(grant) = store.grant(id).await?.filter(|grant| grant.is_live()) else { return Ok(None) };
            let user = store.user(grant.user).await?.filter(|user| user.is_enabled());
            let Some(user) = user.filter(|user| grant.details.authentication.stands(user)) else { return Ok(None) };
            Some((user, grant))
        }
    };
    tally::client(&client.id);
    if let Some((user, _)) = &person {
        tally::user(user.id);
    }
    let user = person.as_ref().map(|(user, _)| user.as_ref());
    let narrowed = match allowed::of(provider, (&client, user), &said.scope).await? {
        Cow::Borrowed(_) => None,
        Cow::Owned(left) => Some(left),
    };
    Ok(Some(LiveAccessToken { token: said, client, person, narrowed }))
}

async fn recognise(provider: &Provider, token: &str, hash: TokenHash) -> Result<Option<Arc<AccessToken>>, Fault> {
    if let Some(known) = provider.verified_tokens.tokens.get(&hash) {
        return Ok(Some(known));
    }
    let keys = provider.keys.load_full();
    let Some(signed) = open(provider, &keys, token) else { return opaque(provider, hash).await };
    let Some(said) = verify(provider, &keys, &signed) else { return Ok(None) };
    let said = Arc::new(said);
    provider.verified_tokens.tokens.insert(hash, Arc::clone(&said));
    if !Arc::ptr_eq(&keys, &provider.keys.load()) {
        // Its key may have been withdrawn, and the memory cleared, while we looked: whoever comes next verifies again.
        provider.verified_tokens.tokens.invalidate(&hash);
    }
    Ok(Some(said))
}

/// The signed token in `token`; `None` when we cannot read it: it is opaque, encrypted to somebody else or with a key that is no
/// longer there.
fn open<'a>(provider: &Provider, keys: &SigningKeys, token: &'a str) -> Option<Cow<'a, str>> {
    if !token.contains('.') {
        return None;
    }
    match Encrypted::parse(token).ok()? {
        None => Some(Cow::Borrowed(token)),
        Some(encrypted) => {
            let kid = encrypted.kid.as_deref().filter(|kid| keys.by_kid(kid).is_some())?;
            let signed = content_key(provider, kid).decrypt(&encrypted).ok()?;
            Some(Cow::Owned(signed.expose().clone()))
        }
    }
}

/// What a token says that was found to be good; `None` when it says nothing.
pub fn payload(provider: &Provider, token: &str) -> Option<Map<String, Value>> {
    let signed = open(provider, &provider.keys.load(), token)?;
    Unverified::parse(&signed).ok()?.unverified_claims().ok()
}

impl LiveAccessToken {
    /// The first claim that every token of its client must have and that this one lacks (S-084).
    pub fn first_missing(&self) -> Option<&str> {
        own_claims::first_missing(&self.client, &self.own())
    }

    /// The claims of the client's own list; of an opaque token those of this moment. What mappers tell is asked of them again.
    pub fn own(&self) -> Map<String, Value> {
        match &self.person {
            Some((user, grant)) if self.token.jti.is_none() => own_claims::of_grant(&self.client, user, &grant.details),
            None if self.token.jti.is_none() => own_claims::of_client(&self.client).unwrap_or_default(),
            _ => {
                let listed = |(name, _): &(&String, &Value)| self.client.policy.own_claims.contains_key(*name);
                self.token.own.iter().filter(listed).map(|(name, value)| (name.clone(), value.clone())).collect()
            }
        }
    }
}

/// Verifies a JWT by our own keys (RFC 9068 §4); expiry is looked at each time, by the caller.
fn verify(provider: &Provider, keys: &SigningKeys, token: &str) -> Option<AccessToken> {
    let unverified = Unverified::parse(token).ok()?;
    let key = keys.by_kid(unverified.kid()?)?;
    let claims =
        AccessTokenClaims::verify(&unverified, key, provider.issuer.as_str(), (provider.now(), provider.policy.leeway))
            .ok()?;
    Some(AccessToken {
        client: claims.client_id.parse().ok()?,
        grant: claims.jti.grant.map(GrantId::from_uuid),
        scope: claims.scope,
        subject: Some(claims.sub),
        audience: claims.aud,
        own: claims.own,
        denial: TokenHash::of_bytes(&claims.jti.unique),
        jti: Some(claims.jti),
        issued_at: claims.iat,
        expires_at: claims.exp,
    })
}

async fn opaque(provider: &Provider, hash: TokenHash) -> Result<Option<Arc<AccessToken>>, Fault> {
    let record = provider.edges.store.opaque_access_token(&hash).await?;
    Ok(record.map(|record| {
        Arc::new(AccessToken {
            subject: record.grant.is_none().then(|| record.client.to_string()),
            client: record.client.clone(),
            grant: record.grant,
            scope: record.scope.clone(),
            audience: record.audience.clone(),
            jti: None,
            own: Map::new(),
            issued_at: record.issued_at,
            expires_at: record.expires_at,
            denial: hash,
        })
    }))
}
