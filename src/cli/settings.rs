//! `symbolon config`: what can be set, and what is.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::cli::output::{Table, write_out};
use crate::cli::{Call, CommandError};
use crate::config::{Config, reference};

/// `symbolon config`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Shows every setting in force and where it was set; of a secret, only where it stands.
    Print {
        /// Leaves out what has its default.
        #[arg(long)]
        set: bool,
    },
    /// Prints the JSON schema of the settings file; editors complete and check by it.
    Schema,
    /// Prints the table of all settings, in Markdown.
    Reference,
}

impl ConfigCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When the settings are wrong: exit code 2.
    pub fn run(self, call: &Call) -> Result<(), CommandError> {
        match self {
            Self::Print { set } => print(call, set),
            Self::Schema => {
                let schema = serde_json::to_string_pretty(&reference::schema()).map_err(anyhow::Error::from)?;
                write_out(format_args!("{schema}\n"))
            }
            Self::Reference => write_out(format_args!("{}\n", reference::table())),
        }
    }
}

fn print(call: &Call, only_set: bool) -> Result<(), CommandError> {
    let (_, all) = Config::effective(&call.sources())?;
    let mut table = Table::new(["setting", "value", "source"]);
    let mut values = Vec::new();
    for setting in all.iter().filter(|setting| setting.source.is_some() || !only_set) {
        let source = setting.source.as_deref().unwrap_or("default");
        let value = if setting.value.is_null() { "-".to_owned() } else { reference::text(&setting.value) };
        table.row([setting.key.clone(), value, source.to_owned()]);
        values.push(json!({"key": setting.key, "value": setting.value, "source": source}));
    }
    call.output.print(table, &Value::Array(values))
}
