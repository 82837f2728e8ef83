//! One line for each request: what was asked, what came of it, for whom, and where the time went.
//!
//! EXPERIENCE.md §2, §6 (13). Method, template of the route, status, times, ids: never a path, a query, a header or a body.
//!
//! *Why it does not go through `tracing`:* a line there costs as much as a third of a userinfo answer. Here it is written into a
//! buffer, and a thread brings the buffer out; lines lag by a few hundredths of a second and are complete at the end.

use std::fmt::Write as _;
use std::io::Write;
use std::net::IpAddr;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use http::{Method, StatusCode};

use crate::edge::meter;
use crate::edge::tally::Tally;
use crate::http::error::Refusal;
use crate::http::trace::TraceId;

/// The most bytes that wait to be written; lines beyond are dropped and counted.
const ROOM: usize = 4 * 1024 * 1024;
/// How long lines are collected before they are written.
const LAG: Duration = Duration::from_millis(20);

/// Which requests get a line.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Logged {
    /// All.
    Every,
    /// Those of status 400 and above.
    Failed,
}

/// The form of a line.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Form {
    /// One JSON object, with the members that `tracing` gives its own.
    Json,
    /// Words.
    Text,
}

/// What a line tells.
pub struct Line<'a> {
    /// The request.
    pub id: TraceId,
    /// Its method.
    pub method: &'a Method,
    /// The template of its route.
    pub route: &'a str,
    /// Where it comes from.
    pub address: Option<IpAddr>,
    /// What it was answered.
    pub status: StatusCode,
    /// How long that took.
    pub took: Duration,
    /// What was noted meanwhile.
    pub tally: &'a Tally,
    /// Why it was refused, if it was.
    pub refusal: Option<&'a Refusal>,
}

/// The log of requests. Clones share it.
#[derive(Clone)]
pub struct RequestLog(Arc<Shared>);

struct Shared {
    logged: Logged,
    form: Form,
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    /// Held by who writes, so that [`RequestLog::flush`] returns when everything is out.
    out: Mutex<Box<dyn Write + Send>>,
}

#[derive(Default)]
struct Waiting {
    lines: String,
    /// The second that was written last, and its text: it is the same for thousands of lines.
    second: (i64, String),
}

impl RequestLog {
    /// A log that writes to `out` by a thread of its own.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(logged: Logged, form: Form, out: Box<dyn Write + Send>) -> std::io::Result<Self> {
        let shared = Shared { logged, form, waiting: Mutex::default(), arrived: Condvar::new(), out: Mutex::new(out) };
        let log = Self(Arc::new(shared));
        let writer = Arc::downgrade(&log.0);
        std::thread::Builder::new().name("request-log".to_owned()).spawn(move || {
            while let Some(shared) = writer.upgrade() {
                let waiting = shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                // Now and then it looks whether the log is gone.
                let at_most = Duration::from_secs(1);
                let waited = shared.arrived.wait_timeout_while(waiting, at_most, |waiting| waiting.lines.is_empty());
                drop(waited);
                std::thread::sleep(LAG);
                shared.write();
            }
        })?;
        Ok(log)
    }

    /// Adds a line, unless it is of a kind that is left out.
    pub fn add(&self, line: &Line<'_>) {
        let shared = &self.0;
        if shared.logged == Logged::Failed && line.status.as_u16() < 400 {
            return;
        }
        let now = now();
        let mut waiting = shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.lines.len() > ROOM {
            meter::log_line_dropped();
            return;
        }
        if waiting.lines.is_empty() {
            shared.arrived.notify_one();
        }
        let Waiting { lines, second } = &mut *waiting;
        if second.0 != now.timestamp() || second.1.is_empty() {
            let text = now.to_rfc3339_opts(SecondsFormat::Secs, true);
            *second = (now.timestamp(), text.trim_end_matches('Z').to_owned());
        }
        let at = (second.1.as_str(), now.timestamp_subsec_micros());
        match shared.form {
            Form::Json => line.json(lines, at),
            Form::Text => line.text(lines, at),
        }
    }

    /// Returns when every line that was added is written.
    pub fn flush(&self) {
        self.0.write();
    }
}

impl Shared {
    fn write(&self) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = std::mem::take(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner).lines);
        // Where nobody reads the log, there is nobody to tell.
        let _ = out.write_all(lines.as_bytes()).and_then(|()| out.flush());
    }
}

