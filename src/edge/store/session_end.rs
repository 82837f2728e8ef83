//! How sessions end, and how far that reaches. Whatever ends one ends it here, and with it goes word to the apps that got tokens in it
//! ([`logout_notice`]).

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::publish::Publish;
use crate::edge::store::row::Context as _;
use crate::edge::store::statement::Connection;
use crate::edge::store::writer::Fact;
use crate::edge::store::{Beside, Held, Store, grant, logout_notice, once};
use crate::model::fault::Fault;
use crate::model::id::{GrantId, SessionId, UserId};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::oidc::backchannel_logout::LogoutToken;
use crate::protocol::secret::TokenHash;

const END: &str = "UPDATE user_session SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL";
const END_OF: &str = "UPDATE user_session SET ended_at = $3 WHERE id = $1 AND user_id = $2 AND ended_at IS NULL
    AND expires_at > $3 AND last_seen_at + idle_lifetime > $3";
const END_ALL_OF: &str =
    "UPDATE user_session SET ended_at = $2 WHERE user_id = $1 AND ended_at IS NULL AND id <> $3 RETURNING id";

/// All of a person there, or the one that is named; one that came without a name may be the one that is meant. Also those that ran out:
/// what was given in them may still be good.
const LEFT_BY_SUBJECT: &str = "SELECT id, user_id FROM user_session
    WHERE upstream_issuer = $1 AND upstream_subject = $2 AND ended_at IS NULL
    AND ($3 IS NULL OR upstream_sid IS NULL OR upstream_sid = $3) ORDER BY id";
const LEFT_BY_SID: &str = "SELECT id, user_id FROM user_session
    WHERE upstream_issuer = $1 AND upstream_sid = $2 AND ended_at IS NULL ORDER BY id";
/// Clocks differ: a token is remembered for as much longer as one that has expired is taken (PROTOCOL §3).
const LEEWAY: Duration = Duration::from_mins(1);

/// What became of a logout token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Left {
    /// These sessions are over; none, where nobody was signed in by it any more.
    Ended(Vec<SessionId>),
    /// It came before.
    Replayed,
}

/// Which tokens end with a session.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Reach {
    /// Those that were not meant to outlive it: its person leaves a browser (`offline_access`, OIDC Core §11).
    Online,
    /// Every one that was given in it: its person throws a browser out.
    All,
}

impl Store {
    /// Ends the session and revokes its grants as far as `reach` says; false when it was not live, and then nothing is written
    /// `beside` it.
    pub async fn end_session(
        &self,
        id: SessionId,
        reach: Reach,
        now: NumericDate,
        beside: Beside,
    ) -> Result<bool, Fault> {
        let fact = Fact::several(move |connection| {
            async move {
                let ended = end(connection, (id, reach), now).await?;
                if ended.was_live {
                    beside.write(connection).await?;
                }
                Ok(ended)
            }
            .boxed()
        });
        self.record_and_publish(fact).await.map(|ended| ended.was_live)
    }

    /// Ends a live session that must be of `user`, with every token that was given in it; false when they have none of this
    /// id, and then nothing is written `beside` it.
    pub async fn end_session_of(
        &self,
        user: UserId,
        id: SessionId,
        now: NumericDate,
        beside: Beside,
    ) -> Result<bool, Fault> {
        let fact = Fact::several(move |connection| {
            async move {
                let end_it = connection.query(END_OF).bind(id.uuid()).bind(user.uuid()).bind(now.seconds());
                if end_it.execute().await.context("end a session of a user")? == 0 {
                    return Ok(Ended::default());
                }
                logout_notice::write(connection, id, now).await?;
                let revoked = grant::revoke_of_session(connection, (id, Reach::All), now).await?;
                beside.write(connection).await?;
                Ok(Ended { sessions: vec![id], revoked, was_live: true })
            }
            .boxed()
        });
        self.record_and_publish(fact).await.map(|ended| ended.was_live)
    }

    /// Ends every session of `user` but `kept`, with every token that was not given in that one. Returns which ended.
    pub async fn end_other_sessions(
        &self,
        user: UserId,
        kept: Option<SessionId>,
        now: NumericDate,
        beside: Beside,
    ) -> Result<Vec<SessionId>, Fault> {
        let fact = Fact::several(move |connection| {
            async move {
                let sessions = end_all_of(connection, user, kept, now).await?;
                let revoked = grant::revoke_outside(connection, (user, kept), now).await?;
                beside.write(connection).await?;
                Ok(Ended { sessions, revoked, was_live: true })
            }
            .boxed()
        });
        self.record_and_publish(fact).await.map(|ended| ended.sessions)
    }
}

