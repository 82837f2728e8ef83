//! Sessions of browsers.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::row::{Context as _, Place, bigint, moment, to_json};
use crate::edge::store::statement::{Connection, Readers};
use crate::edge::store::writer::Fact;
use crate::edge::store::{Held, Kept, Store, grant};
use crate::model::authentication::Authentication;
use crate::model::epoch::Epoch;
use crate::model::fault::Fault;
use crate::model::id::{GrantId, SessionId, UserId};
use crate::model::session::Session;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

const READ: &str = "SELECT id, token_hash, authentication, created_at, last_seen_at, expires_at, idle_lifetime,
    is_persistent, ended_at, user_agent FROM user_session WHERE id = $1";
/// PostgreSQL only: waits for whoever is ending it.
const READ_SETTLED: &str = "SELECT id, token_hash, authentication, created_at, last_seen_at, expires_at, idle_lifetime,
    is_persistent, ended_at, user_agent FROM user_session WHERE id = $1 FOR SHARE";
const READ_BY_TOKEN: &str =
    "SELECT id, token_hash, authentication, created_at, last_seen_at, expires_at, idle_lifetime,
    is_persistent, ended_at, user_agent FROM user_session WHERE token_hash = $1";
const LIST: &str = "SELECT id, token_hash, authentication, created_at, last_seen_at, expires_at, idle_lifetime,
    is_persistent, ended_at, user_agent FROM user_session
    WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2 AND last_seen_at + idle_lifetime > $2
    ORDER BY last_seen_at DESC, id";
const BEGIN: &str = "INSERT INTO user_session (id, token_hash, user_id, authentication, created_at, last_seen_at,
    expires_at, idle_lifetime, is_persistent, ended_at, user_agent)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const RENEW: &str = "UPDATE user_session SET token_hash = $2, authentication = $3, last_seen_at = $4,
    idle_lifetime = COALESCE($6, idle_lifetime), is_persistent = (is_persistent OR $6 IS NOT NULL)
    WHERE id = $1 AND user_id = $5 AND ended_at IS NULL AND expires_at > $4
    RETURNING id, token_hash, authentication, created_at, last_seen_at, expires_at, idle_lifetime,
    is_persistent, ended_at, user_agent";
const TOUCH: &str = "UPDATE user_session SET last_seen_at = $2
    WHERE id = $1 AND last_seen_at < $2 AND ended_at IS NULL
    RETURNING id, token_hash, authentication, created_at, last_seen_at, expires_at, idle_lifetime,
    is_persistent, ended_at, user_agent";
const END: &str = "UPDATE user_session SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL";
const END_ALL_OF: &str =
    "UPDATE user_session SET ended_at = $2 WHERE user_id = $1 AND ended_at IS NULL AND id <> $3 RETURNING id";

impl Store {
    /// The session whose cookie has this hash; ended and expired ones too, so ask [`Session::is_live`].
    pub async fn session_by_token(&self, token: &TokenHash) -> Result<Option<Arc<Session>>, Fault> {
        if let Some(id) = self.held.session_of_token.get(token)
            && let Some(session) = self.held.sessions.get(&id)
        {
            // The hash changes at each authentication: the old cookie opens nothing any more.
            if session.token_hash.matches(token) {
                return Ok(Some(session));
            }
        }
        let token_ticket = self.held.session_of_token.ticket(token);
        let row: Option<SessionRow> = self
            .readers
            .query(READ_BY_TOKEN)
            .bind(token.as_bytes().as_slice())
            .fetch_optional()
            .await
            .context("read a session by its token")?;
        let Some(found) = row.map(Session::try_from).transpose()? else { return Ok(None) };
        self.held.session_of_token.install(token_ticket, token, &Arc::new(found.id));
        // By its id it may be held, in a newer state than the row just read, or in an older one when another node renewed it
        // a moment ago: then it is read once more.
        match self.session(found.id).await? {
            Some(session) if session.token_hash.matches(token) => Ok(Some(session)),
            _ => {
                self.held.sessions.forget(&found.id);
                Ok(self.session(found.id).await?.filter(|session| session.token_hash.matches(token)))
            }
        }
    }

    /// The session, in whatever state it is.
    pub async fn session(&self, id: SessionId) -> Result<Option<Arc<Session>>, Fault> {
        let load = async {
            let row: Option<SessionRow> =
                self.readers.query(READ).bind(id.uuid()).fetch_optional().await.context("read a session")?;
            row.map(Session::try_from).transpose()
        };
        self.held.sessions.get_or_load(&id, load).await
    }

