//! `/sign-in`: name and password on one page, other ways below.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER};

use crate::authn::flow::{Completed, Opening, Step};
use crate::authn::{Answer, Attempt, Onward, Refusal, WaitingRequest};
use crate::edge::template::context;
use crate::http::captcha::{self, admit_widget};
use crate::http::extract::params::{Form, Query};
use crate::http::extract::visitor::Visitor;
use crate::http::new_device::notice_in_browser;
use crate::http::page::federation::{self, Asks, Intent, Origin, buttons, connect, depart};
use crate::http::page::second_factor::arrive;
use crate::http::page::sent_code::{self, is_sent};
use crate::http::page::{Place, answered, fault_page, find, foreign_form, lead, passkey_offer, proceed};
use crate::http::page::{device, passkey, qr};
use crate::http::web::{Web, redirect, shown, way_back, with_cookies};
use crate::model::client::Client;
use crate::model::fault::Fault;
use crate::model::interaction::Participation;
use crate::model::sign_in_flow::{BegunBy, Purpose};
use crate::model::user::IdentifierKind;
use crate::oauth::endpoint::authorize::{Next, demanded, go_on};
use crate::oauth::interaction::Open;
use crate::oauth::interaction::sign_in::{Keep, Persistence, sign_in, took_part};
use crate::protocol::authorization_request::AuthorizationRequest;
use crate::protocol::params::Params;
use crate::protocol::secret::Secret;

/// What a page without a waiting request leads to.
const DESTINATIONS: &[&str] = &[
    "account",
    "account/profile",
    "account/contacts",
    "account/security",
    "account/sessions",
    "account/history",
    "account/apps",
    "account/data",
    "account/identities",
    "admin",
    device::DESTINATION,
    connect::DESTINATION,
    federation::DONE,
];

/// `GET /sign-in`
pub async fn show(State(web): State<Web>, visitor: Visitor, Query(query): Query) -> Response {
    let place = Place::of(&query);
    if place.flow.is_none() {
        let error = over(&query);
        return page(&web, &visitor, Shown { query: &query, place, open: None, login: String::new(), error }).await;
    }
    let open = match find(&web, &visitor, &place).await {
        Ok(open) => open,
        Err(response) => return *response,
    };
    // "Use another account" shows the page although somebody is signed in.
    if query.get("other").is_none() {
        match go_on(&web.provider, &open, &visitor.browser, None).await {
            Ok(Next::SignIn) => {}
            Ok(next) => return lead(&web, &visitor, &place, next),
            Err(fault) => return fault_page(&web, &visitor, fault),
        }
    }
    let login = match suggested_login(&web, &visitor, &open, &query).await {
        Ok(login) => login,
        Err(fault) => return fault_page(&web, &visitor, fault),
    };
    page(&web, &visitor, Shown { query: &query, place, open: Some(&open), login, error: over(&query) }).await
}

/// A second proof that took too long leads back to the first.
fn over(query: &Params) -> Option<&'static str> {
    let failed = query.get("passkey").map(|_| "passkey_failed");
    query.get("over").map(|_| "session_expired").or(failed)
}

