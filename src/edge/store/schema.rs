//! Where the schema of a SQLite file stands, looked at without changing it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use super::MIGRATOR;
use super::open::StoreError;

const APPLIED: &str = "SELECT version, checksum, success FROM _sqlx_migrations ORDER BY version";
const HAS_TABLE: &str = "SELECT COUNT(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'";

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
            Self::Changed => "changed",
            Self::Unknown => "unknown",
        }
    }
}

/// Every migration of this release and of the file at `path`, by number; all are pending when there is no file.
///
/// # Errors
/// When the file cannot be read.
pub async fn migrations(path: &Path) -> Result<Vec<Migration>, StoreError> {
    let applied = if path.exists() { applied(path).await? } else { BTreeMap::new() };
    let mut all: Vec<Migration> = MIGRATOR
        .iter()
        .map(|migration| Migration {
            version: migration.version,
            description: migration.description.to_string(),
            state: match applied.get(&migration.version) {
                None => MigrationState::Pending,
                Some(checksum) if **checksum == *migration.checksum => MigrationState::Applied,
                Some(_) => MigrationState::Changed,
            },
        })
        .collect();
    let unknown = applied.keys().copied().filter(|version| !MIGRATOR.version_exists(*version));
    all.extend(unknown.map(|version| Migration {
        version,
        description: "of a later release".to_owned(),
        state: MigrationState::Unknown,
    }));
    Ok(all)
}

async fn applied(path: &Path) -> Result<BTreeMap<i64, Vec<u8>>, StoreError> {
    let failed = |cause: sqlx::Error| StoreError::Inaccessible {
        database: path.display().to_string(),
        reason: cause.to_string(),
    };
    let options = SqliteConnectOptions::new().filename(path).read_only(true).disable_statement_logging();
    let mut connection = options.connect().await.map_err(failed)?;
    let tables: i64 = sqlx::query_scalar(HAS_TABLE).fetch_one(&mut connection).await.map_err(failed)?;
    let rows: Vec<(i64, Vec<u8>, bool)> = if tables == 0 {
        Vec::new()
    } else {
        sqlx::query_as(APPLIED).fetch_all(&mut connection).await.map_err(failed)?
    };
    connection.close().await.map_err(failed)?;
    Ok(rows.into_iter().filter(|(_, _, success)| *success).map(|(version, checksum, _)| (version, checksum)).collect())
}
