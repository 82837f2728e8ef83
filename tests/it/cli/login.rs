//! A person signs in from a terminal.

use std::io::{BufRead as _, BufReader, Lines, Read as _};
use std::process::{Child, ChildStderr, Stdio};

use async_trait::async_trait;
use axum::body::Body;
use http::Request;
use serde_json::Value;

use crate::cli::station::Station;
use crate::support::transport::Transport;
use crate::support::wire::Wire;
use crate::support::{Answer, Browser};

/// The server of a station, as a browser reaches it.
#[derive(Clone)]
pub(super) struct There {
    wire: Wire,
    issuer: String,
}

impl There {
    pub(super) fn at(station: &Station) -> Self {
        Self { wire: Wire::to(format!("http://127.0.0.1:{}", station.port)), issuer: station.issuer() }
    }
}

#[async_trait]
impl Transport for There {
    async fn send(&self, request: Request<Body>) -> Answer {
        self.wire.send(request).await
    }

    fn issuer(&self) -> &str {
        &self.issuer
    }

    fn base(&self) -> &'static str {
        ""
    }

    fn now(&self) -> i64 {
        0
    }
}

/// Starts the program and reads the URL that it asks a person to open.
fn begin(station: &Station, arguments: &[&str]) -> (Child, Lines<BufReader<ChildStderr>>, String) {
    let mut command = station.command(&["--json", "login", "--no-browser", "--client-id", "terminal", "--wait", "20"]);
    let mut child = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    let mut told = BufReader::new(child.stderr.take().expect("piped")).lines();
    let url = told.by_ref().map_while(Result::ok).find(|line| line.trim().starts_with("http"));
    // Who stops listening breaks the pipe of who speaks.
    (child, told, url.expect("a URL").trim().to_owned())
}

fn end(mut child: Child) -> (i32, Value) {
    let mut out = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut out).expect("text");
    let code = child.wait().expect("it ends").code().expect("it was not killed");
    (code, serde_json::from_str(&out).unwrap_or_default())
}

#[tokio::test]
async fn a_terminal_signs_in_and_verifies_what_it_gets() {
    let station = Station::new();
    let native = ["client", "create", "Terminal", "--type", "native", "--id", "terminal"];
    let redirect = ["--redirect-uri", "http://127.0.0.1/callback", "--scope", "openid profile email"];
    station.run(&[&native[..], &redirect[..]].concat()).ok();
    station.run_with("correct horse battery staple\n", &["user", "create", "ada", "--email", "ada@example.com"]).ok();
    let _server = station.serve().await;
    let there = There::at(&station);

    let (child, _told, url) = begin(&station, &[]);
    let target = url.strip_prefix(&station.issuer()).expect("the issuer's own").to_owned();
    let browser = Browser::new(&there);
    let page = browser.open(&target).await;
    let page = browser.sign_in(&page, "ada").await;
    let back = browser.press(&page, "consent-accept").await;
    let back = back.header("location").to_owned();
    assert!(back.starts_with("http://127.0.0.1:") && back.contains("/callback?"), "{back}");
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    // An icon first, and an answer that is not ours: neither ends the wait, or is believed.
    let origin = back.split("/callback").next().expect("an origin");
    assert_eq!(client.get(format!("{origin}/favicon.ico")).send().await.expect("an answer").status(), 404);
    let shown = client.get(&back).send().await.expect("an answer").text().await.expect("text");
    assert!(shown.contains("close this window"), "{shown}");
    let (code, told) = end(child);
    assert_eq!(code, 0, "{told}");
    assert!(told["tokens"]["access_token"].is_string() && told["tokens"]["id_token"].is_string(), "{told}");
    assert_eq!(told["id_token_claims"]["iss"], station.issuer());
    assert_eq!(told["id_token_claims"]["aud"], "terminal");

    let (child, _told, url) = begin(&station, &[&station.issuer()]);
    let redirect = url::Url::parse(&url).expect("a URL");
    let redirect = redirect.query_pairs().find(|(name, _)| name == "redirect_uri").expect("it is sent").1.into_owned();
    client.get(format!("{redirect}?code=stolen&state=not-ours")).send().await.expect("an answer");
    assert_eq!(end(child).0, 1, "an answer to another request is refused");

    assert!(
        station
            .run(&["login", "http://127.0.0.1:1", "--client-id", "x", "--no-browser"])
            .refused(1)
            .contains("cannot be reached")
    );
}
