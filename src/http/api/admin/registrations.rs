//! `/admin/registrations`: how accounts came to be: who registers still, and who was asked in by whom (S-142).

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::edge::store::{Registration, RegistrationQuery};
use crate::http::api::admin::asked::Asked;
use crate::http::api::admin::caller::Auditor;
use crate::http::api::admin::users::{SEARCHED, read_created};
use crate::http::api::answer::{Moment, ok};
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, get};
use crate::http::api::paging::{CURSOR, LIMIT};
use crate::http::api::problem::Problem;
use crate::http::web::Web;
use crate::model::user::{IdentifierKind, Role, User};

const FILTERS: &[&str] = &["q", "registering", "invited", "invited_by"];

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/admin/registrations", Group::Admin), "List how accounts came to be, the latest first", list)
            .by_role(Role::Auditor)
            .query(CURSOR.0, CURSOR.1)
            .query(LIMIT.0, LIMIT.1)
            .query("q", SEARCHED)
            .query("registering", "`true`: only accounts that wait for their activation; `false`: only the others.")
            .query("invited", "`true`: only of people who were asked in; `false`: only of the others.")
            .query("invited_by", "Only of people whom the person of this id asked in.")
            .gives::<RegistrationList>(StatusCode::OK, "One page of accounts.")
            .refuses(&[Code::InvalidValue, Code::TooLong, Code::UnknownField]),
    ]
}

/// One page of accounts.
#[derive(Debug, Serialize, ToSchema)]
struct RegistrationList {
    /// The accounts, the latest first.
    items: Vec<AdminRegistration>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

/// How an account came to be.
#[derive(Debug, Serialize, ToSchema)]
struct AdminRegistration {
    /// Whose.
    id: String,
    /// What the person types to sign in.
    login: String,
    /// Their primary address.
    email: Option<String>,
    /// Whether the account waits for its activation.
    is_registering: bool,
    /// `active`, `pending`, `disabled` or `deletion`.
    state: &'static str,
    /// Who asked them in; null for who was not asked in, and for invitations of the command line.
    invited_by: Option<String>,
    /// The invitation that they accepted.
    invitation_id: Option<String>,
    /// When the account was made.
    created_at: Moment,
}

impl AdminRegistration {
    fn of(registration: &Registration, user: &User) -> Self {
        Self {
            id: user.id.to_string(),
            login: user.login().to_owned(),
            email: user.primary(IdentifierKind::Email).map(|email| email.value.clone()),
            is_registering: registration.registering,
            state: user.state.as_str(),
            invited_by: registration.invited_by.map(|inviter| inviter.to_string()),
            invitation_id: registration.invitation.map(|invitation| invitation.to_string()),
            created_at: Moment(registration.created_at),
        }
    }
}

async fn list(State(web): State<Web>, _: Auditor, asked: Asked) -> Result<Response, Problem> {
    let asked = asked.only(FILTERS)?;
    let flag = |name| asked.value(name, |text| text.parse::<bool>().ok());
    let query = RegistrationQuery {
        before: asked.paging.cursor(read_created)?,
        registering: flag("registering")?,
        invited: flag("invited")?,
        invited_by: asked.value("invited_by", |id| id.parse().ok())?,
        search: asked.text("q")?.map(str::to_owned),
        limit: asked.paging.limit + 1,
    };
    let store = &web.provider.edges.store;
    let mut page = store.find_registrations(&query).await?;
    let next = asked.paging.cut(&mut page, |one| format!("{}.{}", one.created_at.seconds(), one.user));
    let mut items = Vec::with_capacity(page.len());
    for registration in &page {
        // Who is deleted meanwhile is left out.
        if let Some(user) = store.user(registration.user).await? {
            items.push(AdminRegistration::of(registration, &user));
        }
    }
    Ok(ok(&RegistrationList { items, next }))
}
