//! `/recover`: a forgotten password or address, within the request of an app.
//!
//! Every identifier gets the same page. A link of the mail may be opened in another browser: it leads back to the app from there, too.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::account::AccountError;
use crate::account::reset::{ResetChannel, ResetProof};
use crate::edge::ephemeral::Namespace;
use crate::edge::template::context::account::{CodePage, FieldMistake, NewPassword, Notice, Recover};
use crate::http::captcha::{self, admit_widget};
use crate::http::error::PageError;
use crate::http::extract::params::{Form, Query};
use crate::http::extract::visitor::Visitor;
use crate::http::page::register::{note, refused};
use crate::http::page::{Place, fault_page, find, foreign_form};
use crate::http::security_header::admit_own_calls;
use crate::http::web::{Web, redirect, shown, way_back, with_cookies};
use crate::model::fault::Fault;
use crate::model::id::UserId;
use crate::oauth::interaction::Open;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::{Secret, TokenHash};

const UNDER_WAY: Namespace<UnderWay> = Namespace::new("recover_page");
const PASSWORD: &str = "recover-password";

/// A code that a browser waits for here.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct UnderWay {
    handle: Option<String>,
    address: String,
    expires_at: NumericDate,
}

/// What was forgotten.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum What {
    Password,
    Email,
}

impl What {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Email => "email",
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Password => "/recover",
            Self::Email => "/recover/email",
        }
    }

    const fn code_path(self) -> &'static str {
        match self {
            Self::Password => "/recover/code",
            Self::Email => "/recover/email/code",
        }
    }

    const fn other(self) -> Self {
        match self {
            Self::Password => Self::Email,
            Self::Email => Self::Password,
        }
    }
}

/// `GET /recover`
pub async fn show(State(web): State<Web>, visitor: Visitor, Query(query): Query) -> Response {
    begin_page(&web, &visitor, Place::of(&query), What::Password).await
}

/// `GET /recover/email`
pub async fn show_email(State(web): State<Web>, visitor: Visitor, Query(query): Query) -> Response {
    begin_page(&web, &visitor, Place::of(&query), What::Email).await
}

/// `POST /recover`
pub async fn submit(State(web): State<Web>, visitor: Visitor, Query(query): Query, Form(form): Form) -> Response {
    begin(&web, &visitor, (Place::of(&query), What::Password), &form).await
}

/// `POST /recover/email`
pub async fn submit_email(State(web): State<Web>, visitor: Visitor, Query(query): Query, Form(form): Form) -> Response {
    begin(&web, &visitor, (Place::of(&query), What::Email), &form).await
}

/// `GET /recover/code`
pub async fn show_code(State(web): State<Web>, visitor: Visitor, Query(query): Query) -> Response {
    waiting_page(&web, &visitor, Place::of(&query), What::Password).await
}

/// `GET /recover/email/code`
pub async fn show_email_code(State(web): State<Web>, visitor: Visitor, Query(query): Query) -> Response {
    waiting_page(&web, &visitor, Place::of(&query), What::Email).await
}

/// `POST /recover/code`
pub async fn submit_code(State(web): State<Web>, visitor: Visitor, Query(query): Query, Form(form): Form) -> Response {
    confirm(&web, &visitor, (Place::of(&query), What::Password), &form).await
}

/// `POST /recover/email/code`
pub async fn submit_email_code(
    State(web): State<Web>,
    visitor: Visitor,
    Query(query): Query,
    Form(form): Form,
) -> Response {
    confirm(&web, &visitor, (Place::of(&query), What::Email), &form).await
}

/// `GET /recover/password`: a link of a mail.
pub async fn show_password(State(web): State<Web>, visitor: Visitor, Query(query): Query) -> Response {
    let token = query.get("token").unwrap_or_default();
    match web.provider.accounts.can_reset(token).await {
        Ok(true) => password_page(&web, &visitor, token, Vec::new()),
        Ok(false) => link_over(&web, &visitor),
        Err(fault) => fault_page(&web, &visitor, fault),
    }
}

