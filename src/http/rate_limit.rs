//! How often each route hears an address: one table, for the API and for pages alike.
//!
//! S-122, S-123; RFC 6585 §4 (429), draft-ietf-httpapi-ratelimit-headers (`RateLimit-Policy`, `RateLimit`). Rules and their rates are in
//! `authn::limit`; an address that is blocked for its failures is heard nowhere in this table, but for a browser that may be known where
//! an account is judged that may know it (PROTOCOL A5): not in [`TO_ANYBODY`]. The layer stands around pages and the challenge endpoint,
//! and within that of the API, which writes its refusals down. What is counted by the address that a message goes to, or by account, is
//! counted where the account is known. To limit a route: a line in [`ROUTES`].
//!
//! *Which pages write when they are opened, and what bounds each:* safe methods are not counted, but for [`OPENED`]. Of the others,
//! `/oauth2/authorize` puts a request aside where a person has to be asked, and counts it there, since most of its answers write nothing;
//! `/federation/{slug}/callback` uses up what was put aside by the start, and counts a stranger's before it writes down that there was one
//! (`page::federation`); `/sign-in/qr`, `/sign-in/second` and `/device` of who is signed in go on with what a counted request began; pages
//! of links, sign-in, registration and recovery are drawn from the request and from cookies, and write nothing.

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};

use crate::authn::Refusal;
use crate::authn::limit::{Exceeded, Rate, Rule};
use crate::http::api;
use crate::http::api::code::Code;
use crate::http::api::problem::Problem;
use crate::http::error::PageError;
use crate::http::extract::visitor::Caller;
use crate::http::trace::TraceId;
use crate::http::web::Web;
use crate::model::fault::Fault;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Routes whose unsafe methods are counted, below the path of the issuer, each with its rules.
pub const ROUTES: &[(&str, &[Rule])] = &[
    ("/sign-in", &[Rule::SignIn]),
    ("/sign-in/link", &[Rule::SignIn]),
    ("/api/v1/sign-in", &[Rule::SignIn]),
    ("/api/v1/tokens", &[Rule::SignIn]),
    ("/oauth2/challenge", &[Rule::SignIn]),
    ("/api/v1/sign-in/challenge", &[Rule::Challenge, Rule::Otp]),
    ("/api/v1/sign-in/challenge/send", &[Rule::Otp]),
    ("/sign-in/passkey", &[Rule::SignIn]),
    ("/sign-in/email_code", &[Rule::SignIn, Rule::Otp]),
    ("/sign-in/magic_link", &[Rule::SignIn, Rule::Otp]),
    ("/sign-in/magic", &[Rule::Challenge]),
    ("/sign-in/sms_code", &[Rule::SignIn, Rule::Otp]),
    ("/sign-in/qr", &[Rule::SignIn]),
    ("/device", &[Rule::Challenge]),
    ("/sign-in/second", &[Rule::Challenge, Rule::Otp]),
    ("/api/v1/me/mfa", &[Rule::Challenge]),
    ("/api/v1/me/authenticators/{id}/confirm", &[Rule::Challenge]),
    ("/register", &[Rule::Registration, Rule::Otp]),
    ("/register/code", &[Rule::Otp]),
    ("/recover", &[Rule::PasswordReset, Rule::Otp]),
    ("/recover/code", &[Rule::Challenge, Rule::Otp]),
    ("/recover/password", &[Rule::Challenge]),
    ("/recover/email", &[Rule::PasswordReset, Rule::Otp]),
    ("/recover/email/code", &[Rule::Otp]),
    ("/invitation", &[Rule::Challenge]),
    ("/api/v1/invitations/inspect", &[Rule::Challenge]),
    ("/api/v1/invitations/accept", &[Rule::Challenge]),
    ("/activate", &[Rule::Challenge]),
    ("/email-change", &[Rule::Otp]),
    ("/email-change/undo", &[Rule::Challenge]),
    ("/account/restore", &[Rule::Challenge]),
    ("/account/export", &[Rule::Challenge]),
    ("/account/not-me", &[Rule::Challenge]),
    ("/api/v1/registrations", &[Rule::Registration, Rule::Otp]),
    ("/api/v1/registrations/confirm", &[Rule::Otp]),
    ("/api/v1/registrations/resend", &[Rule::Otp]),
    ("/api/v1/registrations/activate", &[Rule::Challenge]),
    ("/api/v1/password-resets", &[Rule::PasswordReset, Rule::Otp]),
    ("/api/v1/password-resets/inspect", &[Rule::Challenge]),
    ("/api/v1/password-resets/confirm", &[Rule::Challenge, Rule::Otp]),
    ("/api/v1/recovery/emails", &[Rule::PasswordReset, Rule::Otp]),
    ("/api/v1/recovery/emails/confirm", &[Rule::Otp]),
    ("/api/v1/email-changes/confirm", &[Rule::Otp]),
    ("/api/v1/password-checks", &[Rule::PasswordCheck]),
    ("/api/v1/me/avatar", &[Rule::Challenge]),
    ("/account/profile/picture", &[Rule::Challenge]),
    ("/account/invitations", &[Rule::Challenge]),
    ("/api/v1/me/password", &[Rule::Challenge]),
    ("/account/password", &[Rule::Challenge]),
    ("/api/v1/me/reauth", &[Rule::Challenge]),
    ("/sign-in/passkey/offer", &[Rule::Challenge]),
    ("/sign-in/again", &[Rule::Challenge]),
];

