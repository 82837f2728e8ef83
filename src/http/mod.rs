//! What browsers and clients see.
//!
//! Requests come in through `serve` (listeners, limits), `connection` (slow peers) and perhaps `tls`, pass `trace` (an id, the log,
//! panics) and the route table, are read by `extract`, and leave as JSON, a redirect or a page of `render`; `error` knows the three
//! faces of a refusal. `document` holds what is ready beforehand, `asset` the files of the pages; `health` and `operations` are what
//! operators ask, `request_log` what they read, `probe` what `doctor` sent. `cookie`, `token_cookie`, `csrf`, `cors`, `proxy` and `security_header`
//! keep browsers honest, `rate_limit` and `captcha` those who try too much; `api` is the account API. Endpoints are thin: they turn HTTP into a call below and its value into HTTP.
//! To add one: a file in `oauth/` or `page/`, and a line in `routes`; `api` says how one is added there.
//!
//! *Why limits stand in `connection` and not in hyper's timers:* those take a new timer for each request; one lazy timer for a
//! connection does the same work and tells an idle connection from a dripping one.

pub mod api;
mod asking;
pub mod asset;
pub mod captcha;
mod connection;
pub mod cookie;
pub mod cors;
pub mod csrf;
pub mod document;
pub mod error;
pub mod extract;
pub mod front;
pub mod gate;
pub mod health;
pub mod new_device;
pub mod oauth;
pub mod operations;
pub mod origins;
pub mod page;
pub mod probe;
pub mod proxy;
pub mod qr;
pub mod rate_limit;
pub mod refusals;
pub mod render;
pub mod request_log;
pub mod routes;
pub mod security_header;
pub mod serve;
pub mod tls;
pub mod token_cookie;
pub mod trace;
pub mod web;
