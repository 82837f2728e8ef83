//! `/account/invitations`: whom a person has asked in, and asking others.
//!
//! S-016. The same rules as `/api/v1/invitations`: see `admin::invitation`. Whether an address has an account is told only to those who may
//! look at accounts; to everybody else every address looks the same.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::account::AccountError;
use crate::admin::invitation::NewInvitation;
use crate::admin::{AdminError, Administration, Refusal};
use crate::edge::template::console::{Invitations, SentInvitation};
use crate::edge::template::context::account::FieldMistake;
use crate::http::error::PageError;
use crate::http::extract::params::{Form, Query};
use crate::http::extract::visitor::Visitor;
use crate::http::page::account::{Visit, acting, console, nothing_there, visit};
use crate::http::page::fault_page;
use crate::http::page::mistake::{Noted, note, refused};
use crate::http::web::{Web, redirect, with_cookies};
use crate::model::fault::Fault;
use crate::model::id::InvitationId;
use crate::model::invitation::Invitation;
use crate::model::user::{IdentifierKind, Role, User};
use crate::protocol::oidc::claims::Profile;
use crate::protocol::params::Params;

/// Where it is.
pub(super) const PATH: &str = "/account/invitations";
const SHOWN: u32 = 50;
/// The one field for an address or a number.
const CONTACT: &str = "contact";

/// What somebody typed, as the form shows it again.
#[derive(Default)]
struct Typed {
    contact: String,
    first_name: String,
    last_name: String,
    mistakes: Vec<FieldMistake>,
    error: Option<String>,
}

impl Typed {
    fn of(form: &Params) -> Self {
        let text = |name: &str| form.get(name).unwrap_or_default().trim().to_owned();
        Self { contact: text(CONTACT), first_name: text("first_name"), last_name: text("last_name"), ..Self::default() }
    }

    /// The address or the number in the one field for both.
    fn contact(&self) -> (Option<&str>, Option<&str>) {
        let contact = Some(self.contact.as_str());
        if self.contact.contains('@') { (contact, None) } else { (None, contact) }
    }

    fn wrong(&mut self, code: &str) {
        self.mistakes.push(FieldMistake { field: CONTACT.to_owned(), code: code.to_owned(), bound: None });
    }
}

/// `GET /account/invitations`
pub async fn show(State(web): State<Web>, visitor: Visitor, Query(query): Query) -> Response {
    match visit(&web, &visitor, PATH).await {
        Ok(Visit { user, .. }) => {
            // An id that is none shows the beginning.
            let before = query.get("before").and_then(|id| id.parse::<InvitationId>().ok());
            page(&web, &visitor, &user, (before, query.get("sent").is_some()), Typed::default()).await
        }
        Err(response) => *response,
    }
}

/// `POST /account/invitations`
pub async fn submit(State(web): State<Web>, visitor: Visitor, Form(form): Form) -> Response {
    let user = match acting(&web, &visitor, (form.get("csrf"), PATH)).await {
        Ok(visit) => visit.user,
        Err(response) => return *response,
    };
    let provenance = visitor.browser.provenance.clone();
    let administration = Administration::of_person(&web.provider.edges, &user, provenance);
    if form.get("do") == Some("revoke") {
        let id = form.get("id").and_then(|id| id.parse::<InvitationId>().ok());
        return revoke(&web, &visitor, &administration, (&user, id)).await;
    }
    let mut typed = Typed::of(&form);
    let noted = match invite(&web, &administration, (&user, &mut typed), visitor.asking().languages).await {
        Ok(None) => return redirect(&web.path(PATH, &[("sent", "1")])),
        Ok(Some(noted)) => noted,
        Err(fault) => return fault_page(&web, &visitor, fault),
    };
    refused(page(&web, &visitor, &user, (None, false), typed).await, noted)
}

