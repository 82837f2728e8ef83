//! `/register` and `/register/code`: making an account, within the request of an app, so that the person ends there.
//!
//! Initiating User Registration via OpenID Connect 1.0 (`prompt=create`). By an address or, where text messages go out, by a number
//! (S-010). The handle of a registration stays here, under the browser's cookie and the request's id: two tabs of two apps do not meet,
//! a reload and the way back show the same page.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value};

use crate::account::attribute::{Attribute, AttributeKind};
use crate::account::registration::NewAccount;
use crate::account::settings::{Presence, SignUp};
use crate::account::{Mistake, Why};
use crate::authn::upstream::pending::Pending;
use crate::edge::template::context::Connects;
use crate::edge::template::context::account::{AttributeField, FieldMistake, OtherWay, Register};
use crate::http::captcha::{self, admit_widget};
use crate::http::error::PageError;
use crate::http::extract::params::{Form, Query};
use crate::http::extract::visitor::Visitor;
use crate::http::page::Place;
use crate::http::page::federation::connect;
use crate::http::page::mistake::{note, refused, shown_mistake};
use crate::http::page::scene::{Instead, Scene, either};
use crate::http::security_header::admit_own_calls;
use crate::http::web::{Web, with_cookies};
use crate::model::fault::Fault;
use crate::model::identifier::Phone;
use crate::model::user::IdentifierKind;
use crate::protocol::params::Params;
use crate::protocol::secret::Secret;

pub mod code;

/// The path of the form.
const PATH: &str = "/register";

/// `GET /register`
pub async fn show(State(web): State<Web>, visitor: Visitor, Query(query): Query) -> Response {
    either(begin_page(&web, &visitor, &query).await)
}

/// `POST /register`
pub async fn submit(State(web): State<Web>, visitor: Visitor, Query(query): Query, Form(form): Form) -> Response {
    either(begin(&web, &visitor, &query, &form).await)
}

async fn begin_page(web: &Web, visitor: &Visitor, query: &Params) -> Result<Response, Instead> {
    let scene = Scene::of(web, visitor, Place::of(query)).await?;
    if web.provider.accounts.settings.sign_up == SignUp::Off {
        return Ok(closed(web, visitor));
    }
    let connects = connecting(web, visitor, query).await.map_err(|fault| scene.fault(fault))?;
    Ok(page(&scene, Typed::new(web, query, connects)))
}

