//! `/admin/users`: people (S-138 … S-140).

use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::admin::person::NewPerson;
use crate::edge::store::{UserQuery, UserSort};
use crate::http::api::admin::asked::{Asked, Named};
use crate::http::api::admin::caller::{Auditor, Caller, Manager, Support};
use crate::http::api::admin::if_match::{IfMatch, tagged};
use crate::http::api::answer::{Moment, nothing, ok};
use crate::http::api::body::{Body, Fields, Json, body, choices};
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, delete, get, patch, post, put};
use crate::http::api::paging::{CURSOR, LIMIT};
use crate::http::api::problem::Problem;
use crate::http::web::Web;
use crate::model::event::EventName;
use crate::model::id::UserId;
use crate::model::user::{AccountState, IdentifierKind, LookupName, Role, User};
use crate::protocol::oidc::claims::Profile;

/// How people are searched for, in every list of them.
pub(super) const SEARCHED: &str =
    "How a username, an address, a number or a name begins, from any of its words on; or a whole id.";

const FILTERS: &[&str] = &["q", "role", "state", "group", "sort"];

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/admin/users", Group::Admin), "List people", list)
            .by_role(Role::Auditor)
            .query(CURSOR.0, CURSOR.1)
            .query(LIMIT.0, LIMIT.1)
            .query("q", SEARCHED)
            .query("role", "Only who has this role on this server.")
            .query("state", "Only accounts that are `active`, `pending`, `disabled` or in `deletion`.")
            .query("group", "Only who was put into the group of this id.")
            .query("sort", "`created` (the oldest first) or `email`.")
            .gives::<UserList>(StatusCode::OK, "One page of people.")
            .refuses(&[Code::InvalidValue, Code::TooLong, Code::UnknownField]),
        post(("/admin/users", Group::Admin), "Make an account; a mail lets its owner set a password", create)
            .by_role(Role::UserSupport)
            .takes::<NewUser>()
            .gives::<AdminUser>(StatusCode::CREATED, "The person; their account is pending.")
            .refuses(&[Code::EmailTaken, Code::PhoneTaken, Code::UsernameTaken]),
        get(("/admin/users/{id}", Group::Admin), "A person", show)
            .by_role(Role::Auditor)
            .gives::<AdminUser>(StatusCode::OK, "The person."),
        patch(("/admin/users/{id}", Group::Admin), "Change what an account says of its person", change)
            .by_role(Role::UserSupport)
            .if_match()
            .takes::<UserChange>()
            .gives::<AdminUser>(StatusCode::OK, "The person as they are now.")
            .refuses(&[
                Code::UsernameTaken,
                Code::IdentityNotAllowed,
                Code::AccountDisabled,
                Code::VerificationRequired,
            ]),
        delete(("/admin/users/{id}", Group::Admin), "Delete an account with everything of it", remove)
            .by_role(Role::Admin)
            .by_proof()
            .if_match()
            .gives_nothing(StatusCode::NO_CONTENT, "It is gone.")
            .refuses(&[Code::LastOwner]),
        put(("/admin/users/{id}/state", Group::Admin), "Keep somebody out, or let them in again", set_state)
            .by_role(Role::UserSupport)
            .takes::<StateChange>()
            .gives::<AdminUser>(StatusCode::OK, "The person as they are now.")
            .refuses(&[Code::LastOwner]),
        put(("/admin/users/{id}/role", Group::Admin), "Say what somebody may do on this server", set_role)
            .by_role(Role::Admin)
            .by_proof()
            .takes::<RoleChange>()
            .gives::<AdminUser>(StatusCode::OK, "The person as they are now.")
            .refuses(&[Code::LastOwner]),
    ]
}

/// One page of people.
#[derive(Debug, Serialize, ToSchema)]
struct UserList {
    /// The people.
    items: Vec<AdminUser>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

/// A person, as those see them who administer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AdminUser {
    /// Who; the `sub` of their tokens.
    id: String,
    /// Names, addresses and numbers.
    identifiers: Vec<AdminIdentifier>,
    /// The standard claims that they have.
    #[schema(value_type = Object)]
    profile: Value,
    /// What the operator wants to know of people.
    #[schema(value_type = Object)]
    attributes: Map<String, Value>,
    /// What they may do on this server.
    role: &'static str,
    /// Whether the account may be used, and if not, why: `active`, `pending`, `disabled`, `deletion`.
    state: &'static str,
    /// When the account was made.
    created_at: Moment,
    /// When it last changed.
    updated_at: Moment,
    /// When the person last signed in.
    last_sign_in_at: Option<Moment>,
}

