//! `/sign-in/second`: the proof after the first one, and the way to a second factor for who has none.
//!
//! S-100, S-106, S-112; PROTOCOL S8. A sign-in under way is known by a cookie of its own that holds the handle of `authn/flow.rs`: it
//! opens nothing but this page, in the browser that began, for five minutes.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use http::header::HeaderValue;

use crate::account::second_factor::Stays;
use crate::authn::flow::{Chosen, Completed, ENROLMENT, Opening, Step};
use crate::authn::totp::TotpSetup;
use crate::authn::{Attempt, Begun, Method, Refusal, Unsent, magic_link, passkey};
use crate::edge::template::context;
use crate::http::cookie::{FlowCookie, Keep as CookieLife};
use crate::http::error::PageError;
use crate::http::extract::params::{Form, Query};
use crate::http::extract::visitor::Visitor;
use crate::http::page::mistake::Wait;
use crate::http::page::passkey::{answered, binding, shown as shown_passkey};
use crate::http::page::qr;
use crate::http::page::sign_in::{Entry, Offer, admit, attempt, destination, enter, onward};
use crate::http::page::{Place, fault_page, foreign_form, lead, open_at};
use crate::http::qr::Picture;
use crate::http::web::{Web, redirect, shown, way_back, with_cookies};
use crate::model::authentication::Demand;
use crate::model::client::Client;
use crate::model::fault::Fault;
use crate::model::session::Session;
use crate::model::sign_in_flow::{Asked, BegunBy, Progress, Purpose, SignInFlow};
use crate::oauth::endpoint::authorize::{Next, go_on};
use crate::oauth::interaction::Open;
use crate::oauth::interaction::sign_in::Persistence;
use crate::protocol::params::Params;
use crate::protocol::secret::{Secret, TokenHash};

/// Its path.
pub const PATH: &str = "/sign-in/second";

/// What a browser waits for here.
pub struct Waiting {
    /// The handle of the sign-in.
    pub handle: Secret,
    /// How far it is.
    pub flow: SignInFlow,
}

/// Goes on from a step of a sign-in that began on one of our pages: into a session, or to the page of the next proof.
pub async fn arrive(web: &Web, visitor: Visitor, step: Step, entry: Entry) -> Response {
    let challenge = match step {
        Step::Complete(completed) => return enter(web, visitor, completed, entry).await,
        Step::Challenge(challenge) => challenge,
    };
    let place = entry.open.as_ref().map(Place::open).unwrap_or_default();
    let response = redirect(&place.path_with(web, PATH, &carried(entry.persistence, entry.destination, entry.offer)));
    with_cookies(response, [web.cookies.set_half(&challenge.flow)])
}

/// `GET /sign-in/second`
pub async fn show(State(web): State<Web>, visitor: Visitor, Query(query): Query) -> Response {
    let place = Place::of(&query);
    let open = match open_at(&web, &visitor, &place).await {
        Ok(open) => open,
        Err(response) => return *response,
    };
    if query.get("raise").is_some() {
        return raise(&web, &visitor, (&place, open)).await;
    }
    match waiting(&web, &visitor).await {
        // A picture waits for no code: its page is another.
        Ok(Some(waiting)) if qr::waits(&waiting.flow) => redirect(&place.path(&web, qr::PATH)),
        Ok(Some(waiting)) => {
            let asked = chosen(&waiting.flow, &query);
            page(&web, &visitor, (&place, open.as_ref()), (&query, &waiting), Shown { asked, ..Shown::default() }).await
        }
        Ok(None) => redirect(&place.path(&web, "/sign-in")),
        Err(fault) => fault_page(&web, &visitor, fault),
    }
}

