//! `/sign-in/qr`: a picture that a signed-in phone reads; the page waits until its person has said yes there.
//!
//! S-055 to S-057. The browser asks how far it is by a script, or loads the page again every few seconds without one. What came of it is
//! told to the cookie of the sign-in that began here.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use crate::authn::Refusal;
use crate::authn::flow::{Opening, Step};
use crate::authn::qr::NAME;
use crate::edge::device_authorization::Polled;
use crate::edge::template::context;
use crate::http::error::{PageError, json};
use crate::http::extract::params::{Form, Query};
use crate::http::extract::visitor::Visitor;
use crate::http::page::second_factor::{Waiting, arrive, caller, carried, persistence, waiting};
use crate::http::page::sign_in::{Entry, Offer, attempt, destination};
use crate::http::page::{Place, fault_page, foreign_form, open_at};
use crate::http::qr::Picture;
use crate::http::security_header::admit_own_calls;
use crate::http::web::{Web, redirect, shown, way_back, with_cookies};
use crate::model::device_authorization::{Asks, Decision, DeviceAuthorization};
use crate::model::fault::Fault;
use crate::model::sign_in_flow::{Progress, Purpose, SignInFlow};
use crate::oauth::device::verification_uri;
use crate::oauth::endpoint::authorize::demanded;
use crate::oauth::interaction::Open;
use crate::oauth::interaction::sign_in::Persistence;
use crate::protocol::params::Params;
use crate::protocol::secret::{Secret, TokenHash};

/// Its path.
pub const PATH: &str = "/sign-in/qr";
/// The name of the method.
pub const METHOD: &str = NAME;
const STATE_PATH: &str = "/sign-in/qr/state";

/// How far a picture is.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Stage {
    /// There is none yet.
    Start,
    /// Nobody has read it.
    Pending,
    /// Somebody looks at it.
    Seen,
    /// Somebody said yes.
    Ready,
    /// Somebody said no.
    Denied,
    /// It ran out, or was used.
    Over,
}

impl Stage {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Pending => "pending",
            Self::Seen => "seen",
            Self::Ready => "ready",
            Self::Denied => "denied",
            Self::Over => "over",
        }
    }
}

/// What the script of the page learns.
#[derive(Serialize)]
struct Told {
    state: Stage,
}

/// Whether a picture may be the way in for the request that waits: nothing is proven anew by it, so not where a new proof is asked for.
pub fn is_offered(web: &Web, open: Option<&Open>) -> bool {
    web.has_page(PATH)
        && open.is_none_or(|open| {
            let request = &open.interaction.request;
            !request.prompt.login && request.max_age.is_none()
        })
}

/// Whether a sign-in waits for its picture.
pub fn waits(flow: &SignInFlow) -> bool {
    matches!(flow.progress, Progress::Named { .. }) && flow.asked.iter().any(|asked| asked.method == NAME)
}

/// `GET /sign-in/qr`
pub async fn show(State(web): State<Web>, visitor: Visitor, Query(query): Query) -> Response {
    let place = Place::of(&query);
    let open = match open_at(&web, &visitor, &place).await {
        Ok(open) => open,
        Err(response) => return *response,
    };
    if web.method(NAME).is_none() || !is_offered(&web, open.as_ref()) {
        return redirect(&place.path(&web, "/sign-in"));
    }
    match look(&web, &visitor).await {
        Ok((Stage::Ready, Some((waiting, _)))) => finish(&web, visitor, (&waiting, &query), (&place, open)).await,
        Ok((stage, shown)) => {
            page(&web, &visitor, (&place, open.as_ref(), &query), (stage, shown.map(|(_, asked)| asked)))
        }
        Err(fault) => fault_page(&web, &visitor, fault),
    }
}

/// `GET /sign-in/qr/state`: how far the picture of this browser is; nothing is changed by asking.
pub async fn state(State(web): State<Web>, visitor: Visitor) -> Response {
    match look(&web, &visitor).await {
        Ok((state, _)) => json(&Told { state }, "application/json"),
        Err(fault) => fault_page(&web, &visitor, fault),
    }
}

/// `POST /sign-in/qr`: a new picture.
pub async fn submit(State(web): State<Web>, visitor: Visitor, Query(query): Query, Form(form): Form) -> Response {
    let place = Place::of(&query);
    let open = match open_at(&web, &visitor, &place).await {
        Ok(open) => open,
        Err(response) => return *response,
    };
    if let Err(error) = web.csrf.check(&visitor.headers, visitor.flow.as_ref(), &purpose(&place), form.get("csrf")) {
        return foreign_form(&web, &visitor, error, place.path(&web, PATH));
    }
    if web.method(NAME).is_none() || !is_offered(&web, open.as_ref()) {
        return redirect(&place.path(&web, "/sign-in"));
    }
    let attempt = attempt(&web, &visitor, open.as_ref().map(|open| &*open.client));
    let demand = open.as_ref().map(|open| demanded(&open.client, &open.interaction.request)).unwrap_or_default();
    let opening = Opening { begun_by: caller(&visitor), purpose: Purpose::Session, demand, path: None };
    match web.sign_in().ask_by(&attempt, (NAME, ""), opening).await {
        Ok((challenge, _)) => {
            let persistence = if form.get("remember").is_some() { Persistence::Kept } else { Persistence::Browser };
            let to_picture =
                redirect(&place.path_with(&web, PATH, &carried(persistence, destination(&query), Offer::Nothing)));
            with_cookies(to_picture, [web.cookies.set_half(&challenge.flow)])
        }
        Err(Refusal::Fault(fault)) => fault_page(&web, &visitor, fault),
        Err(_) => redirect(&place.path(&web, "/sign-in")),
    }
}

