//! The demo relying party: a web app on its own origin that signs people in at the server and shows every exchange raw.
//!
//! It is a client like any other: it knows the issuer, its own credentials and nothing else, and finds the rest by
//! discovery. Everything it remembers is in memory, under the cookie `symbolon_demo`. `client` speaks to the server in the words of `message`,
//! `check` decides what to believe, `exchange` keeps what went over the wire, `visit` remembers a browser, and
//! `sign_in`, `action` and `page` answer it; `told` hears the server itself. `/spa` is a second app without a server: one page and one script.
//!
//! To show one more exchange: a method of `Client`, a variant of `Action`, a button in `templates/dev/demo.html`.

mod action;
mod check;
mod client;
mod exchange;
mod failure;
mod message;
mod page;
mod provider;
mod sign_in;
mod signature;
#[cfg(test)]
mod tests;
mod told;
mod visit;
mod visitor;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};

use self::client::Client;
pub use self::client::ClientLogin;
use self::exchange::Courier;
use self::visit::Visits;
use crate::edge::clock::Clock;
use crate::edge::fetch::Fetch;
use crate::edge::random::Random;
use crate::edge::template::Templates;

/// What the demo is told.
#[derive(Clone, Debug)]
pub struct DemoSettings {
    /// The issuer it signs people in at.
    pub issuer: String,
    /// Its own origin, such as `http://localhost:8090`.
    pub origin: String,
    /// The page where the development server shows mail.
    pub mailbox: String,
    /// The API that its access tokens are for.
    pub audience: String,
    /// The client `demo-web`.
    pub web: ClientLogin,
    /// The client `demo-api`.
    pub api: ClientLogin,
    /// The id of the client `demo-spa`.
    pub spa: String,
}

/// What the demo needs of the world.
#[derive(Clone)]
pub struct DemoEdges {
    /// The way to the server.
    pub fetch: Arc<dyn Fetch>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub random: Arc<dyn Random>,
    /// The pages.
    pub templates: Arc<Templates>,
}

/// The demo app, shared by its requests.
#[derive(Clone)]
struct Demo(Arc<Parts>);

struct Parts {
    settings: DemoSettings,
    client: Client,
    visits: Visits,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    templates: Arc<Templates>,
}

/// Where the app is told that a session is over.
pub const BACKCHANNEL_LOGOUT: &str = "/backchannel-logout";

/// The largest form a page of ours sends is below 1 kB.
const MAX_BODY: usize = 16 * 1024;

/// The demo app, to be served on an origin of its own.
pub fn router(settings: DemoSettings, edges: DemoEdges) -> Router {
    let client = Client {
        issuer: settings.issuer.clone(),
        redirect_uri: format!("{}/callback", settings.origin),
        post_logout_redirect_uri: format!("{}/signed-out", settings.origin),
        audience: settings.audience.clone(),
        web: settings.web.clone(),
        api: settings.api.clone(),
        courier: Courier::new(edges.fetch),
    };
    let demo = Demo(Arc::new(Parts {
        settings,
        client,
        visits: Visits::default(),
        clock: edges.clock,
        random: edges.random,
        templates: edges.templates,
    }));
    Router::new()
        .route("/", get(page::home))
        .route("/sign-in", get(sign_in::begin))
        .route("/callback", get(sign_in::callback))
        .route("/do/{action}", post(action::act))
        .route("/clear", post(action::clear))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/signed-out", get(sign_in::signed_out))
        .route(BACKCHANNEL_LOGOUT, post(told::told))
        .route("/spa", get(page::spa))
        .route("/assets/{name}", get(page::asset))
        .fallback(page::not_found)
        .layer(middleware::from_fn_with_state(demo.clone(), visitor::guard))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(demo)
}
