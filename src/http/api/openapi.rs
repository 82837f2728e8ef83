//! The OpenAPI document, made of the same list as the routes.
//!
//! OpenAPI 3.1 (S-176). Each operation lists every status and every code that it can answer with.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use serde_json::json;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathItem, PathsBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{
    AdditionalProperties, AnyOfBuilder, ArrayBuilder, ComponentsBuilder, ObjectBuilder, Schema, SchemaFormat, Type,
};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ContentBuilder, HeaderBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Required, ResponseBuilder,
    ServerBuilder,
};

use crate::http::api::code::Code;
use crate::http::api::operation::{Callers, Described, Operation, Success, SwitchedOff};
use crate::http::api::sign_in::is_off;
use crate::http::api::{BASE, CookieNames};
use crate::model::user::Role;
use crate::oauth::allowed::{ADMIN, ADMIN_READ};

/// The name of the schema of a refusal.
const PROBLEM: &str = "Problem";

/// The document for `operations`, without what is `off`, of the server at `issuer` whose cookies have these names.
pub(super) fn document(operations: &[Operation], off: &SwitchedOff, issuer: &str, cookies: &CookieNames) -> OpenApi {
    let cookie =
        |name: &str, about: &str| SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(name, about)));
    let mut components = ComponentsBuilder::new()
        .schema(PROBLEM, problem())
        .security_scheme("bearer", bearer())
        .security_scheme("cookie", cookie(&cookies.session, "The session of a browser."))
        .security_scheme(
            "access_cookie",
            cookie(
                &cookies.access,
                "The access token of a first-party app whose token_delivery is cookies; read where no session is, or with \
                 Prefer: cookies.",
            ),
        )
        .security_scheme("refresh_cookie", cookie(&cookies.refresh, "Its refresh token, below /api/v1/tokens."))
        .security_scheme(
            "csrf",
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
                "X-CSRF-Token",
                "What GET /session answers as csrf_token; beside a cookie, with every method that changes something.",
            ))),
        );
    let mut paths = PathsBuilder::new();
    for operation in operations {
        let given = operation.gives.iter().filter_map(|success| success.body.map(|describe| describe()));
        for Described { name, mut schema, parts } in operation.body().into_iter().chain(given) {
            leave_out(&mut schema, off);
            components = components.schema(name, schema).schemas_from_iter(parts);
        }
        let path = format!("{BASE}{}", operation.path);
        paths = paths.path(path, PathItem::new(method(&operation.method), describe(operation)));
    }
    let about = "Accounts, sign-in and tokens of first-party apps. Refusals are problems (RFC 9457) whose codes \
                 /api/v1/errors explains.";
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Symbolon account API")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(about))
                .build(),
        )
        .servers(Some([ServerBuilder::new().url(issuer).build()]))
        .paths(paths)
        .components(Some(components.build()))
        .build()
}

/// Leaves ways to begin a sign-in out that are switched off: they have no route of their own.
fn leave_out(schema: &mut RefOr<Schema>, off: &SwitchedOff) {
    let RefOr::T(Schema::Object(object)) = schema else { return };
    let Some(RefOr::T(Schema::Object(method))) = object.properties.get_mut("method") else { return };
    if let Some(ways) = &mut method.enum_values {
        ways.retain(|way| way.as_str().is_none_or(|way| !is_off(way, off)));
    }
}

