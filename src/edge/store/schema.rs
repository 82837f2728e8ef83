//! Where a schema stands: looked at without changing it, and judged before it is changed.
//!
//! PROTOCOL.md §3 (checksum and gap check; downgrade refused clearly when the schema is newer).
//!
//! *Why a release refuses a schema that is newer than itself, though the schemas of neighbours fit each other:* a node that runs while
//! another release migrates goes on, since a migration only adds; but who starts an older release later may mean one from long before.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, SqliteConnection};

use super::MIGRATOR;
use super::open::StoreError;
use super::postgres::{PostgresSettings, Server};

const APPLIED: &str = "SELECT version, checksum FROM _sqlx_migrations WHERE success ORDER BY version";
const APPLIED_ADDITIONS: &str =
    "SELECT version, checksum FROM _sqlx_migrations_postgresql WHERE success ORDER BY version";
const HAS_TABLE: &str = "SELECT COUNT(*) > 0 FROM sqlite_schema WHERE name = '_sqlx_migrations'";
const HAS_TABLE_ON_POSTGRES: &str = "SELECT to_regclass($1) IS NOT NULL";

/// One migration.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Migration {
    /// Its number.
    pub version: i64,
    /// What it brings.
    pub description: String,
    /// Where it stands.
    pub state: MigrationState,
}

/// Where a migration stands.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MigrationState {
    /// Done.
    Applied,
    /// The next start applies it.
    Pending,
    /// A later one is done, and this one is not: no start.
    Missing,
    /// Done by other statements than this release has: no start.
    Changed,
    /// Of a later release: no start.
    Unknown,
}

impl MigrationState {
    /// As it is told.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Pending => "pending",
            Self::Missing => "missing",
            Self::Changed => "changed",
            Self::Unknown => "unknown",
        }
    }

    /// True when a server does not start on it.
    pub const fn is_refused(self) -> bool {
        matches!(self, Self::Missing | Self::Changed | Self::Unknown)
    }
}

/// What was done to a database: checksums by number.
pub(super) type Applied = BTreeMap<i64, Vec<u8>>;

/// Every migration of this release and of the file at `path`, by number; all are pending when there is no file.
///
/// # Errors
/// When the file cannot be read.
pub async fn of_file(path: &Path) -> Result<Vec<Migration>, StoreError> {
    if !path.exists() {
        return Ok(standing(&MIGRATOR, &Applied::new()));
    }
    let failed = |cause: sqlx::Error| StoreError::Inaccessible {
        database: path.display().to_string(),
        reason: cause.to_string(),
    };
    let applied = match applied_at(path, true).await {
        Err(error) if is_unfinished(&error) => applied_at(path, false).await,
        read => read,
    };
    Ok(standing(&MIGRATOR, &applied.map_err(failed)?))
}

async fn applied_at(path: &Path, read_only: bool) -> Result<Applied, sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(path).read_only(read_only).disable_statement_logging();
    let mut connection = options.connect().await?;
    let applied = applied_to_file(&mut connection).await?;
    connection.close().await?;
    Ok(applied)
}

/// `SQLITE_READONLY_ROLLBACK`: somebody was killed in the middle of a change, which has to be undone before anything can be read.
fn is_unfinished(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == "776")
}

/// Every migration of this release and of the database on PostgreSQL: those of both engines, then those of PostgreSQL.
///
/// # Errors
/// When the server cannot be reached.
pub async fn of_server(settings: &PostgresSettings) -> Result<Vec<Migration>, StoreError> {
    let server = Server::new(settings)?;
    let mut connection = server.reach().await?;
    let tables = applied_to_server(&mut connection, Part::Tables).await.map_err(|cause| server.inaccessible(&cause))?;
    let own = applied_to_server(&mut connection, Part::Additions).await.map_err(|cause| server.inaccessible(&cause))?;
    drop(connection.close().await);
    let mut all = standing(&MIGRATOR, &tables);
    all.extend(
        standing(&super::postgres::additions(), &own)
            .into_iter()
            .map(|migration| Migration { description: format!("PostgreSQL: {}", migration.description), ..migration }),
    );
    Ok(all)
}

