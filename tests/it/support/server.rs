//! A server in this process: the real app on SQLite in a temporary folder, in a given world, asked without a socket.
//! `SYMBOLON_TEST_DATABASE=postgres cargo test` tells every story on PostgreSQL instead.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};
use symbolon::app::{App, Extras, Post, World};
use symbolon::config::Config;
use symbolon::config::client_registration::ClientRegistrationMode;
use symbolon::config::issuer::Issuer;
use symbolon::config::secret::SecretSource;
use symbolon::dev::mailbox::Mailbox;
use symbolon::edge::store::Store;
use symbolon::http::front::Front;
use symbolon::http::gate::Peer;
use symbolon::jobs::backchannel_logout::Herald;
use symbolon::model::epoch::Epoch;
use symbolon::model::id::{IdentifierId, UserId};
use symbolon::model::user::{AccountState, Identifier, IdentifierKind, Role, User};
use symbolon::oauth::policy::Mode;
use symbolon::oauth::provider::Provider;
use symbolon::protocol::numeric_date::NumericDate;
use symbolon::protocol::oidc::claims::{Address, Profile};
use symbolon::protocol::secret::Secret;
use tempfile::TempDir;
use tokio::sync::OnceCell;
use tower::ServiceExt as _;

use crate::backend::postgres;

use super::answer::Answer;
use super::described;
use super::inbox::Inbox;
use super::transport::Transport;
use super::world::{BEGINNING, SeededRandom, TestClock, TestWeb};

/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse battery staple";
/// The issuer of a development server.
pub(crate) const ISSUER: &str = "http://localhost:8080";

/// How a server is set up.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) issuer: &'static str,
    pub(crate) mode: Mode,
    pub(crate) client_registration: ClientRegistrationMode,
    /// Changes to the settings.
    pub(crate) configure: fn(&mut Config),
}

impl Default for Setup {
    fn default() -> Self {
        let client_registration = ClientRegistrationMode::Off;
        Self { issuer: ISSUER, mode: Mode::Development, client_registration, configure: |_| {} }
    }
}

/// Where messages of a server go.
#[derive(Copy, Clone, Debug)]
enum Sends {
    ToMailbox,
    AsConfigured,
}

/// A running server. Clones share it.
#[derive(Clone)]
pub(crate) struct TestServer(Arc<Running>);

pub(crate) struct Running {
    pub(crate) app: App,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) web: Arc<TestWeb>,
    pub(crate) issuer: &'static str,
    mailbox: Mailbox,
    front: Front,
    folder: TempDir,
    plan: (Setup, Sends),
    /// What the server says of its API, once it was asked.
    document: OnceCell<serde_json::Value>,
}

impl std::ops::Deref for TestServer {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.0
    }
}

impl TestServer {
    /// A development server with Ada (who operates it), Alice and Bob.
    pub(crate) async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    pub(crate) async fn with(setup: Setup) -> Self {
        Self::configured(setup, |_| ()).await
    }

    /// A server with settings of its own.
    pub(crate) async fn configured(setup: Setup, configure: impl FnOnce(&mut Config)) -> Self {
        Self::built(setup, configure, Sends::ToMailbox).await
    }

    /// A server whose messages go where its settings say, over the real way out.
    pub(crate) async fn sending(setup: Setup, configure: impl FnOnce(&mut Config)) -> Self {
        Self::built(setup, configure, Sends::AsConfigured).await
    }

