//! `/account/profile`, `/account/contacts`, `/account/data`: what a person changes of their own account.
//!
//! Each form posts to its page and comes back to it. What reaches far (addresses, the end of the account) is only for who proved a short
//! while ago who they are; others do that first, and come back.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value};

use crate::account::attribute::{AttributeKind, Visibility};
use crate::account::registration::unfit_mistake;
use crate::account::{AccountError, Asking};
use crate::edge::template::context::account::{
    Contact, ContactsPage, FieldMistake, MyData, Notice, ProfileField, ProfilePage, WaitingContact,
};
use crate::http::extract::params::{Form, Query};
use crate::http::extract::visitor::Visitor;
use crate::http::page::account::{Visit, acting, console, visit};
use crate::http::page::again::recent;
use crate::http::page::fault_page;
use crate::http::page::mistake::{note, refused, shown_mistake};
use crate::http::page::register::field;
use crate::http::web::{Web, redirect, with_cookies};
use crate::model::id::IdentifierId;
use crate::model::user::{Identifier, IdentifierKind, User};
use crate::protocol::params::Params;

/// What the page of a profile asks for, with what browsers fill in.
const FIELDS: &[(&str, &str)] = &[
    ("first_name", "given-name"),
    ("last_name", "family-name"),
    ("nickname", "nickname"),
    ("website", "url"),
    ("birthdate", "bday"),
];

/// A page of the account.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Page {
    Profile,
    Contacts,
    Data,
}

impl Page {
    const fn path(self) -> &'static str {
        match self {
            Self::Profile => "/account/profile",
            Self::Contacts => "/account/contacts",
            Self::Data => "/account/data",
        }
    }
}

/// `GET /account/profile`
pub async fn show(State(web): State<Web>, visitor: Visitor, Query(query): Query) -> Response {
    match visit(&web, &visitor, Page::Profile.path()).await {
        Ok(Visit { user, .. }) => profile_page(&web, &visitor, &user, (Vec::new(), query.get("kept").is_some())),
        Err(response) => *response,
    }
}

/// `POST /account/profile`
pub async fn submit(State(web): State<Web>, visitor: Visitor, Form(form): Form) -> Response {
    let user = match acting(&web, &visitor, (form.get("csrf"), Page::Profile.path())).await {
        Ok(visit) => visit.user,
        Err(response) => return *response,
    };
    let given = match given(&web, &form) {
        Ok(given) => given,
        Err(mistakes) => {
            let page = profile_page(&web, &visitor, &user, (mistakes, false));
            return refused(page, StatusCode::UNPROCESSABLE_ENTITY);
        }
    };
    match web.provider.accounts.change_profile(&user, given, &visitor.asking()).await {
        Ok(_) => redirect(&web.path(Page::Profile.path(), &[("kept", "1")])),
        Err(error) => {
            let (mut mistakes, mut whole) = (Vec::new(), None);
            match note(error, "", (&mut mistakes, &mut whole)) {
                Ok(status) => refused(profile_page(&web, &visitor, &user, (mistakes, false)), status),
                Err(fault) => fault_page(&web, &visitor, fault),
            }
        }
    }
}

/// `GET /account/contacts`
pub async fn show_contacts(State(web): State<Web>, visitor: Visitor) -> Response {
    match visit(&web, &visitor, Page::Contacts.path()).await {
        Ok(Visit { user, .. }) => contacts_page(&web, &visitor, &user, Contacts::default()),
        Err(response) => *response,
    }
}

/// `POST /account/contacts`
pub async fn submit_contacts(State(web): State<Web>, visitor: Visitor, Form(form): Form) -> Response {
    let user = match recently(&web, &visitor, Page::Contacts, &form).await {
        Ok(user) => user,
        Err(response) => return *response,
    };
    let kind = if form.get("kind") == Some("phone") { IdentifierKind::Phone } else { IdentifierKind::Email };
    let mut state = Contacts::default();
    match change_contacts(&web, &user, (kind, &form), &visitor.asking(), &mut state).await {
        Ok(Changed::Done) => redirect(&web.path(Page::Contacts.path(), &[])),
        Ok(Changed::Waits) => contacts_page(&web, &visitor, &user, state),
        Err(error) => match note(error, "code", (&mut state.mistakes, &mut state.error)) {
            Ok(status) => refused(contacts_page(&web, &visitor, &user, state), status),
            Err(fault) => fault_page(&web, &visitor, fault),
        },
    }
}