/// `POST /sign-in`
pub async fn submit(State(web): State<Web>, visitor: Visitor, Query(query): Query, Form(form): Form) -> Response {
    let place = Place::of(&query);
    // First the request that waits: where it is lost, with its cookie perhaps, the page leads back to the app.
    let open = match &place.flow {
        None => None,
        Some(_) => match find(&web, &visitor, &place).await {
            Ok(open) => Some(open),
            Err(response) => return *response,
        },
    };
    let purpose = purpose(&place);
    if let Err(error) = web.csrf.check(&visitor.headers, visitor.flow.as_ref(), &purpose, form.get("csrf")) {
        let to: Vec<(&str, &str)> = query.get("to").map(|to| ("to", to)).into_iter().collect();
        return foreign_form(&web, &visitor, error, place.path_with(&web, "/sign-in", &to));
    }
    let login = form.get("login").unwrap_or_default().to_owned();
    // Who proves a local account before something is connected with it is not sent away for that.
    if query.get("to") != Some(connect::DESTINATION) {
        match federation::home_of(&web, &login).await {
            Ok(Some(provider)) if Asks::of(request_of(open.as_ref())).fits(&provider) => {
                let intent = Intent::SignIn {
                    flow: place.flow,
                    client_id: place.client_id,
                    to: query.get("to").map(str::to_owned),
                    from: Origin::Page,
                    again: None,
                };
                return depart(&web, &visitor, &provider, (intent, open.as_ref(), Some(&login))).await;
            }
            // What the app wants cannot be had there; people have other ways here.
            Ok(_) => {}
            Err(fault) => return fault_page(&web, &visitor, fault),
        }
    }
    let password = Secret::from(form.get("password").unwrap_or_default());
    let answer = Answer::Password { login: login.clone(), password };
    let refused = match prove(&web, &visitor, ("password", &answer), open.as_ref()).await {
        Ok(step) => {
            let persistence = if form.get("remember").is_some() { Persistence::Kept } else { Persistence::Browser };
            let offer = if form.get("passkeys") == Some("1") { Offer::Passkey } else { Offer::Nothing };
            let entry = Entry { open, persistence, destination: destination(&query), offer };
            return arrive(&web, visitor, step, entry).await;
        }
        Err(refused) => refused,
    };
    let (key, status) = match &refused {
        Refusal::Wrong
        | Refusal::WrongCode(_)
        | Refusal::CodeExpired
        | Refusal::LinkInvalid
        | Refusal::Unsent(_)
        | Refusal::FlowExpired
        | Refusal::FlowInvalid => ("sign_in_failed", StatusCode::UNPROCESSABLE_ENTITY),
        Refusal::TooMany(_) => ("too_many_attempts", StatusCode::TOO_MANY_REQUESTS),
        Refusal::Closed => ("too_many_failures", StatusCode::TOO_MANY_REQUESTS),
        Refusal::Disabled => ("account_disabled", StatusCode::FORBIDDEN),
        Refusal::NotActivated => ("account_not_activated", StatusCode::FORBIDDEN),
        Refusal::Fault(fault) => return fault_page(&web, &visitor, fault.clone()),
    };
    let shown = Shown { query: &query, place, open: open.as_ref(), login, error: Some(key) };
    let mut response = page(&web, &visitor, shown).await;
    *response.status_mut() = status;
    if let Refusal::TooMany(seconds) = refused {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// What follows a sign-in.
pub struct Entry {
    /// The request that waits for it.
    pub open: Option<Open>,
    /// How long the browser keeps the session.
    pub persistence: Persistence,
    /// Where it leads without a request.
    pub destination: &'static str,
    /// What is offered before it goes on.
    pub offer: Offer,
}

/// What is offered to who signed in just now.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Offer {
    /// Nothing.
    Nothing,
    /// A passkey, which this browser can make.
    Passkey,
}

/// A person who was let in.
pub struct Admitted {
    /// The browser, with its session.
    pub visitor: Visitor,
    /// The cookies that it gets.
    pub cookies: Vec<HeaderValue>,
    /// The request that waits.
    pub open: Option<Open>,
}

/// An attempt from this browser, for an app if it is for one.
pub fn attempt(web: &Web, visitor: &Visitor, client: Option<&Client>) -> Attempt {
    Attempt {
        from: visitor.browser.provenance.clone(),
        device: web.cookies.device(&visitor.headers),
        remembered: visitor.browser.remembered.clone(),
        here: visitor.here(),
        client: client.map(|client| client.id.clone()),
        browser: visitor.browser.flow,
        languages: visitor.asking().languages,
        ..Attempt::default()
    }
}

/// Where a link leads that is asked for in this browser.
pub fn onward(open: Option<&Open>, persistence: Persistence) -> Onward {
    let request = open.map(|open| WaitingRequest { flow: open.id.expose().clone(), client: open.client.id.clone() });
    Onward { path: None, request, remember: persistence == Persistence::Kept }
}

/// Has a method judge an answer of who signs in, for the request that waits if one does.
///
/// # Errors
/// What the method says.
pub async fn prove(web: &Web, visitor: &Visitor, proof: (&str, &Answer), open: Option<&Open>) -> Result<Step, Refusal> {
    prove_for(web, visitor, proof, (open, None)).await
}

/// [`prove`], for a path of this server.
///
/// # Errors
/// What the method says.
pub async fn prove_for(
    web: &Web,
    visitor: &Visitor,
    (method, answer): (&str, &Answer),
    (open, path): (Option<&Open>, Option<String>),
) -> Result<Step, Refusal> {
    let client = open.map(|open| &*open.client);
    let begun_by = BegunBy { client: None, browser: visitor.browser.flow };
    let demand = open.map(|open| demanded(&open.client, &open.interaction.request)).unwrap_or_default();
    let opening = Opening { begun_by, purpose: Purpose::Session, demand, path };
    web.sign_in().prove(&attempt(web, visitor, client), (method, answer), opening).await
}

/// Lets a proven person in: session, cookies, and that they took part in the request that waits.
///
/// # Errors
/// The response to send instead.
pub async fn admit(
    web: &Web,
    mut visitor: Visitor,
    completed: Completed,
    entry: Entry,
) -> Result<Admitted, Box<Response>> {
    let Completed { authentication, method, purpose, path: _ } = completed;
    let client = entry.open.as_ref().map(|open| open.client.id.clone());
    let beside = notice_in_browser(web, &visitor, (authentication.user, client.clone())).await;
    let keep = Keep { persistent: entry.persistence, method, client, beside };
    let signed_in = match sign_in(&web.provider, &visitor.browser, authentication, keep).await {
        Ok(signed_in) => signed_in,
        Err(fault) => return Err(Box::new(fault_page(web, &visitor, fault))),
    };
    let cookies = web.session_cookies(&visitor, &signed_in);
    let session = signed_in.session;
    let session_id = session.id;
    visitor.browser.session = Some(std::sync::Arc::new(session));
    let open = match entry.open {
        // What a session proves beside is no sign-in: it stays as old as it is.
        Some(open) if purpose != Purpose::Raise => {
            let client = std::sync::Arc::clone(&open.client);
            match took_part(&web.provider, open, session_id, Participation::SignedIn).await {
                Ok(Some(open)) => Some(open),
                Ok(None) => return Err(Box::new(with_cookies(answered(web, &visitor, &client), cookies))),
                Err(fault) => return Err(Box::new(with_cookies(fault_page(web, &visitor, fault), cookies))),
            }
        }
        open => open,
    };
    Ok(Admitted { visitor, cookies, open })
}

/// Lets a proven person in, and on with the request that waits, or to a page of ours.
pub async fn enter(web: &Web, visitor: Visitor, completed: Completed, entry: Entry) -> Response {
    let destination = completed.path.clone().unwrap_or_else(|| web.path(&format!("/{}", entry.destination), &[]));
    let (to, offer, user) = (entry.destination, entry.offer, completed.authentication.user);
    let Admitted { visitor, cookies, open } = match admit(web, visitor, completed, entry).await {
        Ok(admitted) => admitted,
        Err(response) => return *response,
    };
    let is_offered = match offer {
        Offer::Nothing => Ok(false),
        Offer::Passkey => passkey_offer::is_due(web, &visitor, user).await,
    };
    let response = match open {
        _ if matches!(is_offered, Ok(true)) => {
            let place = open.as_ref().map(Place::open).unwrap_or_default();
            redirect(&place.path_with(web, passkey_offer::PATH, &[("to", to)]))
        }
        None => redirect(&destination),
        Some(open) => proceed(web, &visitor, &open).await,
    };
    with_cookies(response, cookies)
}

/// Where a sign-in without a waiting request leads; only to pages of ours.
pub fn destination(query: &Params) -> &'static str {
    destination_called(query.get("to").unwrap_or_default())
}