/// `POST /sign-in/second`
pub async fn submit(State(web): State<Web>, visitor: Visitor, Query(query): Query, Form(form): Form) -> Response {
    let place = Place::of(&query);
    let open = match open_at(&web, &visitor, &place).await {
        Ok(open) => open,
        Err(response) => return *response,
    };
    let waiting = match waiting(&web, &visitor).await {
        Ok(Some(waiting)) => waiting,
        Ok(None) => return redirect(&place.path(&web, "/sign-in")),
        Err(fault) => return fault_page(&web, &visitor, fault),
    };
    // A form of another sign-in, in another tab, is not taken for this one's.
    let purpose = purpose(&place, &waiting.handle);
    if let Err(error) = web.csrf.check(&visitor.headers, visitor.flow.as_ref(), &purpose, form.get("csrf")) {
        return foreign_form(&web, &visitor, error, place.path(&web, PATH));
    }
    let asked = chosen(&waiting.flow, &form);
    let Some(challenge) = asked.clone() else { return redirect(&place.path(&web, "/sign-in")) };
    let chosen = Chosen { method: &challenge.method, id: Some(&challenge.id) };
    let onward = onward(open.as_ref(), persistence(&query));
    let attempt = Attempt { onward, ..attempt(&web, &visitor, open.as_ref().map(|open| &*open.client)) };
    let (sign_in, caller) = (web.sign_in(), caller(&visitor));
    let mut shown = Shown { asked, ..Shown::default() };
    if form.get("do") == Some("begin") {
        let refusal = match sign_in.begin(&attempt, (&waiting.handle, &caller), chosen).await {
            Ok(Begun::Setup(setup)) => {
                shown.setup = Some(setup);
                return page(&web, &visitor, (&place, open.as_ref()), (&query, &waiting), shown).await;
            }
            Ok(Begun::PublicKey(_) | Begun::Picture(_)) => Refusal::Wrong,
            Ok(Begun::Sent { .. }) => {
                let mut more = carried(persistence(&query), destination(&query), offered(&query));
                more.push(("sent", "1"));
                let id = challenge.id.clone();
                let mut more: Vec<(&str, &str)> = more;
                more.push(("challenge", &id));
                return redirect(&place.path_with(&web, PATH, &more));
            }
            Err(refusal) => refusal,
        };
        return refused(&web, &visitor, (&place, open.as_ref()), (&query, &waiting), (shown, refusal)).await;
    }
    let code = match challenge.method.as_str() {
        "passkey" | passkey::SETUP => answered(&form),
        _ => Secret::from(form.get("code").unwrap_or_default()),
    };
    let step = sign_in.answer(&attempt, (&waiting.handle, &caller), (chosen, code)).await;
    let step = match step {
        Ok(step) => step,
        Err(refusal) => {
            return refused(&web, &visitor, (&place, open.as_ref()), (&query, &waiting), (shown, refusal)).await;
        }
    };
    let entry =
        Entry { open, persistence: persistence(&query), destination: destination(&query), offer: offered(&query) };
    let remember = form.get("remember_device").is_some() && may_remember(&web, &waiting).is_some();
    complete(&web, visitor, (step, remember), entry).await
}

/// How long this browser may be remembered once the answer is right: the page of a second factor serves first ones too, which prove too
/// little for that.
fn may_remember(web: &Web, waiting: &Waiting) -> Option<Duration> {
    let is_second = matches!(waiting.flow.progress, Progress::Proven(_));
    web.provider.factors.policy.remember.filter(|_| is_second && waiting.flow.purpose == Purpose::Session)
}

async fn complete(web: &Web, visitor: Visitor, (step, remember): (Step, bool), entry: Entry) -> Response {
    let Step::Complete(completed) = step else { return arrive(web, visitor, step, entry).await };
    let user = match web.provider.edges.store.user(completed.authentication.user).await {
        Ok(Some(user)) => user,
        Ok(None) => return redirect(&web.path("/sign-in", &[])),
        Err(fault) => return fault_page(web, &visitor, fault),
    };
    let mut cookies = vec![web.cookies.clear_half()];
    if remember {
        match web.provider.factors.remember(&user, &visitor.browser.provenance).await {
            Ok(Some((mark, lifetime))) => cookies.push(web.cookies.set_remembered(&mark, CookieLife::For(lifetime))),
            Ok(None) => {}
            Err(fault) => return fault_page(web, &visitor, fault),
        }
    }
    if !has_enrolled(&completed) {
        return with_cookies(enter(web, visitor, completed, entry).await, cookies);
    }
    // The person has a second factor since a moment ago: before they go on they see what helps when it is lost.
    let attempt = attempt(web, &visitor, entry.open.as_ref().map(|open| &*open.client));
    let Ok(codes) = web.provider.factors.first_backup_codes(&user, &attempt).await else {
        return with_cookies(enter(web, visitor, completed, entry).await, cookies);
    };
    let (place, to) = (entry.open.as_ref().map(Place::open).unwrap_or_default(), entry.destination);
    let continue_uri = if place.flow.is_some() {
        place.path(web, "/sign-in")
    } else {
        completed.path.clone().unwrap_or_else(|| web.path(&format!("/{to}"), &[]))
    };
    let visitor = match admit(web, visitor, completed, entry).await {
        Ok(admitted) => {
            cookies.extend(admitted.cookies);
            admitted.visitor
        }
        Err(response) => return with_cookies(*response, cookies),
    };
    let context =
        context::BackupCodes { codes: codes.iter().map(|code| code.expose().clone()).collect(), continue_uri };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    with_cookies(web.pages.page("page/backup_codes.html", &frame, &context), cookies)
}