/// The picture that this browser began with, and how far it is.
async fn look(web: &Web, visitor: &Visitor) -> Result<(Stage, Option<(Waiting, DeviceAuthorization)>), Fault> {
    let Some(waiting) = waiting(web, visitor).await?.filter(|waiting| waits(&waiting.flow)) else {
        return Ok((Stage::Start, None));
    };
    let edges = &web.provider.edges;
    let key = TokenHash::of(waiting.handle.expose());
    let stage = match edges.look_at_device(&key).await? {
        Polled::Pending { seen: false } => Stage::Pending,
        Polled::Pending { seen: true } => Stage::Seen,
        Polled::Decided(Decision::Approved(_)) => Stage::Ready,
        Polled::Decided(Decision::Denied) => Stage::Denied,
        Polled::Unknown | Polled::Expired | Polled::TooFast(_) => Stage::Over,
    };
    let asked = edges.device_under(&key).await?;
    Ok(asked.map_or((Stage::Over, None), |asked| (stage, Some((waiting, asked)))))
}

/// Somebody said yes: the browser that began goes on as after any other proof.
async fn finish(
    web: &Web,
    visitor: Visitor,
    (waiting, query): (&Waiting, &Params),
    (place, open): (&Place, Option<Open>),
) -> Response {
    let attempt = attempt(web, &visitor, open.as_ref().map(|open| &*open.client));
    let answer = (NAME.into(), Secret::from(""));
    match web.sign_in().answer(&attempt, (&waiting.handle, &caller(&visitor)), answer).await {
        Ok(step) => {
            let entry =
                Entry { open, persistence: persistence(query), destination: destination(query), offer: Offer::Nothing };
            let is_done = matches!(step, Step::Complete(_));
            let response = arrive(web, visitor, step, entry).await;
            with_cookies(response, is_done.then(|| web.cookies.clear_half()))
        }
        Err(Refusal::Fault(fault)) => fault_page(web, &visitor, fault),
        Err(Refusal::Disabled | Refusal::NotActivated) => {
            web.refuse(&visitor, &PageError::new("account_disabled", StatusCode::FORBIDDEN))
        }
        Err(_) => page(web, &visitor, (place, open.as_ref(), query), (Stage::Over, None)),
    }
}

fn page(
    web: &Web,
    visitor: &Visitor,
    (place, open, query): (&Place, Option<&Open>, &Params),
    (stage, asked): (Stage, Option<DeviceAuthorization>),
) -> Response {
    let (flow, cookie) = web.flow(visitor);
    let more = carried(persistence(query), destination(query), Offer::Nothing);
    let waits = matches!(stage, Stage::Pending | Stage::Seen);
    let picture = asked.filter(|_| waits).map(|asked| {
        let uri = verification_uri(&web.provider.issuer, Some(&asked.user_code));
        context::device::QrPicture {
            picture: Picture::of(&uri).map(|picture| picture.svg()).unwrap_or_default(),
            page_uri: verification_uri(&web.provider.issuer, None),
            user_code: asked.user_code.to_string(),
            number: match asked.asks {
                Asks::SignIn { number, .. } => number.to_string(),
                Asks::Tokens { .. } => String::new(),
            },
        }
    });
    let context = context::device::SignInQr {
        action: place.path_with(web, PATH, &more),
        csrf: web.csrf.token(&flow, &purpose(place)),
        state: stage.as_str().to_owned(),
        picture,
        state_uri: web.path(STATE_PATH, &[]),
        again_uri: place.path_with(web, PATH, &more),
        sign_in_uri: place.path_with(web, "/sign-in", &[("other", "1"), ("to", destination(query))]),
        client: open.map(|open| shown(&open.client, open.interaction.request.return_path.redirect_uri())),
        back_uri: open.and_then(|open| way_back(&open.client, web.provider.issuer.as_str())).map(|back| back.uri),
    };
    let locales = open.map(|open| open.interaction.request.ui_locales.as_slice()).unwrap_or_default();
    let display = open.map(|open| open.interaction.request.display).unwrap_or_default();
    let frame = web.pages.frame(visitor.id, &visitor.headers, locales).shown_as(display);
    let mut response = web.pages.page("page/sign_in_qr.html", &frame, &context);
    admit_own_calls(&mut response);
    with_cookies(response, cookie)
}

fn purpose(place: &Place) -> String {
    format!("qr:{}", place.flow.as_deref().unwrap_or_default())
}
