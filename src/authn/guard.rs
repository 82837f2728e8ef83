//! How many wrong codes are heard: of second factors, and those that begin a sign-in.
//!
//! PROTOCOL A7, A9, NIST SP 800-63B-4 §3.2.2: at most ten wrong answers of an account in any hour, over all its factors, sign-ins,
//! addresses and nodes, and a hundred in a row, kept in the main store; a right password clears neither. An answer takes its place
//! before it is judged and gives it back when it was right, so that two hundred at once are ten; `limits.factor_confirm` sets how many.
//! *Why places and not a rate:* a rate of ten an hour hears nearly twenty in its first hour.
//!
//! *Why codes that begin a sign-in have counters of their own:* anybody may type some for an account; were they counted among those of
//! second factors, a stranger would keep out whoever has proven a password (PROTOCOL A5). In a row they are counted as wrong passwords
//! are: what is guessed at without any proof is one counter for all surfaces (PROTOCOL A4).
//!
//! A wrong code is a failure of its address too (S-123), as a wrong password is; not one from a browser that the account knows, which is
//! heard while strangers at its address are not (PROTOCOL A5), and not one that is typed again.

use std::time::Duration;

use crate::authn::device::Devices;
use crate::authn::throttle::{Places, Throttle};
use crate::authn::{Attempt, Refusal};
use crate::edge::Edges;
use crate::edge::ephemeral::EphemeralKey;
use crate::model::fault::Fault;
use crate::model::id::UserId;
use crate::protocol::secret::{Secret, TokenHash};

const PLACE: &str = "second_factor_place";
const FIRST_PLACE: &str = "first_factor_place";

/// Counts wrong answers.
#[derive(Clone)]
pub struct Guard {
    /// What it asks of the world.
    pub edges: Edges,
    /// Limits.
    pub throttle: Throttle,
    /// Browsers that are known.
    pub devices: Devices,
}

/// An answer that may be judged.
#[derive(Debug)]
pub struct Counted {
    user: Option<UserId>,
    kind: Kind,
    place: Option<EphemeralKey>,
    /// The address that it counts as a failure of.
    address: Option<String>,
    is_heard: bool,
}

impl Counted {
    /// False for a stranger whom the account hears no longer: they get the answer of a wrong code, and learn nothing by it.
    pub const fn is_heard(&self) -> bool {
        self.is_heard
    }
}

/// Whether an answer is a guess of its address.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Typed {
    /// Nobody typed it here before.
    Anew,
    /// Somebody is impatient: it was counted when it was typed first.
    Again,
}

/// What an answer is for.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Kind {
    /// It begins a sign-in: nobody is proven yet.
    First,
    /// It follows a proof.
    Second,
}

/// Whose answers are counted together.
#[derive(Copy, Clone, Debug)]
pub enum Whose<'a> {
    /// Those at an account.
    User(UserId),
    /// Those at an address that no account has.
    Address(&'a str),
}

impl From<UserId> for Whose<'_> {
    fn from(user: UserId) -> Self {
        Self::User(user)
    }
}

impl Whose<'_> {
    const fn user(self) -> Option<UserId> {
        match self {
            Self::User(user) => Some(user),
            Self::Address(_) => None,
        }
    }

    fn name(self) -> String {
        match self {
            Self::User(user) => user.to_string(),
            Self::Address(address) => address.to_owned(),
        }
    }
}

impl Guard {
    /// Whether `user` is somebody who is known by the mark of a browser.
    pub fn knows(&self, user: Option<UserId>, mark: Option<&Secret>) -> bool {
        user.zip(mark).is_some_and(|(user, mark)| self.devices.recognises(user, mark))
    }

