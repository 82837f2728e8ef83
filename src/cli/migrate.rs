//! `symbolon migrate`: the schema, looked at or brought up to date.

use clap::Subcommand;
use serde_json::json;

use crate::app::{self, StartError};
use crate::cli::output::Table;
use crate::cli::{Call, CommandError};
use crate::config::database::Place;
use crate::config::process_environment;
use crate::edge::store::schema::{self, MigrationState};
use crate::edge::store::{DatabaseSettings, Store};

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
                    Store::open(&settings).await.map_err(StartError::from)?.close().await;
                }
                schema::of_file(&path).await
            }
            Place::Postgres(url) => {
                let settings = app::postgres(&config, url)?;
                if self.command.is_none() {
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
