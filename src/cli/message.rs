//! `symbolon message`: mails, text messages and word to apps that did not go out yet, and whether they would.
//!
//! S-136: what was given up on is seen, sent again or thrown away.

use clap::{ArgGroup, Subcommand};
use serde_json::{Value, json};

use crate::admin::Changed;
use crate::app;
use crate::cli::output::{Table, moment};
use crate::cli::site::{Absent, Site};
use crate::cli::{Call, CommandError};
use crate::model::id::JobId;
use crate::model::job::{Queue, StoredJob, Turn};
use crate::model::message::{Channel, Message, MessageData, MessageKind};

/// `symbolon message`
#[derive(Debug, Subcommand)]
pub enum MessageCommand {
    /// Lists messages that wait or were given up on.
    List {
        /// At most so many of each.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Sends a message at once, or again what was given up on, unless it would come too late.
    #[command(group = ArgGroup::new("which").required(true))]
    Retry {
        /// The message's id.
        #[arg(group = "which")]
        id: Option<String>,
        /// Each one.
        #[arg(long, group = "which")]
        all: bool,
    },
    /// Throws a message away that waits, or what was given up on.
    #[command(group = ArgGroup::new("which").required(true))]
    Discard {
        /// The message's id.
        #[arg(group = "which")]
        id: Option<String>,
        /// Each one.
        #[arg(long, group = "which")]
        all: bool,
    },
    /// Sends a message that says that messages arrive, at once and by the ways of the settings.
    Test {
        /// A mail address, or a phone number that begins with `+`.
        to: String,
        /// A language, like `de`.
        #[arg(long, value_name = "TAG")]
        language: Option<String>,
    },
}

/// What becomes of a message.
#[derive(Copy, Clone)]
enum Change {
    Retry,
    Discard,
}

impl MessageCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When the stores cannot be used, a message is unknown, or nobody takes the test message.
    pub async fn run(self, call: &Call) -> Result<(), CommandError> {
        let site = Site::open(call, Absent::Refuse).await?;
        let done = match self {
            Self::List { limit } => list(call, &site, limit).await,
            Self::Retry { id: Some(id), .. } => change_one(call, &site, (Change::Retry, &id)).await,
            Self::Retry { .. } => change_all(call, &site, Change::Retry).await,
            Self::Discard { id: Some(id), .. } => change_one(call, &site, (Change::Discard, &id)).await,
            Self::Discard { .. } => change_all(call, &site, Change::Discard).await,
            Self::Test { to, language } => test(call, &site, (to, language)).await,
        };
        site.close().await;
        done
    }
}

async fn list(call: &Call, site: &Site, limit: u32) -> Result<(), CommandError> {
    let mut jobs = site.edges.store.waiting_jobs(limit).await?;
    jobs.extend(site.edges.store.dead_jobs(limit).await?);
    let mut table = Table::new(["id", "message", "to", "state", "asked for", "attempts", "last error"]);
    let mut values = Vec::new();
    for job in &jobs {
        let (kind, to) = told_by(site, job).await?;
        values.push(json_of(job, (kind, &to)));
        table.row([
            job.id.to_string(),
            format!("{} {kind}", job.queue.as_str()),
            to,
            match job.turn {
                Turn::From(turn) => format!("waits for {}", moment(turn)),
                Turn::GivenUp(at) => format!("given up {}", moment(at)),
            },
            moment(job.created_at),
            job.attempts.to_string(),
            job.last_error.clone(),
        ]);
    }
    call.output.print(table, &Value::Array(values))
}

/// What kind of message it is, and to whom. Of one that does not open its place and its error are told all the same.
async fn told_by(site: &Site, job: &StoredJob) -> Result<(&'static str, String), CommandError> {
    if job.queue == Queue::Logout {
        let notice = site.edges.store.logout_notice(job.id).await?;
        return Ok(("session_over", notice.map(|notice| notice.client.to_string()).unwrap_or_default()));
    }
    let message = site.edges.outbox.open(job.id, &job.sealed).ok();
    Ok(message.map_or(("?", String::new()), |message| (message.kind.as_str(), message.to)))
}

fn json_of(job: &StoredJob, (kind, to): (&str, &str)) -> Value {
    let (state, next_attempt_at, given_up_at) = match job.turn {
        Turn::From(turn) => ("waiting", Some(turn), None),
        Turn::GivenUp(at) => ("given_up", None, Some(at)),
    };
    json!({
        "id": job.id, "channel": job.queue, "kind": kind, "to": to, "state": state, "created_at": job.created_at,
        "expires_at": job.expires_at, "attempts": job.attempts, "next_attempt_at": next_attempt_at,
        "given_up_at": given_up_at, "last_error": job.last_error,
    })
}

async fn change_one(call: &Call, site: &Site, (change, id): (Change, &str)) -> Result<(), CommandError> {
    let unknown = || {
        let hint = match change {
            Change::Retry => ", or it would come too late",
            Change::Discard => "",
        };
        let message = format!("no message {id} waits or was given up on{hint}; `symbolon message list` shows all");
        CommandError::refused(message)
    };
    let id: JobId = id.parse().map_err(|_| unknown())?;
    let administration = site.administration();
    let changed = match change {
        Change::Retry => administration.retry_job(id).await?,
        Change::Discard => administration.discard_job(id).await?,
    };
    if changed == Changed::No { Err(unknown()) } else { told(call, change, 1) }
}

async fn change_all(call: &Call, site: &Site, change: Change) -> Result<(), CommandError> {
    let administration = site.administration();
    let changed = match change {
        Change::Retry => administration.retry_jobs(None).await?,
        Change::Discard => administration.discard_jobs().await?,
    };
    told(call, change, changed)
}

fn told(call: &Call, change: Change, count: u64) -> Result<(), CommandError> {
    match change {
        Change::Retry => call.output.print(
            format_args!("{count} messages have another turn; a running server sends them now"),
            &json!({"retried": count}),
        ),
        Change::Discard => call.output.print(format_args!("threw away {count} messages"), &json!({"discarded": count})),
    }
}

async fn test(call: &Call, site: &Site, (to, language): (String, Option<String>)) -> Result<(), CommandError> {
    let message = Message {
        kind: MessageKind::Test,
        channel: if to.starts_with('+') { Channel::Sms } else { Channel::Mail },
        to,
        user: None,
        client: None,
        languages: language.into_iter().collect(),
        data: MessageData::default(),
    };
    let (to, now) = (message.to.clone(), site.now());
    let courier = app::courier(&site.config, &site.edges)?;
    let id = JobId::new(now, site.edges.random.bytes());
    let sent = courier.hand_over(id, message, now).await;
    sent.map_err(|why| CommandError::refused(format!("nobody took the message to {to}: {why}")))?;
    call.output.print(format_args!("the message to {to} was handed over"), &json!({"sent": true, "to": to}))
}
