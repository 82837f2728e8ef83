//! `/sign-in/email_code`, `/sign-in/sms_code`, `/sign-in/magic_link`: a code or a link is sent to the address that is typed here; the next
//! page takes the code, or says where the link is.
//!
//! S-039, S-048, S-052; PROTOCOL A17: the next page is the same whether or not anybody has the address.

use axum::extract::{OriginalUri, State};
use axum::response::Response;
use http::StatusCode;

use crate::authn::flow::Opening;
use crate::authn::{Attempt, Method, Refusal, Unsent, magic_link};
use crate::edge::template::context;
use crate::http::captcha::{self, admit_widget};
use crate::http::extract::params::{Form, Query};
use crate::http::extract::visitor::Visitor;
use crate::http::page::mistake::Wait;
use crate::http::page::second_factor::{PATH, carried};
use crate::http::page::sign_in::{Offer, attempt, destination, onward};
use crate::http::page::{Place, fault_page, foreign_form, open_at};
use crate::http::web::{Web, redirect, shown, way_back, with_cookies};
use crate::model::sign_in_flow::{BegunBy, Purpose};
use crate::oauth::endpoint::authorize::demanded;
use crate::oauth::interaction::Open;
use crate::oauth::interaction::sign_in::Persistence;
use crate::protocol::params::Params;

/// `GET /sign-in/{method}`
pub async fn show(
    State(web): State<Web>,
    visitor: Visitor,
    OriginalUri(uri): OriginalUri,
    Query(query): Query,
) -> Response {
    let method = method(uri.path());
    match open_at(&web, &visitor, &Place::of(&query)).await {
        Ok(open) => {
            let hint = open.as_ref().and_then(|open| open.interaction.request.login_hint.clone());
            page(&web, &visitor, (method, &query, open.as_ref()), (hint.unwrap_or_default(), None))
        }
        Err(response) => *response,
    }
}

/// `POST /sign-in/{method}`
pub async fn submit(
    State(web): State<Web>,
    visitor: Visitor,
    (OriginalUri(uri), Query(query)): (OriginalUri, Query),
    Form(form): Form,
) -> Response {
    let (method, place) = (method(uri.path()), Place::of(&query));
    let open = match open_at(&web, &visitor, &Place::of(&query)).await {
        Ok(open) => open,
        Err(response) => return *response,
    };
    if let Err(error) = web.csrf.check(&visitor.headers, visitor.flow.as_ref(), &purpose(&place), form.get("csrf")) {
        return foreign_form(&web, &visitor, error, place.path(&web, &path(method)));
    }
    let login = form.get("login").unwrap_or_default().trim().to_owned();
    let persistence = if form.get("remember").is_some() { Persistence::Kept } else { Persistence::Browser };
    let onward = onward(open.as_ref(), persistence);
    let attempt = Attempt { onward, ..attempt(&web, &visitor, open.as_ref().map(|open| &*open.client)) };
    let demand = open.as_ref().map(|open| demanded(&open.client, &open.interaction.request)).unwrap_or_default();
    let begun_by = BegunBy { client: None, browser: visitor.browser.flow };
    let opening = Opening { begun_by, purpose: Purpose::Session, demand, path: None };
    let refusal = match web.sign_in().ask_by(&attempt, (method, &login), opening).await {
        Ok((challenge, _)) => {
            let mut more = carried(persistence, destination(&query), Offer::Nothing);
            more.push(("sent", "1"));
            let to_code = redirect(&place.path_with(&web, PATH, &more));
            return with_cookies(to_code, [web.cookies.set_half(&challenge.flow)]);
        }
        Err(Refusal::Fault(fault)) => return fault_page(&web, &visitor, fault),
        Err(refusal) => refusal,
    };
    let (key, status) = match &refusal {
        Refusal::Unsent(Unsent::Recently(_)) => ("code_recently_sent", StatusCode::TOO_MANY_REQUESTS),
        Refusal::Unsent(Unsent::TooOften(_) | Unsent::Budget(_)) => ("rate_limited", StatusCode::TOO_MANY_REQUESTS),
        Refusal::TooMany(_) => ("too_many_attempts", StatusCode::TOO_MANY_REQUESTS),
        Refusal::Unsent(Unsent::Undelivered) => ("delivery_failed", StatusCode::SERVICE_UNAVAILABLE),
        _ => ("forbidden", StatusCode::FORBIDDEN),
    };
    let mut response = page(&web, &visitor, (method, &query, open.as_ref()), (login, Some(key)));
    *response.status_mut() = status;
    Wait::after(&refusal).tell(response.headers_mut());
    response
}

/// Whether people sign in by what `method` sends.
pub fn is_sent(web: &Web, method: &dyn Method) -> bool {
    method.sends() && web.sends_to_anonymous && web.has_page(&path(method.name()))
}

/// The page of a method.
pub fn path(method: &str) -> String {
    format!("/sign-in/{method}")
}

/// The method that a path names: the routes are those of the three.
fn method(path: &str) -> &'static str {
    ["sms_code", magic_link::NAME].into_iter().find(|name| path.ends_with(name)).unwrap_or("email_code")
}

fn page(
    web: &Web,
    visitor: &Visitor,
    (method, query, open): (&'static str, &Params, Option<&Open>),
    (login, error): (String, Option<&str>),
) -> Response {
    let place = Place::of(query);
    let (flow, cookie) = web.flow(visitor);
    let more = [("to", destination(query))];
    let context = context::SendCode {
        action: place.path_with(web, &path(method), &more),
        csrf: web.csrf.token(&flow, &purpose(&place)),
        method: method.to_owned(),
        login,
        error: error.map(str::to_owned),
        sign_in_uri: place.path_with(web, "/sign-in", &[("other", "1")]),
        client: open.map(|open| shown(&open.client, open.interaction.request.return_path.redirect_uri())),
        back_uri: open.and_then(|open| way_back(&open.client, web.provider.issuer.as_str())).map(|back| back.uri),
        captcha: web.captcha_widget(captcha::Place::SignIn),
    };
    let locales = open.map(|open| open.interaction.request.ui_locales.as_slice()).unwrap_or_default();
    let display = open.map(|open| open.interaction.request.display).unwrap_or_default();
    let frame = web.pages.frame(visitor.id, &visitor.headers, locales).shown_as(display);
    let mut response = web.pages.page("page/send_code.html", &frame, &context);
    if context.captcha.is_some() {
        admit_widget(web, &mut response);
    }
    with_cookies(response, cookie)
}

fn purpose(place: &Place) -> String {
    format!("send-code:{}", place.flow.as_deref().unwrap_or_default())
}
