//! A stranger with time, addresses and odd bytes.

use axum::body::Body;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};

use crate::support::{Browser, RelyingParty, TestServer};

/// Known and unknown people are answered alike, byte for byte (PROTOCOL A17).
#[tokio::test]
async fn a_wrong_password_tells_nothing_about_the_name() {
    let server = TestServer::start().await;
    let browser = Browser::new(&server);
    let page = browser.get("/sign-in").await;
    let mut answers = Vec::new();
    for name in ["alice", "nobody", "alice@example.com", "nobody@example.com"] {
        let form = page.page().form_of("login-submit").fill("login", name).fill("password", "wrong");
        let answer = browser.submit(form).await;
        answers.push((answer.status, answer.text().replace(&name.replace('@', "&#x40;"), "…").replace(name, "…")));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:#?}");
}

/// No bytes of a stranger are a fault of ours.
#[tokio::test]
async fn odd_input_is_refused_and_never_a_fault() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let good = shop.begin("openid").parameters;
    let good: Vec<(&str, &str)> = good.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let odd =
        ["", "%00", "%ff", "%", "%zz", "%C3%A9", "%0D%0AX:%20y", "99999999999999999999", "-1", "[]", "{}", "null", "..", "%22", "%E2%80%AE"];
    for endpoint in ["/oauth2/authorize", "/oauth2/token", "/oauth2/introspect", "/oauth2/revoke", "/oauth2/userinfo", "/oauth2/logout", "/sign-in", "/sign-in/link", "/sign-out", "/consent"] {
        for name in ["client_id", "scope", "max_age", "prompt", "claims", "redirect_uri", "grant_type", "code", "token", "refresh_token", "client_assertion", "id_token_hint", "flow", "csrf", "login", "ui_locales"] {
            for value in odd {
                let mut query = url::form_urlencoded::Serializer::new(String::new());
                query.extend_pairs(good.iter().filter(|(known, _)| *known != name));
                let body = format!("{}&{name}={value}", query.finish());
                let posted = Request::post(endpoint)
                    .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(Body::from(body.clone()))
                    .expect("a request");
                let asked = Request::get(format!("{endpoint}?{body}")).body(Body::empty()).expect("a request");
                for request in [posted, asked] {
                    let answer = server.send(request).await;
                    assert!(!answer.status.is_server_error(), "{endpoint} {name}={value}: {answer}");
                    assert!(answer.headers.get("x").is_none(), "a header was smuggled: {answer}");
                }
            }
        }
    }
    for credentials in ["Basic", "Basic !!!", "Basic Og==", "Basic JTo=", "Bearer", "Bearer ", "Digest x", "Basic /w=="] {
        for endpoint in ["/oauth2/token", "/oauth2/userinfo", "/oauth2/introspect", "/oauth2/register"] {
            let request = Request::post(endpoint)
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(AUTHORIZATION, credentials)
                .body(Body::empty())
                .expect("a request");
            let answer = server.send(request).await;
            assert!(answer.status.is_client_error(), "{endpoint} {credentials}: {answer}");
        }
    }
}