    /// The session, once nobody is in the middle of ending it: what was recorded before this call is either seen by who ends it,
    /// or this call sees the end.
    ///
    /// On SQLite facts come one after another and are held when they are acknowledged; on PostgreSQL another transaction may
    /// have looked for grants and not yet be there.
    pub async fn settled_session(&self, id: SessionId) -> Result<Option<Arc<Session>>, Fault> {
        if matches!(self.readers, Readers::Sqlite(_)) {
            return self.session(id).await;
        }
        let read = self.readers.query(READ_SETTLED).bind(id.uuid());
        let row: Option<SessionRow> = read.fetch_optional().await.context("read a session once it is settled")?;
        row.map(|row| Session::try_from(row).map(Arc::new)).transpose()
    }

    /// The sessions of a person that are live at `now`, the last used first.
    pub async fn sessions_of(&self, user: UserId, now: NumericDate) -> Result<Vec<Session>, Fault> {
        let rows: Vec<SessionRow> = self
            .readers
            .query(LIST)
            .bind(user.uuid())
            .bind(now.seconds())
            .fetch_all()
            .await
            .context("list sessions")?;
        rows.into_iter().map(Session::try_from).collect()
    }

    /// Records a new session and ends the one that the browser had before, as [`Store::end_session`] does.
    pub async fn begin_session(&self, session: &Session, replaced: Option<SessionId>) -> Result<(), Fault> {
        let authentication = to_json(&session.authentication)?;
        let (session, held) = (Arc::new(session.clone()), Arc::clone(&self.held));
        let written = Arc::clone(&session);
        let fact = Fact::several(move |connection| {
            async move {
                insert(connection, &written, authentication).await?;
                match replaced {
                    Some(replaced) => end(connection, replaced, written.created_at).await,
                    None => Ok(Ended { revoked: Vec::new(), was_live: false }),
                }
            }
            .boxed()
        });
        let publish = move |ended: &Ended| {
            ended.publish(replaced, &held);
            held.session_of_token.put(session.token_hash, Arc::new(session.id));
            held.sessions.put(session.id, session);
        };
        self.recorder.record(fact.then(publish)).await.map(|_| ())
    }

    /// Records that the same person proved again who they are: the cookie's hash changes with it. With `kept`, the longest
    /// pause from now on, the session outlives the window; without it, it stays what it was.
    ///
    /// `None` when the session has ended, has expired or belongs to someone else.
    pub async fn renew_session(
        &self,
        (id, token): (SessionId, TokenHash),
        authentication: &Authentication,
        kept: Option<Duration>,
        now: NumericDate,
    ) -> Result<Option<Arc<Session>>, Fault> {
        let (user, authentication) = (authentication.user, to_json(authentication)?);
        let held = Arc::clone(&self.held);
        let fact = Fact::one(move |connection| {
            async move {
                let renew = connection.query(RENEW).bind(id.uuid()).bind(token.as_bytes().as_slice());
                let renew = renew.bind(authentication).bind(now.seconds()).bind(user.uuid());
                let renew = renew.bind(kept.map(|pause| bigint(pause.as_secs())));
                let row: Option<SessionRow> = renew.fetch_optional().await.context("renew a session")?;
                row.map(|row| Session::try_from(row).map(Arc::new)).transpose()
            }
            .boxed()
        });
        let publish = move |renewed: &Option<Arc<Session>>| {
            if let Some(session) = renewed {
                held.session_of_token.put(session.token_hash, Arc::new(session.id));
                held.sessions.put(session.id, Arc::clone(session));
            }
        };
        self.recorder.record(fact.then(publish)).await
    }

    /// Writes down that the session is in use, without waiting; a note that is lost is made again by the next use.
    pub fn touch_session(&self, id: SessionId, now: NumericDate) {
        let held = Arc::clone(&self.held);
        let fact = Fact::one(move |connection| {
            async move {
                let touch = connection.query(TOUCH).bind(id.uuid()).bind(now.seconds());
                let row: Option<SessionRow> = touch.fetch_optional().await.context("touch a session")?;
                row.map(|row| Session::try_from(row).map(Arc::new)).transpose()
            }
            .boxed()
        });
        let publish = move |touched: &Option<Arc<Session>>| {
            if let Some(session) = touched {
                held.sessions.put(session.id, Arc::clone(session));
            }
        };
        if let Err(fault) = self.recorder.post(fact.then(publish)) {
            tracing::debug!(error = %fault, "the use of a session was not written down");
        }
    }

