//! `/register/code`: the code of a registration, typed in the browser that began it.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use crate::account::registration::{Begun, Made};
use crate::authn::Refusal;
use crate::authn::flow::Opening;
use crate::authn::upstream::pending;
use crate::edge::ephemeral::Namespace;
use crate::edge::template::context::account::{CodePage, FieldMistake};
use crate::http::extract::params::{Form, Query};
use crate::http::extract::visitor::Visitor;
use crate::http::page::federation::connect;
use crate::http::page::mistake::{note, refused};
use crate::http::page::register::{PATH, Typed, purpose};
use crate::http::page::scene::{Instead, Scene, either};
use crate::http::page::second_factor::arrive;
use crate::http::page::sign_in::{Entry, Offer, attempt};
use crate::http::page::{Place, fault_page};
use crate::http::web::{Web, redirect, with_cookies};
use crate::model::fault::Fault;
use crate::model::sign_in_flow::{BegunBy, Purpose};
use crate::model::user::{IdentifierKind, LookupName};
use crate::oauth::endpoint::authorize::demanded;
use crate::oauth::interaction::Open;
use crate::oauth::interaction::sign_in::Persistence;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

/// The path of the page.
const CODE_PATH: &str = "/register/code";
/// Registrations of pages, by browser and request.
const UNDER_WAY: Namespace<UnderWay> = Namespace::new("register_page");

/// A registration that a browser began here.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct UnderWay {
    handle: String,
    address: String,
    /// What the address is: a number is called a number.
    #[serde(default = "email")]
    kind: IdentifierKind,
    /// Whether the identity that waits in this browser is connected with the account.
    #[serde(default)]
    connects: bool,
    expires_at: NumericDate,
}

const fn email() -> IdentifierKind {
    IdentifierKind::Email
}

/// `GET /register/code`
pub async fn show(State(web): State<Web>, visitor: Visitor, Query(query): Query) -> Response {
    let state = CodeState { resent: query.get("resent").is_some(), ..CodeState::default() };
    either(page_of(&web, &visitor, Place::of(&query), state).await)
}

async fn page_of(web: &Web, visitor: &Visitor, place: Place, state: CodeState) -> Result<Response, Instead> {
    let scene = Scene::of(web, visitor, place).await?;
    Ok(match under_way(&scene).await? {
        Some(under_way) => page(&scene, &under_way, state),
        None => scene.redirect(PATH),
    })
}

/// `POST /register/code`
pub async fn submit(State(web): State<Web>, visitor: Visitor, Query(query): Query, Form(form): Form) -> Response {
    let scene = match Scene::of(&web, &visitor, Place::of(&query)).await {
        Ok(scene) => scene,
        Err(instead) => return *instead,
    };
    if let Err(instead) = scene.check((&purpose(&scene.place), CODE_PATH), &form) {
        return *instead;
    }
    let under_way = match under_way(&scene).await {
        Ok(Some(under_way)) => under_way,
        Ok(None) => return scene.redirect(PATH),
        Err(instead) => return *instead,
    };
    let (accounts, asking) = (&web.provider.accounts, scene.asking());
    let error = if form.get("do") == Some("resend") {
        match accounts.resend_registration(&under_way.handle, &asking).await {
            Ok(_) => return redirect(&scene.path_with(CODE_PATH, &[("resent", "1")])),
            Err(error) => error,
        }
    } else {
        let code = form.get("code").unwrap_or_default();
        let username = form.get("username").filter(|name| !name.trim().is_empty());
        match accounts.confirm_registration((&under_way.handle, code), username, &asking).await {
            Ok(made) => {
                let open = scene.open;
                return welcome(&web, visitor, open, (made, under_way.connects)).await;
            }
            Err(error) => error,
        }
    };
    let mut state = CodeState { username: form.get("username").map(str::to_owned), ..CodeState::default() };
    let status = match note(error, "code", (&mut state.mistakes, &mut state.error)) {
        Ok(status) => status,
        Err(fault) => return *scene.fault(fault),
    };
    if state.username.is_none() && state.mistakes.iter().any(|mistake| mistake.field == "username") {
        state.username = Some(String::new());
    }
    refused(page(&scene, &under_way, state), status)
}

/// Whoever typed the code has the mailbox, and chose the password a moment ago: they are signed in.
async fn welcome(web: &Web, visitor: Visitor, open: Option<Open>, (made, connects): (Made, bool)) -> Response {
    if connects && let Err(fault) = connect::connect_made(web, &visitor, &made.user).await {
        return fault_page(web, &visitor, fault);
    }
    let_in(web, visitor, (open, None), (&made, "registration")).await
}

