//! `/admin/apis`: resource servers that access tokens are for (RFC 8707, S-162).

use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::api::named;
use crate::http::api::admin::asked::{Asked, Named};
use crate::http::api::admin::caller::{Auditor, Manager};
use crate::http::api::admin::if_match::{IfMatch, tagged};
use crate::http::api::answer::{Moment, nothing, ok};
use crate::http::api::body::{Json, Patch, body, choices};
use crate::http::api::code::Code;
use crate::http::api::operation::{Group, Operation, delete, get, patch, post};
use crate::http::api::paging::{CURSOR, LIMIT};
use crate::http::api::problem::Problem;
use crate::model::api::{Api, ApiSettings};
use crate::model::client::AccessTokenFormat;
use crate::model::user::Role;
use crate::protocol::jose::algorithm::SigningAlgorithm;
use crate::protocol::scope::Scope;

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(("/admin/apis", Group::Admin), "List APIs, by their audiences", list)
            .by_role(Role::Auditor)
            .query(CURSOR.0, CURSOR.1)
            .query(LIMIT.0, LIMIT.1)
            .gives::<AdminApiList>(StatusCode::OK, "One page of APIs.")
            .refuses(&[Code::InvalidValue, Code::UnknownField]),
        post(("/admin/apis", Group::Admin), "Let clients have tokens for an API", create)
            .by_role(Role::Admin)
            .takes::<NewAdminApi>()
            .gives::<AdminApi>(StatusCode::CREATED, "The API.")
            .refuses(&[Code::AlreadyExists]),
        get(("/admin/apis/{id}", Group::Admin), "An API", show)
            .by_role(Role::Auditor)
            .gives::<AdminApi>(StatusCode::OK, "The API."),
        patch(("/admin/apis/{id}", Group::Admin), "Change an API; its audience stays", change)
            .by_role(Role::Admin)
            .if_match()
            .takes::<ApiPatch>()
            .gives::<AdminApi>(StatusCode::OK, "The API as it is now."),
        delete(("/admin/apis/{id}", Group::Admin), "Let nobody have tokens for an API any more", remove)
            .by_role(Role::Admin)
            .if_match()
            .gives_nothing(StatusCode::NO_CONTENT, "It is gone."),
    ]
}

