//! Rows held in memory: bounded, exact after each commit, and safe against a reader that comes late.
//!
//! *Why not a ready-made cache:* a reader that loaded a row before a commit must not install it after that commit. Each
//! stripe counts its changes; a reader notes the count before it reads and installs only when it still stands.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::model::fault::Fault;

const STRIPES: usize = 16;

/// Shared values by key. At most `capacity` are held; those unused for longest leave first (two generations).
pub(in crate::edge) struct Cache<K, V> {
    sharing: Sharing,
    stripes: Box<[Mutex<Stripe<K, V>>]>,
    hasher: RandomState,
    generation_size: usize,
}

/// Who else changes the rows.
#[derive(Clone)]
pub(in crate::edge) enum Sharing {
    /// Nobody: this process has the only writer, and it publishes in the order of its commits.
    Alone,
    /// Other nodes, and commits of this one that overtake each other. Nothing is held while their changes do not reach us.
    Nodes(Arc<Hearing>),
}

/// Until when all that other nodes have told is known.
///
/// *Why a moment and not a flag:* a process that was stopped (a paused machine, a starved runtime) would believe its flag when it
/// wakes up, before anybody looks whether it still hears.
#[derive(Debug)]
pub(in crate::edge) struct Hearing {
    start: Instant,
    /// Milliseconds since `start`; zero when nothing is heard.
    until: AtomicU64,
}

/// How long after the moment at which we asked what was told counts as complete.
const LEASE: Duration = Duration::from_millis(900);

impl Hearing {
    /// Nothing is heard yet.
    pub(in crate::edge) fn none() -> Self {
        Self { start: Instant::now(), until: AtomicU64::new(0) }
    }

    /// Everything that was told before the moment `asked` has been taken in.
    pub(in crate::edge) fn renew(&self, asked: Instant) {
        let until = asked.saturating_duration_since(self.start) + LEASE;
        self.until.store(u64::try_from(until.as_millis()).unwrap_or(u64::MAX), Ordering::Release);
    }

    /// Nothing is heard from now on; true when something was.
    pub(in crate::edge) fn end(&self) -> bool {
        self.until.swap(0, Ordering::AcqRel) != 0
    }

    fn is_current(&self) -> bool {
        self.start.elapsed() < Duration::from_millis(self.until.load(Ordering::Acquire))
    }
}

impl Sharing {
    /// Whether what is held may be believed.
    pub(in crate::edge) fn is_current(&self) -> bool {
        match self {
            Self::Alone => true,
            Self::Nodes(hearing) => hearing.is_current(),
        }
    }
}

struct Stripe<K, V> {
    changes: u64,
    young: HashMap<K, Arc<V>>,
    old: HashMap<K, Arc<V>>,
}

impl<K: Eq + Hash + Clone, V> Cache<K, V> {
    /// An empty cache for `capacity` values.
    pub(in crate::edge) fn new(capacity: usize, sharing: &Sharing) -> Self {
        let stripe = || Mutex::new(Stripe { changes: 0, young: HashMap::new(), old: HashMap::new() });
        Self {
            sharing: sharing.clone(),
            stripes: (0..STRIPES).map(|_| stripe()).collect(),
            hasher: RandomState::new(),
            generation_size: (capacity / STRIPES / 2).max(1),
        }
    }

    /// The value under `key`, if it is held.
    pub(in crate::edge) fn get(&self, key: &K) -> Option<Arc<V>> {
        if !self.sharing.is_current() {
            return None;
        }
        let mut stripe = self.stripe(key);
        if let Some(value) = stripe.young.get(key) {
            return Some(Arc::clone(value));
        }
        let (key, value) = stripe.old.remove_entry(key)?;
        stripe.add(key, Arc::clone(&value), self.generation_size);
        Some(value)
    }

    /// The value under `key`: held, or loaded and then held unless it changed meanwhile. What does not exist is not held.
    pub(in crate::edge) async fn get_or_load<F>(&self, key: &K, load: F) -> Result<Option<Arc<V>>, Fault>
    where
        F: Future<Output = Result<Option<V>, Fault>>,
    {
        if let Some(value) = self.get(key) {
            return Ok(Some(value));
        }
        let ticket = self.ticket(key);
        let Some(value) = load.await?.map(Arc::new) else { return Ok(None) };
        self.install(ticket, key, &value);
        Ok(Some(value))
    }

    /// To be taken before a row is read; see [`Cache::install`].
    pub(in crate::edge) fn ticket(&self, key: &K) -> Ticket {
        Ticket(self.stripe(key).changes)
    }

    /// Holds what a reader loaded, unless something under this stripe changed since it took its ticket.
    pub(in crate::edge) fn install(&self, ticket: Ticket, key: &K, value: &Arc<V>) {
        if !self.sharing.is_current() {
            return;
        }
        let mut stripe = self.stripe(key);
        if stripe.changes == ticket.0 {
            stripe.add(key.clone(), Arc::clone(value), self.generation_size);
        }
    }

