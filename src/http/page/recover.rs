//! `/recover`: a forgotten password or address, within the request of an app.
//!
//! Every identifier gets the same page. A link of the mail may be opened in another browser: it leads back to the app from there, too.

use axum::extract::{OriginalUri, State};
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::account::intruder::WentAway;
use crate::account::reset::{ResetChannel, ResetProof};
use crate::account::{AccountError, Mistake, Why};
use crate::edge::ephemeral::Namespace;
use crate::edge::template::context::account::{CodePage, FieldMistake, Gone, NewPassword, Recover};
use crate::http::captcha::{self, admit_widget};
use crate::http::error::PageError;
use crate::http::extract::params::{Form, Query};
use crate::http::extract::visitor::Visitor;
use crate::http::page::mistake::{note, refused};
use crate::http::page::scene::{Instead, Scene, either};
use crate::http::page::{Place, fault_page, foreign_form};
use crate::http::security_header::admit_own_calls;
use crate::http::web::{Web, with_cookies};
use crate::model::fault::Fault;
use crate::model::id::UserId;
use crate::model::user::IdentifierKind;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::params::Params;
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
    /// What the page at `path` is about: the routes are those of the two.
    fn at(path: &str) -> Self {
        let is_of_email = [Self::Email.path(), Self::Email.code_path()].iter().any(|page| path.ends_with(page));
        if is_of_email { Self::Email } else { Self::Password }
    }

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

    /// What the forms of its pages are for, in one request.
    fn purpose(self, scene: &Scene<'_>) -> String {
        format!("recover:{}:{}", self.as_str(), scene.place.flow.as_deref().unwrap_or_default())
    }
}

/// `GET /recover`, `GET /recover/email`
pub async fn show(
    State(web): State<Web>,
    visitor: Visitor,
    OriginalUri(uri): OriginalUri,
    Query(query): Query,
) -> Response {
    either(begin_page(&web, &visitor, (Place::of(&query), What::at(uri.path()))).await)
}

/// `POST /recover`, `POST /recover/email`
pub async fn submit(
    State(web): State<Web>,
    visitor: Visitor,
    (OriginalUri(uri), Query(query)): (OriginalUri, Query),
    Form(form): Form,
) -> Response {
    either(begin(&web, &visitor, (Place::of(&query), What::at(uri.path())), &form).await)
}

/// `GET /recover/code`, `GET /recover/email/code`
pub async fn show_code(
    State(web): State<Web>,
    visitor: Visitor,
    OriginalUri(uri): OriginalUri,
    Query(query): Query,
) -> Response {
    either(waiting_page(&web, &visitor, (Place::of(&query), What::at(uri.path()))).await)
}

/// `POST /recover/code`, `POST /recover/email/code`
pub async fn submit_code(
    State(web): State<Web>,
    visitor: Visitor,
    (OriginalUri(uri), Query(query)): (OriginalUri, Query),
    Form(form): Form,
) -> Response {
    either(confirm(&web, &visitor, (Place::of(&query), What::at(uri.path())), &form).await)
}

