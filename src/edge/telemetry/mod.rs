//! Spans of requests for OpenTelemetry, told to a collector by the standard variables.
//!
//! OTLP 1.x over HTTP in JSON (`http/json`), OpenTelemetry environment variables, W3C Trace Context §3.2. Nothing is sent unless
//! `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` is set.
//!
//! *Why not the crates `opentelemetry`:* one span a request is a JSON object; forty packages, and a second HTTP client, would be
//! a feature that nobody's tests run. Every collector takes JSON on its HTTP port.

mod sampler;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use self::sampler::Sampler;
use crate::edge::fetch::{Addresses, Fetch, FetchPolicy};

/// The most spans that wait; more are dropped (`OTEL_BSP_MAX_QUEUE_SIZE`).
const QUEUE: usize = 2_048;
/// The most spans of one message (`OTEL_BSP_MAX_EXPORT_BATCH_SIZE`).
const BATCH: usize = 512;
/// How long spans are collected (`OTEL_BSP_SCHEDULE_DELAY`).
const DELAY: Duration = Duration::from_secs(5);
/// How long the collector may take (`OTEL_EXPORTER_OTLP_TIMEOUT`).
const PATIENCE: Duration = Duration::from_secs(10);

/// Tells spans. Clones share one queue.
#[derive(Clone)]
pub struct Telemetry {
    queue: mpsc::Sender<Told>,
    sampler: Sampler,
}

enum Told {
    Span(Value),
    Flush(oneshot::Sender<()>),
}

/// One request, when it was answered.
pub struct Span<'a> {
    /// The trace, 32 hexadecimal digits.
    pub trace_id: String,
    /// The caller's `traceparent`, if it sent one.
    pub traceparent: Option<&'a str>,
    /// An id of its own.
    pub id: [u8; 8],
    /// The method.
    pub method: &'a str,
    /// The template of the route.
    pub route: &'a str,
    /// The status of the answer.
    pub status: u16,
    /// How long it took.
    pub took: Duration,
    /// How long it waited for the database.
    pub database: Duration,
    /// The client it acted for.
    pub client: Option<String>,
}