/// Of these, where no account knows a browser: they make accounts, or send messages to whomever somebody names. A mark is good for nothing
/// there, else whoever has an account has one too (S-123). What a sign-in sends is judged where its account is known.
pub const TO_ANYBODY: &[&str] = &[
    "/register",
    "/register/code",
    "/recover",
    "/recover/email",
    "/api/v1/registrations",
    "/api/v1/registrations/confirm",
    "/api/v1/registrations/resend",
    "/api/v1/password-resets",
    "/api/v1/recovery/emails",
];

/// Routes whose safe methods are counted as well: opening one puts something aside for whoever comes.
pub const OPENED: &[(&str, &[Rule])] = &[
    // Where somebody who left for another server comes back to, for fifteen minutes.
    ("/federation/{slug}/start", &[Rule::Waiting]),
    // The code of a device, while its person signs in.
    ("/device", &[Rule::Waiting]),
];

/// The rules of a route, by its path below that of the issuer.
pub fn rules(path: &str) -> &'static [Rule] {
    ROUTES.iter().find(|(route, _)| *route == path).map_or(&[], |(_, rules)| rules)
}

/// The layer.
pub async fn limit(State(web): State<Web>, id: TraceId, request: Request, next: Next) -> Response {
    let path = path_of(&web, &request).to_owned();
    let rules = if request.method().is_safe() { opened(&path) } else { rules(&path) };
    if rules.is_empty() {
        return next.run(request).await;
    }
    let Caller(address) = Caller::of(request.extensions(), request.headers(), &web);
    // Whether the account knows the browser is judged where the account is known; here, whether any may. Who opens a page guesses nothing.
    let may_be_known = request.method().is_safe()
        || !TO_ANYBODY.contains(&path.as_str())
            && web.cookies.device(request.headers()).is_some_and(|mark| web.devices.is_genuine(&mark));
    let refused = match heard(&web, rules, (&address, may_be_known)).await {
        Ok(()) => {
            let mut response = next.run(request).await;
            describe(&web, rules, response.headers_mut());
            return response;
        }
        Err(refused) => refused,
    };
    let mut response = refused.answer(&web, id, &request);
    describe(&web, rules, response.headers_mut());
    response
}

/// Why a request is not heard.
enum Unheard {
    Often(Exceeded),
    Blocked(u64),
    Fault(Fault),
}

impl From<Fault> for Unheard {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// The route of a request below the path of the issuer; empty for none of ours.
fn path_of<'a>(web: &Web, request: &'a Request) -> &'a str {
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
    path.strip_prefix(web.provider.issuer.path()).unwrap_or_default()
}

fn opened(path: &str) -> &'static [Rule] {
    OPENED.iter().find(|(route, _)| *route == path).map_or(&[], |(_, rules)| rules)
}