    async fn built(setup: Setup, configure: impl FnOnce(&mut Config), sends: Sends) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, bytes) in prepared().await {
            write_private(&folder.path().join(name), bytes);
        }
        let url = folder.path().join(DATABASE_URL);
        if let Ok(prepared) = std::fs::read_to_string(&url) {
            let copy = postgres::shared().expect("it was there before").copy(&prepared).await;
            std::fs::write(&url, copy).expect("written");
        }
        Self::open((folder, 2), Arc::new(TestClock::new()), (setup, sends), configure).await
    }

    /// The same server after a restart, on its files and at the same moment, with settings of its own.
    pub(crate) async fn restarted(self, configure: impl FnOnce(&mut Config)) -> Self {
        let running = Arc::into_inner(self.0).expect("nobody else holds it");
        running.app.close().await;
        Self::open((running.folder, 2), running.clock, running.plan, configure).await
    }

    /// Another node of this server: on its database, under its master key, by its clock.
    pub(crate) async fn neighbour(&self) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for shared in ["symbolon.key", DATABASE_URL] {
            if let Ok(bytes) = std::fs::read(self.folder.path().join(shared)) {
                write_private(&folder.path().join(shared), &bytes);
            }
        }
        let database = self.folder.path().join("symbolon.db");
        let seed = 1_000 + Self::number();
        Self::open((folder, seed), Arc::clone(&self.clock), self.plan.clone(), |config| {
            if config.database.url.is_none() {
                config.database.path = Some(database);
            }
        })
        .await
    }

    async fn open(
        (folder, seed): (TempDir, u64),
        clock: Arc<TestClock>,
        (setup, sends): (Setup, Sends),
        configure: impl FnOnce(&mut Config),
    ) -> Self {
        let web = Arc::new(TestWeb::default());
        let mut config = config(folder.path(), setup.issuer);
        config.client_registration.mode = setup.client_registration;
        (setup.configure)(&mut config);
        configure(&mut config);
        let mailbox = Mailbox::new(Arc::clone(&clock) as Arc<_>);
        let world = World {
            clock: Arc::clone(&clock) as Arc<_>,
            random: Arc::new(SeededRandom::new(seed)),
            fetch: match sends {
                Sends::ToMailbox => Arc::clone(&web) as Arc<_>,
                Sends::AsConfigured => World::of(&config).expect("settings that hold").fetch,
            },
            post: match sends {
                Sends::ToMailbox => mailbox.post(),
                Sends::AsConfigured => Post::Settings,
            },
        };
        let app = App::build(&config, setup.mode, world).await.expect("the server starts");
        let front = app.front(Extras::default());
        let (issuer, document) = (setup.issuer, OnceCell::new());
        Self(Arc::new(Running { app, clock, web, issuer, mailbox, front, folder, plan: (setup, sends), document }))
    }

    pub(crate) fn provider(&self) -> &Provider {
        &self.app.provider
    }

    pub(crate) fn store(&self) -> &Store {
        &self.app.provider.edges.store
    }

    /// The files of its folder.
    pub(crate) fn files(&self) -> Vec<std::path::PathBuf> {
        let folder = std::fs::read_dir(self.folder.path()).expect("the folder");
        folder.map(|file| file.expect("a file").path()).collect()
    }

    /// The same server, asked from another address.
    pub(crate) fn seen_from(&self, address: [u8; 4]) -> At {
        At { server: self.clone(), peer: (address, 50_000).into() }
    }

    pub(crate) fn front(&self) -> Front {
        self.front.clone()
    }

    /// An identifier's path: what precedes every page.
    pub(crate) fn base(&self) -> &str {
        self.app.provider.issuer.path()
    }

    /// What was sent to people so far, once it is [delivered](Self::deliver).
    pub(crate) fn mailbox(&self) -> Inbox {
        Inbox(self.mailbox.clone())
    }

    /// Carries out every message that is due by the story's clock; returns how many attempts that took.
    pub(crate) async fn deliver(&self) -> usize {
        self.app.courier.run_due().await.expect("the store answers")
    }

    /// Tells every app what is due by the story's clock; returns how many attempts that took.
    pub(crate) async fn tell_apps(&self) -> usize {
        let herald = Herald { provider: Arc::clone(&self.app.provider) };
        herald.run_due().await.expect("the store answers")
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Waits until everything is written down that was noted without waiting: facts are taken in the order they came.
    pub(crate) async fn settled(&self) {
        let key = symbolon::protocol::secret::TokenHash::of(&Self::number().to_string());
        let now = NumericDate::from_seconds(self.clock.seconds());
        self.store().consume_once("settled", &key, now, now).await.expect("written");
        if self.folder.path().join(DATABASE_URL).exists() {
            // PostgreSQL takes them side by side.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// A number that no other call of this process got: for names that must differ.
    pub(crate) fn number() -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }

    /// Sends a request and reads the answer to its end. What the API answers has to be described.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        self.send_from(([127, 0, 0, 1], 50_000).into(), request).await
    }

    /// [`Self::send`] from another place.
    pub(crate) async fn send_from(&self, peer: SocketAddr, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let answer = self.pass(peer, request).await;
        let below = path.strip_prefix(self.base()).unwrap_or(&path);
        if below.starts_with("/api/v1") {
            let load = async || {
                let target = format!("{}/api/v1/openapi.json", self.base());
                self.pass(peer, Request::get(target).body(Body::empty()).expect("a request")).await.ok()
            };
            described::check(self.document.get_or_init(load).await, (&method, below), &answer);
        }
        answer
    }

    async fn pass(&self, peer: SocketAddr, request: Request<Body>) -> Answer {
        let visit = self.front().oneshot(Peer(peer)).await.unwrap_or_else(|never| match never {});
        let response = visit.oneshot(request).await.unwrap_or_else(|never| match never {});
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("the body is in memory");
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, target: &str) -> Answer {
        self.send(Request::get(target).body(Body::empty()).expect("a request")).await
    }

    /// `GET` with a bearer token.
    pub(crate) async fn get_with(&self, target: &str, token: &str) -> Answer {
        let request = Request::get(target).header(AUTHORIZATION, format!("Bearer {token}"));
        self.send(request.body(Body::empty()).expect("a request")).await
    }

    pub(crate) async fn post(&self, target: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(form(target, fields)).await
    }

    /// A JSON body by any method; `token` is a bearer token.
    pub(crate) async fn json(
        &self,
        (method, target): (Method, &str),
        body: &serde_json::Value,
        token: Option<&str>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(target).header(CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        self.send(request.body(Body::from(body.to_string())).expect("a request")).await
    }

    /// Whose account a username names.
    pub(crate) async fn user(&self, username: &str) -> Arc<User> {
        let name = symbolon::model::user::LookupName::parse(username).expect("a name");
        self.store().user_by_name(&name).await.expect("the store answers").expect("somebody has this name")
    }
}

#[async_trait]
impl Transport for TestServer {
    async fn send(&self, request: Request<Body>) -> Answer {
        Self::send(self, request).await
    }

    fn issuer(&self) -> &str {
        self.issuer
    }

    fn base(&self) -> &str {
        Self::base(self)
    }

    fn now(&self) -> i64 {
        self.clock.seconds()
    }
}

/// A server as it is seen from one address.
#[derive(Clone)]
pub(crate) struct At {
    server: TestServer,
    peer: SocketAddr,
}

#[async_trait]
impl Transport for At {
    async fn send(&self, request: Request<Body>) -> Answer {
        self.server.send_from(self.peer, request).await
    }

    fn issuer(&self) -> &str {
        self.server.issuer
    }

    fn base(&self) -> &str {
        self.server.base()
    }

    fn now(&self) -> i64 {
        self.server.clock.seconds()
    }
}

/// A form as a client sends it.
pub(crate) fn form(target: &str, fields: &[(&str, &str)]) -> Request<Body> {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    Request::post(target)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body))
        .expect("a request")
}

