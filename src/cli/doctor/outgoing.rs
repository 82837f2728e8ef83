//! What goes out: the ways of mail and text messages, and what did not get through.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::app;
use crate::cli::doctor::{Finding, Subject};
use crate::config::duration;
use crate::edge::Edges;
use crate::edge::mail::Mailer;
use crate::model::fault::Fault;
use crate::model::job::Turn;
use crate::protocol::numeric_date::NumericDate;

/// How long a message may wait for its turn before somebody has to look.
const LATE: Duration = Duration::from_mins(2);

/// Each way of mail that can be tried without sending one: a mail server is reached over TLS and asked to let us in.
pub(super) fn mail(subject: &Subject) -> BoxFuture<'_, Vec<Finding>> {
    async move {
        let (config, world) = (&subject.config, &subject.world);
        let ways = match app::ways(config, (&world.fetch, &world.clock)) {
            Ok(ways) => ways.mail,
            Err(error) => return vec![Finding::wrong(error.to_string(), "correct the setting")],
        };
        let mut found = Vec::new();
        for way in &ways {
            found.extend(probe(way, &config.mail.smtp.host).await);
        }
        found
    }
    .boxed()
}

async fn probe(way: &Arc<dyn Mailer>, host: &str) -> Option<Finding> {
    let name = if way.name() == "smtp" { format!("smtp {host}") } else { way.name().to_owned() };
    match way.probe().await? {
        Ok(()) => Some(Finding::good(format!("{name} is ready to take mail"))),
        Err(why) => Some(Finding::wrong(
            format!("{name} takes no mail: {why}"),
            "correct [mail] (host, port, tls, ca, username, password), or start what listens there; \
             `symbolon message test ADDRESS` sends a mail",
        )),
    }
}

/// Messages that were given up on, and those that nobody carries.
pub(super) fn outbox(subject: &Subject) -> BoxFuture<'_, Vec<Finding>> {
    async move {
        let Some(edges) = &subject.edges else { return Vec::new() };
        match undone(edges, subject.world.clock.now()).await {
            Ok(found) => found,
            Err(fault) => vec![Finding::wrong(format!("cannot be read: {fault}"), "look at the database first")],
        }
    }
    .boxed()
}

async fn undone(edges: &Edges, now: NumericDate) -> Result<Vec<Finding>, Fault> {
    let counted = edges.store.count_jobs().await?;
    let waiting: u64 = counted.iter().map(|queue| queue.waiting).sum();
    let given_up: u64 = counted.iter().map(|queue| queue.given_up).sum();
    let mut found = Vec::new();
    if let Some(job) = edges.store.dead_jobs(1).await?.first() {
        found.push(Finding::warning(
            format!("{given_up} messages were given up on; the last one because {}", job.last_error),
            "`symbolon message list` shows them, `symbolon message retry` sends them again",
        ));
    }
    if let Some(job) = edges.store.waiting_jobs(1).await?.first()
        && let Turn::From(turn) = job.turn
        && now.since(turn) > LATE
    {
        found.push(Finding::wrong(
            format!("{waiting} messages wait, the first of them for {}", duration::format(now.since(turn))),
            "start `symbolon serve`, which sends them; its log tells why if it does not",
        ));
    }
    if found.is_empty() {
        found.push(Finding::good(format!("{waiting} messages wait, none was given up on")));
    }
    Ok(found)
}
