//! kill -9 in the middle of load: what was acknowledged stands, and what was used is not good again.
//!
//! PROTOCOL §3 (kill -9 under load), T7, T20.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::body::Body;
use futures_util::future::join_all;
use http::{Method, Request, StatusCode};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::support::relying_party::Proof;
use crate::support::server::form;
use crate::support::transport::Transport;
use crate::support::wire::Wire;
use crate::support::{Answer, Browser, Exchange, RelyingParty};

/// Rounds, unless the variable names another number: PROTOCOL §3 asks for a hundred now and then.
const ROUNDS: usize = 5;
const ROUNDS_VARIABLE: &str = "SYMBOLON_TEST_KILL_ROUNDS";
const ROTATORS: usize = 4;
const REDEEMERS: usize = 3;
/// Codes that wait when the load begins.
const CODES: usize = 60;
const CALLBACK: &str = "https://load.example/callback";
const SCOPE: &str = "openid offline_access";

/// The built program, running on a folder.
pub(crate) struct Process {
    child: Child,
    facts: Value,
    pub(crate) server: There,
}

/// The way to it.
#[derive(Clone)]
pub(crate) struct There {
    pub(crate) wire: Wire,
    issuer: Arc<str>,
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

    #[expect(clippy::disallowed_methods, reason = "that process has the clock of this machine")]
    fn now(&self) -> i64 {
        let elapsed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
        i64::try_from(elapsed.as_secs()).expect("it fits")
    }
}

impl Process {
    /// Starts it on `folder`; `port` 0 is any.
    pub(crate) async fn start(folder: &Path, port: u16) -> Self {
        Self::start_by(Command::new(env!("CARGO_BIN_EXE_symbolon")), folder, port).await
    }

    /// Starts it by a command that ends in the program.
    pub(crate) async fn start_by(mut command: Command, folder: &Path, port: u16) -> Self {
        let port = port.to_string();
        let mut child = command
            .args(["dev", "--json", "--demo-port", "0", "--port", &port, "--data"])
            .arg(folder)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let line =
            tokio::time::timeout(Duration::from_secs(30), lines.next_line()).await.expect("it tells its facts in time");
        let facts: Value = serde_json::from_str(&line.expect("text").expect("a line")).expect("one line of JSON");
        let issuer = facts["issuer"].as_str().expect("a URL");
        let server = There { wire: Wire::to(issuer), issuer: issuer.into() };
        Self { child, facts, server }
    }

    pub(crate) fn port(&self) -> u16 {
        url::Url::parse(&self.server.issuer).expect("a URL").port().expect("a port")
    }

    /// SIGKILL: nothing of the process runs after it.
    async fn kill(mut self) {
        self.child.start_kill().expect("it runs");
        self.child.wait().await.expect("it is gone");
    }

    pub(crate) fn password_of(&self, username: &str) -> &str {
        let users = self.facts["users"].as_array().expect("a list");
        let user = users.iter().find(|user| user["username"] == username).expect("a seeded person");
        user["password"].as_str().expect("text")
    }

    /// An app that registers itself: its answer, and the app.
    pub(crate) async fn register(&self) -> (Value, RelyingParty) {
        let metadata = registration();
        let request = Request::post("/oauth2/register").header("content-type", "application/json");
        let answer = self.server.send(request.body(Body::from(metadata.to_string())).expect("a request")).await.ok();
        let app = self.app(&answer);
        (answer, app)
    }

    /// The app of a registration, at the server as it runs now.
    fn app(&self, registered: &Value) -> RelyingParty {
        let proof = Proof::Basic(text(registered, "client_secret"));
        RelyingParty::registered(&self.server, &text(registered, "client_id"), CALLBACK, proof)
    }
}