/// The file with the URL of a database in PostgreSQL, where a story is told on one.
const DATABASE_URL: &str = "database.url";

fn config(folder: &Path, issuer: &str) -> Config {
    let mut config = Config { issuer: Issuer::parse(issuer).expect("an issuer"), ..Config::default() };
    let url = folder.join(DATABASE_URL);
    if url.exists() {
        config.database.url = Some(SecretSource::File(url));
    } else {
        config.database.path = Some(folder.join("symbolon.db"));
    }
    config.keys.master_key_file = folder.join("symbolon.key");
    config
}

/// Keys and people, made once and copied for each story: making them takes longer than most stories. Files by name.
async fn prepared() -> &'static [(String, Vec<u8>)] {
    static PREPARED: OnceCell<Vec<(String, Vec<u8>)>> = OnceCell::const_new();
    PREPARED
        .get_or_init(|| async {
            // A runtime of its own: the store's tasks must not live on that of the test that happens to come first.
            let preparing = std::thread::spawn(|| {
                let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
                runtime.block_on(prepare())
            });
            preparing.join().expect("it is prepared")
        })
        .await
}

async fn prepare() -> Vec<(String, Vec<u8>)> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    if std::env::var("SYMBOLON_TEST_DATABASE").is_ok_and(|engine| engine == "postgres") {
        let database = postgres::shared().expect("PostgreSQL is installed").database().await;
        write_private(&folder.path().join(DATABASE_URL), database.as_bytes());
    }
    let world = World {
        clock: Arc::new(TestClock::new()),
        random: Arc::new(SeededRandom::new(1)),
        fetch: Arc::new(TestWeb::default()),
        post: Post::Settings,
    };
    let app = App::build(&config(folder.path(), ISSUER), Mode::Development, world).await.expect("a server");
    let hash = app.hasher.hash(&Secret::from(PASSWORD)).await.expect("a hash");
    for (number, (name, role)) in (0..).zip([("ada", Role::Owner), ("alice", Role::Member), ("bob", Role::Member)]) {
        let user = person(name, role, number);
        app.provider.edges.store.create_user(&user, Some(&hash)).await.expect("stored");
    }
    app.close().await;
    std::fs::read_dir(folder.path())
        .expect("the folder")
        .map(|file| {
            let file = file.expect("a file");
            let name = file.file_name().into_string().expect("our names are ASCII");
            (name, std::fs::read(file.path()).expect("its bytes"))
        })
        .collect()
}

fn write_private(path: &Path, bytes: &[u8]) {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(path).expect("a new file");
    file.write_all(bytes).expect("written");
}

fn person(name: &str, role: Role, number: u8) -> User {
    let now = NumericDate::from_seconds(BEGINNING - 86_400);
    let identifier = |kind, value: String, row: u8| Identifier {
        id: IdentifierId::new(now, [number, row, 0, 0, 0, 0, 0, 0, 0, 0]),
        kind,
        value,
        verified_at: Some(now),
        is_primary: true,
    };
    let mut full = name.to_owned();
    full[..1].make_ascii_uppercase();
    User {
        id: UserId::new([0xA0 + number; 16]),
        profile: Profile {
            name: Some(format!("{full} Example")),
            given_name: Some(full),
            family_name: Some("Example".to_owned()),
            zoneinfo: Some("Europe/Berlin".to_owned()),
            locale: Some("en".to_owned()),
            address: Some(Address { country: Some("DE".to_owned()), ..Address::default() }),
            ..Profile::default()
        },
        identifiers: vec![
            identifier(IdentifierKind::Username, name.to_owned(), 0),
            identifier(IdentifierKind::Email, format!("{name}@example.com"), 1),
            identifier(IdentifierKind::Phone, format!("+4930901820{number:02}"), 2),
        ],
        role,
        auth_epoch: Epoch::FIRST,
        created_at: now,
        updated_at: now,
        state: AccountState::Active,
        attributes: serde_json::Map::new(),
        last_sign_in_at: None,
    }
}
