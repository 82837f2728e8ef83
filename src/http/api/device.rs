//! `/device`: a signed-in phone looks at what a device asks for, and decides (S-056, S-057).
//!
//! RFC 8628 §3.3, §5.4. *Why no city:* we ask nobody where an address is. The address itself is told, and whether it is another one
//! than that of the phone.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::api::answer::{Moment, nothing, ok};
use crate::http::api::app::{AppView, app};
use crate::http::api::body::{Json, body};
use crate::http::api::caller::Person;
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, post};
use crate::http::api::problem::Problem;
use crate::http::api::recent::demand;
use crate::http::web::Web;
use crate::model::device_authorization::Asks;
use crate::model::user_agent::device_name;
use crate::oauth::device::{Decider, Device, Outcome, Unheard, approve, deny, look_up};
use crate::protocol::device::UserCode;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    let refused: &[Code] = &[Code::FlowInvalid, Code::RateLimited];
    vec![
        post(("/device/inspect", Group::Login), "Look at what a device asks for", inspect)
            .by_person()
            .takes::<TypedCode>()
            .gives::<DeviceView>(StatusCode::OK, "What it asks for.")
            .refuses(refused),
        post(("/device/approve", Group::Login), "Let a device in", allow)
            .by_person()
            .takes::<TypedCode>()
            .gives_nothing(StatusCode::NO_CONTENT, "It goes on.")
            .refuses(refused)
            .refuses(&[Code::ReauthRequired]),
        post(("/device/deny", Group::Login), "Turn a device away", refuse)
            .by_person()
            .takes::<TypedCode>()
            .gives_nothing(StatusCode::NO_CONTENT, "It was told no.")
            .refuses(refused),
    ]
}

body! {
    /// Which device is meant.
    struct TypedCode {
        /// What it shows; case, dashes and blanks are nothing.
        user_code: String,
    }
}

/// What a device asks for.
#[derive(Debug, Serialize, ToSchema)]
struct DeviceView {
    /// `sign_in` for a browser in which the person would be signed in, `tokens` for an app.
    kind: &'static str,
    /// As the device shows it.
    user_code: String,
    /// Two digits that the device must show too; where a browser asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<String>,
    /// The app, if it is for one.
    client: Option<AppView>,
    /// What its tokens would allow.
    scope: Vec<String>,
    /// What the device calls itself, in short.
    device: Option<String>,
    /// Where it is.
    address: String,
    /// Whether that is another address than that of the caller: a reason to look twice.
    is_elsewhere: bool,
    /// When it asked.
    requested_at: Moment,
    /// Seconds that the code is good for.
    expires_in: u64,
}

async fn inspect(State(web): State<Web>, person: Person, Json(body): Json<TypedCode>) -> Result<Response, Problem> {
    let (device, decider) = found(&web, &person, &body).await?;
    let asked = &device.found.asked;
    let (kind, number) = match asked.asks {
        Asks::SignIn { number, .. } => ("sign_in", Some(number.to_string())),
        Asks::Tokens { .. } => ("tokens", None),
    };
    Ok(ok(&DeviceView {
        kind,
        user_code: asked.user_code.to_string(),
        number,
        client: app(&web, asked.asks.client()).await?,
        scope: device.scope.iter().map(str::to_owned).collect(),
        device: Some(device_name(&asked.from.user_agent)).filter(|name| !name.is_empty()),
        address: asked.from.address.clone(),
        is_elsewhere: asked.from.address != decider.browser.provenance.address,
        requested_at: Moment(asked.created_at),
        expires_in: asked.expires_at.since(web.provider.now()).as_secs(),
    }))
}

async fn allow(State(web): State<Web>, person: Person, Json(body): Json<TypedCode>) -> Result<Response, Problem> {
    let (device, decider) = found(&web, &person, &body).await?;
    // A whole session is given away, so its person shows that it is still them (S-098); an app gets no more than by a code.
    if matches!(device.found.asked.asks, Asks::SignIn { .. }) {
        demand(&web, &person).await?;
    }
    match approve(&web.provider, &device, &decider).await? {
        Outcome::Approved => Ok(nothing()),
        Outcome::TooLate => Err(Problem::new(Code::FlowInvalid)),
        Outcome::Stale => Err(Problem::new(Code::ReauthRequired).hint("the app wants a newer sign-in")),
        Outcome::Unproven(_) => Err(Problem::new(Code::Forbidden).hint("the app wants a sign-in that reaches more")),
        Outcome::Forbidden(refusal) => Err(Problem::new(Code::Forbidden).caused_by(refusal)),
    }
}

async fn refuse(State(web): State<Web>, person: Person, Json(body): Json<TypedCode>) -> Result<Response, Problem> {
    let (device, decider) = found(&web, &person, &body).await?;
    if deny(&web.provider, &device, &decider).await? { Ok(nothing()) } else { Err(Problem::new(Code::FlowInvalid)) }
}

/// The device that a code means, for who is signed in.
async fn found(web: &Web, person: &Person, body: &TypedCode) -> Result<(Device, Decider), Problem> {
    let decider = decider(web, person).await?;
    let unknown = || Problem::new(Code::FlowInvalid);
    let code = UserCode::parse(&body.user_code).ok_or_else(unknown)?;
    match look_up(&web.provider, &web.limits, (&code, &decider)).await {
        Ok(Some(device)) => Ok((device, decider)),
        Ok(None) => Err(unknown()),
        Err(Unheard::TooOften(exceeded)) => Err(exceeded.into()),
        Err(Unheard::Fault(fault)) => Err(fault.into()),
    }
}

async fn decider(web: &Web, person: &Person) -> Result<Decider, Problem> {
    let nobody = || Problem::new(Code::SignInRequired);
    let id = person.session_id().ok_or_else(nobody)?;
    let session = web.provider.edges.store.session(id).await?;
    let session = session.filter(|session| session.is_live(web.provider.now())).ok_or_else(nobody)?;
    Ok(Decider {
        user: Arc::clone(&person.user),
        session,
        authentication: person.authentication().cloned().ok_or_else(nobody)?,
        browser: person.guest.visitor.browser.clone(),
    })
}
