//! `/me`: the signed-in person's own account: what it says, its end, and what it holds to take along (S-001, S-014, S-021, S-022).

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa::openapi::schema::{AdditionalProperties, Object, ObjectBuilder, SchemaType, Type};

use crate::account::profile::names;
use crate::http::api::answer::{Moment, answer, ok};
use crate::http::api::body::{Body, Fields, Json};
use crate::http::api::caller::{Person, csrf_token_of};
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, delete, get, patch, post};
use crate::http::api::problem::Problem;
use crate::http::api::recent::RecentPerson;
use crate::http::api::user::UserView;
use crate::http::web::{Web, with_cookies};

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/me", Group::Me), "The signed-in person", show)
            .by_person()
            .gives::<UserView>(StatusCode::OK, "The person."),
        patch(("/me", Group::Me), "Change what the account says of the person", change)
            .by_person()
            .takes::<ProfileChange>()
            .gives::<UserView>(StatusCode::OK, "The person as they are now.")
            .refuses(&[
                Code::VerificationRequired,
                Code::UsernameTaken,
                Code::IdentityNotAllowed,
                Code::AccountDisabled,
            ]),
        delete(("/me", Group::Me), "Delete the account", close)
            .by_person()
            .gives::<Deletion>(StatusCode::ACCEPTED, "The account is closed; a mail has a link that takes it back.")
            .refuses(&[Code::ReauthRequired, Code::AccountDisabled]),
        post(("/me/export", Group::Me), "Ask for all that is known of the person", export)
            .by_person()
            .gives_nothing(StatusCode::ACCEPTED, "It is gathered; a mail will have a link, good once for a day.")
            .refuses(&[Code::ReauthRequired, Code::VerificationRequired, Code::CodeRecentlySent]),
    ]
}

/// A change of what the account says: each member is a name of the profile or an attribute of the settings; `null` empties it.
#[derive(Clone, Debug)]
struct ProfileChange(Map<String, Value>);

impl Body for ProfileChange {
    const NAME: &'static str = "ProfileChange";

    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self(fields.rest()))
    }

    fn schema() -> Object {
        profile_change()
    }
}

/// The schema of a change of a profile.
pub(super) fn profile_change() -> Object {
    let about = "What changes; null empties. Other members are attributes of the settings.";
    let text = || ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null]));
    let object = names().fold(ObjectBuilder::new(), |object, name| object.property(name, text()));
    let object = object.schema_type(Type::Object).description(Some(about));
    object.additional_properties(Some(AdditionalProperties::FreeForm(true))).build()
}

/// An account that ends.
#[derive(Debug, Serialize, ToSchema)]
struct Deletion {
    /// When it is final.
    purge_at: Moment,
    /// What belongs into `X-CSRF-Token` from now on; where a browser was signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf_token: Option<String>,
}

async fn show(State(web): State<Web>, person: Person) -> Result<Response, Problem> {
    Ok(ok(&UserView::of(&web, &person.user).await?))
}

async fn change(
    State(web): State<Web>,
    person: Person,
    Json(ProfileChange(given)): Json<ProfileChange>,
) -> Result<Response, Problem> {
    let asking = person.guest.asking(&web, None).await?;
    let changed = web.provider.accounts.change_profile(&person.user, given, &asking).await?;
    Ok(ok(&UserView::of(&web, &changed).await?))
}

async fn close(State(web): State<Web>, RecentPerson { person, .. }: RecentPerson) -> Result<Response, Problem> {
    let asking = person.guest.asking(&web, None).await?;
    let purge_at = Moment(web.provider.accounts.request_deletion(&person.user, &asking).await?);
    if person.guest.token.is_some() {
        let answer = answer(StatusCode::ACCEPTED, &Deletion { purge_at, csrf_token: None });
        return Ok(with_cookies(answer, person.guest.without_token_cookies(&web)));
    }
    // Nothing that the browser held while somebody was signed in is good afterwards.
    let flow = web.provider.edges.random.token();
    let closed = Deletion { purge_at, csrf_token: Some(csrf_token_of(&web, &flow)) };
    let cookies = [web.cookies.clear_session(), web.cookies.set_flow(&flow)];
    Ok(with_cookies(answer(StatusCode::ACCEPTED, &closed), cookies))
}

async fn export(State(web): State<Web>, RecentPerson { person, .. }: RecentPerson) -> Result<Response, Problem> {
    let asking = person.guest.asking(&web, None).await?;
    web.provider.accounts.request_export(&person.user, &asking).await?;
    Ok(StatusCode::ACCEPTED.into_response())
}
