//! How SQLite finds what a statement asks for: a list must not look at every row (S-138).

use std::fmt;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};

use crate::edge::store::MIGRATOR;

/// The steps of a plan, in the words of SQLite.
pub(super) struct Plan(Vec<String>);

impl Plan {
    /// Whether a step says that.
    pub(super) fn says(&self, words: &str) -> bool {
        self.0.iter().any(|step| step.contains(words))
    }

    /// Whether every row of one of these tables (by the names that the statement gives them) is looked at.
    pub(super) fn scans(&self, tables: &[&str]) -> bool {
        self.0.iter().filter_map(|step| step.strip_prefix("SCAN ")).any(|step| {
            let table = step.split(' ').next().unwrap_or_default();
            tables.contains(&table)
        })
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#?}", self.0)
    }
}

/// The plan of `statement`, in an empty database as migrations leave it.
pub(super) async fn plan(statement: &str) -> Plan {
    let options: SqliteConnectOptions = "sqlite::memory:".parse().expect("an address");
    let mut connection = options.connect().await.expect("a database in memory");
    MIGRATOR.run_direct(None, &mut connection, false).await.expect("migrated");
    let explained = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")));
    let rows = explained.fetch_all(&mut connection).await.expect(statement);
    Plan(rows.iter().map(|row| row.get::<String, _>("detail")).collect())
}