/// `POST /recover/password`
pub async fn submit_password(State(web): State<Web>, visitor: Visitor, Form(form): Form) -> Response {
    let token = form.get("token").unwrap_or_default();
    if let Err(error) = web.csrf.check(&visitor.headers, visitor.flow.as_ref(), PASSWORD, form.get("csrf")) {
        return foreign_form(&web, &visitor, error, web.path("/recover/password", &[("token", token)]));
    }
    let proof = ResetProof::Link(Secret::from(token));
    let password = Secret::from(form.get("password").unwrap_or_default());
    match web.provider.accounts.reset_password(&proof, (&password, None), &visitor.asking()).await {
        Ok(done) => {
            let place = Place { flow: done.flow, client_id: done.client_id };
            password_set(&web, &visitor, (&place, done.user)).await
        }
        Err(AccountError::Refused(_)) => link_over(&web, &visitor),
        Err(error) => {
            let (mut mistakes, mut whole) = (Vec::new(), None);
            match note(error, "password", (&mut mistakes, &mut whole)) {
                Ok(status) => refused(password_page(&web, &visitor, token, mistakes), status),
                Err(fault) => fault_page(&web, &visitor, fault),
            }
        }
    }
}

async fn begin_page(web: &Web, visitor: &Visitor, place: Place, what: What) -> Response {
    let open = match open(web, visitor, &place).await {
        Ok(open) => open,
        Err(response) => return *response,
    };
    form_page(web, visitor, (&place, open.as_ref(), what), Shown::default())
}

async fn begin(
    web: &Web,
    visitor: &Visitor,
    (place, what): (Place, What),
    form: &crate::protocol::params::Params,
) -> Response {
    let open = match open(web, visitor, &place).await {
        Ok(open) => open,
        Err(response) => return *response,
    };
    let purpose = purpose(&place, what);
    if let Err(error) = web.csrf.check(&visitor.headers, visitor.flow.as_ref(), &purpose, form.get("csrf")) {
        return foreign_form(web, visitor, error, place.path(web, what.path()));
    }
    let login = form.get("login").unwrap_or_default().trim().to_owned();
    let mut asking = visitor.asking();
    asking.flow.clone_from(&place.flow);
    asking.client = open.as_ref().map(|open| open.client.id.clone());
    let accounts = &web.provider.accounts;
    let begun = match what {
        What::Password if login.is_empty() => {
            Err(crate::account::Mistake::new("login", crate::account::Why::Required).into())
        }
        What::Password => {
            let channel =
                if form.get("channel") == Some("email_code") { ResetChannel::EmailCode } else { ResetChannel::Link };
            let begun = accounts.request_password_reset(&login, channel, &asking).await;
            begun.map(|begun| (begun.flow, begun.expires_in))
        }
        What::Email => {
            let begun = accounts.request_email_recovery(&login, &asking).await;
            begun.map(|begun| (Some(begun.flow), begun.expires_in))
        }
    };
    match begun {
        Ok((handle, expires_in)) => {
            let expires_at = web.provider.now().plus(std::time::Duration::from_secs(expires_in));
            let handle = handle.map(|handle| handle.expose().clone());
            let under_way = UnderWay { handle, address: login, expires_at };
            match keep(web, visitor, (&place, what), &under_way).await {
                Ok(()) => redirect(&place.path(web, what.code_path())),
                Err(fault) => fault_page(web, visitor, fault),
            }
        }
        Err(error) => {
            let mut shown = Shown { login, ..Shown::default() };
            match note(error, "login", (&mut shown.mistakes, &mut shown.error)) {
                Ok(status) => {
                    for mistake in &mut shown.mistakes {
                        // The page has one field, whatever it asks for.
                        "login".clone_into(&mut mistake.field);
                    }
                    refused(form_page(web, visitor, (&place, open.as_ref(), what), shown), status)
                }
                Err(fault) => fault_page(web, visitor, fault),
            }
        }
    }
}

async fn waiting_page(web: &Web, visitor: &Visitor, place: Place, what: What) -> Response {
    let open = match open(web, visitor, &place).await {
        Ok(open) => open,
        Err(response) => return *response,
    };
    match under_way(web, visitor, (&place, what)).await {
        Ok(Some(under_way)) => code_page(web, visitor, (&place, open.as_ref(), what), (&under_way, Shown::default())),
        Ok(None) => redirect(&place.path(web, what.path())),
        Err(fault) => fault_page(web, visitor, fault),
    }
}

