//! Time that a story moves, chance from a seed, and other servers that are a table.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use symbolon::edge::clock::Clock;
use symbolon::edge::fetch::{Fetch, FetchError, FetchPolicy};
use symbolon::edge::random::Random;
use symbolon::protocol::numeric_date::NumericDate;

/// When every story begins: in January 2027.
pub(crate) const BEGINNING: i64 = 1_800_000_000;

/// A clock that stands still until a story moves it.
#[derive(Debug)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn new() -> Self {
        Self(AtomicI64::new(BEGINNING))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_secs()).expect("a story is short"), Ordering::SeqCst);
    }

    /// A clock that was ahead, or that somebody corrects.
    pub(crate) fn set_back(&self, by: Duration) {
        self.0.fetch_sub(i64::try_from(by.as_secs()).expect("a story is short"), Ordering::SeqCst);
    }

    pub(crate) fn seconds(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Clock for TestClock {
    fn now(&self) -> NumericDate {
        NumericDate::from_seconds(self.seconds())
    }
}

/// Chance that is the same in every run.
#[derive(Debug)]
pub(crate) struct SeededRandom(Mutex<StdRng>);

impl SeededRandom {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}

/// Other servers: what each URL answers. Everything else cannot be reached.
#[derive(Debug, Default)]
pub(crate) struct TestWeb {
    documents: Mutex<HashMap<String, String>>,
}

impl TestWeb {
    pub(crate) fn publish(&self, url: &str, document: impl Into<String>) {
        self.documents.lock().expect("no story panics here").insert(url.to_owned(), document.into());
    }
}

#[async_trait]
impl Fetch for TestWeb {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        _policy: FetchPolicy,
    ) -> Result<http::Response<Bytes>, FetchError> {
        let url = request.uri().to_string();
        let document = self.documents.lock().expect("no story panics here").get(&url).cloned();
        let document = document.ok_or_else(|| FetchError::Unreachable(format!("nobody answers at {url}")))?;
        Ok(http::Response::new(Bytes::from(document)))
    }
}