/// Asks somebody in; what the page answers with when it is not done, with what is wrong in `typed`.
async fn invite(
    web: &Web,
    administration: &Administration,
    (user, typed): (&User, &mut Typed),
    languages: Vec<String>,
) -> Result<Option<Noted>, Fault> {
    let accounts = &web.provider.accounts;
    if !accounts.settings.inviters.allow(user.role) {
        typed.error = Some("invite_not_allowed".to_owned());
        return Ok(Some(StatusCode::FORBIDDEN.into()));
    }
    if typed.contact.is_empty() {
        typed.wrong("required");
        return Ok(Some(StatusCode::UNPROCESSABLE_ENTITY.into()));
    }
    let name = |name: &String| Some(name.clone()).filter(|name| !name.is_empty());
    let profile =
        Profile { given_name: name(&typed.first_name), family_name: name(&typed.last_name), ..Profile::default() };
    let (email, phone) = typed.contact();
    let new = NewInvitation { email, phone, profile, role: Role::Member, languages, ..NewInvitation::default() };
    let done = match accounts.may_invite(user.id, (email, phone)).await {
        Ok(()) => administration.invite((&accounts.site, &accounts.settings), new).await.map(drop),
        Err(error) => return unsent(error, typed).map(Some),
    };
    match done {
        Ok(()) => Ok(None),
        Err(AdminError::Fault(fault)) => Err(fault),
        Err(AdminError::Refused(refusal)) => {
            let is_email = typed.contact().0.is_some();
            match refusal {
                Refusal::NameTaken(IdentifierKind::Phone) => typed.wrong("phone_taken"),
                Refusal::NameTaken(_) => typed.wrong("email_taken"),
                Refusal::Malformed { .. } if is_email => typed.wrong("invalid_email"),
                Refusal::Malformed { .. } => typed.wrong("invalid_phone_number"),
                _ => typed.error = Some("invite_not_allowed".to_owned()),
            }
            Ok(Some(StatusCode::UNPROCESSABLE_ENTITY.into()))
        }
    }
}

fn unsent(error: AccountError, typed: &mut Typed) -> Result<Noted, Fault> {
    note(error, CONTACT, (&mut typed.mistakes, &mut typed.error))
}

/// Takes one's own invitation back. One that was used or taken back meanwhile shows as such.
async fn revoke(
    web: &Web,
    visitor: &Visitor,
    administration: &Administration,
    (user, id): (&User, Option<InvitationId>),
) -> Response {
    let Some(id) = id else { return nothing_there(web, visitor) };
    let own = match web.provider.edges.store.invitation(id).await {
        Ok(found) => found.filter(|found| found.invited_by == Some(user.id)),
        Err(fault) => return fault_page(web, visitor, fault),
    };
    let Some(own) = own else { return nothing_there(web, visitor) };
    match administration.revoke_invitation(&own).await {
        Ok(_) => redirect(&web.path(PATH, &[])),
        Err(AdminError::Fault(fault)) => fault_page(web, visitor, fault),
        Err(AdminError::Refused(_)) => web.refuse(visitor, &PageError::new("not_found", StatusCode::NOT_FOUND)),
    }
}

async fn page(
    web: &Web,
    visitor: &Visitor,
    user: &User,
    (before, sent): (Option<InvitationId>, bool),
    typed: Typed,
) -> Response {
    let found = web.provider.edges.store.invitations(Some(user.id), (before, SHOWN + 1)).await;
    let mut found = match found {
        Ok(found) => found,
        Err(fault) => return fault_page(web, visitor, fault),
    };
    let more = found.len() > SHOWN as usize;
    found.truncate(SHOWN as usize);
    let older = found.last().filter(|_| more).map(|last| web.path(PATH, &[("before", &last.id.to_string())]));
    let (console, cookie) = console(web, visitor, user, "invitations");
    let context = Invitations {
        console,
        action: web.path(PATH, &[]),
        may_invite: web.provider.accounts.settings.inviters.allow(user.role),
        contact: typed.contact,
        first_name: typed.first_name,
        last_name: typed.last_name,
        mistakes: typed.mistakes,
        error: typed.error,
        sent,
        invitations: found.iter().map(|one| shown(web, one)).collect(),
        older_uri: older,
    };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    with_cookies(web.pages.page("page/account_invitations.html", &frame, &context), cookie)
}

fn shown(web: &Web, invitation: &Invitation) -> SentInvitation {
    let state = invitation.state(web.provider.now());
    let profile = &invitation.profile;
    let names = [profile.given_name.as_deref(), profile.family_name.as_deref()];
    SentInvitation {
        id: invitation.id.to_string(),
        address: invitation.address.clone(),
        name: names.into_iter().flatten().collect::<Vec<_>>().join(" "),
        state: state.to_owned(),
        waits: state == "waiting",
        sent_at: invitation.created_at.seconds(),
        expires_at: invitation.expires_at.seconds(),
    }
}