/// A session that stands shall reach more: what it proved is where the flow begins.
async fn raise(web: &Web, visitor: &Visitor, (place, open): (&Place, Option<Open>)) -> Response {
    let (Some(open), Some(session)) = (&open, &visitor.browser.session) else {
        return redirect(&place.path(web, "/sign-in"));
    };
    let demand = match go_on(&web.provider, open, &visitor.browser, None).await {
        Ok(Next::SecondFactor(demand)) => demand,
        Ok(next) => return lead(web, visitor, place, next),
        Err(fault) => return fault_page(web, visitor, fault),
    };
    reach(web, visitor, (place, Some(&open.client)), (session, demand), &[]).await
}

/// Has a session that stands reach `demand`: what it proved is where the flow begins. `more` is what the next page has to know.
pub async fn reach(
    web: &Web,
    visitor: &Visitor,
    (place, client): (&Place, Option<&Client>),
    (session, demand): (&Session, Demand),
    more: &[(&str, &str)],
) -> Response {
    let attempt = Attempt { remembered: None, ..attempt(web, visitor, client) };
    let opening = Opening { begun_by: caller(visitor), purpose: Purpose::Raise, demand, path: None };
    let from = ("session", session.authentication.clone());
    match web.sign_in().go_on_from(&attempt, from, opening).await {
        Ok(Step::Challenge(challenge)) => {
            let to_page = redirect(&place.path_with(web, PATH, more));
            with_cookies(to_page, [web.cookies.set_half(&challenge.flow)])
        }
        // It reaches that already.
        Ok(Step::Complete(_)) => redirect(&place.path_with(web, "/sign-in", more)),
        Err(Refusal::Fault(fault)) => fault_page(web, visitor, fault),
        // Who has none may set one up once they have proven anew who they are.
        Err(_) if session.authentication.at.plus(ENROLMENT).is_past(web.provider.now()) => {
            redirect(&place.path_with(web, "/sign-in", &[more, &[("other", "1")]].concat()))
        }
        Err(_) => web.refuse(visitor, &PageError::new("second_factor_missing", StatusCode::FORBIDDEN)),
    }
}

async fn refused(
    web: &Web,
    visitor: &Visitor,
    (place, open): (&Place, Option<&Open>),
    (query, waiting): (&Params, &Waiting),
    (mut shown, refusal): (Shown, Refusal),
) -> Response {
    let (key, status) = match &refusal {
        Refusal::WrongCode(_) => ("wrong_code", StatusCode::UNPROCESSABLE_ENTITY),
        Refusal::Wrong => ("wrong", StatusCode::UNPROCESSABLE_ENTITY),
        Refusal::Closed => ("too_many_failures", StatusCode::TOO_MANY_REQUESTS),
        Refusal::FlowExpired | Refusal::FlowInvalid => {
            let again = redirect(&place.path_with(web, "/sign-in", &[("over", "1")]));
            return with_cookies(again, [web.cookies.clear_half()]);
        }
        Refusal::CodeExpired | Refusal::LinkInvalid => ("code_expired", StatusCode::GONE),
        Refusal::Unsent(Unsent::Recently(_)) => ("code_recently_sent", StatusCode::TOO_MANY_REQUESTS),
        Refusal::Unsent(Unsent::Undelivered) => ("delivery_failed", StatusCode::SERVICE_UNAVAILABLE),
        Refusal::Unsent(Unsent::Forbidden | Unsent::NotAllowed) => ("forbidden", StatusCode::FORBIDDEN),
        Refusal::TooMany(_) | Refusal::Unsent(_) => ("too_many_attempts", StatusCode::TOO_MANY_REQUESTS),
        Refusal::Disabled | Refusal::NotActivated => ("account_disabled", StatusCode::FORBIDDEN),
        Refusal::Fault(fault) => return fault_page(web, visitor, fault.clone()),
    };
    shown.error = Some(key);
    if shown.asked.as_ref().is_some_and(|asked| asked.method == "totp_setup") {
        match again(web, &waiting.flow).await {
            Ok(setup) => shown.setup = setup,
            Err(fault) => return fault_page(web, visitor, fault),
        }
    }
    let mut response = page(web, visitor, (place, open), (query, waiting), shown).await;
    *response.status_mut() = status;
    Wait::after(&refusal).tell(response.headers_mut());
    response
}