impl Store {
    /// Ends the sessions that a logout token of another server speaks of, with the tokens that were not meant to outlive them
    /// (OpenID Connect Back-Channel Logout §2.7), and writes what `told` says beside each. A token is heard once, on whatever node.
    pub async fn end_sessions_left(
        &self,
        token: &LogoutToken,
        now: NumericDate,
        told: impl Fn(UserId, SessionId) -> Beside + Send + Sync + 'static,
    ) -> Result<Left, Fault> {
        let (token, held) = (token.clone(), Arc::clone(&self.held));
        let fact = Fact::several(move |connection| {
            async move {
                let name = TokenHash::of(&format!("{}\0{}", token.issuer, token.jti));
                let until = token.expires_at.plus(LEEWAY);
                if !once::consume(connection, ("logout_token", &name), until, now).await? {
                    return Ok(None);
                }
                let list = match &token.subject {
                    Some(subject) => {
                        connection.query(LEFT_BY_SUBJECT).bind(token.issuer.as_str()).bind(subject.as_str())
                    }
                    None => connection.query(LEFT_BY_SID).bind(token.issuer.as_str()),
                };
                let left: Vec<LeftRow> =
                    list.bind(token.sid.as_deref()).fetch_all().await.context("look for sessions that were left")?;
                let mut ended = Ended::default();
                for row in left {
                    let (session, user) = (SessionId::from_uuid(row.id), UserId::from_uuid(row.user_id));
                    ended.add(end(connection, (session, Reach::Online), now).await?);
                    told(user, session).write(connection).await?;
                }
                Ok(Some(ended))
            }
            .boxed()
        });
        let publish = move |ended: &Option<Ended>| {
            if let Some(ended) = ended {
                ended.publish(&held);
            }
        };
        let ended = self.recorder.record(fact.then(publish)).await?;
        Ok(ended.map_or(Left::Replayed, |ended| Left::Ended(ended.sessions)))
    }
}

#[derive(FromRow)]
struct LeftRow {
    id: Uuid,
    user_id: Uuid,
}

/// What ended, to be published after the commit.
#[derive(Clone, Debug, Default)]
pub(super) struct Ended {
    sessions: Vec<SessionId>,
    revoked: Vec<GrantId>,
    was_live: bool,
}

impl Ended {
    /// Takes another end along.
    pub(super) fn add(&mut self, other: Self) {
        self.sessions.extend(other.sessions);
        self.revoked.extend(other.revoked);
        self.was_live |= other.was_live;
    }
}

impl Publish for Ended {
    fn publish(&self, held: &Held) {
        for session in &self.sessions {
            held.sessions.forget(session);
        }
        for grant in &self.revoked {
            held.grants.forget(grant);
        }
    }
}

/// Ends a session within the transaction of `connection`.
pub(super) async fn end(
    connection: &mut Connection,
    (id, reach): (SessionId, Reach),
    now: NumericDate,
) -> Result<Ended, Fault> {
    let end = connection.query(END).bind(id.uuid()).bind(now.seconds());
    let changed = end.execute().await.context("end a session")?;
    if changed == 1 {
        logout_notice::write(connection, id, now).await?;
    }
    let revoked = grant::revoke_of_session(connection, (id, reach), now).await?;
    Ok(Ended { sessions: vec![id], revoked, was_live: changed == 1 })
}

/// Ends every session of a person but `kept`; for their grants and what they gave, see [`grant`].
pub(super) async fn end_all_of(
    connection: &mut Connection,
    user: UserId,
    kept: Option<SessionId>,
    now: NumericDate,
) -> Result<Vec<SessionId>, Fault> {
    let kept = kept.map_or(Uuid::nil(), SessionId::uuid);
    let end = connection.query(END_ALL_OF).bind(user.uuid()).bind(now.seconds()).bind(kept);
    let ids: Vec<Uuid> = end.scalar_all().await.context("end the sessions of a user")?;
    let ended: Vec<SessionId> = ids.into_iter().map(SessionId::from_uuid).collect();
    for session in &ended {
        logout_notice::write(connection, *session, now).await?;
    }
    Ok(ended)
}