    /// Holds what was just committed. For the writer only.
    ///
    /// Among nodes it lets go instead: a later commit may have been published before this one.
    pub(in crate::edge) fn put(&self, key: K, value: Arc<V>) {
        if matches!(self.sharing, Sharing::Nodes(_)) {
            self.forget(&key);
            return;
        }
        let mut stripe = self.stripe(&key);
        stripe.changes += 1;
        stripe.old.remove(&key);
        stripe.add(key, value, self.generation_size);
    }

    /// Lets go of what was just changed. For the writer only.
    pub(in crate::edge) fn forget(&self, key: &K) {
        let mut stripe = self.stripe(key);
        stripe.changes += 1;
        stripe.young.remove(key);
        stripe.old.remove(key);
    }

    /// Lets go of everything, also of what is being read now.
    pub(in crate::edge) fn flush(&self) {
        for stripe in &self.stripes {
            let mut stripe = stripe.lock().unwrap_or_else(PoisonError::into_inner);
            stripe.changes += 1;
            stripe.young = HashMap::new();
            stripe.old = HashMap::new();
        }
    }

    fn stripe(&self, key: &K) -> MutexGuard<'_, Stripe<K, V>> {
        // A 64-bit remainder by 16 always fits.
        let index = usize::try_from(self.hasher.hash_one(key) % STRIPES as u64).unwrap_or(0);
        let stripe = self.stripes.get(index).expect("the remainder is below the number of stripes");
        stripe.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash, V> Stripe<K, V> {
    fn add(&mut self, key: K, value: Arc<V>, generation_size: usize) {
        if self.young.len() >= generation_size {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

/// How many changes a stripe had seen.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(in crate::edge) struct Ticket(u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_reader_does_not_bring_back_the_past() {
        let cache = Cache::new(100, &Sharing::Alone);
        for change in ["put", "forget", "flush"] {
            let ticket = cache.ticket(&1);
            match change {
                "put" => cache.put(1, Arc::new("new")),
                "forget" => cache.forget(&1),
                _ => cache.flush(),
            }
            cache.install(ticket, &1, &Arc::new("past"));
            assert_ne!(cache.get(&1).as_deref(), Some(&"past"), "after {change}");
        }
        let ticket = cache.ticket(&1);
        cache.install(ticket, &1, &Arc::new("present"));
        assert_eq!(cache.get(&1).as_deref(), Some(&"present"));
    }

    #[test]
    fn among_nodes_only_readers_fill_it_and_only_while_changes_are_heard() {
        let hearing = Arc::new(Hearing::none());
        let cache = Cache::new(100, &Sharing::Nodes(Arc::clone(&hearing)));
        cache.install(cache.ticket(&1), &1, &Arc::new("read before anything is heard"));
        hearing.renew(Instant::now());
        assert_eq!(cache.get(&1), None);
        cache.install(cache.ticket(&1), &1, &Arc::new("read"));
        assert_eq!(cache.get(&1).as_deref(), Some(&"read"));
        assert!(hearing.end() && !hearing.end());
        assert_eq!(cache.get(&1), None);
        hearing.renew(Instant::now());
        let ticket = cache.ticket(&1);
        cache.put(1, Arc::new("committed, perhaps before another commit"));
        assert_eq!(cache.get(&1), None);
        cache.install(ticket, &1, &Arc::new("past"));
        assert_eq!(cache.get(&1), None);
    }

    /// A process that was stopped believes nothing until it has asked again.
    #[test]
    fn what_was_heard_long_ago_is_not_believed() {
        let hearing =
            Arc::new(Hearing { start: Instant::now().checked_sub(Duration::from_mins(1)).unwrap(), ..Hearing::none() });
        let cache = Cache::new(100, &Sharing::Nodes(Arc::clone(&hearing)));
        hearing.renew(Instant::now());
        cache.install(cache.ticket(&1), &1, &Arc::new("read"));
        assert_eq!(cache.get(&1).as_deref(), Some(&"read"));
        hearing.renew(Instant::now().checked_sub(Duration::from_secs(1)).unwrap());
        assert_eq!(cache.get(&1), None);
    }

    #[test]
    fn a_flood_is_bounded_and_spares_what_is_used() {
        let cache = Cache::new(1_000, &Sharing::Alone);
        cache.put(0, Arc::new(0));
        for key in 1..100_000 {
            cache.put(key, Arc::new(key));
            assert!(cache.get(&0).is_some(), "lost after {key}");
        }
        let held = (0..100_000).filter(|key| cache.get(key).is_some()).count();
        assert!(held <= 1_000, "{held}");
    }
}
