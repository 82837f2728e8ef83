//! Identities elsewhere that are connected to accounts here.
//!
//! PROTOCOL A20: (issuer, sub) is one row; whom it belongs to is settled once, by the constraint.

use std::sync::Arc;

use futures_util::FutureExt as _;
use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::row::{Context as _, moment};
use crate::edge::store::statement::Connection;
use crate::edge::store::writer::Fact;
use crate::edge::store::{Beside, Creation, Store};
use crate::model::fault::Fault;
use crate::model::id::{LinkId, ProviderId, UserId};
use crate::model::upstream_link::UpstreamLink;
use crate::protocol::numeric_date::NumericDate;

const FIND: &str = "SELECT id, provider_id, issuer, subject, user_id, label, linked_at, last_used_at
    FROM upstream_link WHERE issuer = $1 AND subject = $2";
const LIST: &str = "SELECT id, provider_id, issuer, subject, user_id, label, linked_at, last_used_at
    FROM upstream_link WHERE user_id = $1 ORDER BY linked_at, id";
const LINK: &str =
    "INSERT INTO upstream_link (id, provider_id, issuer, subject, user_id, label, linked_at, last_used_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (issuer, subject) DO NOTHING";
const NOTE_USE: &str = "UPDATE upstream_link SET last_used_at = $2, label = COALESCE($3, label)
    WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)";
/// The first statement of a removal: two removals of one person wait for one another.
const HOLD: &str = "UPDATE user_account SET updated_at = $2 WHERE id = $1 AND disabled_at IS NULL";
const UNLINK: &str = "DELETE FROM upstream_link WHERE id = $2 AND user_id = $1";
/// The groups that the provider of a connection gave. Which identity there gave them is not known: where another one is connected, its
/// next sign-in gives what is due to it.
const UNGROUP: &str = "DELETE FROM group_member WHERE user_id = $1
    AND provider_id = (SELECT provider_id FROM upstream_link WHERE id = $2 AND user_id = $1)";
const OTHERS: &str = "SELECT COUNT(*) FROM upstream_link WHERE user_id = $1 AND id <> $2";
const HAS_PASSWORD: &str = "SELECT COUNT(*) FROM credential WHERE user_id = $1 AND kind = 'password'";

/// What became of a connection that was to be cut.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Unlinked {
    /// It is cut.
    Unlinked,
    /// It is the last way in.
    Last,
    /// There is no such connection of this person.
    Unknown,
}

impl Store {
    /// Whose an identity is.
    pub async fn upstream_link(&self, issuer: &str, subject: &str) -> Result<Option<UpstreamLink>, Fault> {
        let find = self.readers.query(FIND).bind(issuer).bind(subject);
        let row: Option<LinkRow> = find.fetch_optional().await.context("find an identity")?;
        Ok(row.map(UpstreamLink::from))
    }

    /// The identities of a person, the oldest first.
    pub async fn upstream_links(&self, user: UserId) -> Result<Vec<UpstreamLink>, Fault> {
        let list = self.readers.query(LIST).bind(user.uuid());
        let rows: Vec<LinkRow> = list.fetch_all().await.context("list the identities of a person")?;
        Ok(rows.into_iter().map(UpstreamLink::from).collect())
    }

    /// Connects an identity; `AlreadyExists` when it is somebody's.
    pub async fn link_identity(&self, link: &UpstreamLink, beside: Beside) -> Result<Creation, Fault> {
        let link = link.clone();
        let fact = Fact::several(move |connection| {
            async move {
                let made = insert(connection, &link).await?;
                if made == Creation::Created {
                    beside.write(connection).await?;
                }
                Ok(made)
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }

    /// Cuts a connection; not the last way in: `otherwise` says that the person has one that this store does not know of.
    pub async fn unlink_identity(
        &self,
        (user, link): (UserId, LinkId),
        otherwise: Otherwise,
        now: NumericDate,
        beside: Beside,
    ) -> Result<Unlinked, Fault> {
        let held = Arc::clone(&self.held);
        let fact = Fact::several(move |connection| {
            async move {
                let holding = connection.query(HOLD).bind(user.uuid()).bind(now.seconds());
                if holding.execute().await.context("hold a person")? == 0 {
                    return Ok(Unlinked::Unknown);
                }
                let others = connection.query(OTHERS).bind(user.uuid()).bind(link.uuid());
                let others: i64 = others.scalar_one().await.context("count the identities of a person")?;
                let passwords = connection.query(HAS_PASSWORD).bind(user.uuid());
                let passwords: i64 = passwords.scalar_one().await.context("look for a password")?;
                if others == 0 && passwords == 0 && otherwise == Otherwise::Nothing {
                    return Ok(Unlinked::Last);
                }
                let ungroup = connection.query(UNGROUP).bind(user.uuid()).bind(link.uuid());
                ungroup.execute().await.context("take somebody out of mapped groups")?;
                let unlink = connection.query(UNLINK).bind(user.uuid()).bind(link.uuid());
                if unlink.execute().await.context("cut the connection to an identity")? == 0 {
                    return Ok(Unlinked::Unknown);
                }
                beside.write(connection).await?;
                Ok(Unlinked::Unlinked)
            }
            .boxed()
        });
        let publish = move |_: &Unlinked| {
            held.users.forget(&user);
            held.memberships.forget(&user);
        };
        self.recorder.record(fact.then(publish)).await
    }

    /// Writes down that an identity was signed in by, without waiting; the next sign-in makes up for a note that is lost.
    pub fn note_upstream_use(&self, link: LinkId, label: Option<String>, now: NumericDate) {
        let fact = Fact::one(move |connection| {
            async move {
                let note = connection.query(NOTE_USE).bind(link.uuid()).bind(now.seconds()).bind(label);
                note.execute().await.context("note the use of an identity").map(|_| ())
            }
            .boxed()
        });
        if let Err(fault) = self.recorder.post(fact) {
            tracing::debug!(error = %fault, "the use of an identity was not noted");
        }
    }
}

/// Whether a person can sign in by something else than passwords and identities elsewhere.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Otherwise {
    /// They can.
    Another,
    /// They cannot.
    Nothing,
}

/// Connects an identity within the transaction of `connection`.
pub(super) async fn insert(connection: &mut Connection, link: &UpstreamLink) -> Result<Creation, Fault> {
    let insert = connection.query(LINK).bind(link.id.uuid()).bind(link.provider.uuid()).bind(link.issuer.as_str());
    let insert = insert.bind(link.subject.as_str()).bind(link.user.uuid()).bind(link.label.as_deref());
    let insert = insert.bind(link.linked_at.seconds()).bind(link.last_used_at.map(NumericDate::seconds));
    Ok(Creation::of(insert.execute().await.context("connect an identity")?))
}

#[derive(FromRow)]
struct LinkRow {
    id: Uuid,
    provider_id: Uuid,
    issuer: String,
    subject: String,
    user_id: Uuid,
    label: Option<String>,
    linked_at: i64,
    last_used_at: Option<i64>,
}

impl From<LinkRow> for UpstreamLink {
    fn from(row: LinkRow) -> Self {
        Self {
            id: LinkId::from_uuid(row.id),
            provider: ProviderId::from_uuid(row.provider_id),
            issuer: row.issuer,
            subject: row.subject,
            user: UserId::from_uuid(row.user_id),
            label: row.label,
            linked_at: NumericDate::from_seconds(row.linked_at),
            last_used_at: moment(row.last_used_at),
        }
    }
}