    /// Counts an answer as wrong, until it is [`forgiven`](Self::forgive).
    ///
    /// # Errors
    /// [`Refusal::TooMany`] or [`Refusal::Closed`] when there were too many; a fault of a store.
    pub async fn count<'a>(
        &self,
        attempt: &Attempt,
        whose: impl Into<Whose<'a>>,
        typed: Typed,
    ) -> Result<Counted, Refusal> {
        let whose = whose.into();
        let user = whose.user();
        let kind = if attempt.person.is_some() { Kind::Second } else { Kind::First };
        let is_known = self.knows(user, attempt.device.as_ref());
        // The address comes first: what it has no more room for does not use up the account's.
        let address = if is_known || typed == Typed::Again { None } else { Some(attempt.from.address.clone()) };
        if let Some(address) = &address {
            self.throttle.count_guess(&self.edges, address, self.edges.clock.now()).await?;
        }
        let place = match self.throttle.factor {
            Some(places) => {
                let most = if is_known { places.most } else { places.by_strangers };
                Some(self.place((kind, whose), (most, places.time)).await?)
            }
            None => None,
        };
        let in_a_row = self.throttle.in_a_row;
        let most = if is_known { in_a_row.most } else { in_a_row.by_strangers };
        let is_heard = self.is_open((kind, whose), most).await?;
        if !is_heard && (kind == Kind::Second || is_known) {
            return Err(Refusal::Closed);
        }
        Ok(Counted { user, kind, place, address, is_heard })
    }

    /// Takes an answer back that was right, or that was right before: that is no guess.
    ///
    /// # Errors
    /// A fault of a store.
    pub async fn forgive(&self, counted: Counted) -> Result<(), Refusal> {
        if let Some(place) = counted.place {
            self.edges.ephemeral.take(&place, self.edges.clock.now()).await?;
        }
        if let Some(address) = counted.address {
            self.throttle.forgive_address(&*self.edges.ephemeral, &address).await?;
        }
        match (counted.kind, counted.user) {
            (Kind::Second, Some(user)) => Ok(self.edges.store.clear_second_factor_failures(user).await?),
            (Kind::First, Some(user)) => Ok(self.edges.store.clear_sign_in_failures(user).await?),
            (_, None) => Ok(()),
        }
    }

    /// Whether an account hears one more; for nobody the same is written, where nothing stands.
    async fn is_open(&self, (kind, whose): (Kind, Whose<'_>), most: u32) -> Result<bool, Fault> {
        let (store, now) = (&self.edges.store, self.edges.clock.now());
        match (kind, whose) {
            (Kind::Second, whose) => {
                let user = whose.user();
                let holder = user.unwrap_or_else(|| UserId::new([0; 16]));
                Ok(store.count_second_factor(holder, most).await? || user.is_none())
            }
            (Kind::First, Whose::User(user)) => {
                let is_open = store.count_sign_in(user, most, now).await?;
                if !is_open {
                    // Nothing was written; the time of the answer must not tell.
                    store.count_sign_in_of_nobody(&TokenHash::of(&whose.name()), now).await?;
                }
                Ok(is_open)
            }
            (Kind::First, Whose::Address(address)) => {
                store.count_sign_in_of_nobody(&TokenHash::of(address), now).await?;
                Ok(true)
            }
        }
    }

    /// The first place that is free, taken for `time`.
    async fn place(
        &self,
        (kind, whose): (Kind, Whose<'_>),
        (most, time): (u8, Duration),
    ) -> Result<EphemeralKey, Refusal> {
        let now = self.edges.clock.now();
        let places = if kind == Kind::First { FIRST_PLACE } else { PLACE };
        for number in 0..most {
            let key = EphemeralKey::new(places, TokenHash::of(&format!("{}:{number}", whose.name())).as_bytes());
            if self.edges.ephemeral.add_if_absent(&key, now.plus(time), now).await? {
                return Ok(key);
            }
        }
        // Each place has its own end; the next may be free at once, or when all of the time is over.
        Err(Refusal::TooMany((time.as_secs() / u64::from(Places::SPREAD)).max(1)))
    }
}

impl Places {
    /// After which part of the time one who was refused may try again: what is told is no promise.
    const SPREAD: u8 = 12;
}
