//! `/admin/claim-mappers`: which claims apps are told of people, from what, and where (S-147, S-148).

use std::collections::BTreeSet;

use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::http::api::admin::asked::{Asked, Named};
use crate::http::api::admin::caller::{Auditor, Manager};
use crate::http::api::admin::if_match::{IfMatch, tagged};
use crate::http::api::answer::{nothing, ok};
use crate::http::api::body::{Json, body, choices};
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, delete, get, patch, post};
use crate::http::api::paging::{CURSOR, LIMIT};
use crate::http::api::problem::Problem;
use crate::model::claim_mapper::{ClaimMapper, ClaimSource, Destination};
use crate::model::directory::Directory;
use crate::model::id::ClaimMapperId;
use crate::model::user::Role;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(
            ("/admin/claim-mappers", Group::Admin),
            "List claim mappers: what every server begins with, then the oldest",
            list,
        )
        .by_role(Role::Auditor)
        .query(CURSOR.0, CURSOR.1)
        .query(LIMIT.0, LIMIT.1)
        .gives::<AdminClaimMapperList>(StatusCode::OK, "One page of claim mappers.")
        .refuses(&[Code::InvalidValue, Code::UnknownField]),
        post(("/admin/claim-mappers", Group::Admin), "Tell apps a claim", create)
            .by_role(Role::Admin)
            .takes::<NewClaimMapper>()
            .gives::<AdminClaimMapper>(StatusCode::CREATED, "The claim mapper.")
            .refuses(&[Code::NotFound, Code::AlreadyExists]),
        get(("/admin/claim-mappers/{id}", Group::Admin), "A claim mapper", show)
            .by_role(Role::Auditor)
            .gives::<AdminClaimMapper>(StatusCode::OK, "The claim mapper."),
        patch(("/admin/claim-mappers/{id}", Group::Admin), "Change what a claim tells, or where", change)
            .by_role(Role::Admin)
            .if_match()
            .takes::<ClaimMapperPatch>()
            .gives::<AdminClaimMapper>(StatusCode::OK, "The claim mapper as it is now."),
        delete(("/admin/claim-mappers/{id}", Group::Admin), "Tell a claim no longer", remove)
            .by_role(Role::Admin)
            .if_match()
            .gives_nothing(StatusCode::NO_CONTENT, "It is gone."),
    ]
}

/// One page of claim mappers.
#[derive(Debug, Serialize, ToSchema)]
struct AdminClaimMapperList {
    /// The claim mappers.
    items: Vec<AdminClaimMapper>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

/// A claim that apps are told.
#[derive(Debug, Serialize, ToSchema)]
struct AdminClaimMapper {
    /// Its id; null for what every server begins with.
    id: Option<String>,
    /// Only in what carries this scope.
    scope: Option<String>,
    /// Only for this client.
    client_id: Option<String>,
    /// The name of the claim.
    claim: String,
    /// What it tells: `from` is `attribute` (`name`), `constant` (`value`), `groups` (`form`, `prefix`, `members`), `roles` (`form`) or `permissions` (`prefix`).
    #[schema(value_type = Object)]
    source: ClaimSource,
    /// Where it is told.
    into: Vec<&'static str>,
}

choices! {
    /// Where a claim is told.
    enum Place {
        /// In ID tokens.
        IdToken = "id_token",
        /// In access tokens.
        AccessToken = "access_token",
        /// By the userinfo endpoint.
        Userinfo = "userinfo",
        /// By introspection.
        Introspection = "introspection",
    }
}

body! {
    /// A claim that apps shall be told.
    struct NewClaimMapper {
        /// The name of the claim.
        claim: String,
        /// Only in what carries this scope.
        scope: Option<String>,
        /// Only for this client.
        client_id: Option<String>,
        /// What it tells.
        source: Map<String, Value>,
        /// Where; left out: everywhere.
        into: Option<Vec<Place>>,
    }
}

body! {
    /// How a claim mapper shall change.
    struct ClaimMapperPatch {
        /// What it tells.
        source: Option<Map<String, Value>>,
        /// Where.
        into: Option<Vec<Place>>,
    }
}

impl AdminClaimMapper {
    fn of(mapper: &ClaimMapper) -> Self {
        Self {
            id: mapper.id.map(|id| id.to_string()),
            scope: mapper.scope.clone(),
            client_id: mapper.client.as_ref().map(ToString::to_string),
            claim: mapper.claim.clone(),
            source: mapper.source.clone(),
            into: mapper.into.iter().map(|into| into.as_str()).collect(),
        }
    }
}

fn destinations(places: Option<Vec<Place>>) -> Option<BTreeSet<Destination>> {
    let destination = |place: Place| match place {
        Place::IdToken => Destination::IdToken,
        Place::AccessToken => Destination::AccessToken,
        Place::Userinfo => Destination::Userinfo,
        Place::Introspection => Destination::Introspection,
    };
    places.map(|places| places.into_iter().map(destination).collect())
}

fn source(members: Map<String, Value>) -> Result<ClaimSource, Problem> {
    let read = serde_json::from_value(Value::Object(members));
    read.map_err(|error| Problem::field("source", Code::InvalidValue).hint(error.to_string()))
}

fn by_id<'d>(directory: &'d Directory, id: &str) -> Result<(ClaimMapperId, &'d ClaimMapper), Problem> {
    let id: Option<ClaimMapperId> = id.parse().ok();
    let found = directory.mappers().find(|mapper| id.is_some() && mapper.id == id);
    id.zip(found).ok_or_else(|| Problem::new(Code::NotFound))
}

