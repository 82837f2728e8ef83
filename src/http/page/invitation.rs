//! `/invitation`: who was asked in sets their account up. Opening the link changes nothing (mail scanners open links); the form does.
//!
//! S-016, PROTOCOL A13. The address is not typed again: the link came to it.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::account::registration::NewAccount;
use crate::account::settings::Presence;
use crate::account::{AccountError, Mistake, Why};
use crate::edge::template::context::account::{FieldMistake, InvitationPage};
use crate::http::error::PageError;
use crate::http::extract::params::{Form, Query};
use crate::http::extract::visitor::Visitor;
use crate::http::page::mistake::{note, refused, shown_mistake};
use crate::http::page::register::code::let_in;
use crate::http::page::register::{attributes, field};
use crate::http::page::{fault_page, foreign_form, way_back_to};
use crate::http::security_header::admit_own_calls;
use crate::http::web::{Web, shown, with_cookies};
use crate::model::invitation::Invitation;
use crate::protocol::oidc::claims::Profile;
use crate::protocol::params::Params;
use crate::protocol::secret::Secret;

const PATH: &str = "/invitation";
const PURPOSE: &str = "invitation";

/// What somebody typed, as the form shows it again.
#[derive(Default)]
struct Typed {
    first_name: String,
    last_name: String,
    username: String,
    attributes: Vec<(String, String)>,
    mistakes: Vec<FieldMistake>,
    error: Option<String>,
}

impl Typed {
    fn of_invitation(invitation: &Invitation) -> Self {
        Self {
            first_name: invitation.profile.given_name.clone().unwrap_or_default(),
            last_name: invitation.profile.family_name.clone().unwrap_or_default(),
            ..Self::default()
        }
    }

    fn of(web: &Web, form: &Params) -> Self {
        let text = |name: &str| form.get(name).unwrap_or_default().to_owned();
        let asked = web.provider.accounts.settings.attributes.asked();
        Self {
            first_name: text("first_name"),
            last_name: text("last_name"),
            username: text("username"),
            attributes: asked.map(|asked| (asked.name.clone(), text(&asked.name))).collect(),
            ..Self::default()
        }
    }

    /// What it says, for the account.
    fn account(&self, web: &Web, form: &Params) -> Result<NewAccount, Vec<FieldMistake>> {
        let (attributes, mut mistakes) = attributes(web, form);
        // Without one nobody could sign in on our pages.
        let password = form.get("password").filter(|password| !password.is_empty());
        if password.is_none() {
            mistakes.push(shown_mistake(Mistake::new("password", Why::Required)));
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let name = |name: &str| Some(name.trim().to_owned()).filter(|name| !name.is_empty());
        Ok(NewAccount {
            username: (web.provider.accounts.settings.username != Presence::Off).then(|| self.username.clone()),
            password: password.map(Secret::from),
            confirm_password: form.get("confirm_password").map(Secret::from),
            profile: Profile {
                given_name: name(&self.first_name),
                family_name: name(&self.last_name),
                ..Profile::default()
            },
            attributes,
            ..NewAccount::default()
        })
    }
}

/// `GET /invitation`
pub async fn show(State(web): State<Web>, visitor: Visitor, Query(query): Query) -> Response {
    let token = query.get("token").unwrap_or_default();
    match invitation(&web, &visitor, token).await {
        Ok(found) => page(&web, &visitor, (token, &found), &Typed::of_invitation(&found)).await,
        Err(response) => *response,
    }
}

/// `POST /invitation`
pub async fn submit(State(web): State<Web>, visitor: Visitor, Form(form): Form) -> Response {
    let token = form.get("token").unwrap_or_default();
    if let Err(error) = web.csrf.check(&visitor.headers, visitor.flow.as_ref(), PURPOSE, form.get("csrf")) {
        return foreign_form(&web, &visitor, error, web.path(PATH, &[("token", token)]));
    }
    let found = match invitation(&web, &visitor, token).await {
        Ok(found) => found,
        Err(response) => return *response,
    };
    let mut typed = Typed::of(&web, &form);
    let new = match typed.account(&web, &form) {
        Ok(new) => new,
        Err(mistakes) => {
            typed.mistakes = mistakes;
            let response = page(&web, &visitor, (token, &found), &typed).await;
            return refused(response, StatusCode::UNPROCESSABLE_ENTITY);
        }
    };
    let error = match web.provider.accounts.accept_invitation(token, new, &visitor.asking()).await {
        Ok(made) => {
            let back = way_back_to(&web, made.client_id.as_deref()).await;
            return let_in(&web, visitor, (None, back.map(|back| back.uri)), (&made, "invitation")).await;
        }
        Err(AccountError::Refused(Why::InvitationInvalid)) => return over(&web, &visitor),
        Err(error) => error,
    };
    match note(error, "password", (&mut typed.mistakes, &mut typed.error)) {
        Ok(status) => refused(page(&web, &visitor, (token, &found), &typed).await, status),
        Err(fault) => fault_page(&web, &visitor, fault),
    }
}

async fn invitation(web: &Web, visitor: &Visitor, token: &str) -> Result<Invitation, Box<Response>> {
    match web.provider.accounts.invitation(token).await {
        Ok(Some(found)) => Ok(found),
        Ok(None) => Err(Box::new(over(web, visitor))),
        Err(fault) => Err(Box::new(fault_page(web, visitor, fault))),
    }
}

fn over(web: &Web, visitor: &Visitor) -> Response {
    web.refuse(visitor, &PageError::new("invitation_invalid", StatusCode::GONE))
}

async fn page(web: &Web, visitor: &Visitor, (token, found): (&str, &Invitation), typed: &Typed) -> Response {
    let settings = &web.provider.accounts.settings;
    let (flow, cookie) = web.flow(visitor);
    let value = |name: &str| {
        typed.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let client = match &found.client {
        Some(id) => web.provider.edges.store.client(id).await.ok().flatten(),
        None => None,
    };
    let context = InvitationPage {
        action: web.path(PATH, &[]),
        csrf: web.csrf.token(&flow, PURPOSE),
        token: token.to_owned(),
        address: found.address.clone(),
        first_name: typed.first_name.clone(),
        last_name: typed.last_name.clone(),
        username: (settings.username != Presence::Off).then(|| typed.username.clone()),
        username_required: settings.username == Presence::Required,
        attributes: settings.attributes.asked().map(|asked| field(asked, value(&asked.name))).collect(),
        mistakes: typed.mistakes.clone(),
        error: typed.error.clone(),
        client: client.map(|client| shown(&client, client.metadata.client_uri.as_deref().unwrap_or_default())),
    };
    let languages: Vec<String> = found.profile.locale.iter().cloned().collect();
    let frame = web.pages.frame(visitor.id, &visitor.headers, &languages);
    let mut response = web.pages.page("page/invitation.html", &frame, &context);
    admit_own_calls(&mut response);
    with_cookies(response, cookie)
}
