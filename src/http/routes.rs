//! The route table: every URL of the server on one page.
//!
//! `PROTOCOL.md` §1. What is ready beforehand (discovery, keys) is handed out at the front
//! door; it needs no name in the log and changes nothing. Everything stands below the path of the issuer.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use http::header::HeaderMap;

use crate::http::document::Document;
use crate::http::extract::params::Segment;
use crate::http::front::Front;
use crate::http::health::Health;
use crate::http::trace::{Trace, TraceId};
use crate::http::web::Web;
use crate::http::{api, asset, captcha, oauth, page, rate_limit};

/// What the public address serves. `more` are routes of the same origin that stand beside ours (the development mailbox).
pub fn front(web: Web, trace: Trace, health: Health, more: Router) -> Front {
    let base = web.provider.issuer.path().to_owned();
    let documents = documents(&web);
    let limits = from_fn_with_state(web.clone(), rate_limit::limit);
    let layered = Router::new()
        .merge(protocol())
        .merge(challenge().merge(pages()).layer(from_fn_with_state(web.clone(), captcha::ask)).layer(limits))
        .merge(api::router(&web))
        .with_state(web.clone())
        .merge(health.public())
        .merge(more)
        .layer(trace.clone());
    let within = if base.is_empty() { layered } else { Router::new().nest(&base, layered) };
    let fallback = Router::new().fallback(not_found).with_state(web).layer(trace);
    Front::new(documents, within.fallback_service(fallback))
}

/// Discovery and keys. An issuer with a path has its metadata at every place where clients look (RFC 8414 §3.1, §5).
fn documents(web: &Web) -> Vec<(String, Document)> {
    let base = web.provider.issuer.path();
    let mut documents = vec![
        (format!("{base}/oauth2/jwks"), web.jwks.clone()),
        (format!("{base}/.well-known/openid-configuration"), web.discovery.clone()),
        (format!("/.well-known/oauth-authorization-server{base}"), web.discovery.clone()),
    ];
    if !base.is_empty() {
        documents.push((format!("/.well-known/openid-configuration{base}"), web.discovery.clone()));
        documents.push((format!("{base}/.well-known/oauth-authorization-server"), web.discovery.clone()));
    }
    documents
}

/// The protocol's endpoints. Clients are counted where they prove who they are, so no layer stands before them: it would cost as much as
/// some of the answers.
fn protocol() -> Router<Web> {
    Router::new()
        .route("/oauth2/authorize", closed(get(oauth::authorize::handle).post(oauth::authorize::handle)))
        .route("/oauth2/token", open(post(oauth::token::handle)))
        .route("/oauth2/device_authorization", open(post(oauth::device_authorization::handle)))
        .route("/oauth2/userinfo", open(get(oauth::userinfo::handle).post(oauth::userinfo::handle)))
        .route("/oauth2/introspect", open(post(oauth::introspect::handle)))
        .route("/oauth2/revoke", open(post(oauth::revoke::handle)))
        .route("/oauth2/register", open(post(oauth::register::create)))
        .route(
            "/oauth2/register/{client_id}",
            open(get(oauth::register::show).put(oauth::register::replace).delete(oauth::register::remove)),
        )
        .route("/oauth2/logout", closed(get(page::logout::end_session).post(page::logout::end_session)))
}

/// The one endpoint of the protocol at which people prove who they are.
fn challenge() -> Router<Web> {
    Router::new().route("/oauth2/challenge", open(post(oauth::challenge::handle)))
}

