//! A person as the API shows them to themselves.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::http::api::answer::Moment;
use crate::http::web::Web;
use crate::model::directory::Through;
use crate::model::fault::Fault;
use crate::model::group::Group;
use crate::model::user::{IdentifierKind, Role, User};

/// A person.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, told as JSON")]
pub struct UserView {
    /// Who; the `sub` of their tokens.
    pub id: String,
    /// The primary e-mail address.
    pub email: Option<String>,
    /// Whether it was proven.
    pub email_verified: bool,
    /// The username.
    pub username: Option<String>,
    /// The primary phone number, in E.164.
    pub phone: Option<String>,
    /// Whether it was proven.
    pub phone_verified: bool,
    /// The given name.
    pub first_name: Option<String>,
    /// The family name.
    pub last_name: Option<String>,
    /// A picture.
    pub avatar_url: Option<String>,
    /// Whether the account may be used.
    pub active: bool,
    /// Whether the person has a role on this server.
    pub staff: bool,
    /// When the account was made.
    pub created_at: Moment,
    /// When it last changed.
    pub updated_at: Moment,
    /// When the person last signed in.
    pub last_sign_in_at: Option<Moment>,
    /// What the person may do on this server, and the roles that every app is told of.
    pub roles: Vec<String>,
    /// The groups that the person is in, with those around them.
    pub groups: Vec<GroupView>,
    /// What the settings add: attributes and standard claims.
    #[serde(flatten)]
    #[schema(ignore)]
    pub more: Map<String, Value>,
}

/// A group that a person is in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct GroupView {
    /// Its name.
    pub name: String,
    /// Where it stands among the others: `/staff/engineering`.
    pub path: String,
    /// What it allows.
    pub permissions: Vec<String>,
}

impl UserView {
    /// The view of `user`.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn of(web: &Web, user: &User) -> Result<Self, Fault> {
        let store = &web.provider.edges.store;
        let (directory, membership) = (store.directory().await?, store.membership(user.id).await?);
        let rights = directory.rights(&membership);
        let own = (user.role > Role::Member).then(|| user.role.as_str().to_owned());
        let global = rights.roles.values().filter(|(role, _)| role.client.is_none());
        let group = |(path, (group, _)): (&&str, &(&Group, Through))| GroupView {
            name: group.name.to_string(),
            path: (*path).to_owned(),
            permissions: directory.permissions_of_group(group.id).iter().map(ToString::to_string).collect(),
        };
        let text = |kind| user.primary(kind).map(|identifier| identifier.value.clone());
        let proven = |kind| user.primary(kind).is_some_and(|identifier| identifier.verified_at.is_some());
        Ok(Self {
            id: user.id.to_string(),
            email: text(IdentifierKind::Email),
            email_verified: proven(IdentifierKind::Email),
            username: text(IdentifierKind::Username),
            phone: text(IdentifierKind::Phone),
            phone_verified: proven(IdentifierKind::Phone),
            first_name: user.profile.given_name.clone(),
            last_name: user.profile.family_name.clone(),
            avatar_url: user.profile.picture.clone(),
            active: user.is_enabled(),
            staff: user.role > Role::Member,
            created_at: Moment(user.created_at),
            updated_at: Moment(user.updated_at),
            last_sign_in_at: user.last_sign_in_at.map(Moment),
            roles: own.into_iter().chain(global.map(|(role, _)| role.name.to_string())).collect(),
            groups: rights.groups.iter().map(group).collect(),
            more: web.provider.accounts.more_of(user),
        })
    }
}
