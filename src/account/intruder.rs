//! "This was not me": from when on somebody else may have acted, and what their owner is told of what went.
//!
//! S-096, S-119; PROTOCOL A15, ASVS 6.3.7. The facts are in `edge/store/intruder.rs`.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::account::dispatch::NOTICE;
use crate::account::{Accounts, Asking};
use crate::authn::flow::{ENROLMENT, SIGN_IN_LIFETIME};
use crate::edge::store::{Beside, Gone};
use crate::model::event::{Event, EventName};
use crate::model::fault::Fault;
use crate::model::id::ProviderId;
use crate::model::message::{Channel, MessageData, MessageKind};
use crate::model::user::User;
use crate::protocol::numeric_date::NumericDate;

/// What may be set up in a sign-in before it is done, and is told of: a factor that the house asks for, an identity elsewhere.
const SIGN_IN: Duration = Duration::from_secs(ENROLMENT.as_secs() + SIGN_IN_LIFETIME.as_secs());
/// Where a link says what went before it was made.
const GONE: &str = "gone";

/// How much of what somebody else had set up is gone, by words for texts; nothing where there was nothing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct WentAway(Vec<(&'static str, u64)>);

impl WentAway {
    const WORDS: [&'static str; 3] = ["authenticators", "identities", "addresses"];

    /// How much.
    pub fn of(gone: &Gone) -> Self {
        let identities = u64::try_from(gone.identities.len()).unwrap_or(u64::MAX);
        Self::counted([gone.authenticators, identities, gone.addresses])
    }

    fn counted(counts: [u64; 3]) -> Self {
        Self(Self::WORDS.into_iter().zip(counts).filter(|(_, count)| *count > 0).collect())
    }

    /// The words, each with how many.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.0.iter().copied()
    }

    /// Writes it into a link, for the page that the link leads to.
    pub(super) fn tell(&self, details: &mut Map<String, Value>) {
        let counts: Map<String, Value> = self.iter().map(|(word, count)| (word.to_owned(), count.into())).collect();
        if !counts.is_empty() {
            details.insert(GONE.to_owned(), counts.into());
        }
    }

    /// As a link says it.
    pub(super) fn told(details: &Map<String, Value>) -> Self {
        let counts = details.get(GONE).and_then(Value::as_object);
        Self::counted(Self::WORDS.map(|word| counts.and_then(|counts| counts.get(word)?.as_u64()).unwrap_or_default()))
    }
}

/// What is written down of what went, once it is known.
pub(super) type Told = Box<dyn FnOnce(&Gone) -> Beside + Send>;

impl Accounts {
    /// From when on somebody else may have acted in the account of `user` who did something `at` a moment. What an account was made with
    /// is its owner's.
    pub(super) fn since(user: &User, at: NumericDate) -> NumericDate {
        at.minus(SIGN_IN).max(user.created_at.plus(Duration::from_secs(1)))
    }

    /// What is written down beside `event`: that it went, and the notices that its person gets of each such change, at the address that is
    /// theirs for sure.
    ///
    /// # Errors
    /// A fault of the store.
    pub(super) async fn told_of_gone(
        &self,
        (user, address): (&User, &str),
        event: Event,
        asking: &Asking,
    ) -> Result<Told, Fault> {
        let happened = |name| self.event_of(name, user.id, asking).telling("change", "not_me");
        let notice = |kind, provider| {
            let data = MessageData { provider, ..MessageData::default() };
            self.message((kind, Channel::Mail), address, (Some(user), asking), (data, NOTICE))
        };
        let factors = (happened(EventName::MfaChanged), notice(MessageKind::MfaChanged, None)?);
        let mut cut = Vec::new();
        for provider in self.edges.store.identity_providers().await?.iter() {
            let event = happened(EventName::IdentityUnlinked).telling("provider", provider.slug.as_str());
            let job = notice(MessageKind::IdentityUnlinked, Some(provider.label().to_owned()))?;
            cut.push((provider.id, Beside::event(event).and_job(job)));
        }
        let addresses = happened(EventName::EmailChanged);
        Ok(Box::new(move |gone: &Gone| {
            let mut beside = Beside::event(event);
            if gone.authenticators > 0 {
                beside = beside.and_event(factors.0).and_job(factors.1);
            }
            let is_gone = |provider: &ProviderId| gone.identities.contains(provider);
            beside =
                cut.into_iter().filter(|(provider, _)| is_gone(provider)).fold(beside, |all, (_, told)| all.and(told));
            if gone.addresses > 0 { beside.and_event(addresses) } else { beside }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_says_what_went() {
        let gone = Gone { authenticators: 2, identities: Vec::new(), addresses: 1 };
        let (went, mut details) = (WentAway::of(&gone), Map::new());
        went.tell(&mut details);
        assert_eq!(WentAway::told(&details), went);
        assert_eq!(went.iter().collect::<Vec<_>>(), [("authenticators", 2), ("addresses", 1)]);
        let mut details = Map::new();
        WentAway::of(&Gone::default()).tell(&mut details);
        assert!(details.is_empty() && WentAway::told(&details) == WentAway::default());
    }
}
