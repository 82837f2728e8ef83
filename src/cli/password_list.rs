//! `symbolon password-list`: a list of stolen passwords that new ones are looked up in.
//!
//! S-028.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use crate::authn::password::breached::{self, ListError};
use crate::cli::{Call, CommandError};

/// `symbolon password-list`
#[derive(Debug, Subcommand)]
pub enum PasswordListCommand {
    /// Makes a list from hashes: one SHA-1 in hexadecimal on a line, perhaps with `:COUNT` behind it, as Have I Been Pwned publishes them.
    Build {
        /// The text with the hashes; a file, since it is read twice.
        source: PathBuf,
        /// The list to write; it must not be there yet. Name it in `password.breached_list`.
        list: PathBuf,
        /// Leaves out what was seen less often.
        #[arg(long, default_value_t = 1, value_name = "COUNT")]
        at_least: u64,
    },
}

impl PasswordListCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When a file cannot be read or written, or a line is no hash.
    pub fn run(self, call: &Call) -> Result<(), CommandError> {
        let Self::Build { source, list, at_least } = self;
        // Whole or not at all: a server may look into it at this moment.
        let unfinished = list.with_extension("unfinished");
        if list.exists() {
            return Err(CommandError::refused(format!("{} is there already; choose another name", list.display())));
        }
        let written = File::create(&unfinished).map_err(ListError::from).and_then(|file| {
            let mut file = BufWriter::new(file);
            let count = breached::build(&source, &mut file, at_least)?;
            file.flush()?;
            file.get_ref().sync_all()?;
            std::fs::rename(&unfinished, &list)?;
            Ok(count)
        });
        let count = written.map_err(|error| {
            // Nothing to do about a file that cannot be removed either.
            let _gone = std::fs::remove_file(&unfinished);
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            CommandError::refused(format!("{}: {error}{cause}", source.display()))
        })?;
        let human = format!(
            "wrote {} with {count} passwords\nName it in the settings: password.breached_list = \"{0}\"",
            list.display()
        );
        call.output.print(human, &json!({"list": list, "passwords": count}))
    }
}