async fn list(Auditor(caller): Auditor, asked: Asked) -> Result<Response, Problem> {
    let asked = asked.only(&[])?;
    let directory = caller.admin.edges.store.directory().await?;
    // Those of every server have no id, and come first, by their claims.
    let built_in = |claim: &str| directory.mappers().position(|mapper| mapper.id.is_none() && mapper.claim == claim);
    let after = asked.paging.cursor(|cursor| match cursor.parse::<ClaimMapperId>() {
        Ok(id) => Some((usize::MAX, Some(id))),
        Err(_) => built_in(cursor).map(|place| (place, None)),
    })?;
    let follows = |place: usize, mapper: &ClaimMapper| match after {
        None => true,
        Some((_, Some(id))) => mapper.id.is_some_and(|own| own > id),
        Some((shown, None)) => place > shown,
    };
    let rest = directory.mappers().enumerate().filter(|(place, mapper)| follows(*place, mapper));
    let mut mappers: Vec<&ClaimMapper> = rest.map(|(_, mapper)| mapper).take(asked.paging.limit as usize + 1).collect();
    let next =
        asked.paging.cut(&mut mappers, |mapper| mapper.id.map_or_else(|| mapper.claim.clone(), |id| id.to_string()));
    Ok(ok(&AdminClaimMapperList { items: mappers.into_iter().map(AdminClaimMapper::of).collect(), next }))
}

async fn show(Auditor(caller): Auditor, named: Named) -> Result<Response, Problem> {
    let directory = caller.admin.edges.store.directory().await?;
    Ok(tagged(StatusCode::OK, &AdminClaimMapper::of(by_id(&directory, named.first())?.1)))
}

async fn create(Manager(caller): Manager, Json(body): Json<NewClaimMapper>) -> Result<Response, Problem> {
    let client = body.client_id.map(|id| id.parse()).transpose();
    let new = ClaimMapper {
        id: None,
        scope: body.scope,
        client: client.map_err(|_| Problem::field("client_id", Code::InvalidValue))?,
        claim: body.claim,
        source: source(body.source)?,
        into: destinations(body.into).unwrap_or_else(|| Destination::ALL.iter().copied().collect()),
    };
    let made = caller.admin.create_claim_mapper(new).await?;
    Ok(tagged(StatusCode::CREATED, &AdminClaimMapper::of(&made)))
}

async fn change(
    Manager(caller): Manager,
    (named, seen): (Named, IfMatch),
    Json(body): Json<ClaimMapperPatch>,
) -> Result<Response, Problem> {
    let directory = caller.admin.edges.store.directory().await?;
    let (id, before) = by_id(&directory, named.first())?;
    seen.check(&AdminClaimMapper::of(before))?;
    let after = ClaimMapper {
        source: body.source.map_or_else(|| Ok(before.source.clone()), source)?,
        into: destinations(body.into).unwrap_or_else(|| before.into.clone()),
        ..before.clone()
    };
    let after = caller.admin.change_claim_mapper((id, before), after).await?;
    Ok(tagged(StatusCode::OK, &AdminClaimMapper::of(&after)))
}

async fn remove(Manager(caller): Manager, (named, seen): (Named, IfMatch)) -> Result<Response, Problem> {
    let directory = caller.admin.edges.store.directory().await?;
    let (id, mapper) = by_id(&directory, named.first())?;
    seen.check(&AdminClaimMapper::of(mapper))?;
    caller.admin.delete_claim_mapper((id, mapper)).await?;
    Ok(nothing())
}