async fn confirm(
    web: &Web,
    visitor: &Visitor,
    (place, what): (Place, What),
    form: &crate::protocol::params::Params,
) -> Response {
    let open = match open(web, visitor, &place).await {
        Ok(open) => open,
        Err(response) => return *response,
    };
    let purpose = purpose(&place, what);
    if let Err(error) = web.csrf.check(&visitor.headers, visitor.flow.as_ref(), &purpose, form.get("csrf")) {
        return foreign_form(web, visitor, error, place.path(web, what.code_path()));
    }
    let under_way = match under_way(web, visitor, (&place, what)).await {
        Ok(Some(under_way)) => under_way,
        Ok(None) => return redirect(&place.path(web, what.path())),
        Err(fault) => return fault_page(web, visitor, fault),
    };
    let (handle, code) = (under_way.handle.clone().unwrap_or_default(), form.get("code").unwrap_or_default());
    let accounts = &web.provider.accounts;
    let error = match what {
        What::Password => {
            let proof = ResetProof::Code { flow: Secret::new(handle), code: code.to_owned() };
            let password = Secret::from(form.get("password").unwrap_or_default());
            match accounts.reset_password(&proof, (&password, None), &visitor.asking()).await {
                Ok(done) => return password_set(web, visitor, (&place, done.user)).await,
                Err(error) => error,
            }
        }
        What::Email => match accounts.recover_emails(&handle, code, &visitor.asking()).await {
            Ok(lines) => return notice(web, visitor, (&place, open.as_ref()), ("emails", lines)),
            Err(error) => error,
        },
    };
    let mut shown = Shown::default();
    match note(error, "code", (&mut shown.mistakes, &mut shown.error)) {
        Ok(status) => refused(code_page(web, visitor, (&place, open.as_ref(), what), (&under_way, shown)), status),
        Err(fault) => fault_page(web, visitor, fault),
    }
}

/// The request that waits at `place`, if it names one.
async fn open(web: &Web, visitor: &Visitor, place: &Place) -> Result<Option<Open>, Box<Response>> {
    match place.flow {
        None => Ok(None),
        Some(_) => find(web, visitor, place).await.map(Some),
    }
}

/// What a form shows again.
#[derive(Default)]
struct Shown {
    login: String,
    mistakes: Vec<FieldMistake>,
    error: Option<String>,
}

fn form_page(
    web: &Web,
    visitor: &Visitor,
    (place, open, what): (&Place, Option<&Open>, What),
    state: Shown,
) -> Response {
    let (flow, cookie) = web.flow(visitor);
    let hint = open.and_then(|open| open.interaction.request.login_hint.clone()).filter(|_| what == What::Password);
    let context = Recover {
        what: what.as_str().to_owned(),
        action: place.path(web, what.path()),
        csrf: web.csrf.token(&flow, &purpose(place, what)),
        login: if state.login.is_empty() { hint.unwrap_or_default() } else { state.login },
        mistakes: state.mistakes,
        error: state.error,
        sign_in_uri: place.path_with(web, "/sign-in", &[("other", "1")]),
        other_uri: place.path(web, what.other().path()),
        captcha: web.captcha_widget(captcha::Place::Recovery),
        client: open.map(|open| shown(&open.client, open.interaction.request.return_path.redirect_uri())),
        back_uri: open.and_then(|open| way_back(&open.client, web.provider.issuer.as_str())).map(|back| back.uri),
    };
    let locales = open.map(|open| open.interaction.request.ui_locales.as_slice()).unwrap_or_default();
    let frame = web.pages.frame(visitor.id, &visitor.headers, locales);
    let mut response = web.pages.page("page/recover.html", &frame, &context);
    if context.captcha.is_some() {
        admit_widget(web, &mut response);
    }
    with_cookies(response, cookie)
}

fn code_page(
    web: &Web,
    visitor: &Visitor,
    (place, open, what): (&Place, Option<&Open>, What),
    (under_way, state): (&UnderWay, Shown),
) -> Response {
    if under_way.handle.is_none() {
        return reset_sent(web, visitor, (place, open), under_way);
    }
    let (flow, cookie) = web.flow(visitor);
    let context = CodePage {
        purpose: if what == What::Password { "reset" } else { "recovery" }.to_owned(),
        action: place.path(web, what.code_path()),
        csrf: web.csrf.token(&flow, &purpose(place, what)),
        address: under_way.address.clone(),
        asks_password: what == What::Password,
        username: None,
        resends: false,
        mistakes: state.mistakes,
        error: state.error,
        resent: false,
        again_uri: place.path(web, what.path()),
        client: open.map(|open| shown(&open.client, open.interaction.request.return_path.redirect_uri())),
        back_uri: open.and_then(|open| way_back(&open.client, web.provider.issuer.as_str())).map(|back| back.uri),
    };
    let locales = open.map(|open| open.interaction.request.ui_locales.as_slice()).unwrap_or_default();
    let frame = web.pages.frame(visitor.id, &visitor.headers, locales);
    let mut response = web.pages.page("page/code.html", &frame, &context);
    if context.asks_password {
        admit_own_calls(&mut response);
    }
    with_cookies(response, cookie)
}

