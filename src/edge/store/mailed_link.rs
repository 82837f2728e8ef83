//! Links of messages, by the hashes of their tokens.

use futures_util::FutureExt as _;
use serde_json::{Map, Value};
use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::row::{Context as _, Place, ShortHash, to_json};
use crate::edge::store::statement::Connection;
use crate::edge::store::writer::Fact;
use crate::edge::store::{Beside, Store};
use crate::model::fault::Fault;
use crate::model::id::UserId;
use crate::model::mailed_link::{GoodLink, LinkPurpose, MailedLink};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

const INSERT: &str = "INSERT INTO mailed_link (hash, purpose, user_id, address, epoch, details, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
/// A link of an account is good while the account's epoch is the one it was sent under, or when it is made to outlive it.
const READ: &str = "SELECT hash, purpose, user_id, address, details, created_at, expires_at FROM mailed_link
    WHERE hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3 AND user_id IS NOT NULL
    AND ($4 OR epoch = (SELECT CAST(u.auth_epoch_count AS TEXT) || '.' || CAST(u.auth_epoch AS TEXT)
        FROM user_account u WHERE u.id = mailed_link.user_id))";
const CONSUME: &str = "UPDATE mailed_link SET used_at = $3
    WHERE hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3 AND user_id IS NOT NULL
    AND ($4 OR epoch = (SELECT CAST(u.auth_epoch_count AS TEXT) || '.' || CAST(u.auth_epoch AS TEXT)
        FROM user_account u WHERE u.id = mailed_link.user_id))
    RETURNING hash, purpose, user_id, address, details, created_at, expires_at";
const VOID: &str = "UPDATE mailed_link SET used_at = $3 WHERE user_id = $1 AND purpose = $2 AND used_at IS NULL";
const VOID_ALL: &str = "UPDATE mailed_link SET used_at = $2 WHERE user_id = $1 AND used_at IS NULL
    AND purpose NOT IN ('email_change_undo', 'deletion_undo', 'export', 'not_me')";

impl Store {
    /// The link, while it is good for `purpose` at `now`.
    pub async fn mailed_link(
        &self,
        hash: &TokenHash,
        purpose: LinkPurpose,
        now: NumericDate,
    ) -> Result<Option<GoodLink>, Fault> {
        let read = self.readers.query(READ).bind(hash.as_bytes().as_slice()).bind(purpose.as_str());
        let read = read.bind(now.seconds()).bind(purpose.outlives_epoch());
        let row: Option<LinkRow> = read.fetch_optional().await.context("read a link")?;
        row.map(GoodLink::try_from).transpose()
    }

    /// As [`Store::record`], after the links of one purpose have been made useless: only the last one counts.
    pub async fn record_after_voiding(
        &self,
        of: (UserId, LinkPurpose),
        now: NumericDate,
        beside: Beside,
    ) -> Result<(), Fault> {
        let fact = Fact::several(move |connection| {
            async move {
                void(connection, of, now).await?;
                beside.write(connection).await
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }
}

/// Writes a link down within the transaction of `connection`.
pub(super) async fn insert(connection: &mut Connection, link: &MailedLink) -> Result<(), Fault> {
    let insert = connection.query(INSERT).bind(link.hash.as_bytes().as_slice()).bind(link.purpose.as_str());
    let insert = insert.bind(link.user.map(UserId::uuid)).bind(link.address.as_str());
    let insert = insert.bind(link.epoch.to_string()).bind(to_json(&link.details)?);
    let insert = insert.bind(link.created_at.seconds()).bind(link.expires_at.seconds());
    insert.execute().await.context("record a link").map(|_| ())
}

/// Uses the link up; `None` when it is not good for `purpose` any more.
pub(super) async fn consume(
    connection: &mut Connection,
    (hash, purpose): (&TokenHash, LinkPurpose),
    now: NumericDate,
) -> Result<Option<GoodLink>, Fault> {
    let consume = connection.query(CONSUME).bind(hash.as_bytes().as_slice()).bind(purpose.as_str());
    let consume = consume.bind(now.seconds()).bind(purpose.outlives_epoch());
    let row: Option<LinkRow> = consume.fetch_optional().await.context("use up a link")?;
    row.map(GoodLink::try_from).transpose()
}

/// Makes the links of one purpose useless.
async fn void(
    connection: &mut Connection,
    (user, purpose): (UserId, LinkPurpose),
    now: NumericDate,
) -> Result<(), Fault> {
    let void = connection.query(VOID).bind(user.uuid()).bind(purpose.as_str()).bind(now.seconds());
    void.execute().await.context("void the links of a purpose").map(|_| ())
}

/// Makes every link useless that lets somebody in.
pub(super) async fn void_all_of(connection: &mut Connection, user: UserId, now: NumericDate) -> Result<(), Fault> {
    let void = connection.query(VOID_ALL).bind(user.uuid()).bind(now.seconds());
    void.execute().await.context("void the links of a user").map(|_| ())
}

#[derive(FromRow)]
struct LinkRow {
    hash: Vec<u8>,
    purpose: String,
    user_id: Uuid,
    address: String,
    details: String,
    created_at: i64,
    expires_at: i64,
}

impl TryFrom<LinkRow> for GoodLink {
    type Error = Fault;

    fn try_from(row: LinkRow) -> Result<Self, Fault> {
        let short = ShortHash(&row.hash);
        let place = Place { table: "mailed_link", id: &short };
        Ok(Self {
            hash: place.hash("hash", &row.hash)?,
            purpose: LinkPurpose::parse(&row.purpose).ok_or_else(|| place.damaged("purpose"))?,
            user: UserId::from_uuid(row.user_id),
            details: place.json::<Map<String, Value>>("details", &row.details)?,
            created_at: NumericDate::from_seconds(row.created_at),
            expires_at: NumericDate::from_seconds(row.expires_at),
            address: row.address,
        })
    }
}
