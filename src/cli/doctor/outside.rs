//! The front door: what browsers and clients meet at the issuer's URL.
//!
//! OIDC Discovery §4, RFC 7517 §5, RFC 5280 §4.1.2.5.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::header::DATE;
use http::{Request, Response};
use serde_json::Value;

use crate::cli::doctor::{Finding, Subject};
use crate::edge::fetch::{Addresses, Fetch, FetchError, FetchPolicy, PeerCertificate};
use crate::http::tls;
use crate::protocol::certificate::not_after;
use crate::protocol::numeric_date::NumericDate;

/// How long before its end a certificate should have been renewed; common authorities renew 30 days before.
const RENEW_BEFORE: Duration = Duration::from_hours(14 * 24);

/// What an operator's own questions may cost and reach.
const POLICY: FetchPolicy =
    FetchPolicy { max_bytes: 1024 * 1024, timeout: Duration::from_secs(10), addresses: Addresses::Anywhere };

/// The answer at the discovery URL.
pub(super) struct Discovery {
    status: u16,
    document: Option<Value>,
    /// The clock at the other end.
    pub(super) date: Option<NumericDate>,
    /// When the certificate ends that was shown.
    ends: Option<NumericDate>,
}

/// Why there is none.
pub(super) struct NoAnswer(FetchError);

/// Asks `issuer` for its discovery document.
pub(super) async fn ask(fetch: &dyn Fetch, issuer: &str) -> Result<Discovery, NoAnswer> {
    let answer = get(fetch, &format!("{issuer}/.well-known/openid-configuration"), &[]).await.map_err(NoAnswer)?;
    let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| chrono::DateTime::parse_from_rfc2822(date).ok());
    Ok(Discovery {
        status: answer.status().as_u16(),
        document: serde_json::from_slice(answer.body()).ok().filter(Value::is_object),
        date: date.map(|date| NumericDate::from_seconds(date.timestamp())),
        ends: answer.extensions().get::<PeerCertificate>().and_then(|shown| not_after(&shown.0)),
    })
}

/// One request to a URL of the operator's own.
pub(super) async fn get(
    fetch: &dyn Fetch,
    url: &str,
    headers: &[(http::HeaderName, &str)],
) -> Result<Response<Bytes>, FetchError> {
    let mut request = Request::get(url);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let request = request.body(Bytes::new()).map_err(|_| FetchError::Refused("it is no URL"))?;
    fetch.send(request, POLICY).await
}

/// The certificate of our own, and the one that is shown at the front door.
pub(super) fn certificate(subject: &Subject) -> BoxFuture<'_, Vec<Finding>> {
    async move {
        let now = subject.world.clock.now();
        let mut found = Vec::new();
        if let Some((certificate, key)) = subject.config.server.tls.files() {
            found.push(if let Err(error) = tls::Certificates::load(&certificate, &key) {
                Finding::wrong(error.to_string(), "write both files anew; the server takes them over by itself")
            } else {
                let ends = tls::leaf(&certificate).ok().and_then(|leaf| not_after(&leaf));
                lasts("the certificate of server.tls.certificate", ends, now)
            });
        }
        if let Ok(Discovery { ends: Some(ends), .. }) = &subject.discovery {
            found.push(lasts("the certificate at the front door", Some(*ends), now));
        }
        found
    }
    .boxed()
}

fn lasts(what: &str, ends: Option<NumericDate>, now: NumericDate) -> Finding {
    let renew = "renew it; the server takes changed files over by itself, a proxy may have to be told";
    match ends {
        None => Finding::warning(format!("{what} does not say when it ends"), renew),
        Some(ends) if ends.is_past(now) => {
            Finding::wrong(format!("{what} ended {} d ago", now.since(ends).as_secs() / 86_400), renew)
        }
        Some(ends) if ends.since(now) < RENEW_BEFORE => {
            Finding::warning(format!("{what} ends in {} d", ends.since(now).as_secs() / 86_400), renew)
        }
        Some(ends) => Finding::good(format!("{what} lasts another {} d", ends.since(now).as_secs() / 86_400)),
    }
}