/// [`destination`] by its name.
pub fn destination_called(asked: &str) -> &'static str {
    DESTINATIONS.iter().find(|page| **page == asked).copied().unwrap_or("account")
}

struct Shown<'a> {
    query: &'a Params,
    place: Place,
    open: Option<&'a Open>,
    login: String,
    error: Option<&'static str>,
}

async fn page(web: &Web, visitor: &Visitor, shown_now: Shown<'_>) -> Response {
    let Shown { query, place, open, login, error } = shown_now;
    let (flow, cookie) = web.flow(visitor);
    let more: Vec<(&str, &str)> = query.get("to").map(|to| ("to", to)).into_iter().collect();
    let passkey = match passkey::offered(web, &flow, (&place, query)) {
        Ok(passkey) => passkey,
        Err(fault) => return fault_page(web, visitor, fault),
    };
    // An identity waits for its account: the person proves that one here.
    let waiting =
        if query.get("to") == Some(connect::DESTINATION) { connect::waiting(web, visitor).await } else { Ok(None) };
    let asks = Asks::of(request_of(open));
    let (waiting, providers) = match (waiting, buttons(web, visitor, (&place, &more), asks).await) {
        (Ok(waiting), Ok(providers)) => (waiting, providers),
        (Err(fault), _) | (_, Err(fault)) => return fault_page(web, visitor, fault),
    };
    let connects = waiting.map(|(pending, provider)| (pending.identity, provider));
    let login = match &connects {
        Some((identity, _)) if login.is_empty() => identity.email.clone().unwrap_or_default(),
        _ => login,
    };
    let context = context::SignIn {
        passkey,
        action: place.path_with(web, "/sign-in", &more),
        csrf: web.csrf.token(&flow, &purpose(&place)),
        login,
        again: open.is_some() && visitor.browser.session.is_some() && query.get("other").is_none(),
        login_locked: false,
        error: error.map(str::to_owned),
        client: open.map(|open| shown(&open.client, open.interaction.request.return_path.redirect_uri())),
        back_uri: open.and_then(|open| way_back(&open.client, web.provider.issuer.as_str())).map(|back| back.uri),
        register_uri: web.provider.accounts.settings.registers.then(|| place.path(web, "/register")),
        recover_uri: web.has_page("/recover").then(|| place.path(web, "/recover")),
        names: names(&web.provider.accounts.settings.identity_fields),
        // It would come back with the same identity.
        providers: if connects.is_some() { Vec::new() } else { providers },
        connects: connects.map(|(identity, provider)| context::Connects {
            provider: provider.label().to_owned(),
            identity: identity.label.unwrap_or_default(),
        }),
        methods: web
            .methods
            .iter()
            .filter(|method| is_sent(web, &***method) || method.name() == qr::METHOD && qr::is_offered(web, open))
            .map(|method| context::Method {
                name: method.name().to_owned(),
                url: place.path_with(web, &sent_code::path(method.name()), &more),
            })
            .collect(),
        remember: true,
        development_users: web.development_users.clone(),
        captcha: web.captcha_widget(captcha::Place::SignIn),
    };
    let locales = open.map(|open| open.interaction.request.ui_locales.as_slice()).unwrap_or_default();
    let display = open.map(|open| open.interaction.request.display).unwrap_or_default();
    let frame = web.pages.frame(visitor.id, &visitor.headers, locales).shown_as(display);
    let mut response = web.pages.page("page/sign_in.html", &frame, &context);
    if context.captcha.is_some() {
        admit_widget(web, &mut response);
    }
    with_cookies(response, cookie)
}

