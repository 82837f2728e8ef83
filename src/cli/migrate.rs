//! `symbolon migrate`: the schema, looked at or brought up to date.

use std::path::Path;

use clap::Subcommand;
use serde_json::json;

use crate::app::{self, StartError};
use crate::cli::output::Table;
use crate::cli::progress::{Progress, Step};
use crate::cli::{Call, CommandError};
use crate::config::database::Place;
use crate::config::process_environment;
use crate::edge::store::schema::{self, MigrationState};
use crate::edge::store::{DatabaseSettings, Store, backup};

const MIGRATING: &str = "migrating";

/// `symbolon migrate`
#[derive(Debug, clap::Args)]
pub struct Migrate {
    #[command(subcommand)]
    command: Option<MigrateCommand>,
}

/// What `symbolon migrate` can do beside migrating.
#[derive(Debug, Subcommand)]
enum MigrateCommand {
    /// Shows every migration and whether it was applied; changes nothing.
    Status,
    /// Shows what the next start would apply; changes nothing.
    Plan,
}

impl Migrate {
    /// Runs the command.
    ///
    /// # Errors
    /// When the database cannot be used, or is of a later release.
    pub async fn run(self, call: &Call) -> Result<(), CommandError> {
        let config = call.settings()?;
        let mut shown = match config.database.place(&process_environment())? {
            Place::File(path) => {
                if self.command.is_none() {
                    let settings = DatabaseSettings { path: path.clone() };
                    let _shown = shown_for_file(call, &path).await?;
                    Store::open(&settings).await.map_err(StartError::from)?.close().await;
                }
                schema::of_file(&path).await
            }
            Place::Postgres(url) => {
                let settings = app::postgres(&config, url)?;
                if self.command.is_none() {
                    let _shown = Progress::of_steps(call.output, |since| Step::Unmeasured { doing: MIGRATING, since });
                    Store::connect(&settings).await.map_err(StartError::from)?.close().await;
                }
                schema::of_server(&settings).await
            }
        }
        .map_err(StartError::from)?;
        if matches!(self.command, Some(MigrateCommand::Plan)) {
            shown.retain(|migration| migration.state != MigrationState::Applied);
        }
        let mut table = Table::new(["version", "state", "migration"]);
        for migration in &shown {
            table.row([
                migration.version.to_string(),
                migration.state.as_str().to_owned(),
                migration.description.clone(),
            ]);
        }
        call.output.print(table, &json!(shown))
    }
}

/// How far it is: first the copy, by its size, then the migrations, which are one transaction.
async fn shown_for_file(call: &Call, path: &Path) -> Result<Progress, CommandError> {
    let standing = schema::of_file(path).await.map_err(StartError::from)?;
    let first = standing.iter().find(|migration| migration.state == MigrationState::Pending);
    let copy = first.map(|migration| schema::snapshot(path, migration.version));
    let total = path.metadata().map_or(0, |metadata| metadata.len());
    Ok(Progress::of_steps(call.output, move |since| {
        let draft = copy.as_deref().map(backup::draft).and_then(|draft| draft.metadata().ok());
        match draft {
            Some(draft) => Step::Measured { doing: "copying the database first", done: draft.len(), total },
            None => Step::Unmeasured { doing: MIGRATING, since },
        }
    }))
}
