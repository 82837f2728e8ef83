//! What can be seen from the machine itself: settings, stores, keys, clock, the running process.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::cli::doctor::{Finding, Level, Subject};
use crate::cli::operations::ask;
use crate::config::{duration, process_environment};
use crate::model::signing_key::{KeyState, StoredSigningKey};
use crate::oauth::rotation::{next_of, signs_since};
use crate::protocol::numeric_date::NumericDate;

/// How much later than planned a key may be replaced.
const LATE: Duration = Duration::from_hours(24);
/// By how much clocks may differ: phones and servers accept a few seconds, tokens are refused after that.
const DRIFT: Duration = Duration::from_secs(10);

/// Settings that are allowed and weaken security.
pub(super) fn settings(subject: &Subject) -> BoxFuture<'_, Vec<Finding>> {
    async move {
        let weak = subject.config.weaknesses(&process_environment());
        if weak.is_empty() {
            return vec![Finding::good("nothing weakens security")];
        }
        let told = weak.into_iter().map(|weakness| {
            let whole = format!("{}: {}", weakness.key, weakness.message);
            let (message, cure) =
                whole.rsplit_once("; ").unwrap_or((whole.as_str(), "change it, unless you mean it so"));
            Finding::warning(message, cure)
        });
        told.collect()
    }
    .boxed()
}

/// The database and the master key, as `symbolon check` sees them.
pub(super) fn database(subject: &Subject) -> BoxFuture<'_, Vec<Finding>> {
    async move {
        let cure = |finding: &Finding| match finding.level {
            Level::Good => None,
            _ => finding
                .cure
                .clone()
                .or_else(|| Some("`symbolon check` looks at settings, storage and keys alone".to_owned())),
        };
        let copy =
            |finding: &Finding| Finding { level: finding.level, message: finding.message.clone(), cure: cure(finding) };
        subject.storage.iter().map(copy).collect()
    }
    .boxed()
}

/// This machine's clock against what was written down before, and against the one at the front door.
pub(super) fn clock(subject: &Subject) -> BoxFuture<'_, Vec<Finding>> {
    async move {
        let now = subject.world.clock.now();
        let mut found = Vec::new();
        if let Some(edges) = &subject.edges
            && let Ok(keys) = edges.store.signing_keys().await
            && let Some(latest) = keys.iter().map(|key| key.created_at).max()
            && latest.since(now) > DRIFT
        {
            let ahead = duration::format(latest.since(now));
            found.push(Finding::wrong(
                format!(
                    "a signing key was made {ahead} in the future: the clock is behind, or was ahead when it was made"
                ),
                "set the clock by NTP (`timedatectl set-ntp true`)",
            ));
        }
        if let Ok(discovery) = &subject.discovery
            && let Some(there) = discovery.date
        {
            let apart = there.since(now).max(now.since(there));
            if apart > DRIFT {
                found.push(Finding::wrong(
                    format!("the machine that answers at the issuer differs by {}", duration::format(apart)),
                    "set the clocks of both by NTP: tokens are refused where clocks differ",
                ));
            }
        }
        if found.is_empty() {
            found
                .push(Finding::good("agrees with what was written before, and with the front door as far as it tells"));
        }
        found
    }
    .boxed()
}

/// Whether each algorithm has a key that signs, how old it is, and whether the next one is known.
pub(super) fn signing_keys(subject: &Subject) -> BoxFuture<'_, Vec<Finding>> {
    async move {
        let Some(edges) = &subject.edges else { return Vec::new() };
        match edges.store.signing_keys().await {
            Ok(keys) => ages(&keys, subject.config.keys.rotate_every, subject.world.clock.now()),
            Err(fault) => vec![Finding::wrong(format!("cannot be read: {fault}"), "look at the database first")],
        }
    }
    .boxed()
}