/// What the app asked for, where one waits.
fn request_of(open: Option<&Open>) -> Option<&AuthorizationRequest> {
    open.map(|open| &open.interaction.request)
}

/// The kinds of names that are heard, as the key of a label has them.
fn names(heard: &[IdentifierKind]) -> String {
    let every = [IdentifierKind::Email, IdentifierKind::Username, IdentifierKind::Phone];
    let heard: Vec<&str> = every.into_iter().filter(|kind| heard.contains(kind)).map(IdentifierKind::as_str).collect();
    if heard.len() == every.len() { "any".to_owned() } else { heard.join("-") }
}

/// `login_hint`, else the name of the person who is signed in and has to prove it again.
async fn suggested_login(web: &Web, visitor: &Visitor, open: &Open, query: &Params) -> Result<String, Fault> {
    if let Some(hint) = &open.interaction.request.login_hint {
        return Ok(hint.clone());
    }
    match &visitor.browser.session {
        Some(session) if query.get("other").is_none() => {
            let user = web.provider.edges.store.user(session.authentication.user).await?;
            Ok(user.map(|user| user.login().to_owned()).unwrap_or_default())
        }
        _ => Ok(String::new()),
    }
}

fn purpose(place: &Place) -> String {
    format!("sign-in:{}", place.flow.as_deref().unwrap_or_default())
}
