//! `/admin/clients`: apps: what they registered, and whether they may act.
//!
//! They are registered here, on the command line, or by themselves (RFC 7591), always by the same rules. A secret is shown in the one
//! answer that makes it.

mod policy;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use self::policy::ClientPolicyChange;
use crate::admin::client::{ClientChange, ClientKind, ClientState, Registered};
use crate::http::api::admin::asked::{Asked, Named};
use crate::http::api::admin::caller::{Auditor, Caller, Manager};
use crate::http::api::admin::if_match::{IfMatch, tagged, tagged_as};
use crate::http::api::answer::{Moment, nothing, ok};
use crate::http::api::body::{Json, body, choices};
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, delete, get, patch, post, put};
use crate::http::api::paging::{CURSOR, LIMIT};
use crate::http::api::patch::Within;
use crate::http::api::problem::Problem;
use crate::http::web::Web;
use crate::model::client::{Client, ClientPolicy};
use crate::model::id::ClientId;
use crate::model::user::Role;
use crate::oauth::endpoint::register::check_sector;
use crate::protocol::client_metadata::ClientMetadata;

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
        post(("/admin/clients", Group::Admin), "Register a client; an app of the house takes an owner", create)
            .by_role(Role::Admin)
            .by_proof()
            .takes::<NewAdminClient>()
            .gives::<AdminClientView>(StatusCode::CREATED, "The client; its secret is shown this once.")
            .refuses(&[Code::AlreadyExists]),
        get(("/admin/clients/{id}", Group::Admin), "A client", show)
            .by_role(Role::Auditor)
            .gives::<AdminClientView>(StatusCode::OK, "The client, without its secret."),
        patch(("/admin/clients/{id}", Group::Admin), "Change a client; an app of the house takes an owner", change)
            .by_role(Role::Admin)
            .by_proof()
            .if_match()
            .takes::<ClientPatch>()
            .gives::<AdminClientView>(StatusCode::OK, "The client as it is now, with a secret that is new."),
        post(("/admin/clients/{id}/secret", Group::Admin), "Give a client a new secret", rotate_secret)
            .by_role(Role::Admin)
            .by_proof()
            .gives::<AdminClientView>(StatusCode::OK, "The client with its secret; the old one is refused from now on.")
            .refuses(&[Code::ClientHasNoSecret, Code::PreconditionFailed]),
        put(
            ("/admin/clients/{id}/state", Group::Admin),
            "Take all rights of a client away, or give them back",
            set_state,
        )
        .by_role(Role::Admin)
        .takes::<ClientStateChange>()
        .gives::<AdminClientView>(StatusCode::OK, "The client as it is now.")
        .refuses(&[Code::PreconditionFailed]),
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
    /// Its secret, in the one answer that makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
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

choices! {
    /// What kind of app a client is.
    enum KindWord {
        /// Runs on a server and keeps a secret.
        Web = "web",
        /// Runs in a browser: no secret, PKCE.
        Spa = "spa",
        /// Runs on a phone or a desktop: no secret, PKCE.
        Native = "native",
        /// Speaks for itself.
        Service = "service",
        /// Has no browser: people enter its code elsewhere.
        Device = "device",
    }
}

impl KindWord {
    const fn kind(self) -> ClientKind {
        match self {
            Self::Web => ClientKind::Web,
            Self::Spa => ClientKind::Spa,
            Self::Native => ClientKind::Native,
            Self::Service => ClientKind::Service,
            Self::Device => ClientKind::Device,
        }
    }
}

impl ClientStateWord {
    const fn state(self) -> ClientState {
        match self {
            Self::Active => ClientState::Active,
            Self::Disabled => ClientState::Disabled,
        }
    }
}

body! {
    /// A client that shall be registered.
    struct NewAdminClient {
        /// Its `client_id`; left out: a random one.
        client_id: Option<String>,
        /// What kind of app it is; its metadata begin with what is usual for it. Left out: `web`.
        r#type: Option<KindWord>,
        /// Its metadata, in the words of RFC 7591 section 2 and OpenID Connect Registration section 2.
        metadata: Option<Map<String, Value>>,
        /// What the operator decides about it.
        policy: Option<Within<ClientPolicyChange>>,
    }
}

