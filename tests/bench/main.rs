//! The load driver: what one core gives, beside what one core could give at best.
//!
//! `cargo bench --bench load -- --help`; the README beside this file tells how to read the table.
//!
//! # The bound
//!
//! Every cost is measured on the server's core in the same run, in µs of CPU:
//!
//! - `signature(alg)`: one signature with a prepared aws-lc-rs key over the bytes of a usual token;
//! - `request`: one keep-alive exchange with a bare axum server that answers the discovery bytes;
//! - `row`: one row inserted into SQLite (WAL, `synchronous=FULL`) in transactions of 64 rows. Beside it stands what a row costs
//!   in a transaction of its own, which is what a server without group commit pays for each request.
//!
//! A bound is `1 000 000 / (requests × request + signatures + rows × row + look-ups)` operations per second, as `STACK.md` §9 counts:
//! the code flow has two requests, three rows and the signatures of the tokens it returned; a refresh one request and two rows;
//! `client_credentials` one request; userinfo and introspection one request and one look-up (3.6 µs: a hash and some reads in
//! memory); discovery and JWKS one request. The signatures are counted from the `alg` headers of the tokens that came back.
//!
//! Nothing fails by being slow. Any answer but the expected one fails the run.

#[path = "../it/backend/mod.rs"]
#[expect(dead_code, reason = "it is made for tests, which also stop and freeze the stores")]
mod backend;
mod baseline;
mod bound;
mod browser;
mod connection;
mod load;
mod machine;
mod nodes;
mod options;
mod pace;
mod password;
mod relying_party;
mod report;
mod run;
mod scenario;
mod server;
mod soak;
mod stand_in;
mod work;

use anyhow::{Context as _, Result};
use clap::Parser as _;

use crate::options::{Options, Role};

// The allocator of the server: the bare axum answer is measured under the same one.
#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<()> {
    let options = Options::parse();
    match &options.role {
        Some(Role::Signature { algorithm, seconds }) => baseline::signature(algorithm, *seconds),
        Some(Role::Password { seconds }) => baseline::password(*seconds),
        Some(Role::Row { folder, group, seconds }) => {
            server_runtime()?.block_on(baseline::row(folder, *group, *seconds))
        }
        Some(Role::BareAxum { body }) => server_runtime()?.block_on(baseline::bare_axum(body)),
        Some(Role::StandIn) => server_runtime()?.block_on(stand_in::serve()),
        None if options.bench => {
            let pinning = machine::pin_driver();
            // One thread: the driver has one core, and waking between threads would cost it.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("start tokio")?;
            runtime.block_on(run::run(&options, &pinning))
        }
        // `cargo test --all-targets` starts every bench target, without this flag.
        None => {
            println!("nothing measured: `cargo bench --bench load` starts the load driver");
            Ok(())
        }
    }
}

/// The runtime as a server has it: one worker for each core it may use.
fn server_runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("start tokio")
}
