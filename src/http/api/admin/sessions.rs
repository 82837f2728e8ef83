//! `/admin/users/{id}/sessions`: where somebody is signed in, and an end to it.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::edge::store::Beside;
use crate::http::api::admin::asked::{Asked, Named};
use crate::http::api::admin::caller::{Auditor, Support};
use crate::http::api::admin::users::found;
use crate::http::api::answer::{Moment, nothing, ok};
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, delete, get};
use crate::http::api::paging::{CURSOR, LIMIT};
use crate::http::api::problem::Problem;
use crate::http::web::Web;
use crate::model::event::EventName;
use crate::model::id::SessionId;
use crate::model::session::Session;
use crate::model::user::Role;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/admin/users/{id}/sessions", Group::Admin), "List where somebody is signed in, the newest first", list)
            .by_role(Role::Auditor)
            .query(CURSOR.0, CURSOR.1)
            .query(LIMIT.0, LIMIT.1)
            .gives::<AdminSessionList>(StatusCode::OK, "One page of sessions.")
            .refuses(&[Code::InvalidValue, Code::UnknownField]),
        delete(("/admin/users/{id}/sessions", Group::Admin), "Sign somebody out everywhere", end_all)
            .by_role(Role::UserSupport)
            .gives_nothing(StatusCode::NO_CONTENT, "Every session and every token of them has ended."),
        delete(("/admin/users/{id}/sessions/{session_id}", Group::Admin), "Sign somebody out of a browser", end)
            .by_role(Role::UserSupport)
            .gives_nothing(StatusCode::NO_CONTENT, "The session has ended, with every token given in it."),
    ]
}

/// One page of sessions.
#[derive(Debug, Serialize, ToSchema)]
struct AdminSessionList {
    /// The sessions, the newest first.
    items: Vec<AdminSession>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

/// A browser in which somebody is signed in.
#[derive(Debug, Serialize, ToSchema)]
struct AdminSession {
    /// Its id, which is `sid` in ID tokens.
    id: String,
    /// When it began.
    created_at: Moment,
    /// When it was last used.
    last_seen_at: Moment,
    /// Its end, however it is used.
    expires_at: Moment,
    /// Where it began.
    ip: String,
    /// What the browser calls itself.
    user_agent: String,
    /// The app that the person signed in for.
    client_id: Option<String>,
    /// How they proved who they are (RFC 8176).
    amr: Vec<String>,
}

impl AdminSession {
    fn of(session: &Session) -> Self {
        Self {
            id: session.id.to_string(),
            created_at: Moment(session.created_at),
            last_seen_at: Moment(session.last_seen_at),
            expires_at: Moment(session.expires_at),
            ip: session.origin.address.clone(),
            user_agent: session.origin.user_agent.clone(),
            client_id: session.origin.client.as_ref().map(ToString::to_string),
            amr: session.authentication.amr_values(),
        }
    }
}

async fn list(
    State(web): State<Web>,
    Auditor(caller): Auditor,
    named: Named,
    asked: Asked,
) -> Result<Response, Problem> {
    let asked = asked.only(&[])?;
    let user = found(&caller, named.first()).await?;
    let before = asked.paging.cursor(|cursor| cursor.parse::<SessionId>().ok())?;
    let (store, now) = (&web.provider.edges.store, web.provider.now());
    let mut sessions = store.sessions_before(user.id, now, (before, asked.paging.limit + 1)).await?;
    let next = asked.paging.cut(&mut sessions, |session| session.id.to_string());
    Ok(ok(&AdminSessionList { items: sessions.iter().map(AdminSession::of).collect(), next }))
}

async fn end_all(Support(caller): Support, named: Named) -> Result<Response, Problem> {
    let user = found(&caller, named.first()).await?;
    caller.admin.sign_out(&user).await?;
    Ok(nothing())
}

async fn end(State(web): State<Web>, Support(caller): Support, named: Named) -> Result<Response, Problem> {
    let user = found(&caller, named.first()).await?;
    caller.admin.check_reach(&user)?;
    let id: SessionId = named.second().parse().map_err(|_| Problem::new(Code::NotFound))?;
    let event = caller.admin.event_about(EventName::SessionEnded, &user).within(id).telling("reason", "revoked");
    let now = web.provider.now();
    let ended = web.provider.edges.store.end_session_of(user.id, id, now, Beside::event(event)).await?;
    if ended { Ok(nothing()) } else { Err(Problem::new(Code::NotFound)) }
}
