//! `symbolon events`: what happened, as it happens or for another program.
//!
//! S-144. Export is JSONL: one event a line, the oldest first.

use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::cli::output::{Output, moment, write_out};
use crate::cli::site::{Absent, Site};
use crate::cli::{Call, CommandError};
use crate::edge::store::EventQuery;
use crate::http::api::admin::events::AdminEvent;
use crate::http::api::event_types::schema;
use crate::model::event::{Actor, Event, EventName, Outcome};
use crate::model::id::{ClientId, EventId};
use crate::protocol::numeric_date::NumericDate;

/// `symbolon events`
#[derive(Debug, Subcommand)]
pub enum EventsCommand {
    /// Prints the latest events, and with `--follow` those that come.
    Tail {
        /// Which.
        #[command(flatten)]
        filter: Filter,
        /// So many of those that were.
        #[arg(long, default_value_t = 20)]
        lines: u32,
        /// Goes on until it is interrupted.
        #[arg(long, short)]
        follow: bool,
    },
    /// Prints the JSON Schema (2020-12) of an event, or of every event by its name.
    Schema {
        /// Which: `sign_in`, `group.member_added`, …
        #[arg(value_parser = event_name)]
        event: Option<EventName>,
    },
    /// Prints events as JSON lines, the oldest first.
    Export {
        /// Which.
        #[command(flatten)]
        filter: Filter,
        /// From this moment on, in seconds since 1970.
        #[arg(long)]
        since: Option<i64>,
        /// Before this moment, in seconds since 1970.
        #[arg(long)]
        until: Option<i64>,
    },
}

/// Which events.
#[derive(Debug, Args)]
pub struct Filter {
    /// Only those of this name: `sign_in`, `group.member_added`, …
    #[arg(long, value_parser = event_name)]
    event: Option<EventName>,
    /// Only those that concern this person.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Only those through this client.
    #[arg(long, value_name = "CLIENT_ID")]
    client: Option<ClientId>,
    /// Only those that were refused.
    #[arg(long)]
    failed: bool,
}

fn event_name(text: &str) -> Result<EventName, String> {
    EventName::parse(text).ok_or_else(|| {
        let names: Vec<&str> = EventName::ALL.iter().map(|name| name.as_str()).collect();
        format!("must be one of {}", names.join(", "))
    })
}

/// Events of one question.
const PAGE: u32 = 500;
/// How often new ones are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(500);

impl EventsCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When the stores cannot be used, or a person is unknown.
    pub async fn run(self, call: &Call) -> Result<(), CommandError> {
        match self {
            Self::Schema { event } => tell_schema(call, event),
            Self::Tail { filter, lines, follow } => {
                let site = Site::open(call, Absent::Refuse).await?;
                let done = tail(call, &site, (filter, lines, follow)).await;
                site.close().await;
                done
            }
            Self::Export { filter, since, until } => {
                let site = Site::open(call, Absent::Refuse).await?;
                let done = export(&site, (filter, since, until)).await;
                site.close().await;
                done
            }
        }
    }
}

fn tell_schema(call: &Call, event: Option<EventName>) -> Result<(), CommandError> {
    let told = match event {
        Some(name) => schema(name),
        None => EventName::ALL.iter().map(|name| (name.as_str().to_owned(), schema(*name))).collect::<Value>(),
    };
    match call.output {
        Output::Json => write_out(format_args!("{told}\n")),
        Output::Human => write_out(format_args!("{told:#}\n")),
    }
}

async fn query(site: &Site, filter: Filter) -> Result<EventQuery, CommandError> {
    let user = match filter.user {
        Some(name) => Some(site.user(&name).await?.id),
        None => None,
    };
    Ok(EventQuery {
        name: filter.event,
        user,
        client: filter.client,
        outcome: filter.failed.then_some(Outcome::Failure),
        limit: PAGE,
        ..EventQuery::default()
    })
}

async fn tail(call: &Call, site: &Site, (filter, lines, follow): (Filter, u32, bool)) -> Result<(), CommandError> {
    let base = query(site, filter).await?;
    let mut events = site.edges.store.find_events(&EventQuery { limit: lines, ..base.clone() }).await?;
    events.reverse();
    // Ids of one second come in any order, so what was shown of the latest seconds is remembered.
    let mut shown: Vec<(EventId, NumericDate)> = events.iter().map(|event| (event.id, event.at)).collect();
    events.iter().try_for_each(|event| line(call.output, event))?;
    if !follow {
        return Ok(());
    }
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let since = site.now().minus(Duration::from_secs(10));
        shown.retain(|(_, at)| at.seconds() >= since.seconds());
        let mut fresh = site.edges.store.find_events(&EventQuery { since: Some(since), ..base.clone() }).await?;
        fresh.retain(|event| !shown.iter().any(|(id, _)| *id == event.id));
        fresh.reverse();
        for event in &fresh {
            line(call.output, event)?;
            shown.push((event.id, event.at));
        }
    }
}

async fn export(site: &Site, (filter, since, until): (Filter, Option<i64>, Option<i64>)) -> Result<(), CommandError> {
    let base = EventQuery {
        since: since.map(NumericDate::from_seconds),
        until: until.map(NumericDate::from_seconds),
        ..query(site, filter).await?
    };
    // The store tells the latest first: pages are gathered by their ids only, and read again from the other end.
    let mut pages = Vec::new();
    let mut before = None;
    loop {
        let page = site.edges.store.find_events(&EventQuery { before, ..base.clone() }).await?;
        let Some(last) = page.last() else { break };
        pages.push(before);
        before = Some(last.id);
    }
    for before in pages.into_iter().rev() {
        let page = site.edges.store.find_events(&EventQuery { before, ..base.clone() }).await?;
        page.iter().rev().try_for_each(|event| line(Output::Json, event))?;
    }
    Ok(())
}

fn line(output: Output, event: &Event) -> Result<(), CommandError> {
    if output == Output::Json {
        let told = serde_json::to_string(&AdminEvent::of(event.clone())).map_err(anyhow::Error::from)?;
        return write_out(format_args!("{told}\n"));
    }
    let failed = if event.outcome == Outcome::Failure { " (refused)" } else { "" };
    let details: Vec<String> = event.details.iter().map(|(name, value)| format!("{name}={}", text(value))).collect();
    let line = format!(
        "{}  {}{failed}  by {}  {}  {}",
        moment(event.at),
        event.name.as_str(),
        actor(&event.actor),
        event.provenance.address,
        details.join(" ")
    );
    let printable: String = line.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    write_out(format_args!("{}\n", printable.trim_end()))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn actor(actor: &Actor) -> String {
    match actor {
        Actor::Anonymous => "somebody".to_owned(),
        Actor::User(user) => user.to_string(),
        Actor::Client(client) => client.to_string(),
        Actor::Operator => "the operator".to_owned(),
        Actor::Server => "the server".to_owned(),
    }
}
