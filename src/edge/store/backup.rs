//! A copy of the SQLite file, made while others write; and its way back.
//!
//! <https://www.sqlite.org/lang_vacuum.html#vacuuminto>: the copy is one consistent moment.

use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::open::{StoreError, in_one_line};
use super::{APPLICATION_ID, MIGRATOR, schema};

const COPY: &str = "VACUUM INTO $1";
const IDENTITY: &str = "PRAGMA application_id";
const CHECK: &str = "PRAGMA integrity_check(1)";
const LEAVE_WAL: &str = "PRAGMA journal_mode = DELETE";

/// Writes a copy of `database` to `file` (mode 0600), which must not exist; returns its size in bytes.
///
/// # Errors
/// [`StoreError`] names the file that cannot be read or written.
pub async fn write(database: &Path, file: &Path) -> Result<u64, StoreError> {
    if !database.exists() {
        return Err(inaccessible(database, "it is not there"));
    }
    if file.exists() {
        return Err(inaccessible(file, "it is there already; name another file"));
    }
    copy(database, file).await?;
    file.metadata().map(|metadata| metadata.len()).map_err(|cause| inaccessible(file, &cause.to_string()))
}

/// What a copy is called until it is whole.
pub fn draft(file: &Path) -> PathBuf {
    aside(file, "part")
}

/// Writes a copy of `database` to `file`, in the place of what an earlier attempt left there.
pub(super) async fn copy(database: &Path, file: &Path) -> Result<(), StoreError> {
    let draft = draft(file);
    let _leftover = std::fs::remove_file(&draft);
    // Made before SQLite writes into it, so that nobody else can ever read it.
    super::open::owner_only().open(&draft).map_err(|cause| inaccessible(&draft, &cause.to_string()))?;
    let copied = fill(database, &draft).await;
    if copied.is_err() {
        // It may have filled the disk.
        let _gone = std::fs::remove_file(&draft);
    }
    copied.map_err(|cause| inaccessible(file, &cause.to_string()))?;
    examine(&draft).await?;
    move_into_place(&draft, file)
}

async fn fill(database: &Path, draft: &Path) -> Result<(), sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(database).read_only(true).disable_statement_logging();
    let mut connection = options.connect().await?;
    let copied = sqlx::query(COPY).bind(draft.display().to_string()).execute(&mut connection).await;
    connection.close().await?;
    copied.map(|_| ())
}

/// Puts the backup `file` in the place of `database`, which is kept under another name, and returned.
///
/// `ephemeral` is put aside, too: a code or link in it may have been used up in the database that leaves, and must not
/// become good again.
///
/// # Errors
/// [`StoreError`]: the backup is damaged, of another program or of a later release; or a server uses the database.
pub async fn restore(file: &Path, database: &Path, ephemeral: &Path) -> Result<Option<PathBuf>, StoreError> {
    examine(file).await?;
    for taken in [database, ephemeral] {
        if taken.exists() {
            release(taken).await?;
        }
    }
    let draft = draft(database);
    let failed = |cause: std::io::Error| inaccessible(database, &cause.to_string());
    let _leftover = std::fs::remove_file(&draft);
    let mut to = super::open::owner_only().open(&draft).map_err(failed)?;
    let mut from = std::fs::File::open(file).map_err(|cause| inaccessible(file, &cause.to_string()))?;
    std::io::copy(&mut from, &mut to).and_then(|_| to.sync_all()).map_err(failed)?;
    let kept = if database.exists() {
        let kept =
            (1..1000).map(|number| aside(database, &format!("before-restore-{number}"))).find(|path| !path.exists());
        let kept = kept.ok_or_else(|| inaccessible(database, "too many databases are kept beside it"))?;
        std::fs::rename(database, &kept).map_err(failed)?;
        Some(kept)
    } else {
        None
    };
    if ephemeral.exists() {
        std::fs::remove_file(ephemeral).map_err(|cause| inaccessible(ephemeral, &cause.to_string()))?;
    }
    move_into_place(&draft, database)?;
    Ok(kept)
}

/// Makes sure that the file is a sound database of ours that this release can open.
async fn examine(file: &Path) -> Result<(), StoreError> {
    if !file.exists() {
        return Err(inaccessible(file, "it is not there"));
    }
    let mut connection = reader(file).await?;
    let foreign =
        |cause: sqlx::Error| StoreError::Foreign { database: file.display().to_string(), reason: cause.to_string() };
    let identity: i64 = sqlx::query_scalar(IDENTITY).fetch_one(&mut connection).await.map_err(foreign)?;
    if identity != APPLICATION_ID {
        let reason = "it is the SQLite database of another program".to_owned();
        return Err(StoreError::Foreign { database: file.display().to_string(), reason });
    }
    let damaged = |reason: String| StoreError::Damaged { database: file.display().to_string(), reason };
    let verdict: String =
        sqlx::query_scalar(CHECK).fetch_one(&mut connection).await.map_err(|cause| damaged(cause.to_string()))?;
    if verdict != "ok" {
        return Err(damaged(in_one_line(&verdict)));
    }
    let applied = schema::applied_to_file(&mut connection).await.map_err(foreign)?;
    schema::judge(&MIGRATOR, &applied, &file.display().to_string())?;
    connection.close().await.map_err(|cause| inaccessible(file, &cause.to_string()))
}

/// Leaves the write-ahead log, which SQLite allows only to the one process that has the file open.
async fn release(file: &Path) -> Result<(), StoreError> {
    let in_use = |_| inaccessible(file, "a server uses it; stop the server first");
    let options = SqliteConnectOptions::new().filename(file).disable_statement_logging();
    let mut connection = options.connect().await.map_err(|cause| inaccessible(file, &cause.to_string()))?;
    let mode: String = sqlx::query_scalar(LEAVE_WAL).fetch_one(&mut connection).await.map_err(in_use)?;
    connection.close().await.map_err(in_use)?;
    if mode == "delete" { Ok(()) } else { Err(inaccessible(file, "a server uses it; stop the server first")) }
}

async fn reader(file: &Path) -> Result<SqliteConnection, StoreError> {
    let options = SqliteConnectOptions::new().filename(file).read_only(true).disable_statement_logging();
    options.connect().await.map_err(|cause| inaccessible(file, &cause.to_string()))
}

fn move_into_place(draft: &Path, file: &Path) -> Result<(), StoreError> {
    let failed = |cause: std::io::Error| inaccessible(file, &cause.to_string());
    std::fs::File::open(draft).and_then(|draft| draft.sync_all()).map_err(failed)?;
    std::fs::rename(draft, file).map_err(failed)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

/// `path` with `ending` after its name.
pub(super) fn aside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{ending}"));
    path.with_file_name(name)
}

fn inaccessible(path: &Path, reason: &str) -> StoreError {
    StoreError::Inaccessible { database: path.display().to_string(), reason: reason.to_owned() }
}
