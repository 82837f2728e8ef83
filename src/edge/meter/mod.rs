//! What is counted: every metric of the program, named once.
//!
//! EXPERIENCE.md §2; the text format of Prometheus. To add one: a `static` below and its line in [`ALL`]. Labels hold words from
//! bounded sets alone: route templates, outcomes, names of rules; never what a caller sent.
//!
//! *Why not the crates `metrics` and `metrics-exporter-prometheus`:* their histograms keep every sample until somebody asks, and each
//! use looks up its name. Here a sample is two additions to numbers that stand still, and a route knows its own.

mod number;
mod route;
mod text;

use std::time::{Duration, Instant};

pub use self::number::{Counter, Family, Gauge, Histogram};
pub use self::route::Route;
pub use self::text::render;

use self::text::Described;
use crate::edge::tally;
use crate::model::fault::Fault;
use crate::model::job::{Queue, Undone};

/// Requests that were answered.
static HTTP_REQUESTS: Family<Counter> =
    Family::new("symbolon_http_requests_total", "Requests that were answered.", &["route", "method", "code"]);
/// From the request's header to the answer's.
static HTTP_DURATION: Family<Histogram> =
    Family::new("symbolon_http_request_duration_seconds", "From a request's header to its answer's.", &["route"]);
/// Attempts to sign in.
static LOGINS: Family<Counter> = Family::new("symbolon_logins_total", "Attempts to sign in.", &["method", "outcome"]);
/// Questions to identity providers.
static UPSTREAMS: Family<Counter> = Family::new(
    "symbolon_upstream_requests_total",
    "Questions to identity providers.",
    &["provider", "asked", "outcome"],
);
/// Token requests.
static TOKEN_REQUESTS: Family<Counter> = Family::new(
    "symbolon_token_requests_total",
    "Token requests, by grant type and error code.",
    &["grant", "outcome"],
);
/// Authorization requests.
static AUTHORIZE_REQUESTS: Family<Counter> =
    Family::new("symbolon_authorize_requests_total", "Authorization requests, by what came first.", &["outcome"]);
/// What was refused for coming too often.
static RATE_LIMITED: Family<Counter> =
    Family::new("symbolon_rate_limited_total", "Refusals because something came too often.", &["rule"]);
/// Password hashes, made or checked.
static PASSWORD_HASH: Family<Histogram> =
    Family::new("symbolon_password_hash_seconds", "One password hash, without the wait for its turn.", &[]);
/// What the database was asked.
static DB_QUERY: Family<Histogram> = Family::new(
    "symbolon_db_query_seconds",
    "The wait for the database: a statement that reads, a fact that is recorded.",
    &["operation"],
);
/// Runs of jobs.
static JOB_RUNS: Family<Counter> = Family::new("symbolon_jobs_runs_total", "Runs of jobs.", &["job", "outcome"]);
/// Their duration.
static JOB_DURATION: Family<Histogram> = Family::new("symbolon_jobs_duration_seconds", "One run of a job.", &["job"]);
/// Their last success.
static JOB_LAST_SUCCESS: Family<Gauge> =
    Family::new("symbolon_jobs_last_success_timestamp_seconds", "When a job last succeeded.", &["job"]);
/// Live sessions.
static SESSIONS_ACTIVE: Family<Gauge> =
    Family::new("symbolon_sessions_active", "Browsers in which somebody is signed in.", &[]);
/// Signing keys.
static SIGNING_KEY_AGE: Family<Gauge> =
    Family::new("symbolon_signing_key_age_seconds", "How long the key has signed that signs now.", &["algorithm"]);
/// Connections.
static CONNECTIONS_OPEN: Family<Gauge> = Family::new("symbolon_connections_open", "Connections of callers.", &[]);
/// Lines of the log that had no room.
static LOG_LINES_DROPPED: Family<Counter> =
    Family::new("symbolon_log_lines_dropped_total", "Lines about requests that the log had no room for.", &[]);
/// Attempts to send a message.
static MESSAGES: Family<Counter> = Family::new(
    "symbolon_messages_total",
    "Attempts to hand over a mail or text message, by how they ended.",
    &["channel", "outcome"],
);
/// Messages that did not go out.
static MESSAGES_UNDONE: Family<Gauge> =
    Family::new("symbolon_messages_undone", "Messages that wait or were given up on.", &["channel", "state"]);
/// The program.
static BUILD_INFO: Family<Gauge> = Family::new("symbolon_build_info", "The release that runs.", &["version"]);

