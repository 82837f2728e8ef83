//! `/invitations`: asking others in, and accepting (S-016).
//!
//! `ACCOUNT_API.md` §3.2. Who invites sees their own; the administration (`/admin/invitations`) sees all. Who has an account already is
//! told to nobody who may not look at accounts: to them every address looks the same.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use crate::admin::invitation::NewInvitation;
use crate::admin::{Administration, Changed};
use crate::http::api::admin::asked::Named;
use crate::http::api::answer::{Moment, answer, nothing, ok};
use crate::http::api::body::{Body, Fields, Json, body};
use crate::http::api::caller::{Guest, Person};
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, delete, get, post};
use crate::http::api::paging::{CURSOR, LIMIT, Paging};
use crate::http::api::password::POLICY;
use crate::http::api::problem::Problem;
use crate::http::api::registration::{Account, NAMES, NewPerson, SENDING, Session, finish};
use crate::http::web::Web;
use crate::model::id::{ClientId, InvitationId, UserId};
use crate::model::invitation::{Fate, Invitation};
use crate::model::user::{IdentifierKind, Role};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::oidc::claims::Profile;
use crate::protocol::secret::Secret;

/// What inviting can be refused with.
pub(super) const INVITING: &[Code] = &[
    Code::InviteNotAllowed,
    Code::Forbidden,
    Code::NotFound,
    Code::InvalidValue,
    Code::EmailTaken,
    Code::PhoneTaken,
    Code::SmsBudgetExceeded,
];

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/invitations", Group::Invitations), "List whom one has invited, the newest first", list)
            .by_person()
            .query(CURSOR.0, CURSOR.1)
            .query(LIMIT.0, LIMIT.1)
            .gives::<InvitationList>(StatusCode::OK, "One page of invitations.")
            .refuses(&[Code::InvalidValue]),
        post(("/invitations", Group::Invitations), "Invite somebody", invite)
            .by_person()
            .takes::<Invite>()
            .gives::<InvitationView>(StatusCode::CREATED, "A message was sent to the address or number.")
            .refuses(SENDING)
            .refuses(INVITING),
        delete(("/invitations/{id}", Group::Invitations), "Take an invitation back", revoke)
            .by_person()
            .gives_nothing(StatusCode::NO_CONTENT, "Its link is of no use any more.")
            .refuses(&[Code::NotFound]),
        post(("/invitations/inspect", Group::Invitations), "See what an invitation is for; it stays good", inspect)
            .takes::<InspectInvitation>()
            .gives::<InvitedView>(StatusCode::OK, "The invitation is good.")
            .refuses(&[Code::InvitationInvalid]),
        post(("/invitations/accept", Group::Invitations), "Make the account that an invitation is for", accept)
            .takes::<Acceptance>()
            .gives::<Account>(StatusCode::CREATED, "The account is made.")
            .refuses(NAMES)
            .refuses(POLICY)
            .refuses(&[Code::InvitationInvalid, Code::PasswordsNotIdentical, Code::Forbidden]),
    ]
}

body! {
    /// Somebody who is invited.
    pub(super) struct Invite {
        /// Their e-mail address; it or a phone number must be there, and not both.
        email: Option<String>,
        /// Their phone number with its country.
        phone: Option<String>,
        /// The given name.
        first_name: Option<String>,
        /// The family name.
        last_name: Option<String>,
        /// Their language, as a BCP 47 tag.
        locale: Option<String>,
        /// Groups that they are put into, by path or id; only who looks after groups says that.
        groups: Option<Vec<String>>,
        /// The app that they are invited to.
        client_id: Option<String>,
    }
}

body! {
    /// An invitation that was opened.
    struct InspectInvitation {
        /// The token of the link.
        token: Secret,
    }
}

body! {
    /// An account by invitation. Members that are named in none of these are attributes of the settings.
    struct Accepted {
        /// The token of the link.
        token: Secret,
        /// A session begins in this browser, as after a sign-in, unless the account needs one more proof.
        sign_in: Option<bool>,
    }
}

/// An account by invitation, with who it is for.
#[derive(Clone, Debug)]
struct Acceptance {
    accepted: Accepted,
    person: NewPerson,
}

impl Body for Acceptance {
    const NAME: &'static str = "Acceptance";

    fn read(fields: &mut Fields) -> Option<Self> {
        let (accepted, person) = (Accepted::read(fields), NewPerson::read(fields));
        Some(Self { accepted: accepted?, person: person? })
    }

    fn schema() -> Object {
        NewPerson::beside(Accepted::schema())
    }
}

/// One page of invitations.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InvitationList {
    /// The invitations.
    items: Vec<InvitationView>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

/// An invitation, as those see it who invite.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InvitationView {
    /// Its id.
    id: String,
    /// The e-mail address.
    email: Option<String>,
    /// The phone number, in E.164.
    phone: Option<String>,
    /// The given name.
    first_name: Option<String>,
    /// The family name.
    last_name: Option<String>,
    /// The ids of the groups that the person is put into.
    groups: Vec<String>,
    /// What they may do on this server.
    role: &'static str,
    /// The app that they are invited to.
    client_id: Option<String>,
    /// Who invites; null for an operator on the command line.
    invited_by: Option<String>,
    /// `waiting`, `accepted`, `revoked` or `expired`.
    state: &'static str,
    /// Whether the person has no account by it yet, and may have one.
    is_registering: bool,
    /// When it was sent.
    created_at: Moment,
    /// When it runs out.
    expires_at: Moment,
    /// When it was accepted.
    accepted_at: Option<Moment>,
    /// Who has an account by it.
    user_id: Option<String>,
}

