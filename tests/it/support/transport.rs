//! A way to a server: in this process, or over a socket to another.

use async_trait::async_trait;
use axum::body::Body;
use http::Request;

use super::answer::Answer;

/// A server that answers requests.
#[async_trait]
pub(crate) trait Transport: Send + Sync {
    /// Sends a request for a path and reads the answer to its end.
    async fn send(&self, request: Request<Body>) -> Answer;

    /// Who the server is.
    fn issuer(&self) -> &str;

    /// The path of the issuer: what precedes every page.
    fn base(&self) -> &str;

    /// The moment on the server's clock, in seconds.
    fn now(&self) -> i64;
}