fn registration() -> Value {
    json!({"redirect_uris": [CALLBACK], "grant_types": ["authorization_code", "refresh_token", "client_credentials"]})
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

/// What was told to somebody before the end, and what was under way.
#[derive(Default)]
struct Told {
    /// Of each family: the tokens that were given, oldest first.
    families: Vec<Vec<String>>,
    /// Codes with the tokens they gave.
    redeemed: Vec<(Exchange, String, Value)>,
    /// Codes whose redemption was not answered.
    asked: Vec<(Exchange, String)>,
    /// Codes that nobody presented.
    waiting: Vec<(Exchange, String)>,
    registered: Vec<Value>,
    revoked: Vec<String>,
    /// Refresh tokens that were taken back.
    revoked_families: Vec<String>,
}

fn redemption(app: &RelyingParty, exchange: &Exchange, code: &str) -> Request<Body> {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", &*exchange.verifier),
    ];
    app.request("/oauth2/token", &fields)
}

/// Refreshes until the server is gone.
async fn rotate(server: There, app: RelyingParty, first: String) -> Vec<String> {
    let mut given = vec![first];
    loop {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", given.last().expect("one").as_str())];
        let Some(answer) = server.wire.try_send(app.request("/oauth2/token", &fields)).await else { return given };
        given.push(text(&answer.ok(), "refresh_token"));
    }
}

/// Redeems until the codes or the server are gone; every third grant is revoked.
async fn redeem(server: There, app: RelyingParty, codes: Vec<(Exchange, String)>) -> Told {
    let mut told = Told::default();
    let mut codes = codes.into_iter().enumerate();
    while let Some((number, (exchange, code))) = codes.next() {
        let Some(answer) = server.wire.try_send(redemption(&app, &exchange, &code)).await else {
            told.asked.push((exchange, code));
            told.waiting.extend(codes.map(|(_, waiting)| waiting));
            return told;
        };
        let tokens = answer.ok();
        if number % 3 == 2 {
            let refresh_token = text(&tokens, "refresh_token");
            let revocation = app.request("/oauth2/revoke", &[("token", &refresh_token)]);
            let Some(answer) = server.wire.try_send(revocation).await else { continue };
            assert_eq!(answer.status, StatusCode::OK, "{answer}");
            told.revoked_families.push(refresh_token);
        } else {
            told.redeemed.push((exchange, code, tokens));
        }
    }
    told
}

/// Registers, asks for a token of its own and revokes it, until the server is gone.
async fn register_and_revoke(server: There, app: RelyingParty) -> Told {
    let mut told = Told::default();
    loop {
        let request = Request::post("/oauth2/register").header("content-type", "application/json");
        let request = request.body(Body::from(registration().to_string())).expect("a request");
        let Some(answer) = server.wire.try_send(request).await else { return told };
        told.registered.push(answer.ok());

        let own = app.request("/oauth2/token", &[("grant_type", "client_credentials")]);
        let Some(answer) = server.wire.try_send(own).await else { return told };
        let token = text(&answer.ok(), "access_token");
        let Some(answer) = server.wire.try_send(app.request("/oauth2/revoke", &[("token", &token)])).await else {
            return told;
        };
        assert_eq!(answer.status, StatusCode::OK, "{answer}");
        told.revoked.push(token);
    }
}

/// Gets codes and leaves them, until the server is gone. `stop` ends it a moment before, so that a page is not cut off.
async fn authorize(app: RelyingParty, browser: Arc<Browser>, stop: Arc<AtomicBool>) -> Vec<(Exchange, String)> {
    let mut codes = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        let exchange = app.begin(SCOPE);
        let url = browser.authorize(&exchange, "alice").await;
        let code = app.code(&exchange, &url);
        codes.push((exchange, code));
    }
    codes
}