fn method(method: &Method) -> HttpMethod {
    match method.as_str() {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

fn describe(operation: &Operation) -> utoipa::openapi::path::Operation {
    let mut described = OperationBuilder::new()
        .operation_id(Some(operation_id(operation)))
        .summary(Some(operation.summary))
        .tag(operation.group.as_str())
        .securities(Some(securities(operation)));
    for name in path_parameters(operation.path) {
        let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path).required(Required::True);
        described = described.parameter(parameter.schema(Some(text())));
    }
    if operation.if_match {
        let about = "The ETag of what the caller has seen: what was changed since then is left as it is.";
        let parameter = ParameterBuilder::new().name("If-Match").parameter_in(ParameterIn::Header);
        let parameter = parameter.required(Required::False).description(Some(about));
        described = described.parameter(parameter.schema(Some(text())));
    }
    if operation.prefers {
        let about =
            "token or cookies: how the app wants its tokens, where it may have them in more than one way (RFC 7240).";
        let parameter = ParameterBuilder::new().name("Prefer").parameter_in(ParameterIn::Header);
        let parameter = parameter.required(Required::False).description(Some(about));
        described = described.parameter(parameter.schema(Some(text())));
    }
    for (name, about) in &operation.query {
        let parameter = ParameterBuilder::new().name(*name).parameter_in(ParameterIn::Query).required(Required::False);
        described = described.parameter(parameter.description(Some(*about)).schema(Some(text())));
    }
    if let Some(takes) = operation.body() {
        let body = RequestBodyBuilder::new().content("application/json", content(&takes));
        // An empty body is an empty object, which is enough where no member must be there.
        let demands = match &takes.schema {
            RefOr::T(Schema::Object(object)) if object.required.is_empty() => Required::False,
            _ => Required::True,
        };
        described = described.request_body(Some(body.required(Some(demands)).build()));
    }
    if !operation.takes_file.is_empty() {
        let body = operation
            .takes_file
            .iter()
            .fold(RequestBodyBuilder::new(), |body, kind| body.content(*kind, ContentBuilder::new().build()));
        described = described.request_body(Some(body.required(Some(Required::True)).build()));
    }
    let mut gives: BTreeMap<StatusCode, Vec<&Success>> = BTreeMap::new();
    for success in &operation.gives {
        gives.entry(success.status).or_default().push(success);
    }
    for (status, successes) in gives {
        described = described.response(status.as_str().to_owned(), answer(&successes));
    }
    for (status, codes) in refusals(operation) {
        described = described.response(status.to_string(), refusal(status, &codes));
    }
    described.build()
}

/// `get_session`, `post_sign_in_challenge`, `delete_me_sessions_id`.
fn operation_id(operation: &Operation) -> String {
    let path: String = operation.path.chars().filter(|c| !matches!(c, '{' | '}')).collect();
    let path = path.trim_matches('/').replace(['/', '-', '.'], "_");
    let path = if path.is_empty() { "index" } else { &path };
    format!("{}_{path}", operation.method.as_str().to_ascii_lowercase())
}

fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split('}').next())
}

fn text() -> Schema {
    ObjectBuilder::new().schema_type(Type::String).into()
}

fn securities(operation: &Operation) -> Vec<SecurityRequirement> {
    let none: [String; 0] = [];
    let bearer = SecurityRequirement::new("bearer", none.clone());
    let by_cookie = |name: &str| {
        let cookie = SecurityRequirement::new(name, none.clone());
        if operation.method.is_safe() { cookie } else { cookie.add("csrf", none.clone()) }
    };
    match operation.callers {
        Callers::Anyone if operation.refresh_cookie => {
            vec![SecurityRequirement::default(), by_cookie("refresh_cookie")]
        }
        Callers::Anyone => vec![SecurityRequirement::default()],
        Callers::Person => vec![by_cookie("cookie"), by_cookie("access_cookie"), bearer],
        Callers::Bearer => vec![bearer, by_cookie("access_cookie")],
        Callers::Role(role) => {
            let scope = if role <= Role::Auditor { ADMIN_READ } else { ADMIN };
            vec![SecurityRequirement::new("bearer", [scope.to_owned(), format!("role:{}", role.as_str())])]
        }
    }
}

/// The codes that an operation refuses with, by status.
pub(super) fn refusals(operation: &Operation) -> BTreeMap<u16, Vec<Code>> {
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in &operation.refuses {
        for status in code.statuses() {
            by_status.entry(*status).or_default().push(*code);
        }
    }
    by_status
}

