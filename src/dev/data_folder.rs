//! Where a development server keeps its things: a folder that one server uses at a time, or a temporary one.
//!
//! XDG Base Directory Specification: `$XDG_DATA_HOME/symbolon/dev`, by default below `~/.local/share`.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::edge::random::Random;

/// A server that holds this file locked uses the folder; the lock goes with the process, however it ends.
const LOCK: &str = "dev.lock";
/// How many folders of the user are tried: one for each server that runs at the same time.
const FOLDERS_TRIED: u32 = 20;

/// Which folder is wished for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Wish {
    /// This one and no other.
    Named(PathBuf),
    /// The first free one below the user's data directory; nothing is kept where there is none.
    OfUser(Option<PathBuf>),
    /// None that outlives the server.
    Temporary,
}

/// The folder of a running server. A temporary one is removed when this is dropped.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    is_temporary: bool,
    remark: Option<String>,
    _lock: File,
}

/// The folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataFolderError {
    /// It cannot be made, or nothing can be written there.
    #[error(
        "cannot use the data folder {}: {source}; name another one with --data, or keep nothing with --ephemeral",
        path.display()
    )]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another server uses it.
    #[error("another symbolon dev uses {}; stop it, or name another folder with --data", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
}

impl DataFolder {
    /// Makes the folder if it is not there, and takes it for this process.
    ///
    /// # Errors
    /// [`DataFolderError`]; a wish for the user's own folder falls back to a temporary one instead.
    pub fn take(wish: Wish, random: &dyn Random) -> Result<Self, DataFolderError> {
        match wish {
            Wish::Named(path) => Self::lasting(path),
            Wish::Temporary => Self::temporary(random),
            Wish::OfUser(None) => {
                let folder = Self::temporary(random)?;
                Ok(folder.remarking("HOME is not set, so nothing is kept; --data names a folder"))
            }
            Wish::OfUser(Some(first)) => match Self::first_free(&first) {
                Ok(folder) if folder.path == first => Ok(folder),
                Ok(folder) => {
                    let remark =
                        format!("{} is used by another symbolon dev; using {}", first.display(), folder.path.display());
                    Ok(folder.remarking(remark))
                }
                Err(error) => Ok(Self::temporary(random)?.remarking(format!("{error}. Nothing is kept this time"))),
            },
        }
    }

    /// The folder of this user by the environment, as `variable` reads it.
    pub fn of_user(variable: impl Fn(&str) -> Option<PathBuf>) -> Wish {
        // A relative path in these variables is to be ignored (XDG Base Directory Specification §2).
        let absolute = |name: &str| variable(name).filter(|path| path.is_absolute());
        let base = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")));
        Wish::OfUser(base.map(|base| base.join("symbolon/dev")))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it goes when the server ends.
    pub const fn is_temporary(&self) -> bool {
        self.is_temporary
    }

    /// What its user should know: that it is another one than they may expect.
    pub fn remark(&self) -> Option<&str> {
        self.remark.as_deref()
    }

    fn remarking(mut self, remark: impl Into<String>) -> Self {
        self.remark = Some(remark.into());
        self
    }

    /// `dev`, else `dev-2`, `dev-3` …
    fn first_free(first: &Path) -> Result<Self, DataFolderError> {
        let mut taken = Self::lasting(first.to_owned());
        for number in 2..=FOLDERS_TRIED {
            if !matches!(taken, Err(DataFolderError::InUse { .. })) {
                break;
            }
            let mut name = first.as_os_str().to_owned();
            name.push(format!("-{number}"));
            taken = Self::lasting(name.into());
        }
        taken
    }

    fn lasting(path: PathBuf) -> Result<Self, DataFolderError> {
        let unusable = |source| DataFolderError::Unusable { path: path.clone(), source };
        private().recursive(true).create(&path).map_err(unusable)?;
        let lock = lock(&path)?;
        Ok(Self { path, is_temporary: false, remark: None, _lock: lock })
    }

    fn temporary(random: &dyn Random) -> Result<Self, DataFolderError> {
        let path = std::env::temp_dir().join(format!("symbolon-dev-{}", random.token().expose()));
        // Not recursive: a folder that somebody else made there first is not taken.
        private().create(&path).map_err(|source| DataFolderError::Unusable { path: path.clone(), source })?;
        let lock = lock(&path)?;
        Ok(Self { path, is_temporary: true, remark: None, _lock: lock })
    }
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        if self.is_temporary
            && let Err(error) = std::fs::remove_dir_all(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "the temporary folder could not be removed");
        }
    }
}

/// Only this user may look inside: it holds keys and passwords.
fn private() -> DirBuilder {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder
}

fn lock(folder: &Path) -> Result<File, DataFolderError> {
    let unusable = |source| DataFolderError::Unusable { path: folder.to_owned(), source };
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false).open(folder.join(LOCK)).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(DataFolderError::InUse { path: folder.to_owned() }),
        Err(TryLockError::Error(source)) => Err(unusable(source)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::random::SystemRandom;

    #[test]
    fn one_server_at_a_time() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("data");
        let take = |wish| DataFolder::take(wish, &SystemRandom);
        let first = take(Wish::Named(path.clone())).unwrap();
        let refused = take(Wish::Named(path.clone())).unwrap_err();
        assert!(matches!(refused, DataFolderError::InUse { .. }), "{refused}");
        drop(first);
        assert!(take(Wish::Named(path)).unwrap().remark().is_none());
    }

    #[test]
    fn a_second_server_gets_the_next_folder_of_the_user() {
        let home = tempfile::tempdir().unwrap();
        let wish = || Wish::OfUser(Some(home.path().join("symbolon/dev")));
        let first = DataFolder::take(wish(), &SystemRandom).unwrap();
        let second = DataFolder::take(wish(), &SystemRandom).unwrap();
        assert_eq!(first.path(), home.path().join("symbolon/dev"));
        assert_eq!(second.path(), home.path().join("symbolon/dev-2"));
        assert!(second.remark().unwrap().contains("is used by another symbolon dev"));
    }

    #[test]
    fn without_a_home_nothing_is_kept() {
        let blocked = tempfile::NamedTempFile::new().unwrap();
        for home in [None, Some(blocked.path().join("symbolon/dev"))] {
            let folder = DataFolder::take(Wish::OfUser(home), &SystemRandom).unwrap();
            let path = folder.path().to_owned();
            assert!(folder.is_temporary() && path.is_dir());
            assert!(folder.remark().unwrap().to_lowercase().contains("nothing is kept"));
            drop(folder);
            assert!(!path.exists());
        }
        let named = DataFolder::take(Wish::Named(blocked.path().join("data")), &SystemRandom).unwrap_err();
        assert!(named.to_string().contains("--ephemeral"), "{named}");
    }

    #[test]
    fn the_environment_names_the_users_folder() {
        for (data_home, home, expected) in [
            (None, Some("/home/a"), Some("/home/a/.local/share/symbolon/dev")),
            (Some("/data"), Some("/home/a"), Some("/data/symbolon/dev")),
            (Some("data"), Some("/home/a"), Some("/home/a/.local/share/symbolon/dev")),
            (Some(""), None, None),
            (None, None, None),
        ] {
            let wish = DataFolder::of_user(|name| if name == "HOME" { home } else { data_home }.map(PathBuf::from));
            assert_eq!(wish, Wish::OfUser(expected.map(PathBuf::from)));
        }
    }
}
