//! Errors that teach: every code has a page that says cause and cure, and every error leads there.
//!
//! RFC 6749 §4.1.2.1, §5.2 (`error_uri`).

use http::StatusCode;
use symbolon::protocol::error::ErrorCode;

use crate::support::relying_party::Proof;
use crate::support::server::Setup;
use crate::support::{Browser, RelyingParty, TestServer};

/// A code without a page, or without its texts, fails here.
#[tokio::test]
async fn each_code_has_a_page() {
    let server = TestServer::start().await;
    let reader = Browser::new(&server);
    let index = reader.get("/docs/errors").await;
    let listed = index.page().attributes("main h2 a", "href");
    for code in ErrorCode::ALL {
        assert!(listed.contains(&format!("/docs/errors/{code}")), "{code} is not listed");
    }
    for path in &listed {
        let page = reader.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{page}");
        let main = page.page().words("main");
        assert!(!main.contains("docs-") && !main.contains("error-"), "{path} lacks a text: {main}");
        assert!(main.len() > 80, "{path}: {main}");
    }
    assert_eq!(reader.get("/docs/errors/unheard_of").await.status, StatusCode::NOT_FOUND);
}

/// What the source calls an error page has texts, and so a page of its own.
#[tokio::test]
async fn each_error_page_is_explained() {
    let server = TestServer::start().await;
    let listed = Browser::new(&server).get("/docs/errors").await.page().attributes("main h2 a", "href");
    let mut files = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/http"))];
    let mut keys = Vec::new();
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path()));
            continue;
        }
        let source = std::fs::read_to_string(&path).expect("a file");
        let source = source.split("#[cfg(test)]").next().unwrap_or_default();
        for call in ["PageError::new(\"", "page_error(\"", "(\"interaction_"] {
            let rest = source.split(call).skip(1).filter_map(|rest| rest.split_once('"'));
            let stem = if call.starts_with('(') { "interaction_" } else { "" };
            keys.extend(rest.map(|(key, _)| format!("{stem}{key}")));
        }
    }
    assert!(keys.len() > 8, "{keys:?}");
    for key in keys {
        assert!(listed.contains(&format!("/docs/errors/{key}")), "the error page {key} has no texts");
    }
}

#[tokio::test]
async fn each_error_leads_to_its_page() {
    let server = TestServer::with(Setup { issuer: "https://id.example/tenant", ..Setup::default() }).await;
    let shop = RelyingParty::web(&server, "shop").await;
    let docs = "https://id.example/tenant/docs/errors";
    let mut liar = shop.clone();
    liar.proof = Proof::Basic("wrong".to_owned());
    assert_eq!(liar.introspect("x").await.json()["error_uri"], format!("{docs}/invalid_client"));
    let refused = shop.userinfo("x").await;
    assert!(refused.header("www-authenticate").contains(&format!("error_uri=\"{docs}/invalid_token\"")), "{refused}");

    let browser = Browser::new(&server);
    let answer = browser.begin(&shop.begin("openid").with("prompt", "none")).await;
    let uri = url::Url::parse(answer.location()).expect("a URL");
    let uri = uri.query_pairs().find(|(name, _)| name == "error_uri").expect("named").1.into_owned();
    assert_eq!(uri, format!("{docs}/login_required"));
    let path = uri.strip_prefix("https://id.example").expect("ours");
    assert_eq!(browser.get(path).await.status, StatusCode::OK);

    let page = browser.begin(&shop.begin("openid").with("client_id", "nobody")).await;
    let link = page.page().attribute("error-docs", "href").to_owned();
    assert_eq!(link, "/tenant/docs/errors/unknown_client");
    assert_eq!(browser.get(&link).await.status, StatusCode::OK);
}