/// Every metric of ours, in the order in which they are shown.
static ALL: &[&dyn Described] = &[
    &BUILD_INFO,
    &HTTP_REQUESTS,
    &HTTP_DURATION,
    &LOGINS,
    &UPSTREAMS,
    &TOKEN_REQUESTS,
    &AUTHORIZE_REQUESTS,
    &RATE_LIMITED,
    &PASSWORD_HASH,
    &DB_QUERY,
    &JOB_RUNS,
    &JOB_DURATION,
    &JOB_LAST_SUCCESS,
    &SESSIONS_ACTIVE,
    &SIGNING_KEY_AGE,
    &CONNECTIONS_OPEN,
    &LOG_LINES_DROPPED,
    &MESSAGES,
    &MESSAGES_UNDONE,
];

/// What was asked of the database.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Operation {
    /// A statement that reads.
    Read,
    /// A fact, until it is durable.
    Write,
}

/// An attempt to sign in by `method` came to `outcome`.
pub fn login(method: &str, outcome: &str) {
    LOGINS.with(&[method, outcome]).add(1);
}

/// What was asked of `provider` came to `outcome`.
pub fn upstream(provider: &str, asked: &str, outcome: &str) {
    UPSTREAMS.with(&[provider, asked, outcome]).add(1);
}

/// A token request of `grant` came to `outcome`: `ok`, or the code of the error.
pub fn token_request(grant: &str, outcome: &str) {
    TOKEN_REQUESTS.with(&[grant, outcome]).add(1);
}

/// An authorization request came to `outcome`.
pub fn authorize_request(outcome: &str) {
    AUTHORIZE_REQUESTS.with(&[outcome]).add(1);
}

/// Something came too often for `rule`.
pub fn rate_limited(rule: &str) {
    RATE_LIMITED.with(&[rule]).add(1);
}

/// A password hash took so long.
pub fn password_hash(took: Duration) {
    PASSWORD_HASH.with(&[]).observe(took);
}

/// A job ended.
pub fn job(name: &str, ran: &Result<(), Fault>, took: Duration) {
    JOB_RUNS.with(&[name, if ran.is_ok() { "ok" } else { "failed" }]).add(1);
    JOB_DURATION.with(&[name]).observe(took);
    if ran.is_ok() {
        JOB_LAST_SUCCESS.with(&[name]).set(text::unix_seconds());
    }
}

/// So many browsers have somebody signed in.
#[expect(clippy::cast_precision_loss, reason = "sessions are far fewer than 2^52")]
pub fn sessions_active(count: u64) {
    SESSIONS_ACTIVE.with(&[]).set(count as f64);
}

/// The ages of the keys that sign, by algorithm; in place of what was said before.
pub fn signing_key_ages<'a>(ages: impl Iterator<Item = (&'a str, Duration)>) {
    SIGNING_KEY_AGE.clear();
    ages.for_each(|(algorithm, age)| SIGNING_KEY_AGE.with(&[algorithm]).set(age.as_secs_f64()));
}

/// An attempt to hand over a message of `queue` came to `outcome`: `sent`, `postponed` or `given_up`.
pub fn message(queue: Queue, outcome: &str) {
    MESSAGES.with(&[queue.as_str(), outcome]).add(1);
}

/// So many messages of each queue did not go out; in place of what was said before.
#[expect(clippy::cast_precision_loss, reason = "messages are far fewer than 2^52")]
pub fn messages_undone(undone: &[Undone]) {
    MESSAGES_UNDONE.clear();
    for queue in Queue::ALL {
        let of_queue = undone.iter().find(|counted| counted.queue == *queue);
        let (waiting, given_up) = of_queue.map_or((0, 0), |counted| (counted.waiting, counted.given_up));
        MESSAGES_UNDONE.with(&[queue.as_str(), "waiting"]).set(waiting as f64);
        MESSAGES_UNDONE.with(&[queue.as_str(), "given_up"]).set(given_up as f64);
    }
}

/// A connection came (1) or went (-1).
pub fn connections(change: f64) {
    CONNECTIONS_OPEN.with(&[]).add(change);
}

/// A line about a request had no room in the log.
pub fn log_line_dropped() {
    LOG_LINES_DROPPED.with(&[]).add(1);
}

/// Waits for the database, and notes how long that took: here, and for the request that asked.
pub async fn database<F: Future>(operation: Operation, work: F) -> F::Output {
    let started = Instant::now();
    let answer = work.await;
    let took = started.elapsed();
    let operation = match operation {
        Operation::Read => "read",
        Operation::Write => "write",
    };
    DB_QUERY.with(&[operation]).observe(took);
    tally::waited(took);
    answer
}