/// One page of APIs.
#[derive(Debug, Serialize, ToSchema)]
struct AdminApiList {
    /// The APIs.
    items: Vec<AdminApi>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

/// An API.
#[derive(Debug, Serialize, ToSchema)]
struct AdminApi {
    /// Its id.
    id: String,
    /// `aud` of its tokens, and what a client names by `resource`.
    audience: String,
    /// What operators call it.
    name: String,
    /// The scopes that make sense there.
    scopes: Vec<String>,
    /// Seconds that a token for it lives; null: as the server does.
    access_token_lifetime: Option<u64>,
    /// How a token for it alone is signed; null: as the server does.
    signing_alg: Option<&'static str>,
    /// `jwt` or `opaque`.
    access_token: &'static str,
    /// When it was made.
    created_at: Moment,
    /// When it was last changed.
    updated_at: Moment,
}

choices! {
    /// The form of access tokens.
    enum FormatWord {
        /// Signed.
        Jwt = "jwt",
        /// Without content.
        Opaque = "opaque",
    }
}

body! {
    /// An API that clients shall have tokens for.
    struct NewAdminApi {
        /// An absolute URI without a fragment.
        audience: String,
        /// What operators call it; left out: its audience.
        name: Option<String>,
        /// The scopes that make sense there.
        scopes: Option<Vec<String>>,
        /// Seconds that a token for it lives, 60 to 3600.
        access_token_lifetime: Option<u64>,
        /// How a token for it alone is signed.
        signing_alg: Option<String>,
        /// The form of its tokens; left out: `jwt`.
        access_token: Option<FormatWord>,
    }
}

body! {
    /// How an API shall change.
    struct ApiPatch {
        /// What operators call it.
        name: Option<String>,
        /// The scopes that make sense there.
        scopes: Option<Vec<String>>,
        /// Seconds that a token for it lives; null: as the server does.
        access_token_lifetime: Patch<u64>,
        /// How a token for it alone is signed; null: as the server does.
        signing_alg: Patch<String>,
        /// The form of its tokens.
        access_token: Option<FormatWord>,
    }
}

impl AdminApi {
    fn of(api: &Api) -> Self {
        let set = &api.settings;
        Self {
            id: api.id.to_string(),
            audience: api.audience.clone(),
            name: set.name.clone(),
            scopes: set.scopes.iter().map(str::to_owned).collect(),
            access_token_lifetime: set.access_token_lifetime,
            signing_alg: set.signing_alg.map(SigningAlgorithm::as_str),
            access_token: set.access_token.as_str(),
            created_at: Moment(api.created_at),
            updated_at: Moment(api.updated_at),
        }
    }
}

impl ApiPatch {
    fn onto(self, mut set: ApiSettings) -> Result<ApiSettings, Problem> {
        let invalid = |field: &'static str| Problem::field(field, Code::InvalidValue);
        set.name = self.name.unwrap_or(set.name);
        if let Some(scopes) = self.scopes {
            let malformed = scopes.iter().any(|scope| scope.is_empty() || scope.contains(' '));
            let parsed = scopes.join(" ").parse::<Scope>().ok().filter(|_| !malformed);
            set.scopes = parsed.ok_or_else(|| invalid("scopes"))?;
        }
        match self.access_token_lifetime {
            Patch::Keep => {}
            Patch::Clear => set.access_token_lifetime = None,
            Patch::Set(seconds) => set.access_token_lifetime = Some(seconds),
        }
        match self.signing_alg {
            Patch::Keep => {}
            Patch::Clear => set.signing_alg = None,
            Patch::Set(alg) => set.signing_alg = Some(alg.parse().map_err(|_| invalid("signing_alg"))?),
        }
        set.access_token = match self.access_token {
            None => set.access_token,
            Some(FormatWord::Jwt) => AccessTokenFormat::Jwt,
            Some(FormatWord::Opaque) => AccessTokenFormat::Opaque,
        };
        Ok(set)
    }
}

async fn list(Auditor(caller): Auditor, asked: Asked) -> Result<Response, Problem> {
    let asked = asked.only(&[])?;
    let after = asked.paging.cursor(|cursor| Some(cursor.to_owned()))?;
    let directory = caller.admin.edges.store.directory().await?;
    let fits = directory.apis().filter(|api| after.as_ref().is_none_or(|after| api.audience > *after));
    let mut page: Vec<&Api> = fits.take(asked.paging.limit as usize + 1).collect();
    let next = asked.paging.cut(&mut page, |api| api.audience.clone());
    Ok(ok(&AdminApiList { items: page.into_iter().map(AdminApi::of).collect(), next }))
}

async fn show(Auditor(caller): Auditor, asked: Named) -> Result<Response, Problem> {
    let directory = caller.admin.edges.store.directory().await?;
    Ok(tagged(StatusCode::OK, &AdminApi::of(named(&directory, asked.first())?)))
}

async fn create(Manager(caller): Manager, Json(body): Json<NewAdminApi>) -> Result<Response, Problem> {
    let given = ApiPatch {
        name: body.name,
        scopes: body.scopes,
        access_token_lifetime: body.access_token_lifetime.map_or(Patch::Keep, Patch::Set),
        signing_alg: body.signing_alg.map_or(Patch::Keep, Patch::Set),
        access_token: body.access_token,
    };
    let settings = given.onto(ApiSettings { name: body.audience.clone(), ..ApiSettings::default() })?;
    let made = caller.admin.create_api(&body.audience, settings).await?;
    Ok(tagged(StatusCode::CREATED, &AdminApi::of(&made)))
}

async fn change(
    Manager(caller): Manager,
    (asked, seen): (Named, IfMatch),
    Json(body): Json<ApiPatch>,
) -> Result<Response, Problem> {
    let directory = caller.admin.edges.store.directory().await?;
    let before = named(&directory, asked.first())?;
    seen.check(&AdminApi::of(before))?;
    let after = caller.admin.change_api(before, body.onto(before.settings.clone())?).await?;
    Ok(tagged(StatusCode::OK, &AdminApi::of(&after)))
}

async fn remove(Manager(caller): Manager, (asked, seen): (Named, IfMatch)) -> Result<Response, Problem> {
    let directory = caller.admin.edges.store.directory().await?;
    let api = named(&directory, asked.first())?;
    seen.check(&AdminApi::of(api))?;
    caller.admin.delete_api(api).await?;
    Ok(nothing())
}
