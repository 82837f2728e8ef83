//! `symbolon doctor`: looks at a server as it stands, from the settings to the front door; changes nothing.
//!
//! EXPERIENCE.md §6 (6). Each check answers with findings, each finding that is not good with its cure. To add a check: a function in
//! a file beside this one, and its line in [`CHECKS`].

mod inside;
mod outgoing;
mod outside;
mod proxy;

use std::fmt::Write as _;

use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use crate::app::World;
use crate::cli::check::{Findings, Severity, look_at_storage};
use crate::cli::doctor::outside::Discovery;
use crate::cli::{Call, CommandError};
use crate::config::{Config, process_environment};
use crate::edge::Edges;

/// One thing that is looked at.
struct Check {
    name: &'static str,
    look: for<'a> fn(&'a Subject) -> BoxFuture<'a, Vec<Finding>>,
}

/// Every check, from the inside out: what is broken inside explains what shows outside.
const CHECKS: &[Check] = &[
    Check { name: "settings", look: inside::settings },
    Check { name: "database", look: inside::database },
    Check { name: "clock", look: inside::clock },
    Check { name: "signing keys", look: inside::signing_keys },
    Check { name: "redis", look: inside::redis },
    Check { name: "mail", look: outgoing::mail },
    Check { name: "outbox", look: outgoing::outbox },
    Check { name: "server", look: inside::server },
    Check { name: "certificate", look: outside::certificate },
    Check { name: "issuer", look: outside::issuer },
    Check { name: "discovery", look: outside::discovery },
    Check { name: "jwks", look: outside::jwks },
    Check { name: "proxy", look: proxy::look },
];

/// How bad it is.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Level {
    Good,
    Warning,
    Wrong,
}

impl Level {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Warning => "warning",
            Self::Wrong => "wrong",
        }
    }
}

/// What a check found.
struct Finding {
    level: Level,
    message: String,
    cure: Option<String>,
}

impl Finding {
    fn good(message: impl Into<String>) -> Self {
        Self { level: Level::Good, message: message.into(), cure: None }
    }

    fn warning(message: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { level: Level::Warning, message: message.into(), cure: Some(cure.into()) }
    }

    fn wrong(message: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { level: Level::Wrong, message: message.into(), cure: Some(cure.into()) }
    }
}

/// What is looked at, with what several checks need.
struct Subject {
    config: Config,
    /// What `check` says of storage and keys.
    storage: Vec<Finding>,
    /// The stores, when they can be opened as they are.
    edges: Option<Edges>,
    world: World,
    /// The answer at the issuer's discovery URL.
    discovery: Result<Discovery, outside::NoAnswer>,
}

impl Subject {
    async fn open(config: Config) -> Self {
        let mut findings = Findings::default();
        look_at_storage(&config, &mut findings).await;
        let storage: Vec<Finding> = findings.into_iter().map(Finding::from).collect();
        // The settings have been found good.
        let world = World::of(&config).unwrap_or_else(|_| World::real());
        let exists =
            config.database.file(&process_environment()).is_ok_and(|file| file.is_none_or(|file| file.exists()));
        let is_sound = exists && storage.iter().all(|finding| finding.level == Level::Good);
        let edges =
            if is_sound { crate::app::open(&config, world.clone()).await.ok().map(|(edges, _)| edges) } else { None };
        let discovery = outside::ask(&*world.fetch, config.issuer.as_str()).await;
        Self { config, storage, edges, world, discovery }
    }
}

/// A finding of `check`, whose message ends with its cure.
impl From<crate::cli::check::Finding> for Finding {
    fn from(finding: crate::cli::check::Finding) -> Self {
        let level = match finding.severity {
            Severity::Good => Level::Good,
            Severity::Warning => Level::Warning,
            Severity::Error(_) => Level::Wrong,
        };
        let whole = if finding.about == "database" {
            finding.message
        } else {
            format!("{}: {}", finding.about, finding.message)
        };
        match whole.rsplit_once("; ") {
            Some((message, cure)) if level != Level::Good => {
                Self { level, message: message.to_owned(), cure: Some(cure.to_owned()) }
            }
            _ => Self { level, message: whole, cure: None },
        }
    }
}

/// Runs the command.
///
/// # Errors
/// When something is wrong: exit code 3.
pub async fn run(call: &Call) -> Result<(), CommandError> {
    let mut found = Vec::new();
    match Config::examine(&call.sources()) {
        Err(mistakes) => found.extend(mistakes.iter().map(|mistake| {
            ("settings", Finding::wrong(mistake.to_string(), "correct the settings; `symbolon check` looks them over"))
        })),
        Ok(config) => {
            let subject = Subject::open(config).await;
            for Check { name, look } in CHECKS {
                found.extend(look(&subject).await.into_iter().map(|finding| (*name, finding)));
            }
            if let Some(edges) = &subject.edges {
                edges.store.close().await;
                edges.ephemeral.close().await;
            }
        }
    }
    report(call, &found)
}

fn report(call: &Call, found: &[(&'static str, Finding)]) -> Result<(), CommandError> {
    // Writing to a String does not fail.
    let mut words = String::new();
    let mut values = Vec::new();
    for (name, Finding { level, message, cure }) in found {
        let _ = writeln!(words, "{:<8} {name:<12}  {message}", level.as_str());
        if let Some(cure) = cure {
            let _ = writeln!(words, "{:<8} {:<12}  → {cure}", "", "");
        }
        values.push(json!({"level": level.as_str(), "check": name, "message": message, "cure": cure}));
    }
    let count = found.iter().filter(|(_, finding)| finding.level == Level::Wrong).count();
    call.output.print(words, &json!({"ok": count == 0, "findings": Value::Array(values)}))?;
    if count == 0 { Ok(()) } else { Err(CommandError::Unwell { count }) }
}