/// `GET /recover/password`: a link of a mail.
pub async fn show_password(State(web): State<Web>, visitor: Visitor, Query(query): Query) -> Response {
    let token = query.get("token").unwrap_or_default();
    match web.provider.accounts.reset_link_of(token).await {
        Ok(Some(gone)) => password_page(&web, &visitor, (token, &gone), Vec::new()),
        Ok(None) => link_over(&web, &visitor),
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
    let (password, again) = typed(&form);
    match web.provider.accounts.reset_password(&proof, (&password, again.as_ref()), &visitor.asking()).await {
        Ok(done) => {
            // In the request it was for if this is still its browser.
            let within = Place { flow: done.flow, client_id: done.client_id };
            let alone = Place { flow: None, client_id: within.client_id.clone() };
            match Scene::of(&web, &visitor, within).await {
                Ok(scene) => password_set(&scene, done.user),
                Err(_) => either(Scene::of(&web, &visitor, alone).await.map(|scene| password_set(&scene, done.user))),
            }
        }
        Err(AccountError::Refused(_)) => link_over(&web, &visitor),
        Err(error) => {
            let (mut mistakes, mut whole) = (Vec::new(), None);
            match note(error, "password", (&mut mistakes, &mut whole)) {
                Ok(status) => refused(password_page(&web, &visitor, (token, &WentAway::default()), mistakes), status),
                Err(fault) => fault_page(&web, &visitor, fault),
            }
        }
    }
}

/// The new password of a form, and the same once more where a theme asks for it twice (S-030).
fn typed(form: &Params) -> (Secret, Option<Secret>) {
    (Secret::from(form.get("password").unwrap_or_default()), form.get("confirm_password").map(Secret::from))
}

async fn begin_page(web: &Web, visitor: &Visitor, (place, what): (Place, What)) -> Result<Response, Instead> {
    Ok(form_page(&Scene::of(web, visitor, place).await?, what, Shown::default()))
}

async fn begin(web: &Web, visitor: &Visitor, (place, what): (Place, What), form: &Params) -> Result<Response, Instead> {
    let scene = Scene::of(web, visitor, place).await?;
    scene.check((&what.purpose(&scene), what.path()), form)?;
    let login = form.get("login").unwrap_or_default().trim().to_owned();
    let (accounts, asking) = (&web.provider.accounts, scene.asking());
    let begun = match what {
        What::Password if login.is_empty() => Err(Mistake::new("login", Why::Required).into()),
        What::Password => {
            let channel = match form.get("channel") {
                Some("email_code") => ResetChannel::EmailCode,
                Some("sms_code") => ResetChannel::SmsCode,
                _ => ResetChannel::Link,
            };
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
            keep(&scene, what, &UnderWay { handle, address: login, expires_at }).await?;
            Ok(scene.redirect(what.code_path()))
        }
        Err(error) => {
            let mut shown = Shown { login, ..Shown::default() };
            let noted = note(error, "login", (&mut shown.mistakes, &mut shown.error));
            let status = noted.map_err(|fault| scene.fault(fault))?;
            for mistake in &mut shown.mistakes {
                // The page has one field, whatever it asks for.
                "login".clone_into(&mut mistake.field);
            }
            Ok(refused(form_page(&scene, what, shown), status))
        }
    }
}

async fn waiting_page(web: &Web, visitor: &Visitor, (place, what): (Place, What)) -> Result<Response, Instead> {
    let scene = Scene::of(web, visitor, place).await?;
    Ok(match under_way(&scene, what).await? {
        Some(under_way) => code_page(&scene, what, (&under_way, Shown::default())),
        None => scene.redirect(what.path()),
    })
}

async fn confirm(
    web: &Web,
    visitor: &Visitor,
    (place, what): (Place, What),
    form: &Params,
) -> Result<Response, Instead> {
    let scene = Scene::of(web, visitor, place).await?;
    scene.check((&what.purpose(&scene), what.code_path()), form)?;
    let Some(under_way) = under_way(&scene, what).await? else { return Ok(scene.redirect(what.path())) };
    let (handle, code) = (under_way.handle.clone().unwrap_or_default(), form.get("code").unwrap_or_default());
    let (accounts, asking) = (&web.provider.accounts, scene.asking());
    let error = match what {
        What::Password => {
            let proof = ResetProof::Code { flow: Secret::new(handle), code: code.to_owned() };
            let (password, again) = typed(form);
            match accounts.reset_password(&proof, (&password, again.as_ref()), &asking).await {
                Ok(done) => return Ok(password_set(&scene, done.user)),
                Err(error) => error,
            }
        }
        What::Email => match accounts.recover_emails(&handle, code, &asking).await {
            Ok(lines) => return Ok(scene.notice("emails", (None, lines))),
            Err(error) => error,
        },
    };
    let mut shown = Shown::default();
    let noted = note(error, "code", (&mut shown.mistakes, &mut shown.error));
    let status = noted.map_err(|fault| scene.fault(fault))?;
    Ok(refused(code_page(&scene, what, (&under_way, shown)), status))
}

/// What a form shows again.
#[derive(Default)]
struct Shown {
    login: String,
    mistakes: Vec<FieldMistake>,
    error: Option<String>,
}

fn form_page(scene: &Scene<'_>, what: What, state: Shown) -> Response {
    let web = scene.web;
    let (flow, cookie) = web.flow(scene.visitor);
    let hint = scene.open.as_ref().and_then(|open| open.interaction.request.login_hint.clone());
    let hint = hint.filter(|_| what == What::Password);
    let context = Recover {
        what: what.as_str().to_owned(),
        action: scene.path(what.path()),
        csrf: web.csrf.token(&flow, &what.purpose(scene)),
        login: if state.login.is_empty() { hint.unwrap_or_default() } else { state.login },
        by_phone: web.provider.accounts.settings.reached_by.contains(&IdentifierKind::Phone),
        mistakes: state.mistakes,
        error: state.error,
        sign_in_uri: scene.sign_in_uri(),
        other_uri: web.has_page(what.other().path()).then(|| scene.path(what.other().path())),
        captcha: web.captcha_widget(captcha::Place::Recovery),
        client: scene.client(),
        back_uri: scene.back_uri(),
    };
    let mut response = web.pages.page("page/recover.html", &scene.frame(), &context);
    if context.captcha.is_some() {
        admit_widget(web, &mut response);
    }
    with_cookies(response, cookie)
}

fn code_page(scene: &Scene<'_>, what: What, (under_way, state): (&UnderWay, Shown)) -> Response {
    if under_way.handle.is_none() {
        return scene.notice("reset_sent", (Some(&under_way.address), Vec::new()));
    }
    let web = scene.web;
    let (flow, cookie) = web.flow(scene.visitor);
    let context = CodePage {
        purpose: if what == What::Password { "reset" } else { "recovery" }.to_owned(),
        action: scene.path(what.code_path()),
        csrf: web.csrf.token(&flow, &what.purpose(scene)),
        address: under_way.address.clone(),
        asks_password: what == What::Password,
        username: None,
        resends: false,
        mistakes: state.mistakes,
        error: state.error,
        resent: false,
        again_uri: scene.path(what.path()),
        client: scene.client(),
        back_uri: scene.back_uri(),
    };
    let mut response = web.pages.page("page/code.html", &scene.frame(), &context);
    if context.asks_password {
        admit_own_calls(&mut response);
    }
    with_cookies(response, cookie)
}

/// The password is set: on to the sign-in. Everything of `user` has ended, a session in this browser too.
fn password_set(scene: &Scene<'_>, user: UserId) -> Response {
    let notice = scene.notice("password_set", (None, Vec::new()));
    with_cookies(notice, scene.web.clear_session_of(scene.visitor, user))
}

fn password_page(
    web: &Web,
    visitor: &Visitor,
    (token, gone): (&str, &WentAway),
    mistakes: Vec<FieldMistake>,
) -> Response {
    let (flow, cookie) = web.flow(visitor);
    let context = NewPassword {
        action: web.path("/recover/password", &[]),
        csrf: web.csrf.token(&flow, PASSWORD),
        token: token.to_owned(),
        gone: shown_gone(gone),
        mistakes,
    };
    let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
    let mut response = web.pages.page("page/new_password.html", &frame, &context);
    admit_own_calls(&mut response);
    with_cookies(response, cookie)
}

/// What somebody else had set up and is gone, as pages tell it.
pub(super) fn shown_gone(gone: &WentAway) -> Vec<Gone> {
    gone.iter().map(|(what, count)| Gone { what: what.to_owned(), count }).collect()
}

/// The page for a link that is used, over or unknown.
pub(super) fn link_over(web: &Web, visitor: &Visitor) -> Response {
    web.refuse(visitor, &PageError::new("link_used", StatusCode::GONE))
}

async fn keep(scene: &Scene<'_>, what: What, under_way: &UnderWay) -> Result<(), Instead> {
    let ephemeral = &*scene.web.provider.edges.ephemeral;
    let kept = UNDER_WAY.put(ephemeral, key(scene, what).as_bytes(), under_way, under_way.expires_at).await;
    kept.map_err(|fault: Fault| scene.fault(fault))
}

async fn under_way(scene: &Scene<'_>, what: What) -> Result<Option<UnderWay>, Instead> {
    if scene.visitor.flow.is_none() {
        return Ok(None);
    }
    let provider = &scene.web.provider;
    let found = UNDER_WAY.get(&*provider.edges.ephemeral, key(scene, what).as_bytes(), provider.now()).await;
    found.map_err(|fault| scene.fault(fault))
}

fn key(scene: &Scene<'_>, what: What) -> TokenHash {
    let browser = scene.visitor.flow.as_ref().map(|flow| flow.0.expose().as_str()).unwrap_or_default();
    TokenHash::of(&format!("{} {browser} {}", what.as_str(), scene.place.flow.as_deref().unwrap_or_default()))
}
