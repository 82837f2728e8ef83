//! `/admin/clients`: apps: what they registered, and whether they may act.
//!
//! They are registered on the command line, or by themselves (RFC 7591).

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::api::admin::asked::{Asked, Named};
use crate::http::api::admin::caller::{Auditor, Caller, Manager};
use crate::http::api::admin::if_match::{IfMatch, tagged};
use crate::http::api::answer::{Moment, nothing, ok};
use crate::http::api::body::{Json, body, choices};
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, delete, get, put};
use crate::http::api::paging::{CURSOR, LIMIT};
use crate::http::api::problem::Problem;
use crate::http::web::Web;
use crate::model::client::Client;
use crate::model::id::ClientId;
use crate::model::user::Role;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/admin/clients", Group::Admin), "List clients, by their ids", list)
            .by_role(Role::Auditor)
            .query(CURSOR.0, CURSOR.1)
            .query(LIMIT.0, LIMIT.1)
            .query("q", "A part of the id or the name.")
            .gives::<AdminClientList>(StatusCode::OK, "One page of clients.")
            .refuses(&[Code::InvalidValue, Code::TooLong, Code::UnknownField]),
        get(("/admin/clients/{id}", Group::Admin), "A client", show)
            .by_role(Role::Auditor)
            .gives::<AdminClientView>(StatusCode::OK, "The client, without its secret."),
        put(
            ("/admin/clients/{id}/state", Group::Admin),
            "Take all rights of a client away, or give them back",
            set_state,
        )
        .by_role(Role::Admin)
        .takes::<ClientStateChange>()
        .gives::<AdminClientView>(StatusCode::OK, "The client as it is now."),
        delete(("/admin/clients/{id}", Group::Admin), "Delete a client with its consents, grants and tokens", remove)
            .by_role(Role::Admin)
            .by_proof()
            .if_match()
            .gives_nothing(StatusCode::NO_CONTENT, "It is gone."),
    ]
}

/// One page of clients.
#[derive(Debug, Serialize, ToSchema)]
struct AdminClientList {
    /// The clients.
    items: Vec<AdminClientView>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

/// A client.
#[derive(Debug, Serialize, ToSchema)]
struct AdminClientView {
    /// Its `client_id`.
    client_id: String,
    /// Its name.
    name: Option<String>,
    /// `active` or `disabled`.
    state: &'static str,
    /// Whether it registered itself.
    self_registered: bool,
    /// What it registered (RFC 7591 §2).
    #[schema(value_type = Object)]
    metadata: Value,
    /// What the operator decided about it.
    #[schema(value_type = Object)]
    policy: Value,
    /// When it was registered.
    created_at: Moment,
}

choices! {
    /// Whether a client may act.
    enum ClientStateWord {
        /// It may.
        Active = "active",
        /// It may not.
        Disabled = "disabled",
    }
}

body! {
    /// Whether a client may act.
    struct ClientStateChange {
        /// The state.
        state: ClientStateWord,
    }
}

impl AdminClientView {
    fn of(client: &Client) -> Self {
        Self {
            client_id: client.id.to_string(),
            name: client.metadata.client_name.clone(),
            state: if client.is_enabled() { "active" } else { "disabled" },
            self_registered: client.is_self_registered(),
            metadata: serde_json::to_value(&client.metadata).unwrap_or_default(),
            policy: serde_json::to_value(&client.policy).unwrap_or_default(),
            created_at: Moment(client.created_at),
        }
    }
}

async fn found(caller: &Caller, id: &str) -> Result<std::sync::Arc<Client>, Problem> {
    let id: ClientId = id.parse().map_err(|_| Problem::new(Code::NotFound))?;
    caller.admin.edges.store.client(&id).await?.ok_or_else(|| Problem::new(Code::NotFound))
}

async fn list(State(web): State<Web>, _: Auditor, asked: Asked) -> Result<Response, Problem> {
    let asked = asked.only(&["q"])?;
    let after = asked.paging.cursor(|cursor| cursor.parse::<ClientId>().ok())?;
    let part = asked.text("q")?;
    let mut clients = web.provider.edges.store.find_clients(after.as_ref(), part, asked.paging.limit + 1).await?;
    let next = asked.paging.cut(&mut clients, |client| client.id.to_string());
    Ok(ok(&AdminClientList { items: clients.iter().map(|client| AdminClientView::of(client)).collect(), next }))
}

async fn show(Auditor(caller): Auditor, named: Named) -> Result<Response, Problem> {
    let found = found(&caller, named.first()).await?;
    Ok(tagged(StatusCode::OK, &AdminClientView::of(&found)))
}

async fn set_state(
    Manager(caller): Manager,
    named: Named,
    Json(body): Json<ClientStateChange>,
) -> Result<Response, Problem> {
    let client = found(&caller, named.first()).await?;
    let state = match body.state {
        ClientStateWord::Active => crate::admin::client::ClientState::Active,
        ClientStateWord::Disabled => crate::admin::client::ClientState::Disabled,
    };
    let changed = caller.admin.set_client_state(&client, state).await?;
    Ok(tagged(StatusCode::OK, &AdminClientView::of(&changed)))
}

async fn remove(
    State(web): State<Web>,
    Manager(caller): Manager,
    (named, seen): (Named, IfMatch),
) -> Result<Response, Problem> {
    let client = found(&caller, named.first()).await?;
    seen.check(&AdminClientView::of(&client))?;
    caller.prove_again(&web).await?;
    caller.admin.delete_client(&client).await?;
    Ok(nothing())
}
