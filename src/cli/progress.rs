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

/// What long work is at.
#[derive(Copy, Clone, Debug)]
pub(super) enum Step {
    /// So much of it is done.
    Measured {
        /// What is done.
        doing: &'static str,
        /// How much is.
        done: u64,
        /// Of how much.
        total: u64,
    },
    /// Nobody can tell how much there is left.
    Unmeasured {
        /// What is done.
        doing: &'static str,
        /// Since when.
        since: Duration,
    },
}

impl Step {
    fn line(self) -> String {
        match self {
            Self::Measured { doing, done, total } => bar(doing, done, total),
            Self::Unmeasured { doing, since } => format!("{doing}, for {} s", since.as_secs()),
        }
    }
}

impl Progress {
    /// `done` of `total`, asked for again and again.
    pub(super) fn of(
        output: Output,
        doing: &'static str,
        total: u64,
        done: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Self {
        Self::of_steps(output, move |_| Step::Measured { doing, done: done(), total })
    }

    /// The step that work is at, asked for again and again with the time since it began.
    pub(super) fn of_steps(output: Output, step: impl Fn(Duration) -> Step + Send + Sync + 'static) -> Self {
        if output == Output::Json || !std::io::stderr().is_terminal() {
            return Self(None);
        }
        Self(Some(tokio::spawn(async move {
            let begun = tokio::time::Instant::now();
            tokio::time::sleep(SOON).await;
            loop {
                show(&step(begun.elapsed()).line());
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
        let waits = Step::Unmeasured { doing: "migrating", since: Duration::from_millis(2_900) };
        assert_eq!(waits.line(), "migrating, for 2 s");
    }
}
