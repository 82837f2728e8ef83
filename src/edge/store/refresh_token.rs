//! Refresh tokens and their rotation.
//!
//! RFC 9700 §4.14.2: a token that is used again gives its whole family away, unless it is the honest retry of a moment ago.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::row::{Context as _, Place, ShortHash, moment};
use crate::edge::store::statement::{Connection, Linked};
use crate::edge::store::writer::Fact;
use crate::edge::store::{Beside, Store, access_token, grant};
use crate::model::fault::Fault;
use crate::model::grant::GrantDetails;
use crate::model::id::GrantId;
use crate::model::token::{OpaqueAccessToken, RefreshRotation, RefreshToken};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

const READ: &str = "SELECT hash, grant_id, scope, issued_at, expires_at, family_expires_at, used_at
    FROM refresh_token WHERE hash = $1";
/// Uses a token and records its successor.
const ROTATE: Linked = Linked {
    sqlite: "UPDATE refresh_token SET used_at = $2, successor_hash = $3
        WHERE hash = $1 AND grant_id = $4 AND used_at IS NULL AND expires_at > $2 AND family_expires_at > $2
        AND EXISTS (SELECT 1 FROM oauth_grant g WHERE g.id = refresh_token.grant_id AND g.revoked_at IS NULL);
        INSERT INTO refresh_token (hash, grant_id, scope, issued_at, expires_at, family_expires_at)
        SELECT $3, $4, $5, $6, $7, $8 WHERE changes() = 1",
    postgres: "WITH used AS (UPDATE refresh_token SET used_at = $2, successor_hash = $3
        WHERE hash = $1 AND grant_id = $4 AND used_at IS NULL AND expires_at > $2 AND family_expires_at > $2
        AND EXISTS (SELECT 1 FROM oauth_grant g WHERE g.id = refresh_token.grant_id AND g.revoked_at IS NULL)
        RETURNING grant_id)
        INSERT INTO refresh_token (hash, grant_id, scope, issued_at, expires_at, family_expires_at)
        SELECT $3, grant_id, $5, $6, $7, $8 FROM used",
};
const UNUSE: &str = "UPDATE refresh_token SET used_at = NULL, successor_hash = NULL
    WHERE hash = $1 AND used_at = $2 AND successor_hash = $3";
const READ_USED: &str =
    "SELECT t.grant_id, t.used_at, s.hash AS successor_hash, s.used_at AS successor_used_at, g.revoked_at
    FROM refresh_token t JOIN oauth_grant g ON g.id = t.grant_id LEFT JOIN refresh_token s ON s.hash = t.successor_hash
    WHERE t.hash = $1";

/// The exchange of a refresh token for its successor.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// The token that was presented.
    pub presented: TokenHash,
    /// What stands in its place; of the same grant. An honest retry must come with the same successor.
    pub successor: RefreshToken,
    /// The access token that goes with it, when it is opaque.
    pub opaque: Option<OpaqueAccessToken>,
    /// What the grant says from now on, where that changes with the exchange.
    pub details: Option<GrantDetails>,
    /// The moment of the exchange.
    pub now: NumericDate,
    /// How long, in whole seconds, a retry gets the same successor.
    pub grace: Duration,
    /// What is written beside the revocation, when it turns out to be a reuse.
    pub reuse: Beside,
}

impl Store {
    /// The refresh token with this hash; used, expired and revoked ones too.
    pub async fn refresh_token(&self, hash: &TokenHash) -> Result<Option<RefreshToken>, Fault> {
        let load = async {
            let row: Option<RefreshTokenRow> = self
                .readers
                .query(READ)
                .bind(hash.as_bytes().as_slice())
                .fetch_optional()
                .await
                .context("read a refresh token")?;
            row.map(RefreshToken::try_from).transpose()
        };
        Ok(self.held.refresh_tokens.get_or_load(hash, load).await?.map(|token| RefreshToken::clone(&token)))
    }

    /// Exchanges a refresh token for its successor, once.
    ///
    /// `Repeated` within the grace when it was exchanged for the same successor, which is unused: the opaque access token is
    /// recorded then too. `Reused` otherwise: the grant is revoked. `Unknown` also when the grant was revoked before.
    pub async fn rotate_refresh_token(&self, rotation: &Rotation) -> Result<RefreshRotation, Fault> {
        let was_used = self.refresh_token(&rotation.presented).await?.is_some_and(|token| token.used_at.is_some());
        let (rotation, held) = (Arc::new(rotation.clone()), Arc::clone(&self.held));
        let written = Arc::clone(&rotation);
        let fact = Fact::several(move |connection| async move { written.record(connection).await }.boxed());
        // It is rotated. A retry may revoke the family, which is told with it.
        let is_one_change = rotation.opaque.is_none() && rotation.details.is_none() && !was_used;
        let fact = if is_one_change { fact.of_linked_change() } else { fact };
        let publish = move |outcome: &RefreshRotation| {
            held.refresh_tokens.forget(&rotation.presented);
            if rotation.details.is_some() {
                held.grants.forget(&rotation.successor.grant);
            }
            let opaque = rotation.opaque.clone().map(Arc::new);
            match outcome {
                RefreshRotation::Rotated => held.put_tokens(Some(Arc::new(rotation.successor.clone())), opaque),
                RefreshRotation::Repeated => held.put_tokens(None, opaque),
                RefreshRotation::Reused => held.grants.forget(&rotation.successor.grant),
                RefreshRotation::Unknown => (),
            }
        };
        self.recorder.record(fact.then(publish)).await
    }
}

