//! `symbolon backup` and `symbolon restore`: the database as one file.
//!
//! PROTOCOL.md §3 (corrupt DB: refuse with a restore hint; never write over it).

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::app;
use crate::cli::progress::Progress;
use crate::cli::site::Site;
use crate::cli::{Call, CommandError};
use crate::config::process_environment;
use crate::edge::store::backup;

/// `symbolon backup`
#[derive(Debug, clap::Args)]
pub struct Backup {
    /// The file to write; it must not be there yet.
    file: PathBuf,
}

/// `symbolon restore`
#[derive(Debug, clap::Args)]
pub struct Restore {
    /// A file that `symbolon backup` wrote.
    file: PathBuf,
}

impl Backup {
    /// Copies the database while the server runs.
    ///
    /// # Errors
    /// When the database cannot be read, or the file is there already.
    pub async fn run(self, call: &Call) -> Result<(), CommandError> {
        let config = call.settings()?;
        let database = Site::file(&config, "back it up with pg_dump")?;
        let progress = Progress::of_file(call.output, "copying", (backup::draft(&self.file), size(&database)));
        let size = backup::write(&database, &self.file).await.map_err(app::StartError::from)?;
        drop(progress);
        let human = format!(
            "wrote {} ({size} bytes)\nIt opens only with the master key of {}: keep that too, elsewhere.",
            self.file.display(),
            config.keys.source(&process_environment())?
        );
        call.output.print(human, &json!({"file": self.file, "bytes": size}))
    }
}

impl Restore {
    /// Puts a backup in the place of the database, which is kept beside it.
    ///
    /// # Errors
    /// When the backup is no good, or a server uses the database.
    pub async fn run(self, call: &Call) -> Result<(), CommandError> {
        let config = call.settings()?;
        let database = Site::file(&config, "restore it with pg_restore")?;
        let beside = app::beside(&database);
        let progress = Progress::of_file(call.output, "copying", (backup::draft(&database), size(&self.file)));
        let kept = backup::restore(&self.file, &database, &beside).await.map_err(app::StartError::from)?;
        drop(progress);
        let before = kept.as_ref().map(|kept| format!("\nThe database before is {}.", kept.display()));
        let human = format!(
            "restored {}{}\nWhat was taken back since the backup is valid again: `symbolon session end --all` ends the sessions.",
            database.display(),
            before.unwrap_or_default()
        );
        call.output.print(human, &json!({"database": database, "before": kept}))
    }
}

fn size(file: &Path) -> u64 {
    file.metadata().map_or(0, |metadata| metadata.len())
}