impl InvitationView {
    pub(super) fn of(invitation: &Invitation, now: NumericDate) -> Self {
        let address = |kind| Some(invitation.address.clone()).filter(|_| invitation.kind == kind);
        let (accepted_at, user) = match invitation.fate {
            Some(Fate::Accepted { at, by }) => (Some(Moment(at)), by),
            _ => (None, None),
        };
        let state = invitation.state(now);
        Self {
            id: invitation.id.to_string(),
            email: address(IdentifierKind::Email),
            phone: address(IdentifierKind::Phone),
            first_name: invitation.profile.given_name.clone(),
            last_name: invitation.profile.family_name.clone(),
            groups: invitation.groups.iter().map(ToString::to_string).collect(),
            role: invitation.role.as_str(),
            client_id: invitation.client.as_ref().map(ToString::to_string),
            invited_by: invitation.invited_by.map(|id| id.to_string()),
            state,
            is_registering: state == "waiting",
            created_at: Moment(invitation.created_at),
            expires_at: Moment(invitation.expires_at),
            accepted_at,
            user_id: user.map(|id| id.to_string()),
        }
    }
}

impl InvitationList {
    pub(super) fn of(invitations: &[Invitation], next: Option<String>, now: NumericDate) -> Self {
        Self { items: invitations.iter().map(|one| InvitationView::of(one, now)).collect(), next }
    }
}

/// An invitation, as the person sees it who is invited.
#[derive(Debug, Serialize, ToSchema)]
struct InvitedView {
    /// The e-mail address that the account will have.
    email: Option<String>,
    /// The phone number that the account will have.
    phone: Option<String>,
    /// The given name.
    first_name: Option<String>,
    /// The family name.
    last_name: Option<String>,
    /// When it runs out.
    expires_at: Moment,
}

/// The person, as who asks others in.
fn administration(web: &Web, person: &Person) -> Administration {
    Administration::of_person(&web.provider.edges, &person.user, person.guest.provenance.clone())
}

/// Asks somebody in, who may then do what `role` allows; `inviter` is whose invitations are counted.
///
/// # Errors
/// That it is too early for another, and those of [`Administration::invite`].
pub(super) async fn send(
    web: &Web,
    (inviter, administration): (UserId, &Administration),
    (invite, role): (Invite, Role),
    languages: Vec<String>,
) -> Result<Response, Problem> {
    let accounts = &web.provider.accounts;
    let (email, phone) = (invite.email.as_deref(), invite.phone.as_deref());
    let client = invite.client_id.as_deref().map(str::parse::<ClientId>).transpose();
    accounts.may_invite(inviter, (email, phone)).await?;
    let new = NewInvitation {
        email,
        phone,
        profile: Profile {
            given_name: invite.first_name,
            family_name: invite.last_name,
            locale: invite.locale,
            ..Profile::default()
        },
        groups: invite.groups.as_deref().unwrap_or_default(),
        role,
        client: client.map_err(|_| Problem::field("client_id", Code::InvalidValue))?,
        languages,
    };
    let made = administration.invite((&accounts.site, &accounts.settings), new).await?;
    Ok(answer(StatusCode::CREATED, &InvitationView::of(&made, web.provider.now())))
}

async fn list(State(web): State<Web>, person: Person, paging: Paging) -> Result<Response, Problem> {
    let before = paging.cursor(|cursor| cursor.parse::<InvitationId>().ok())?;
    let store = &web.provider.edges.store;
    let mut found = store.invitations(Some(person.user.id), (before, paging.limit + 1)).await?;
    let next = paging.cut(&mut found, |last| last.id.to_string());
    Ok(ok(&InvitationList::of(&found, next, web.provider.now())))
}

async fn invite(State(web): State<Web>, person: Person, Json(body): Json<Invite>) -> Result<Response, Problem> {
    if !web.provider.accounts.settings.inviters.allow(person.user.role) {
        return Err(Problem::new(Code::InviteNotAllowed));
    }
    let by = administration(&web, &person);
    send(&web, (person.user.id, &by), (body, Role::Member), person.guest.visitor.asking().languages).await
}

async fn revoke(State(web): State<Web>, person: Person, named: Named) -> Result<Response, Problem> {
    let id: InvitationId = named.first().parse().map_err(|_| Problem::new(Code::NotFound))?;
    let found = web.provider.edges.store.invitation(id).await?;
    let own = found.filter(|found| found.invited_by == Some(person.user.id)).ok_or(Code::NotFound)?;
    match administration(&web, &person).revoke_invitation(&own).await? {
        Changed::Yes => Ok(nothing()),
        Changed::No => Err(Problem::new(Code::NotFound)),
    }
}

async fn inspect(State(web): State<Web>, _: Guest, Json(body): Json<InspectInvitation>) -> Result<Response, Problem> {
    let found = web.provider.accounts.invitation(body.token.expose()).await?.ok_or(Code::InvitationInvalid)?;
    let address = |kind| Some(found.address.clone()).filter(|_| found.kind == kind);
    Ok(ok(&InvitedView {
        email: address(IdentifierKind::Email),
        phone: address(IdentifierKind::Phone),
        first_name: found.profile.given_name.clone(),
        last_name: found.profile.family_name.clone(),
        expires_at: Moment(found.expires_at),
    }))
}

async fn accept(State(web): State<Web>, guest: Guest, Json(body): Json<Acceptance>) -> Result<Response, Problem> {
    let Acceptance { accepted, person } = body;
    let signs_in = accepted.sign_in == Some(true);
    if signs_in {
        guest.check_csrf_token(&web)?;
    }
    let asking = guest.asking(&web, None).await?;
    let made = web.provider.accounts.accept_invitation(accepted.token.expose(), person.account(), &asking).await?;
    finish(&web, &guest, (made, "invitation"), Session::of(signs_in)).await
}
