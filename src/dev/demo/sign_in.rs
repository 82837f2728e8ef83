//! Signing in and out: the requests that pass through the browser.
//!
//! OIDC Core §3.1.2 and §4 (login begun elsewhere), RFC 9207, OIDC RP-Initiated Logout §2 and §3.

use std::collections::BTreeMap;

use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use url::form_urlencoded;

use super::Demo;
use super::check::Check;
use super::client::Wish;
use super::exchange::{Carrier, Exchange, Field, Journal};
use super::failure::Failure;
use super::page;
use super::visit::{Notice, PendingRequest};
use super::visitor::{Visitor, with_cookie};

/// What `/sign-in` may be told, by our own links or by a third party (OIDC Core §4).
#[derive(Debug, Deserialize)]
pub(super) struct SignIn {
    prompt: Option<String>,
    max_age: Option<u64>,
    login_hint: Option<String>,
    iss: Option<String>,
}

/// The form of the sign-out button.
#[derive(Deserialize)]
pub(super) struct SignOut {
    csrf: String,
}

/// `GET /sign-in`: sends the browser to the server.
pub(super) async fn begin(State(demo): State<Demo>, mut visitor: Visitor, Query(asked): Query<SignIn>) -> Response {
    if asked.iss.as_ref().is_some_and(|issuer| *issuer != demo.0.settings.issuer) {
        let failure = Failure::new("Another server asked for this sign-in", "iss is not the issuer this app knows.");
        return page::failed(&demo, StatusCode::BAD_REQUEST, &failure);
    }
    let wish = Wish {
        prompt: asked.prompt.filter(|prompt| !prompt.is_empty()),
        max_age: asked.max_age,
        login_hint: asked.login_hint.filter(|hint| !hint.is_empty()),
    };
    let mut journal = Journal::default();
    let client = &demo.0.client;
    let begun = client
        .discover(&mut journal)
        .await
        .and_then(|provider| client.authorization_request(provider, &wish, demo.0.random.as_ref()));
    match begun {
        Ok((url, pending)) => {
            journal.0.push(Exchange::redirect("Authorization request", &url));
            let cookie = visitor.update(&demo, |visit| {
                visit.record(journal);
                visit.begin(pending);
                visit.notice = None;
            });
            with_cookie(Redirect::to(url.as_str()).into_response(), cookie)
        }
        Err(failure) => {
            let cookie = visitor.record(&demo, journal, Notice::bad(failure.title.clone()));
            with_cookie(page::failed(&demo, StatusCode::BAD_GATEWAY, &failure), cookie)
        }
    }
}

/// `GET /callback`: the answer of the authorization endpoint.
pub(super) async fn callback(State(demo): State<Demo>, mut visitor: Visitor, uri: axum::http::Uri) -> Response {
    let answer = AuthorizationAnswer::parse(uri.query().unwrap_or_default());
    let pending =
        answer.get("state").and_then(|state| visitor.known(&demo, |visit| visit.take_pending(state))).flatten();
    let mut journal = Journal::default();
    let outcome = match answer.accept(pending, &demo, &mut journal) {
        Ok((code, pending)) => demo.0.client.redeem(&code, pending, demo.0.clock.now(), &mut journal).await,
        Err(failure) => Err(failure),
    };
    match outcome {
        Ok(signed_in) => {
            let notice = Notice::good(format!("Signed in as {}: every check below passed.", signed_in.name()));
            visitor.record(&demo, journal, notice);
            let csrf = demo.0.random.token();
            visitor.known(&demo, |visit| {
                visit.signed_in = Some(signed_in);
                visit.csrf = csrf;
            });
            let cookie = visitor.renew(&demo);
            with_cookie(Redirect::to("/").into_response(), cookie)
        }
        Err(failure) => {
            let cookie = visitor.record(&demo, journal, Notice::bad(failure.title.clone()));
            with_cookie(page::failed(&demo, StatusCode::BAD_REQUEST, &failure), cookie)
        }
    }
}

/// `POST /sign-out`: signs out here, then sends the browser to the server to sign out there.
pub(super) async fn sign_out(State(demo): State<Demo>, visitor: Visitor, Form(form): Form<SignOut>) -> Response {
    let visit = match visitor.prove(&demo, &form.csrf) {
        Ok(visit) => visit,
        Err(failure) => return page::failed(&demo, StatusCode::FORBIDDEN, &failure),
    };
    let Some(signed_in) = visit.signed_in else { return Redirect::to("/").into_response() };
    let state = demo.0.random.token();
    let request = demo.0.client.logout_request(&signed_in, &state);
    visitor.known(&demo, |visit| visit.signed_in = None);
    match request {
        Ok(url) => {
            visitor.known(&demo, |visit| {
                visit.record(Journal(vec![Exchange::redirect("Logout request", &url)]));
                visit.logout_state = Some(state);
                visit.notice = None;
            });
            Redirect::to(url.as_str()).into_response()
        }
        Err(failure) => page::failed(&demo, StatusCode::BAD_GATEWAY, &failure),
    }
}

