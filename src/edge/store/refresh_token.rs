//! Refresh tokens and their rotation.
//!
//! RFC 9700 §4.14.2: a token that is used again gives its whole family away, unless it is the honest retry of a moment ago.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::row::{Context as _, Place, ShortHash, moment};
use crate::edge::store::statement::Connection;
use crate::edge::store::writer::Fact;
use crate::edge::store::{Beside, Store, access_token, grant};
use crate::model::fault::Fault;
use crate::model::id::GrantId;
use crate::model::token::{OpaqueAccessToken, RefreshRotation, RefreshToken};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

const READ: &str = "SELECT hash, grant_id, scope, issued_at, expires_at, family_expires_at, used_at
    FROM refresh_token WHERE hash = $1";
const RECORD: &str =
    "INSERT INTO refresh_token (hash, grant_id, scope, issued_at, expires_at, family_expires_at, used_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
const USE: &str = "UPDATE refresh_token SET used_at = $2, successor_hash = $3
    WHERE hash = $1 AND grant_id = $4 AND used_at IS NULL AND expires_at > $2 AND family_expires_at > $2
    AND EXISTS (SELECT 1 FROM oauth_grant g WHERE g.id = refresh_token.grant_id AND g.revoked_at IS NULL)";
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
        let (rotation, held) = (Arc::new(rotation.clone()), Arc::clone(&self.held));
        let written = Arc::clone(&rotation);
        let fact = Fact::several(move |connection| async move { written.record(connection).await }.boxed());
        let publish = move |outcome: &RefreshRotation| {
            held.refresh_tokens.forget(&rotation.presented);
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
        let guarded = connection.query(USE).bind(self.presented.as_bytes().as_slice()).bind(self.now.seconds());
        let guarded = guarded.bind(self.successor.hash.as_bytes().as_slice()).bind(self.successor.grant.uuid());
        let changed = guarded.execute().await.context("use a refresh token")?;
        if changed == 1 {
            insert(connection, &self.successor).await?;
            self.record_opaque(connection).await?;
            return Ok(RefreshRotation::Rotated);
        }
        let read = connection.query(READ_USED).bind(self.presented.as_bytes().as_slice());
        let row: Option<UsedRow> = read.fetch_optional().await.context("read a used refresh token")?;
        match row {
            Some(row) if row.grant_id == self.successor.grant.uuid() => self.repeat(connection, &row).await,
            _ => Ok(RefreshRotation::Unknown),
        }
    }

    async fn repeat(&self, connection: &mut Connection, row: &UsedRow) -> Result<RefreshRotation, Fault> {
        let (Some(used_at), None) = (row.used_at, row.revoked_at) else { return Ok(RefreshRotation::Unknown) };
        // Inclusive: moments are cut to whole seconds, so less would be shorter than what was promised.
        let in_grace = self.now.since(NumericDate::from_seconds(used_at)) <= self.grace;
        let same = row.successor_hash.as_deref() == Some(self.successor.hash.as_bytes().as_slice());
        if in_grace && same && row.successor_used_at.is_none() {
            self.record_opaque(connection).await?;
            return Ok(RefreshRotation::Repeated);
        }
        if grant::revoke(connection, self.successor.grant, self.now).await? {
            self.reuse.write(connection).await?;
        }
        Ok(RefreshRotation::Reused)
    }

    async fn record_opaque(&self, connection: &mut Connection) -> Result<(), Fault> {
        match &self.opaque {
            Some(token) => access_token::insert(connection, token).await,
            None => Ok(()),
        }
    }
}

/// Records a refresh token of a grant that stands.
pub(super) async fn insert(connection: &mut Connection, token: &RefreshToken) -> Result<(), Fault> {
    let insert = connection.query(RECORD).bind(token.hash.as_bytes().as_slice()).bind(token.grant.uuid());
    let insert = insert.bind(token.scope.to_string()).bind(token.issued_at.seconds()).bind(token.expires_at.seconds());
    let insert = insert.bind(token.family_expires_at.seconds()).bind(token.used_at.map(NumericDate::seconds));
    insert.execute().await.context("record a refresh token").map(|_| ())
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
