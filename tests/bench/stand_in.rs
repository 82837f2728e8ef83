//! A small stand-in for the server, so that the driver can be tested alone (`--stand-in`). It signs and remembers nothing.

use std::collections::HashMap;
use std::io::Write as _;

use anyhow::{Context as _, Result};
use axum::extract::{Form, Query, State};
use axum::http::header::{COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// Serves until it is killed.
pub(crate) async fn serve() -> Result<()> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.context("listen")?;
    let issuer = format!("http://localhost:{}", listener.local_addr().context("the port")?.port());
    println!("{}", json!({"issuer": issuer, "users": [{"email": "alice@example.com", "password": "as typed"}]}));
    std::io::stdout().flush().context("print the facts")?;
    let router = Router::new()
        .route("/", get(async || "a page"))
        .route("/.well-known/openid-configuration", get(discovery))
        .route("/authorize", get(authorize))
        .route("/sign-in", post(sign_in))
        .route("/consent", post(consent))
        .route("/token", post(token))
        .route("/userinfo", get(async || Json(json!({"sub": "alice"}))))
        .route("/jwks", get(async || Json(json!({"keys": []}))))
        .route("/introspect", post(async || Json(json!({"active": true}))))
        .route(
            "/register",
            post(async || (StatusCode::CREATED, Json(json!({"client_id": "c", "client_secret": "s"})))),
        );
    axum::serve(listener, router.with_state(issuer)).await.context("serve")
}

async fn discovery(State(issuer): State<String>) -> Json<Value> {
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "jwks_uri": format!("{issuer}/jwks"),
        "introspection_endpoint": format!("{issuer}/introspect"),
        "registration_endpoint": format!("{issuer}/register"),
    }))
}

type Fields = HashMap<String, String>;

async fn authorize(Query(query): Query<Fields>, headers: HeaderMap) -> Response {
    let field = |name: &str| query.get(name).cloned().unwrap_or_default();
    let cookies = headers.get(COOKIE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let hidden =
        format!("<input type=hidden name=state value='{}'><input type=hidden name=csrf value=x>", field("state"));
    if !cookies.contains("session=") {
        return Html(format!("<form method=post action='/sign-in'>{hidden}<input id=login name=login><input id=password name=password type=password><button id=login-submit>Sign in</button></form>")).into_response();
    }
    if !cookies.contains("consent=") {
        return Html(format!("<form method=post action='/consent'>{hidden}<button id=consent-accept name=answer value=accept>Yes</button></form>")).into_response();
    }
    redirect(&format!("{}?code=abc&state={}", field("redirect_uri"), field("state")), "")
}

async fn sign_in(Form(form): Form<Fields>) -> Response {
    let typed = |name: &str, value: &str| form.get(name).is_some_and(|given| given == value);
    if !(typed("login", "alice@example.com") && typed("password", "as typed") && typed("csrf", "x")) {
        return StatusCode::FORBIDDEN.into_response();
    }
    redirect("/authorize?redirect_uri=https://bench.example/callback", "session=1; Path=/")
}

async fn consent(Form(form): Form<Fields>) -> Response {
    if form.get("answer").is_none_or(|answer| answer != "accept") {
        return StatusCode::FORBIDDEN.into_response();
    }
    redirect("/authorize?redirect_uri=https://bench.example/callback", "consent=1; Path=/")
}

fn redirect(location: &str, cookie: &str) -> Response {
    let answer = (StatusCode::SEE_OTHER, [(LOCATION, location.to_owned())]);
    if cookie.is_empty() { answer.into_response() } else { ([(SET_COOKIE, cookie.to_owned())], answer).into_response() }
}

async fn token(Form(form): Form<Fields>) -> Json<Value> {
    let jwt = format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(br#"{"alg":"ES256"}"#));
    let before = form.get("refresh_token").and_then(|token| token.parse::<u64>().ok()).unwrap_or_default();
    Json(
        json!({"access_token": jwt, "id_token": jwt, "token_type": "Bearer", "refresh_token": (before + 1).to_string()}),
    )
}