/// `GET /signed-out`: the way back from the server's sign-out.
pub(super) async fn signed_out(State(demo): State<Demo>, mut visitor: Visitor, uri: axum::http::Uri) -> Response {
    let answer = AuthorizationAnswer::parse(uri.query().unwrap_or_default());
    let sent = visitor.known(&demo, |visit| visit.logout_state.take()).flatten();
    let Some(sent) = sent else { return Redirect::to("/").into_response() };
    let matches = answer.get("state").is_some_and(|state| sent.matches(state));
    let mut exchange =
        Exchange::new("Logout answer", Carrier::Browser, format!("GET {}", demo.0.client.post_logout_redirect_uri));
    exchange.parameters = answer.fields();
    let detail = if matches { "the one that was sent" } else { "not the one that was sent" };
    exchange.checks.push(Check::new("state", matches, detail));
    let notice = if matches {
        Notice::good("Signed out here and at the server.")
    } else {
        Notice::bad("Signed out here; the answer of the server does not belong to this browser's request.")
    };
    visitor.record(&demo, Journal(vec![exchange]), notice);
    Redirect::to("/").into_response()
}

/// The parameters that came back; a repeated one makes them unusable (RFC 6749 §3.1).
struct AuthorizationAnswer {
    query: String,
    parameters: BTreeMap<String, String>,
    repeated: bool,
}

impl AuthorizationAnswer {
    fn parse(query: &str) -> Self {
        let mut parameters = BTreeMap::new();
        let mut repeated = false;
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            repeated |= parameters.insert(name.into_owned(), value.into_owned()).is_some();
        }
        Self { query: query.to_owned(), parameters, repeated }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn fields(&self) -> Vec<Field> {
        self.parameters.iter().map(|(name, value)| Field::new(name, value)).collect()
    }

    /// The code and the request it belongs to, when the answer may be believed.
    fn accept(
        &self,
        pending: Option<PendingRequest>,
        demo: &Demo,
        journal: &mut Journal,
    ) -> Result<(String, PendingRequest), Failure> {
        let line = format!("GET {}?{}", demo.0.client.redirect_uri, self.query);
        let mut exchange = Exchange::new("Authorization response", Carrier::Browser, line);
        exchange.parameters = self.fields();
        let checks = self.checks(pending.as_ref(), &demo.0.settings.issuer);
        exchange.checks.clone_from(&checks);
        journal.0.push(exchange);

        let Some(pending) = pending else {
            let detail = "Its state belongs to no request this browser has under way: it was answered before, or it began elsewhere.";
            return Err(Failure::new("This answer is not for this browser", detail));
        };
        if let Some(failed) = checks.iter().find(|check| !check.passed) {
            return Err(Failure::new("The answer is not believed", format!("{}: {}", failed.name, failed.detail)));
        }
        if let Some(error) = self.get("error") {
            return Err(Failure::answered("The server did not sign you in", error, self.get("error_description")));
        }
        let code =
            self.get("code").ok_or_else(|| Failure::new("The answer is empty", "It has neither code nor error."))?;
        Ok((code.to_owned(), pending))
    }

    fn checks(&self, pending: Option<&PendingRequest>, issuer: &str) -> Vec<Check> {
        let state = if pending.is_some() { "belongs to a request of this browser" } else { "unknown in this browser" };
        let mut checks = vec![Check::new("state", pending.is_some(), state)];
        if self.repeated {
            checks.push(Check::new("parameters", false, "one of them is repeated"));
        }
        let promised = pending.is_some_and(|pending| pending.provider.authorization_response_iss_parameter_supported);
        if promised || self.get("iss").is_some() {
            checks.push(Check::equal("iss", self.get("iss"), issuer));
        }
        checks
    }
}

#[cfg(test)]
mod answers {
    use super::*;
    use crate::dev::demo::provider::Provider;
    use crate::protocol::secret::Secret;

    fn pending(promises_iss: bool) -> PendingRequest {
        PendingRequest {
            state: Secret::from("s"),
            nonce: Secret::from("n"),
            code_verifier: Secret::from("v"),
            max_age: None,
            provider: Provider { authorization_response_iss_parameter_supported: promises_iss, ..Provider::default() },
        }
    }

    /// RFC 9207 §2.4; RFC 6749 §10.12.
    #[test]
    fn an_answer_is_believed_only_from_its_own_server_and_in_its_own_browser() {
        let own = Some(pending(true));
        let silent = Some(pending(false));
        for (query, pending, believed) in [
            ("code=c&state=s&iss=http%3A%2F%2Fa", &own, true),
            ("code=c&state=s", &own, false),
            ("code=c&state=s&iss=http%3A%2F%2Fb", &own, false),
            ("code=c&state=s", &silent, true),
            ("code=c&state=s&iss=http%3A%2F%2Fb", &silent, false),
            ("code=c&code=d&state=s&iss=http%3A%2F%2Fa", &own, false),
            ("code=c&state=other&iss=http%3A%2F%2Fa", &None, false),
        ] {
            let checks = AuthorizationAnswer::parse(query).checks(pending.as_ref(), "http://a");
            assert_eq!(checks.iter().all(|check| check.passed), believed, "{query}: {checks:?}");
        }
    }
}