fn ages(keys: &[StoredSigningKey], rotate_every: Duration, now: NumericDate) -> Vec<Finding> {
    let rotate =
        "start the server, which rotates by itself, or run `symbolon key rotate`; its log tells why if it does not";
    let mut found = Vec::new();
    let mut oldest = Duration::ZERO;
    for key in keys.iter().filter(|key| key.state == KeyState::Active) {
        let age = now.since(signs_since(key));
        oldest = oldest.max(age);
        let (algorithm, planned) = (key.algorithm.as_str(), duration::format(rotate_every));
        if age > rotate_every + LATE {
            let days = age.as_secs() / 86_400;
            let message = format!("the {algorithm} key has signed for {days} d, and keys.rotate_every is {planned}");
            found.push(Finding::wrong(message, rotate));
        }
        if next_of(keys, key.algorithm).is_none() {
            let message =
                format!("no {algorithm} key is published as the next one: a rotation would have to wait an hour");
            found.push(Finding::wrong(message, rotate));
        }
    }
    if !keys.iter().any(|key| key.state == KeyState::Active) {
        found.push(Finding::wrong(
            "none signs: no token can be issued",
            "`symbolon key list` shows them; `symbolon key rotate --now` makes one sign",
        ));
    }
    if found.is_empty() {
        found.push(Finding::good(format!("the oldest has signed for {} d", oldest.as_secs() / 86_400)));
    }
    found
}

/// Redis, if the settings name one.
pub(super) fn redis(subject: &Subject) -> BoxFuture<'_, Vec<Finding>> {
    async move {
        let Some(edges) = &subject.edges else { return Vec::new() };
        if subject.config.ephemeral.url.is_none() {
            return Vec::new();
        }
        match tokio::time::timeout(Duration::from_secs(5), edges.ephemeral.ready()).await {
            Ok(Ok(())) => vec![Finding::good("answers")],
            Ok(Err(fault)) => vec![away(&fault.to_string())],
            Err(_) => vec![away("it did not answer within 5 s")],
        }
    }
    .boxed()
}

fn away(reason: &str) -> Finding {
    Finding::wrong(
        format!("does not answer: {reason}"),
        "start it, or correct ephemeral.url (password, TLS, port); meanwhile people can sign in, and each node limits by itself",
    )
}

/// The running process: alive, ready, and of this release.
pub(super) fn server(subject: &Subject) -> BoxFuture<'_, Vec<Finding>> {
    async move {
        let address = subject.config.server.operations.to_string();
        let Ok(ready) = ask(&address, "GET", "/readyz?verbose").await else {
            let cure = "start `symbolon serve`, or correct server.operations if it listens elsewhere";
            return vec![Finding::wrong(format!("nothing answers at server.operations, {address}"), cure)];
        };
        let told: Value = serde_json::from_slice(&ready.body).unwrap_or_default();
        let Some(is_ready) = told.get("ready").and_then(Value::as_bool) else {
            let cure = "give one of the two another port: server.operations is read by your monitoring";
            return vec![Finding::wrong(format!("another program answers at server.operations, {address}"), cure)];
        };
        let mut found = Vec::new();
        for (name, said) in told.get("dependencies").and_then(Value::as_object).into_iter().flatten() {
            if said != "ok" {
                let said = said.as_str().unwrap_or_default();
                found.push(Finding::wrong(format!("it cannot reach {name}: {said}"), "see the check of that name"));
            }
        }
        let version = ask(&address, "GET", "/version").await.ok();
        let version: Value = version.and_then(|answer| serde_json::from_slice(&answer.body).ok()).unwrap_or_default();
        let (theirs, ours) =
            (version.get("version").and_then(Value::as_str).unwrap_or("another release"), env!("CARGO_PKG_VERSION"));
        if theirs != ours {
            found.push(Finding::warning(format!("it runs {theirs}, and this program is {ours}"), "restart the server"));
        }
        if found.is_empty() {
            found.push(if is_ready {
                Finding::good(format!("{ours} is ready at {address}"))
            } else {
                Finding::warning("it is about to stop", "wait, or start it again")
            });
        }
        found
    }
    .boxed()
}
