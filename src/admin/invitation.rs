//! Invitations: who may ask whom in, and with what.
//!
//! S-016; PROTOCOL A6, O6. Nobody gives more than they have: a role below their own, groups where they look after groups. Whether an
//! address has an account is told to those who may look at accounts, and to nobody else.

use std::time::Duration;

use super::{AdminError, Administration, Changed, Refusal, Thing};
use crate::account::settings::AccountSettings;
use crate::account::site::Site;
use crate::edge::store::Beside;
use crate::model::client::Client;
use crate::model::event::{Actor, EventName};
use crate::model::id::{ClientId, GroupId, InvitationId, UserId};
use crate::model::identifier::{Email, Phone};
use crate::model::invitation::Invitation;
use crate::model::mailed_link::LinkPurpose;
use crate::model::message::{Channel, Message, MessageData, MessageKind};
use crate::model::user::{IdentifierKind, LookupName, Role};
use crate::protocol::oidc::claims::Profile;
use crate::protocol::secret::TokenHash;

/// Somebody who is asked in.
#[derive(Clone, Debug, Default)]
pub struct NewInvitation<'a> {
    /// Their address.
    pub email: Option<&'a str>,
    /// Their number, where they are asked by it.
    pub phone: Option<&'a str>,
    /// What is known of them.
    pub profile: Profile,
    /// Groups that they are put into, by path or id.
    pub groups: &'a [String],
    /// What they may do on this server.
    pub role: Role,
    /// The app that they are invited to.
    pub client: Option<ClientId>,
    /// Languages of the message, the most wanted first.
    pub languages: Vec<String>,
}

impl Administration {
    /// Asks somebody in: one message, with a link that is good once.
    ///
    /// # Errors
    /// That the actor may not invite, or not so; a malformed address or number, or one that has an account; an unknown group or app.
    pub async fn invite(
        &self,
        (site, settings): (&Site, &AccountSettings),
        new: NewInvitation<'_>,
    ) -> Result<Invitation, AdminError> {
        if !settings.inviters.allow(self.role) {
            return Err(Refusal::MayNotInvite.into());
        }
        self.check_grant(new.role)?;
        if !new.groups.is_empty() && self.role < Role::Admin {
            return Err(Refusal::AboveRank.into());
        }
        let (kind, address) = address(settings, &new)?;
        let groups = self.groups(new.groups).await?;
        let client = match &new.client {
            Some(id) => {
                let unknown = || Refusal::Unknown { what: Thing::Client, name: id.to_string() };
                Some(self.edges.store.client(id).await?.ok_or_else(unknown)?)
            }
            None => None,
        };
        let name = LookupName::parse(&address).ok_or_else(|| Refusal::malformed(kind.as_str(), "it is no name"))?;
        let owner = self.edges.store.user_by_name(&name).await?;
        if owner.is_some() && self.role >= Role::Auditor {
            return Err(Refusal::NameTaken(kind).into());
        }
        let now = self.now();
        let token = self.edges.random.token();
        let invitation = Invitation {
            id: InvitationId::new(now, self.edges.random.bytes()),
            token: TokenHash::of(token.expose()),
            kind,
            address: address.clone(),
            profile: new.profile,
            groups,
            role: new.role,
            client: new.client,
            invited_by: self.person_who_acts(),
            created_at: now,
            expires_at: now.plus(settings.lifetimes.invitation),
            fate: None,
        };
        let own_language = owner.as_ref().and_then(|user| user.profile.locale.clone());
        // Who has an account is told so, and the inviter learns nothing.
        let (message, url) = if owner.is_some() {
            (MessageKind::AccountExists, site.page("/sign-in"))
        } else {
            let app = client.as_deref().and_then(Client::frontend_url);
            (MessageKind::Invitation, site.url(LinkPurpose::Invitation, &token, app))
        };
        let message = Message {
            kind: message,
            channel: if kind == IdentifierKind::Phone { Channel::Sms } else { Channel::Mail },
            to: address,
            user: owner.as_ref().map(|user| user.id),
            client: invitation.client.clone(),
            languages: own_language.into_iter().chain(invitation.profile.locale.clone()).chain(new.languages).collect(),
            data: MessageData {
                name: invitation.profile.name.clone().or_else(|| invitation.profile.given_name.clone()),
                url: Some(url),
                valid_minutes: Some(minutes(settings.lifetimes.invitation)),
                ..MessageData::default()
            },
        };
        let job = self.edges.outbox.job(&message, None, (now, invitation.expires_at))?;
        let id = invitation.id.to_string();
        let event = self.event(EventName::InvitationSent).telling("invitation", id).telling("role", new.role.as_str());
        self.edges.store.invite(&invitation, Beside::event(event).and_job(job)).await?;
        Ok(invitation)
    }

    /// Takes an invitation back: its link is of no use from now on.
    ///
    /// # Errors
    /// When it is somebody else's, and the actor's rank does not reach it.
    pub async fn revoke_invitation(&self, invitation: &Invitation) -> Result<Changed, AdminError> {
        let is_own = invitation.invited_by.is_some() && invitation.invited_by == self.person_who_acts();
        let reaches = self.role >= Role::UserSupport
            && (invitation.role == Role::Member || self.role.may_change(invitation.role));
        if !is_own && !reaches {
            return Err(Refusal::AboveRank.into());
        }
        let told = self.told(EventName::InvitationRevoked, &[("invitation", &invitation.id.to_string())]);
        let changed = self.edges.store.revoke_invitation(invitation.id, self.now(), told).await?;
        Ok(if changed { Changed::Yes } else { Changed::No })
    }

    fn person_who_acts(&self) -> Option<UserId> {
        match &self.by {
            Actor::User(user) => Some(*user),
            _ => None,
        }
    }

    async fn groups(&self, named: &[String]) -> Result<Vec<GroupId>, AdminError> {
        let directory = self.edges.store.directory().await?;
        let found = named.iter().map(|name| super::group::named(&directory, name).map(|group| group.id));
        Ok(found.collect::<Result<Vec<_>, Refusal>>()?)
    }
}

fn address(settings: &AccountSettings, new: &NewInvitation<'_>) -> Result<(IdentifierKind, String), Refusal> {
    let denied = |field: &'static str| Refusal::malformed(field, "the rules of this server do not allow it");
    match (new.email, new.phone) {
        (Some(_), Some(_)) => Err(Refusal::malformed("phone", "an invitation goes to an address or to a number")),
        (None, None) => Err(Refusal::malformed("email", "an invitation needs an address or a number")),
        (Some(email), None) => {
            let email = Email::parse(email).ok_or_else(|| Refusal::malformed("email", "it is not well formed"))?;
            let address = (IdentifierKind::Email, email.as_str().to_owned());
            if settings.rules.allow_email(&email) { Ok(address) } else { Err(denied("email")) }
        }
        (None, Some(phone)) => {
            let phone = Phone::parse(phone).ok_or_else(|| Refusal::malformed("phone", "it is not well formed"))?;
            let address = (IdentifierKind::Phone, phone.as_str().to_owned());
            if settings.rules.allow_phone(&phone) { Ok(address) } else { Err(denied("phone")) }
        }
    }
}

/// Minutes for a message, rounded up.
const fn minutes(lifetime: Duration) -> u64 {
    lifetime.as_secs().div_ceil(60)
}
