//! `/admin/invitations`: everybody who was asked in (S-016).

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::admin::Changed;
use crate::admin::invitation::NewInvitation;
use crate::http::api::admin::asked::{Asked, Named};
use crate::http::api::admin::caller::{Auditor, Support};
use crate::http::api::admin::users::RoleWord;
use crate::http::api::answer::{answer, nothing, ok};
use crate::http::api::body::{Json, body};
use crate::http::api::code::Code;
use crate::http::api::invitations::{INVITING, InvitationList, InvitationView, client};
use crate::http::api::operation::{Group, Operation, delete, get, post};
use crate::http::api::paging::{CURSOR, LIMIT};
use crate::http::api::problem::Problem;
use crate::http::api::registration::SENDING;
use crate::http::web::Web;
use crate::model::id::InvitationId;
use crate::model::user::Role;
use crate::protocol::oidc::claims::Profile;

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
    /// Somebody who is invited.
    struct AdminInvite {
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
        /// What they may do on this server; `member` when it is left out.
        role: Option<RoleWord>,
        /// The app that they are invited to.
        client_id: Option<String>,
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
    let accounts = &web.provider.accounts;
    let role = body.role.map_or(Role::Member, RoleWord::role);
    if role > Role::Member {
        caller.prove_again(&web).await?;
    }
    accounts.may_invite(caller.user.id, (body.email.as_deref(), body.phone.as_deref())).await?;
    let groups = body.groups.unwrap_or_default();
    let new = NewInvitation {
        email: body.email.as_deref(),
        phone: body.phone.as_deref(),
        profile: Profile {
            given_name: body.first_name,
            family_name: body.last_name,
            locale: body.locale,
            ..Profile::default()
        },
        groups: &groups,
        role,
        client: client(body.client_id.as_deref())?,
        languages: Vec::new(),
    };
    let made = caller.admin.invite((&accounts.site, &accounts.settings), new).await?;
    Ok(answer(StatusCode::CREATED, &InvitationView::of(&made, web.provider.now())))
}

async fn revoke(State(web): State<Web>, Support(caller): Support, named: Named) -> Result<Response, Problem> {
    let id: InvitationId = named.first().parse().map_err(|_| Problem::new(Code::NotFound))?;
    let found = web.provider.edges.store.invitation(id).await?.ok_or(Code::NotFound)?;
    match caller.admin.revoke_invitation(&found).await? {
        Changed::Yes => Ok(nothing()),
        Changed::No => Err(Problem::new(Code::NotFound)),
    }
}
