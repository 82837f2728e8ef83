//! An account for somebody whom another server vouches for, with the address that it has proven (S-063).
//!
//! The rules are those of every registration; where something is missing that they want, the person is asked for it on the page.

use serde_json::Map;

use crate::account::registration::{Contact, Made, Typed};
use crate::account::settings::{Presence, SignUp};
use crate::account::{AccountError, Accounts, Asking, Why};
use crate::authn::upstream;
use crate::edge::store::{Beside, Registered};
use crate::model::event::EventName;
use crate::model::identity_provider::IdentityProvider;
use crate::model::upstream_link::UpstreamIdentity;
use crate::model::user::{AccountState, IdentifierKind};

/// What became of it.
#[derive(Clone, Debug)]
pub enum MadeElsewhere {
    /// The account is there, connected.
    Made(Box<Made>),
    /// Something is missing that people have to say themselves.
    Incomplete,
}

impl Accounts {
    /// Makes an account that has the address of `identity`, which counts as proven, and connects the two.
    ///
    /// # Errors
    /// That nobody may register, that the address is not allowed, that it was taken a moment ago.
    pub async fn make_from_upstream(
        &self,
        (provider, identity): (&IdentityProvider, &UpstreamIdentity),
        asking: &Asking,
    ) -> Result<MadeElsewhere, AccountError> {
        if self.settings.sign_up == SignUp::Off || !provider.settings.trust.sign_up {
            return Err(Why::SignupNotAllowed.into());
        }
        self.hear(asking)?;
        let email = self.email(identity.email.as_deref().unwrap_or_default())?;
        let asks_more = self.settings.attributes.asked().any(|attribute| attribute.required);
        if self.settings.username == Presence::Required || asks_more {
            return Ok(MadeElsewhere::Incomplete);
        }
        let typed = Typed {
            email: Some(email.as_str().to_owned()),
            phone: None,
            username: None,
            phc: None,
            profile: identity.profile.clone(),
            attributes: Map::new(),
        };
        let proven = Contact { kind: IdentifierKind::Email, value: email.as_str().to_owned() };
        let user = self.user(&typed, AccountState::Active, Some(&proven)).await?;
        let told = |name| self.event_of(name, user.id, asking).telling("provider", provider.slug.as_str());
        let beside = Beside::event(told(EventName::UserCreated).telling("step", "upstream"))
            .and_event(told(EventName::IdentityLinked))
            .and_identity(upstream::link(&self.edges, (provider, identity), &user));
        match self.edges.store.register((&user, None), None, beside).await? {
            Registered::Created => {
                let client_id = asking.client.as_ref().map(ToString::to_string);
                Ok(MadeElsewhere::Made(Box::new(Made { user, flow: asking.flow.clone(), client_id, reset: None })))
            }
            Registered::Taken | Registered::Already => Err(self.which_is_taken(&user).await?.into()),
        }
    }
}
