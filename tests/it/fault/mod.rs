//! What goes wrong with the machine under a server (PROTOCOL.md §3): each story prints what was lost and how long recovery took.
//!
//! The longer ones are run by `tests/all faults`. kill -9 under load is in `kill.rs`; PostgreSQL and Redis are in `contract/nodes.rs`, a
//! file that turns read-only in `contract/store_file.rs`.

mod clock;
mod disk;
mod migration;
mod overload;
mod purge;
mod start;

use std::io::Write as _;

fn is_root() -> bool {
    let told = std::process::Command::new("id").arg("-u").output();
    told.is_ok_and(|told| told.stdout.trim_ascii() == b"0")
}

/// One line past the test harness, which keeps what tests print for those that fail.
fn tell(line: &str) {
    drop(writeln!(std::io::stderr(), "fault: {line}"));
}
