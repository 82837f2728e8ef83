//! What becomes of accounts: made, activated, given a new password, disabled, deleted. Each fact takes along what follows from it.
//!
//! PROTOCOL A13 (what a new password ends), S1 (what an end reaches). Whatever ends an account's sessions also ends the links and
//! tokens that were sent before.

use std::sync::Arc;

use futures_util::FutureExt as _;
use uuid::Uuid;

use crate::edge::store::epoch;
use crate::edge::store::row::Context as _;
use crate::edge::store::statement::Connection;
use crate::edge::store::user::{self, write_password};
use crate::edge::store::writer::Fact;
use crate::edge::store::{Beside, Creation, Store, mailed_link, once, sign_in_failure};
use crate::model::fault::Fault;
use crate::model::id::UserId;
use crate::model::mailed_link::{GoodLink, LinkPurpose};
use crate::model::user::{LookupName, User};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::{Secret, TokenHash};

const CLEAR_WAY: &str = "DELETE FROM user_account WHERE state = 'pending' AND disabled_at IS NOT NULL
    AND id = (SELECT user_id FROM identifier WHERE lookup = $1 AND verified_at IS NULL)";
/// An address that nobody has proven belongs to nobody (PROTOCOL A22).
const RELEASE: &str = "DELETE FROM identifier WHERE lookup = $1 AND kind <> 'username' AND verified_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM user_account WHERE user_account.id = identifier.user_id AND user_account.state = 'disabled')";
const ACTIVATE: &str = "UPDATE user_account SET disabled_at = NULL, state = NULL, purge_at = NULL, updated_at = $2
    WHERE id = $1 AND state = 'pending' AND disabled_at IS NOT NULL";
const VERIFY: &str =
    "UPDATE identifier SET verified_at = $3 WHERE user_id = $1 AND lookup = $2 AND verified_at IS NULL";
const OPEN_FOR_RESET: &str =
    "UPDATE user_account SET updated_at = $2, disabled_at = NULL, state = NULL, purge_at = NULL
    WHERE id = $1 AND (disabled_at IS NULL OR state = 'pending')";
const DISABLE: &str = "UPDATE user_account SET disabled_at = $2, state = 'disabled'
    WHERE id = $1 AND (disabled_at IS NULL OR state IN ('pending', 'deletion'))";
const REQUEST_DELETION: &str = "UPDATE user_account SET disabled_at = $2, state = 'deletion', purge_at = $3
    WHERE id = $1 AND disabled_at IS NULL";
const UNDO_DELETION: &str = "UPDATE user_account SET disabled_at = NULL, state = NULL, purge_at = NULL
    WHERE id = $1 AND state = 'deletion' AND disabled_at IS NOT NULL";
const PURGE: &str = "DELETE FROM user_account WHERE id = $1 AND purge_at <= $2";
const FORGET_PLACES: &str = "UPDATE event SET address = '', user_agent = '' WHERE user_id = $1";
const REMOVE: &str = "DELETE FROM user_account WHERE id = $1";
const TO_PURGE: &str = "SELECT id FROM user_account WHERE purge_at <= $1 ORDER BY purge_at LIMIT $2";
const NOTE_SIGN_IN: &str = "UPDATE user_account SET last_sign_in_at = $2
    WHERE id = $1 AND (last_sign_in_at IS NULL OR last_sign_in_at < $2)";

const FORGET_PASSWORD: &str = "DELETE FROM credential WHERE user_id = $1 AND kind = 'password'";

/// Something that may happen once, whoever asks first.
#[derive(Clone, Debug)]
pub struct Once {
    /// What it is.
    pub kind: &'static str,
    /// Which one.
    pub hash: TokenHash,
    /// How long it must be remembered.
    pub expires_at: NumericDate,
}

/// What became of a registration.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Registered {
    /// The account was made.
    Created,
    /// One of the names belongs to somebody.
    Taken,
    /// It was made before, from the same registration.
    Already,
}

