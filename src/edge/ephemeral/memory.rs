//! The ephemeral store in memory: for `--ephemeral` and tests; a restart forgets it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use async_trait::async_trait;

use crate::edge::ephemeral::rate::Limiter;
use crate::edge::ephemeral::{Decision, EphemeralKey, EphemeralStore, Quota};
use crate::model::fault::Fault;
use crate::protocol::numeric_date::NumericDate;

/// Values by namespace and key.
///
/// Each namespace holds at most 32 MiB. In a flood the values that are nearest to their end make room for new ones, except
/// for the marks of `add_if_absent`: losing one would let a value be used twice, so new ones are refused instead.
#[derive(Default)]
pub struct MemoryStore {
    tables: RwLock<HashMap<&'static str, Arc<Mutex<Table>>>>,
    limiter: Limiter,
}

/// Bytes of keys and values in one namespace, with what it costs to keep them.
const CAPACITY: usize = 32 * 1024 * 1024;
/// Bytes that an entry costs beside key and value, as measured.
const OVERHEAD: usize = 200;

#[derive(Default)]
struct Table {
    entries: HashMap<Box<[u8]>, Entry>,
    order: BTreeSet<(NumericDate, Box<[u8]>)>,
    size: usize,
}

struct Entry {
    value: Vec<u8>,
    expires_at: NumericDate,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn table(&self, key: &EphemeralKey) -> Arc<Mutex<Table>> {
        if let Some(table) = self.tables.read().unwrap_or_else(PoisonError::into_inner).get(key.namespace()) {
            return Arc::clone(table);
        }
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(tables.entry(key.namespace()).or_default())
    }
}

fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Table {
    fn insert(&mut self, key: &[u8], value: Vec<u8>, expires_at: NumericDate) {
        self.remove(key);
        self.size += weight(key, &value);
        self.order.insert((expires_at, key.into()));
        self.entries.insert(key.into(), Entry { value, expires_at });
    }

    fn remove(&mut self, key: &[u8]) -> Option<Entry> {
        let (key, entry) = self.entries.remove_entry(key)?;
        self.size -= weight(&key, &entry.value);
        self.order.remove(&(entry.expires_at, key));
        Some(entry)
    }

    fn is_full(&self) -> bool {
        self.size > CAPACITY
    }

    /// Lets go of the entry that is nearest to its end.
    fn remove_first(&mut self) {
        if let Some((_, key)) = self.order.first().cloned() {
            self.remove(&key);
        }
    }

    /// Lets go of at most `limit` entries that have expired; returns how many went.
    fn clear(&mut self, now: NumericDate, limit: u64) -> u64 {
        let mut cleared = 0;
        while cleared < limit && self.order.first().is_some_and(|(expires_at, _)| expires_at.is_past(now)) {
            self.remove_first();
            cleared += 1;
        }
        cleared
    }
}

fn weight(key: &[u8], value: &[u8]) -> usize {
    OVERHEAD + 2 * key.len() + value.len()
}

/// How many expired entries a call clears away on its way: more than it adds, so that the rest cannot pile up.
const ON_THE_WAY: u64 = 4;

#[async_trait]
impl EphemeralStore for MemoryStore {
    async fn put(&self, key: &EphemeralKey, value: Vec<u8>, expires_at: NumericDate) -> Result<(), Fault> {
        let table = self.table(key);
        let mut table = lock(&table);
        table.insert(key.bytes(), value, expires_at);
        while table.is_full() {
            table.remove_first();
        }
        Ok(())
    }

    async fn get(&self, key: &EphemeralKey, now: NumericDate) -> Result<Option<Vec<u8>>, Fault> {
        let table = self.table(key);
        let mut table = lock(&table);
        table.clear(now, ON_THE_WAY);
        Ok(table
            .entries
            .get(key.bytes())
            .filter(|entry| !entry.expires_at.is_past(now))
            .map(|entry| entry.value.clone()))
    }

    async fn take(&self, key: &EphemeralKey, now: NumericDate) -> Result<Option<Vec<u8>>, Fault> {
        let table = self.table(key);
        let entry = lock(&table).remove(key.bytes());
        Ok(entry.filter(|entry| !entry.expires_at.is_past(now)).map(|entry| entry.value))
    }

    async fn replace(
        &self,
        key: &EphemeralKey,
        held: &[u8],
        value: Vec<u8>,
        expires_at: NumericDate,
    ) -> Result<bool, Fault> {
        let table = self.table(key);
        let mut table = lock(&table);
        if table.entries.get(key.bytes()).is_none_or(|entry| entry.value != held) {
            return Ok(false);
        }
        table.insert(key.bytes(), value, expires_at);
        Ok(true)
    }

    async fn add_if_absent(
        &self,
        key: &EphemeralKey,
        expires_at: NumericDate,
        now: NumericDate,
    ) -> Result<bool, Fault> {
        let table = self.table(key);
        let mut table = lock(&table);
        table.clear(now, ON_THE_WAY);
        if table.entries.get(key.bytes()).is_some_and(|entry| !entry.expires_at.is_past(now)) {
            return Ok(false);
        }
        if table.is_full() {
            return Err(Fault::unavailable("remember a value that is good once: too many are remembered"));
        }
        table.insert(key.bytes(), Vec::new(), expires_at);
        Ok(true)
    }

    async fn rate(&self, key: &EphemeralKey, quota: Quota, now: NumericDate) -> Result<Decision, Fault> {
        Ok(self.limiter.rate(key, quota, now))
    }

    async fn give_back(&self, key: &EphemeralKey, quota: Quota) -> Result<(), Fault> {
        self.limiter.give_back(key, quota);
        Ok(())
    }

    async fn clear_expired(&self, now: NumericDate, limit: u32) -> Result<u64, Fault> {
        let tables: Vec<_> = self.tables.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        let limit = u64::from(limit);
        Ok(tables.iter().fold(0, |cleared, table| cleared + lock(table).clear(now, limit - cleared)))
    }

    async fn ready(&self) -> Result<(), Fault> {
        Ok(())
    }

    async fn close(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_bounded_and_pushes_out_the_oldest() {
        let mut table = Table::default();
        for number in 0..100_000_u32 {
            let expires_at = NumericDate::from_seconds(i64::from(number));
            table.insert(&number.to_be_bytes(), vec![0; 1_000], expires_at);
            while table.is_full() {
                table.remove_first();
            }
        }
        assert!(table.size <= CAPACITY && table.entries.len() > 20_000, "{}", table.entries.len());
        assert!(table.entries.contains_key(99_999_u32.to_be_bytes().as_slice()));
        assert!(!table.entries.contains_key(0_u32.to_be_bytes().as_slice()));
        let held = table.entries.len() as u64;
        assert_eq!(table.clear(NumericDate::from_seconds(100_000), u64::MAX), held);
        assert_eq!((table.size, table.order.len()), (0, 0));
    }
}
