//! The browser that calls: request id, cookies, session, address.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::response::Response;
use http::Extensions;
use http::header::HeaderMap;
use http::request::Parts;

use crate::http::cookie::FlowCookie;
use crate::http::proxy::counted;
use crate::http::trace::TraceId;
use crate::http::web::{Web, user_agent};
use crate::model::event::Provenance;
use crate::model::fault::Fault;
use crate::oauth::interaction::Browser;
use crate::oauth::interaction::sign_in::session;
use crate::protocol::secret::{Secret, TokenHash};

/// What a page knows of its visitor.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The name of this request in the log.
    pub id: TraceId,
    /// The request's headers.
    pub headers: HeaderMap,
    /// The flow cookie.
    pub flow: Option<FlowCookie>,
    /// Session and flow as the protocol knows them.
    pub browser: Browser,
    /// Where it calls from, as limits count it.
    pub address: Caller,
    /// The mark that it carries, if any (`authn::device`).
    pub device: Option<Secret>,
}

/// Where a request comes from, as limits count it: behind trusted proxies the address that they saw.
#[derive(Clone, Debug, Default)]
pub struct Caller(pub String);

impl Caller {
    /// By what a request carries.
    pub fn of(extensions: &Extensions, headers: &HeaderMap, web: &Web) -> Self {
        let peer = extensions.get::<ConnectInfo<SocketAddr>>();
        let address = peer.map(|ConnectInfo(peer)| web.proxies.caller(peer.ip(), headers));
        Self(address.map(counted).unwrap_or_default())
    }
}

impl FromRequestParts<Web> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions, &parts.headers, web))
    }
}

/// Where a request comes from, as it is written down with what came of it.
#[derive(Clone, Debug, Default)]
pub struct FromWhere(pub Provenance);

impl FromWhere {
    fn of(parts: &Parts, web: &Web) -> Self {
        let id = parts.extensions.get::<TraceId>().copied().unwrap_or_default();
        let (Caller(address), user_agent) =
            (Caller::of(&parts.extensions, &parts.headers, web), user_agent(&parts.headers));
        Self(Provenance { address, user_agent, trace_id: id.to_string() })
    }
}

impl FromRequestParts<Web> for FromWhere {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Infallible> {
        Ok(Self::of(parts, web))
    }
}

impl Visitor {
    /// What the request says of itself; nobody is signed in yet.
    fn stranger(parts: &Parts, web: &Web) -> Self {
        let id = parts.extensions.get::<TraceId>().copied().unwrap_or_default();
        let flow = web.cookies.flow(&parts.headers);
        let FromWhere(provenance) = FromWhere::of(parts, web);
        let address = Caller(provenance.address.clone());
        let flow_hash = flow.as_ref().map(|flow| TokenHash::of(flow.0.expose()));
        let remembered = web.cookies.remembered(&parts.headers);
        let browser = Browser { session: None, flow: flow_hash, provenance, remembered };
        let device = web.cookies.device(&parts.headers);
        Self { id, headers: parts.headers.clone(), flow, browser, address, device }
    }

    /// The visitor with the session that its cookie names.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn of(parts: &Parts, web: &Web) -> Result<Self, Fault> {
        let mut visitor = Self::stranger(parts, web);
        if let Some(cookie) = web.cookies.session(&parts.headers) {
            visitor.browser.session = session(&web.provider, cookie.0.expose()).await?;
        }
        Ok(visitor)
    }
}

impl FromRequestParts<Web> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Response> {
        Self::of(parts, web).await.map_err(|fault| web.refuse(&Self::stranger(parts, web), &fault.into()))
    }
}
