//! `/admin/users/{id}/mfa`, `/admin/users/mfa`: second factors of other people (S-114, S-141). No secret and no code is told.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::bulk::BulkAction;
use crate::admin::second_factor::FactorChange;
use crate::http::api::admin::asked::Named;
use crate::http::api::admin::bulk::{BulkResult, each};
use crate::http::api::admin::caller::{Auditor, Support};
use crate::http::api::admin::users::found;
use crate::http::api::answer::{Moment, ok};
use crate::http::api::body::{Json, body, choices};
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, get, post};
use crate::http::api::problem::Problem;
use crate::http::web::Web;
use crate::model::authentication::Demand;
use crate::model::user::Role;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/admin/users/{id}/mfa", Group::Admin), "How somebody stands to second factors", show)
            .by_role(Role::Auditor)
            .gives::<AdminMfa>(StatusCode::OK, "What they have, without any secret."),
        post(("/admin/users/mfa", Group::Admin), "Ask people for a second factor, or take theirs away", change)
            .by_role(Role::UserSupport)
            .by_proof()
            .takes::<MfaOfPeople>()
            .gives::<BulkResult>(StatusCode::OK, "What became of it, person by person.")
            .refuses(&[Code::TooLong, Code::NotFound]),
    ]
}

choices! {
    /// What is done.
    enum ChangeWord {
        /// A second factor is asked for at each sign-in; who has none sets one up.
        Require = "require",
        /// Every factor is taken away, with the backup codes; every session and token ends.
        Reset = "reset",
        /// The backup codes are of no use any more.
        ClearBackupCodes = "clear_backup_codes",
    }
}

impl ChangeWord {
    const fn change(self) -> FactorChange {
        match self {
            Self::Require => FactorChange::Require,
            Self::Reset => FactorChange::Reset,
            Self::ClearBackupCodes => FactorChange::ClearBackupCodes,
        }
    }
}

body! {
    /// What is done to the second factors of people.
    struct MfaOfPeople {
        /// The ids of the people, 100 at most.
        users: Vec<String>,
        /// What is done.
        change: ChangeWord,
    }
}

/// How somebody stands to second factors.
#[derive(Debug, Serialize, ToSchema)]
struct AdminMfa {
    /// Since when one is asked for at each sign-in of the person.
    required_at: Option<Moment>,
    /// Whether the operator wants one of them, for everybody, their role or a group.
    required_by_policy: bool,
    /// What they have.
    authenticators: Vec<AdminAuthenticator>,
    /// Backup codes that were made.
    backup_codes: u32,
    /// Backup codes that are left.
    backup_codes_remaining: u32,
    /// When they were made.
    backup_codes_generated_at: Option<Moment>,
}

/// A second factor.
#[derive(Debug, Serialize, ToSchema)]
struct AdminAuthenticator {
    /// The row.
    id: String,
    /// `totp`, `email`, `sms` or `passkey`.
    r#type: &'static str,
    /// What the person calls it.
    name: String,
    /// Whether it was proven.
    confirmed: bool,
    /// When it was added.
    created_at: Moment,
    /// When it was last used.
    last_used_at: Option<Moment>,
}

async fn show(State(web): State<Web>, Auditor(caller): Auditor, named: Named) -> Result<Response, Problem> {
    let user = found(&caller, named.first()).await?;
    let (store, factors) = (&web.provider.edges.store, &web.provider.factors);
    let standing = store.second_factor(user.id).await?;
    let own = store.authenticators(user.id).await?;
    Ok(ok(&AdminMfa {
        required_at: standing.required_at.map(Moment),
        required_by_policy: factors.house(&user).await? > Demand::OneFactor,
        authenticators: own
            .iter()
            .map(|own| AdminAuthenticator {
                id: own.id.to_string(),
                r#type: own.kind.as_str(),
                name: own.name.clone(),
                confirmed: own.confirmed_at.is_some(),
                created_at: Moment(own.created_at),
                last_used_at: own.last_used_at.map(Moment),
            })
            .collect(),
        backup_codes: standing.backup_codes.total,
        backup_codes_remaining: standing.backup_codes.remaining,
        backup_codes_generated_at: standing.backup_codes.generated_at.map(Moment),
    }))
}

async fn change(
    State(web): State<Web>,
    Support(caller): Support,
    Json(body): Json<MfaOfPeople>,
) -> Result<Response, Problem> {
    let action = BulkAction::SecondFactor(body.change.change());
    Ok(ok(&each(&web, &caller, (body.users, &action)).await?))
}
