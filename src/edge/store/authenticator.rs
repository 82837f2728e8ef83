//! Authenticators of people, whether a second factor is asked of them, and their backup codes.
//!
//! RFC 6238 §5.2, NIST SP 800-63B-4 §3.1.3 to §3.1.5; PROTOCOL A9, A16, T20. What is good once is consumed here, in the main store, by one
//! statement: a lost counter elsewhere makes nothing good again.

use std::sync::Arc;

use futures_util::FutureExt as _;
use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::epoch::{self, Stepped};
use crate::edge::store::publish::Publish;
use crate::edge::store::row::{Context as _, Place, moment};
use crate::edge::store::statement::Connection;
use crate::edge::store::writer::Fact;
use crate::edge::store::{Beside, Elsewhere, Held, Here, Kept, Store};
use crate::model::authenticator::{Authenticator, AuthenticatorKind, BackupCodes, SecondFactor};
use crate::model::epoch::Epoch;
use crate::model::fault::Fault;
use crate::model::id::{AuthenticatorId, UserId};
use crate::model::session::Session;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

macro_rules! columns {
    () => {
        "id, user_id, kind, target, name, secret, created_at, expires_at, confirmed_at, last_used_at"
    };
}

const LIST: &str = concat!("SELECT ", columns!(), " FROM authenticator WHERE user_id = $1 ORDER BY id");
/// One that waits is put in the place of another that waits for the same.
const ADD: &str = "INSERT INTO authenticator (id, user_id, kind, target, name, secret, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (user_id, kind, target) DO UPDATE SET id = excluded.id, name = excluded.name, secret = excluded.secret,
        created_at = excluded.created_at, expires_at = excluded.expires_at, last_step = NULL
    WHERE authenticator.confirmed_at IS NULL";
const ADD_PASSKEY: &str =
    "INSERT INTO authenticator (id, user_id, kind, target, name, secret, created_at, confirmed_at)
    VALUES ($1, $2, 'passkey', $3, $4, $5, $6, $6) ON CONFLICT DO NOTHING";
const PASSKEY: &str = concat!("SELECT ", columns!(), " FROM authenticator WHERE kind = 'passkey' AND target = $1");
const USE_PASSKEY: &str = "UPDATE authenticator SET secret = $3, last_used_at = $4 WHERE id = $1 AND secret = $2";
const CONFIRM: &str = "UPDATE authenticator SET confirmed_at = $3, last_used_at = $3, expires_at = NULL, last_step = $4
    WHERE id = $1 AND user_id = $2 AND confirmed_at IS NULL AND expires_at > $3";
const RENAME: &str = "UPDATE authenticator SET name = $3 WHERE id = $1 AND user_id = $2";
const REMOVE: &str = "DELETE FROM authenticator WHERE id = $1 AND user_id = $2";
const REMOVE_KIND: &str = "DELETE FROM authenticator WHERE user_id = $1 AND kind = 'totp'";
const REMOVE_EVERY: &str = "DELETE FROM authenticator WHERE user_id = $1";
const OTHERS: &str = "SELECT COUNT(*) FROM authenticator WHERE user_id = $1 AND id <> $2 AND confirmed_at IS NOT NULL";
/// The first statement of each fact that changes how a person stands to second factors: those of one person wait for one another.
const HOLD: &str = "INSERT INTO second_factor (user_id, failures) SELECT id, 0 FROM user_account WHERE id = $1
    ON CONFLICT (user_id) DO UPDATE SET failures = second_factor.failures";
const REQUIRE: &str = "UPDATE second_factor SET required_at = COALESCE(required_at, $2) WHERE user_id = $1";
const RELEASE: &str = "UPDATE second_factor SET required_at = NULL, failures = 0 WHERE user_id = $1";
const REQUIRED_AT: &str = "SELECT required_at FROM second_factor WHERE user_id = $1";
/// RFC 6238 §5.2: a code is good once, and none before it after it.
const USE_STEP: &str = "UPDATE authenticator SET last_step = $2, last_used_at = $3
    WHERE id = $1 AND confirmed_at IS NOT NULL AND (last_step IS NULL OR last_step < $2)";
const COUNT_FAILURE: &str = "INSERT INTO second_factor (user_id, failures) SELECT id, 1 FROM user_account WHERE id = $1
    ON CONFLICT (user_id) DO UPDATE SET failures = second_factor.failures + 1 WHERE second_factor.failures < $2";
