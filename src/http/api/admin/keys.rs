//! `/admin/keys`: the keys that sign tokens; nothing of them that is secret.

use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::api::admin::caller::Auditor;
use crate::http::api::answer::{Moment, ok};
use crate::http::api::operation::{Group, Operation, get};
use crate::http::api::problem::Problem;
use crate::model::user::Role;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/admin/keys", Group::Admin), "List the keys that sign tokens", list)
            .by_role(Role::Auditor)
            .gives::<AdminKeyList>(StatusCode::OK, "The keys."),
    ]
}

/// The keys that sign tokens.
#[derive(Debug, Serialize, ToSchema)]
struct AdminKeyList {
    /// The keys.
    items: Vec<AdminKeyView>,
}

/// A key that signs tokens.
#[derive(Debug, Serialize, ToSchema)]
struct AdminKeyView {
    /// Its name in tokens and in the key set.
    kid: String,
    /// Its algorithm.
    alg: String,
    /// `next`, `active` or `retiring`.
    state: String,
    /// When it was published.
    created_at: Moment,
    /// Until when what it signed is verified, where it retires.
    expires_at: Option<Moment>,
}

async fn list(Auditor(caller): Auditor) -> Result<Response, Problem> {
    let keys = caller.admin.edges.store.signing_keys().await?;
    let items = keys.iter().map(|key| AdminKeyView {
        kid: key.kid.clone(),
        alg: key.algorithm.as_str().to_owned(),
        state: key.state.as_str().to_owned(),
        created_at: Moment(key.created_at),
        expires_at: key.expires_at.map(Moment),
    });
    Ok(ok(&AdminKeyList { items: items.collect() }))
}