#[expect(clippy::disallowed_methods, reason = "a log tells the time of the machine, as every other line in it does")]
fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}

impl Line<'_> {
    // Writing to a String does not fail.
    fn json(&self, out: &mut String, (second, micros): (&str, u32)) {
        let level = if self.refusal.is_some_and(Refusal::is_ours) { "ERROR" } else { "INFO" };
        let _ = write!(
            out,
            "{{\"timestamp\":\"{second}.{micros:06}Z\",\"level\":\"{level}\",\"fields\":{{\"message\":\"request\",\"trace_id\":\"{}\",\
             \"method\":{},\"route\":{},\"status\":{},\"duration_us\":{},\"database_us\":{}",
            self.id,
            quoted(self.method.as_str()),
            quoted(self.route),
            self.status.as_u16(),
            self.took.as_micros(),
            self.tally.database().as_micros(),
        );
        if let Some(address) = self.address {
            let _ = write!(out, ",\"address\":\"{address}\"");
        }
        if let Some(user) = self.tally.user() {
            let _ = write!(out, ",\"user\":\"{user}\"");
        }
        if let Some(client) = self.tally.client() {
            let _ = write!(out, ",\"client\":{}", quoted(client.as_str()));
        }
        if let Some(refusal) = self.refusal {
            for (name, value) in refusal.told() {
                let _ = write!(out, ",\"{name}\":{}", quoted(&value));
            }
        }
        out.push_str("},\"target\":\"symbolon::request\"}\n");
    }

    fn text(&self, out: &mut String, (second, micros): (&str, u32)) {
        let (took, database) = (self.took.as_secs_f64() * 1e3, self.tally.database().as_secs_f64() * 1e3);
        let _ = write!(
            out,
            "{second}.{micros:06}Z  {} {} {} {took:.1} ms (database {database:.1} ms)",
            self.method,
            self.route,
            self.status.as_u16(),
        );
        let user = self.tally.user().map(|user| user.to_string());
        let client = self.tally.client().map(|client| client.to_string());
        let address = self.address.map(|address| address.to_string());
        let mut told: Vec<(&str, String)> = [("user", user), ("client", client), ("address", address)]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect();
        if let Some(refusal) = self.refusal {
            told.extend(refusal.told());
        }
        for (name, value) in told {
            let _ = write!(out, " {name}={}", quoted(&value));
        }
        let _ = writeln!(out, " trace_id={}", self.id);
    }
}

/// A JSON string; what a caller chose may hold anything.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::protocol::error::OAuthError;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn told(logged: Logged, form: Form, status: StatusCode, refusal: Option<&Refusal>) -> String {
        let page = Page::default();
        let log = RequestLog::start(logged, form, Box::new(page.clone())).unwrap();
        log.add(&Line {
            id: TraceId::default(),
            method: &Method::POST,
            route: "/oauth2/token",
            address: Some([192, 0, 2, 1].into()),
            status,
            took: Duration::from_micros(1_500),
            tally: &Tally::default(),
            refusal,
        });
        log.flush();
        let bytes = page.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_line_is_json_or_words() {
        let line: Value = serde_json::from_str(&told(Logged::Every, Form::Json, StatusCode::OK, None)).unwrap();
        let fields = &line["fields"];
        assert_eq!(
            (&line["level"], &fields["route"], &fields["status"]),
            (&"INFO".into(), &"/oauth2/token".into(), &200.into())
        );
        assert_eq!((&fields["duration_us"], &fields["address"]), (&1500.into(), &"192.0.2.1".into()));

        let refusal = Refusal::from(&OAuthError::invalid_grant("expired").hint("a \"hint\"\nof two lines"));
        let line = told(Logged::Failed, Form::Json, StatusCode::BAD_REQUEST, Some(&refusal));
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["fields"]["code"], "invalid_grant");
        assert_eq!(line["fields"]["hint"], "a \"hint\"\nof two lines");

        let words = told(Logged::Every, Form::Text, StatusCode::BAD_REQUEST, Some(&refusal));
        assert_eq!(words.lines().count(), 1, "{words}");
        assert!(words.contains("POST /oauth2/token 400 1.5 ms"), "{words}");
        assert_eq!(told(Logged::Failed, Form::Text, StatusCode::OK, None), "");
    }
}
