//! Time that a story moves, chance from a seed, and other servers that are a table.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
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

/// Another server that thinks about its answers.
pub(crate) trait Site: Send + Sync {
    /// Its answer; none: it takes too long.
    fn answer(&self, request: &http::Request<Bytes>) -> Option<http::Response<Bytes>>;
}

/// Other servers: what each URL answers. Everything else cannot be reached.
#[derive(Default)]
pub(crate) struct TestWeb {
    documents: Mutex<HashMap<String, String>>,
    sites: Mutex<HashMap<String, Arc<dyn Site>>>,
}

impl TestWeb {
    pub(crate) fn publish(&self, url: &str, document: impl Into<String>) {
        self.documents.lock().expect("no story panics here").insert(url.to_owned(), document.into());
    }

    /// From now on `site` answers at `origin`.
    pub(crate) fn open(&self, origin: &str, site: Arc<dyn Site>) {
        self.sites.lock().expect("no story panics here").insert(origin.to_owned(), site);
    }
}

#[async_trait]
impl Fetch for TestWeb {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        policy: FetchPolicy,
    ) -> Result<http::Response<Bytes>, FetchError> {
        let url = request.uri().to_string();
        let origin = url::Url::parse(&url).expect("an absolute URL").origin().ascii_serialization();
        let site = self.sites.lock().expect("no story panics here").get(&origin).cloned();
        if let Some(site) = site {
            let answer = site.answer(&request).ok_or(FetchError::TimedOut(policy.timeout))?;
            return if answer.body().len() > policy.max_bytes {
                Err(FetchError::TooLarge(policy.max_bytes))
            } else {
                Ok(answer)
            };
        }
        let document = self.documents.lock().expect("no story panics here").get(&url).cloned();
        let document = document.ok_or_else(|| FetchError::Unreachable(format!("nobody answers at {url}")))?;
        Ok(http::Response::new(Bytes::from(document)))
    }
}