/// A name, an address or a number.
#[derive(Debug, Serialize, ToSchema)]
struct AdminIdentifier {
    /// The row.
    id: String,
    /// `username`, `email` or `phone`.
    kind: &'static str,
    /// As the person wrote it.
    value: String,
    /// When they proved that it is theirs.
    verified_at: Option<Moment>,
    /// Whether it is the one of its kind that apps are told.
    primary: bool,
}

impl AdminUser {
    fn of(user: &User) -> Self {
        let identifier = |one: &crate::model::user::Identifier| AdminIdentifier {
            id: one.id.to_string(),
            kind: one.kind.as_str(),
            value: one.value.clone(),
            verified_at: one.verified_at.map(Moment),
            primary: one.is_primary,
        };
        Self {
            id: user.id.to_string(),
            identifiers: user.identifiers.iter().map(identifier).collect(),
            profile: serde_json::to_value(&user.profile).unwrap_or_default(),
            attributes: user.attributes.clone(),
            role: user.role.as_str(),
            state: user.state.as_str(),
            created_at: Moment(user.created_at),
            updated_at: Moment(user.updated_at),
            last_sign_in_at: user.last_sign_in_at.map(Moment),
        }
    }
}

body! {
    /// Somebody who shall have an account.
    struct NewUser {
        /// Where the mail goes by which they set their password.
        email: String,
        /// The name to sign in with.
        username: Option<String>,
        /// The phone number, in E.164.
        phone: Option<String>,
        /// The full name.
        name: Option<String>,
        /// The given name.
        given_name: Option<String>,
        /// The family name.
        family_name: Option<String>,
        /// Their language, as a BCP 47 tag.
        locale: Option<String>,
        /// What they may do on this server; `member` when it is left out.
        role: Option<RoleWord>,
    }
}

choices! {
    /// What somebody may do on this server.
    pub(super) enum RoleWord {
        /// Signs in at apps.
        Member = "member",
        /// Sees everything.
        Auditor = "auditor",
        /// Looks after people.
        UserSupport = "user-support",
        /// Looks after groups and apps as well.
        Admin = "admin",
        /// Operates the server.
        Owner = "owner",
    }
}

impl RoleWord {
    pub(super) const fn role(self) -> Role {
        match self {
            Self::Member => Role::Member,
            Self::Auditor => Role::Auditor,
            Self::UserSupport => Role::UserSupport,
            Self::Admin => Role::Admin,
            Self::Owner => Role::Owner,
        }
    }
}

body! {
    /// What somebody may do on this server.
    struct RoleChange {
        /// The role.
        role: RoleWord,
    }
}

choices! {
    /// Whether an account may be used.
    enum StateWord {
        /// It may.
        Active = "active",
        /// It may not: every session and token of it ends at once.
        Disabled = "disabled",
    }
}

body! {
    /// Whether an account may be used.
    struct StateChange {
        /// The state.
        state: StateWord,
    }
}

/// A change of what an account says; `null` empties.
#[derive(Clone, Debug)]
struct UserChange(Map<String, Value>);

impl Body for UserChange {
    const NAME: &'static str = "UserChange";

    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self(fields.rest()))
    }

    fn schema() -> utoipa::openapi::schema::Object {
        crate::http::api::me::profile_change()
    }
}

async fn list(State(web): State<Web>, _: Auditor, asked: Asked) -> Result<Response, Problem> {
    let asked = asked.only(FILTERS)?;
    let by_email = asked.value("sort", |sort| match sort {
        "created" => Some(false),
        "email" => Some(true),
        _ => None,
    })?;
    let sort = if by_email == Some(true) {
        UserSort::Email { after: asked.paging.cursor(read_email)? }
    } else {
        UserSort::Created { after: asked.paging.cursor(read_created)? }
    };
    let states = ["active", "pending", "disabled", "deletion"];
    let query = UserQuery {
        role: asked.value("role", Role::parse)?,
        state: asked.value("state", |state| states.into_iter().find(|known| *known == state))?,
        group: asked.value("group", |group| group.parse().ok())?,
        search: asked.text("q")?.map(str::to_owned),
        limit: asked.paging.limit + 1,
        sort,
    };
    let mut users = web.provider.edges.store.find_users(&query).await?;
    let next = asked.paging.cut(&mut users, |user| match &query.sort {
        UserSort::Created { .. } => created(user),
        UserSort::Email { .. } => URL_SAFE_NO_PAD.encode(email_of(user)),
    });
    Ok(ok(&UserList { items: users.iter().map(|user| AdminUser::of(user)).collect(), next }))
}

