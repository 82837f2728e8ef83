//! `symbolon audit`: whether what was written down of the past still stands as it was written.
//!
//! PROTOCOL O3, S-144.

use clap::Subcommand;
use serde_json::json;

use crate::app::{App, World};
use crate::cli::output::Facts;
use crate::cli::site::Site;
use crate::cli::{Call, CommandError};
use crate::model::audit::{Finding, Report};
use crate::oauth::policy::Mode;

/// `symbolon audit`
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Goes along the chain of events: finds what was changed, taken away or put in another order. Exit code 1 when something was.
    Verify,
}

impl AuditCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When the stores cannot be used, or something is not as it was written.
    pub async fn run(self, call: &Call) -> Result<(), CommandError> {
        let config = call.settings()?;
        Site::must_exist(&config)?;
        let app = App::build(&config, Mode::Production, World::real()).await?;
        let report = verify(&app).await;
        app.close().await;
        tell(call, &report?)
    }
}

async fn verify(app: &App) -> Result<Report, CommandError> {
    let (store, key) = (&app.provider.edges.store, &app.provider.audit_key);
    // What a server has not come to yet, or will not any more.
    while store.chain_events(key, 1_000).await? > 0 {}
    Ok(store.verify_events(key).await?)
}

fn tell(call: &Call, report: &Report) -> Result<(), CommandError> {
    let mut facts = Facts::default().with("events", report.events).with("last", report.head);
    facts = facts.with("hash", &report.head_hash);
    for finding in &report.findings {
        facts = match finding {
            Finding::Missing { from, to } => facts.with("missing", format_args!("{from} to {to}")),
            Finding::Changed { seq, event } => facts.with("changed", format_args!("{seq} ({event})")),
        };
    }
    let verdict = if report.findings.is_empty() { "the chain is whole" } else { "the chain is broken" };
    let json = json!({"whole": report.findings.is_empty(), "report": report});
    call.output.print(format_args!("{verdict}\n{facts}"), &json)?;
    match report.findings.len() {
        0 => Ok(()),
        count => {
            Err(CommandError::refused(format!("{count} findings: somebody wrote to the database past this server")))
        }
    }
}
