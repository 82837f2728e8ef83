//! Sessions of browsers: how they begin, and how they are found. How they end is in `session_end`.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::publish::Publish as _;
use crate::edge::store::row::{Context as _, Place, bigint, moment, to_json};
use crate::edge::store::session_end::{self, Ended, Reach};
use crate::edge::store::statement::{Connection, Linked, Readers};
use crate::edge::store::writer::Fact;
use crate::edge::store::{Beside, Kept, Store};
use crate::model::authentication::Authentication;
use crate::model::epoch::Epoch;
use crate::model::fault::Fault;
use crate::model::id::{ClientId, SessionId, UserId};
use crate::model::session::{Session, SessionOrigin};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

macro_rules! columns {
    () => {
        "id, token_hash, authentication, proven_at, created_at, last_seen_at, expires_at, idle_lifetime, is_persistent,
        ended_at, user_agent, address, client_id"
    };
}

const READ: &str = concat!("SELECT ", columns!(), " FROM user_session WHERE id = $1");
/// PostgreSQL only: waits for whoever is ending it.
const READ_SETTLED: &str = concat!("SELECT ", columns!(), " FROM user_session WHERE id = $1 FOR SHARE");
const READ_BY_TOKEN: &str = concat!("SELECT ", columns!(), " FROM user_session WHERE token_hash = $1");
const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM user_session
    WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2 AND last_seen_at + idle_lifetime > $2
    ORDER BY last_seen_at DESC, id"
);
/// Ids sort by the time of making.
const PAGE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM user_session
    WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2 AND last_seen_at + idle_lifetime > $2
    AND ($3 IS NULL OR id < $3) ORDER BY id DESC LIMIT $4"
);
const BEGIN: &str = "INSERT INTO user_session (id, token_hash, user_id, authentication, proven_at, created_at,
    last_seen_at, expires_at, idle_lifetime, is_persistent, ended_at, user_agent, address, client_id,
    upstream_issuer, upstream_subject, upstream_sid)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
const RENEW: &str = concat!(
    "UPDATE user_session SET token_hash = $2, authentication = $3, last_seen_at = $4,
    idle_lifetime = COALESCE($6, idle_lifetime), is_persistent = (is_persistent OR $6 IS NOT NULL),
    upstream_issuer = $7, upstream_subject = $8, upstream_sid = $9
    WHERE id = $1 AND user_id = $5 AND ended_at IS NULL AND expires_at > $4 RETURNING ",
    columns!()
);
const PROVE: &str = concat!(
    "UPDATE user_session SET token_hash = $2, proven_at = $3, last_seen_at = $3
    WHERE id = $1 AND user_id = $4 AND ended_at IS NULL AND expires_at > $3 RETURNING ",
    columns!()
);
const TOUCH: &str = concat!(
    "UPDATE user_session SET last_seen_at = $2 WHERE id = $1 AND last_seen_at < $2 AND ended_at IS NULL RETURNING ",
    columns!()
);
/// The sign-ins of one person wait for one another here, so that none of them overlooks the sessions of the others; on SQLite
/// all facts do anyway.
const QUEUE_UP: Linked = Linked {
    sqlite: "SELECT id FROM user_account WHERE id = $1",
    postgres: "SELECT id FROM user_account WHERE id = $1 FOR NO KEY UPDATE",
};
/// The new session ($3) stays, also beside others of the same second, whose ids are in no order.
const TOO_MANY: &str = "SELECT id FROM user_session
    WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2 AND last_seen_at + idle_lifetime > $2 AND id <> $3
    ORDER BY id DESC LIMIT 1000 OFFSET $4";