/// The secret that waits for its first code, once more.
async fn again(web: &Web, flow: &SignInFlow) -> Result<Option<TotpSetup>, Fault> {
    let Progress::Proven(proven) = &flow.progress else { return Ok(None) };
    let (store, factors) = (&web.provider.edges.store, &web.provider.factors);
    let Some(user) = store.user(proven.user).await? else { return Ok(None) };
    match factors.authenticator(&user, "totp").await {
        Ok(own) if own.is_waiting(web.provider.now()) => factors.totp_again(&user, &own).map(Some),
        _ => Ok(None),
    }
}

/// The sign-in that the browser's cookie names, while it waits for a proof.
///
/// # Errors
/// A fault of the ephemeral store.
pub async fn waiting(web: &Web, visitor: &Visitor) -> Result<Option<Waiting>, Fault> {
    let Some(handle) = web.cookies.half(&visitor.headers) else { return Ok(None) };
    match web.sign_in().waiting(&handle, &caller(visitor)).await {
        Ok(flow) if matches!(flow.purpose, Purpose::Session | Purpose::Raise) => Ok(Some(Waiting { handle, flow })),
        Err(Refusal::Fault(fault)) => Err(fault),
        _ => Ok(None),
    }
}

/// Who goes on with a sign-in of this browser.
pub fn caller(visitor: &Visitor) -> BegunBy {
    BegunBy { client: None, browser: visitor.browser.flow }
}

/// The challenge that a query or a form names, else the first.
fn chosen(flow: &SignInFlow, params: &Params) -> Option<Asked> {
    let named = params.get("challenge");
    let named = flow.asked.iter().find(|asked| named == Some(asked.id.as_str()));
    named.or(flow.asked.first()).cloned()
}

/// How long the browser is to keep the session.
pub fn persistence(query: &Params) -> Persistence {
    if query.get("remember").is_some() { Persistence::Kept } else { Persistence::Browser }
}

/// What is offered to who signed in, as the page before says: this browser can make a passkey.
fn offered(query: &Params) -> Offer {
    if query.get("passkeys") == Some("1") { Offer::Passkey } else { Offer::Nothing }
}

/// What the next page has to know.
pub fn carried(persistence: Persistence, destination: &'static str, offer: Offer) -> Vec<(&'static str, &'static str)> {
    let mut carried = vec![("to", destination)];
    if persistence == Persistence::Kept {
        carried.push(("remember", "1"));
    }
    if offer == Offer::Passkey {
        carried.push(("passkeys", "1"));
    }
    carried
}

fn purpose(place: &Place, handle: &Secret) -> String {
    let named = URL_SAFE_NO_PAD.encode(TokenHash::of(handle.expose()).as_bytes());
    format!("second-factor:{}:{named}", place.flow.as_deref().unwrap_or_default())
}

#[derive(Default)]
struct Shown {
    asked: Option<Asked>,
    setup: Option<TotpSetup>,
    error: Option<&'static str>,
}