/// `GET /account/data`
pub async fn show_data(State(web): State<Web>, visitor: Visitor, Query(query): Query) -> Response {
    match visit(&web, &visitor, Page::Data.path()).await {
        Ok(Visit { user, .. }) => data_page(&web, &visitor, &user, (query.get("asked").is_some(), None)),
        Err(response) => *response,
    }
}

/// `POST /account/data`
pub async fn submit_data(State(web): State<Web>, visitor: Visitor, Form(form): Form) -> Response {
    let user = match recently(&web, &visitor, Page::Data, &form).await {
        Ok(user) => user,
        Err(response) => return *response,
    };
    let (accounts, asking) = (&web.provider.accounts, visitor.asking());
    let done = match form.get("do") {
        Some("export") => accounts.request_export(&user, &asking).await.map(|_| None),
        Some("delete") if form.get("sure").is_some() => {
            accounts.request_deletion(&user, &asking).await.map(|_| Some(deleted(&web, &visitor)))
        }
        _ => return redirect(&web.path(Page::Data.path(), &[])),
    };
    match done {
        Ok(None) => redirect(&web.path(Page::Data.path(), &[("asked", "1")])),
        Ok(Some(response)) => response,
        Err(error) => {
            let (mut mistakes, mut whole) = (Vec::new(), None);
            match note(error, "", (&mut mistakes, &mut whole)) {
                Ok(status) => refused(data_page(&web, &visitor, &user, (false, whole)), status),
                Err(fault) => fault_page(&web, &visitor, fault),
            }
        }
    }
}

/// Who sends a form of a page, and proved a short while ago who they are.
async fn recently(web: &Web, visitor: &Visitor, page: Page, form: &Params) -> Result<Arc<User>, Box<Response>> {
    acting(web, visitor, (form.get("csrf"), page.path())).await?;
    recent(web, visitor, page.path()).await.map(|(visit, _)| visit.user)
}

/// What a form says of a profile, by the names of the API.
fn given(web: &Web, form: &Params) -> Result<Map<String, Value>, Vec<FieldMistake>> {
    let (mut given, mut mistakes) = (Map::new(), Vec::new());
    for (name, _) in FIELDS {
        if let Some(text) = form.get(name) {
            given.insert((*name).to_owned(), Value::String(text.to_owned()));
        }
    }
    for attribute in web.provider.accounts.settings.attributes.all() {
        if attribute.visibility != Visibility::Editable {
            continue;
        }
        let text = form.get(&attribute.name).unwrap_or_default();
        if text.is_empty() && attribute.kind != AttributeKind::Boolean {
            given.insert(attribute.name.clone(), Value::Null);
            continue;
        }
        match attribute.fit_form(text) {
            Ok(value) => {
                given.insert(attribute.name.clone(), value);
            }
            Err(unfit) => mistakes.push(shown_mistake(unfit_mistake(attribute.name.clone(), unfit))),
        }
    }
    if mistakes.is_empty() { Ok(given) } else { Err(mistakes) }
}

pub(in crate::http::page) fn profile_page(
    web: &Web,
    visitor: &Visitor,
    user: &User,
    (mistakes, kept): (Vec<FieldMistake>, bool),
) -> Response {
    let (console, cookie) = console(web, visitor, user, "profile");
    let profile = &user.profile;
    let value = |name: &str| match name {
        "first_name" => profile.given_name.clone(),
        "last_name" => profile.family_name.clone(),
        other => profile.claim(other).and_then(|value| value.as_str().map(str::to_owned)),
    };
    let attributes = web.provider.accounts.settings.attributes.all().iter();
    let attributes = attributes.filter(|attribute| attribute.visibility == Visibility::Editable).map(|attribute| {
        let held = match user.attributes.get(&attribute.name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Bool(true)) => "true".to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        field(attribute, held)
    });
    let context = ProfilePage {
        console,
        action: web.path(Page::Profile.path(), &[]),
        picture_action: web.path("/account/profile/picture", &[]),
        has_picture: profile.picture.is_some(),
        fields: FIELDS
            .iter()
            .map(|(name, autocomplete)| ProfileField {
                name: (*name).to_owned(),
                value: value(name).unwrap_or_default(),
                autocomplete: (*autocomplete).to_owned(),
            })
            .collect(),
        attributes: attributes.collect(),
        mistakes,
        kept,
    };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    with_cookies(web.pages.page("page/profile.html", &frame, &context), cookie)
}

