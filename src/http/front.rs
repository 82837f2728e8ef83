//! The front door: documents that are ready are handed out before a request is routed.
//!
//! *Why:* discovery and keys are what every relying party and resource server asks for. Routing, and the map that axum puts
//! beside each request for it, cost as much as the whole answer; a comparison of two paths does not.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Bytes, HttpBody};
use axum::extract::ConnectInfo;
use axum::response::{IntoResponse as _, Response};
use axum::routing::future::RouteFuture;
use futures_util::future::Either;
use http::{Request, StatusCode};
use tower::Service;

use crate::http::document::Document;
use crate::http::proxy::Proxies;

/// What one address serves. Clones share it.
#[derive(Clone)]
pub struct Front {
    documents: Arc<[(String, Document)]>,
    router: Router,
    proxies: Arc<Proxies>,
}

impl Front {
    /// `documents` by path; everything else goes to `router`, which gets `ConnectInfo<SocketAddr>`.
    pub fn new(documents: Vec<(String, Document)>, router: Router) -> Self {
        Self { documents: documents.into(), router, proxies: Arc::default() }
    }

    /// Only for peers that `proxies` admit (S-126, strict).
    #[must_use]
    pub fn behind(self, proxies: Proxies) -> Self {
        Self { proxies: Arc::new(proxies), ..self }
    }

    /// With another router made of this one; the documents stay in front of it.
    #[must_use]
    pub fn map_router(self, change: impl FnOnce(Router) -> Router) -> Self {
        Self { router: change(self.router), ..self }
    }
}

impl From<Router> for Front {
    fn from(router: Router) -> Self {
        Self::new(Vec::new(), router)
    }
}

/// A new connection.
impl Service<SocketAddr> for Front {
    type Response = Visit;
    type Error = Infallible;
    type Future = Ready<Result<Visit, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, peer: SocketAddr) -> Self::Future {
        ready(Ok(Visit { front: self.clone(), peer }))
    }
}

/// One connection.
#[derive(Clone)]
pub struct Visit {
    front: Front,
    peer: SocketAddr,
}

impl<B> Service<Request<B>> for Visit
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<Ready<Result<Response, Infallible>>, RouteFuture<Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if !self.front.proxies.admits(self.peer.ip()) {
            return Either::Left(ready(Ok(StatusCode::FORBIDDEN.into_response())));
        }
        let path = request.uri().path();
        if let Some((_, document)) = self.front.documents.iter().find(|(ready, _)| ready == path) {
            return Either::Left(ready(Ok(document.answer(request.method(), request.headers()))));
        }
        request.extensions_mut().insert(ConnectInfo(self.peer));
        Either::Right(self.front.router.call(request))
    }
}
