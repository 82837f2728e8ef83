//! The route table: every URL of the server on one page.
//!
//! `PROTOCOL.md` §1. What is ready beforehand (discovery, keys) is handed out at the front
//! door; it needs no name in the log and changes nothing. Everything stands below the path of the issuer.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use http::header::HeaderMap;

use crate::http::api::operation::{Group, SwitchedOff};
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
        .merge(
            challenge()
                .merge(pages().router(web.api.off()))
                .layer(from_fn_with_state(web.clone(), captcha::ask))
                .layer(limits),
        )
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

/// The pages, each with what it is switched off with (S-181): it is then as any page that there never was, and [`Web::has_page`] keeps
/// others from leading to it.
///
/// *What stays, whatever is off:* the pages that the protocol leads people to, since an app that asks for a sign-in has no other answer for
/// them: `/sign-in` with its password, passkey and second factor, the choice of an account, consent, `/device`, `/sign-out`. So
/// `endpoints.login` is about the API alone, where an app's own screens sign in. Beside them where a sign-in without an app arrives
/// (`/account`, as `GET /session` of the API), and what takes something back by a link of a mail that may be days old
/// (`/email-change/undo`, `/account/restore`, `/account/not-me`).
fn pages() -> Site {
    mailed_links(federation(Site::default()))
        .page(Group::Core, "/", get(page::home::show))
        .page(Group::Core, "/sign-in", get(page::sign_in::show).post(page::sign_in::submit))
        .page(Group::Core, "/sign-in/account", get(page::select_account::show).post(page::select_account::submit))
        .page(Group::Core, "/sign-in/passkey", post(page::passkey::submit))
        .page(Group::Mfa, "/sign-in/passkey/offer", get(page::passkey_offer::show).post(page::passkey_offer::submit))
        .page(Group::Mfa, "/.well-known/passkey-endpoints", get(page::passkey::endpoints))
        .page(Group::Me, "/.well-known/change-password", get(page::passkey::change_password))
        .page(Group::Otp, "/sign-in/email_code", get(page::sent_code::show).post(page::sent_code::submit))
        .page(Group::Magic, "/sign-in/magic_link", get(page::sent_code::show).post(page::sent_code::submit))
        .page(Group::Magic, "/sign-in/magic", get(page::magic_link::show).post(page::magic_link::submit))
        .page(Group::Otp, "/sign-in/sms_code", get(page::sent_code::show).post(page::sent_code::submit))
        .page(Group::Qr, "/sign-in/qr", get(page::qr::show).post(page::qr::submit))
        .page(Group::Qr, "/sign-in/qr/state", get(page::qr::state))
        .page(Group::Core, "/device", get(page::device::show).post(page::device::submit))
        .page(Group::Core, "/sign-in/second", get(page::second_factor::show).post(page::second_factor::submit))
        .page(Group::Core, "/sign-in/link", get(page::link::show).post(page::link::submit))
        .page(Group::Register, "/register", get(page::register::show).post(page::register::submit))
        .page(Group::Register, "/register/code", get(page::register::code::show).post(page::register::code::submit))
        .page(Group::ResetMail, "/recover", get(page::recover::show).post(page::recover::submit))
        .page(Group::ResetMail, "/recover/code", get(page::recover::show_code).post(page::recover::submit_code))
        .page(Group::Reset, "/recover/password", get(page::recover::show_password).post(page::recover::submit_password))
        .page(Group::Recovery, "/recover/email", get(page::recover::show).post(page::recover::submit))
        .page(Group::Recovery, "/recover/email/code", get(page::recover::show_code).post(page::recover::submit_code))
        .page(Group::Invitations, "/invitation", get(page::invitation::show).post(page::invitation::submit))
        .page(Group::Me, "/account/profile", get(page::profile::show).post(page::profile::submit))
        .page(Group::Me, "/account/contacts", get(page::profile::show_contacts).post(page::profile::submit_contacts))
        .page(Group::Me, "/account/password", get(page::account::password::show).post(page::account::password::submit))
        .page(Group::Me, "/account/data", get(page::profile::show_data).post(page::profile::submit_data))
        .page(Group::Core, "/consent", get(page::consent::show).post(page::consent::submit))
        .page(Group::Core, "/sign-out", post(page::logout::submit))
        .page(Group::Core, "/sign-in/again", get(page::again::show).post(page::again::submit))
        .page(Group::Core, "/account", get(page::account::overview::show))
        .page(Group::Core, "/account/not-me", get(page::mailed_link::show_not_me).post(page::mailed_link::deny))
        .page(Group::Mfa, "/account/security", get(page::account::security::show).post(page::account::security::submit))
        .page(Group::Me, "/account/apps", get(page::account::app::show))
        .page(Group::Me, "/account/apps/{client_id}/revoke", post(page::account::app::revoke))
        .page(Group::Me, "/account/sessions", get(page::account::session::show))
        .page(Group::Me, "/account/sessions/end-others", post(page::account::session::end_others))
        .page(Group::Me, "/account/sessions/{id}/end", post(page::account::session::end))
        .page(Group::Me, "/account/profile/picture", post(page::account::picture::submit))
        .page(
            Group::Invitations,
            "/account/invitations",
            get(page::account::invitation::show).post(page::account::invitation::submit),
        )
        .page(Group::Social, "/account/identities", get(page::account::identity::show))
        .page(Group::Social, "/account/identities/{slug}/connect", post(page::account::identity::connect))
        .page(Group::Social, "/account/identities/{slug}/cut", post(page::account::identity::cut))
        .page(Group::Me, "/account/history", get(page::account::history::show))
        .page(Group::Admin, "/admin", get(page::admin::show))
        .page(Group::Admin, "/admin/messages", post(page::admin::change_message))
        .page(Group::Core, "/docs/errors", get(page::error_docs::index))
        .page(Group::Core, "/docs/errors/{code}", get(page::error_docs::show))
        .page(Group::Core, "/avatars/{name}", get(page::avatar::show))
        .page(Group::Core, "/assets/{name}", get(static_file))
}

