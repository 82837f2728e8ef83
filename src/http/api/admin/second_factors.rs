//! `/admin/users/{id}/mfa`, `/admin/users/mfa`: second factors of other people (S-114, S-141). No secret and no code is told.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::bulk::BulkAction;
use crate::admin::second_factor::FactorChange;
use crate::edge::store::{UserQuery, UserSort};
use crate::http::api::admin::asked::{Asked, Named};
use crate::http::api::admin::bulk::{BulkResult, each};
use crate::http::api::admin::caller::{Auditor, Support};
use crate::http::api::admin::users::{SEARCHED, created, found, read_created};
use crate::http::api::answer::{Moment, ok};
use crate::http::api::body::{Json, body, choices};
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, get, post};
use crate::http::api::paging::{CURSOR, LIMIT};
use crate::http::api::problem::Problem;
use crate::http::web::Web;
use crate::model::authentication::Demand;
use crate::model::authenticator::{Authenticator, AuthenticatorKind, SecondFactor};
use crate::model::user::{Role, User};

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/admin/users/mfa", Group::Admin), "List how people stand to second factors", list)
            .by_role(Role::Auditor)
            .query(CURSOR.0, CURSOR.1)
            .query(LIMIT.0, LIMIT.1)
            .query("q", SEARCHED)
            .query("role", "Only who has this role on this server.")
            .query("group", "Only who was put into the group of this id.")
            .gives::<MfaList>(StatusCode::OK, "One page of people, without any secret.")
            .refuses(&[Code::InvalidValue, Code::TooLong, Code::UnknownField]),
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

/// One page of people.
#[derive(Debug, Serialize, ToSchema)]
struct MfaList {
    /// The people, in the order in which their accounts were made.
    items: Vec<MfaLine>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

/// How somebody stands to second factors, in a line.
#[derive(Debug, Serialize, ToSchema)]
struct MfaLine {
    /// Who.
    id: String,
    /// What the person types to sign in.
    login: String,
    /// `on`: one is confirmed; `required`: one is asked for and none is there; `setup`: one was begun; `off`.
    status: &'static str,
    /// The kinds of those that are confirmed.
    types: Vec<&'static str>,
    /// Whether an authenticator app has a secret here.
    has_secret: bool,
    /// Backup codes that are left.
    backup_codes_remaining: u32,
    /// Since when one is asked for at each sign-in.
    required_at: Option<Moment>,
    /// Since when one is confirmed.
    confirmed_at: Option<Moment>,
    /// When one was last used.
    last_used_at: Option<Moment>,
}

impl MfaLine {
    fn of(user: &User, standing: &SecondFactor, own: &[Authenticator]) -> Self {
        let confirmed = || own.iter().filter(|own| own.confirmed_at.is_some());
        let mut types: Vec<&'static str> = confirmed().map(|own| own.kind.as_str()).collect();
        types.sort_unstable();
        types.dedup();
        Self {
            id: user.id.to_string(),
            login: user.login().to_owned(),
            status: match (types.is_empty(), standing.required_at, own.is_empty()) {
                (false, ..) => "on",
                (true, Some(_), _) => "required",
                (true, None, false) => "setup",
                (true, None, true) => "off",
            },
            types,
            has_secret: own.iter().any(|own| own.kind == AuthenticatorKind::Totp),
            backup_codes_remaining: standing.backup_codes.remaining,
            required_at: standing.required_at.map(Moment),
            confirmed_at: confirmed().filter_map(|own| own.confirmed_at).min().map(Moment),
            last_used_at: own.iter().filter_map(|own| own.last_used_at).max().map(Moment),
        }
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

async fn list(State(web): State<Web>, _: Auditor, asked: Asked) -> Result<Response, Problem> {
    let asked = asked.only(&["q", "role", "group"])?;
    let query = UserQuery {
        sort: UserSort::Created { after: asked.paging.cursor(read_created)? },
        role: asked.value("role", Role::parse)?,
        state: None,
        group: asked.value("group", |group| group.parse().ok())?,
        search: asked.text("q")?.map(str::to_owned),
        limit: asked.paging.limit + 1,
    };
    let store = &web.provider.edges.store;
    let mut users = store.find_users(&query).await?;
    let next = asked.paging.cut(&mut users, |user| created(user));
    let mut items = Vec::with_capacity(users.len());
    for user in &users {
        let (standing, own) = (store.second_factor(user.id).await?, store.authenticators(user.id).await?);
        items.push(MfaLine::of(user, &standing, &own));
    }
    Ok(ok(&MfaList { items, next }))
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