async fn page(
    web: &Web,
    visitor: &Visitor,
    (place, open): (&Place, Option<&Open>),
    (query, waiting): (&Params, &Waiting),
    shown_now: Shown,
) -> Response {
    let Shown { asked, setup, error } = shown_now;
    let Some(asked) = asked else { return redirect(&place.path(web, "/sign-in")) };
    let (flow, cookie) = web.flow(visitor);
    let more = carried(persistence(query), destination(query), offered(query));
    let with = |id: &str| {
        let mut more: Vec<(&str, &str)> = more.clone();
        more.push(("challenge", id));
        place.path_with(web, PATH, &more)
    };
    let others = waiting.flow.asked.iter().filter(|other| other.id != asked.id);
    let is_second = matches!(waiting.flow.progress, Progress::Proven(_));
    let remember = may_remember(web, waiting);
    let sends = web.method(&asked.method).is_some_and(Method::sends);
    let passkey = match ceremony(web, &flow, (&waiting.flow, &asked)).await {
        Ok(passkey) => passkey,
        Err(fault) => return fault_page(web, visitor, fault),
    };
    let context = context::SecondFactor {
        passkey,
        action: place.path_with(web, PATH, &more),
        csrf: web.csrf.token(&flow, &purpose(place, &waiting.handle)),
        is_second,
        confirm_code: (asked.method == magic_link::NAME)
            .then(|| web.magic_link.confirm_code(&waiting.handle).expose().clone()),
        sends,
        sent: query.get("sent").is_some(),
        method: asked.method.clone(),
        challenge: asked.id.clone(),
        hint: asked.hint.clone().filter(|hint| !hint.is_empty()),
        setup: setup.as_ref().map(shown_setup),
        others: others
            .map(|other| context::OtherFactor {
                method: other.method.clone(),
                hint: other.hint.clone().filter(|hint| !hint.is_empty()),
                url: with(&other.id),
            })
            .collect(),
        error: error.map(str::to_owned),
        remember_days: remember.map(|lifetime| lifetime.as_secs().div_ceil(24 * 60 * 60)),
        sign_in_uri: place.path_with(web, "/sign-in", &[("other", "1")]),
        client: open.map(|open| shown(&open.client, open.interaction.request.return_path.redirect_uri())),
        back_uri: open.and_then(|open| way_back(&open.client, web.provider.issuer.as_str())).map(|back| back.uri),
    };
    let locales = open.map(|open| open.interaction.request.ui_locales.as_slice()).unwrap_or_default();
    let display = open.map(|open| open.interaction.request.display).unwrap_or_default();
    let frame = web.pages.frame(visitor.id, &visitor.headers, locales).shown_as(display);
    with_cookies(web.pages.page("page/second_factor.html", &frame, &context), cookie)
}

/// What the page needs to ask for a passkey, or for a new one, where it asks for one.
async fn ceremony(
    web: &Web,
    flow: &FlowCookie,
    (waiting, asked): (&SignInFlow, &Asked),
) -> Result<Option<context::Passkey>, Fault> {
    let Some(passkeys) = &web.provider.passkeys else { return Ok(None) };
    let form = (String::new(), String::new());
    let passkey = match (asked.method.as_str(), &waiting.progress) {
        ("passkey", _) => shown_passkey(passkeys.sign_in_page(&binding(flow))?, form),
        (passkey::SETUP, Progress::Proven(proven)) => {
            let Some(user) = web.provider.edges.store.user(proven.user).await? else { return Ok(None) };
            shown_passkey(passkeys.registration_page(&user, &binding(flow)).await?, form)
        }
        _ => return Ok(None),
    };
    passkey.map(Some)
}

/// A secret as pages show it.
pub fn shown_setup(setup: &TotpSetup) -> context::TotpSetup {
    let secret = setup.secret.expose();
    let groups: Vec<&str> = secret.as_bytes().chunks(4).filter_map(|group| std::str::from_utf8(group).ok()).collect();
    context::TotpSetup {
        secret: groups.join(" "),
        uri: setup.uri.expose().clone(),
        picture: Picture::of(setup.uri.expose()).map(|picture| picture.svg()).unwrap_or_default(),
    }
}

/// The new cookie of a session that stays while everything else ends.
pub fn stays(web: &Web, stays: &Stays) -> HeaderValue {
    web.cookies.set_session(&stays.token, crate::http::page::again::life(web, &stays.session))
}

/// That a sign-in was completed by a method that was taken up in it.
pub fn has_enrolled(completed: &Completed) -> bool {
    completed.method == "totp_setup"
}