/// What makes room for a new session.
#[derive(Copy, Clone, Debug, Default)]
pub struct Room {
    /// The session that the browser had before; it ends.
    pub replaced: Option<SessionId>,
    /// The most sessions of the person, the new one included: the oldest end.
    pub at_most: Option<u32>,
}

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
        let list = self.readers.query(LIST).bind(user.uuid()).bind(now.seconds());
        let rows: Vec<SessionRow> = list.fetch_all().await.context("list sessions")?;
        rows.into_iter().map(Session::try_from).collect()
    }

    /// The sessions of a person that are live at `now`, the newest first: at most `limit`, those before `before` where it is
    /// given.
    pub async fn sessions_before(
        &self,
        user: UserId,
        now: NumericDate,
        (before, limit): (Option<SessionId>, u32),
    ) -> Result<Vec<Session>, Fault> {
        let list = self.readers.query(PAGE).bind(user.uuid()).bind(now.seconds());
        let list = list.bind(before.map(SessionId::uuid)).bind(i64::from(limit));
        let rows: Vec<SessionRow> = list.fetch_all().await.context("list a page of sessions")?;
        rows.into_iter().map(Session::try_from).collect()
    }

    /// Records a new session and ends those that make room for it, as one ends whose person leaves ([`Reach::Online`]).
    /// Returns which ended because there were too many.
    pub async fn begin_session(&self, session: &Session, room: Room, beside: Beside) -> Result<Vec<SessionId>, Fault> {
        let authentication = to_json(&session.authentication)?;
        let (session, held) = (Arc::new(session.clone()), Arc::clone(&self.held));
        let written = Arc::clone(&session);
        let fact = Fact::several(move |connection| {
            async move {
                let mut ended = Ended::default();
                let mut evicted = Vec::new();
                let (user, now) = (written.authentication.user, written.created_at);
                if room.at_most.is_some() {
                    let queue = connection.query_linked(&QUEUE_UP).bind(user.uuid());
                    let _: Option<Uuid> = queue.scalar_optional().await.context("wait for other sign-ins")?;
                }
                insert(connection, &written, authentication).await?;
                if let Some(replaced) = room.replaced {
                    ended.add(session_end::end(connection, (replaced, Reach::Online), now).await?);
                }
                if let Some(at_most) = room.at_most {
                    let list = connection.query(TOO_MANY).bind(user.uuid()).bind(now.seconds());
                    let list = list.bind(written.id.uuid()).bind(i64::from(at_most.max(1)) - 1);
                    let oldest: Vec<Uuid> = list.scalar_all().await.context("look for the oldest sessions")?;
                    for oldest in oldest.into_iter().map(SessionId::from_uuid) {
                        ended.add(session_end::end(connection, (oldest, Reach::Online), now).await?);
                        evicted.push(oldest);
                    }
                }
                beside.write(connection).await?;
                Ok((ended, evicted))
            }
            .boxed()
        });
        let publish = move |(ended, _): &(Ended, Vec<SessionId>)| {
            ended.publish(&held);
            held.session_of_token.put(session.token_hash, Arc::new(session.id));
            held.sessions.put(session.id, session);
        };
        self.recorder.record(fact.then(publish)).await.map(|(_, evicted)| evicted)
    }

    /// Records that the same person signed in again: the cookie's hash changes with it. With `kept`, the longest pause from now
    /// on, the session outlives the window; without it, it stays what it was.
    ///
    /// `None` when the session has ended, has expired or belongs to someone else; then nothing is written `beside` it.
    pub async fn renew_session(
        &self,
        (id, token): (SessionId, TokenHash),
        (authentication, kept): (&Authentication, Option<Duration>),
        now: NumericDate,
        beside: Beside,
    ) -> Result<Option<Arc<Session>>, Fault> {
        let (user, elsewhere) = (authentication.user, Vouched::of(authentication));
        let authentication = to_json(authentication)?;
        let fact = Fact::several(move |connection| {
            async move {
                let renew = connection.query(RENEW).bind(id.uuid()).bind(token.as_bytes().as_slice());
                let renew = renew.bind(authentication).bind(now.seconds()).bind(user.uuid());
                let renew = renew.bind(kept.map(|pause| bigint(pause.as_secs())));
                let renew = renew.bind(elsewhere.issuer).bind(elsewhere.subject).bind(elsewhere.sid);
                let row: Option<SessionRow> = renew.fetch_optional().await.context("renew a session")?;
                with_cookie(connection, row, &beside).await
            }
            .boxed()
        });
        self.record_cookie(fact).await
    }

    /// Records that the person of a session proved again who they are, while their sign-in stays as old as it is: the cookie's
    /// hash changes with it.
    ///
    /// `None` when the session has ended, has expired or belongs to someone else; then nothing is written `beside` it.
    pub async fn prove_session(
        &self,
        user: UserId,
        kept: Kept,
        now: NumericDate,
        beside: Beside,
    ) -> Result<Option<Arc<Session>>, Fault> {
        let fact = Fact::several(move |connection| {
            async move {
                let prove = connection.query(PROVE).bind(kept.session.uuid()).bind(kept.token.as_bytes().as_slice());
                let prove = prove.bind(now.seconds()).bind(user.uuid());
                let row: Option<SessionRow> = prove.fetch_optional().await.context("note a proof in a session")?;
                with_cookie(connection, row, &beside).await
            }
            .boxed()
        });
        self.record_cookie(fact).await
    }

    /// Records a fact that gives a session a new cookie.
    async fn record_cookie(&self, fact: Fact<Option<Arc<Session>>>) -> Result<Option<Arc<Session>>, Fault> {
        let held = Arc::clone(&self.held);
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
}

/// The session that got a new cookie, with what is written beside that.
async fn with_cookie(
    connection: &mut Connection,
    row: Option<SessionRow>,
    beside: &Beside,
) -> Result<Option<Arc<Session>>, Fault> {
    let Some(row) = row else { return Ok(None) };
    beside.write(connection).await?;
    Session::try_from(row).map(|session| Some(Arc::new(session)))
}

