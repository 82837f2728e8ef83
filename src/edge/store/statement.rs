//! One statement on either engine: the same text, the same values, the same rows.
//!
//! *Why an enum and not `sqlx::Any`:* each value is encoded for its engine as it is bound, with no form in between.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgPool, PgRow};
use sqlx::sqlite::{SqliteArguments, SqlitePool, SqliteRow};
use sqlx::{Encode, FromRow, Postgres, Sqlite, SqliteConnection, Type};

use crate::edge::meter::{Operation, database};

/// How long PostgreSQL may take to answer one statement; after that its connection is given up.
pub(in crate::edge) const PATIENCE: Duration = Duration::from_secs(4);

/// A connection that records facts.
pub(in crate::edge) enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PoolConnection<Postgres>),
}

impl Connection {
    /// The statement `sql`, to be run here.
    pub(in crate::edge) fn query(&mut self, sql: &'static str) -> Query<'_> {
        self.query_linked(&Linked { sqlite: sql, postgres: sql })
    }

    /// Two changes in one exchange.
    pub(in crate::edge) fn query_linked(&mut self, linked: &Linked) -> Query<'_> {
        match self {
            Self::Sqlite(connection) => Query::Sqlite(OnSqlite::Connection(connection), sqlx::query(linked.sqlite)),
            Self::Postgres(connection) => {
                Query::Postgres(OnPostgres::Connection(connection), sqlx::query(linked.postgres))
            }
        }
    }

    /// Whether the parts of a [`Linked`] can fail apart from each other, so that the first must be undone by hand.
    pub(in crate::edge) const fn links_loosely(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }
}

/// A change and another that happens only with it, in the words of each engine: SQLite takes two statements at once, of which
/// the second asks for `changes()`; PostgreSQL one with a data-modifying `WITH`. The values are the same.
///
/// *Why:* each exchange with the thread or the server behind a connection costs more than the change itself.
pub(in crate::edge) struct Linked {
    pub(in crate::edge) sqlite: &'static str,
    pub(in crate::edge) postgres: &'static str,
}