/// An account that was to be made.
pub(super) struct Made {
    pub(super) registered: Registered,
    /// Whether others made way for it: what is held of them is not true any more.
    pub(super) made_way: bool,
}

/// Makes an account within the transaction of `connection`; who never proved what it has makes way.
pub(super) async fn make(connection: &mut Connection, new: &user::NewUser) -> Result<Made, Fault> {
    let mut made_way = false;
    for name in new.contacts() {
        let clear = connection.query(CLEAR_WAY).bind(name.as_str());
        made_way |= clear.execute().await.context("clear away a pending account")? > 0;
    }
    for name in new.proven() {
        let release = connection.query(RELEASE).bind(name.as_str());
        made_way |= release.execute().await.context("release an address that nobody has proven")? > 0;
    }
    let registered = match new.insert(connection).await? {
        Creation::Created => Registered::Created,
        Creation::AlreadyExists => Registered::Taken,
    };
    Ok(Made { registered, made_way })
}

impl Store {
    /// Records a new account, once for each `once`, with what follows from it.
    ///
    /// Accounts that were never activated, and that nobody has proven to be theirs, make way for the e-mail addresses and phone
    /// numbers of the new one; what it has proven is taken from whoever wrote it down without a proof.
    ///
    /// # Errors
    /// Internal, when an identifier cannot be looked up by any name.
    pub async fn register(
        &self,
        account: (&User, Option<&str>),
        once: Option<Once>,
        beside: Beside,
    ) -> Result<Registered, Fault> {
        let (user, password) = account;
        let now = user.created_at;
        let new = user::NewUser::of(user, password)?;
        let held = Arc::clone(&self.held);
        let id = user.id;
        let fact = Fact::several(move |connection| {
            async move {
                if let Some(once) = &once
                    && !once::consume(connection, (once.kind, &once.hash), once.expires_at, now).await?
                {
                    return Ok((Registered::Already, false));
                }
                let Made { registered, made_way } = make(connection, &new).await?;
                if registered == Registered::Taken {
                    // It did not happen: it may, under another name.
                    if let Some(once) = &once {
                        once::take_back(connection, (once.kind, &once.hash)).await?;
                    }
                    return Ok((Registered::Taken, made_way));
                }
                beside.write(connection).await?;
                Ok((Registered::Created, made_way))
            }
            .boxed()
        });
        let publish = move |(_, made_way): &(Registered, bool)| {
            if *made_way {
                held.users.flush();
            }
            held.users.forget(&id);
        };
        self.recorder.record(fact.then(publish)).await.map(|(registered, _)| registered)
    }

