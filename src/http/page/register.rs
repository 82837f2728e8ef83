//! `/register` and `/register/code`: making an account, within the request of an app, so that the person ends there.
//!
//! Initiating User Registration via OpenID Connect 1.0 (`prompt=create`). The handle of a registration stays here, under the browser's
//! cookie and the request's id: two tabs of two apps do not meet, a reload and the way back show the same page.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::account::attribute::{Attribute, AttributeKind};
use crate::account::registration::{Made, NewAccount};
use crate::account::settings::{Presence, SignUp};
use crate::account::{AccountError, Mistake, Why};
use crate::authn::Refusal;
use crate::authn::flow::Opening;
use crate::authn::upstream::pending::Pending;
use crate::edge::ephemeral::Namespace;
use crate::edge::template::context::Connects;
use crate::edge::template::context::account::{AttributeField, CodePage, FieldMistake, Notice, Register};
use crate::http::captcha::{self, admit_widget};
use crate::http::error::PageError;
use crate::http::extract::params::{Form, Query};
use crate::http::extract::visitor::Visitor;
use crate::http::page::federation::connect;
use crate::http::page::second_factor::arrive;
use crate::http::page::sign_in::{Entry, Offer, attempt};
use crate::http::page::{Place, fault_page, find, foreign_form};
use crate::http::security_header::admit_own_calls;
use crate::http::web::{Web, redirect, shown, way_back, with_cookies};
use crate::model::fault::Fault;
use crate::model::sign_in_flow::{BegunBy, Purpose};
use crate::oauth::endpoint::authorize::demanded;
use crate::oauth::interaction::Open;
use crate::oauth::interaction::sign_in::Persistence;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::params::Params;
use crate::protocol::secret::{Secret, TokenHash};

/// Registrations of pages, by browser and request.
const UNDER_WAY: Namespace<UnderWay> = Namespace::new("register_page");

/// A registration that a browser began here.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct UnderWay {
    handle: String,
    address: String,
    /// Whether the identity that waits in this browser is connected with the account.
    #[serde(default)]
    connects: bool,
    expires_at: NumericDate,
}

/// `GET /register`
pub async fn show(State(web): State<Web>, visitor: Visitor, Query(query): Query) -> Response {
    let place = Place::of(&query);
    let open = match open(&web, &visitor, &place).await {
        Ok(open) => open,
        Err(response) => return *response,
    };
    if web.provider.accounts.settings.sign_up == SignUp::Off {
        return closed(&web, &visitor);
    }
    match connecting(&web, &visitor, &query).await {
        Ok(connects) => form_page(&web, &visitor, (&place, open.as_ref()), &Typed::from_elsewhere(connects)),
        Err(fault) => fault_page(&web, &visitor, fault),
    }
}

/// `POST /register`
pub async fn submit(State(web): State<Web>, visitor: Visitor, Query(query): Query, Form(form): Form) -> Response {
    let place = Place::of(&query);
    let open = match open(&web, &visitor, &place).await {
        Ok(open) => open,
        Err(response) => return *response,
    };
    if let Err(error) = web.csrf.check(&visitor.headers, visitor.flow.as_ref(), &purpose(&place), form.get("csrf")) {
        return foreign_form(&web, &visitor, error, place.path(&web, "/register"));
    }
    let connects = match connecting(&web, &visitor, &query).await {
        Ok(connects) => connects,
        Err(fault) => return fault_page(&web, &visitor, fault),
    };
    let mut typed = Typed { connects, ..Typed::of(&web, &form) };
    let mut asking = visitor.asking();
    asking.flow.clone_from(&place.flow);
    asking.client = open.as_ref().map(|open| open.client.id.clone());
    let new = match typed.account(&web, &form) {
        Ok(new) => new,
        Err(mistakes) => {
            typed.mistakes = mistakes;
            return refused(
                form_page(&web, &visitor, (&place, open.as_ref()), &typed),
                StatusCode::UNPROCESSABLE_ENTITY,
            );
        }
    };
    let accounts = &web.provider.accounts;
    match accounts.start_registration(new, &asking).await {
        Ok(begun) => {
            let now = web.provider.now();
            let expires_at = now.plus(std::time::Duration::from_secs(begun.expires_in));
            let under_way = UnderWay {
                handle: begun.registration.expose().clone(),
                address: typed.email.clone(),
                connects: typed.connects.is_some(),
                expires_at,
            };
            match keep(&web, &visitor, &place, &under_way).await {
                Ok(()) => redirect(&place.path(&web, "/register/code")),
                Err(fault) => fault_page(&web, &visitor, fault),
            }
        }
        Err(error) => {
            let status = match typed.note(error) {
                Ok(status) => status,
                Err(fault) => return fault_page(&web, &visitor, fault),
            };
            refused(form_page(&web, &visitor, (&place, open.as_ref()), &typed), status)
        }
    }
}

