//! Symbolon: an OAuth 2.0 / OpenID Connect authorization server in one binary.
//!
//! The folders stand in the order of their ranks; a file imports its own folder and those above it in this list.
//! `tests/it/architecture.rs` holds it to that, and to one home for each package.
//!
//! # One request through the house
//! `GET /oauth2/authorize` comes in by `http/routes.rs`, is read by `http/oauth/authorize.rs`, meets its client in
//! `oauth/endpoint/authorize.rs`, becomes true in `protocol/authorization_request.rs`, passes the grant machine in
//! `oauth/grant/machine.rs`, and `oauth/interaction/next_step.rs` says what comes next: a page of `http/page/`, or a code
//! from `oauth/interaction/finish.rs`. `POST /oauth2/token` goes by `oauth/client_auth/`, `oauth/grant/` and
//! `oauth/token/issue.rs` to `edge/store/`, where single use is decided.

/// What the specifications say.
pub mod protocol;

/// What we remember, and how it may change.
pub mod model;

/// What we ask of the world.
pub mod edge;

/// Who the user is.
pub mod authn;

/// What a user does for themselves.
pub mod account;

/// What a client may have.
pub mod oauth;

/// What happens later.
pub mod jobs;

/// What operators do.
pub mod admin;

/// What browsers and clients see.
pub mod http;

/// How it is set.
pub mod config;

/// The demo app and the mailbox of a development server.
pub mod dev;

/// How it is put together.
pub mod app;

/// How it is started.
pub mod cli;
