//! The numbers of one route, found once: what a request costs to count is two additions.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::number::{Counter, Histogram};
use super::{HTTP_DURATION, HTTP_REQUESTS};

/// Methods of requests; whatever else comes counts as `other`.
const METHODS: [&str; 8] = ["GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "other"];
/// Statuses that we answer with; whatever else comes counts as `other`, the last.
const CODES: [u16; 23] =
    [200, 201, 202, 204, 302, 303, 304, 400, 401, 403, 404, 405, 406, 409, 410, 413, 415, 422, 429, 431, 500, 501, 503];
const PLACES: usize = METHODS.len() * (CODES.len() + 1);

/// One route, by its template.
#[derive(Debug)]
pub struct Route {
    name: Box<str>,
    duration: Arc<Histogram>,
    counts: Box<[OnceLock<Arc<Counter>>]>,
}

impl Route {
    /// The route whose template is `name`.
    pub fn new(name: &str) -> Self {
        let counts = std::iter::repeat_with(OnceLock::new).take(PLACES).collect();
        Self { name: name.into(), duration: HTTP_DURATION.with(&[name]), counts }
    }

    /// Its template.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Counts an answer that took so long.
    pub fn answered(&self, method: &str, code: u16, took: Duration) {
        self.count(method, code);
        self.duration.observe(took);
    }

    /// Counts an answer that was ready before it was asked for.
    pub fn count(&self, method: &str, code: u16) {
        let method = METHODS.iter().position(|known| *known == method).unwrap_or(METHODS.len() - 1);
        let code = CODES.iter().position(|known| *known == code).unwrap_or(CODES.len());
        if let Some(count) = self.counts.get(method * (CODES.len() + 1) + code) {
            count.get_or_init(|| self.resolve(method, code)).add(1);
        }
    }

    fn resolve(&self, method: usize, code: usize) -> Arc<Counter> {
        let code = CODES.get(code).map_or_else(|| "other".to_owned(), u16::to_string);
        HTTP_REQUESTS.with(&[&self.name, METHODS.get(method).copied().unwrap_or("other"), &code])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unknown_counts_as_other() {
        let route = Route::new("/a/{b}");
        for (method, code) in [("GET", 200), ("GET", 200), ("BREW", 418)] {
            route.answered(method, code, Duration::ZERO);
        }
        assert_eq!(HTTP_REQUESTS.with(&["/a/{b}", "GET", "200"]).get(), 2);
        assert_eq!(HTTP_REQUESTS.with(&["/a/{b}", "other", "other"]).get(), 1);
        assert_eq!(HTTP_DURATION.with(&["/a/{b}"]).cumulative().last(), Some(3));
    }
}
