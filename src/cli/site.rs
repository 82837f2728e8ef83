//! The stores and keys of one server, opened by a command beside the running process (or without one).

use std::sync::Arc;

use crate::admin::Administration;
use crate::app::{self, World};
use crate::cli::{Call, CommandError};
use crate::config::{Config, process_environment};
use crate::edge::Edges;
use crate::edge::vault::Vault;
use crate::model::user::User;
use crate::protocol::numeric_date::NumericDate;

/// What a command works on. A running server sees what it writes within half a second.
pub struct Site {
    /// The settings.
    pub config: Config,
    /// The stores, and the world.
    pub edges: Edges,
    /// Seals secrets.
    pub vault: Arc<Vault>,
}

/// What becomes of a site whose database is not there yet.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Absent {
    /// It is made: the command brings the first thing into it.
    Make,
    /// It is refused: there is nothing to see or to change, and most likely another folder was meant.
    Refuse,
}

impl Site {
    /// Opens what the settings name.
    ///
    /// # Errors
    /// As the server: exit code 2 for settings, 3 for storage, 4 for keys.
    pub async fn open(call: &Call, absent: Absent) -> Result<Self, CommandError> {
        let config = call.settings()?;
        if absent == Absent::Refuse {
            Self::must_exist(&config)?;
        }
        let (edges, vault) = app::open(&config, World::real()).await?;
        Ok(Self { config, edges, vault })
    }

    /// # Errors
    /// When the settings name a SQLite file that is not there.
    pub fn must_exist(config: &Config) -> Result<(), CommandError> {
        match config.database.file(&process_environment())? {
            Some(path) if !path.exists() => Err(CommandError::Storage(format!(
                "there is no database at {}; name the settings of the server with --config, or work in its folder",
                path.display()
            ))),
            _ => Ok(()),
        }
    }

    /// The SQLite file of the settings.
    ///
    /// # Errors
    /// On PostgreSQL, with `cure`.
    pub fn file(config: &Config, cure: &str) -> Result<std::path::PathBuf, CommandError> {
        let file = config.database.file(&process_environment())?;
        file.ok_or_else(|| CommandError::refused(format!("the database is PostgreSQL; {cure}")))
    }

    /// The present moment.
    pub fn now(&self) -> NumericDate {
        self.edges.clock.now()
    }

    /// The person who is called `name`, by any of their names or by their id.
    ///
    /// # Errors
    /// When nobody is.
    pub async fn user(&self, name: &str) -> Result<Arc<User>, CommandError> {
        Ok(self.administration().person(name).await?)
    }

    /// What an operator does here.
    pub fn administration(&self) -> Administration {
        Administration::of_operator(&self.edges)
    }

    /// Brings everything into the files.
    pub async fn close(&self) {
        self.edges.store.close().await;
        self.edges.ephemeral.close().await;
    }
}