body! {
    /// How a client shall change; what is left out stays.
    struct ClientPatch {
        /// Its metadata: members that are given take the place of theirs, null takes one away.
        metadata: Option<Map<String, Value>>,
        /// What the operator decides about it.
        policy: Option<Within<ClientPolicyChange>>,
        /// Whether it may act.
        state: Option<ClientStateWord>,
    }
}

impl AdminClientView {
    fn of(client: &Client) -> Self {
        Self {
            client_id: client.id.to_string(),
            client_secret: None,
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
    Ok(caller.admin.client(id).await?)
}

/// The client with its secret, where that is new.
fn made(status: StatusCode, registered: &Registered) -> Response {
    let shown = AdminClientView::of(&registered.client);
    let client_secret = registered.secret.as_ref().map(|secret| secret.expose().clone());
    tagged_as(status, &AdminClientView { client_secret, ..AdminClientView::of(&registered.client) }, &shown)
}

/// What is given takes the place of what stands; `null` takes it away (RFC 7396).
fn merge(mut stands: Map<String, Value>, given: Map<String, Value>) -> Map<String, Value> {
    for (name, value) in given {
        if value.is_null() {
            stands.remove(&name);
        } else {
            stands.insert(name, value);
        }
    }
    stands
}

async fn metadata(
    (web, caller): (&Web, &Caller),
    members: &Map<String, Value>,
    policy: &ClientPolicy,
) -> Result<ClientMetadata, Problem> {
    let metadata = caller.admin.client_metadata(members, policy).await?;
    check_sector(&web.provider, &metadata).await.map_err(|error| {
        let told = Problem::field("metadata", Code::InvalidValue).telling("detail", error.description());
        told.hint(error.description().to_owned())
    })?;
    Ok(metadata)
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

async fn create(
    State(web): State<Web>,
    Manager(caller): Manager,
    Json(body): Json<NewAdminClient>,
) -> Result<Response, Problem> {
    let id = match body.client_id {
        Some(id) => id.parse().map_err(|_| Problem::field("client_id", Code::InvalidValue))?,
        None => ClientId::generate(web.provider.edges.random.bytes()),
    };
    let policy = match body.policy {
        Some(given) => given.open("policy")?.onto(ClientPolicy::default())?,
        None => ClientPolicy::default(),
    };
    let kind = body.r#type.map_or(ClientKind::Web, KindWord::kind);
    let members = merge(kind.preset(), body.metadata.unwrap_or_default());
    caller.prove_again(&web).await?;
    let metadata = metadata((&web, &caller), &members, &policy).await?;
    let registered = caller.admin.create_client(id, (metadata, policy), &web.provider.vault).await?;
    Ok(made(StatusCode::CREATED, &registered))
}

async fn change(
    State(web): State<Web>,
    Manager(caller): Manager,
    (named, seen): (Named, IfMatch),
    Json(body): Json<ClientPatch>,
) -> Result<Response, Problem> {
    let before = found(&caller, named.first()).await?;
    seen.check(&AdminClientView::of(&before))?;
    let policy = match body.policy {
        Some(given) => given.open("policy")?.onto(before.policy.clone())?,
        None => before.policy.clone(),
    };
    caller.prove_again(&web).await?;
    let stands = serde_json::to_value(&before.metadata).ok().and_then(|stands| stands.as_object().cloned());
    let members = merge(stands.unwrap_or_default(), body.metadata.unwrap_or_default());
    let metadata = metadata((&web, &caller), &members, &policy).await?;
    let state = body.state.map_or(ClientState::of(&before), ClientStateWord::state);
    let change = ClientChange { metadata, policy, state };
    let registered = caller.admin.change_client(&before, change, &web.provider.vault).await?;
    Ok(made(StatusCode::OK, &registered))
}

async fn rotate_secret(State(web): State<Web>, Manager(caller): Manager, named: Named) -> Result<Response, Problem> {
    let before = found(&caller, named.first()).await?;
    caller.prove_again(&web).await?;
    let registered = caller.admin.rotate_client_secret(&before, &web.provider.vault).await?;
    Ok(made(StatusCode::OK, &registered))
}

async fn set_state(
    Manager(caller): Manager,
    named: Named,
    Json(body): Json<ClientStateChange>,
) -> Result<Response, Problem> {
    let client = found(&caller, named.first()).await?;
    let changed = caller.admin.set_client_state(&client, body.state.state()).await?;
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
