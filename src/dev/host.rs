//! A development server answers to the names of this machine only, and leads browsers to the one it goes by.
//!
//! Its pages show passwords, so no site may reach it under a name of its own that it points here (DNS rebinding).
//! Passkeys and cookies need `localhost`: an address is no name for them.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Redirect, Response};

/// `router` behind this guard; `origin` is where it is meant to be reached: `http://localhost:8080`.
pub fn guard(router: Router, origin: String) -> Router {
    router.layer(from_fn_with_state(origin, check))
}

async fn check(State(origin): State<String>, request: Request, next: Next) -> Response {
    let named = match request.uri().authority() {
        Some(authority) => Some(Name::of(authority.host())),
        None => host(request.headers()),
    };
    match named {
        Some(Name::Address) if is_page(&request) => {
            let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
            Redirect::temporary(&format!("{origin}{path}")).into_response()
        }
        // Without a name there is nobody who was led here by one.
        None | Some(Name::Localhost | Name::Address) => next.run(request).await,
        Some(Name::Other) => {
            let text = format!("This is a development server. It answers at {origin} only.\n");
            (StatusCode::MISDIRECTED_REQUEST, text).into_response()
        }
    }
}

#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Name {
    Localhost,
    Address,
    Other,
}

impl Name {
    fn of(host: &str) -> Self {
        let host = host.to_ascii_lowercase();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
        if address.is_ok_and(|address| address.is_loopback()) {
            Self::Address
        } else if host == "localhost" || host.ends_with(".localhost") {
            Self::Localhost
        } else {
            Self::Other
        }
    }
}

fn host(headers: &HeaderMap) -> Option<Name> {
    let host = headers.get(header::HOST)?.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
    Some(host.map_or(Name::Other, |authority| Name::of(authority.host())))
}

/// Programs keep the address they chose; a person should see the name.
fn is_page(request: &Request) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    matches!(*request.method(), Method::GET | Method::HEAD) && accept.contains("text/html")
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn only_names_of_this_machine_are_answered() {
        let router = guard(Router::new().route("/a", get(|| async { "here" })), "http://localhost:8080".to_owned());
        for (host, accept, status, location) in [
            ("localhost:8080", "text/html", 200, None),
            ("LOCALHOST:8080", "*/*", 200, None),
            ("app.localhost:8080", "text/html", 200, None),
            ("127.0.0.1:8080", "text/html,*/*", 307, Some("http://localhost:8080/a?b=c")),
            ("[::1]:8080", "text/html", 307, Some("http://localhost:8080/a?b=c")),
            ("127.0.0.1:8080", "application/json", 200, None),
            ("attacker.example:8080", "text/html", 421, None),
            ("localhost.attacker.example", "*/*", 421, None),
            ("192.0.2.1:8080", "*/*", 421, None),
            ("a b", "*/*", 421, None),
        ] {
            let request = Request::get("/a?b=c").header("host", host).header("accept", accept);
            let answer = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            let led = answer.headers().get("location").map(|location| location.to_str().unwrap());
            assert_eq!((answer.status().as_u16(), led), (status, location), "{host} {accept}");
        }
        let nameless = router.oneshot(Request::get("/a").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(nameless.status(), 200);
    }
}