/// The pages.
fn pages() -> Router<Web> {
    Router::new()
        .route("/", closed(get(page::home::show)))
        .route("/sign-in", closed(get(page::sign_in::show).post(page::sign_in::submit)))
        .route("/sign-in/account", closed(get(page::select_account::show).post(page::select_account::submit)))
        .route("/sign-in/passkey", closed(post(page::passkey::submit)))
        .route("/sign-in/passkey/offer", closed(get(page::passkey_offer::show).post(page::passkey_offer::submit)))
        .route("/.well-known/passkey-endpoints", closed(get(page::passkey::endpoints)))
        .route("/.well-known/change-password", closed(get(page::passkey::change_password)))
        .route("/sign-in/email_code", closed(get(page::sent_code::show).post(page::sent_code::submit)))
        .route("/sign-in/magic_link", closed(get(page::sent_code::show).post(page::sent_code::submit)))
        .route("/sign-in/magic", closed(get(page::magic_link::show).post(page::magic_link::submit)))
        .route("/sign-in/sms_code", closed(get(page::sent_code::show).post(page::sent_code::submit)))
        .route("/sign-in/qr", closed(get(page::qr::show).post(page::qr::submit)))
        .route("/sign-in/qr/state", closed(get(page::qr::state)))
        .route("/device", closed(get(page::device::show).post(page::device::submit)))
        .route("/sign-in/second", closed(get(page::second_factor::show).post(page::second_factor::submit)))
        .route("/sign-in/link", closed(get(page::link::show).post(page::link::submit)))
        .route("/register", closed(get(page::register::show).post(page::register::submit)))
        .route("/register/code", closed(get(page::register::code::show).post(page::register::code::submit)))
        .route("/recover", closed(get(page::recover::show).post(page::recover::submit)))
        .route("/recover/code", closed(get(page::recover::show_code).post(page::recover::submit_code)))
        .route("/recover/password", closed(get(page::recover::show_password).post(page::recover::submit_password)))
        .route("/recover/email", closed(get(page::recover::show).post(page::recover::submit)))
        .route("/recover/email/code", closed(get(page::recover::show_code).post(page::recover::submit_code)))
        .route("/invitation", closed(get(page::invitation::show).post(page::invitation::submit)))
        .merge(mailed_links())
        .merge(federation())
        .route("/account/profile", closed(get(page::profile::show).post(page::profile::submit)))
        .route("/account/contacts", closed(get(page::profile::show_contacts).post(page::profile::submit_contacts)))
        .route("/account/password", closed(get(page::account::password::show).post(page::account::password::submit)))
        .route("/account/data", closed(get(page::profile::show_data).post(page::profile::submit_data)))
        .route("/consent", closed(get(page::consent::show).post(page::consent::submit)))
        .route("/sign-out", closed(post(page::logout::submit)))
        .route("/sign-in/again", closed(get(page::again::show).post(page::again::submit)))
        .route("/account", closed(get(page::account::overview::show)))
        .route("/account/not-me", closed(get(page::mailed_link::show_not_me).post(page::mailed_link::deny)))
        .route("/account/security", closed(get(page::account::security::show).post(page::account::security::submit)))
        .route("/account/apps", closed(get(page::account::app::show)))
        .route("/account/apps/{client_id}/revoke", closed(post(page::account::app::revoke)))
        .route("/account/sessions", closed(get(page::account::session::show)))
        .route("/account/sessions/end-others", closed(post(page::account::session::end_others)))
        .route("/account/sessions/{id}/end", closed(post(page::account::session::end)))
        .route("/account/profile/picture", closed(post(page::account::picture::submit)))
        .route(
            "/account/invitations",
            closed(get(page::account::invitation::show).post(page::account::invitation::submit)),
        )
        .route("/account/identities", closed(get(page::account::identity::show)))
        .route("/account/identities/{slug}/connect", closed(post(page::account::identity::connect)))
        .route("/account/identities/{slug}/cut", closed(post(page::account::identity::cut)))
        .route("/account/history", closed(get(page::account::history::show)))
        .route("/admin", closed(get(page::admin::show)))
        .route("/admin/messages", closed(post(page::admin::change_message)))
        .route("/docs/errors", closed(get(page::error_docs::index)))
        .route("/docs/errors/{code}", closed(get(page::error_docs::show)))
        .route("/avatars/{name}", closed(get(page::avatar::show)))
        .route("/assets/{name}", closed(get(static_file)))
}

/// Links of mails: opening one changes nothing, its button does.
fn mailed_links() -> Router<Web> {
    use page::mailed_link as link;
    Router::new()
        .route("/activate", closed(get(link::show_activation).post(link::activate)))
        .route("/email-change", closed(get(link::show_email_change).post(link::change_email)))
        .route("/email-change/undo", closed(get(link::show_email_change_undo).post(link::undo_email_change)))
        .route("/account/restore", closed(get(link::show_deletion_undo).post(link::undo_deletion)))
        .route("/account/export", closed(get(link::show_export).post(link::take_export)))
}

/// Signing in at other servers, there and back.
fn federation() -> Router<Web> {
    use page::federation as there;
    Router::new()
        .route("/federation/connect", closed(get(there::connect::show).post(there::connect::submit)))
        .route("/federation/done", closed(get(there::done)))
        .route("/federation/{slug}/start", closed(get(there::start)))
        .route("/federation/{slug}/callback", closed(get(there::arrive).post(there::put_aside)))
        .route("/federation/{slug}/backchannel-logout", closed(post(there::left::handle)))
}

/// A route that scripts of other origins may call.
fn open(route: MethodRouter<Web>) -> MethodRouter<Web> {
    closed(route.options(oauth::preflight))
}

/// A route for browsers; another method gets a page, not an empty answer.
fn closed(route: MethodRouter<Web>) -> MethodRouter<Web> {
    route.fallback(method_not_allowed)
}

async fn static_file(State(web): State<Web>, id: TraceId, Segment(name): Segment, headers: HeaderMap) -> Response {
    asset::answer(web.pages.templates(), &name).unwrap_or_else(|| web.pages.not_found(id, &headers))
}

async fn method_not_allowed(State(web): State<Web>, id: TraceId, headers: HeaderMap) -> Response {
    web.pages.method_not_allowed(id, &headers)
}

async fn not_found(State(web): State<Web>, id: TraceId, request: Request) -> Response {
    web.pages.not_found(id, request.headers())
}