    /// Ends the session and revokes its grants, but for those with `offline_access`; false when it was not live.
    pub async fn end_session(&self, id: SessionId, now: NumericDate) -> Result<bool, Fault> {
        let held = Arc::clone(&self.held);
        let fact = Fact::several(move |connection| end(connection, id, now).boxed());
        let publish = move |ended: &Ended| ended.publish(Some(id), &held);
        self.recorder.record(fact.then(publish)).await.map(|ended| ended.was_live)
    }
}

/// A session that was ended.
struct Ended {
    revoked: Vec<GrantId>,
    was_live: bool,
}

impl Ended {
    fn publish(&self, session: Option<SessionId>, held: &Held) {
        if let Some(session) = session {
            held.sessions.forget(&session);
        }
        for grant in &self.revoked {
            held.grants.forget(grant);
        }
    }
}

async fn end(connection: &mut Connection, id: SessionId, now: NumericDate) -> Result<Ended, Fault> {
    let end = connection.query(END).bind(id.uuid()).bind(now.seconds());
    let changed = end.execute().await.context("end a session")?;
    let revoked = grant::revoke_online_of(connection, id, now).await?;
    Ok(Ended { revoked, was_live: changed == 1 })
}

/// Ends every session of a person but `kept`.
pub(super) async fn end_all_of(
    connection: &mut Connection,
    user: UserId,
    kept: Option<SessionId>,
    now: NumericDate,
) -> Result<Vec<SessionId>, Fault> {
    let kept = kept.map_or(Uuid::nil(), SessionId::uuid);
    let end = connection.query(END_ALL_OF).bind(user.uuid()).bind(now.seconds()).bind(kept);
    let ids: Vec<Uuid> = end.scalar_all().await.context("end the sessions of a user")?;
    Ok(ids.into_iter().map(SessionId::from_uuid).collect())
}

/// Takes a live session of the person into `epoch` with a new cookie; the sign-in itself stays as old as it is.
pub(super) async fn carry_over(
    connection: &mut Connection,
    (user, kept): (UserId, Kept),
    epoch: Epoch,
    now: NumericDate,
) -> Result<Option<Arc<Session>>, Fault> {
    let read = connection.query(READ).bind(kept.session.uuid());
    let row: Option<SessionRow> = read.fetch_optional().await.context("read a session")?;
    let Some(session) = row.map(Session::try_from).transpose()?.filter(|session| session.is_live(now)) else {
        return Ok(None);
    };
    let authentication = to_json(&Authentication { epoch: Some(epoch), ..session.authentication })?;
    let renew = connection.query(RENEW).bind(kept.session.uuid()).bind(kept.token.as_bytes().as_slice());
    let renew = renew.bind(authentication).bind(now.seconds()).bind(user.uuid()).bind(None::<i64>);
    let row: Option<SessionRow> = renew.fetch_optional().await.context("take a session along")?;
    row.map(|row| Session::try_from(row).map(Arc::new)).transpose()
}

async fn insert(connection: &mut Connection, session: &Session, authentication: String) -> Result<(), Fault> {
    let insert = connection.query(BEGIN).bind(session.id.uuid()).bind(session.token_hash.as_bytes().as_slice());
    let insert = insert.bind(session.authentication.user.uuid()).bind(authentication);
    let insert = insert.bind(session.created_at.seconds()).bind(session.last_seen_at.seconds());
    let insert = insert.bind(session.expires_at.seconds()).bind(bigint(session.idle_lifetime));
    let insert = insert.bind(session.is_persistent).bind(session.ended_at.map(NumericDate::seconds));
    let insert = insert.bind(session.user_agent.as_str());
    insert.execute().await.context("record a session").map(|_| ())
}

#[derive(FromRow)]
struct SessionRow {
    id: Uuid,
    token_hash: Vec<u8>,
    authentication: String,
    created_at: i64,
    last_seen_at: i64,
    expires_at: i64,
    idle_lifetime: i64,
    is_persistent: bool,
    ended_at: Option<i64>,
    user_agent: String,
}

impl TryFrom<SessionRow> for Session {
    type Error = Fault;

    fn try_from(row: SessionRow) -> Result<Self, Fault> {
        let place = Place { table: "user_session", id: &row.id };
        Ok(Self {
            id: SessionId::from_uuid(row.id),
            token_hash: place.hash("token_hash", &row.token_hash)?,
            authentication: place.json("authentication", &row.authentication)?,
            created_at: NumericDate::from_seconds(row.created_at),
            last_seen_at: NumericDate::from_seconds(row.last_seen_at),
            expires_at: NumericDate::from_seconds(row.expires_at),
            idle_lifetime: place.unsigned("idle_lifetime", row.idle_lifetime)?,
            is_persistent: row.is_persistent,
            ended_at: moment(row.ended_at),
            user_agent: row.user_agent,
        })
    }
}
