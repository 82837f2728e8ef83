//! People: made, found, given a role, let in and kept out.
//!
//! S-138 … S-140; PROTOCOL A13, A14, O6. Nobody acts on those above them or on their equals, but owners do.

use std::sync::Arc;

use super::{AdminError, Administration, Changed, Refusal, Thing};
use crate::account::Accounts;
use crate::edge::store::{Beside, Creation};
use crate::model::epoch::Epoch;
use crate::model::event::{Actor, Event, EventName};
use crate::model::id::{IdentifierId, UserId};
use crate::model::identifier::{Email, Phone, Username};
use crate::model::user::{AccountState, Identifier, IdentifierKind, LookupName, Role, User};
use crate::protocol::oidc::claims::Profile;

/// Somebody who shall have an account. They get one mail, by which they set their password; until then they cannot sign in.
#[derive(Clone, Debug, Default)]
pub struct NewPerson<'a> {
    /// Where the mail goes.
    pub email: &'a str,
    /// The name to sign in with.
    pub username: Option<&'a str>,
    /// The phone number.
    pub phone: Option<&'a str>,
    /// Standard claims.
    pub profile: Profile,
    /// What they may do on this server.
    pub role: Role,
}

impl Administration {
    /// The person who is called `name`, by any of their names or by their id.
    ///
    /// # Errors
    /// When nobody is.
    pub async fn person(&self, name: &str) -> Result<Arc<User>, AdminError> {
        let store = &self.edges.store;
        let by_id = match name.parse() {
            Ok(id) => store.user(id).await?,
            Err(_) => None,
        };
        let found = match (by_id, LookupName::parse(name)) {
            (None, Some(name)) => store.user_by_name(&name).await?,
            (found, _) => found,
        };
        found.ok_or_else(|| Refusal::Unknown { what: Thing::Person, name: name.to_owned() }.into())
    }

    /// Makes an account for somebody, and sends them the link that sets their password.
    ///
    /// # Errors
    /// A malformed or taken name, address or number; a role above the actor's own.
    pub async fn create_person(&self, accounts: &Accounts, new: NewPerson<'_>) -> Result<User, AdminError> {
        self.check_grant(new.role)?;
        let now = self.now();
        let identifier = |kind, value: String| Identifier {
            id: IdentifierId::new(now, self.edges.random.bytes()),
            kind,
            value,
            verified_at: None,
            is_primary: true,
        };
        let malformed = |field: &'static str| Refusal::malformed(field, "it is not well formed");
        let email = Email::parse(new.email).ok_or_else(|| malformed("email"))?;
        let mut identifiers = Vec::new();
        if let Some(username) = new.username {
            let username = Username::parse(username).ok_or_else(|| malformed("username"))?;
            identifiers.push(identifier(IdentifierKind::Username, username.as_str().to_owned()));
        }
        identifiers.push(identifier(IdentifierKind::Email, email.as_str().to_owned()));
        if let Some(phone) = new.phone {
            let phone = Phone::parse(phone).ok_or_else(|| malformed("phone"))?;
            identifiers.push(identifier(IdentifierKind::Phone, phone.as_str().to_owned()));
        }
        for identifier in &identifiers {
            let name = LookupName::parse(&identifier.value).ok_or_else(|| malformed(identifier.kind.as_str()))?;
            if self.edges.store.user_by_name(&name).await?.is_some() {
                return Err(Refusal::NameTaken(identifier.kind).into());
            }
        }
        let user = User {
            id: UserId::new(self.edges.random.bytes()),
            profile: new.profile,
            identifiers,
            role: new.role,
            auth_epoch: Epoch::FIRST,
            created_at: now,
            updated_at: now,
            state: AccountState::Pending { since: now, purge_at: None },
            attributes: serde_json::Map::new(),
            last_sign_in_at: None,
        };
        let mut beside = Beside::event(self.event(EventName::UserCreated).concerning(user.id));
        if accounts.settings.sets_passwords {
            let (job, link) = accounts.set_password_mail(&user, email.as_str()).await?;
            beside = beside.and_job(job).and_link(link);
        }
        match self.edges.store.create_user_with(&user, None, beside).await? {
            Creation::Created => Ok(user),
            // Somebody was faster with one of the names, most likely with the address.
            Creation::AlreadyExists => Err(Refusal::NameTaken(IdentifierKind::Email).into()),
        }
    }

