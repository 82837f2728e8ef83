//! Word to apps that a session is over, and which apps that are: those that got tokens in it.
//!
//! OpenID Connect Back-Channel Logout 1.0 §2.5 (the OP remembers the RPs that are signed in by a session). What ends a session calls
//! [`write`] in its own transaction; a job of the queue `logout` tells the app later (PROTOCOL §4.8).

use std::time::Duration;

use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::row::{Context as _, Place};
use crate::edge::store::statement::Connection;
use crate::edge::store::{Store, job};
use crate::model::fault::Fault;
use crate::model::id::{ClientId, JobId, SessionId, UserId};
use crate::model::job::{LogoutNotice, NewJob, Queue};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

/// The apps of a session that want to hear of its end.
const HEARING: &str = "SELECT user_session.user_id, oauth_client.id AS client_id FROM oauth_client, user_session
    WHERE user_session.id = $1 AND oauth_client.hears_logout AND oauth_client.disabled_at IS NULL
    AND (EXISTS (SELECT 1 FROM oauth_grant
            WHERE oauth_grant.session_id = user_session.id AND oauth_grant.client_id = oauth_client.id)
        OR EXISTS (SELECT 1 FROM session_client
            WHERE session_client.session_id = user_session.id AND session_client.client_id = oauth_client.id))
    ORDER BY oauth_client.id";
const INSERT: &str = "INSERT INTO logout_notice (job_id, client_id, user_id, session_id) VALUES ($1, $2, $3, $4)";
const READ: &str = "SELECT client_id, user_id, session_id FROM logout_notice WHERE job_id = $1";
const CLIENTS: &str = "SELECT client_id FROM oauth_grant WHERE session_id = $1
    UNION SELECT client_id FROM session_client WHERE session_id = $1 ORDER BY client_id";

/// For how long an app is told. Whoever was away for longer finds its tokens refused.
const TOLD_FOR: Duration = Duration::from_mins(15);

impl Store {
    /// What the job tells; `None` for a job of another queue, or one that is gone.
    pub async fn logout_notice(&self, job: JobId) -> Result<Option<LogoutNotice>, Fault> {
        let read = self.readers.query(READ).bind(job.uuid());
        let row: Option<(String, Uuid, Uuid)> = read.fetch_optional().await.context("read what an app is told")?;
        let place = Place { table: "logout_notice", id: &job };
        row.map(|(client, user, session)| {
            Ok(LogoutNotice {
                client: place.parse("client_id", &client)?,
                user: UserId::from_uuid(user),
                session: SessionId::from_uuid(session),
            })
        })
        .transpose()
    }

    /// The apps that got tokens in a session.
    pub async fn clients_of_session(&self, session: SessionId) -> Result<Vec<ClientId>, Fault> {
        let list = self.readers.query(CLIENTS).bind(session.uuid());
        let ids: Vec<String> = list.scalar_all().await.context("list the apps of a session")?;
        let place = Place { table: "oauth_grant", id: &session };
        ids.iter().map(|id| place.parse("client_id", id)).collect()
    }
}

/// Writes down within the transaction of `connection` that the apps of a session which just ended are to be told.
pub(super) async fn write(connection: &mut Connection, session: SessionId, now: NumericDate) -> Result<(), Fault> {
    let list = connection.query(HEARING).bind(session.uuid());
    let hearing: Vec<HearingRow> = list.fetch_all().await.context("look for apps that hear of the end of a session")?;
    for HearingRow { user_id, client_id } in hearing {
        let id = job_id((session, &client_id), now);
        let new = NewJob {
            id,
            queue: Queue::Logout,
            sealed: Vec::new(),
            idempotency_key: None,
            created_at: now,
            expires_at: now.plus(TOLD_FOR),
        };
        job::insert(connection, &new).await?;
        let insert = connection.query(INSERT).bind(id.uuid()).bind(client_id).bind(user_id).bind(session.uuid());
        insert.execute().await.context("record what an app is told")?;
    }
    Ok(())
}

/// The store has no chance of its own; a session ends once, so that nothing else gets this id.
fn job_id((session, client): (SessionId, &str), now: NumericDate) -> JobId {
    let hash = TokenHash::of(&format!("{session} {client}"));
    JobId::new(now, hash.as_bytes().first_chunk().copied().expect("a hash has more than ten bytes"))
}

#[derive(FromRow)]
struct HearingRow {
    user_id: Uuid,
    client_id: String,
}
