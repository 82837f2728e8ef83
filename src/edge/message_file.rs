//! A message in a file of its own, whole or not at all; nobody but the owner may read it, since it may hold a code.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::edge::undelivered::Undelivered;

/// Writes `bytes` into `folder`. The name is that of the job, so that a second attempt writes the same file.
///
/// # Errors
/// Passing: a disk that is full, a folder that may not be written.
pub(super) async fn write(folder: PathBuf, name: String, bytes: Vec<u8>) -> Result<(), Undelivered> {
    let shown = folder.display().to_string();
    let written = tokio::task::spawn_blocking(move || write_whole(&folder, &name, &bytes)).await;
    match written {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Undelivered::passing(format!("{shown} cannot be written: {error}"))),
        Err(failure) => Err(Undelivered::passing(format!("{shown} was not written: {failure}"))),
    }
}

fn write_whole(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let unfinished = folder.join(format!(".{name}"));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, folder.join(name))
}
