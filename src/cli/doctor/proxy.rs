//! The proxy in front: whether there is one, whether it is listed, and whether its word on the caller can be relied on.
//!
//! PROTOCOL.md O5. A request with a forged `X-Forwarded-For` is sent through the front door; the server tells what it saw.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::HeaderName;

use crate::cli::doctor::outside::get;
use crate::cli::doctor::{Finding, Subject};
use crate::cli::operations::ask;
use crate::http::probe::{SYMBOLON_PROBE, Seen};

/// An address that nobody has (RFC 5737).
const FORGED: &str = "203.0.113.77";
const APPEND: &str =
    "have the proxy append the address it sees (nginx: `proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;`)";

pub(super) fn look(subject: &Subject) -> BoxFuture<'_, Vec<Finding>> {
    async move {
        let bytes: [u8; 16] = subject.world.random.bytes();
        let id = format!("{:032x}", u128::from_be_bytes(bytes));
        let headers = [(SYMBOLON_PROBE, id.as_str()), (HeaderName::from_static("x-forwarded-for"), FORGED)];
        let url = format!("{}/healthz", subject.config.issuer.as_str());
        // What cannot be reached has been told by the check of the issuer.
        if get(&*subject.world.fetch, &url, &headers).await.is_err() {
            return Vec::new();
        }
        let operations = subject.config.server.operations.to_string();
        let Ok(answer) = ask(&operations, "GET", &format!("/probes/{id}")).await else { return Vec::new() };
        match serde_json::from_slice::<Seen>(&answer.body) {
            Ok(seen) => vec![judge(subject, &seen)],
            Err(_) => vec![Finding::wrong(
                format!("a request to {url} did not arrive at this server"),
                "another server answers there, or one of several nodes did: run this on each, with its own address in `issuer`'s DNS",
            )],
        }
    }
    .boxed()
}

fn judge(subject: &Subject, seen: &Seen) -> Finding {
    let Seen { peer, peer_is_trusted, forwarded, .. } = seen;
    let is_listed = !subject.config.server.trusted_proxies.is_empty();
    let has_proxy = forwarded.as_deref() != Some(FORGED)
        || (subject.config.issuer.is_https() && subject.config.server.tls.files().is_none());
    // What the proxy itself saw stands last. Whom the server counts tells less: run on the proxy's own machine, this very
    // command comes from an address that is listed.
    let last = forwarded.as_deref().and_then(|all| all.rsplit(',').next()).map(str::trim);
    match (*peer_is_trusted, last) {
        (true, None) => {
            Finding::wrong(format!("the proxy at {peer} does not say who calls: limits count everybody as one"), APPEND)
        }
        (true, Some(FORGED)) => Finding::wrong(
            "callers choose the address that limits count them by: X-Forwarded-For is passed on as they send it",
            APPEND,
        ),
        (true, Some(last)) => Finding::good(format!("the proxy at {peer} is listed and tells who calls: {last}")),
        (false, _) if has_proxy => Finding::wrong(
            format!(
                "a proxy at {peer} stands in front and is not listed: limits count everybody who comes through it as one"
            ),
            format!("write server.trusted_proxies = [\"{peer}\"], and {APPEND}"),
        ),
        (false, _) if is_listed => Finding::warning(
            "proxies are listed, and a request came without one",
            "listen where only the proxy can reach it: server.listen = \"localhost:8080\"",
        ),
        (false, _) => Finding::good("none stands in front, and none is listed"),
    }
}
