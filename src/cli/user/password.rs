//! A password from the terminal, without echo, or from standard input; never from an argument, which others can see.
//!
//! NIST SP 800-63B-4 §3.1.1.2.

use std::io::{BufRead as _, IsTerminal as _, Read as _};

use zeroize::Zeroizing;

use crate::authn::password::hash::MAX_BYTES;
use crate::cli::CommandError;
use crate::protocol::secret::Secret;

/// The fewest characters.
const LEAST: usize = 8;

/// Asks twice at a terminal; elsewhere reads one line.
///
/// # Errors
/// When nothing was typed, the two differ, or it is too short or too long.
pub(super) fn read() -> Result<Secret, CommandError> {
    if std::io::stdin().is_terminal() {
        let password = prompt("Password: ")?;
        check(&password)?;
        if !password.matches(prompt("Again: ")?.expose()) {
            return Err(CommandError::refused("the two differ; try again".to_owned()));
        }
        return Ok(password);
    }
    let password = line()?;
    if password.expose().is_empty() {
        let cure = "no password was given; type it at a terminal or send it as one line on standard input";
        return Err(CommandError::refused(cure.to_owned()));
    }
    check(&password)?;
    Ok(password)
}

/// Reads a hash of another system from one line of standard input: it is as secret as a password, and nobody types it.
///
/// # Errors
/// When there is none.
pub(super) fn read_hash() -> Result<Secret, CommandError> {
    let hash = line()?;
    if hash.expose().is_empty() {
        return Err(CommandError::refused("no hash was given; send it as one line on standard input".to_owned()));
    }
    Ok(hash)
}

/// One line of standard input.
fn line() -> Result<Secret, CommandError> {
    let mut line = Zeroizing::new(String::new());
    // A byte more than fits tells that it is too long.
    let limit = u64::try_from(MAX_BYTES + 2).unwrap_or(u64::MAX);
    std::io::stdin().lock().take(limit).read_line(&mut line).map_err(anyhow::Error::from)?;
    Ok(Secret::from(line.trim_end_matches(['\r', '\n'])))
}

fn prompt(text: &str) -> Result<Secret, CommandError> {
    Ok(Secret::new(rpassword::prompt_password(text).map_err(anyhow::Error::from)?))
}

fn check(password: &Secret) -> Result<(), CommandError> {
    if password.expose().chars().count() < LEAST {
        return Err(CommandError::refused(format!("the password is too short; it needs {LEAST} characters")));
    }
    if password.expose().len() > MAX_BYTES {
        return Err(CommandError::refused(format!("the password is too long; it may have {MAX_BYTES} bytes")));
    }
    Ok(())
}