fn reset_sent(web: &Web, visitor: &Visitor, (place, open): (&Place, Option<&Open>), under_way: &UnderWay) -> Response {
    let context = Notice {
        key: "reset_sent".to_owned(),
        address: Some(under_way.address.clone()),
        lines: Vec::new(),
        next_uri: place.path_with(web, "/sign-in", &[("other", "1")]),
        next: "sign_in".to_owned(),
        client: open.map(|open| shown(&open.client, open.interaction.request.return_path.redirect_uri())),
        back_uri: open.and_then(|open| way_back(&open.client, web.provider.issuer.as_str())).map(|back| back.uri),
    };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    web.pages.page("page/notice.html", &frame, &context)
}

fn notice(
    web: &Web,
    visitor: &Visitor,
    (place, open): (&Place, Option<&Open>),
    (key, lines): (&str, Vec<String>),
) -> Response {
    let context = Notice {
        key: key.to_owned(),
        address: None,
        lines,
        next_uri: place.path_with(web, "/sign-in", &[("other", "1")]),
        next: "sign_in".to_owned(),
        client: open.map(|open| shown(&open.client, open.interaction.request.return_path.redirect_uri())),
        back_uri: open.and_then(|open| way_back(&open.client, web.provider.issuer.as_str())).map(|back| back.uri),
    };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    web.pages.page("page/notice.html", &frame, &context)
}

/// The password is set: on to the sign-in, in the request it was for if this is still its browser. Everything of `user` has ended, a
/// session in this browser too.
async fn password_set(web: &Web, visitor: &Visitor, (place, user): (&Place, UserId)) -> Response {
    let open = open(web, visitor, place).await.ok().flatten();
    let place = if open.is_some() { place.clone() } else { Place { flow: None, client_id: place.client_id.clone() } };
    with_cookies(
        notice(web, visitor, (&place, open.as_ref()), ("password_set", Vec::new())),
        web.clear_session_of(visitor, user),
    )
}

fn password_page(web: &Web, visitor: &Visitor, token: &str, mistakes: Vec<FieldMistake>) -> Response {
    let (flow, cookie) = web.flow(visitor);
    let context = NewPassword {
        action: web.path("/recover/password", &[]),
        csrf: web.csrf.token(&flow, PASSWORD),
        token: token.to_owned(),
        mistakes,
    };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    let mut response = web.pages.page("page/new_password.html", &frame, &context);
    admit_own_calls(&mut response);
    with_cookies(response, cookie)
}

/// The page for a link that is used, over or unknown.
pub(super) fn link_over(web: &Web, visitor: &Visitor) -> Response {
    web.refuse(visitor, &PageError::new("link_used", StatusCode::GONE))
}

async fn keep(web: &Web, visitor: &Visitor, of: (&Place, What), under_way: &UnderWay) -> Result<(), Fault> {
    UNDER_WAY.put(&*web.provider.edges.ephemeral, key(visitor, of).as_bytes(), under_way, under_way.expires_at).await
}

async fn under_way(web: &Web, visitor: &Visitor, of: (&Place, What)) -> Result<Option<UnderWay>, Fault> {
    if visitor.flow.is_none() {
        return Ok(None);
    }
    UNDER_WAY.get(&*web.provider.edges.ephemeral, key(visitor, of).as_bytes(), web.provider.now()).await
}

fn key(visitor: &Visitor, (place, what): (&Place, What)) -> TokenHash {
    let browser = visitor.flow.as_ref().map(|flow| flow.0.expose().as_str()).unwrap_or_default();
    TokenHash::of(&format!("{} {browser} {}", what.as_str(), place.flow.as_deref().unwrap_or_default()))
}

fn purpose(place: &Place, what: What) -> String {
    format!("recover:{}:{}", what.as_str(), place.flow.as_deref().unwrap_or_default())
}
