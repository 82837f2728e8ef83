//! Opening the database file: what is there is checked before anything is written over it.

use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use crate::edge::store::row::primary_code;
use crate::edge::store::{backup, schema};

/// Where the database is, when it is a file.
#[derive(Clone, Debug)]
pub struct DatabaseSettings {
    /// The SQLite file; made when it does not exist. Its folder must exist.
    pub path: PathBuf,
}

/// Why the store cannot be opened. Each message names the file or the server.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be read or written.
    #[error("cannot open the database {database}: {reason}")]
    Inaccessible {
        /// The file, or the server with its database.
        database: String,
        /// In the words of the system.
        reason: String,
    },
    /// The file is something else.
    #[error("{database} is not a Symbolon database: {reason}; name another file, it was left as it is")]
    Foreign {
        /// The file, or the server with its database.
        database: String,
        /// What it seems to be.
        reason: String,
    },
    /// The file is damaged.
    #[error("the database {database} is damaged: {reason}; it was left as it is, restore it from a backup")]
    Damaged {
        /// The file, or the server with its database.
        database: String,
        /// What SQLite says.
        reason: String,
    },
    /// The file was written by a later release.
    #[error(
        "the database {database} is at migration {version}, and this release ({}) knows those up to {known}; it was left as it is: \
         run the newer release, or go back: {back}",
        env!("CARGO_PKG_VERSION")
    )]
    Newer {
        /// The file, or the server with its database.
        database: String,
        /// The number of its newest migration.
        version: i64,
        /// The newest one that we know.
        known: i64,
        /// How to get to a schema that we know.
        back: String,
    },
    /// The schema cannot be brought up to date.
    #[error("cannot bring the schema of the database {database} up to date: {reason}")]
    Migration {
        /// The file, or the server with its database.
        database: String,
        /// What failed.
        reason: String,
    },
}

/// `SYMB` in ASCII: by this a file is known as ours (<https://www.sqlite.org/pragma.html#pragma_application_id>).
pub(super) const APPLICATION_ID: i64 = 0x5359_4D42;
pub(super) const SET_APPLICATION_ID: &str = "PRAGMA application_id = 1398361410";
const READ_APPLICATION_ID: &str = "PRAGMA application_id";
const COUNT_TABLES: &str = "SELECT COUNT(*) FROM sqlite_schema";
const QUICK_CHECK: &str = "PRAGMA quick_check(1)";

/// Files up to this size are checked through at each start; it takes about a millisecond for each megabyte.
const CHECKED_SIZE: u64 = 8 * 1024 * 1024;

/// How long a start waits for another process that holds the file: it may be bringing the schema up to date.
const BUSY: Duration = Duration::from_secs(5);
/// The same once people wait for the answer, in milliseconds: facts that queue meanwhile wait twice as long at most.
const SET_BUSY: &str = "PRAGMA busy_timeout = 2000";
/// KiB of pages that a reader holds, negative as SQLite wants it: most reads are answered from memory of ours, and the system
/// holds the file as well.
const CACHE: &str = "-512";
/// The most readers.
const READERS: u32 = 4;

/// What the files of the store and of the ephemeral store differ in.
pub(in crate::edge) struct Layout<'a> {
    pub(in crate::edge) path: &'a Path,
    pub(in crate::edge) migrator: &'a Migrator,
    pub(in crate::edge) synchronous: SqliteSynchronous,
    pub(in crate::edge) snapshot: Snapshot,
}

/// Whether a file is copied before its schema changes: the way back, when the new release turns out to be wrong.
#[derive(Copy, Clone, Eq, PartialEq)]
pub(in crate::edge) enum Snapshot {
    /// Beside it, as `….before-migration-N`.
    Before,
    /// What it holds expires anyway.
    None,
}