/// Whether the issuer's URL leads anywhere.
pub(super) fn issuer(subject: &Subject) -> BoxFuture<'_, Vec<Finding>> {
    async move {
        let issuer = subject.config.issuer.as_str();
        vec![match &subject.discovery {
            Err(NoAnswer(error)) => unreachable(issuer, error),
            Ok(Discovery { status: 200, document: Some(_), .. }) => Finding::good(format!("{issuer} answers")),
            Ok(Discovery { status: 200, document: None, .. }) => Finding::wrong(
                format!("{issuer}/.well-known/openid-configuration is no JSON: something else answers there"),
                "have the proxy pass every path on to server.listen, with the path as it is",
            ),
            Ok(Discovery { status, .. }) => {
                let cure = match status {
                    502..=504 => {
                        "the proxy does not reach server.listen: start the server, or correct the proxy's upstream"
                    }
                    300..=399 => {
                        "have the proxy answer itself in place of redirecting: clients compare the issuer byte for byte"
                    }
                    _ => "have the proxy pass every path on to server.listen; an issuer with a path keeps it",
                };
                Finding::wrong(format!("{issuer}/.well-known/openid-configuration answers {status}"), cure)
            }
        }]
    }
    .boxed()
}

fn unreachable(issuer: &str, error: &FetchError) -> Finding {
    let reason = error.to_string();
    let cure = if reason.contains("certificate") {
        "serve the whole chain of a certificate that this machine trusts, for this very name; SSL_CERT_FILE names a private authority"
    } else if reason.contains("dns") || reason.contains("lookup") {
        "correct the name in `issuer`, or its DNS record"
    } else {
        "start what listens there, open the port, or correct `issuer`"
    };
    Finding::wrong(format!("{issuer} cannot be reached: {reason}"), cure)
}

/// Whether the document is ours.
pub(super) fn discovery(subject: &Subject) -> BoxFuture<'_, Vec<Finding>> {
    async move {
        let Ok(Discovery { document: Some(document), .. }) = &subject.discovery else { return Vec::new() };
        let (ours, theirs) =
            (subject.config.issuer.as_str(), document.get("issuer").and_then(Value::as_str).unwrap_or_default());
        vec![if ours == theirs {
            Finding::good("names this issuer")
        } else {
            Finding::wrong(
                format!("the document at {ours} names another issuer, {theirs}: every client refuses it"),
                "another server answers there, or this one runs with other settings: restart it with these",
            )
        }]
    }
    .boxed()
}

/// Whether the published keys are those of the database.
pub(super) fn jwks(subject: &Subject) -> BoxFuture<'_, Vec<Finding>> {
    async move {
        let Ok(Discovery { document: Some(document), .. }) = &subject.discovery else { return Vec::new() };
        let Some(url) = document.get("jwks_uri").and_then(Value::as_str) else {
            return vec![Finding::wrong("discovery names no jwks_uri", "another server answers at the issuer's URL")];
        };
        let answer = match get(&*subject.world.fetch, url, &[]).await {
            Ok(answer) => answer,
            Err(error) => return vec![Finding::wrong(format!("{url} cannot be reached: {error}"), "have the proxy pass every path on")],
        };
        let set: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        let Some(published) = set.get("keys").and_then(Value::as_array) else {
            let message = format!("{url} answers {} and no keys", answer.status().as_u16());
            return vec![Finding::wrong(message, "have the proxy pass every path on, and not rewrite answers")];
        };
        let published: BTreeSet<&str> = published.iter().filter_map(|key| key.get("kid").and_then(Value::as_str)).collect();
        let stored = match &subject.edges {
            Some(edges) => edges.store.signing_keys().await.unwrap_or_default(),
            None => return vec![Finding::good(format!("{} keys are published", published.len()))],
        };
        let missing: Vec<&str> = stored.iter().map(|key| key.kid.as_str()).filter(|kid| !published.contains(kid)).collect();
        vec![if missing.is_empty() {
            Finding::good(format!("{} keys are published, all of the database among them", published.len()))
        } else {
            Finding::wrong(
                format!("{} keys of the database are not published: {}", missing.len(), missing.join(" ")),
                "a cache in front keeps the document too long (it may for an hour, with revalidation), or the server uses another database",
            )
        }]
    }
    .boxed()
}