/// What the page of addresses and numbers shows beside them.
#[derive(Default)]
struct Contacts {
    waiting: Option<WaitingContact>,
    mistakes: Vec<FieldMistake>,
    error: Option<String>,
    email: String,
    phone: String,
}

/// What became of a form.
enum Changed {
    /// It is done.
    Done,
    /// It waits for a code.
    Waits,
}

async fn change_contacts(
    web: &Web,
    user: &User,
    (kind, form): (IdentifierKind, &Params),
    asking: &Asking,
    state: &mut Contacts,
) -> Result<Changed, AccountError> {
    let accounts = &web.provider.accounts;
    let value = form.get("value").unwrap_or_default();
    let id: Option<IdentifierId> = form.get("id").and_then(|id| id.parse().ok());
    match (form.get("do"), id) {
        (Some("add"), _) => {
            match kind {
                IdentifierKind::Phone => value.clone_into(&mut state.phone),
                IdentifierKind::Email | IdentifierKind::Username => value.clone_into(&mut state.email),
            }
            let begun = accounts.add_contact(user, (kind, value), asking).await?;
            let kind = kind.as_str().to_owned();
            state.waiting = Some(WaitingContact { kind, id: begun.id.to_string(), value: begun.value });
            Ok(Changed::Waits)
        }
        (Some("confirm"), Some(id)) => {
            let (kind_name, value) = (kind.as_str().to_owned(), value.to_owned());
            state.waiting = Some(WaitingContact { kind: kind_name, id: id.to_string(), value });
            accounts.confirm_contact(user, (kind, id, form.get("code").unwrap_or_default()), asking).await?;
            Ok(Changed::Done)
        }
        (Some("primary"), Some(id)) => {
            accounts.make_contact_primary(user, (kind, id), asking).await.map(|()| Changed::Done)
        }
        (Some("remove"), Some(id)) => accounts.remove_contact(user, (kind, id), asking).await.map(|()| Changed::Done),
        _ => Ok(Changed::Done),
    }
}

fn contacts_page(web: &Web, visitor: &Visitor, user: &User, state: Contacts) -> Response {
    let (console, cookie) = console(web, visitor, user, "contacts");
    let of_kind = |kind| {
        let mut own: Vec<&Identifier> = user.of_kind(kind).collect();
        own.sort_by_key(|identifier| (!identifier.is_primary, identifier.id));
        let shown = own.into_iter().map(|identifier| Contact {
            id: identifier.id.to_string(),
            value: identifier.value.clone(),
            verified: identifier.verified_at.is_some(),
            primary: identifier.is_primary,
        });
        shown.collect::<Vec<_>>()
    };
    let context = ContactsPage {
        console,
        action: web.path(Page::Contacts.path(), &[]),
        emails: of_kind(IdentifierKind::Email),
        phones: of_kind(IdentifierKind::Phone),
        waiting: state.waiting,
        mistakes: state.mistakes,
        error: state.error,
        email: state.email,
        phone: state.phone,
    };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    with_cookies(web.pages.page("page/contacts.html", &frame, &context), cookie)
}

fn data_page(web: &Web, visitor: &Visitor, user: &User, (asked, error): (bool, Option<String>)) -> Response {
    let (console, cookie) = console(web, visitor, user, "data");
    let grace = web.provider.accounts.settings.lifetimes.deletion_grace;
    let context = MyData {
        console,
        action: web.path(Page::Data.path(), &[]),
        grace_days: grace.as_secs().div_ceil(24 * 60 * 60),
        asked,
        error,
    };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    with_cookies(web.pages.page("page/my_data.html", &frame, &context), cookie)
}

/// The account is closed, and this browser's session with it.
fn deleted(web: &Web, visitor: &Visitor) -> Response {
    let context = Notice {
        key: "deleted".to_owned(),
        address: None,
        lines: Vec::new(),
        gone: Vec::new(),
        next_uri: web.path("/", &[]),
        next: "home".to_owned(),
        client: None,
        back_uri: None,
    };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    with_cookies(web.pages.page("page/notice.html", &frame, &context), [web.cookies.clear_session()])
}
