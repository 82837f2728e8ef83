//! The program: read the arguments, run the command, leave with its exit code.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // reqwest and axum-server share one provider of cryptography; a second call in one process changes nothing.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    symbolon::cli::run()
}