/// Connects the identity that waits in this browser with the account that was made for it here, and is activated here now by the link of
/// the mail. In another browser nothing waits.
///
/// # Errors
/// A fault of a store.
pub async fn connect_activated(web: &Web, visitor: &Visitor, made: &Made) -> Result<(), Fault> {
    if visitor.flow.is_none() {
        return Ok(());
    }
    let edges = &web.provider.edges;
    let key = key_of(visitor, made.flow.as_deref());
    let found = UNDER_WAY.get(&*edges.ephemeral, key.as_bytes(), web.provider.now()).await?;
    let is_its = |under_way: &UnderWay| {
        let name = LookupName::parse(&under_way.address);
        under_way.connects && name.is_some_and(|name| made.user.named(&name).is_some())
    };
    if found.as_ref().is_some_and(is_its) { connect::connect_made(web, visitor, &made.user).await } else { Ok(()) }
}

/// Signs in whose account was made a moment ago by `method`: into the request that waits, or to `path`.
pub(in crate::http::page) async fn let_in(
    web: &Web,
    visitor: Visitor,
    (open, path): (Option<Open>, Option<String>),
    (made, method): (&Made, &'static str),
) -> Response {
    let authentication = made.authentication(web.provider.now());
    let client = open.as_ref().map(|open| &*open.client);
    let demand = open.as_ref().map(|open| demanded(&open.client, &open.interaction.request)).unwrap_or_default();
    let begun_by = BegunBy { client: None, browser: visitor.browser.flow };
    let opening = Opening { begun_by, purpose: Purpose::Session, demand, path };
    let attempt = attempt(web, &visitor, client);
    let entry = Entry { open, persistence: Persistence::Browser, destination: "account", offer: Offer::Nothing };
    match web.sign_in().go_on_from(&attempt, (method, authentication), opening).await {
        Ok(step) => arrive(web, visitor, step, entry).await,
        Err(Refusal::Fault(fault)) => fault_page(web, &visitor, fault),
        // The account is there; what it needs beside, a sign-in asks for.
        Err(_) => redirect(&entry.open.as_ref().map(Place::open).unwrap_or_default().path(web, "/sign-in")),
    }
}

/// Writes down what began, for the page of this file.
///
/// # Errors
/// A page for a fault.
pub(super) async fn keep(scene: &Scene<'_>, begun: Begun, typed: &Typed) -> Result<Response, Instead> {
    let provider = &scene.web.provider;
    let under_way = UnderWay {
        handle: begun.registration.expose().clone(),
        address: typed.contact.clone(),
        kind: typed.by,
        connects: typed.connects.is_some(),
        expires_at: provider.now().plus(Duration::from_secs(begun.expires_in)),
    };
    if under_way.connects && scene.web.provider.accounts.confirms_by_link(under_way.kind) {
        let browser = scene.visitor.browser.flow.as_ref();
        let waits = pending::keep_until(&provider.edges, browser, under_way.expires_at).await;
        waits.map_err(|fault| scene.fault(fault))?;
    }
    let kept = UNDER_WAY.put(&*provider.edges.ephemeral, key(scene).as_bytes(), &under_way, under_way.expires_at).await;
    kept.map(|()| scene.redirect(CODE_PATH)).map_err(|fault| scene.fault(fault))
}

async fn under_way(scene: &Scene<'_>) -> Result<Option<UnderWay>, Instead> {
    if scene.visitor.flow.is_none() {
        return Ok(None);
    }
    let provider = &scene.web.provider;
    let found = UNDER_WAY.get(&*provider.edges.ephemeral, key(scene).as_bytes(), provider.now()).await;
    found.map_err(|fault| scene.fault(fault))
}

/// One browser and one request.
fn key(scene: &Scene<'_>) -> TokenHash {
    key_of(scene.visitor, scene.place.flow.as_deref())
}

fn key_of(visitor: &Visitor, request: Option<&str>) -> TokenHash {
    let browser = visitor.flow.as_ref().map(|flow| flow.0.expose().as_str()).unwrap_or_default();
    TokenHash::of(&format!("{browser} {}", request.unwrap_or_default()))
}

#[derive(Default)]
struct CodeState {
    username: Option<String>,
    mistakes: Vec<FieldMistake>,
    error: Option<String>,
    resent: bool,
}

fn page(scene: &Scene<'_>, under_way: &UnderWay, state: CodeState) -> Response {
    let web = scene.web;
    if web.provider.accounts.confirms_by_link(under_way.kind) {
        return scene.notice("activation_sent", (Some(&under_way.address), Vec::new()));
    }
    let (flow, cookie) = web.flow(scene.visitor);
    let context = CodePage {
        purpose: if under_way.kind == IdentifierKind::Phone { "registration_phone" } else { "registration" }.to_owned(),
        action: scene.path(CODE_PATH),
        csrf: web.csrf.token(&flow, &purpose(&scene.place)),
        address: under_way.address.clone(),
        asks_password: false,
        username: state.username,
        resends: true,
        mistakes: state.mistakes,
        error: state.error,
        resent: state.resent,
        again_uri: scene.path(PATH),
        client: scene.client(),
        back_uri: scene.back_uri(),
    };
    with_cookies(web.pages.page("page/code.html", &scene.frame(), &context), cookie)
}
