//! The front door: documents that are ready are handed out before a request is routed.
//!
//! *Why:* discovery and keys are what every relying party and resource server asks for. Routing, and the map that axum puts
//! beside each request for it, cost as much as the whole answer; a comparison of two paths does not.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use arc_swap::{ArcSwap, Cache};
use axum::Router;
use axum::body::{Bytes, HttpBody};
use axum::extract::ConnectInfo;
use axum::response::{IntoResponse as _, Response};
use axum::routing::future::RouteFuture;
use futures_util::future::Either;
use http::{Request, StatusCode};
use tower::Service;

use crate::edge::meter;
use crate::http::document::Document;
use crate::http::gate::Peer;
use crate::http::proxy::Proxies;

/// What one address serves. Clones share it, also when it is replaced.
#[derive(Clone)]
pub struct Front(Arc<ArcSwap<Served>>);

struct Served {
    documents: Vec<(Document, Arc<meter::Route>)>,
    router: Router,
    proxies: Proxies,
}

impl Front {
    /// `documents` by path; everything else goes to `router`, which gets `ConnectInfo<SocketAddr>`.
    pub fn new(documents: Vec<(String, Document)>, router: Router) -> Self {
        let documents = documents.into_iter().map(|(path, document)| (document, Arc::new(meter::Route::new(&path))));
        let served = Served { documents: documents.collect(), router, proxies: Proxies::default() };
        Self(Arc::new(ArcSwap::from_pointee(served)))
    }

    /// Only for peers that `proxies` admit (S-126).
    #[must_use]
    pub fn behind(self, proxies: Proxies) -> Self {
        let served = self.0.load_full();
        let (documents, router) = (served.documents.clone(), served.router.clone());
        Self(Arc::new(ArcSwap::from_pointee(Served { documents, router, proxies })))
    }

    /// Serves what `other` serves, from the next request on, also on connections that are open.
    pub fn replace(&self, other: &Self) {
        self.0.store(other.0.load_full());
    }

    /// With another router made of this one; the documents stay in front of it.
    #[must_use]
    pub fn map_router(self, change: impl FnOnce(Router) -> Router) -> Self {
        let served = self.0.load_full();
        let (documents, router) = (served.documents.clone(), change(served.router.clone()));
        let proxies = served.proxies.clone();
        Self(Arc::new(ArcSwap::from_pointee(Served { documents, router, proxies })))
    }
}

impl From<Router> for Front {
    fn from(router: Router) -> Self {
        Self::new(Vec::new(), router)
    }
}

/// A new connection.
impl Service<Peer> for Front {
    type Response = Visit;
    type Error = Infallible;
    type Future = Ready<Result<Visit, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, peer: Peer) -> Self::Future {
        ready(Ok(Visit { front: Cache::new(Arc::clone(&self.0)), peer: peer.0 }))
    }
}

/// One connection.
#[derive(Clone)]
pub struct Visit {
    /// Compares one pointer for each request.
    front: Cache<Arc<ArcSwap<Served>>, Arc<Served>>,
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
        let served = self.front.load();
        if !served.proxies.admits(self.peer.ip()) {
            return Either::Left(ready(Ok(StatusCode::FORBIDDEN.into_response())));
        }
        let path = request.uri().path();
        if let Some((document, meter)) = served.documents.iter().find(|(_, route)| route.name() == path) {
            let answer = document.answer(request.method(), request.headers());
            meter.count(request.method().as_str(), answer.status().as_u16());
            return Either::Left(ready(Ok(answer)));
        }
        request.extensions_mut().insert(ConnectInfo(self.peer));
        Either::Right(served.router.clone().call(request))
    }
}
