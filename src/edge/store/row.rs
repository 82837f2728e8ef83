//! From rows to model types: strict, and a failure names table, column and row.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::postgres::PgDatabaseError;

use crate::model::fault::Fault;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

/// Where a value stands, for the message when it is damaged.
#[derive(Copy, Clone)]
pub(super) struct Place<'a> {
    pub(super) table: &'static str,
    pub(super) id: &'a dyn fmt::Display,
}

impl Place<'_> {
    /// The text of `column`, parsed.
    pub(super) fn parse<T: FromStr>(&self, column: &'static str, text: &str) -> Result<T, Fault> {
        text.parse().map_err(|_| self.damaged(column))
    }

    /// The JSON of `column`.
    pub(super) fn json<T: DeserializeOwned>(&self, column: &'static str, text: &str) -> Result<T, Fault> {
        serde_json::from_str(text).map_err(|cause| self.damaged(column).caused_by(cause))
    }

    /// The 32 bytes of `column`.
    pub(super) fn hash(&self, column: &'static str, bytes: &[u8]) -> Result<TokenHash, Fault> {
        TokenHash::from_slice(bytes).ok_or_else(|| self.damaged(column))
    }

    /// The number of `column`, not below zero.
    pub(super) fn unsigned(&self, column: &'static str, number: i64) -> Result<u64, Fault> {
        u64::try_from(number).map_err(|_| self.damaged(column))
    }

    /// `column` holds something that we never write.
    pub(super) fn damaged(&self, column: &'static str) -> Fault {
        Fault::internal(format!("{}.{column} of row {} holds a value that cannot be read", self.table, self.id))
    }
}

/// A hash for messages: its first bytes tell rows apart and reveal nothing.
pub(super) struct ShortHash<'a>(pub(super) &'a [u8]);

impl fmt::Display for ShortHash<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// JSON for a column.
pub(super) fn to_json(value: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|cause| Fault::internal("write a value as JSON").caused_by(cause))
}

/// A moment of a nullable column.
pub(super) fn moment(seconds: Option<i64>) -> Option<NumericDate> {
    seconds.map(NumericDate::from_seconds)
}

/// A number for a BIGINT column, held at its largest value.
pub(super) fn bigint(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Says what was being done when the database failed.
pub(in crate::edge) trait Context<T> {
    /// `doing` completes "the server was asked to …".
    fn context(self, doing: &'static str) -> Result<T, Fault>;
}

impl<T> Context<T> for Result<T, sqlx::Error> {
    fn context(self, doing: &'static str) -> Result<T, Fault> {
        self.map_err(|cause| {
            let fault = if is_passing(&cause) { Fault::unavailable(doing) } else { Fault::internal(doing) };
            fault.caused_by(cause)
        })
    }
}

/// True for failures that say nothing about the statement: trying again later may help.
fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(database) => match database.try_downcast_ref::<PgDatabaseError>() {
            Some(postgres) => PASSING_STATES.iter().any(|state| postgres.code().starts_with(state)),
            None => primary_code(database.as_ref()).is_some_and(|code| PASSING.contains(&code)),
        },
        _ => false,
    }
}

/// `SQLITE_BUSY`, `LOCKED`, `NOMEM`, `READONLY`, `INTERRUPT`, `IOERR`, `FULL`, `CANTOPEN`, `PROTOCOL`.
const PASSING: &[i32] = &[5, 6, 7, 8, 9, 10, 13, 14, 15];

/// By class or code of PostgreSQL (appendix A): connection, read-only transaction (a standby), rollback for others' sake,
/// resources, lock not available, operator intervention (shutdown, start, timeouts), system error.
const PASSING_STATES: &[&str] = &["08", "25006", "40", "53", "55P03", "57", "58"];

/// The primary result code of SQLite: the low byte of the extended one.
pub(super) fn primary_code(error: &dyn sqlx::error::DatabaseError) -> Option<i32> {
    error.code()?.parse::<i32>().ok().map(|code| code & 0xFF)
}