    /// Makes a new account, as [`Self::register`] does, and unmakes it, then records `beside`: whoever waits for the answer waits as
    /// long, and nothing is there of the account.
    ///
    /// # Errors
    /// Internal, when an identifier cannot be looked up by any name.
    pub async fn rehearse(&self, account: (&User, Option<&str>), beside: Beside) -> Result<Registered, Fault> {
        let (user, password) = account;
        let new = user::NewUser::of(user, password)?;
        let fact = Fact::several(move |connection| {
            async move {
                connection.query("SAVEPOINT rehearsal").execute().await.context("begin to rehearse")?;
                let Made { registered, .. } = make(connection, &new).await?;
                for ends in ["ROLLBACK TO rehearsal", "RELEASE rehearsal"] {
                    connection.query(ends).execute().await.context("end a rehearsal")?;
                }
                if registered == Registered::Created {
                    beside.write(connection).await?;
                }
                Ok(registered)
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }

    /// Activates the account of an activation link; its address is proven by that. `None` when the link is not good any more. The
    /// password that was chosen is dropped unless the account keeps it.
    pub async fn activate(
        &self,
        (link, keeps_password): (&TokenHash, bool),
        now: NumericDate,
        beside: Beside,
    ) -> Result<Option<UserId>, Fault> {
        let (link, held) = (*link, Arc::clone(&self.held));
        let fact = Fact::several(move |connection| {
            async move {
                let spent = mailed_link::consume(connection, (&link, LinkPurpose::Activation), now).await?;
                let Some(GoodLink { user, address, .. }) = spent else {
                    return Ok(None);
                };
                let activate = connection.query(ACTIVATE).bind(user.uuid()).bind(now.seconds());
                if activate.execute().await.context("activate an account")? == 0 {
                    return Ok(None);
                }
                verify(connection, (user, &address), now).await?;
                if !keeps_password {
                    forget_password(connection, user).await?;
                }
                beside.write(connection).await?;
                Ok(Some(user))
            }
            .boxed()
        });
        let publish = move |activated: &Option<UserId>| {
            if let Some(user) = activated {
                held.users.forget(user);
            }
        };
        self.recorder.record(fact.then(publish)).await
    }

    /// Sets the password (a PHC string) that a link allows, ends everything that the old one opened, forgets the failures at that one, and
    /// takes the link's address as proven: a pending account is active from then on. False when the link is not good any more, or the
    /// account is disabled.
    pub async fn reset_password_by(
        &self,
        (link, purpose): (&TokenHash, LinkPurpose),
        phc: &str,
        now: NumericDate,
        beside: Beside,
    ) -> Result<bool, Fault> {
        let (link, phc) = (*link, Secret::from(phc));
        let fact = Fact::several(move |connection| {
            async move {
                let spent = mailed_link::consume(connection, (&link, purpose), now).await?;
                let Some(GoodLink { user, address, .. }) = spent else {
                    return Ok(None);
                };
                let open = connection.query(OPEN_FOR_RESET).bind(user.uuid()).bind(now.seconds());
                if open.execute().await.context("open an account for a new password")? == 0 {
                    return Ok(None);
                }
                verify(connection, (user, &address), now).await?;
                write_password(connection, user, &phc, now).await?;
                // The way back in for whom strangers have closed the old one (PROTOCOL A5).
                sign_in_failure::clear(connection, user).await?;
                let stepped = epoch::step(connection, user, None, now).await?;
                beside.write(connection).await?;
                Ok(Some(stepped))
            }
            .boxed()
        });
        self.record_and_publish(fact).await.map(|done| done.is_some())
    }

    /// Disables the account, ends its sessions, revokes its grants and voids what was sent to it; false when it was disabled or there is
    /// none. Nothing that its owner does makes it usable again.
    pub async fn disable_user(&self, id: UserId, now: NumericDate, beside: Beside) -> Result<bool, Fault> {
        self.close_account(id, now, (DISABLE, None), beside).await
    }

    /// Closes the account until it is purged at `purge_at`; false when it may not be used as it is.
    pub async fn request_deletion(
        &self,
        id: UserId,
        (now, purge_at): (NumericDate, NumericDate),
        beside: Beside,
    ) -> Result<bool, Fault> {
        self.close_account(id, now, (REQUEST_DELETION, Some(purge_at)), beside).await
    }

    async fn close_account(
        &self,
        id: UserId,
        now: NumericDate,
        (statement, purge_at): (&'static str, Option<NumericDate>),
        beside: Beside,
    ) -> Result<bool, Fault> {
        let fact = Fact::several(move |connection| {
            async move {
                let mut close = connection.query(statement).bind(id.uuid()).bind(now.seconds());
                if let Some(purge_at) = purge_at {
                    close = close.bind(purge_at.seconds());
                }
                if close.execute().await.context("close an account")? == 0 {
                    return Ok(None);
                }
                let stepped = epoch::step(connection, id, None, now).await?;
                beside.write(connection).await?;
                Ok(Some(stepped))
            }
            .boxed()
        });
        self.record_and_publish(fact).await.map(|done| done.is_some())
    }

    /// Takes a deletion back by its link; `None` when the link is not good any more.
    pub async fn undo_deletion(
        &self,
        link: &TokenHash,
        now: NumericDate,
        beside: Beside,
    ) -> Result<Option<UserId>, Fault> {
        let (link, held) = (*link, Arc::clone(&self.held));
        let fact = Fact::several(move |connection| {
            async move {
                let spent = mailed_link::consume(connection, (&link, LinkPurpose::DeletionUndo), now).await?;
                let Some(GoodLink { user, .. }) = spent else { return Ok(None) };
                let undo = connection.query(UNDO_DELETION).bind(user.uuid());
                if undo.execute().await.context("take a deletion back")? == 0 {
                    return Ok(None);
                }
                beside.write(connection).await?;
                Ok(Some(user))
            }
            .boxed()
        });
        self.recorder.record(fact.then(move |_| held.flush())).await
    }

    /// At most `limit` accounts whose time is over at `now`.
    pub async fn users_to_purge(&self, now: NumericDate, limit: u32) -> Result<Vec<UserId>, Fault> {
        let list = self.readers.query(TO_PURGE).bind(now.seconds()).bind(i64::from(limit));
        let ids: Vec<Uuid> = list.scalar_all().await.context("list accounts to purge")?;
        Ok(ids.into_iter().map(UserId::from_uuid).collect())
    }

    /// Deletes an account whose time is over, with everything of it; of its events stays what happened, not where from.
    /// False when its deletion was taken back.
    pub async fn purge_user(&self, id: UserId, now: NumericDate, beside: Beside) -> Result<bool, Fault> {
        let held = Arc::clone(&self.held);
        let fact = Fact::several(move |connection| {
            async move {
                let purge = connection.query(PURGE).bind(id.uuid()).bind(now.seconds());
                if purge.execute().await.context("purge an account")? == 0 {
                    return Ok(false);
                }
                connection.query(FORGET_PLACES).bind(id.uuid()).execute().await.context("forget where from")?;
                beside.write(connection).await?;
                Ok(true)
            }
            .boxed()
        });
        self.recorder.record(fact.then(move |_| held.flush())).await
    }

    /// Deletes an account at once, with everything of it, as [`purge_user`](Self::purge_user) does when its time is over.
    pub async fn remove_user(&self, id: UserId, beside: Beside) -> Result<bool, Fault> {
        let held = Arc::clone(&self.held);
        let fact = Fact::several(move |connection| {
            async move {
                if connection.query(REMOVE).bind(id.uuid()).execute().await.context("delete an account")? == 0 {
                    return Ok(false);
                }
                connection.query(FORGET_PLACES).bind(id.uuid()).execute().await.context("forget where from")?;
                beside.write(connection).await?;
                Ok(true)
            }
            .boxed()
        });
        self.recorder.record(fact.then(move |_| held.flush())).await
    }

    /// Writes down that the person signed in, without waiting; the next sign-in makes up for a note that is lost.
    pub fn note_sign_in(&self, id: UserId, now: NumericDate) {
        let held = Arc::clone(&self.held);
        let fact = Fact::one(move |connection| {
            async move {
                let note = connection.query(NOTE_SIGN_IN).bind(id.uuid()).bind(now.seconds());
                note.execute().await.context("note a sign-in").map(|_| ())
            }
            .boxed()
        });
        if let Err(fault) = self.recorder.post(fact.then(move |()| held.users.forget(&id))) {
            tracing::debug!(error = %fault, "a sign-in was not noted");
        }
    }
}

/// Takes the password of `user` away within the transaction of `connection`.
pub(super) async fn forget_password(connection: &mut Connection, user: UserId) -> Result<(), Fault> {
    connection.query(FORGET_PASSWORD).bind(user.uuid()).execute().await.context("forget a password").map(|_| ())
}

async fn verify(connection: &mut Connection, (user, address): (UserId, &str), now: NumericDate) -> Result<(), Fault> {
    let Some(name) = LookupName::parse(address) else { return Ok(()) };
    let verify = connection.query(VERIFY).bind(user.uuid()).bind(name.as_str()).bind(now.seconds());
    verify.execute().await.context("take an address as proven").map(|_| ())
}
