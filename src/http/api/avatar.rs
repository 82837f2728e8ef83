//! `/me/avatar`: the person's picture (S-015).

use axum::extract::{FromRequest, Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;

use crate::account::avatar::{MAX_BYTES, TYPES};
use crate::http::api::answer::{nothing, ok};
use crate::http::api::caller::Person;
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, delete, put};
use crate::http::api::problem::Problem;
use crate::http::api::user::UserView;
use crate::http::extract::body as wire;
use crate::http::web::Web;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        put(("/me/avatar", Group::Me), "Set the person's picture: PNG, JPEG or WebP, up to 1 MiB", set)
            .by_person()
            .takes_file(TYPES)
            .gives::<UserView>(StatusCode::OK, "The person as they are now.")
            .refuses(&[Code::AccountDisabled]),
        delete(("/me/avatar", Group::Me), "Take the person's picture away", remove)
            .by_person()
            .gives_nothing(StatusCode::NO_CONTENT, "There is none.")
            .refuses(&[Code::AccountDisabled]),
    ]
}

/// A picture as it was sent; whether it is one shows when it is read.
struct Sent(Bytes);

impl FromRequest<Web> for Sent {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Web) -> Result<Self, Problem> {
        let (parts, stream) = request.into_parts();
        let is_picture = TYPES.iter().any(|kind| wire::has_type(&parts.headers, kind));
        let bytes = wire::read_up_to(stream, MAX_BYTES).await?;
        if is_picture { Ok(Self(bytes)) } else { Err(Problem::new(Code::UnsupportedMediaType)) }
    }
}

async fn set(State(web): State<Web>, person: Person, Sent(bytes): Sent) -> Result<Response, Problem> {
    let asking = person.guest.asking(&web, None).await?;
    let changed = web.provider.accounts.set_avatar(&person.user, bytes, &asking).await?;
    let changed =
        changed.ok_or_else(|| Problem::new(Code::UnsupportedMediaType).hint("it is no picture that is read"))?;
    Ok(ok(&UserView::of(&web, &changed).await?))
}

async fn remove(State(web): State<Web>, person: Person) -> Result<Response, Problem> {
    let asking = person.guest.asking(&web, None).await?;
    web.provider.accounts.remove_avatar(&person.user, &asking).await?;
    Ok(nothing())
}
