//! `/admin/users/bulk`: one thing done to many people, with an answer for each of them (S-138, S-141).

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::bulk::BulkAction;
use crate::admin::group::named;
use crate::admin::second_factor::FactorChange;
use crate::admin::{AdminError, Changed};
use crate::edge::store::Give;
use crate::http::api::admin::caller::{Caller, Support};
use crate::http::api::admin::users::found;
use crate::http::api::answer::ok;
use crate::http::api::body::{Json, body, choices};
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, post};
use crate::http::api::problem::{FieldError, Problem};
use crate::http::web::Web;
use crate::model::user::Role;

/// The most people of one call.
const MOST: usize = 100;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        post(("/admin/users/bulk", Group::Admin), "Do one thing to many people", act)
            .by_role(Role::UserSupport)
            .by_proof()
            .takes::<BulkOfPeople>()
            .gives::<BulkResult>(StatusCode::OK, "What became of it, person by person.")
            .refuses(&[Code::NotFound, Code::LastOwner]),
    ]
}

choices! {
    /// What is done.
    enum ActionWord {
        /// They are let in again.
        Enable = "enable",
        /// They are kept out: every session and token ends.
        Disable = "disable",
        /// Every session and token ends.
        EndSessions = "end_sessions",
        /// Their accounts go, with everything of them; takes the role `admin` and a fresh proof.
        Delete = "delete",
        /// A second factor is asked for at each sign-in; takes a fresh proof.
        RequireSecondFactor = "require_second_factor",
        /// Every factor is taken away, and every session and token ends; takes a fresh proof.
        ResetSecondFactor = "reset_second_factor",
        /// The backup codes are of no use any more; takes a fresh proof.
        ClearBackupCodes = "clear_backup_codes",
        /// They are put into the group; takes the role `admin`.
        AddToGroup = "add_to_group",
        /// They are taken out of the group; takes the role `admin`.
        RemoveFromGroup = "remove_from_group",
    }
}

body! {
    /// What is done to whom.
    struct BulkOfPeople {
        /// The ids of the people, 100 at most.
        users: Vec<String>,
        /// What is done.
        action: ActionWord,
        /// The group, by its id or path, where the action is about one.
        group: Option<String>,
    }
}

/// What became of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BulkResult {
    /// In the order of the request.
    items: Vec<BulkItem>,
}

/// What became of it for one person.
#[derive(Debug, Serialize, ToSchema)]
struct BulkItem {
    /// Who.
    id: String,
    /// Whether something changed.
    changed: bool,
    /// Why nothing was done: `not_found`, `forbidden` or `last_owner`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    code: Option<Code>,
}

async fn action(caller: &Caller, word: ActionWord, group: Option<&str>) -> Result<BulkAction, Problem> {
    let give = match word {
        ActionWord::AddToGroup => Give::To,
        ActionWord::RemoveFromGroup => Give::From,
        _ if group.is_some() => return Err(Problem::field("group", Code::InvalidValue)),
        ActionWord::Enable => return Ok(BulkAction::Enable),
        ActionWord::Disable => return Ok(BulkAction::Disable),
        ActionWord::EndSessions => return Ok(BulkAction::SignOut),
        ActionWord::Delete => return Ok(BulkAction::Delete),
        ActionWord::RequireSecondFactor => return Ok(BulkAction::SecondFactor(FactorChange::Require)),
        ActionWord::ResetSecondFactor => return Ok(BulkAction::SecondFactor(FactorChange::Reset)),
        ActionWord::ClearBackupCodes => return Ok(BulkAction::SecondFactor(FactorChange::ClearBackupCodes)),
    };
    let name = group.ok_or_else(|| Problem::field("group", Code::Required))?;
    let directory = caller.admin.edges.store.directory().await?;
    let group = named(&directory, name).map_err(|_| Problem::field("group", Code::InvalidValue))?;
    Ok(BulkAction::Group(give, group.clone()))
}

async fn act(
    State(web): State<Web>,
    Support(caller): Support,
    Json(body): Json<BulkOfPeople>,
) -> Result<Response, Problem> {
    let action = action(&caller, body.action, body.group.as_deref()).await?;
    if caller.user.role < action.role() {
        return Err(Problem::new(Code::Forbidden).hint("the person's role on this server is too low for this action"));
    }
    Ok(ok(&each(&web, &caller, (body.users, &action)).await?))
}

/// Does it to each of them; what one of them is refused stands in their own answer.
pub(super) async fn each(
    web: &Web,
    caller: &Caller,
    (users, action): (Vec<String>, &BulkAction),
) -> Result<BulkResult, Problem> {
    if users.len() > MOST {
        return Err(Problem::fields(vec![FieldError::new("users", Code::TooLong).with("max", MOST)]));
    }
    if action.is_dangerous() {
        caller.prove_again(web).await?;
    }
    let mut items = Vec::with_capacity(users.len());
    for id in users {
        let (changed, code) = match found(caller, &id).await {
            Ok(user) => match caller.admin.act_on(&user, action).await {
                Ok(changed) => (changed == Changed::Yes, None),
                Err(AdminError::Refused(refusal)) => (false, Some(Problem::from(refusal).code())),
                Err(AdminError::Fault(fault)) => return Err(fault.into()),
            },
            Err(problem) if problem.code() == Code::NotFound => (false, Some(Code::NotFound)),
            Err(problem) => return Err(problem),
        };
        items.push(BulkItem { id, changed, code });
    }
    Ok(BulkResult { items })
}
