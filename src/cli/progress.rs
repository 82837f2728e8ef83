//! How far long work is: one line at a terminal that changes in place; nothing where nobody looks, and nothing for programs.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::cli::output::Output;

/// Work that is done sooner shows nothing.
const SOON: Duration = Duration::from_millis(500);
/// Between two looks.
const PACE: Duration = Duration::from_millis(200);
/// Characters of the bar.
const WIDTH: usize = 30;

/// Shows how far work is, until it is dropped.
pub(super) struct Progress(Option<JoinHandle<()>>);

impl Progress {
    /// `done` of `total`, asked for again and again.
    pub(super) fn of(
        output: Output,
        doing: &'static str,
        total: u64,
        done: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Self {
        if output == Output::Json || !std::io::stderr().is_terminal() {
            return Self(None);
        }
        Self(Some(tokio::spawn(async move {
            tokio::time::sleep(SOON).await;
            loop {
                show(&bar(doing, done(), total));
                tokio::time::sleep(PACE).await;
            }
        })))
    }

    /// How much of a file of `total` bytes is written.
    pub(super) fn of_file(output: Output, doing: &'static str, (file, total): (PathBuf, u64)) -> Self {
        Self::of(output, doing, total, move || file.metadata().map_or(0, |metadata| metadata.len()))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(shown) = self.0.take() {
            shown.abort();
            show("");
        }
    }
}

/// In place of the last line. Who cannot be told how far it is need not be told why.
fn show(text: &str) {
    drop(write!(std::io::stderr(), "\r\x1b[2K{text}"));
}

fn bar(doing: &str, done: u64, total: u64) -> String {
    let hundredths = (u128::from(done.min(total)) * 100).checked_div(u128::from(total)).unwrap_or(0);
    let filled = usize::try_from(hundredths).unwrap_or(100) * WIDTH / 100;
    format!("{doing} [{}{}] {hundredths:3} %", "#".repeat(filled), " ".repeat(WIDTH - filled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_fills_and_never_overflows() {
        assert_eq!(bar("copying", 0, 9), "copying [                              ]   0 %");
        assert_eq!(bar("copying", 5, 10), "copying [###############               ]  50 %");
        for (done, total) in [(10, 10), (11, 10), (u64::MAX, u64::MAX)] {
            assert_eq!(bar("copying", done, total), format!("copying [{}] 100 %", "#".repeat(WIDTH)));
        }
        assert!(bar("copying", 1, 0).ends_with("  0 %"));
    }
}