/// A cursor of people in the order in which their accounts were made.
pub(super) fn read_created(cursor: &str) -> Option<(i64, UserId)> {
    let (moment, id) = cursor.split_once('.')?;
    Some((moment.parse().ok()?, id.parse().ok()?))
}

/// What [`read_created`] reads.
pub(super) fn created(user: &User) -> String {
    format!("{}.{}", user.created_at.seconds(), user.id)
}

fn read_email(cursor: &str) -> Option<String> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    LookupName::parse(&text).map(|name| name.as_str().to_owned())
}

/// The primary address in the form that is looked up.
fn email_of(user: &User) -> String {
    let primary = user.primary(IdentifierKind::Email).and_then(|email| LookupName::parse(&email.value));
    primary.map(|name| name.as_str().to_owned()).unwrap_or_default()
}

/// The person that a path names by their id.
pub(super) async fn found(caller: &Caller, id: &str) -> Result<std::sync::Arc<User>, Problem> {
    let id: UserId = id.parse().map_err(|_| Problem::new(Code::NotFound))?;
    caller.admin.edges.store.user(id).await?.ok_or_else(|| Problem::new(Code::NotFound))
}

async fn show(Auditor(caller): Auditor, named: Named) -> Result<Response, Problem> {
    let found = found(&caller, named.first()).await?;
    Ok(tagged(StatusCode::OK, &AdminUser::of(&found)))
}

async fn create(
    State(web): State<Web>,
    Support(caller): Support,
    Json(body): Json<NewUser>,
) -> Result<Response, Problem> {
    let profile = Profile {
        name: body.name,
        given_name: body.given_name,
        family_name: body.family_name,
        locale: body.locale,
        ..Profile::default()
    };
    let new = NewPerson {
        email: &body.email,
        username: body.username.as_deref(),
        phone: body.phone.as_deref(),
        profile,
        role: body.role.map_or(Role::Member, RoleWord::role),
    };
    let made = caller.admin.create_person(&web.provider.accounts, new).await?;
    Ok(tagged(StatusCode::CREATED, &AdminUser::of(&made)))
}

async fn change(
    State(web): State<Web>,
    Support(caller): Support,
    (named, seen): (Named, IfMatch),
    Json(UserChange(given)): Json<UserChange>,
) -> Result<Response, Problem> {
    let user = found(&caller, named.first()).await?;
    caller.admin.check_reach(&user)?;
    seen.check(&AdminUser::of(&user))?;
    let told = caller.admin.event_about(EventName::UserUpdated, &user);
    let changed = web.provider.accounts.change_profile_by(&user, given, told).await?;
    Ok(tagged(StatusCode::OK, &AdminUser::of(&changed)))
}

async fn remove(
    State(web): State<Web>,
    Manager(caller): Manager,
    (named, seen): (Named, IfMatch),
) -> Result<Response, Problem> {
    let user = found(&caller, named.first()).await?;
    caller.admin.check_reach(&user)?;
    seen.check(&AdminUser::of(&user))?;
    caller.prove_again(&web).await?;
    caller.admin.delete_person(&user).await?;
    Ok(nothing())
}

async fn set_state(Support(caller): Support, named: Named, Json(body): Json<StateChange>) -> Result<Response, Problem> {
    let user = found(&caller, named.first()).await?;
    match body.state {
        StateWord::Active if matches!(user.state, AccountState::Active) => caller.admin.check_reach(&user)?,
        StateWord::Active => {
            caller.admin.enable(&user).await?;
        }
        StateWord::Disabled => {
            caller.admin.disable(&user).await?;
        }
    }
    let found = found(&caller, named.first()).await?;
    Ok(tagged(StatusCode::OK, &AdminUser::of(&found)))
}

async fn set_role(
    State(web): State<Web>,
    Manager(caller): Manager,
    named: Named,
    Json(body): Json<RoleChange>,
) -> Result<Response, Problem> {
    let user = found(&caller, named.first()).await?;
    caller.prove_again(&web).await?;
    caller.admin.set_role(&user, body.role.role()).await?;
    let found = found(&caller, named.first()).await?;
    Ok(tagged(StatusCode::OK, &AdminUser::of(&found)))
}
