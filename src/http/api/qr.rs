//! `/sign-in` by a picture, and `/sign-in/poll`: how far it is (S-055, S-057).

use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::authn::flow::Challenge;
use crate::authn::qr::NAME;
use crate::edge::device_authorization::Polled;
use crate::http::api::answer::{answer, ok};
use crate::http::api::body::{Json, body};
use crate::http::api::caller::Guest;
use crate::http::api::code::Code;
use crate::http::api::delivery::{Destination, finish};
use crate::http::api::operation::{Group, Operation, post};
use crate::http::api::problem::Problem;
use crate::http::api::sign_in::answer::SignInAnswer;
use crate::http::api::sign_in::{IN_COOKIES, REFUSED, attempt, caller, persistence, refused};
use crate::http::page::qr::waits;
use crate::http::qr::Picture;
use crate::http::web::Web;
use crate::model::device_authorization::{Asks, Decision, DeviceAuthorization};
use crate::oauth::device::verification_uri;
use crate::oauth::first_party;
use crate::protocol::secret::{Secret, TokenHash};

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        post(("/sign-in/poll", Group::Qr), "Ask how far a sign-in by a picture is", poll)
            .takes::<PollSignIn>()
            .gives::<PollAnswer>(StatusCode::OK, "Nobody has decided yet.")
            .gives::<SignInAnswer>(StatusCode::OK, "The sign-in is complete, or asks for one more proof.")
            .gives_nothing(StatusCode::NO_CONTENT, IN_COOKIES)
            .refuses(REFUSED)
            .refuses(&[
                Code::SlowDown,
                Code::AccessDenied,
                Code::ExpiredToken,
                Code::CodeExpired,
                Code::WrongCode,
                Code::FlowExpired,
                Code::FlowInvalid,
            ]),
    ]
}

body! {
    /// Which sign-in is asked about.
    struct PollSignIn {
        /// The handle of the sign-in.
        flow: Secret,
        /// The browser keeps the session after it is closed.
        remember: Option<bool>,
        /// The app that began.
        client_id: Option<String>,
    }
}

/// A picture that waits for a phone.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PictureShown {
    /// `challenge`
    status: &'static str,
    /// The handle of the sign-in; it is not in the picture.
    flow: String,
    /// The picture.
    qr: QrPicture,
    /// What a person types who has no camera.
    user_code: String,
    /// Where they type it.
    verification_uri: String,
    /// Two digits that the phone shows too, so that the person can compare them.
    number: String,
    /// Seconds that the picture is good for.
    expires_in: u64,
    /// Seconds between two polls, at least.
    interval: u64,
}

/// A picture in three forms.
#[derive(Debug, Serialize, ToSchema)]
struct QrPicture {
    /// What it says.
    uri: String,
    /// An SVG element.
    svg: String,
    /// A PNG, in base64.
    png_base64: String,
}

/// Nobody has decided.
#[derive(Debug, Serialize, ToSchema)]
struct PollAnswer {
    /// `pending`, or `scanned` when somebody looks at it on their phone.
    status: &'static str,
    /// Seconds until the next poll, at least.
    interval: u64,
}

/// The answer that begins a sign-in by a picture: 201.
pub(super) fn shown(web: &Web, challenge: &Challenge, asked: &DeviceAuthorization) -> Response {
    let uri = verification_uri(&web.provider.issuer, Some(&asked.user_code));
    let picture = Picture::of(&uri);
    let body = PictureShown {
        status: "challenge",
        flow: challenge.flow.expose().clone(),
        qr: QrPicture {
            svg: picture.as_ref().map(Picture::svg).unwrap_or_default(),
            png_base64: picture.as_ref().map(|picture| STANDARD.encode(picture.png())).unwrap_or_default(),
            uri,
        },
        user_code: asked.user_code.to_string(),
        verification_uri: verification_uri(&web.provider.issuer, None),
        number: match asked.asks {
            Asks::SignIn { number, .. } => number.to_string(),
            Asks::Tokens { .. } => String::new(),
        },
        expires_in: asked.expires_at.since(web.provider.now()).as_secs(),
        interval: asked.interval,
    };
    answer(StatusCode::CREATED, &body)
}

async fn poll(State(web): State<Web>, guest: Guest, Json(body): Json<PollSignIn>) -> Result<Response, Problem> {
    let client = match &body.client_id {
        Some(id) => Some(first_party::client(&web.provider, id).await.map_err(refused)?),
        None => None,
    };
    let caller = caller(&guest, client.as_deref());
    // Who did not begin it learns nothing, and slows nobody down.
    let flow = web.sign_in().waiting(&body.flow, &caller).await?;
    if flow.purpose.sets_cookies() {
        guest.check_csrf_token(&web)?;
    }
    if !waits(&flow) {
        return Err(Problem::new(Code::FlowInvalid));
    }
    let key = TokenHash::of(body.flow.expose());
    let edges = &web.provider.edges;
    let interval = edges.device_under(&key).await?.map(|asked| asked.interval).unwrap_or_default();
    match edges.poll_device(&key).await? {
        Polled::Pending { seen } => {
            return Ok(ok(&PollAnswer { status: if seen { "scanned" } else { "pending" }, interval }));
        }
        Polled::TooFast(seconds) => return Err(Problem::new(Code::SlowDown).retry_after(seconds)),
        Polled::Expired => return Err(Problem::new(Code::ExpiredToken)),
        Polled::Unknown => return Err(Problem::new(Code::FlowInvalid)),
        Polled::Decided(Decision::Denied) => return Err(Problem::new(Code::AccessDenied)),
        Polled::Decided(Decision::Approved(_)) => {}
    }
    let attempt = attempt(&web, &guest, client.as_deref());
    let answer = (NAME.into(), Secret::from(""));
    let step = web.sign_in().answer(&attempt, (&body.flow, &caller), answer).await?;
    let destination = Destination { client, purpose: flow.purpose, persistence: persistence(body.remember) };
    finish(&web, &guest, destination, step).await
}