async fn heard(web: &Web, rules: &[Rule], (address, may_be_known): (&str, bool)) -> Result<(), Unheard> {
    let (edges, now) = (&web.provider.edges, web.provider.now());
    if !may_be_known {
        match web.throttle.check_address(edges, address, now).await {
            Ok(()) => {}
            Err(Refusal::TooMany(seconds)) => return Err(Unheard::Blocked(seconds)),
            Err(Refusal::Fault(fault)) => return Err(fault.into()),
            Err(_) => return Err(Fault::internal("an address is refused without a time").into()),
        }
    }
    for rule in rules {
        web.limits.count(&*edges.ephemeral, (*rule, address), now).await?.map_err(Unheard::Often)?;
    }
    Ok(())
}

impl Unheard {
    fn answer(self, web: &Web, id: TraceId, request: &Request) -> Response {
        let is_api = api::is_below(web, request.uri().path());
        let (code, key, seconds) = match &self {
            Self::Often(exceeded) => (Code::RateLimited, "rate_limited", exceeded.retry_after),
            Self::Blocked(seconds) => (Code::TooManyAttempts, "too_many_attempts", *seconds),
            Self::Fault(fault) if is_api => return Problem::from(fault.clone()).into_response(),
            Self::Fault(fault) => {
                return web.pages.refuse(id, request.headers(), &PageError::from(fault.clone()));
            }
        };
        let mut response = if is_api {
            Problem::new(code).retry_after(seconds).into_response()
        } else {
            web.pages.refuse(id, request.headers(), &PageError::new(key, StatusCode::TOO_MANY_REQUESTS))
        };
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        if let Self::Often(exceeded) = self {
            insert(response.headers_mut(), RATE_LIMIT, &room(exceeded));
        }
        response
    }
}

/// Tells which policies a route has, so that a client can keep to them.
fn describe(web: &Web, rules: &[Rule], headers: &mut HeaderMap) {
    let policies: Vec<String> =
        rules.iter().filter_map(|rule| web.limits.rate(*rule).map(|rate| policy(*rule, rate))).collect();
    announce(headers, &policies);
}

/// Tells of a rule that is counted by account or by the address that a message goes to, and allows no more: the same headers as for those
/// of the table, beside which it stands.
pub fn tell(exceeded: Exceeded, headers: &mut HeaderMap) {
    headers.insert(RETRY_AFTER, HeaderValue::from(exceeded.retry_after));
    insert(headers, RATE_LIMIT, &room(exceeded));
    announce(headers, &[policy(exceeded.rule, exceeded.rate)]);
}

/// An item of `RateLimit-Policy`.
fn policy(rule: Rule, Rate { most, seconds }: Rate) -> String {
    format!("\"{}\";q={most};w={seconds}", rule.as_str())
}

/// An item of `RateLimit`.
fn room(exceeded: Exceeded) -> String {
    format!("\"{}\";r=0;t={}", exceeded.rule.as_str(), exceeded.retry_after)
}

/// Adds to the policies that an answer has, of which there is one list.
fn announce(headers: &mut HeaderMap, policies: &[String]) {
    let before = headers.get(RATE_LIMIT_POLICY).and_then(|before| before.to_str().ok()).map(str::to_owned);
    let known = before.iter().chain(policies).cloned().collect::<Vec<_>>().join(", ");
    if !known.is_empty() {
        insert(headers, RATE_LIMIT_POLICY, &known);
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    // Names of rules and numbers.
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_route_stands_once_and_has_rules() {
        for table in [ROUTES, OPENED] {
            let paths: BTreeSet<&str> = table.iter().map(|(path, _)| *path).collect();
            assert_eq!(paths.len(), table.len());
            assert!(table.iter().all(|(path, rules)| path.starts_with('/') && !rules.is_empty()));
        }
    }

    /// S-123
    #[test]
    fn no_mark_opens_what_is_for_anybody() {
        let is_for_anybody = |rule: &Rule| matches!(rule, Rule::Registration | Rule::PasswordReset);
        for (path, _) in ROUTES.iter().filter(|(_, rules)| rules.iter().any(is_for_anybody)) {
            assert!(TO_ANYBODY.contains(path), "{path} makes accounts or sends messages to anybody");
        }
        assert!(TO_ANYBODY.iter().all(|path| !rules(path).is_empty()));
    }
}
