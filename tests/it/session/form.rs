//! Forms that only our own pages can send.
//!
//! PROTOCOL S5; OWASP ASVS 3.5.1–3.5.3.

use axum::body::Body;
use http::header::{CONTENT_TYPE, COOKIE, ORIGIN};
use http::{Request, StatusCode};
use url::form_urlencoded::Serializer;

use crate::support::answer::FilledForm;
use crate::support::server::PASSWORD;
use crate::support::{Answer, Browser, RelyingParty, TestServer};

async fn sent_by(server: &TestServer, form: &FilledForm, cookies: &str, headers: &[(&str, &str)]) -> Answer {
    let body = Serializer::new(String::new()).extend_pairs(&form.fields).finish();
    let mut request = Request::post(&form.action).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    server.send(request.header(COOKIE, cookies).body(Body::from(body)).expect("a request")).await
}

#[tokio::test]
async fn each_form_is_bound_to_its_browser_and_purpose() {
    let server = TestServer::start().await;
    let shop = RelyingParty::web(&server, "shop").await;
    let alice = Browser::new(&server);
    let sign_in = alice.begin(&shop.begin("openid").with("prompt", "login consent select_account")).await;
    let login = sign_in.page().form_of("login-submit").fill("login", "alice").fill("password", PASSWORD);
    let consent = alice.submit(login.clone()).await;
    let consent = consent.page().form_of(if consent.page().has("account-current") {
        "account-current"
    } else {
        "consent-accept"
    });
    let account = alice.open("/account").await.page();
    let sign_out = account.form_of("sign-out");
    let cookies = alice.cookie_header();
    let stranger = Browser::new(&server);
    stranger.open("/sign-in").await;

    for form in [&login, &consent, &sign_out] {
        let action = &form.action;
        let own = [(ORIGIN.as_str(), server.issuer)];
        for (what, form, cookies, headers) in [
            ("no token", form.clone().fill("csrf", ""), cookies.clone(), own),
            ("a wrong token", form.clone().fill("csrf", &"A".repeat(43)), cookies.clone(), own),
            (
                "a token of another form",
                form.clone()
                    .fill("csrf", if form.action == login.action { &sign_out.fields[0].1 } else { &login.fields[0].1 }),
                cookies.clone(),
                own,
            ),
            ("another site", form.clone(), cookies.clone(), [(ORIGIN.as_str(), "https://evil.example")]),
            ("another port", form.clone(), cookies.clone(), [(ORIGIN.as_str(), "http://localhost:9999")]),
            ("a site beside ours", form.clone(), cookies.clone(), [("sec-fetch-site", "same-site")]),
            ("another site, by fetch metadata", form.clone(), cookies.clone(), [("sec-fetch-site", "cross-site")]),
            ("no cookies", form.clone(), String::new(), own),
            ("another browser", form.clone(), stranger.cookie_header(), own),
        ] {
            let answer = sent_by(&server, &form, &cookies, &headers).await;
            assert!(
                answer.status == StatusCode::BAD_REQUEST && answer.page().has("error-page"),
                "{what} at {action}: {answer}"
            );
        }
    }
    assert!(alice.open("/account").await.page().has("sign-out"), "nothing of that did anything");
    let answer =
        sent_by(&server, &sign_out, &cookies, &[(ORIGIN.as_str(), server.issuer), ("sec-fetch-site", "same-origin")])
            .await;
    assert!(answer.page().has("logged-out"), "{answer}");
}

/// A GET changes nothing.
#[tokio::test]
async fn pages_that_change_something_are_not_opened_by_links() {
    let server = TestServer::start().await;
    let alice = Browser::signed_in(&server, "alice").await;
    for path in ["/sign-out", "/account/apps/shop/revoke", "/account/sessions/x/end"] {
        let answer = alice.get(path).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert!(answer.page().has("error-page"), "{path}");
    }
    assert!(alice.open("/account").await.page().has("sign-out"));
}