    /// Says what somebody may do on this server.
    ///
    /// # Errors
    /// When they are above the actor or would be, or are the last owner.
    pub async fn set_role(&self, user: &User, role: Role) -> Result<Changed, AdminError> {
        self.check_reach(user)?;
        self.check_grant(role)?;
        if user.role == role {
            return Ok(Changed::No);
        }
        let event = self.event_about(EventName::UserRoleChanged, user).telling("role", role.as_str());
        if self.edges.store.set_role(user.id, role, self.now(), Beside::event(event)).await? {
            Ok(Changed::Yes)
        } else if user.role == Role::Owner {
            Err(Refusal::LastOwner.into())
        } else {
            Err(Refusal::Unknown { what: Thing::Person, name: user.id.to_string() }.into())
        }
    }

    /// Keeps somebody out, at once: every session and token ends.
    ///
    /// # Errors
    /// When they are above the actor, or are the last owner.
    pub async fn disable(&self, user: &User) -> Result<Changed, AdminError> {
        self.check_reach(user)?;
        self.check_last_owner(user).await?;
        let beside = Beside::event(self.event_about(EventName::UserDeactivated, user));
        let changed = self.edges.store.disable_user(user.id, self.now(), beside).await?;
        Ok(if changed { Changed::Yes } else { Changed::No })
    }

    /// Lets somebody in again. What was ended stays ended.
    ///
    /// # Errors
    /// When they are above the actor.
    pub async fn enable(&self, user: &User) -> Result<Changed, AdminError> {
        self.check_reach(user)?;
        let changed = self.edges.store.enable_user(user.id).await?;
        if changed {
            self.edges.store.note_event(self.event_about(EventName::UserEnabled, user));
        }
        Ok(if changed { Changed::Yes } else { Changed::No })
    }

    /// Deletes somebody's account with all that belongs to it.
    ///
    /// # Errors
    /// When they are above the actor, or are the last owner.
    pub async fn delete_person(&self, user: &User) -> Result<(), AdminError> {
        self.disable(user).await?;
        let beside = self.edges.farewell(user.id, self.event_about(EventName::UserDeleted, user)).await?;
        self.edges.store.remove_user(user.id, beside).await?;
        Ok(())
    }

    /// Ends every session and every token of a person, at once.
    ///
    /// # Errors
    /// When they are above the actor.
    pub async fn sign_out(&self, user: &User) -> Result<(), AdminError> {
        self.check_reach(user)?;
        let event = self.event_about(EventName::SessionEnded, user).telling("reason", "revoked");
        self.edges.store.sign_out_everywhere(user.id, None, self.now(), Beside::event(event)).await?;
        Ok(())
    }

    /// Refuses to act on those above: nobody touches their equals, but owners and, within their own account, everybody.
    ///
    /// # Errors
    /// [`Refusal::AboveRank`].
    pub fn check_reach(&self, user: &User) -> Result<(), Refusal> {
        let is_self = self.by == Actor::User(user.id);
        if is_self || self.role.may_change(user.role) { Ok(()) } else { Err(Refusal::AboveRank) }
    }

    /// Nobody gives more than they have.
    pub(super) fn check_grant(&self, role: Role) -> Result<(), Refusal> {
        if role == Role::Member || self.role.may_change(role) { Ok(()) } else { Err(Refusal::AboveRank) }
    }

    async fn check_last_owner(&self, user: &User) -> Result<(), AdminError> {
        if user.role == Role::Owner && user.is_enabled() && !self.edges.store.has_other_owner(user.id).await? {
            return Err(Refusal::LastOwner.into());
        }
        Ok(())
    }

    /// Something that the actor does to `user`.
    pub fn event_about(&self, name: EventName, user: &User) -> Event {
        self.event(name).concerning(user.id)
    }
}