/// Everything of what was told still holds, and nothing that was used is good again.
async fn holds(process: &Process, app: &RelyingParty, told: Told) {
    // Codes first: they live for a minute.
    for (exchange, code) in &told.waiting {
        let answer = process.server.send(redemption(app, exchange, code)).await;
        assert_eq!(answer.status, StatusCode::OK, "a code that was given and never used: {answer}");
        let again = process.server.send(redemption(app, exchange, code)).await;
        assert_eq!(again.error(), "400 invalid_grant");
    }
    for (exchange, code) in &told.asked {
        let answer = process.server.send(redemption(app, exchange, code)).await;
        assert!(answer.status == StatusCode::OK || answer.error() == "400 invalid_grant", "{answer}");
        let again = process.server.send(redemption(app, exchange, code)).await;
        assert_eq!(again.error(), "400 invalid_grant", "whatever became of the first answer");
    }
    for (exchange, code, tokens) in &told.redeemed {
        assert!(app.is_active(&text(tokens, "access_token")).await, "tokens that were given stand");
        assert!(app.is_active(&text(tokens, "refresh_token")).await, "tokens that were given stand");
        let again = process.server.send(redemption(app, exchange, code)).await;
        assert_eq!(again.error(), "400 invalid_grant", "a used code stays used");
        assert!(!app.is_active(&text(tokens, "refresh_token")).await, "and its replay is seen");
    }
    for family in &told.families {
        let last = family.last().expect("one");
        let next = text(&app.refresh(last).await.ok(), "refresh_token");
        assert_eq!(text(&app.refresh(last).await.ok(), "refresh_token"), next, "an honest retry");
        if let [.., before, _] = family.as_slice() {
            assert_eq!(app.refresh(before).await.error(), "400 invalid_grant", "a used token stays used");
            assert_eq!(app.refresh(&next).await.error(), "400 invalid_grant", "and its reuse ends the family");
        }
    }
    for registered in &told.registered {
        let uri = text(registered, "registration_client_uri");
        let path = uri.strip_prefix(&*process.server.issuer).expect("one of ours").to_owned();
        let request = Request::builder().method(Method::GET).uri(path);
        let request =
            request.header("authorization", format!("Bearer {}", text(registered, "registration_access_token")));
        let answer = process.server.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(answer.ok()["client_id"], registered["client_id"]);
    }
    if let Some(last) = told.registered.last() {
        let grant =
            form("/oauth2/token", &[("grant_type", "client_credentials"), ("client_id", &text(last, "client_id"))]);
        assert_eq!(process.server.send(grant).await.error(), "401 invalid_client", "a name alone is no proof");
        process.app(last).post("/oauth2/token", &[("grant_type", "client_credentials")]).await.ok();
    }
    for token in &told.revoked {
        assert!(!app.is_active(token).await, "what was revoked stays revoked");
    }
    for token in &told.revoked_families {
        assert_eq!(app.refresh(token).await.error(), "400 invalid_grant", "what was revoked stays revoked");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_and_nothing_used_is_good_again() {
    let began = Instant::now();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let seed = u64::from(std::process::id());
    let mut random = StdRng::seed_from_u64(seed);
    let mut counts = [0; 5];
    let mut process = Process::start(folder.path(), 0).await;
    let (registered, mut app) = process.register().await;
    let mut cookies: Option<String> = None;
    let rounds = std::env::var(ROUNDS_VARIABLE).map_or(ROUNDS, |rounds| rounds.parse().expect("a number"));
    for round in 0..rounds {
        // The session of the round before outlived the process it was made in.
        let mut browser = Browser::new(&process.server).with_password(process.password_of("alice"));
        match &cookies {
            None => browser = signed_in(browser).await,
            Some(session) => browser.set_cookie("symbolon_session", session),
        }
        assert!(browser.open("/account").await.page().has("sign-out"), "round {round}: still signed in");
        cookies = browser.cookie("symbolon_session");

        let browser = Arc::new(browser);
        let time = Duration::from_millis(u64::from(random.next_u32() % 500) + 50);
        let (mut told, tasks) = load(&process, (&app, &browser), time).await;
        let port = process.port();
        process.kill().await;
        is_whole(folder.path()).await;
        told.merge(join_all(tasks).await.into_iter().map(|part| part.expect("no panic")));
        process = Process::start(folder.path(), port).await;
        assert_eq!(process.port(), port, "the issuer stays the same");
        app = process.app(&registered);
        let rotations: usize = told.families.iter().map(|family| family.len() - 1).sum();
        for (count, more) in counts.iter_mut().zip([
            rotations,
            told.redeemed.len() + told.revoked_families.len(),
            told.waiting.len(),
            told.registered.len(),
            told.revoked.len(),
        ]) {
            *count += more;
        }
        holds(&process, &app, told).await;
    }
    process.kill().await;
    is_whole(folder.path()).await;
    let [rotated, redeemed, waiting, registered, revoked] = counts;
    println!(
        "kill -9: {rounds} rounds in {:.1} s (seed {seed}), {rotated} rotations, {redeemed} redemptions, {waiting} waiting \
         codes, {registered} registrations, {revoked} revocations",
        began.elapsed().as_secs_f32()
    );
    assert!(counts.iter().all(|count| *count > 0), "each kind of load was there: {counts:?}");
}

/// `symbolon audit verify` finds nothing in what a killed process left.
async fn is_whole(folder: &Path) {
    let verify = Command::new(env!("CARGO_BIN_EXE_symbolon"))
        .args(["audit", "verify", "--json"])
        .current_dir(folder)
        .env_remove("SYMBOLON_CONFIG")
        .env("SYMBOLON__ISSUER", "http://localhost:8080")
        .env("SYMBOLON__DATABASE__PATH", folder.join("symbolon.db"))
        .env("SYMBOLON__KEYS__MASTER_KEY_FILE", folder.join("master.key"))
        .output()
        .await
        .expect("the program runs");
    assert!(verify.status.success(), "{verify:?}");
    let report: Value = serde_json::from_slice(&verify.stdout).expect("JSON");
    assert_eq!(report["whole"], true, "{report}");
    assert!(report["report"]["events"].as_u64().is_some_and(|events| events > 0), "{report}");
}

async fn signed_in(browser: Browser) -> Browser {
    let page = browser.open("/sign-in").await;
    let account = browser.sign_in(&page, "alice").await;
    assert!(account.page().has("sign-out"), "{account}");
    browser
}

impl Told {
    fn merge(&mut self, parts: impl IntoIterator<Item = Self>) {
        for part in parts {
            self.families.extend(part.families);
            self.redeemed.extend(part.redeemed);
            self.asked.extend(part.asked);
            self.waiting.extend(part.waiting);
            self.registered.extend(part.registered);
            self.revoked.extend(part.revoked);
            self.revoked_families.extend(part.revoked_families);
        }
    }
}

type Load = (Told, Vec<tokio::task::JoinHandle<Told>>);

/// Begins the load and lets it run for a while; what it was told comes when the server is gone.
async fn load(process: &Process, (app, browser): (&RelyingParty, &Arc<Browser>), time: Duration) -> Load {
    let mut tasks = Vec::new();
    let mut codes = Vec::new();
    for _ in 0..ROTATORS + CODES {
        let exchange = app.begin(SCOPE);
        let code = app.code(&exchange, &browser.authorize(&exchange, "alice").await);
        codes.push((exchange, code));
    }
    for (exchange, code) in codes.split_off(CODES) {
        let tokens = app.redeem(&exchange, &code).await.ok();
        let (server, app) = (process.server.clone(), app.clone());
        tasks.push(tokio::spawn(async move {
            let family = rotate(server, app, text(&tokens, "refresh_token")).await;
            Told { families: vec![family], ..Told::default() }
        }));
    }
    let share = CODES / REDEEMERS;
    for _ in 0..REDEEMERS {
        let own = codes.split_off(codes.len() - share);
        tasks.push(tokio::spawn(redeem(process.server.clone(), app.clone(), own)));
    }
    tasks.push(tokio::spawn(register_and_revoke(process.server.clone(), app.clone())));
    let stop = Arc::new(AtomicBool::new(false));
    let authorizing = tokio::spawn(authorize(app.clone(), Arc::clone(browser), Arc::clone(&stop)));
    tokio::time::sleep(time).await;
    stop.store(true, Ordering::SeqCst);
    let waiting = authorizing.await.expect("no panic");
    (Told { waiting, ..Told::default() }, tasks)
}