/// `GET /register/code`
pub async fn show_code(State(web): State<Web>, visitor: Visitor, Query(query): Query) -> Response {
    let place = Place::of(&query);
    let open = match open(&web, &visitor, &place).await {
        Ok(open) => open,
        Err(response) => return *response,
    };
    match under_way(&web, &visitor, &place).await {
        Ok(Some(under_way)) => {
            let state = CodeState { resent: query.get("resent").is_some(), ..CodeState::default() };
            code_page(&web, &visitor, (&place, open.as_ref()), (&under_way, state))
        }
        Ok(None) => redirect(&place.path(&web, "/register")),
        Err(fault) => fault_page(&web, &visitor, fault),
    }
}

/// `POST /register/code`
pub async fn submit_code(State(web): State<Web>, visitor: Visitor, Query(query): Query, Form(form): Form) -> Response {
    let place = Place::of(&query);
    let open = match open(&web, &visitor, &place).await {
        Ok(open) => open,
        Err(response) => return *response,
    };
    if let Err(error) = web.csrf.check(&visitor.headers, visitor.flow.as_ref(), &purpose(&place), form.get("csrf")) {
        return foreign_form(&web, &visitor, error, place.path(&web, "/register/code"));
    }
    let under_way = match under_way(&web, &visitor, &place).await {
        Ok(Some(under_way)) => under_way,
        Ok(None) => return redirect(&place.path(&web, "/register")),
        Err(fault) => return fault_page(&web, &visitor, fault),
    };
    let accounts = &web.provider.accounts;
    let mut asking = visitor.asking();
    asking.client = open.as_ref().map(|open| open.client.id.clone());
    let error = if form.get("do") == Some("resend") {
        match accounts.resend_registration(&under_way.handle, &asking).await {
            Ok(_) => return redirect(&place.path_with(&web, "/register/code", &[("resent", "1")])),
            Err(error) => error,
        }
    } else {
        let code = form.get("code").unwrap_or_default();
        let username = form.get("username").filter(|name| !name.trim().is_empty());
        match accounts.confirm_registration((&under_way.handle, code), username, &asking).await {
            Ok(made) => return welcome(&web, visitor, open, (made, under_way.connects)).await,
            Err(error) => error,
        }
    };
    let mut state = CodeState { username: form.get("username").map(str::to_owned), ..CodeState::default() };
    let status = match note(error, "code", (&mut state.mistakes, &mut state.error)) {
        Ok(status) => status,
        Err(fault) => return fault_page(&web, &visitor, fault),
    };
    if state.username.is_none() && state.mistakes.iter().any(|mistake| mistake.field == "username") {
        state.username = Some(String::new());
    }
    refused(code_page(&web, &visitor, (&place, open.as_ref()), (&under_way, state)), status)
}

/// Whoever typed the code has the mailbox, and chose the password a moment ago: they are signed in.
async fn welcome(web: &Web, visitor: Visitor, open: Option<Open>, (made, connects): (Made, bool)) -> Response {
    if connects && let Err(fault) = connect::connect_made(web, &visitor, &made.user).await {
        return fault_page(web, &visitor, fault);
    }
    let_in(web, visitor, (open, None), (&made, "registration")).await
}