impl Layout<'_> {
    /// The writing connection and the pool of readers of a file whose schema is up to date.
    pub(in crate::edge) async fn open(&self) -> Result<(SqliteConnection, SqlitePool), StoreError> {
        let size = inspect(self.path)?;
        let mut writer = self.connect().await.map_err(|cause| self.describe(&cause))?;
        self.claim(&mut writer, size).await?;
        sqlx::query(SET_BUSY).execute(&mut writer).await.map_err(|cause| self.describe(&cause))?;
        let options = self.options().create_if_missing(false).pragma("query_only", "ON").pragma("cache_size", CACHE);
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .min_connections(0)
            .test_before_acquire(false)
            .acquire_timeout(BUSY)
            .connect_lazy_with(options);
        Ok((writer, readers))
    }

    /// While another process turns a new file to WAL, SQLite says "busy" without waiting.
    async fn connect(&self) -> Result<SqliteConnection, sqlx::Error> {
        let end = Instant::now() + BUSY;
        loop {
            match self.options().connect().await {
                Err(cause) if cause.as_database_error().and_then(primary_code) == Some(5) && Instant::now() < end => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                outcome => return outcome,
            }
        }
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn options(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(self.path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(self.synchronous)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .pragma("temp_store", "MEMORY")
            .disable_statement_logging()
    }

    /// Makes sure that the file is ours and sound, then brings its schema up to date, all under one lock.
    async fn claim(&self, writer: &mut SqliteConnection, size: u64) -> Result<(), StoreError> {
        if size > 0 && size <= CHECKED_SIZE {
            let verdict: String =
                sqlx::query_scalar(QUICK_CHECK).fetch_one(&mut *writer).await.map_err(|cause| self.describe(&cause))?;
            if verdict != "ok" {
                return Err(StoreError::Damaged { database: self.name(), reason: in_one_line(&verdict) });
            }
        }
        let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await.map_err(|cause| self.describe(&cause))?;
        let id: i64 = sqlx::query_scalar(READ_APPLICATION_ID)
            .fetch_one(&mut *transaction)
            .await
            .map_err(|cause| self.describe(&cause))?;
        if id != APPLICATION_ID {
            let tables: i64 = sqlx::query_scalar(COUNT_TABLES)
                .fetch_one(&mut *transaction)
                .await
                .map_err(|cause| self.describe(&cause))?;
            if id != 0 || tables != 0 {
                let reason = "it is the SQLite database of another program".to_owned();
                return Err(StoreError::Foreign { database: self.name(), reason });
            }
            sqlx::query(SET_APPLICATION_ID).execute(&mut *transaction).await.map_err(|cause| self.describe(&cause))?;
        }
        let applied = schema::applied_to_file(&mut transaction).await.map_err(|cause| self.describe(&cause))?;
        let first = schema::judge(self.migrator, &applied, &self.name())?;
        if let (Some(first), Snapshot::Before, false) = (first, self.snapshot, applied.is_empty()) {
            // We hold the lock, so it is the state that we are about to change; others may read it all the while.
            let copy = schema::snapshot(self.path, first);
            tracing::info!(copy = %copy.display(), "the database is copied before its schema changes");
            backup::copy(self.path, &copy).await.map_err(|error| StoreError::Migration {
                database: self.name(),
                reason: format!("it is copied to {} first, and that failed: {error}", copy.display()),
            })?;
        }
        self.migrator
            .run_direct(None, &mut *transaction, false)
            .await
            .map_err(|cause| self.describe_migration(cause))?;
        transaction.commit().await.map_err(|cause| self.describe(&cause))
    }

    fn describe(&self, cause: &sqlx::Error) -> StoreError {
        let database = self.name();
        let reason = cause.to_string();
        match cause.as_database_error().and_then(primary_code) {
            // SQLITE_CORRUPT
            Some(11) => StoreError::Damaged { database, reason },
            // SQLITE_NOTADB
            Some(26) => StoreError::Foreign { database, reason },
            _ => StoreError::Inaccessible { database, reason },
        }
    }

    fn describe_migration(&self, cause: MigrateError) -> StoreError {
        match cause {
            MigrateError::Execute(cause) => self.describe(&cause),
            other => StoreError::Migration { database: self.name(), reason: other.to_string() },
        }
    }
}

/// The verdict of a check: SQLite tells the place in a second line, a message of ours is one.
pub(super) fn in_one_line(verdict: &str) -> String {
    verdict.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The length of the file, zero when there was none; made with rights for the owner only.
fn inspect(path: &Path) -> Result<u64, StoreError> {
    let inaccessible = |cause: std::io::Error| StoreError::Inaccessible {
        database: path.display().to_string(),
        reason: cause.to_string(),
    };
    let mut file = match owner_only().open(path) {
        Ok(_created) => return Ok(0),
        Err(exists) if exists.kind() == std::io::ErrorKind::AlreadyExists => File::open(path).map_err(inaccessible)?,
        Err(cause) => return Err(inaccessible(cause)),
    };
    let size = file.metadata().map_err(inaccessible)?.len();
    if size == 0 {
        let journal = PathBuf::from(format!("{}-wal", path.display()));
        if journal.metadata().is_ok_and(|journal| journal.len() > 0) {
            let reason = format!("the file is empty, while its journal {} is not", journal.display());
            return Err(StoreError::Damaged { database: path.display().to_string(), reason });
        }
        return Ok(0);
    }
    let mut header = [0; 100];
    let foreign =
        || StoreError::Foreign { database: path.display().to_string(), reason: "it is no SQLite file".to_owned() };
    file.read_exact(&mut header).map_err(|_| foreign())?;
    if !header.starts_with(b"SQLite format 3\0") {
        return Err(foreign());
    }
    // Who was killed while pages went from a journal to the file, or back, left it shorter for a while: SQLite finishes that.
    let journals = ["-wal", "-journal"].map(|end| PathBuf::from(format!("{}{end}", path.display())));
    let is_unfinished = journals.iter().any(|journal| journal.metadata().is_ok_and(|journal| journal.len() > 0));
    if let Some(expected) = expected_size(&header)
        && size < expected
        && !is_unfinished
    {
        let reason = format!("it has {size} bytes where {expected} are expected");
        return Err(StoreError::Damaged { database: path.display().to_string(), reason });
    }
    Ok(size)
}

/// The length that the header tells, in bytes (<https://www.sqlite.org/fileformat.html#in_header_database_size>).
fn expected_size(header: &[u8; 100]) -> Option<u64> {
    let number = |at: usize| Some(u32::from_be_bytes(header.get(at..at + 4)?.try_into().ok()?));
    let page_size = match u16::from_be_bytes(header.get(16..18)?.try_into().ok()?) {
        1 => 65_536,
        size => u64::from(size),
    };
    // The page count is only valid when it was written with the last change.
    (number(24)? == number(92)?).then_some(())?;
    Some(u64::from(number(28)?) * page_size)
}

pub(super) fn owner_only() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
