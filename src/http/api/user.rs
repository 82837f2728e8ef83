//! A person as the API shows them to themselves.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::api::answer::Moment;
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
    /// Whether the person operates this server.
    pub staff: bool,
    /// When the account was made.
    pub created_at: Moment,
    /// When it last changed.
    pub updated_at: Moment,
}

impl From<&User> for UserView {
    fn from(user: &User) -> Self {
        let text = |kind| user.primary(kind).map(|identifier| identifier.value.clone());
        let proven = |kind| user.primary(kind).is_some_and(|identifier| identifier.verified_at.is_some());
        Self {
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
            staff: user.role == Role::Owner,
            created_at: Moment(user.created_at),
            updated_at: Moment(user.updated_at),
        }
    }
}