/// Signs in whose account was made a moment ago by `method`: into the request that waits, or to `path`.
pub(super) async fn let_in(
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

/// The identity that waits for an account to be made, where this page is for that.
async fn connecting(web: &Web, visitor: &Visitor, query: &Params) -> Result<Option<(Pending, String)>, Fault> {
    if query.get("to") != Some(connect::DESTINATION) {
        return Ok(None);
    }
    let waiting = connect::waiting(web, visitor).await?.filter(|(pending, _)| pending.owner.is_none());
    Ok(waiting.map(|(pending, provider)| (pending, provider.label().to_owned())))
}

/// The request that waits at `place`, if it names one.
async fn open(web: &Web, visitor: &Visitor, place: &Place) -> Result<Option<Open>, Box<Response>> {
    match place.flow {
        None => Ok(None),
        Some(_) => find(web, visitor, place).await.map(Some),
    }
}

fn closed(web: &Web, visitor: &Visitor) -> Response {
    web.refuse(visitor, &PageError::new("signup_not_allowed", StatusCode::FORBIDDEN))
}

/// What somebody typed, as the form shows it again.
#[derive(Default)]
struct Typed {
    email: String,
    username: Option<String>,
    attributes: Vec<(String, String)>,
    mistakes: Vec<FieldMistake>,
    error: Option<String>,
    /// The identity that is connected with the account, and the name of its provider.
    connects: Option<(Pending, String)>,
}

impl Typed {
    /// What another server told is there to begin with.
    fn from_elsewhere(connects: Option<(Pending, String)>) -> Self {
        let email = connects.as_ref().and_then(|(pending, _)| pending.identity.email.clone());
        Self { email: email.unwrap_or_default(), connects, ..Self::default() }
    }

    /// Who is connected signs in by that; by link the account waits, and may be opened in another browser.
    fn needs_password(&self, web: &Web) -> bool {
        self.connects.is_none() || web.provider.accounts.settings.sign_up == SignUp::Link
    }

    fn of(web: &Web, form: &Params) -> Self {
        let settings = &web.provider.accounts.settings;
        let text = |name: &str| form.get(name).unwrap_or_default().to_owned();
        Self {
            email: text("email"),
            username: (settings.username != Presence::Off).then(|| text("username")),
            attributes: settings.attributes.asked().map(|asked| (asked.name.clone(), text(&asked.name))).collect(),
            ..Self::default()
        }
    }

    /// What it says, for the account.
    fn account(&self, web: &Web, form: &Params) -> Result<NewAccount, Vec<FieldMistake>> {
        let (attributes, mut mistakes) = attributes(web, form);
        // Without one nobody could sign in on our pages.
        let password = form.get("password").filter(|password| !password.is_empty());
        if password.is_none() && self.needs_password(web) {
            mistakes.push(shown_mistake(Mistake::new("password", Why::Required)));
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        Ok(NewAccount {
            email: Some(self.email.clone()),
            username: self.username.clone(),
            password: password.map(Secret::from),
            profile: self.connects.as_ref().map(|(pending, _)| pending.identity.profile.clone()).unwrap_or_default(),
            attributes,
            ..NewAccount::default()
        })
    }

    fn note(&mut self, error: AccountError) -> Result<StatusCode, Fault> {
        note(error, "email", (&mut self.mistakes, &mut self.error))
    }
}

/// The attributes of a form, and what is wrong with them.
pub(super) fn attributes(web: &Web, form: &Params) -> (Map<String, Value>, Vec<FieldMistake>) {
    let (mut attributes, mut mistakes) = (Map::new(), Vec::new());
    for asked in web.provider.accounts.settings.attributes.asked() {
        let text = form.get(&asked.name).unwrap_or_default();
        if text.is_empty() && asked.kind != AttributeKind::Boolean {
            continue;
        }
        match asked.fit_form(text) {
            Ok(value) => {
                attributes.insert(asked.name.clone(), value);
            }
            Err(unfit) => {
                mistakes.push(shown_mistake(crate::account::registration::unfit_mistake(asked.name.clone(), unfit)));
            }
        }
    }
    (attributes, mistakes)
}

/// Writes down what is wrong, for a page: at fields, or about the whole form. `code_field` is where a wrong code is shown.
///
/// # Errors
/// A fault, which is another page.
pub(super) fn note(
    error: AccountError,
    code_field: &str,
    (mistakes, whole): (&mut Vec<FieldMistake>, &mut Option<String>),
) -> Result<StatusCode, Fault> {
    match error {
        AccountError::Fields(found) => {
            mistakes.extend(found.into_iter().map(shown_mistake));
            Ok(StatusCode::UNPROCESSABLE_ENTITY)
        }
        AccountError::Refused(why @ Why::WrongCode) => {
            mistakes.push(shown_mistake(Mistake::new(code_field.to_owned(), why)));
            Ok(StatusCode::UNPROCESSABLE_ENTITY)
        }
        AccountError::Refused(why) => {
            *whole = Some(why.as_str().to_owned());
            Ok(StatusCode::UNPROCESSABLE_ENTITY)
        }
        AccountError::RecentlySent(_) => {
            *whole = Some("code_recently_sent".to_owned());
            Ok(StatusCode::TOO_MANY_REQUESTS)
        }
        AccountError::SmsBudget(_) | AccountError::TooOften(_) => {
            *whole = Some("rate_limited".to_owned());
            Ok(StatusCode::TOO_MANY_REQUESTS)
        }
        AccountError::Fault(fault) => Err(fault),
    }
}

/// A mistake as pages show it.
pub(super) fn shown_mistake(mistake: Mistake) -> FieldMistake {
    FieldMistake {
        field: mistake.field.into_owned(),
        code: mistake.code.to_owned(),
        bound: mistake.bound.and_then(|(_, bound)| u64::try_from(bound).ok()),
    }
}

/// The page with another status.
pub(super) fn refused(mut response: Response, status: StatusCode) -> Response {
    *response.status_mut() = status;
    response
}

fn form_page(web: &Web, visitor: &Visitor, (place, open): (&Place, Option<&Open>), typed: &Typed) -> Response {
    let settings = &web.provider.accounts.settings;
    let (flow, cookie) = web.flow(visitor);
    let value = |name: &str| {
        typed.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let more: &[(&str, &str)] = if typed.connects.is_some() { &[("to", connect::DESTINATION)] } else { &[] };
    let context = Register {
        action: place.path_with(web, "/register", more),
        connects: typed.connects.as_ref().map(|(pending, provider)| Connects {
            provider: provider.clone(),
            identity: pending.identity.label.clone().unwrap_or_default(),
        }),
        needs_password: typed.needs_password(web),
        csrf: web.csrf.token(&flow, &purpose(place)),
        email: if typed.email.is_empty() { hint(open) } else { typed.email.clone() },
        username: (settings.username != Presence::Off).then(|| typed.username.clone().unwrap_or_default()),
        username_required: settings.username == Presence::Required,
        attributes: settings.attributes.asked().map(|asked| field(asked, value(&asked.name))).collect(),
        mistakes: typed.mistakes.clone(),
        error: typed.error.clone(),
        sign_in_uri: place.path_with(web, "/sign-in", &[("other", "1")]),
        client: open.map(|open| shown(&open.client, open.interaction.request.return_path.redirect_uri())),
        back_uri: open.and_then(|open| way_back(&open.client, web.provider.issuer.as_str())).map(|back| back.uri),
        captcha: web.captcha_widget(captcha::Place::Registration),
    };
    let locales = open.map(|open| open.interaction.request.ui_locales.as_slice()).unwrap_or_default();
    let display = open.map(|open| open.interaction.request.display).unwrap_or_default();
    let frame = web.pages.frame(visitor.id, &visitor.headers, locales).shown_as(display);
    let mut response = web.pages.page("page/register.html", &frame, &context);
    if context.captcha.is_some() {
        admit_widget(web, &mut response);
    }
    admit_own_calls(&mut response);
    with_cookies(response, cookie)
}

/// `login_hint`, where it is an address.
fn hint(open: Option<&Open>) -> String {
    let hint = open.and_then(|open| open.interaction.request.login_hint.clone());
    hint.filter(|hint| hint.contains('@')).unwrap_or_default()
}

/// A field for an attribute.
pub(super) fn field(attribute: &Attribute, value: String) -> AttributeField {
    let kind = match attribute.kind {
        AttributeKind::Text => "text",
        AttributeKind::Number => "number",
        AttributeKind::Boolean => "checkbox",
        AttributeKind::Date => "date",
    };
    AttributeField {
        name: attribute.name.clone(),
        kind: kind.to_owned(),
        required: attribute.required,
        max_length: attribute.max_length,
        value,
    }
}

#[derive(Default)]
struct CodeState {
    username: Option<String>,
    mistakes: Vec<FieldMistake>,
    error: Option<String>,
    resent: bool,
}

fn code_page(
    web: &Web,
    visitor: &Visitor,
    (place, open): (&Place, Option<&Open>),
    (under_way, state): (&UnderWay, CodeState),
) -> Response {
    let (flow, cookie) = web.flow(visitor);
    let client = open.map(|open| shown(&open.client, open.interaction.request.return_path.redirect_uri()));
    let back_uri = open.and_then(|open| way_back(&open.client, web.provider.issuer.as_str())).map(|back| back.uri);
    let locales = open.map(|open| open.interaction.request.ui_locales.as_slice()).unwrap_or_default();
    let frame = web.pages.frame(visitor.id, &visitor.headers, locales);
    let response = if web.provider.accounts.settings.sign_up == SignUp::Link {
        let context = Notice {
            key: "activation_sent".to_owned(),
            address: Some(under_way.address.clone()),
            lines: Vec::new(),
            next_uri: place.path_with(web, "/sign-in", &[("other", "1")]),
            next: "sign_in".to_owned(),
            client,
            back_uri,
        };
        web.pages.page("page/notice.html", &frame, &context)
    } else {
        let context = CodePage {
            purpose: "registration".to_owned(),
            action: place.path(web, "/register/code"),
            csrf: web.csrf.token(&flow, &purpose(place)),
            address: under_way.address.clone(),
            asks_password: false,
            username: state.username,
            resends: true,
            mistakes: state.mistakes,
            error: state.error,
            resent: state.resent,
            again_uri: place.path(web, "/register"),
            client,
            back_uri,
        };
        web.pages.page("page/code.html", &frame, &context)
    };
    with_cookies(response, cookie)
}

async fn keep(web: &Web, visitor: &Visitor, place: &Place, under_way: &UnderWay) -> Result<(), Fault> {
    UNDER_WAY.put(&*web.provider.edges.ephemeral, key(visitor, place).as_bytes(), under_way, under_way.expires_at).await
}

async fn under_way(web: &Web, visitor: &Visitor, place: &Place) -> Result<Option<UnderWay>, Fault> {
    if visitor.flow.is_none() {
        return Ok(None);
    }
    UNDER_WAY.get(&*web.provider.edges.ephemeral, key(visitor, place).as_bytes(), web.provider.now()).await
}

/// One browser and one request.
fn key(visitor: &Visitor, place: &Place) -> TokenHash {
    let browser = visitor.flow.as_ref().map(|flow| flow.0.expose().as_str()).unwrap_or_default();
    TokenHash::of(&format!("{browser} {}", place.flow.as_deref().unwrap_or_default()))
}

fn purpose(place: &Place) -> String {
    format!("register:{}", place.flow.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_keeps_its_number() {
        let shown = shown_mistake(Mistake::new("password", Why::PasswordTooShort).with("min", 8));
        assert_eq!(
            (shown.field.as_str(), shown.code.as_str(), shown.bound),
            ("password", "password_too_short", Some(8))
        );
        let (mut mistakes, mut whole) = (Vec::new(), None);
        let status = note(Why::WrongCode.into(), "code", (&mut mistakes, &mut whole)).unwrap();
        assert_eq!((status.as_u16(), mistakes.len(), whole), (422, 1, None));
    }
}
