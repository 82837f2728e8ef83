//! What the demo remembers of one browser: requests under way, who signed in, and the exchanges so far. In memory only.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};

use super::exchange::{Exchange, Journal};
use super::provider::Provider;
use crate::protocol::secret::{Secret, TokenHash};

/// One browser.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    /// The value in the forms of this visit.
    pub(super) csrf: Secret,
    /// Authorization requests without an answer, oldest first: each tab may have one.
    pub(super) pending: VecDeque<PendingRequest>,
    /// Who is signed in at the demo.
    pub(super) signed_in: Option<SignedIn>,
    /// `state` of a logout under way.
    pub(super) logout_state: Option<Secret>,
    /// What went over the wire, newest last.
    pub(super) exchanges: VecDeque<Numbered>,
    /// How many there were.
    pub(super) counted: u64,
    /// What the last action came to.
    pub(super) notice: Option<Notice>,
}

/// An exchange and its number in this visit.
#[derive(Clone, Debug, serde::Serialize)]
pub(super) struct Numbered {
    pub(super) number: u64,
    #[serde(flatten)]
    pub(super) exchange: Exchange,
}

/// An authorization request that waits for its answer.
#[derive(Clone, Debug)]
pub(super) struct PendingRequest {
    pub(super) state: Secret,
    pub(super) nonce: Secret,
    pub(super) code_verifier: Secret,
    /// What the request asked for, in seconds.
    pub(super) max_age: Option<u64>,
    pub(super) provider: Provider,
}

/// A person who signed in.
#[derive(Clone, Debug)]
pub(super) struct SignedIn {
    pub(super) provider: Provider,
    pub(super) id_token: Secret,
    /// Verified.
    pub(super) claims: Map<String, Value>,
    pub(super) nonce: Secret,
    pub(super) access_token: Secret,
    pub(super) refresh_token: Option<Secret>,
    pub(super) scope: String,
    /// The last answer of the `UserInfo` endpoint.
    pub(super) userinfo: Map<String, Value>,
}

/// What the last action came to.
#[derive(Clone, Debug, serde::Serialize)]
pub(super) struct Notice {
    /// `good` or `bad`.
    pub(super) kind: NoticeKind,
    pub(super) text: String,
}

/// How to read a notice.
#[derive(Copy, Clone, Debug, Eq, PartialEq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum NoticeKind {
    Good,
    Bad,
}

/// The visits, oldest dropped first.
#[derive(Debug, Default)]
pub(super) struct Visits(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    visits: HashMap<TokenHash, Visit>,
    order: VecDeque<TokenHash>,
}

/// Requests under way in one browser.
const MAX_PENDING: usize = 8;
/// Exchanges kept for one browser.
const MAX_EXCHANGES: usize = 24;

impl Visit {
    pub(super) fn new(csrf: Secret) -> Self {
        Self {
            csrf,
            pending: VecDeque::new(),
            signed_in: None,
            logout_state: None,
            exchanges: VecDeque::new(),
            counted: 0,
            notice: None,
        }
    }

    /// Remembers a request, and forgets the oldest beyond [`MAX_PENDING`].
    pub(super) fn begin(&mut self, request: PendingRequest) {
        if self.pending.len() == MAX_PENDING {
            self.pending.pop_front();
        }
        self.pending.push_back(request);
    }

    /// The request that `state` belongs to; it is good once.
    pub(super) fn take_pending(&mut self, state: &str) -> Option<PendingRequest> {
        let index = self.pending.iter().position(|request| request.state.matches(state))?;
        self.pending.remove(index)
    }

    /// Adds what went over the wire.
    pub(super) fn record(&mut self, journal: Journal) {
        for exchange in journal.0 {
            self.counted += 1;
            if self.exchanges.len() == MAX_EXCHANGES {
                self.exchanges.pop_front();
            }
            self.exchanges.push_back(Numbered { number: self.counted, exchange });
        }
    }
}

impl Notice {
    pub(super) fn good(text: impl Into<String>) -> Self {
        Self { kind: NoticeKind::Good, text: text.into() }
    }

    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self { kind: NoticeKind::Bad, text: text.into() }
    }
}

impl Visits {
    /// The most visits kept: a harness opens a fresh browser for each sign-in.
    pub(super) const CAPACITY: usize = 1000;

    /// The visit behind a cookie.
    pub(super) fn get(&self, cookie: &TokenHash) -> Option<Visit> {
        self.kept().visits.get(cookie).cloned()
    }

    /// Changes the visit behind a cookie, if it is still kept.
    pub(super) fn update<T>(&self, cookie: &TokenHash, change: impl FnOnce(&mut Visit) -> T) -> Option<T> {
        self.kept().visits.get_mut(cookie).map(change)
    }

    /// Changes every visit.
    pub(super) fn each(&self, change: impl Fn(&mut Visit)) {
        self.kept().visits.values_mut().for_each(change);
    }

    /// Keeps a new visit.
    pub(super) fn insert(&self, cookie: TokenHash, visit: Visit) {
        let mut kept = self.kept();
        if kept.visits.insert(cookie, visit).is_none() {
            kept.order.push_back(cookie);
        }
        while kept.order.len() > Self::CAPACITY {
            if let Some(oldest) = kept.order.pop_front() {
                kept.visits.remove(&oldest);
            }
        }
    }

    /// Gives a visit a new cookie, so that one planted before sign-in opens nothing after it.
    pub(super) fn rename(&self, old: &TokenHash, new: TokenHash) {
        let mut kept = self.kept();
        kept.order.retain(|cookie| cookie != old);
        if let Some(visit) = kept.visits.remove(old) {
            kept.visits.insert(new, visit);
            kept.order.push_back(new);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Changes are assignments: a panic leaves a whole visit behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: usize) -> TokenHash {
        TokenHash::of(&number.to_string())
    }

    #[test]
    fn the_oldest_visit_makes_room() {
        let visits = Visits::default();
        for number in 0..=Visits::CAPACITY {
            visits.insert(hash(number), Visit::new(Secret::from("csrf")));
        }
        assert!(visits.get(&hash(0)).is_none());
        assert!(visits.get(&hash(1)).is_some() && visits.get(&hash(Visits::CAPACITY)).is_some());
    }

    #[test]
    fn a_new_cookie_replaces_the_old_one() {
        let visits = Visits::default();
        visits.insert(hash(1), Visit::new(Secret::from("csrf")));
        visits.rename(&hash(1), hash(2));
        assert!(visits.get(&hash(1)).is_none());
        assert!(visits.update(&hash(2), |visit| visit.counted += 1).is_some());
        assert_eq!(visits.get(&hash(2)).unwrap().counted, 1);
    }

    #[test]
    fn a_state_is_good_once_and_in_its_own_browser() {
        let mut visit = Visit::new(Secret::from("csrf"));
        for number in 0..=MAX_PENDING {
            visit.begin(PendingRequest {
                state: Secret::new(format!("state-{number}")),
                nonce: Secret::from("nonce"),
                code_verifier: Secret::from("verifier"),
                max_age: None,
                provider: Provider::default(),
            });
        }
        assert!(visit.take_pending("state-0").is_none(), "the oldest made room");
        assert!(visit.take_pending("state-1").is_some());
        assert!(visit.take_pending("state-1").is_none());
        assert!(visit.take_pending("").is_none());
    }
}
