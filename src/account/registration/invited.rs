//! An account for somebody who was asked in (S-016).
//!
//! The message that holds the token has proven the address or number. Who may not give any more what the invitation gives has given
//! nothing: it is looked at again when it is accepted.

use crate::account::registration::{Made, NewAccount};
use crate::account::{AccountError, Accounts, Asking, Mistake, Why};
use crate::authn::limit::Rule;
use crate::edge::store::{Beside, Registered};
use crate::model::event::EventName;
use crate::model::fault::Fault;
use crate::model::id::UserId;
use crate::model::identifier::{Email, Phone};
use crate::model::invitation::Invitation;
use crate::model::message::Channel;
use crate::model::user::{AccountState, IdentifierKind, User};
use crate::protocol::oidc::claims::Profile;
use crate::protocol::secret::TokenHash;

/// What pauses are for.
const PURPOSE: &str = "invitation";

impl Accounts {
    /// Takes the pause between two messages to an address or number, and counts the invitations of `inviter` and of the address. What is
    /// malformed is left to who invites.
    ///
    /// # Errors
    /// That a message was sent a moment ago, or that there were too many.
    pub async fn may_invite(
        &self,
        inviter: UserId,
        (email, phone): (Option<&str>, Option<&str>),
    ) -> Result<(), AccountError> {
        let email = email.and_then(Email::parse);
        let phone = phone.and_then(Phone::parse);
        let Some(address) =
            email.map(|email| email.mailbox()).or_else(|| phone.as_ref().map(|p| p.as_str().to_owned()))
        else {
            return Ok(());
        };
        if let Some(exceeded) = self.is_within((Rule::Invitation, &inviter.to_string())).await? {
            return Err(AccountError::TooOften(exceeded));
        }
        if let Err(seconds) = self.starts.again((PURPOSE, &address), self.now()).await? {
            return Err(AccountError::RecentlySent(seconds));
        }
        let channel = if phone.is_some() { Channel::Sms } else { Channel::Mail };
        self.may_send((PURPOSE, channel), &address).await
    }

    /// The invitation of this token, while it is good.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn invitation(&self, token: &str) -> Result<Option<Invitation>, Fault> {
        let found = self.edges.store.invitation_by_token(&TokenHash::of(token)).await?;
        let Some(invitation) = found.filter(|found| found.state(self.now()) == "waiting") else { return Ok(None) };
        let inviter = match invitation.invited_by {
            Some(id) => self.edges.store.user(id).await?,
            None => None,
        };
        let stands = invitation.is_within_reach_of(inviter.as_deref(), self.settings.inviters);
        Ok(Some(invitation).filter(|_| stands))
    }

    /// Makes the account of who was asked in. `new` says nothing of the address or number: that is the invitation's.
    ///
    /// # Errors
    /// Every field that cannot be taken; that the invitation is used, over, taken back or unknown.
    pub async fn accept_invitation(&self, token: &str, new: NewAccount, asking: &Asking) -> Result<Made, AccountError> {
        let invitation = self.invitation(token).await?.ok_or(Why::InvitationInvalid)?;
        self.hear(asking)?;
        let address = |kind| Some(invitation.address.clone()).filter(|_| invitation.kind == kind);
        let password = new.password.clone();
        let new = NewAccount {
            email: address(IdentifierKind::Email),
            phone: address(IdentifierKind::Phone),
            profile: filled(new.profile, &invitation.profile),
            ..new
        };
        let (contact, mut typed) = self.judge(new).await?;
        if let Some(password) = &password {
            typed.phc = Some(self.hasher.hash(password).await?);
        }
        let user = self.user(&typed, AccountState::Active, Some(&contact)).await?;
        let user = User { role: invitation.role, ..user };
        let told = |name| self.event_of(name, user.id, asking).telling("invitation", invitation.id.to_string());
        let beside = Beside::event(told(EventName::UserCreated).telling("step", "invitation"))
            .and_event(told(EventName::InvitationAccepted));
        let accepted = (&invitation.token, invitation.groups.as_slice());
        match self.edges.store.accept_invitation(accepted, (&user, typed.phc.as_deref()), beside).await? {
            Registered::Created => {
                let client_id = invitation.client.as_ref().map(ToString::to_string);
                Ok(Made { user, flow: None, client_id, reset: None })
            }
            Registered::Already => Err(Why::InvitationInvalid.into()),
            Registered::Taken => {
                let mistake: Mistake = self.which_is_taken(&user).await?;
                Err(mistake.into())
            }
        }
    }
}

/// What the person said, and what the inviter said where they said nothing.
fn filled(own: Profile, told: &Profile) -> Profile {
    let given_name = own.given_name.or_else(|| told.given_name.clone());
    let family_name = own.family_name.or_else(|| told.family_name.clone());
    let locale = own.locale.or_else(|| told.locale.clone());
    Profile { given_name, family_name, locale, name: own.name.or_else(|| told.name.clone()), ..own }
}