impl Telemetry {
    /// Begins to tell, if a collector is named. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// A sentence about the variable that cannot be followed.
    pub fn start(all: &BTreeMap<String, String>, fetch: Arc<dyn Fetch>) -> Result<Option<Self>, String> {
        let get = |name: &str| all.get(name).map(String::as_str).filter(|value| !value.is_empty());
        let is_off = get("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
            || get("OTEL_TRACES_EXPORTER") == Some("none");
        let below = |base: &str| format!("{}/v1/traces", base.trim_end_matches('/'));
        let endpoint = get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").map(str::to_owned);
        let Some(endpoint) = endpoint.or_else(|| get("OTEL_EXPORTER_OTLP_ENDPOINT").map(below)).filter(|_| !is_off)
        else {
            return Ok(None);
        };
        let protocol = get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL").or_else(|| get("OTEL_EXPORTER_OTLP_PROTOCOL"));
        if protocol.is_some_and(|protocol| protocol != "http/json") {
            return Err("OTEL_EXPORTER_OTLP_PROTOCOL: this server speaks http/json alone; the collector's port for HTTP (4318) takes it".to_owned());
        }
        let headers = get("OTEL_EXPORTER_OTLP_TRACES_HEADERS").or_else(|| get("OTEL_EXPORTER_OTLP_HEADERS"));
        let mut request = http::Request::post(endpoint.as_str()).header(CONTENT_TYPE, "application/json");
        for (name, value) in pairs(headers.unwrap_or_default()) {
            request = request.header(name, value);
        }
        let request =
            request.body(()).map_err(|_| "OTEL_EXPORTER_OTLP_ENDPOINT or _HEADERS: no URL, or no header".to_owned())?;
        let sampler = Sampler::parse(get("OTEL_TRACES_SAMPLER"), get("OTEL_TRACES_SAMPLER_ARG"))?;
        let milliseconds = |name: &str, default: Duration| match get(name).map(str::parse) {
            None => Ok(default),
            Some(Ok(number)) => Ok(Duration::from_millis(number)),
            Some(Err(_)) => Err(format!("{name}: is no number of milliseconds")),
        };
        let (queue, told) = mpsc::channel(QUEUE);
        let teller = Teller {
            told,
            fetch,
            request: request.into_parts().0,
            resource: resource(get("OTEL_SERVICE_NAME"), get("OTEL_RESOURCE_ATTRIBUTES")),
            delay: milliseconds("OTEL_BSP_SCHEDULE_DELAY", DELAY)?,
            patience: milliseconds("OTEL_EXPORTER_OTLP_TIMEOUT", PATIENCE)?,
            failed: false,
        };
        tokio::spawn(teller.run());
        Ok(Some(Self { queue, sampler }))
    }

    /// Tells of a request, unless its trace is left out or too many wait.
    pub fn tell(&self, span: &Span<'_>) {
        if self.sampler.samples(&span.trace_id, span.traceparent) {
            // A collector that is too slow loses spans; requests do not wait for it.
            let _ = self.queue.try_send(Told::Span(span.json()));
        }
    }

    /// Returns when everything that was told has been sent, or could not be.
    pub async fn flush(&self) {
        let (done, when_done) = oneshot::channel();
        if self.queue.send(Told::Flush(done)).await.is_ok() {
            let _ = when_done.await;
        }
    }
}

impl Span<'_> {
    fn json(&self) -> Value {
        let end = unix_time();
        let parent = self.traceparent.and_then(|parent| parent.get(36..52)).unwrap_or_default();
        let id = format!("{:016x}", u64::from_be_bytes(self.id));
        let mut attributes = vec![
            text("http.request.method", self.method),
            text("http.route", self.route),
            number("http.response.status_code", self.status.into()),
            number("symbolon.database_us", u64::try_from(self.database.as_micros()).unwrap_or(u64::MAX)),
        ];
        attributes.extend(self.client.as_deref().map(|client| text("symbolon.client_id", client)));
        json!({
            "traceId": self.trace_id, "spanId": id, "parentSpanId": parent,
            "name": format!("{} {}", self.method, self.route),
            // SPAN_KIND_SERVER
            "kind": 2,
            "startTimeUnixNano": end.saturating_sub(self.took).as_nanos().to_string(),
            "endTimeUnixNano": end.as_nanos().to_string(),
            "attributes": attributes,
            "status": if self.status >= 500 { json!({"code": 2}) } else { json!({}) },
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "a trace joins times of many machines, not of a story")]
fn unix_time() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn text(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

fn number(key: &str, value: u64) -> Value {
    json!({"key": key, "value": {"intValue": value.to_string()}})
}

/// `name=value,name=value`, percent-encoded (W3C Baggage, as the variables have it).
fn pairs(list: &str) -> Vec<(String, String)> {
    let decoded = |part: &str| {
        // A plus is a plus here: it is no form.
        let form = part.trim().replace('+', "%2B");
        url::form_urlencoded::parse(form.as_bytes()).next().map(|(text, _)| text.into_owned()).unwrap_or_default()
    };
    let each = list.split(',').filter_map(|pair| pair.split_once('='));
    each.map(|(name, value)| (decoded(name), decoded(&value.replace('&', "%26").replace('=', "%3D")))).collect()
}

fn resource(name: Option<&str>, attributes: Option<&str>) -> Value {
    let mut all: BTreeMap<String, String> = pairs(attributes.unwrap_or_default()).into_iter().collect();
    if let Some(name) = name {
        all.insert("service.name".to_owned(), name.to_owned());
    }
    all.entry("service.name".to_owned()).or_insert_with(|| "symbolon".to_owned());
    all.entry("service.version".to_owned()).or_insert_with(|| env!("CARGO_PKG_VERSION").to_owned());
    json!({"attributes": all.iter().map(|(key, value)| text(key, value)).collect::<Vec<_>>()})
}

struct Teller {
    told: mpsc::Receiver<Told>,
    fetch: Arc<dyn Fetch>,
    request: http::request::Parts,
    resource: Value,
    delay: Duration,
    patience: Duration,
    /// Of failures that follow one another only the first is logged.
    failed: bool,
}

impl Teller {
    async fn run(mut self) {
        loop {
            let mut spans = Vec::new();
            let mut asked = None;
            let Some(first) = self.told.recv().await else { return };
            let deadline = Instant::now() + self.delay;
            let mut next = Some(first);
            while let Some(told) = next {
                match told {
                    Told::Span(span) => spans.push(span),
                    Told::Flush(done) => {
                        asked = Some(done);
                        break;
                    }
                }
                if spans.len() >= BATCH {
                    break;
                }
                next = timeout_at(deadline, self.told.recv()).await.ok().flatten();
            }
            if !spans.is_empty() {
                self.send(spans).await;
            }
            if let Some(asked) = asked {
                // Who asked may have gone.
                let _ = asked.send(());
            }
        }
    }

    async fn send(&mut self, spans: Vec<Value>) {
        let scope = json!({"name": "symbolon", "version": env!("CARGO_PKG_VERSION")});
        let message =
            json!({"resourceSpans": [{"resource": self.resource, "scopeSpans": [{"scope": scope, "spans": spans}]}]});
        let request = http::Request::from_parts(self.request.clone(), Bytes::from(message.to_string()));
        let policy = FetchPolicy { max_bytes: 64 * 1024, timeout: self.patience, addresses: Addresses::Anywhere };
        let failure = match self.fetch.send(request, policy).await {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("it answers {}", answer.status().as_u16())),
            Err(error) => Some(error.to_string()),
        };
        if let (Some(reason), false) = (&failure, self.failed) {
            tracing::warn!(reason, "spans were lost: the collector of OTEL_EXPORTER_OTLP_ENDPOINT does not take them");
        }
        self.failed = failure.is_some();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::edge::fetch::FetchError;

    #[derive(Default)]
    struct Collector(Mutex<Vec<http::Request<Bytes>>>);

    #[async_trait::async_trait]
    impl Fetch for Collector {
        async fn send(
            &self,
            request: http::Request<Bytes>,
            _: FetchPolicy,
        ) -> Result<http::Response<Bytes>, FetchError> {
            self.0.lock().unwrap().push(request);
            Ok(http::Response::new(Bytes::new()))
        }
    }

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn span(traceparent: Option<&str>) -> Span<'_> {
        Span {
            trace_id: TRACE.to_owned(),
            traceparent,
            id: [7; 8],
            method: "POST",
            route: "/oauth2/token",
            status: 503,
            took: Duration::from_millis(5),
            database: Duration::from_micros(90),
            client: Some("shop".to_owned()),
        }
    }

    fn variables(set: &[(&str, &str)]) -> BTreeMap<String, String> {
        set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_collector_is_told_in_its_own_words() {
        let collector = Arc::new(Collector::default());
        let set = variables(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318/"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20a+b=,x=1"),
            ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test,service.name=other"),
            ("OTEL_SERVICE_NAME", "login"),
        ]);
        let telemetry = Telemetry::start(&set, Arc::clone(&collector) as Arc<_>).unwrap().unwrap();
        telemetry.tell(&span(Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")));
        telemetry.tell(&span(Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")));
        telemetry.flush().await;
        let requests = collector.0.lock().unwrap();
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].uri(), "http://localhost:4318/v1/traces");
        assert_eq!(
            (&requests[0].headers()["authorization"], &requests[0].headers()["x"]),
            (&"Basic a+b=".parse().unwrap(), &"1".parse().unwrap())
        );
        let message: Value = serde_json::from_slice(requests[0].body()).unwrap();
        let told = &message["resourceSpans"][0];
        assert!(
            told["resource"]["attributes"]
                .to_string()
                .contains("{\"key\":\"service.name\",\"value\":{\"stringValue\":\"login\"}}")
        );
        let spans = told["scopeSpans"][0]["spans"].as_array().unwrap();
        assert_eq!(spans.len(), 1, "the caller chose not to sample the other");
        let span = &spans[0];
        assert_eq!(
            (&span["traceId"], &span["parentSpanId"], &span["spanId"]),
            (&TRACE.into(), &"00f067aa0ba902b7".into(), &"0707070707070707".into())
        );
        assert_eq!((&span["name"], &span["status"]["code"]), (&"POST /oauth2/token".into(), &2.into()));
        let [start, end] =
            ["startTimeUnixNano", "endTimeUnixNano"].map(|name| span[name].as_str().unwrap().parse::<u128>().unwrap());
        assert_eq!(end - start, 5_000_000);
    }

    #[tokio::test]
    async fn nothing_is_told_unless_it_is_asked_for() {
        let start = |set: &[(&str, &str)]| Telemetry::start(&variables(set), Arc::new(Collector::default()));
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
        for off in [&[][..], &[endpoint, ("OTEL_SDK_DISABLED", "true")], &[endpoint, ("OTEL_TRACES_EXPORTER", "none")]]
        {
            assert!(start(off).unwrap().is_none());
        }
        for (name, value) in [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_TRACES_SAMPLER", "sometimes"),
            ("OTEL_BSP_SCHEDULE_DELAY", "soon"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a b=c"),
        ] {
            let refused = start(&[endpoint, (name, value)]).err().unwrap();
            assert!(refused.contains(name.trim_end_matches("_HEADERS")), "{refused}");
        }
    }
}
