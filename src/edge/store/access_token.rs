//! Opaque access tokens, and JWT access tokens that were taken back.
//!
//! RFC 7009, RFC 7662.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use futures_util::FutureExt as _;
use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::row::{Context as _, Place, ShortHash, to_json};
use crate::edge::store::statement::Connection;
use crate::edge::store::writer::Fact;
use crate::edge::store::{Held, Store};
use crate::model::fault::Fault;
use crate::model::id::GrantId;
use crate::model::token::OpaqueAccessToken;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

const READ: &str = "SELECT hash, grant_id, client_id, scope, audience, issued_at, expires_at
    FROM opaque_access_token WHERE hash = $1";
const RECORD: &str =
    "INSERT INTO opaque_access_token (hash, grant_id, client_id, scope, audience, issued_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
const REVOKE: &str = "DELETE FROM opaque_access_token WHERE hash = $1";
const DENY: &str =
    "INSERT INTO denied_access_token (jti_hash, expires_at) VALUES ($1, $2) ON CONFLICT (jti_hash) DO NOTHING";
const FIND_DENIED: &str = "SELECT expires_at FROM denied_access_token WHERE jti_hash = $1";
const READ_DENIED: &str = "SELECT jti_hash, expires_at FROM denied_access_token";

impl Store {
    /// Records an opaque access token by itself (a client's own).
    pub async fn record_opaque(&self, token: &OpaqueAccessToken) -> Result<(), Fault> {
        let (token, held) = (Arc::new(token.clone()), Arc::clone(&self.held));
        let written = Arc::clone(&token);
        let fact = Fact::one(move |connection| async move { insert(connection, &written).await }.boxed());
        self.recorder.record(fact.then(move |()| held.put_tokens(None, Some(token)))).await
    }

    /// The opaque access token with this hash; expired ones and those of a revoked grant too.
    pub async fn opaque_access_token(&self, hash: &TokenHash) -> Result<Option<Arc<OpaqueAccessToken>>, Fault> {
        let load = async {
            let row: Option<OpaqueAccessTokenRow> = self
                .readers
                .query(READ)
                .bind(hash.as_bytes().as_slice())
                .fetch_optional()
                .await
                .context("read an opaque access token")?;
            row.map(OpaqueAccessToken::try_from).transpose()
        };
        self.held.opaque_access_tokens.get_or_load(hash, load).await
    }

    /// Takes an opaque access token back; false when there is none.
    pub async fn revoke_opaque(&self, hash: &TokenHash) -> Result<bool, Fault> {
        let (hash, held) = (*hash, Arc::clone(&self.held));
        let fact = Fact::one(move |connection| {
            async move {
                let revoke = connection.query(REVOKE).bind(hash.as_bytes().as_slice());
                let changed = revoke.execute().await.context("revoke an opaque access token")?;
                Ok(changed == 1)
            }
            .boxed()
        });
        self.recorder.record(fact.then(move |_| held.opaque_access_tokens.forget(&hash))).await
    }

    /// Takes a JWT access token back; the note is kept until the token expires.
    pub async fn deny_access_token(&self, jti: &TokenHash, expires_at: NumericDate) -> Result<(), Fault> {
        let (jti, held) = (*jti, Arc::clone(&self.held));
        let fact = Fact::one(move |connection| {
            async move {
                let deny = connection.query(DENY).bind(jti.as_bytes().as_slice()).bind(expires_at.seconds());
                deny.execute().await.context("deny an access token").map(|_| ())
            }
            .boxed()
        });
        let publish = move |(): &()| {
            held.denied.write().unwrap_or_else(PoisonError::into_inner).insert(jti, expires_at);
        };
        self.recorder.record(fact.then(publish)).await
    }

    /// True when the JWT access token was taken back. Reads memory, as long as that is complete.
    pub async fn is_denied(&self, jti: &TokenHash) -> Result<bool, Fault> {
        if self.held.sharing.is_current() {
            return Ok(self.held.denied.read().unwrap_or_else(PoisonError::into_inner).contains_key(jti));
        }
        let find = self.readers.query(FIND_DENIED).bind(jti.as_bytes().as_slice());
        Ok(find.scalar_optional::<i64>().await.context("look for a denied access token")?.is_some())
    }
}

/// Records an opaque access token.
pub(super) async fn insert(connection: &mut Connection, token: &OpaqueAccessToken) -> Result<(), Fault> {
    let insert = connection.query(RECORD).bind(token.hash.as_bytes().as_slice()).bind(token.grant.map(GrantId::uuid));
    let insert = insert.bind(token.client.as_str()).bind(token.scope.to_string()).bind(to_json(&token.audience)?);
    let insert = insert.bind(token.issued_at.seconds()).bind(token.expires_at.seconds());
    insert.execute().await.context("record an opaque access token").map(|_| ())
}

/// Reads every denied token into memory.
pub(super) async fn read_denied(held: &Held, connection: &mut Connection) -> Result<(), Fault> {
    let rows: Vec<(Vec<u8>, i64)> =
        connection.query(READ_DENIED).fetch_all().await.context("read the denied access tokens")?;
    let denied = rows
        .into_iter()
        .map(|(jti, expires_at)| {
            let place = Place { table: "denied_access_token", id: &ShortHash(&jti) };
            Ok((place.hash("jti_hash", &jti)?, NumericDate::from_seconds(expires_at)))
        })
        .collect::<Result<HashMap<_, _>, Fault>>()?;
    *held.denied.write().unwrap_or_else(PoisonError::into_inner) = denied;
    Ok(())
}

#[derive(FromRow)]
struct OpaqueAccessTokenRow {
    hash: Vec<u8>,
    grant_id: Option<Uuid>,
    client_id: String,
    scope: String,
    audience: String,
    issued_at: i64,
    expires_at: i64,
}

impl TryFrom<OpaqueAccessTokenRow> for OpaqueAccessToken {
    type Error = Fault;

    fn try_from(row: OpaqueAccessTokenRow) -> Result<Self, Fault> {
        let place = Place { table: "opaque_access_token", id: &ShortHash(&row.hash) };
        Ok(Self {
            hash: place.hash("hash", &row.hash)?,
            grant: row.grant_id.map(GrantId::from_uuid),
            client: place.parse("client_id", &row.client_id)?,
            scope: place.parse("scope", &row.scope)?,
            audience: place.json("audience", &row.audience)?,
            issued_at: NumericDate::from_seconds(row.issued_at),
            expires_at: NumericDate::from_seconds(row.expires_at),
        })
    }
}