impl Rotation {
    async fn record(&self, connection: &mut Connection) -> Result<RefreshRotation, Fault> {
        if self.rotate(connection).await? {
            self.record_beside(connection).await?;
            return Ok(RefreshRotation::Rotated);
        }
        let read = connection.query(READ_USED).bind(self.presented.as_bytes().as_slice());
        let row: Option<UsedRow> = read.fetch_optional().await.context("read a used refresh token")?;
        match row {
            Some(row) if row.grant_id == self.successor.grant.uuid() => self.repeat(connection, &row).await,
            _ => Ok(RefreshRotation::Unknown),
        }
    }

    /// False when the presented token may not be used.
    async fn rotate(&self, connection: &mut Connection) -> Result<bool, Fault> {
        let successor = &self.successor;
        let rotate = connection.query_linked(&ROTATE).bind(self.presented.as_bytes().as_slice());
        let rotate = rotate.bind(self.now.seconds()).bind(successor.hash.as_bytes().as_slice());
        let rotate = rotate.bind(successor.grant.uuid()).bind(successor.scope.to_string());
        let rotate = rotate.bind(successor.issued_at.seconds()).bind(successor.expires_at.seconds());
        let rotate = rotate.bind(successor.family_expires_at.seconds());
        match rotate.execute().await.context("rotate a refresh token") {
            Ok(changed) => Ok(changed > 0),
            Err(fault) if connection.links_loosely() => {
                let unuse = connection.query(UNUSE).bind(self.presented.as_bytes().as_slice());
                let unuse = unuse.bind(self.now.seconds()).bind(successor.hash.as_bytes().as_slice());
                let undone = unuse.execute().await;
                // Half of a fact must not stand: then its whole group fails.
                undone.map_err(|cause| Fault::unavailable("take the use of a token back").caused_by(cause))?;
                Err(fault)
            }
            Err(fault) => Err(fault),
        }
    }

    async fn repeat(&self, connection: &mut Connection, row: &UsedRow) -> Result<RefreshRotation, Fault> {
        let (Some(used_at), None) = (row.used_at, row.revoked_at) else { return Ok(RefreshRotation::Unknown) };
        // Inclusive: moments are cut to whole seconds, so less would be shorter than what was promised.
        let in_grace = self.now.since(NumericDate::from_seconds(used_at)) <= self.grace;
        let same = row.successor_hash.as_deref() == Some(self.successor.hash.as_bytes().as_slice());
        if in_grace && same && row.successor_used_at.is_none() {
            self.record_beside(connection).await?;
            return Ok(RefreshRotation::Repeated);
        }
        if grant::revoke(connection, self.successor.grant, self.now).await? {
            self.reuse.write(connection).await?;
        }
        Ok(RefreshRotation::Reused)
    }

    /// What goes with the exchange: the details of the grant and the opaque access token.
    async fn record_beside(&self, connection: &mut Connection) -> Result<(), Fault> {
        if let Some(details) = &self.details {
            grant::describe(connection, (self.successor.grant, details)).await?;
        }
        match &self.opaque {
            Some(token) => access_token::insert(connection, token).await,
            None => Ok(()),
        }
    }
}

#[derive(FromRow)]
struct UsedRow {
    grant_id: Uuid,
    used_at: Option<i64>,
    successor_hash: Option<Vec<u8>>,
    successor_used_at: Option<i64>,
    revoked_at: Option<i64>,
}

#[derive(FromRow)]
struct RefreshTokenRow {
    hash: Vec<u8>,
    grant_id: Uuid,
    scope: String,
    issued_at: i64,
    expires_at: i64,
    family_expires_at: i64,
    used_at: Option<i64>,
}

impl TryFrom<RefreshTokenRow> for RefreshToken {
    type Error = Fault;

    fn try_from(row: RefreshTokenRow) -> Result<Self, Fault> {
        let place = Place { table: "refresh_token", id: &ShortHash(&row.hash) };
        Ok(Self {
            hash: place.hash("hash", &row.hash)?,
            grant: GrantId::from_uuid(row.grant_id),
            scope: place.parse("scope", &row.scope)?,
            issued_at: NumericDate::from_seconds(row.issued_at),
            expires_at: NumericDate::from_seconds(row.expires_at),
            family_expires_at: NumericDate::from_seconds(row.family_expires_at),
            used_at: moment(row.used_at),
        })
    }
}