/// The connections that read.
#[derive(Clone)]
pub(in crate::edge) enum Readers {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Readers {
    /// The statement `sql`, to be run on any of them.
    pub(in crate::edge) fn query(&self, sql: &'static str) -> Query<'_> {
        match self {
            Self::Sqlite(pool) => Query::Sqlite(OnSqlite::Pool(pool), sqlx::query(sql)),
            Self::Postgres(pool) => Query::Postgres(OnPostgres::Pool(pool), sqlx::query(sql)),
        }
    }

    /// Closes them.
    pub(in crate::edge) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// A statement with the values that are bound to it so far.
#[must_use = "a statement does nothing until it is executed or fetched"]
pub(in crate::edge) enum Query<'c> {
    Sqlite(OnSqlite<'c>, sqlx::query::Query<'static, Sqlite, SqliteArguments>),
    Postgres(OnPostgres<'c>, sqlx::query::Query<'static, Postgres, PgArguments>),
}

pub(in crate::edge) enum OnSqlite<'c> {
    Connection(&'c mut SqliteConnection),
    Pool(&'c SqlitePool),
}

pub(in crate::edge) enum OnPostgres<'c> {
    Connection(&'c mut PoolConnection<Postgres>),
    Pool(&'c PgPool),
}

/// A value that both engines hold.
pub(in crate::edge) trait Value<'t>:
    Encode<'t, Sqlite> + Type<Sqlite> + Encode<'t, Postgres> + Type<Postgres>
{
}
impl<'t, T: Encode<'t, Sqlite> + Type<Sqlite> + Encode<'t, Postgres> + Type<Postgres>> Value<'t> for T {}

/// A row of either engine; `#[derive(FromRow)]` makes both.
pub(in crate::edge) trait Row: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> {}
impl<T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow>> Row for T {}

/// Runs `$method` of the statement where it belongs.
///
/// *Why boxed:* the drivers' futures are kilobytes large, and they stand inside every future that may ask the database, also
/// where the answer is at hand in memory. In a box they cost only when they run.
macro_rules! run {
    ($query:expr, $method:ident, $rows:ident => $sqlite:expr, $pg_rows:ident => $postgres:expr) => {
        match $query {
            Query::Sqlite(on, query) => {
                let $rows = match on {
                    OnSqlite::Connection(connection) => Box::pin(query.$method(connection)).await?,
                    OnSqlite::Pool(pool) => database(Operation::Read, Box::pin(query.$method(pool))).await?,
                };
                $sqlite
            }
            Query::Postgres(on, query) => {
                let is_read = matches!(on, OnPostgres::Pool(_));
                let answer = Box::pin(async move {
                    match on {
                        OnPostgres::Connection(connection) => query.$method(&mut **connection).await,
                        OnPostgres::Pool(pool) => {
                            let mut connection = pool.acquire().await?;
                            let Ok(rows) = tokio::time::timeout(PATIENCE, query.$method(&mut *connection)).await else {
                                // Its answer would be taken for that of the next statement, if it ever came.
                                drop(connection.detach());
                                return Err(too_slow());
                            };
                            rows
                        }
                    }
                });
                let $pg_rows = if is_read { database(Operation::Read, answer).await } else { answer.await }?;
                $postgres
            }
        }
    };
}

impl Query<'_> {
    /// Binds the next value.
    pub(in crate::edge) fn bind<'t>(self, value: impl Value<'t>) -> Self {
        match self {
            Self::Sqlite(on, query) => Self::Sqlite(on, query.bind(value)),
            Self::Postgres(on, query) => Self::Postgres(on, query.bind(value)),
        }
    }

    /// Runs it; returns how many rows it changed.
    pub(in crate::edge) async fn execute(self) -> Result<u64, sqlx::Error> {
        Ok(run!(self, execute, done => done.rows_affected(), done => done.rows_affected()))
    }

    /// Every row.
    pub(in crate::edge) async fn fetch_all<T: Row>(self) -> Result<Vec<T>, sqlx::Error> {
        run!(self, fetch_all,
            rows => rows.iter().map(T::from_row).collect(),
            rows => rows.iter().map(T::from_row).collect())
    }

    /// The row, if there is one.
    ///
    /// *Why not the driver's own:* it leaves a statement after the first row and looks at no error of its end, which is where a
    /// change that stands alone is committed.
    pub(in crate::edge) async fn fetch_optional<T: Row>(self) -> Result<Option<T>, sqlx::Error> {
        Ok(self.fetch_all().await?.into_iter().next())
    }

    /// The first column of every row.
    pub(in crate::edge) async fn scalar_all<T>(self) -> Result<Vec<T>, sqlx::Error>
    where
        (T,): Row,
    {
        Ok(self.fetch_all::<(T,)>().await?.into_iter().map(|(value,)| value).collect())
    }

    /// The first column of the row, if there is one.
    pub(in crate::edge) async fn scalar_optional<T>(self) -> Result<Option<T>, sqlx::Error>
    where
        (T,): Row,
    {
        Ok(self.fetch_optional::<(T,)>().await?.map(|(value,)| value))
    }

    /// The first column of the row.
    pub(in crate::edge) async fn scalar_one<T>(self) -> Result<T, sqlx::Error>
    where
        (T,): Row,
    {
        Ok(self.fetch_one::<(T,)>().await?.0)
    }

    /// The row.
    pub(in crate::edge) async fn fetch_one<T: Row>(self) -> Result<T, sqlx::Error> {
        self.fetch_optional().await?.ok_or(sqlx::Error::RowNotFound)
    }
}

/// PostgreSQL does not answer.
pub(in crate::edge) fn too_slow() -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer within four seconds"))
}
