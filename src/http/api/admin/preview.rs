//! `/admin/token-preview`: what tokens would say, and why (S-147, S-148).

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::api::admin::caller::Auditor;
use crate::http::api::answer::ok;
use crate::http::api::body::{Json, body};
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, post};
use crate::http::api::problem::Problem;
use crate::http::api::sign_in::refused;
use crate::http::web::Web;
use crate::model::id::{ClientId, UserId};
use crate::model::user::Role;
use crate::oauth::token::mapped::Explained;
use crate::oauth::token::preview::preview;
use crate::protocol::scope::Scope;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        post(("/admin/token-preview", Group::Admin), "Show what tokens would say, and why; none is made", show)
            .by_role(Role::Auditor)
            .takes::<PreviewOf>()
            .gives::<TokenPreview>(StatusCode::OK, "What each would say."),
    ]
}

body! {
    /// Which tokens.
    struct PreviewOf {
        /// Of whom, by their id.
        user_id: String,
        /// To which client.
        client_id: String,
        /// What it asks for.
        scope: String,
    }
}

/// What tokens would say.
#[derive(Debug, Serialize, ToSchema)]
struct TokenPreview {
    /// What would be granted.
    scope: String,
    /// What would not.
    left_out: Vec<LeftOutScope>,
    /// The ID token; null without `openid`.
    id_token: Option<Vec<ExplainedClaim>>,
    /// The access token.
    access_token: Vec<ExplainedClaim>,
    /// The userinfo answer; null without `openid`.
    userinfo: Option<Vec<ExplainedClaim>>,
    /// What introspection tells beside the usual.
    introspection: Vec<ExplainedClaim>,
}

/// A scope that would not be granted.
#[derive(Debug, Serialize, ToSchema)]
struct LeftOutScope {
    /// Which.
    scope: String,
    /// Why.
    because: String,
}

/// A claim, and why it is there.
#[derive(Debug, Serialize, ToSchema)]
struct ExplainedClaim {
    /// Its name.
    claim: String,
    /// Its value.
    value: Value,
    /// Why.
    because: String,
}

fn explained(claims: Vec<Explained>) -> Vec<ExplainedClaim> {
    let claim = |one: Explained| ExplainedClaim { claim: one.claim, value: one.value, because: one.because };
    claims.into_iter().map(claim).collect()
}

async fn show(State(web): State<Web>, _: Auditor, Json(body): Json<PreviewOf>) -> Result<Response, Problem> {
    let store = &web.provider.edges.store;
    let unknown = |field: &'static str| Problem::field(field, Code::InvalidValue);
    let user: UserId = body.user_id.parse().map_err(|_| unknown("user_id"))?;
    let user = store.user(user).await?.ok_or_else(|| unknown("user_id"))?;
    let client: ClientId = body.client_id.parse().map_err(|_| unknown("client_id"))?;
    let client = store.client(&client).await?.ok_or_else(|| unknown("client_id"))?;
    let scope: Scope = body.scope.parse().map_err(|_| unknown("scope"))?;
    let shown = preview(&web.provider, (&client, &user), &scope).await.map_err(refused)?;
    Ok(ok(&TokenPreview {
        scope: shown.scope.to_string(),
        left_out: shown
            .left_out
            .into_iter()
            .map(|one| LeftOutScope { scope: one.scope, because: one.because })
            .collect(),
        id_token: shown.id_token.map(explained),
        access_token: explained(shown.access_token),
        userinfo: shown.userinfo.map(explained),
        introspection: explained(shown.introspection),
    }))
}