const CLEAR_FAILURES: &str = "UPDATE second_factor SET failures = 0 WHERE user_id = $1 AND failures > 0";
const BACKUP_CODES: &str =
    "SELECT COUNT(*), CAST(SUM(CASE WHEN used_at IS NULL THEN 1 ELSE 0 END) AS BIGINT), MAX(generated_at) FROM backup_code
    WHERE user_id = $1";
const DROP_BACKUP_CODES: &str = "DELETE FROM backup_code WHERE user_id = $1";
const ADD_BACKUP_CODE: &str = "INSERT INTO backup_code (hash, user_id, generated_at) VALUES ($1, $2, $3)";
const USE_BACKUP_CODE: &str =
    "UPDATE backup_code SET used_at = $3 WHERE hash = $1 AND user_id = $2 AND used_at IS NULL";
const LEFT_BACKUP_CODES: &str = "SELECT COUNT(*) FROM backup_code WHERE user_id = $1 AND used_at IS NULL";

/// What became of an authenticator that was to be removed.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Removal {
    /// It is gone.
    Removed,
    /// It is the last one, and one is required: it stays.
    Last,
    /// There is none.
    Missing,
}

/// Whether the last confirmed authenticator may go.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum LastOne {
    /// While no second factor is asked of the person.
    UnlessRequired,
    /// Not even then: everybody here needs one.
    Stays,
}

impl Store {
    /// The authenticators of a person, in the order they were added; those that wait too.
    pub async fn authenticators(&self, user: UserId) -> Result<Vec<Authenticator>, Fault> {
        let list = self.readers.query(LIST).bind(user.uuid());
        let rows: Vec<Row> = list.fetch_all().await.context("list authenticators")?;
        rows.into_iter().map(Authenticator::try_from).collect()
    }

    /// How a person stands to second factors.
    pub async fn second_factor(&self, user: UserId) -> Result<SecondFactor, Fault> {
        let required = self.readers.query(REQUIRED_AT).bind(user.uuid());
        let required: Option<(Option<i64>,)> =
            required.fetch_optional().await.context("read whether a second factor is required")?;
        let codes = self.readers.query(BACKUP_CODES).bind(user.uuid());
        let codes: Option<(i64, Option<i64>, Option<i64>)> =
            codes.fetch_optional().await.context("count backup codes")?;
        let (total, remaining, generated_at) = codes.unwrap_or_default();
        let count = |number: i64| u32::try_from(number).unwrap_or_default();
        Ok(SecondFactor {
            required_at: required.and_then(|(at,)| moment(at)),
            backup_codes: BackupCodes {
                total: count(total),
                remaining: count(remaining.unwrap_or_default()),
                generated_at: moment(generated_at),
            },
        })
    }

