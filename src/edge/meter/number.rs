//! Numbers that many threads change at once, and families of them that differ by their labels.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// The most series of one family; what comes after them counts under `other`. A bound for mistakes, far above what is used.
const MAX_SERIES: usize = 2_000;

/// A number that grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

/// A number that goes up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

/// Durations, counted by size.
#[derive(Debug, Default)]
pub struct Histogram {
    /// How many fell into each of [`BOUNDS`], and above them.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
}

/// The upper bounds of what is counted together, in seconds: from an answer out of memory to one that nobody waits for.
pub(super) const BOUNDS: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Numbers of one name that differ by their labels.
pub struct Family<T> {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) labels: &'static [&'static str],
    series: RwLock<Vec<Series<T>>>,
}

pub(super) type Series<T> = (Box<[Box<str>]>, Arc<T>);

impl Counter {
    /// Grows by `number`.
    pub fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Gauge {
    /// Is `value` from now on.
    pub fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    /// Changes by `change`.
    pub fn add(&self, change: f64) {
        let changed = |bits| Some((f64::from_bits(bits) + change).to_bits());
        // The function never says no.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, changed);
    }

    pub(super) fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }
}

impl Histogram {
    /// Counts one duration.
    pub fn observe(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(BOUNDS.len());
        if let Some(bucket) = self.buckets.get(bucket) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.nanoseconds.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// How many were at most as long as each bound; the last is all of them.
    pub(super) fn cumulative(&self) -> impl Iterator<Item = u64> {
        self.buckets.iter().scan(0, |sum, bucket| {
            *sum += bucket.load(Ordering::Relaxed);
            Some(*sum)
        })
    }

    pub(super) fn sum(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed))
    }
}

impl<T: Default> Family<T> {
    /// A family without numbers yet.
    pub const fn new(name: &'static str, help: &'static str, labels: &'static [&'static str]) -> Self {
        Self { name, help, labels, series: RwLock::new(Vec::new()) }
    }

    /// The number with these values of the labels, in their order.
    pub fn with(&self, values: &[&str]) -> Arc<T> {
        debug_assert_eq!(values.len(), self.labels.len(), "{}", self.name);
        let found = find(&self.series.read().unwrap_or_else(PoisonError::into_inner), values);
        found.unwrap_or_else(|| {
            let mut series = self.series.write().unwrap_or_else(PoisonError::into_inner);
            // Another thread may have been faster.
            if let Some(found) = find(&series, values) {
                return found;
            }
            let is_full = series.len() >= MAX_SERIES;
            let values: Box<[Box<str>]> =
                values.iter().map(|value| if is_full { "other".into() } else { (*value).into() }).collect();
            let words: Vec<&str> = values.iter().map(AsRef::as_ref).collect();
            if let Some(found) = find(&series, &words) {
                return found;
            }
            let fresh = Arc::new(T::default());
            series.push((values, Arc::clone(&fresh)));
            fresh
        })
    }

    /// Forgets every number: for what is measured anew each time.
    pub fn clear(&self) {
        self.series.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(super) fn each(&self, mut visit: impl FnMut(&[Box<str>], &T)) {
        let series = self.series.read().unwrap_or_else(PoisonError::into_inner);
        series.iter().for_each(|(values, number)| visit(values, number));
    }
}

fn find<T>(series: &[Series<T>], values: &[&str]) -> Option<Arc<T>> {
    let same = |has: &[Box<str>]| has.iter().map(AsRef::as_ref).eq(values.iter().copied());
    series.iter().find(|(has, _)| same(has)).map(|(_, number)| Arc::clone(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_counted_by_size() {
        let histogram = Histogram::default();
        for milliseconds in [0, 1, 2, 70, 20_000] {
            histogram.observe(Duration::from_millis(milliseconds));
        }
        let counted: Vec<u64> = histogram.cumulative().collect();
        assert_eq!(counted, [1, 2, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 5]);
        assert_eq!(histogram.sum().as_millis(), 20_073);
    }

    #[test]
    fn a_family_is_bounded() {
        static FAMILY: Family<Counter> = Family::new("test", "", &["a"]);
        for number in 0..MAX_SERIES + 10 {
            FAMILY.with(&[&number.to_string()]).add(1);
        }
        let mut count = 0;
        FAMILY.each(|_, _| count += 1);
        assert_eq!(count, MAX_SERIES + 1);
        assert_eq!(FAMILY.with(&["other"]).get(), 10);
        assert_eq!(FAMILY.with(&["7"]).get(), 1);
    }
}
