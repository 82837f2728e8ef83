//! What the program tells about itself: `version`, `completions`, `man`.

use clap::CommandFactory as _;
use clap_complete::Shell;
use serde_json::json;

use crate::cli::output::write_out;
use crate::cli::{Arguments, Call, CommandError};

/// `symbolon completions`
#[derive(Debug, clap::Args)]
pub struct Completions {
    /// The shell.
    shell: Shell,
}

/// `symbolon version`
///
/// # Errors
/// When standard output cannot be written.
pub fn version(call: &Call) -> Result<(), CommandError> {
    let (name, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    call.output.print(format_args!("{name} {version}"), &json!({"name": name, "version": version}))
}

impl Completions {
    /// Prints the script for a shell.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn run(&self) -> Result<(), CommandError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "symbolon", &mut script);
        write_out(String::from_utf8_lossy(&script))
    }
}

/// `symbolon man`: the manual page of the program and of each command, one after the other.
///
/// # Errors
/// When standard output cannot be written.
pub fn man() -> Result<(), CommandError> {
    let mut command = Arguments::command();
    command.build();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page).map_err(anyhow::Error::from)?;
    for subcommand in command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help") {
        clap_mangen::Man::new(subcommand.clone()).render(&mut page).map_err(anyhow::Error::from)?;
    }
    write_out(String::from_utf8_lossy(&page))
}
