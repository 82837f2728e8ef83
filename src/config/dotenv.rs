//! Variables from a file `.env` of the working folder, for `symbolon dev` alone (S-180).
//!
//! A variable that is set already stays as it is. A server for others has its variables from who starts it.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use super::ConfigError;

/// The name of the file.
const NAME: &str = ".env";

/// `environment` with what the file in `folder` adds, if there is one.
///
/// # Errors
/// When the file cannot be read, or a line of it is no `NAME=value`.
pub fn with_dotenv(
    environment: BTreeMap<String, String>,
    folder: &Path,
) -> Result<BTreeMap<String, String>, ConfigError> {
    let text = match std::fs::read_to_string(folder.join(NAME)) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(environment),
        Err(error) => return Err(ConfigError::new(NAME, format!("cannot be read: {error}"))),
    };
    let mut all = read(&text)?;
    all.extend(environment);
    Ok(all)
}

fn read(text: &str) -> Result<BTreeMap<String, String>, ConfigError> {
    let mut found = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let refuse = || ConfigError::new(NAME, format!("has no NAME=value in line {number}"));
        let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=').ok_or_else(refuse)?;
        let name = name.trim();
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name {
            return Err(refuse());
        }
        found.insert(name.to_owned(), unquoted(value.trim()).ok_or_else(refuse)?.to_owned());
    }
    Ok(found)
}

/// A value without its quotes or, where it has none, without the comment behind it; `None` when a quote is not closed.
fn unquoted(value: &str) -> Option<&str> {
    for quote in ['"', '\''] {
        if let Some(rest) = value.strip_prefix(quote) {
            let (inside, behind) = rest.split_once(quote)?;
            let behind = behind.trim_start();
            return (behind.is_empty() || behind.starts_with('#')).then_some(inside);
        }
    }
    Some(value.split_once(" #").map_or(value, |(value, _comment)| value.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_names_and_values() {
        let text = "# ours\n\nA=1\nexport B = two # or three\nC=\"a # b\" # c\nD='x'\nE=\nF=a=b#c\n";
        let read = read(text).unwrap();
        let read: Vec<(&str, &str)> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(read, [("A", "1"), ("B", "two"), ("C", "a # b"), ("D", "x"), ("E", ""), ("F", "a=b#c")]);
        for (text, line) in [("A", 1), ("A=1\nB C=2", 2), ("\n=x", 2), ("A=\"x", 1), ("A='x'y", 1)] {
            let told = super::read(text).unwrap_err().to_string();
            assert!(told.contains(&format!("line {line}")), "{text}: {told}");
        }
    }

    #[test]
    fn what_is_set_already_stays() {
        let folder = tempfile::tempdir().unwrap();
        let set = BTreeMap::from([("A".to_owned(), "set".to_owned())]);
        assert_eq!(with_dotenv(set.clone(), folder.path()).unwrap(), set);
        std::fs::write(folder.path().join(".env"), "A=file\nB=file").unwrap();
        let all = with_dotenv(set, folder.path()).unwrap();
        assert_eq!((all["A"].as_str(), all["B"].as_str()), ("set", "file"));
    }
}