fn content(described: &Described) -> utoipa::openapi::Content {
    ContentBuilder::new().schema(Some(Ref::from_schema_name(described.name.clone()))).build()
}

/// The answer of a status: one of the bodies that it comes with.
fn answer(successes: &[&Success]) -> utoipa::openapi::Response {
    let abouts: Vec<&str> = successes.iter().map(|success| success.about).collect();
    let response = ResponseBuilder::new().description(abouts.join(" "));
    let bodies: Vec<Described> =
        successes.iter().filter_map(|success| success.body.map(|describe| describe())).collect();
    match &bodies[..] {
        [] => response.build(),
        [body] => response.content("application/json", content(body)).build(),
        _ => {
            let any =
                bodies.iter().fold(AnyOfBuilder::new(), |any, body| any.item(Ref::from_schema_name(body.name.clone())));
            response.content("application/json", ContentBuilder::new().schema(Some(any)).build()).build()
        }
    }
}

fn refusal(status: u16, codes: &[Code]) -> utoipa::openapi::Response {
    let codes: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default();
    let code = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(codes.clone()));
    let narrowed = ObjectBuilder::new().schema_type(Type::Object).property("code", code);
    let schema = utoipa::openapi::schema::AllOfBuilder::new().item(Ref::from_schema_name(PROBLEM)).item(narrowed);
    let mut response = ResponseBuilder::new()
        .description(format!("{reason}: {}", codes.join(", ")))
        .content("application/problem+json", ContentBuilder::new().schema(Some(schema)).build());
    if matches!(status, 429 | 503) {
        let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1_u32));
        let header = HeaderBuilder::new().schema(Some(seconds)).description(Some("Seconds to wait."));
        response = response.header("Retry-After", header.build());
    }
    if status == 429 {
        for (name, about) in [
            ("RateLimit", "The rule that allows no more, where it is one: r, what is left; t, seconds to wait."),
            ("RateLimit-Policy", "Each rule that counts here: q, how many; w, in how many seconds."),
        ] {
            let header = HeaderBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::String)));
            response = response.header(name, header.description(Some(about)).build());
        }
    }
    response.build()
}

/// RFC 9457, with the codes of the whole catalogue.
fn problem() -> Schema {
    let code =
        || ObjectBuilder::new().schema_type(Type::String).enum_values(Some(Code::ALL.iter().map(|code| code.as_str())));
    let uri = || ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::Custom("uri".to_owned())));
    let error = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("field", text())
        .property("code", code())
        .property("params", ObjectBuilder::new().schema_type(Type::Object))
        .required("field")
        .required("code")
        .required("params");
    let integer = || ObjectBuilder::new().schema_type(Type::Integer);
    let mut object = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("A refusal (RFC 9457)."))
        .property("type", uri())
        .property("title", text())
        .property("status", integer())
        .property("code", code())
        .property("errors", ArrayBuilder::new().items(RefOr::T(Schema::from(error))))
        .property("request_id", text())
        .property("retry_after", integer().minimum(Some(1_u32)).description(Some("The seconds of Retry-After.")))
        .property("detail", text())
        // What some codes tell beside: the catalogue of errors says which.
        .property("attempts_left", integer())
        .property("flow", text())
        .property("expires_in", integer())
        .property("methods", ArrayBuilder::new().items(RefOr::T(text())))
        .property("start_url", uri())
        .property("from", integer().description(Some("Seconds since 1970.")))
        .examples([json!({
            "type": "https://login.example.com/api/v1/errors#required", "title": "A field is missing", "status": 422,
            "code": "required", "errors": [{"field": "identifier", "code": "required", "params": {}}],
            "request_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        })]);
    for name in ["type", "title", "status", "code", "request_id"] {
        object = object.required(name);
    }
    object.additional_properties(Some(AdditionalProperties::FreeForm(false))).into()
}

fn bearer() -> SecurityScheme {
    let about = "An access token of this server, given to a first-party app.";
    SecurityScheme::Http(
        HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").description(Some(about)).build(),
    )
}