/// Which of the two folders of migrations.
#[derive(Copy, Clone)]
pub(super) enum Part {
    /// What both engines have.
    Tables,
    /// What PostgreSQL has beside it.
    Additions,
}

pub(super) async fn applied_to_file(connection: &mut SqliteConnection) -> Result<Applied, sqlx::Error> {
    let has_table: bool = sqlx::query_scalar(HAS_TABLE).fetch_one(&mut *connection).await?;
    if !has_table {
        return Ok(Applied::new());
    }
    let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(APPLIED).fetch_all(connection).await?;
    Ok(rows.into_iter().collect())
}

pub(super) async fn applied_to_server(connection: &mut PgConnection, part: Part) -> Result<Applied, sqlx::Error> {
    let (table, read) = match part {
        Part::Tables => ("_sqlx_migrations", APPLIED),
        Part::Additions => ("_sqlx_migrations_postgresql", APPLIED_ADDITIONS),
    };
    let has_table: bool = sqlx::query_scalar(HAS_TABLE_ON_POSTGRES).bind(table).fetch_one(&mut *connection).await?;
    if !has_table {
        return Ok(Applied::new());
    }
    let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(read).fetch_all(connection).await?;
    Ok(rows.into_iter().collect())
}

fn standing(migrator: &Migrator, applied: &Applied) -> Vec<Migration> {
    let newest = applied.keys().next_back().copied().unwrap_or(0);
    let mut all: Vec<Migration> = migrator
        .iter()
        .map(|migration| Migration {
            version: migration.version,
            description: migration.description.to_string(),
            state: match applied.get(&migration.version) {
                None if migration.version < newest => MigrationState::Missing,
                None => MigrationState::Pending,
                Some(checksum) if **checksum == *migration.checksum => MigrationState::Applied,
                Some(_) => MigrationState::Changed,
            },
        })
        .collect();
    let unknown = applied.keys().copied().filter(|version| !migrator.version_exists(*version));
    all.extend(unknown.map(|version| Migration {
        version,
        description: "of a later release".to_owned(),
        state: MigrationState::Unknown,
    }));
    all
}

/// The first migration that waits; `None` when all are done.
///
/// # Errors
/// The first reason not to touch the schema.
pub(super) fn judge(migrator: &Migrator, applied: &Applied, database: &str) -> Result<Option<i64>, StoreError> {
    let standing = standing(migrator, applied);
    let first = |state| standing.iter().find(|migration| migration.state == state).map(|migration| migration.version);
    if let Some(version) = first(MigrationState::Unknown) {
        let known = migrator.iter().map(|migration| migration.version).max().unwrap_or(0);
        let newest = applied.keys().next_back().copied().unwrap_or(version);
        let back = way_back(database, version);
        return Err(StoreError::Newer { database: database.to_owned(), version: newest, known, back });
    }
    let refused = |reason: String| Err(StoreError::Migration { database: database.to_owned(), reason });
    if let Some(version) = first(MigrationState::Changed) {
        return refused(format!(
            "migration {version} was applied with other statements than this release has; run the release that applied it"
        ));
    }
    if let Some(version) = first(MigrationState::Missing) {
        let newest = applied.keys().next_back().copied().unwrap_or(0);
        return refused(format!(
            "it has migration {newest} and lacks migration {version}; run the release that applied {newest}, or restore a backup"
        ));
    }
    Ok(first(MigrationState::Pending))
}

/// How to get from a schema that has migration `version` to one that has not.
fn way_back(database: &str, version: i64) -> String {
    let snapshot = snapshot(Path::new(database), version);
    if snapshot.exists() {
        format!("`symbolon restore {}`, which forgets what happened since", snapshot.display())
    } else if database.starts_with("postgres://") {
        "restore your backup from before the upgrade".to_owned()
    } else {
        "`symbolon restore` with a backup from before the upgrade".to_owned()
    }
}

/// Where a file is kept as it was before migration `version`.
pub fn snapshot(database: &Path, version: i64) -> PathBuf {
    super::backup::aside(database, &format!("before-migration-{version}"))
}
