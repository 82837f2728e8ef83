//! One name for each request: in its answer, on its pages and in the log.
//!
//! W3C Trace Context §3.2 (`traceparent`): a caller's trace goes on here. Around every route: the id, the size of the header,
//! the panics, the refusals, the line in the log.

use std::any::Any;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::extract::{ConnectInfo, FromRequestParts, MatchedPath, Request};
use axum::response::Response;
use futures_util::FutureExt as _;
use http::header::{ACCEPT, ACCEPT_LANGUAGE, CONNECTION, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{StatusCode, Version};
use tokio::time::Instant;
use tower::{Layer, Service};

use crate::edge::meter;
use crate::edge::random::Random;
use crate::edge::tally::{self, Tally};
use crate::edge::telemetry::{Span, Telemetry};
use crate::http::error::{PageError, Refusal};
use crate::http::proxy::Proxies;
use crate::http::render::Pages;
use crate::http::request_log::{Line, RequestLog};
use crate::http::security_header::Transport;
use crate::http::serve::Readiness;

/// Largest sum of header names and values of one request, in bytes (PROTOCOL.md §3).
const MAX_HEADER_BYTES: usize = 16 * 1024;
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The id of a request: 16 bytes, written as 32 lower-case hexadecimal digits.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct TraceId([u8; 16]);

impl TraceId {
    /// The caller's trace id, when it sends a valid one; else a random one.
    pub fn of(headers: &HeaderMap, random: &dyn Random) -> Self {
        let stated = headers.get(TRACEPARENT).and_then(|header| Self::from_traceparent(header.as_bytes()));
        stated.unwrap_or_else(|| Self(random.bytes()))
    }

    /// `version-trace_id-parent_id-flags`; versions after 00 may say more behind it (§3.2.4).
    fn from_traceparent(header: &[u8]) -> Option<Self> {
        let (head, rest) = header.split_at_checked(55)?;
        let mut parts = head.split(|byte| *byte == b'-');
        let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let well_formed = parts.next().is_none()
            && (version.len(), trace.len(), parent.len(), flags.len()) == (2, 32, 16, 2)
            && [version, trace, parent, flags]
                .into_iter()
                .flatten()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            && version != b"ff"
            && parent.iter().any(|byte| *byte != b'0')
            && (rest.is_empty() || (version != b"00" && rest.starts_with(b"-")));
        if !well_formed {
            return None;
        }
        let number = u128::from_str_radix(std::str::from_utf8(trace).ok()?, 16).ok()?;
        (number != 0).then_some(Self(number.to_be_bytes()))
    }

    fn header(self) -> HeaderValue {
        HeaderValue::from_bytes(&self.digits()).expect("hexadecimal digits are valid in a header")
    }

    fn digits(self) -> [u8; 32] {
        let mut digits = [0; 32];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0) {
            for (digit, value) in pair.iter_mut().zip([byte >> 4, byte & 0xf]) {
                *digit = if value < 10 { b'0' + value } else { b'a' + value - 10 };
            }
        }
        digits
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

impl<S: Sync> FromRequestParts<S> for TraceId {
    type Rejection = Infallible;

    /// The id the layer gave; zeros where no layer stands around the route.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().copied().unwrap_or(Self([0; 16])))
    }
}

/// The layer around every route: `router.layer(trace)`.
#[derive(Clone)]
pub struct Trace(Arc<Tracing>);

/// What the layer works with.
pub struct Tracing {
    /// Where ids come from.
    pub random: Arc<dyn Random>,
    /// What shows a panic to a person.
    pub pages: Pages,
    /// What every answer is hardened for.
    pub transport: Transport,
    /// Whether the server is about to stop: then connections are given back one by one.
    pub readiness: Readiness,
    /// The line of each request, if they get one.
    pub requests: Option<RequestLog>,
    /// Who is told a span of each, if anybody is.
    pub spans: Option<Telemetry>,
    /// Whose word on the caller's address counts.
    pub proxies: Proxies,
}

impl Trace {
    /// The layer.
    pub fn new(tracing: Tracing) -> Self {
        Self(Arc::new(tracing))
    }
}

impl<S> Layer<S> for Trace {
    type Service = Traced<S>;

    fn layer(&self, inner: S) -> Traced<S> {
        Traced { inner, tracing: Arc::clone(&self.0), meter: Arc::default() }
    }
}

/// A route with its trace.
#[derive(Clone)]
pub struct Traced<S> {
    inner: S,
    tracing: Arc<Tracing>,
    /// The numbers of this route, found at its first request: the layer stands around each route, and does not know which.
    meter: Arc<OnceLock<meter::Route>>,
}

impl<S> Service<Request> for Traced<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let (tracing, meter) = (Arc::clone(&self.tracing), Arc::clone(&self.meter));
        let id = TraceId::of(request.headers(), &*tracing.random);
        request.extensions_mut().insert(id);
        let visit = Visit::of(&request, id, &tracing);
        if header_bytes(request.headers()) > MAX_HEADER_BYTES {
            let response = tracing
                .refuse(&visit, &PageError::new("payload_too_large", StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
            return Box::pin(std::future::ready(Ok(tracing.finish(&visit, response, (&meter, &Tally::default())))));
        }
        // The call itself may panic, not only its future.
        let answer = AssertUnwindSafe(std::panic::catch_unwind(AssertUnwindSafe(|| self.inner.call(request))));
        Box::pin(async move {
            let work = async {
                match answer.0 {
                    Ok(answer) => AssertUnwindSafe(answer).catch_unwind().await,
                    Err(panic) => Err(panic),
                }
            };
            let is_told = tracing.requests.is_some() || tracing.spans.is_some();
            let (outcome, tally) = if is_told { tally::of(work).await } else { (work.await, Tally::default()) };
            let response = match outcome {
                Ok(Ok(response)) => response,
                Ok(Err(never)) => match never {},
                Err(panic) => {
                    tracing::error!(trace_id = %id, route = visit.route(), panic = panic_text(&*panic), "a handler panicked");
                    tracing.refuse(&visit, &PageError::new("server_error", StatusCode::INTERNAL_SERVER_ERROR))
                }
            };
            Ok(tracing.finish(&visit, response, (&meter, &tally)))
        })
    }
}

/// What is kept of a request until it is answered.
struct Visit {
    id: TraceId,
    version: Version,
    /// `Accept` and `Accept-Language`, for the page of a refusal made here.
    face: [Option<HeaderValue>; 2],
    route: Option<MatchedPath>,
    method: http::Method,
    /// Where it comes from, when that is told.
    address: Option<IpAddr>,
    /// The span that called, when ours is told.
    traceparent: Option<HeaderValue>,
    started: Instant,
}

impl Visit {
    fn of(request: &Request, id: TraceId, tracing: &Tracing) -> Self {
        let traceparent = tracing.spans.as_ref().and_then(|_| request.headers().get(TRACEPARENT)).cloned();
        let peer = tracing.requests.as_ref().and_then(|_| request.extensions().get::<ConnectInfo<SocketAddr>>());
        Self {
            id,
            version: request.version(),
            face: [ACCEPT, ACCEPT_LANGUAGE].map(|name| request.headers().get(name).cloned()),
            route: request.extensions().get().cloned(),
            method: request.method().clone(),
            address: peer.map(|ConnectInfo(peer)| tracing.proxies.caller(peer.ip(), request.headers())),
            traceparent: traceparent.filter(|header| TraceId::from_traceparent(header.as_bytes()).is_some()),
            started: Instant::now(),
        }
    }

    /// The pattern of the route, never the path: paths carry ids, queries carry codes.
    fn route(&self) -> &str {
        self.route.as_ref().map_or("other", MatchedPath::as_str)
    }
}

impl Tracing {
    fn refuse(&self, visit: &Visit, error: &PageError) -> Response {
        let face = [ACCEPT, ACCEPT_LANGUAGE].into_iter().zip(visit.face.clone());
        let headers = face.filter_map(|(name, value)| Some((name, value?))).collect();
        self.pages.refuse(visit.id, &headers, error)
    }

    fn finish(
        &self,
        visit: &Visit,
        mut response: Response,
        (meter, tally): (&OnceLock<meter::Route>, &Tally),
    ) -> Response {
        let refusal = response.extensions_mut().remove::<Refusal>();
        let (status, took, route) = (response.status(), visit.started.elapsed(), visit.route());
        let meter = meter.get_or_init(|| meter::Route::new(route));
        debug_assert_eq!(meter.name(), route, "the layer stands around one route");
        meter.answered(visit.method.as_str(), status.as_u16(), took);
        if let Some(spans) = &self.spans {
            spans.tell(&Span {
                trace_id: visit.id.to_string(),
                traceparent: visit.traceparent.as_ref().and_then(|header| header.to_str().ok()),
                id: self.random.bytes(),
                method: visit.method.as_str(),
                route,
                status: status.as_u16(),
                took,
                database: tally.database(),
                client: tally.client().map(|client| client.to_string()),
            });
        }
        match (&self.requests, &refusal) {
            (Some(requests), refusal) => requests.add(&Line {
                id: visit.id,
                method: &visit.method,
                route,
                address: visit.address,
                status,
                took,
                tally,
                refusal: refusal.as_ref(),
            }),
            (None, Some(refusal)) => refusal.log(visit.id, route),
            (None, None) => {}
        }
        let headers = response.headers_mut();
        headers.insert(X_REQUEST_ID, visit.id.header());
        self.transport.harden(headers);
        // RFC 9113 §8.2.2 has no such header in HTTP/2.
        if visit.version < Version::HTTP_2 && self.readiness.is_stopping() {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

fn header_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

/// What a panic says, if it says it in text.
fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("not a text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_is_believed_when_it_keeps_to_the_form() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        for (header, accepted) in [
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true),
            ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", true),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", false),
            ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01more", false),
            ("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false),
            ("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false),
            ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", false),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false),
            ("00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01", false),
            ("00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736", false),
            ("-------------------------------------------------------", false),
            ("", false),
        ] {
            let read = TraceId::from_traceparent(header.as_bytes()).map(|id| id.to_string());
            assert_eq!(read.as_deref(), accepted.then_some(trace), "{header}");
        }
        assert_eq!(TraceId::from_traceparent(&[0xff; 55]), None);
    }
}