/// Takes a live session of the person into `epoch`, with a new cookie where one is given; the sign-in itself stays as old as it is.
pub(super) async fn carry_over(
    connection: &mut Connection,
    (user, (id, token)): (UserId, (SessionId, Option<TokenHash>)),
    epoch: Epoch,
    now: NumericDate,
) -> Result<Option<Arc<Session>>, Fault> {
    let read = connection.query(READ).bind(id.uuid());
    let row: Option<SessionRow> = read.fetch_optional().await.context("read a session")?;
    let Some(session) = row.map(Session::try_from).transpose()?.filter(|session| session.is_live(now)) else {
        return Ok(None);
    };
    let elsewhere = Vouched::of(&session.authentication);
    let authentication = to_json(&Authentication { epoch: Some(epoch), ..session.authentication })?;
    let token = token.unwrap_or(session.token_hash);
    let renew = connection.query(RENEW).bind(id.uuid()).bind(token.as_bytes().as_slice());
    let renew = renew.bind(authentication).bind(now.seconds()).bind(user.uuid()).bind(None::<i64>);
    let renew = renew.bind(elsewhere.issuer).bind(elsewhere.subject).bind(elsewhere.sid);
    let row: Option<SessionRow> = renew.fetch_optional().await.context("take a session along")?;
    row.map(|row| Session::try_from(row).map(Arc::new)).transpose()
}

/// By whom the person of a session was vouched for, in columns of their own: so a logout token finds it.
struct Vouched {
    issuer: Option<String>,
    subject: Option<String>,
    sid: Option<String>,
}

impl Vouched {
    fn of(authentication: &Authentication) -> Self {
        let elsewhere = authentication.elsewhere.as_deref();
        Self {
            issuer: elsewhere.map(|elsewhere| elsewhere.issuer.clone()),
            subject: elsewhere.map(|elsewhere| elsewhere.subject.clone()),
            sid: elsewhere.and_then(|elsewhere| elsewhere.sid.clone()),
        }
    }
}

async fn insert(connection: &mut Connection, session: &Session, authentication: String) -> Result<(), Fault> {
    let insert = connection.query(BEGIN).bind(session.id.uuid()).bind(session.token_hash.as_bytes().as_slice());
    let insert = insert.bind(session.authentication.user.uuid()).bind(authentication);
    let insert = insert.bind(session.proven_again_at.map(NumericDate::seconds));
    let insert = insert.bind(session.created_at.seconds()).bind(session.last_seen_at.seconds());
    let insert = insert.bind(session.expires_at.seconds()).bind(bigint(session.idle_lifetime));
    let insert = insert.bind(session.is_persistent).bind(session.ended_at.map(NumericDate::seconds));
    let SessionOrigin { address, user_agent, client } = session.origin.clone();
    let insert = insert.bind(user_agent).bind(address).bind(client.map(|client| client.as_str().to_owned()));
    let elsewhere = Vouched::of(&session.authentication);
    let insert = insert.bind(elsewhere.issuer).bind(elsewhere.subject).bind(elsewhere.sid);
    insert.execute().await.context("record a session").map(|_| ())
}

#[derive(FromRow)]
struct SessionRow {
    id: Uuid,
    token_hash: Vec<u8>,
    authentication: String,
    proven_at: Option<i64>,
    created_at: i64,
    last_seen_at: i64,
    expires_at: i64,
    idle_lifetime: i64,
    is_persistent: bool,
    ended_at: Option<i64>,
    user_agent: String,
    address: String,
    client_id: Option<String>,
}

impl TryFrom<SessionRow> for Session {
    type Error = Fault;

    fn try_from(row: SessionRow) -> Result<Self, Fault> {
        let place = Place { table: "user_session", id: &row.id };
        let client = row.client_id.as_deref().map(|client| place.parse::<ClientId>("client_id", client)).transpose()?;
        Ok(Self {
            id: SessionId::from_uuid(row.id),
            token_hash: place.hash("token_hash", &row.token_hash)?,
            authentication: place.json("authentication", &row.authentication)?,
            proven_again_at: moment(row.proven_at),
            created_at: NumericDate::from_seconds(row.created_at),
            last_seen_at: NumericDate::from_seconds(row.last_seen_at),
            expires_at: NumericDate::from_seconds(row.expires_at),
            idle_lifetime: place.unsigned("idle_lifetime", row.idle_lifetime)?,
            is_persistent: row.is_persistent,
            ended_at: moment(row.ended_at),
            origin: SessionOrigin { address: row.address, user_agent: row.user_agent, client },
        })
    }
}
