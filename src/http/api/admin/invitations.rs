//! `/admin/invitations`: everybody who was asked in (S-016).

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use utoipa::openapi::schema::Object;

use crate::admin::Changed;
use crate::http::api::admin::asked::{Asked, Named};
use crate::http::api::admin::caller::{Auditor, Support};
use crate::http::api::admin::users::RoleWord;
use crate::http::api::answer::{nothing, ok};
use crate::http::api::body::{Body, Fields, Json, body};
use crate::http::api::code::Code;
use crate::http::api::invitations::{INVITING, InvitationList, InvitationView, Invite, send};
use crate::http::api::operation::{Group, Operation, delete, get, post};
use crate::http::api::paging::{CURSOR, LIMIT};
use crate::http::api::problem::Problem;
use crate::http::api::registration::SENDING;
use crate::http::web::Web;
use crate::model::id::InvitationId;
use crate::model::user::Role;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/admin/invitations", Group::Admin), "List invitations, the newest first", list)
            .by_role(Role::Auditor)
            .query(CURSOR.0, CURSOR.1)
            .query(LIMIT.0, LIMIT.1)
            .query("invited_by", "Only those of the person of this id.")
            .gives::<InvitationList>(StatusCode::OK, "One page of invitations.")
            .refuses(&[Code::InvalidValue, Code::TooLong, Code::UnknownField]),
        post(("/admin/invitations", Group::Admin), "Invite somebody", invite)
            .by_role(Role::UserSupport)
            .by_proof()
            .takes::<AdminInvite>()
            .gives::<InvitationView>(StatusCode::CREATED, "A message was sent to the address or number.")
            .refuses(SENDING)
            .refuses(INVITING),
        get(("/admin/invitations/{id}", Group::Admin), "An invitation", show)
            .by_role(Role::Auditor)
            .gives::<InvitationView>(StatusCode::OK, "The invitation."),
        delete(("/admin/invitations/{id}", Group::Admin), "Take an invitation back", revoke)
            .by_role(Role::UserSupport)
            .gives_nothing(StatusCode::NO_CONTENT, "Its link is of no use any more."),
    ]
}

body! {
    /// What somebody is given who is invited.
    struct Given {
        /// What they may do on this server; `member` when it is left out.
        role: Option<RoleWord>,
    }
}

/// Somebody who is invited, and what they are given.
#[derive(Clone, Debug)]
struct AdminInvite {
    invite: Invite,
    given: Given,
}

impl Body for AdminInvite {
    const NAME: &'static str = "AdminInvite";

    fn read(fields: &mut Fields) -> Option<Self> {
        let (invite, given) = (Invite::read(fields), Given::read(fields));
        Some(Self { invite: invite?, given: given? })
    }

    fn schema() -> Object {
        let mut schema = Invite::schema();
        schema.properties.extend(Given::schema().properties);
        schema
    }
}

async fn list(State(web): State<Web>, _: Auditor, asked: Asked) -> Result<Response, Problem> {
    let asked = asked.only(&["invited_by"])?;
    let inviter = asked.value("invited_by", |id| id.parse().ok())?;
    let before = asked.paging.cursor(|cursor| cursor.parse::<InvitationId>().ok())?;
    let mut found = web.provider.edges.store.invitations(inviter, (before, asked.paging.limit + 1)).await?;
    let next = asked.paging.cut(&mut found, |last| last.id.to_string());
    Ok(ok(&InvitationList::of(&found, next, web.provider.now())))
}

async fn show(State(web): State<Web>, _: Auditor, named: Named) -> Result<Response, Problem> {
    let id: InvitationId = named.first().parse().map_err(|_| Problem::new(Code::NotFound))?;
    let found = web.provider.edges.store.invitation(id).await?.ok_or(Code::NotFound)?;
    Ok(ok(&InvitationView::of(&found, web.provider.now())))
}

async fn invite(
    State(web): State<Web>,
    Support(caller): Support,
    Json(body): Json<AdminInvite>,
) -> Result<Response, Problem> {
    let AdminInvite { invite, given } = body;
    let role = given.role.map_or(Role::Member, RoleWord::role);
    if role > Role::Member {
        caller.prove_again(&web).await?;
    }
    send(&web, (caller.user.id, &caller.admin), (invite, role), Vec::new()).await
}

async fn revoke(State(web): State<Web>, Support(caller): Support, named: Named) -> Result<Response, Problem> {
    let id: InvitationId = named.first().parse().map_err(|_| Problem::new(Code::NotFound))?;
    let found = web.provider.edges.store.invitation(id).await?.ok_or(Code::NotFound)?;
    match caller.admin.revoke_invitation(&found).await? {
        Changed::Yes => Ok(nothing()),
        Changed::No => Err(Problem::new(Code::NotFound)),
    }
}
