//! `/admin`: what this server knows, for its operators; reading only.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::edge::template::context::{Admin, AdminClient, AdminKey, AdminUser};
use crate::http::error::PageError;
use crate::http::extract::visitor::Visitor;
use crate::http::page::fault_page;
use crate::http::page::select_account::account;
use crate::http::web::{Web, redirect};
use crate::model::client::Client;
use crate::model::fault::Fault;
use crate::model::user::{IdentifierKind, Role, User};
use crate::protocol::client_metadata::{ApplicationType, GrantType};

/// The most rows that the overview shows of each kind.
const ROWS: u32 = 200;

/// `GET /admin`
pub async fn show(State(web): State<Web>, visitor: Visitor) -> Response {
    let Some(session) = &visitor.browser.session else {
        return redirect(&web.path("/sign-in", &[("to", "admin")]));
    };
    let user = match web.provider.edges.store.user(session.authentication.user).await {
        Ok(user) => user,
        Err(fault) => return fault_page(&web, &visitor, fault),
    };
    let Some(user) = user.filter(|user| user.role == Role::Owner) else {
        return web.refuse(&visitor, &PageError::new("access_denied", StatusCode::FORBIDDEN));
    };
    // A sign-in from before the operator wanted more.
    if !session.authentication.meets(web.provider.factors.policy.administration) {
        return redirect(&web.path("/sign-in", &[("to", "admin"), ("other", "1")]));
    }
    match overview(&web, &user).await {
        Ok(context) => web.pages.page("page/admin.html", &web.pages.frame(visitor.id, &visitor.headers, &[]), &context),
        Err(fault) => fault_page(&web, &visitor, fault),
    }
}

async fn overview(web: &Web, user: &User) -> Result<Admin, Fault> {
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
    })
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
