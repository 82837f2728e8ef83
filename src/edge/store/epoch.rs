//! "Sign out everywhere": the next epoch of a person begins, and nothing that was opened before it is good any more.
//!
//! PROTOCOL A13, S4. Rows that say so (sessions, grants) are ended with it; what waits elsewhere (codes, links, proofs that are
//! being judged) carries the epoch it was made in. A fact that ends everything beside what it does itself (a new password,
//! another address) calls [`step`] in its own transaction, or [`step_around`] where the person goes on as they are, and publishes what
//! that hands over.

use std::sync::Arc;

use futures_util::FutureExt as _;

use crate::edge::store::publish::Publish;
use crate::edge::store::row::{Context as _, Place};
use crate::edge::store::statement::Connection;
use crate::edge::store::writer::Fact;
use crate::edge::store::{Beside, Held, Store, grant, session, session_end};
use crate::model::epoch::Epoch;
use crate::model::fault::Fault;
use crate::model::id::{GrantId, SessionId, UserId};
use crate::model::session::Session;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

const READ: &str = "SELECT auth_epoch_count, auth_epoch FROM user_account WHERE id = $1";
// Twice within a second a release that knows moments alone would see no difference; it finds the rows ended.
const STEP: &str = "UPDATE user_account SET auth_epoch_count = auth_epoch_count + 1, auth_epoch = $2
    WHERE id = $1 RETURNING auth_epoch_count, auth_epoch";

/// The session that stays: the browser that asks to end all others gets a new cookie.
#[derive(Copy, Clone, Debug)]
pub struct Kept {
    /// The session; it must be of the same person.
    pub session: SessionId,
    /// Hash of its new cookie.
    pub token: TokenHash,
}

/// Where a person acts, as it goes on when everything else of theirs ends: the session under the cookie it has, and what was given to the
/// app through which they act in it.
#[derive(Copy, Clone, Debug)]
pub struct Here {
    /// The session; one of another person does not go on.
    pub session: SessionId,
    /// What the app was given, where the person acts through one.
    pub grant: Option<GrantId>,
}

/// What becomes of everything else of a person, beside a change of theirs.
#[derive(Copy, Clone, Debug)]
pub enum Elsewhere {
    /// It stays.
    Stays,
    /// It ends, but for where they act.
    Ends(Option<Here>),
}

/// What the step into a new epoch takes along.
#[derive(Copy, Clone, Debug)]
enum Along {
    Nothing,
    Renamed(Kept),
    AsItIs(Here),
}

impl Store {
    /// The person's epoch as the database has it at this moment, which may be later than what [`Store::user`] remembers for
    /// some tenths of a second on another node. To be read before a proof is judged.
    pub async fn auth_epoch(&self, user: UserId) -> Result<Option<Epoch>, Fault> {
        let row: Option<(i64, i64)> =
            self.readers.query(READ).bind(user.uuid()).fetch_optional().await.context("read an epoch")?;
        row.map(|row| epoch(user, row)).transpose()
    }

    /// Ends every session of the person but `kept`, and every grant with its tokens; what waits elsewhere is void by its
    /// epoch. Returns the kept session as it is now: `None` without one, or when it was not live any more.
    pub async fn sign_out_everywhere(
        &self,
        user: UserId,
        kept: Option<Kept>,
        now: NumericDate,
        beside: Beside,
    ) -> Result<Option<Arc<Session>>, Fault> {
        let fact = Fact::several(move |connection| {
            async move {
                let stepped = step(connection, user, kept, now).await?;
                beside.write(connection).await?;
                Ok(stepped)
            }
            .boxed()
        });
        self.record_and_publish(fact).await.map(|stepped| stepped.session)
    }
}

/// What the step into a new epoch ended, to be published after the commit.
#[derive(Clone, Debug)]
pub(super) struct Stepped {
    user: UserId,
    /// The epoch that began; none of nobody's.
    pub(super) epoch: Option<Epoch>,
    /// The session that stays.
    pub(super) session: Option<Arc<Session>>,
    ended: Vec<SessionId>,
    /// Those that were revoked, and the one that stays.
    grants: Vec<GrantId>,
}

/// Begins the next epoch of `user` within the transaction of `connection`.
pub(super) async fn step(
    connection: &mut Connection,
    user: UserId,
    kept: Option<Kept>,
    now: NumericDate,
) -> Result<Stepped, Fault> {
    begin(connection, user, kept.map_or(Along::Nothing, Along::Renamed), now).await
}

/// The same around where the person acts.
pub(super) async fn step_around(
    connection: &mut Connection,
    user: UserId,
    here: Option<Here>,
    now: NumericDate,
) -> Result<Stepped, Fault> {
    begin(connection, user, here.map_or(Along::Nothing, Along::AsItIs), now).await
}

async fn begin(connection: &mut Connection, user: UserId, along: Along, now: NumericDate) -> Result<Stepped, Fault> {
    let next = connection.query(STEP).bind(user.uuid()).bind(now.seconds());
    let next: Option<(i64, i64)> = next.fetch_optional().await.context("begin an epoch")?;
    let mut stepped = Stepped { user, epoch: None, session: None, ended: Vec::new(), grants: Vec::new() };
    let Some(next) = next else { return Ok(stepped) };
    let epoch = epoch(user, next)?;
    stepped.epoch = Some(epoch);
    let (session, grant) = match along {
        Along::Nothing => (None, None),
        Along::Renamed(kept) => (Some((kept.session, Some(kept.token))), None),
        Along::AsItIs(here) => (Some((here.session, None)), here.grant),
    };
    if let Some(session) = session {
        stepped.session = session::carry_over(connection, (user, session), epoch, now).await?;
    }
    let stays = stepped.session.as_ref().map(|session| session.id);
    stepped.ended = session_end::end_all_of(connection, user, stays, now).await?;
    stepped.grants = grant::revoke_all_of(connection, (user, grant), now).await?;
    if let Some(grant) = grant {
        grant::carry_over(connection, (user, grant), epoch).await?;
        stepped.grants.push(grant);
    }
    Ok(stepped)
}

impl Publish for Stepped {
    fn publish(&self, held: &Held) {
        held.users.forget(&self.user);
        for session in &self.ended {
            held.sessions.forget(session);
        }
        for grant in &self.grants {
            held.grants.forget(grant);
        }
        if let Some(session) = &self.session {
            held.session_of_token.put(session.token_hash, Arc::new(session.id));
            held.sessions.put(session.id, Arc::clone(session));
        }
    }
}

fn epoch(user: UserId, (count, since): (i64, i64)) -> Result<Epoch, Fault> {
    let place = Place { table: "user_account", id: &user };
    Ok(Epoch { count: place.unsigned("auth_epoch_count", count)?, since: NumericDate::from_seconds(since) })
}
