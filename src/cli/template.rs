//! `symbolon template`: pages, mails and text messages, rendered with sample data before people see them.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::{Value, json};

use crate::app::StartError;
use crate::cli::output::Table;
use crate::cli::{Call, CommandError};
use crate::edge::template::check::{Checked, Rendered, Weight, check};
use crate::model::id::ClientId;

/// `symbolon template`
#[derive(Debug, Subcommand)]
pub enum TemplateCommand {
    /// Renders every page, mail and text message with sample data, in every language and for every app with words of its own.
    Check {
        /// Another theme folder than that of the settings.
        #[arg(long, value_name = "FOLDER")]
        theme: Option<PathBuf>,
        /// Writes what was rendered into a folder, to look at.
        #[arg(long, value_name = "FOLDER")]
        write: Option<PathBuf>,
    },
}

impl TemplateCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When a template does not render, or lacks what its message is for: exit code 2.
    pub fn run(self, call: &Call) -> Result<(), CommandError> {
        let Self::Check { theme, write } = self;
        let theme = match theme {
            Some(theme) => Some(theme),
            None => call.settings()?.theme.folder,
        };
        let checked = check(theme.as_deref()).map_err(StartError::Template)?;
        if let Some(folder) = write {
            write_all(&folder, &checked.rendered)?;
        }
        report(call, &checked)
    }
}

fn report(call: &Call, checked: &Checked) -> Result<(), CommandError> {
    let mut table = Table::new(["level", "where", "what"]);
    let mut values = Vec::new();
    let mut errors = 0;
    for problem in &checked.problems {
        let level = match problem.weight {
            Weight::Error => "error",
            Weight::Warning => "warning",
        };
        errors += usize::from(problem.weight == Weight::Error);
        values.push(json!({"level": level, "where": problem.place, "message": problem.message}));
        table.row([level.to_owned(), problem.place.clone(), problem.message.clone()]);
    }
    let count = checked.rendered.len();
    let summary = format!("rendered {count} pages and messages in {}", checked.languages.join(", "));
    let words = if checked.problems.is_empty() {
        format!("{summary}; nothing is wrong")
    } else {
        format!("{table}\n{summary}")
    };
    let clients: Vec<&str> = checked.clients.iter().map(ClientId::as_str).collect();
    let told = json!({
        "ok": errors == 0, "rendered": count, "languages": checked.languages, "clients": clients,
        "problems": Value::Array(values),
    });
    call.output.print(words, &told)?;
    if errors == 0 { Ok(()) } else { Err(CommandError::Templates { count: errors }) }
}

fn write_all(folder: &Path, rendered: &[Rendered]) -> Result<(), CommandError> {
    for Rendered { name, text } in rendered {
        // Names are made of ours, of language tags and of client ids, which may hold slashes and dots.
        let parts = name.split('/').filter(|part| !part.is_empty() && *part != "." && *part != "..");
        let path = folder.join(parts.collect::<PathBuf>());
        let written = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&path, text));
        written.with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}
