//! `/admin`: what this server knows, for its operators. Messages that were given up on get another turn here, or an end (S-136); the rest
//! is for reading.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::admin::{AdminError, Administration, Changed};
use crate::edge::template::context::{Admin, AdminClient, AdminKey, AdminUser, UndeliveredMessage};
use crate::http::error::PageError;
use crate::http::extract::params::Form;
use crate::http::extract::visitor::Visitor;
use crate::http::page::account::{Visit, acting, nothing_there, visit};
use crate::http::page::select_account::account;
use crate::http::page::{fault_page, logout};
use crate::http::web::{Web, redirect, with_cookies};
use crate::model::client::Client;
use crate::model::event::Actor;
use crate::model::fault::Fault;
use crate::model::id::JobId;
use crate::model::job::StoredJob;
use crate::model::user::{IdentifierKind, Role, User};
use crate::protocol::client_metadata::{ApplicationType, GrantType};

/// The path of the overview.
const PATH: &str = "/admin";
/// The most rows that the overview shows of each kind.
const ROWS: u32 = 200;

/// `GET /admin`
pub async fn show(State(web): State<Web>, visitor: Visitor) -> Response {
    let user = match visit(&web, &visitor, PATH).await.and_then(|visit| owner(&web, &visitor, visit)) {
        Ok(user) => user,
        Err(response) => return *response,
    };
    let (flow, cookie) = web.flow(&visitor);
    match overview(&web, &user, web.csrf.token(&flow, logout::PURPOSE)).await {
        Ok(context) => {
            let frame = web.pages.frame(visitor.id, &visitor.headers, &[]);
            with_cookies(web.pages.page("page/admin.html", &frame, &context), cookie)
        }
        Err(fault) => fault_page(&web, &visitor, fault),
    }
}

/// `POST /admin/messages`: another turn for a message that was given up on, or an end to it.
pub async fn change_message(State(web): State<Web>, visitor: Visitor, Form(form): Form) -> Response {
    let acting = acting(&web, &visitor, (form.get("csrf"), PATH)).await;
    let user = match acting.and_then(|visit| owner(&web, &visitor, visit)) {
        Ok(user) => user,
        Err(response) => return *response,
    };
    let Some(id) = form.get("id").and_then(|id| id.parse::<JobId>().ok()) else {
        return nothing_there(&web, &visitor);
    };
    let admin = Administration {
        edges: web.provider.edges.clone(),
        by: Actor::User(user.id),
        role: user.role,
        from: visitor.browser.provenance.clone(),
    };
    let changed =
        if form.get("do") == Some("discard") { admin.discard_job(id).await } else { admin.retry_job(id).await };
    match changed {
        Ok(Changed::Yes) => redirect(&web.path(PATH, &[])),
        Ok(Changed::No) | Err(AdminError::Refused(_)) => nothing_there(&web, &visitor),
        Err(AdminError::Fault(fault)) => fault_page(&web, &visitor, fault),
    }
}

/// Whoever looks must own this server and have proven as much as its administration wants.
fn owner(web: &Web, visitor: &Visitor, visit: Visit) -> Result<Arc<User>, Box<Response>> {
    if visit.user.role != Role::Owner {
        return Err(Box::new(web.refuse(visitor, &PageError::new("access_denied", StatusCode::FORBIDDEN))));
    }
    // A sign-in from before the operator wanted more.
    if !visit.session.authentication.meets(web.provider.factors.policy.administration) {
        return Err(Box::new(redirect(&web.path("/sign-in", &[("to", "admin"), ("other", "1")]))));
    }
    Ok(visit.user)
}

async fn overview(web: &Web, user: &User, csrf: String) -> Result<Admin, Fault> {
    let store = &web.provider.edges.store;
    let clients = store.clients(ROWS).await?;
    let users = store.users(ROWS).await?;
    let keys = store.signing_keys().await?;
    Ok(Admin {
        account: account(user),
        issuer: web.provider.issuer.as_str().to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        clients: clients.iter().map(|client| row(client)).collect(),
        users: users
            .iter()
            .map(|user| AdminUser {
                username: user.login().to_owned(),
                email: user.primary(IdentifierKind::Email).map(|email| email.value.clone()),
                name: user.profile.name.clone(),
            })
            .collect(),
        keys: keys
            .iter()
            .map(|key| AdminKey {
                kid: key.kid.clone(),
                alg: key.algorithm.as_str().to_owned(),
                state: key.state.as_str().to_owned(),
            })
            .collect(),
        refusals: web.refusals.newest(),
        csrf,
        message_action: web.path("/admin/messages", &[]),
        undelivered: store.dead_jobs(ROWS).await?.iter().map(undelivered).collect(),
    })
}

fn undelivered(job: &StoredJob) -> UndeliveredMessage {
    UndeliveredMessage {
        id: job.id.to_string(),
        queue: job.queue.as_str().to_owned(),
        asked_at: job.created_at.seconds(),
        attempts: job.attempts,
        error: job.last_error.clone(),
    }
}

fn row(client: &Client) -> AdminClient {
    let kind = match (client.is_public(), client.metadata.application_type) {
        (true, ApplicationType::Native) => "native",
        (true, ApplicationType::Web) => "spa",
        (false, _) if !client.allows(GrantType::AuthorizationCode) => "service",
        (false, _) => "web",
    };
    AdminClient {
        client_id: client.id.to_string(),
        name: client.display_name().to_owned(),
        kind: kind.to_owned(),
        redirect_uris: client.metadata.redirect_uris.clone(),
    }
}
