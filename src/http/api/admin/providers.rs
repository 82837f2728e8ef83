//! `/admin/providers`: servers elsewhere by which people may sign in (S-152 … S-155).
//!
//! The secret goes in and never comes out.

mod change;
mod view;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use self::change::{NewAdminProvider, ProviderPatch};
use self::view::AdminProvider;
use crate::admin::provider::{NewProvider, ProviderChange, usual};
use crate::http::api::admin::asked::{Asked, Named};
use crate::http::api::admin::caller::{Auditor, Caller, Owner};
use crate::http::api::admin::if_match::{IfMatch, tagged};
use crate::http::api::answer::{nothing, ok};
use crate::http::api::body::Json;
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, delete, get, patch, post};
use crate::http::api::paging::{CURSOR, LIMIT};
use crate::http::api::problem::Problem;
use crate::http::page::federation::callback;
use crate::http::web::Web;
use crate::model::id::ProviderId;
use crate::model::identity_provider::{IdentityProvider, ProviderKind, ProviderSlug};
use crate::model::user::Role;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/admin/providers", Group::Admin), "List providers, the oldest first", list)
            .by_role(Role::Auditor)
            .query(CURSOR.0, CURSOR.1)
            .query(LIMIT.0, LIMIT.1)
            .gives::<AdminProviderList>(StatusCode::OK, "One page of providers.")
            .refuses(&[Code::InvalidValue, Code::UnknownField]),
        post(("/admin/providers", Group::Admin), "Let people sign in by a server elsewhere", create)
            .by_role(Role::Owner)
            .by_proof()
            .takes::<NewAdminProvider>()
            .gives::<AdminProvider>(StatusCode::CREATED, "The provider; people see it at once.")
            .refuses(&[Code::AlreadyExists]),
        get(("/admin/providers/{id}", Group::Admin), "A provider, by its id or slug", show)
            .by_role(Role::Auditor)
            .gives::<AdminProvider>(StatusCode::OK, "The provider, without its secret."),
        patch(("/admin/providers/{id}", Group::Admin), "Change a provider", change)
            .by_role(Role::Owner)
            .by_proof()
            .if_match()
            .takes::<ProviderPatch>()
            .gives::<AdminProvider>(StatusCode::OK, "The provider as it is now."),
        delete(
            ("/admin/providers/{id}", Group::Admin),
            "Remove a provider with the connections of accounts to identities there",
            remove,
        )
        .by_role(Role::Owner)
        .by_proof()
        .if_match()
        .gives_nothing(StatusCode::NO_CONTENT, "It is gone."),
        post(("/admin/providers/{id}/test", Group::Admin), "Ask a provider whether it would let us in", test)
            .by_role(Role::Owner)
            .gives::<ProviderTest>(StatusCode::OK, "What it said."),
    ]
}

/// One page of providers.
#[derive(Debug, Serialize, ToSchema)]
struct AdminProviderList {
    /// The providers.
    items: Vec<AdminProvider>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

/// What a provider said.
#[derive(Debug, Serialize, ToSchema)]
struct ProviderTest {
    /// Whether it would let us in.
    ok: bool,
    /// What was found, or what is wrong, in a sentence for operators.
    found: String,
}

async fn found(caller: &Caller, named: &Named) -> Result<std::sync::Arc<IdentityProvider>, Problem> {
    Ok(caller.admin.provider(named.first()).await?)
}

async fn list(State(web): State<Web>, Auditor(caller): Auditor, asked: Asked) -> Result<Response, Problem> {
    let asked = asked.only(&[])?;
    let after = asked.paging.cursor(|cursor| cursor.parse::<ProviderId>().ok())?;
    let all = caller.admin.edges.store.identity_providers().await?;
    let fits = all.iter().filter(|provider| after.is_none_or(|after| provider.id > after));
    let mut page: Vec<_> = fits.take(asked.paging.limit as usize + 1).collect();
    let next = asked.paging.cut(&mut page, |provider| provider.id.to_string());
    Ok(ok(&AdminProviderList {
        items: page.into_iter().map(|provider| AdminProvider::of(&web, provider)).collect(),
        next,
    }))
}

async fn show(State(web): State<Web>, Auditor(caller): Auditor, named: Named) -> Result<Response, Problem> {
    Ok(tagged(StatusCode::OK, &AdminProvider::of(&web, &*found(&caller, &named).await?)))
}

async fn create(
    State(web): State<Web>,
    Owner(caller): Owner,
    Json(body): Json<NewAdminProvider>,
) -> Result<Response, Problem> {
    let slug: ProviderSlug = body.slug.parse().map_err(|error: crate::model::identity_provider::NotASlug| {
        Problem::field("slug", Code::InvalidValue).hint(error.to_string())
    })?;
    let kind = body.kind.map(ProviderKind::from).or_else(|| ProviderKind::parse(slug.as_str()));
    let kind = kind.ok_or_else(|| Problem::field("kind", Code::Required))?;
    if body.settings.client_id.is_none() {
        return Err(Problem::field("client_id", Code::Required));
    }
    caller.prove_again(&web).await?;
    let directory = caller.admin.edges.store.directory().await?;
    let given = body.settings.onto(("", usual(&slug, kind), true), &directory)?;
    let ProviderChange { client_id, secret, settings, enabled } = given;
    let new = NewProvider { slug, kind, client_id, secret: secret.flatten(), settings, enabled };
    let made = caller.admin.create_provider(new, &web.provider.vault).await?;
    Ok(tagged(StatusCode::CREATED, &AdminProvider::of(&web, &made)))
}

async fn change(
    State(web): State<Web>,
    Owner(caller): Owner,
    (named, seen): (Named, IfMatch),
    Json(body): Json<ProviderPatch>,
) -> Result<Response, Problem> {
    let before = found(&caller, &named).await?;
    seen.check(&AdminProvider::of(&web, &before))?;
    caller.prove_again(&web).await?;
    let directory = caller.admin.edges.store.directory().await?;
    let change = body.onto((&before.client_id, before.settings.clone(), before.is_enabled()), &directory)?;
    let after = caller.admin.change_provider(&before, change, &web.provider.vault).await?;
    Ok(tagged(StatusCode::OK, &AdminProvider::of(&web, &after)))
}

async fn remove(
    State(web): State<Web>,
    Owner(caller): Owner,
    (named, seen): (Named, IfMatch),
) -> Result<Response, Problem> {
    let provider = found(&caller, &named).await?;
    seen.check(&AdminProvider::of(&web, &provider))?;
    caller.prove_again(&web).await?;
    caller.admin.delete_provider(&provider).await?;
    Ok(nothing())
}

async fn test(State(web): State<Web>, Owner(caller): Owner, named: Named) -> Result<Response, Problem> {
    let provider = found(&caller, &named).await?;
    let said = web.upstreams.probe(&provider, &callback(&web, &provider)).await;
    let test = match said {
        Ok(found) => ProviderTest { ok: true, found },
        Err(error) => ProviderTest { ok: false, found: error.to_string() },
    };
    Ok(ok(&test))
}