async fn begin(web: &Web, visitor: &Visitor, query: &Params, form: &Params) -> Result<Response, Instead> {
    let scene = Scene::of(web, visitor, Place::of(query)).await?;
    scene.check((&purpose(&scene.place), PATH), form)?;
    let connects = connecting(web, visitor, query).await.map_err(|fault| scene.fault(fault))?;
    let mut typed = Typed::new(web, query, connects).filled(web, form);
    let new = match typed.account(web, form) {
        Ok(new) => new,
        Err(mistakes) => {
            typed.mistakes = mistakes;
            return Ok(refused(page(&scene, typed), StatusCode::UNPROCESSABLE_ENTITY));
        }
    };
    match web.provider.accounts.start_registration(new, &scene.asking()).await {
        Ok(begun) => code::keep(&scene, begun, &typed).await,
        Err(error) => {
            let noted = note(error, typed.by.as_str(), (&mut typed.mistakes, &mut typed.error));
            let status = noted.map_err(|fault| scene.fault(fault))?;
            Ok(refused(page(&scene, typed), status))
        }
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

fn closed(web: &Web, visitor: &Visitor) -> Response {
    web.refuse(visitor, &PageError::new("signup_not_allowed", StatusCode::FORBIDDEN))
}

/// What somebody typed, as the form shows it again.
struct Typed {
    /// By what they register.
    by: IdentifierKind,
    /// Their address or number.
    contact: String,
    username: Option<String>,
    attributes: Vec<(String, String)>,
    mistakes: Vec<FieldMistake>,
    error: Option<String>,
    /// The identity that is connected with the account, and the name of its provider.
    connects: Option<(Pending, String)>,
}

impl Typed {
    /// By what the query says, if people are reached so; what another server told is there to begin with, and it is an address.
    fn new(web: &Web, query: &Params, connects: Option<(Pending, String)>) -> Self {
        let ways = &web.provider.accounts.settings.reached_by;
        let asked = ways.iter().find(|way| query.get("by") == Some(way.as_str()));
        let by = asked.or_else(|| ways.first()).copied().filter(|_| connects.is_none());
        let told = connects.as_ref().and_then(|(pending, _)| pending.identity.email.clone());
        Self {
            by: by.unwrap_or(IdentifierKind::Email),
            contact: told.unwrap_or_default(),
            username: None,
            attributes: Vec::new(),
            mistakes: Vec::new(),
            error: None,
            connects,
        }
    }

    /// Who is connected signs in by that; by link the account waits, and may be opened in another browser.
    fn needs_password(&self, web: &Web) -> bool {
        self.connects.is_none() || web.provider.accounts.settings.sign_up == SignUp::Link
    }

    /// With what the form says.
    fn filled(self, web: &Web, form: &Params) -> Self {
        let settings = &web.provider.accounts.settings;
        let text = |name: &str| form.get(name).unwrap_or_default().to_owned();
        Self {
            contact: text(self.by.as_str()),
            username: (settings.username != Presence::Off).then(|| text("username")),
            attributes: settings.attributes.asked().map(|asked| (asked.name.clone(), text(&asked.name))).collect(),
            ..self
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
        let contact = Some(self.contact.clone());
        let (email, phone) = if self.by == IdentifierKind::Phone { (None, contact) } else { (contact, None) };
        Ok(NewAccount {
            email,
            phone,
            username: self.username.clone(),
            password: password.map(Secret::from),
            confirm_password: form.get("confirm_password").map(Secret::from),
            profile: self.connects.as_ref().map(|(pending, _)| pending.identity.profile.clone()).unwrap_or_default(),
            attributes,
        })
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

fn page(scene: &Scene<'_>, typed: Typed) -> Response {
    let web = scene.web;
    let settings = &web.provider.accounts.settings;
    let (flow, cookie) = web.flow(scene.visitor);
    let value = |name: &str| {
        typed.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let at = |by: IdentifierKind| {
        let mut more = Vec::new();
        if settings.reached_by.first() != Some(&by) {
            more.push(("by", by.as_str()));
        }
        if typed.connects.is_some() {
            more.push(("to", connect::DESTINATION));
        }
        scene.path_with(PATH, &more)
    };
    let others = settings.reached_by.iter().filter(|way| **way != typed.by && typed.connects.is_none());
    let context = Register {
        action: at(typed.by),
        connects: typed.connects.as_ref().map(|(pending, provider)| Connects {
            provider: provider.clone(),
            identity: pending.identity.label.clone().unwrap_or_default(),
        }),
        needs_password: typed.needs_password(web),
        csrf: web.csrf.token(&flow, &purpose(&scene.place)),
        by: typed.by.as_str().to_owned(),
        contact: if typed.contact.is_empty() { hint(scene, typed.by) } else { typed.contact.clone() },
        others: others.map(|way| OtherWay { by: way.as_str().to_owned(), url: at(*way) }).collect(),
        username: (settings.username != Presence::Off).then(|| typed.username.clone().unwrap_or_default()),
        username_required: settings.username == Presence::Required,
        attributes: settings.attributes.asked().map(|asked| field(asked, value(&asked.name))).collect(),
        mistakes: typed.mistakes,
        error: typed.error,
        sign_in_uri: scene.sign_in_uri(),
        client: scene.client(),
        back_uri: scene.back_uri(),
        captcha: web.captcha_widget(captcha::Place::Registration),
    };
    let mut response = web.pages.page("page/register.html", &scene.frame(), &context);
    if context.captcha.is_some() {
        admit_widget(web, &mut response);
    }
    admit_own_calls(&mut response);
    with_cookies(response, cookie)
}

/// `login_hint`, where it is an address or number as is asked for.
fn hint(scene: &Scene<'_>, by: IdentifierKind) -> String {
    let hint = scene.open.as_ref().and_then(|open| open.interaction.request.login_hint.clone());
    let fits = |hint: &String| match by {
        IdentifierKind::Phone => Phone::parse(hint).is_some(),
        IdentifierKind::Email | IdentifierKind::Username => hint.contains('@'),
    };
    hint.filter(fits).unwrap_or_default()
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

/// What the forms of both pages are for, in one request.
fn purpose(place: &Place) -> String {
    format!("register:{}", place.flow.as_deref().unwrap_or_default())
}