/// Links of mails: opening one changes nothing, its button does.
fn mailed_links(site: Site) -> Site {
    use page::mailed_link as link;
    site.page(Group::Activate, "/activate", get(link::show_activation).post(link::activate))
        .page(Group::Me, "/email-change", get(link::show_email_change).post(link::change_email))
        .page(Group::Core, "/email-change/undo", get(link::show_email_change_undo).post(link::undo_email_change))
        .page(Group::Core, "/account/restore", get(link::show_deletion_undo).post(link::undo_deletion))
        .page(Group::Me, "/account/export", get(link::show_export).post(link::take_export))
}

/// Signing in at other servers, there and back.
fn federation(site: Site) -> Site {
    use page::federation as there;
    site.page(Group::Social, "/federation/connect", get(there::connect::show).post(there::connect::submit))
        .page(Group::Social, "/federation/done", get(there::done))
        .page(Group::Social, "/federation/{slug}/start", get(there::start))
        .page(Group::Social, "/federation/{slug}/callback", get(there::arrive).post(there::put_aside))
        .page(Group::Social, "/federation/{slug}/backchannel-logout", post(there::left::handle))
}

/// Pages, as they are declared.
#[derive(Default)]
struct Site(Vec<(Group, &'static str, MethodRouter<Web>)>);

impl Site {
    /// With the page at `path`, which is switched off with `group`.
    fn page(mut self, group: Group, path: &'static str, route: MethodRouter<Web>) -> Self {
        self.0.push((group, path, route));
        self
    }

    /// The routes of those that are there.
    fn router(self, off: &SwitchedOff) -> Router<Web> {
        let there = self.0.into_iter().filter(|(group, ..)| off.allows(*group));
        there.fold(Router::new(), |router, (_, path, route)| router.route(path, closed(route)))
    }
}

static GROUPS: LazyLock<BTreeMap<&'static str, Group>> =
    LazyLock::new(|| pages().0.into_iter().map(|(group, path, _)| (path, group)).collect());

/// What the page at `path`, a route below that of the issuer, is switched off with; `None` where no page is.
pub fn group(path: &str) -> Option<Group> {
    GROUPS.get(path).copied()
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