    /// Adds an authenticator that waits for its first proof, in the place of another that waits for the same; false when one of its kind
    /// and target is confirmed already.
    pub async fn add_authenticator(&self, new: Authenticator) -> Result<bool, Fault> {
        let fact = Fact::one(move |connection| {
            async move {
                let add = connection.query(ADD).bind(new.id.uuid()).bind(new.user.uuid()).bind(new.kind.as_str());
                let add = add.bind(new.target).bind(new.name).bind(new.secret).bind(new.created_at.seconds());
                let add = add.bind(new.expires_at.map(NumericDate::seconds));
                Ok(add.execute().await.context("add an authenticator")? == 1)
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }

    /// Confirms an authenticator by its first proof and, where that is a second factor, asks for one from now on; `step` is the time step
    /// of its code, `codes` are the hashes of backup codes for who has none. Everything but `here` ends: whoever is in without the factor
    /// stays out. The epoch that begins with it, or `None` when it does not wait any more.
    pub async fn confirm_authenticator(
        &self,
        (user, id, step): (UserId, AuthenticatorId, Option<i64>),
        codes: Vec<TokenHash>,
        (here, now): (Option<Here>, NumericDate),
        beside: Beside,
    ) -> Result<Option<Epoch>, Fault> {
        let fact = Fact::several(move |connection| {
            async move {
                hold(connection, user).await?;
                let confirm = connection.query(CONFIRM).bind(id.uuid()).bind(user.uuid()).bind(now.seconds());
                if confirm.bind(step).execute().await.context("confirm an authenticator")? == 0 {
                    return Ok(None);
                }
                let require = connection.query(REQUIRE).bind(user.uuid()).bind(now.seconds());
                require.execute().await.context("require a second factor")?;
                if !codes.is_empty() {
                    replace_backup_codes(connection, user, &codes, now).await?;
                }
                let stepped = epoch::step_around(connection, user, here, now).await?;
                beside.write(connection).await?;
                Ok(Some(stepped))
            }
            .boxed()
        });
        Ok(self.record_and_publish(fact).await?.and_then(|stepped| stepped.epoch))
    }

    /// Adds a passkey, which its registration has proven, and ends everything but `here`. The epoch that begins with it, or `None` when it
    /// is somebody's already.
    pub async fn add_passkey(
        &self,
        new: Authenticator,
        here: Option<Here>,
        beside: Beside,
    ) -> Result<Option<Epoch>, Fault> {
        let fact = Fact::several(move |connection| {
            async move {
                let add = connection.query(ADD_PASSKEY).bind(new.id.uuid()).bind(new.user.uuid()).bind(new.target);
                let add = add.bind(new.name).bind(new.secret).bind(new.created_at.seconds());
                if add.execute().await.context("add a passkey")? == 0 {
                    return Ok(None);
                }
                let stepped = epoch::step_around(connection, new.user, here, new.created_at).await?;
                beside.write(connection).await?;
                Ok(Some(stepped))
            }
            .boxed()
        });
        Ok(self.record_and_publish(fact).await?.and_then(|stepped| stepped.epoch))
    }

    /// The passkey of this credential.
    pub async fn passkey(&self, credential: &str) -> Result<Option<Authenticator>, Fault> {
        let read = self.readers.query(PASSKEY).bind(credential.to_owned());
        let row: Option<Row> = read.fetch_optional().await.context("read a passkey")?;
        row.map(Authenticator::try_from).transpose()
    }

    /// Writes down that a passkey was used, and its counter; what stands is left when it is not `before` any more.
    pub async fn use_passkey(
        &self,
        id: AuthenticatorId,
        (before, after): (&[u8], Vec<u8>),
        now: NumericDate,
    ) -> Result<bool, Fault> {
        let before = before.to_vec();
        let fact = Fact::one(move |connection| {
            async move {
                let update = connection.query(USE_PASSKEY).bind(id.uuid()).bind(before).bind(after);
                Ok(update.bind(now.seconds()).execute().await.context("use a passkey")? == 1)
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }

    /// Uses the code of a time step up; false when it, or a later one, was used before.
    pub async fn use_totp_step(&self, id: AuthenticatorId, step: i64, now: NumericDate) -> Result<bool, Fault> {
        let fact = Fact::one(move |connection| {
            async move {
                let consume = connection.query(USE_STEP).bind(id.uuid()).bind(step).bind(now.seconds());
                Ok(consume.execute().await.context("use a time step up")? == 1)
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }

    /// Uses a backup code up; how many are left, or `None` when there is no such unused code of this person.
    ///
    /// `tell` makes what is to be written beside it from that number.
    pub async fn use_backup_code(
        &self,
        user: UserId,
        hash: TokenHash,
        now: NumericDate,
        tell: impl FnOnce(u32) -> Result<Beside, Fault> + Send + 'static,
    ) -> Result<Option<u32>, Fault> {
        let fact = Fact::several(move |connection| {
            async move {
                let consume = connection.query(USE_BACKUP_CODE).bind(hash.as_bytes().as_slice()).bind(user.uuid());
                if consume.bind(now.seconds()).execute().await.context("use a backup code up")? == 0 {
                    return Ok(None);
                }
                let left = connection.query(LEFT_BACKUP_CODES).bind(user.uuid());
                let left: i64 = left.scalar_one().await.context("count backup codes")?;
                let left = u32::try_from(left).unwrap_or_default();
                tell(left)?.write(connection).await?;
                Ok(Some(left))
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }

    /// Puts new backup codes in the place of all that were.
    pub async fn replace_backup_codes(
        &self,
        (user, codes): (UserId, Vec<TokenHash>),
        elsewhere: Elsewhere,
        now: NumericDate,
        beside: Beside,
    ) -> Result<(), Fault> {
        let fact = Fact::several(move |connection| {
            async move {
                hold(connection, user).await?;
                replace_backup_codes(connection, user, &codes, now).await?;
                let stepped = end(connection, user, elsewhere, now).await?;
                beside.write(connection).await?;
                Ok(stepped)
            }
            .boxed()
        });
        self.record_and_publish(fact).await.map(drop)
    }

    /// Removes an authenticator, and ends everything but `here` where it proved something; the last one stays as `last` says. With the last
    /// one backup codes go too.
    pub async fn remove_authenticator(
        &self,
        (user, id): (UserId, AuthenticatorId),
        last: LastOne,
        (here, now): (Option<Here>, NumericDate),
        beside: Beside,
    ) -> Result<Removal, Fault> {
        let fact = Fact::several(move |connection| {
            async move {
                hold(connection, user).await?;
                let own: Vec<Row> =
                    connection.query(LIST).bind(user.uuid()).fetch_all().await.context("list authenticators")?;
                let Some(row) = own.iter().find(|row| row.id == id.uuid()) else {
                    return Ok(Removed { removal: Removal::Missing, stepped: None });
                };
                let others = connection.query(OTHERS).bind(user.uuid()).bind(id.uuid());
                let others: i64 = others.scalar_one().await.context("count authenticators")?;
                let is_last = row.confirmed_at.is_some() && others == 0;
                let required = connection.query(REQUIRED_AT).bind(user.uuid());
                let required: Option<(Option<i64>,)> =
                    required.fetch_optional().await.context("read whether a second factor is required")?;
                let is_required = last == LastOne::Stays || required.is_some_and(|(at,)| at.is_some());
                if is_last && is_required {
                    return Ok(Removed { removal: Removal::Last, stepped: None });
                }
                let remove = connection.query(REMOVE).bind(id.uuid()).bind(user.uuid());
                remove.execute().await.context("remove an authenticator")?;
                if is_last {
                    let drop = connection.query(DROP_BACKUP_CODES).bind(user.uuid());
                    drop.execute().await.context("drop backup codes")?;
                }
                let elsewhere = if row.confirmed_at.is_some() { Elsewhere::Ends(here) } else { Elsewhere::Stays };
                let stepped = end(connection, user, elsewhere, now).await?;
                beside.write(connection).await?;
                Ok(Removed { removal: Removal::Removed, stepped })
            }
            .boxed()
        });
        self.record_and_publish(fact).await.map(|removed| removed.removal)
    }

    /// Calls an authenticator something else; false when it is not there.
    pub async fn rename_authenticator(
        &self,
        (user, id): (UserId, AuthenticatorId),
        name: String,
    ) -> Result<bool, Fault> {
        let fact = Fact::one(move |connection| {
            async move {
                let rename = connection.query(RENAME).bind(id.uuid()).bind(user.uuid()).bind(name);
                Ok(rename.execute().await.context("rename an authenticator")? == 1)
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }

    /// Asks for a second factor at each sign-in of the person from now on; what they have is theirs to say before.
    pub async fn require_second_factor(
        &self,
        user: UserId,
        elsewhere: Elsewhere,
        now: NumericDate,
        beside: Beside,
    ) -> Result<(), Fault> {
        let fact = Fact::several(move |connection| {
            async move {
                hold(connection, user).await?;
                let require = connection.query(REQUIRE).bind(user.uuid()).bind(now.seconds());
                require.execute().await.context("require a second factor")?;
                let stepped = end(connection, user, elsewhere, now).await?;
                beside.write(connection).await?;
                Ok(stepped)
            }
            .boxed()
        });
        self.record_and_publish(fact).await.map(drop)
    }

    /// Asks for no second factor any more: the secret of the code app and the backup codes go, and every session and grant but that of
    /// `kept` ends. Returns the session that stays.
    pub async fn release_second_factor(
        &self,
        user: UserId,
        kept: Option<Kept>,
        now: NumericDate,
        beside: Beside,
    ) -> Result<Option<Arc<Session>>, Fault> {
        let fact = Fact::several(move |connection| {
            async move {
                hold(connection, user).await?;
                for statement in [RELEASE, REMOVE_KIND, DROP_BACKUP_CODES] {
                    connection.query(statement).bind(user.uuid()).execute().await.context("release a second factor")?;
                }
                let stepped = epoch::step(connection, user, kept, now).await?;
                beside.write(connection).await?;
                Ok(stepped)
            }
            .boxed()
        });
        self.record_and_publish(fact).await.map(|stepped| stepped.session)
    }

    /// Takes every second factor of a person away, with the backup codes and the wish for one, and ends every session and grant: for who
    /// has lost them. False when there was none of it.
    pub async fn reset_second_factor(&self, user: UserId, now: NumericDate, beside: Beside) -> Result<bool, Fault> {
        let fact = Fact::several(move |connection| {
            async move {
                hold(connection, user).await?;
                let required = connection.query(REQUIRED_AT).bind(user.uuid());
                let required: Option<(Option<i64>,)> =
                    required.fetch_optional().await.context("read whether a second factor is required")?;
                connection.query(RELEASE).bind(user.uuid()).execute().await.context("release a second factor")?;
                let mut gone = 0;
                for statement in [REMOVE_EVERY, DROP_BACKUP_CODES] {
                    let drop = connection.query(statement).bind(user.uuid());
                    gone += drop.execute().await.context("take the second factors of a user away")?;
                }
                if gone == 0 && required.is_none_or(|(at,)| at.is_none()) {
                    return Ok(None);
                }
                let stepped = epoch::step(connection, user, None, now).await?;
                beside.write(connection).await?;
                Ok(Some(stepped))
            }
            .boxed()
        });
        Ok(self.record_and_publish(fact).await?.is_some())
    }

    /// Makes every backup code of a person useless; false when there is none.
    pub async fn drop_backup_codes(&self, user: UserId, beside: Beside) -> Result<bool, Fault> {
        let fact = Fact::several(move |connection| {
            async move {
                hold(connection, user).await?;
                let drop = connection.query(DROP_BACKUP_CODES).bind(user.uuid());
                let is_changed = drop.execute().await.context("drop backup codes")? > 0;
                if is_changed {
                    beside.write(connection).await?;
                }
                Ok(is_changed)
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }

    /// Counts one more answer of a second factor as a failure, before it is judged; false when `most` in a row have failed already.
    pub async fn count_second_factor(&self, user: UserId, most: u32) -> Result<bool, Fault> {
        let fact = Fact::one(move |connection| {
            async move {
                let count = connection.query(COUNT_FAILURE).bind(user.uuid()).bind(i64::from(most));
                Ok(count.execute().await.context("count an answer of a second factor")? == 1)
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }

    /// Forgets the failures: an answer was right.
    pub async fn clear_second_factor_failures(&self, user: UserId) -> Result<(), Fault> {
        let fact = Fact::one(move |connection| {
            async move {
                let clear = connection.query(CLEAR_FAILURES).bind(user.uuid());
                clear.execute().await.context("clear the failures of a second factor").map(|_| ())
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }
}

/// What became of an authenticator that was to be removed, and of what the account had opened.
struct Removed {
    removal: Removal,
    stepped: Option<Stepped>,
}

impl Publish for Removed {
    fn publish(&self, held: &Held) {
        self.stepped.publish(held);
    }
}

/// Ends everything else of the person, where it is to.
async fn end(
    connection: &mut Connection,
    user: UserId,
    elsewhere: Elsewhere,
    now: NumericDate,
) -> Result<Option<Stepped>, Fault> {
    match elsewhere {
        Elsewhere::Stays => Ok(None),
        Elsewhere::Ends(here) => epoch::step_around(connection, user, here, now).await.map(Some),
    }
}

/// Makes the row that facts of one person wait for one another at.
async fn hold(connection: &mut Connection, user: UserId) -> Result<(), Fault> {
    connection.query(HOLD).bind(user.uuid()).execute().await.context("hold the second factor of a user").map(|_| ())
}

async fn replace_backup_codes(
    connection: &mut Connection,
    user: UserId,
    codes: &[TokenHash],
    now: NumericDate,
) -> Result<(), Fault> {
    connection.query(DROP_BACKUP_CODES).bind(user.uuid()).execute().await.context("drop backup codes")?;
    for code in codes {
        let add = connection.query(ADD_BACKUP_CODE).bind(code.as_bytes().as_slice()).bind(user.uuid());
        add.bind(now.seconds()).execute().await.context("record a backup code")?;
    }
    Ok(())
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    user_id: Uuid,
    kind: String,
    target: String,
    name: String,
    secret: Option<Vec<u8>>,
    created_at: i64,
    expires_at: Option<i64>,
    confirmed_at: Option<i64>,
    last_used_at: Option<i64>,
}

impl TryFrom<Row> for Authenticator {
    type Error = Fault;

    fn try_from(row: Row) -> Result<Self, Fault> {
        let id = AuthenticatorId::from_uuid(row.id);
        let place = Place { table: "authenticator", id: &id };
        Ok(Self {
            id,
            user: UserId::from_uuid(row.user_id),
            kind: AuthenticatorKind::parse(&row.kind).ok_or_else(|| place.damaged("kind"))?,
            target: row.target,
            name: row.name,
            secret: row.secret,
            created_at: NumericDate::from_seconds(row.created_at),
            expires_at: moment(row.expires_at),
            confirmed_at: moment(row.confirmed_at),
            last_used_at: moment(row.last_used_at),
        })
    }
}
