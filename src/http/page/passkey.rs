//! `/sign-in/passkey`: the answer of a passkey that the sign-in page asked for, by its button or by what the browser offers in the field.
//!
//! W3C Web Authentication Level 3 §5.1.4.2 (conditional mediation). The script of the page fills the form in and sends it.

use axum::extract::State;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use serde::Serialize;

use crate::authn::passkey::{self, Ceremony};
use crate::authn::{Answer, Refusal};
use crate::edge::template::context;
use crate::http::cookie::FlowCookie;
use crate::http::extract::params::{Form, Query};
use crate::http::extract::visitor::Visitor;
use crate::http::page::second_factor::arrive;
use crate::http::page::sign_in::{Entry, Offer, destination, prove};
use crate::http::page::{Place, fault_page, find, foreign_form};
use crate::http::web::{Web, redirect};
use crate::model::fault::Fault;
use crate::oauth::interaction::sign_in::Persistence;
use crate::protocol::params::Params;
use crate::protocol::secret::{Secret, TokenHash};

/// Its path.
pub const PATH: &str = "/sign-in/passkey";

/// `POST /sign-in/passkey`
pub async fn submit(State(web): State<Web>, visitor: Visitor, Query(query): Query, Form(form): Form) -> Response {
    let place = Place::of(&query);
    let open = match place.flow {
        None => None,
        Some(_) => match find(&web, &visitor, &place).await {
            Ok(open) => Some(open),
            Err(response) => return *response,
        },
    };
    if let Err(error) = web.csrf.check(&visitor.headers, visitor.flow.as_ref(), &purpose(&place), form.get("csrf")) {
        return foreign_form(&web, &visitor, error, place.path(&web, "/sign-in"));
    }
    let answer = Answer::Passkey(answered(&form));
    match prove(&web, &visitor, ("passkey", &answer), open.as_ref()).await {
        Ok(step) => {
            let (persistence, destination) = (Persistence::Browser, destination(&query));
            arrive(&web, visitor, step, Entry { open, persistence, destination, offer: Offer::Nothing }).await
        }
        Err(Refusal::Fault(fault)) => fault_page(&web, &visitor, fault),
        // A page that stood open for long has a challenge that is over: the next one has a new one.
        Err(_) => {
            let mut more = vec![("passkey", "failed")];
            more.extend(query.get("to").map(|to| ("to", to)));
            redirect(&place.path_with(&web, "/sign-in", &more))
        }
    }
}

/// The credential and the state of a form, as the method reads them.
pub fn answered(form: &Params) -> Secret {
    let text = |name: &str| form.get(name).unwrap_or_default();
    let credential: serde_json::Value = serde_json::from_str(text("credential")).unwrap_or_default();
    Secret::new(serde_json::json!({ "credential": credential, "state": text("state") }).to_string())
}

/// What the sign-in page needs to ask for a passkey; none where there are none.
///
/// # Errors
/// Internal, when the library cannot make a challenge.
pub fn offered(
    web: &Web,
    flow: &FlowCookie,
    (place, query): (&Place, &Params),
) -> Result<Option<context::Passkey>, Fault> {
    let Some(passkeys) = &web.provider.passkeys else { return Ok(None) };
    let more: Vec<(&str, &str)> = query.get("to").map(|to| ("to", to)).into_iter().collect();
    let ceremony = passkeys.sign_in_page(&binding(flow))?;
    shown(ceremony, (place.path_with(web, PATH, &more), web.csrf.token(flow, &purpose(place)))).map(Some)
}

/// A ceremony as templates take it.
///
/// # Errors
/// Internal, when the library's own values cannot be written.
pub fn shown(
    Ceremony { options, state }: Ceremony<impl Serialize>,
    (action, csrf): (String, String),
) -> Result<context::Passkey, Fault> {
    Ok(context::Passkey { action, csrf, options: passkey::text(&options)?, state })
}

/// What states in pages are bound to.
pub fn binding(flow: &FlowCookie) -> TokenHash {
    TokenHash::of(flow.0.expose())
}

/// `GET /.well-known/passkey-endpoints` (W3C, Passkey Endpoints): where password managers lead people.
pub async fn endpoints(State(web): State<Web>) -> Response {
    let manage = web.provider.issuer.at("/account/security");
    let body = serde_json::json!({ "enroll": manage, "manage": manage }).to_string();
    let mut response = Response::new(axum::body::Body::from(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    response
}

/// `GET /.well-known/change-password` (W3C, A Well-Known URL for Changing Passwords).
pub async fn change_password(State(web): State<Web>) -> Response {
    redirect(&web.path(CHANGE_PASSWORD, &[]))
}

/// Where a person changes their password.
const CHANGE_PASSWORD: &str = "/account/password";

fn purpose(place: &Place) -> String {
    format!("passkey:{}", place.flow.as_deref().unwrap_or_default())
}
