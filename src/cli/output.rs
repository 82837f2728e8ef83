//! What a command says: words and tables for people, JSON for programs. Only answers go to standard output.

use std::fmt::{Display, Write as _};
use std::io::{ErrorKind, Write as _};

use chrono::{DateTime, SecondsFormat};
use serde_json::Value;

use crate::cli::CommandError;
use crate::protocol::numeric_date::NumericDate;

/// For whom a command speaks.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Output {
    /// People at a terminal.
    Human,
    /// Programs: one line of JSON.
    Json,
}

impl Output {
    /// Prints one answer in the form that was asked for.
    ///
    /// # Errors
    /// When standard output cannot be written; a reader that went away (`| head`) is none.
    pub fn print(self, human: impl Display, json: &Value) -> Result<(), CommandError> {
        match self {
            Self::Human => write_out(format_args!("{}\n", human.to_string().trim_end())),
            Self::Json => write_out(format_args!("{json}\n")),
        }
    }
}

/// Writes raw text, for what has one form only.
///
/// # Errors
/// As [`Output::print`].
pub fn write_out(text: impl Display) -> Result<(), CommandError> {
    let mut out = std::io::stdout().lock();
    match write!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CommandError::Other(error.into())),
        _ => Ok(()),
    }
}

/// Columns under headings, as wide as their widest text.
pub struct Table<const N: usize> {
    headings: [&'static str; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    /// A table without rows.
    pub const fn new(headings: [&'static str; N]) -> Self {
        Self { headings, rows: Vec::new() }
    }

    /// Adds a row. Control characters, which could repaint a terminal, become spaces.
    pub fn row(&mut self, row: [String; N]) {
        self.rows.push(row.map(|text| printable(&text)));
    }
}

impl<const N: usize> Display for Table<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.rows.is_empty() {
            return f.write_str("none");
        }
        let headings = self.headings.map(str::to_uppercase);
        let lines: Vec<&[String; N]> = std::iter::once(&headings).chain(&self.rows).collect();
        for line in &lines {
            let mut text = String::new();
            for (column, cell) in line.iter().enumerate() {
                let cells = lines.iter().filter_map(|line| line.get(column));
                let width = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
                write!(text, "{cell:width$}  ")?;
            }
            writeln!(f, "{}", text.trim_end())?;
        }
        Ok(())
    }
}

/// Names and values below one another.
#[derive(Default)]
pub struct Facts(Vec<(&'static str, String)>);

impl Facts {
    /// Adds one fact; an empty value is left out.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Display) -> Self {
        let value = printable(&value.to_string());
        if !value.is_empty() {
            self.0.push((name, value));
        }
        self
    }
}

impl Display for Facts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let width = self.0.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        self.0.iter().try_for_each(|(name, value)| writeln!(f, "{name:width$}  {value}"))
    }
}

fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// A moment for people: RFC 3339 in UTC.
pub fn moment(date: NumericDate) -> String {
    DateTime::from_timestamp(date.seconds(), 0)
        .map_or_else(|| date.to_string(), |date| date.to_rfc3339_opts(SecondsFormat::Secs, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_cannot_repaint_the_terminal() {
        let mut table = Table::new(["id", "name"]);
        assert_eq!(table.to_string(), "none");
        table.row(["shop".into(), "Shop\u{1b}[31m".into()]);
        table.row(["x".into(), "Bücher".into()]);
        assert_eq!(table.to_string(), "ID    NAME\nshop  Shop [31m\nx     Bücher\n");
    }

    #[test]
    fn moments_are_in_utc() {
        assert_eq!(moment(NumericDate::from_seconds(1_700_000_000)), "2023-11-14T22:13:20Z");
    }
}
