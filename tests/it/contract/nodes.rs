//! Two nodes on one PostgreSQL and one Redis are one server, also while either is away.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use futures_util::future::join_all;
use http::{Request, StatusCode};
use symbolon::account::Asking;
use symbolon::account::registration::NewAccount;
use symbolon::account::reset::{ResetChannel, ResetProof};
use symbolon::app::{App, Extras, Post, World};
use symbolon::config::Config;
use symbolon::config::secret::SecretSource;
use symbolon::dev::mailbox::Mailbox;
use symbolon::edge::clock::Clock;
use symbolon::edge::ephemeral::{CODE, Decision, EphemeralKey, EphemeralStore, Quota, RedisStore, SqlStore};
use symbolon::edge::store::{Beside, Reach, Store};
use symbolon::http::gate::Peer;
use symbolon::model::authorization_code::AuthorizationCode;
use symbolon::model::event::Provenance;
use symbolon::model::fault::{Fault, FaultKind};
use symbolon::model::token::CodeRedemption;
use symbolon::oauth::grant::authorization_code::{CodeParameters, redeem};
use symbolon::oauth::policy::Mode;
use symbolon::oauth::token::access_token::inspect;
use symbolon::protocol::numeric_date::NumericDate;
use symbolon::protocol::secret::{Secret, TokenHash};
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::backend::redis::{Mode as Spread, Redis};
use crate::backend::{Stop, postgres, redis};
use crate::contract::sample::{self, at};

/// The moment at which every story here is told.
struct Still;

impl Clock for Still {
    fn now(&self) -> NumericDate {
        at(1)
    }
}

/// Half a minute ahead of the others.
struct Ahead;

impl Clock for Ahead {
    fn now(&self) -> NumericDate {
        at(31)
    }
}

struct Nodes {
    one: App,
    two: App,
    _folder: TempDir,
}

async fn node(database: &str, redis: &str, folder: &Path) -> App {
    posting((database, redis), folder, Post::Settings).await
}

/// A node that hands its messages on to `post`.
async fn posting(stores: (&str, &str), folder: &Path, post: Post) -> App {
    with_clock(Arc::new(Still), stores, folder, post).await
}

async fn with_clock(clock: Arc<dyn Clock>, (database, redis): (&str, &str), folder: &Path, post: Post) -> App {
    let mut config = Config::default();
    config.database.url = Some(SecretSource::Value(Secret::from(database)));
    config.ephemeral.url = Some(SecretSource::Value(Secret::from(redis)));
    config.keys.master_key_file = folder.join("master.key");
    let world = World { clock, post, ..World::real() };
    App::build(&config, Mode::Production, world).await.expect("the node starts")
}

impl Nodes {
    /// Both start at once on an empty database; then Alice signs in, and there is the client `shop`.
    async fn start(database: &str, redis: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (one, two) = tokio::join!(node(database, redis, folder.path()), node(database, redis, folder.path()));
        sample::move_in(&one.provider.edges.store).await;
        Self { one, two, _folder: folder }
    }

    fn store(&self, of: usize) -> &Store {
        &self.of(of).provider.edges.store
    }

    fn ephemeral(&self, of: usize) -> &dyn EphemeralStore {
        &*self.of(of).provider.edges.ephemeral
    }

    fn of(&self, number: usize) -> &App {
        if number.is_multiple_of(2) { &self.one } else { &self.two }
    }

    /// A code that waits, made by the first node.
    async fn code(&self, number: u8) -> Result<Secret, Fault> {
        let grant = sample::grant(number);
        let waiting = AuthorizationCode {
            grant: grant.id,
            client: grant.client,
            session: grant.session,
            authentication: grant.details.authentication,
            redirect_uri: "https://shop.example/callback".to_owned(),
            redirect_uri_given: true,
            scope: grant.scope,
            nonce: None,
            code_challenge: None,
            claims: grant.details.claims,
            claims_locales: Vec::new(),
            resource: Vec::new(),
            issued_at: at(0),
            expires_at: at(60),
        };
        let code = Secret::from(format!("code {number}").as_str());
        CODE.put(self.ephemeral(0), TokenHash::of(code.expose()).as_bytes(), &waiting, at(60)).await?;
        Ok(code)
    }

    /// The access token that a node gives for the code.
    async fn redeem(&self, of: usize, code: &Secret) -> Result<String, String> {
        let parameters = CodeParameters {
            code,
            redirect_uri: Some("https://shop.example/callback"),
            code_verifier: None,
            resource: &[],
        };
        let response = redeem(&self.of(of).provider, Arc::new(sample::shop()), parameters).await;
        response.map(|response| response.access_token.expose().clone()).map_err(|refusal| refusal.code().to_string())
    }

    async fn is_good(&self, of: usize, token: &str) -> bool {
        inspect(&self.of(of).provider, token).await.expect("asked").is_some()
    }
}

/// What somebody was sent, once a node has looked after it.
async fn delivered(node: &App, mailbox: &Mailbox) -> String {
    node.courier.run_due().await.expect("delivered");
    mailbox.messages().pop().expect("a message").text
}

/// S-008, S-033, PROTOCOL T20: what is begun at one node is confirmed at both, at once, by one of them.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_made_once_and_a_link_is_good_once_on_two_nodes() {
    let Some((database, redis)) = servers().await else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mailbox = Mailbox::new(Arc::new(Still));
    let url = redis.url();
    let node = || Box::pin(posting((&database, &url), folder.path(), mailbox.post()));
    let (one, two) = tokio::join!(node(), node());
    let of = |number: usize| if number.is_multiple_of(2) { &one } else { &two };
    let asking = Asking {
        provenance: Provenance { address: "192.0.2.1".to_owned(), ..Provenance::default() },
        ..Asking::default()
    };
    let new = NewAccount { email: Some("carol@example.net".to_owned()), ..NewAccount::default() };
    let begun = one.provider.accounts.start_registration(new, &asking).await.expect("begun");
    let text = delivered(&two, &mailbox).await;
    let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit());
    let code = text.lines().map(str::trim).find(is_code).expect("a code").to_owned();
    let handle = begun.registration.expose();
    let confirms =
        (0..50).map(|number| of(number).provider.accounts.confirm_registration((handle, &code), None, &asking));
    let made = join_all(confirms).await.into_iter().filter_map(Result::ok).count();
    assert_eq!(made, 1);
    assert_eq!(two.provider.edges.store.users(10).await.expect("listed").len(), 1);

    let reset = two.provider.accounts.request_password_reset("carol@example.net", ResetChannel::Link, &asking).await;
    assert!(reset.expect("asked").flow.is_none());
    let text = delivered(&one, &mailbox).await;
    let link = text.split_whitespace().find(|word| word.starts_with("http")).expect("a link");
    let proof = ResetProof::Link(Secret::from(link.split_once("token=").expect("a token").1));
    let password = Secret::from("several words that do not belong together");
    let resets = (0..20).map(|number| of(number).provider.accounts.reset_password(&proof, (&password, None), &asking));
    let done = join_all(resets).await.into_iter().filter_map(Result::ok).count();
    assert_eq!(done, 1);
}

/// What a stranger is answered who asks for a new password at a node.
async fn knocks(node: &App) -> StatusCode {
    let body = Body::from(r#"{"identifier": "alice@example.com"}"#);
    let request = Request::post("/api/v1/password-resets").header("content-type", "application/json").body(body);
    let visit = node.front(Extras::default()).oneshot(Peer(([192, 0, 2, 1], 40_000).into())).await;
    let visit = visit.unwrap_or_else(|never| match never {});
    visit.oneshot(request.expect("a request")).await.unwrap_or_else(|never| match never {}).status()
}

/// Limits hold together on two nodes; without the store nobody is heard.
#[tokio::test(flavor = "multi_thread")]
async fn s_130_nodes_count_together_and_without_the_store_hear_nobody() {
    let Some(mut postgres) = postgres::own() else { return };
    let database = postgres.database().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let node = || Box::pin(counting(&database, folder.path()));
    let (one, two) = tokio::join!(node(), node());
    for number in 0..5 {
        let node = if number % 2 == 0 { &one } else { &two };
        assert_eq!(knocks(node).await, StatusCode::ACCEPTED, "number {number}");
    }
    for node in [&one, &two, &one] {
        assert_eq!(knocks(node).await, StatusCode::TOO_MANY_REQUESTS, "five a minute, wherever they are asked");
    }
    postgres.stop(Stop::Gently);
    for node in [&one, &two] {
        let status = knocks(node).await;
        assert!([StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS].contains(&status), "{status}");
    }
}

/// A node that counts in its database.
async fn counting(database: &str, folder: &Path) -> App {
    let mut config = Config::default();
    config.database.url = Some(SecretSource::Value(Secret::from(database)));
    config.keys.master_key_file = folder.join("master.key");
    let world = World { clock: Arc::new(Still), ..World::real() };
    App::build(&config, Mode::Production, world).await.expect("the node starts")
}

/// What both servers of this file need. `None` where a package is missing.
async fn servers() -> Option<(String, Redis)> {
    let postgres = postgres::shared()?;
    let redis = redis::own(Spread::Single)?;
    Some((postgres.database().await, redis))
}

/// Waits until it is so, at most a second.
async fn soon(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !is_so().await {
        assert!(start.elapsed() < Duration::from_secs(1), "{what}: not within a second");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// RFC 6749 §4.1.2, RFC 7009
#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_are_one_server() {
    let Some((database, redis)) = servers().await else { return };
    let nodes = Box::pin(Nodes::start(&database, &redis.url())).await;
    assert_eq!(nodes.one.provider.keys.load().jwks(), nodes.two.provider.keys.load().jwks(), "the same keys");

    let code = nodes.code(1).await.expect("kept");
    let attempts = join_all((0..50).map(|of| nodes.redeem(of, &code))).await;
    assert_eq!(attempts.iter().filter(|attempt| attempt.is_ok()).count(), 1, "{attempts:?}");
    let token = attempts.into_iter().find_map(Result::ok).expect("one");
    for of in [0, 1] {
        soon("a replay takes back what the code gave", async || !nodes.is_good(of, &token).await).await;
    }

    let code = nodes.code(2).await.expect("kept");
    let token = nodes.redeem(1, &code).await.expect("redeemed where it was not made");
    assert!(nodes.is_good(0, &token).await && nodes.is_good(1, &token).await);
    nodes.store(0).revoke_grant(sample::grant_id(2), at(1), Beside::default()).await.expect("revoked");
    soon("revocation", async || !nodes.is_good(1, &token).await).await;

    let code = nodes.code(3).await.expect("kept");
    let token = nodes.redeem(0, &code).await.expect("redeemed");
    assert!(nodes.is_good(1, &token).await);
    nodes.store(1).end_session(sample::session_id(), Reach::Online, at(1), Beside::default()).await.expect("ended");
    soon("sign-out", async || {
        let session = nodes.store(0).session(sample::session_id()).await.expect("read").expect("there");
        session.ended_at.is_some() && !nodes.is_good(0, &token).await
    })
    .await;

    let denied = TokenHash::of("jti");
    nodes.store(0).deny_access_token(&denied, at(60)).await.expect("denied");
    soon("a denied token", async || nodes.store(1).is_denied(&denied).await.expect("read")).await;

    let quota = Quota { burst: 10, period: Duration::from_mins(1) };
    let key = EphemeralKey::new("test", b"alice");
    let mut allowed = 0;
    for of in 0..40 {
        allowed +=
            usize::from(nodes.ephemeral(of).rate(&key, quota, at(1)).await.expect("counted") == Decision::Allowed);
    }
    assert_eq!(allowed, 10, "tries are counted together");

    assert!(nodes.store(1).client(&sample::shop_id()).await.expect("read").is_some());
    nodes.store(0).delete_client(&sample::shop_id()).await.expect("deleted");
    soon("deletion", async || nodes.store(1).client(&sample::shop_id()).await.expect("read").is_none()).await;
    assert!(nodes.store(1).user(sample::alice().id).await.expect("read").is_some());
    nodes.store(0).disable_user(sample::alice().id, at(1), Beside::default()).await.expect("disabled");
    soon("a disabled person", async || {
        let alice = nodes.store(1).user(sample::alice().id).await.expect("read").expect("there");
        !alice.is_enabled()
    })
    .await;
}

/// PROTOCOL.md §3: 30 s between the clocks of two nodes.
#[tokio::test(flavor = "multi_thread")]
async fn nodes_whose_clocks_differ_are_one_server() {
    let Some((database, redis)) = servers().await else { return };
    let (folder, url) = (tempfile::tempdir().expect("a temporary folder"), redis.url());
    let one = node(&database, &url, folder.path()).await;
    let two = with_clock(Arc::new(Ahead), (&database, &url), folder.path(), Post::Settings).await;
    sample::move_in(&one.provider.edges.store).await;
    let nodes = Nodes { one, two, _folder: folder };
    for (number, of) in [(1, 0), (2, 1)] {
        let code = nodes.code(number).await.expect("kept");
        let token = nodes.redeem(of, &code).await.expect("redeemed");
        // The one that is behind is given a token from its future.
        assert!(nodes.is_good(0, &token).await && nodes.is_good(1, &token).await, "from node {of}");
        assert_eq!(nodes.redeem(of + 1, &code).await, Err("invalid_grant".to_owned()), "used at node {of}");
        // A replay takes back what was given, by whatever clock.
        soon("both know", async || !nodes.is_good(0, &token).await && !nodes.is_good(1, &token).await).await;
    }
}

/// PROTOCOL.md §3: Redis gone or slow.
#[tokio::test(flavor = "multi_thread")]
async fn sign_in_goes_on_while_redis_is_away() {
    let Some((database, mut redis)) = servers().await else { return };
    let nodes = Box::pin(Nodes::start(&database, &redis.url())).await;
    let before = nodes.code(1).await.expect("kept");
    let quota = Quota { burst: 10, period: Duration::from_mins(1) };
    let key = EphemeralKey::new("test", b"mallory");
    for of in 0..4 {
        assert_eq!(nodes.ephemeral(of).rate(&key, quota, at(1)).await.expect("counted"), Decision::Allowed);
    }

    redis.freeze();
    let slowest = flows(&nodes, 2..12).await;
    assert!(slowest < Duration::from_millis(1500), "{slowest:?} while Redis is frozen");
    let mut allowed = 0;
    for of in 0..40 {
        allowed +=
            usize::from(nodes.ephemeral(of).rate(&key, quota, at(1)).await.expect("counted") == Decision::Allowed);
    }
    assert!((1..=8).contains(&allowed), "stricter on each node, never unlimited: {allowed}");
    // It may still be there: that is for later to tell.
    assert_eq!(nodes.redeem(1, &before).await, Err("temporarily_unavailable".to_owned()));
    redis.thaw();
    redis.stop(Stop::Kill);
    let slowest = flows(&nodes, 12..22).await;
    assert!(slowest < Duration::from_millis(1500), "{slowest:?} while Redis is gone");
    assert!(nodes.ephemeral(0).ready().await.is_err());
    assert!(nodes.store(0).is_ready().await);

    let waiting = nodes.code(22).await.expect("kept aside");
    redis.resume();
    let back = Instant::now();
    while nodes.ephemeral(0).ready().await.is_err() || nodes.ephemeral(1).ready().await.is_err() {
        assert!(back.elapsed() < Duration::from_secs(5), "Redis is back and nobody notices");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    nodes.redeem(1, &waiting).await.expect("what was put aside is found");
    assert_eq!(nodes.redeem(1, &before).await, Err("invalid_grant".to_owned()), "what Redis lost is gone");

    let code = nodes.code(23).await.expect("kept");
    nodes.redeem(0, &code).await.expect("redeemed");
    redis.flush();
    assert_eq!(nodes.redeem(1, &code).await, Err("invalid_grant".to_owned()), "nothing used becomes valid again");
    let code = nodes.code(24).await.expect("kept");
    nodes.redeem(1, &code).await.expect("a flushed Redis serves");
}

/// PROTOCOL.md §3: the sentinels name another master.
#[tokio::test(flavor = "multi_thread")]
async fn another_master_takes_over() {
    let Some(mut redis) = redis::own(Spread::Sentinel) else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let aside = SqlStore::open(&folder.path().join("aside.db")).await.expect("opens");
    let store = RedisStore::open(&redis.settings(), aside, Arc::new(Still)).expect("a URL");
    store.ready().await.expect("the sentinel names the master");
    let key = EphemeralKey::new("test", b"alice");
    store.put(&key, b"here".to_vec(), at(60)).await.expect("kept");
    redis.stop(Stop::Kill);
    let gone = Instant::now();
    while store.ready().await.is_err() {
        assert!(gone.elapsed() < Duration::from_secs(15), "nobody takes over");
        // What is put meanwhile is found.
        store.put(&key, b"there".to_vec(), at(60)).await.expect("kept aside");
        assert_eq!(store.get(&key, at(1)).await.expect("found").as_deref(), Some(&b"there"[..]));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("another master after {:.1} s", gone.elapsed().as_secs_f32());
    assert_eq!(store.take(&key, at(1)).await.expect("read").as_deref(), Some(&b"there"[..]));
    assert_eq!(store.take(&key, at(1)).await.expect("read"), None, "once");
}

/// To find the servers of a cluster takes several exchanges, longer than one request waits.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_far_away_is_reached() {
    let Some(redis) = redis::own(Spread::FarCluster) else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let aside = SqlStore::open(&folder.path().join("aside.db")).await.expect("opens");
    let store = RedisStore::open(&redis.settings(), aside, Arc::new(Still)).expect("a URL");
    let asked = Instant::now();
    while store.ready().await.is_err() {
        assert!(asked.elapsed() < Duration::from_secs(5), "never reached");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let key = EphemeralKey::new("test", b"alice");
    store.put(&key, b"here".to_vec(), at(60)).await.expect("kept");
    assert_eq!(store.get(&key, at(1)).await.expect("read").as_deref(), Some(&b"here"[..]));
}

/// A node with another master key can open nothing, and must not seal anything: neither at the start nor by a command.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_another_master_key_is_refused_before_it_writes() {
    let Some(postgres) = postgres::shared() else { return };
    let database = postgres.database().await;
    let folders = [0, 1].map(|_| tempfile::tempdir().expect("a temporary folder"));
    let config = |of: usize| {
        let mut config = Config::default();
        config.database.url = Some(SecretSource::Value(Secret::from(database.as_str())));
        config.keys.master_key_file = folders[of].path().join("master.key");
        config
    };
    // Each makes a key of its own, at the same moment, on an empty database.
    let (first, second) = (config(0), config(1));
    let (one, two) = tokio::join!(
        App::build(&first, Mode::Production, World::real()),
        App::build(&second, Mode::Production, World::real())
    );
    let (winner, loser, refused) = match (one, two) {
        (Ok(one), Err(refusal)) => (one, 1, refusal),
        (Err(refusal), Ok(two)) => (two, 0, refusal),
        (one, two) => panic!("one of them, not {:?} and {:?}", one.err(), two.err()),
    };
    assert_eq!(refused.exit_code(), 4, "{refused}");
    let kids = async || -> Vec<String> {
        let keys = winner.provider.edges.store.signing_keys().await.expect("read");
        keys.into_iter().map(|key| key.kid).collect()
    };
    let before = kids().await;
    let refused = symbolon::app::open(&config(loser), World::real()).await.err().expect("a command is refused as well");
    assert_eq!(refused.exit_code(), 4, "{refused}");
    assert_eq!(kids().await, before);
    winner.close().await;
    let (_, vault) = symbolon::app::open(&config(1 - loser), World::real()).await.expect("the right key");
    assert_eq!(vault.key_ids().len(), 1);
}

/// Codes made on one node and redeemed on both; exactly one of each is good. The longest it took.
async fn flows(nodes: &Nodes, numbers: std::ops::Range<u8>) -> Duration {
    let mut slowest = Duration::ZERO;
    for number in numbers {
        let start = Instant::now();
        let code = nodes.code(number).await.expect("kept");
        slowest = slowest.max(start.elapsed());
        for (of, expected) in [(number, true), (number + 1, false)] {
            let start = Instant::now();
            assert_eq!(nodes.redeem(of.into(), &code).await.is_ok(), expected, "code {number}");
            slowest = slowest.max(start.elapsed());
        }
    }
    slowest
}

/// PROTOCOL.md §3: PostgreSQL restarted.
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_postgres_costs_seconds_and_doubles_nothing() {
    let Some(mut postgres) = postgres::own() else { return };
    let database = postgres.database().await;
    let stores = [sample::connect(&database).await, sample::connect(&database).await];
    sample::move_in(&stores[0]).await;
    let ends = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..8_u8)
        .map(|writer| tokio::spawn(write(writer, stores[usize::from(writer) % 2].clone(), Arc::clone(&ends))))
        .collect();

    tokio::time::sleep(Duration::from_millis(300)).await;
    postgres.stop(Stop::Gently);
    let refused = Instant::now();
    let fault = stores[0].user_by_name(&symbolon::model::user::LookupName::parse("alice").expect("a name")).await;
    assert_eq!(fault.expect_err("there is no database").kind(), FaultKind::Unavailable);
    assert!(refused.elapsed() < Duration::from_secs(2), "told after {:?}", refused.elapsed());
    tokio::time::sleep(Duration::from_millis(700)).await;
    postgres.resume();
    let back = Instant::now();
    for store in &stores {
        while !store.is_ready().await {
            assert!(back.elapsed() < Duration::from_secs(5), "not back after five seconds");
        }
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    ends.store(true, Ordering::Relaxed);
    let (mut recorded, mut failed) = (Vec::new(), 0);
    for writer in writers {
        let told = writer.await.expect("no panic");
        recorded.extend(told.recorded);
        failed += told.failed;
        assert!(told.slowest < Duration::from_secs(5), "{:?}", told.slowest);
        assert!(told.resumed, "each writer records again after the restart");
    }
    assert!(failed > 0 && recorded.len() > 100, "{failed} failed, {} were recorded", recorded.len());
    for grant in &recorded {
        assert!(stores[1].grant(grant.id).await.expect("read").is_some(), "an acknowledged grant is lost");
        let again = stores[0].redeem_code(grant, None, None, at(2)).await.expect("answered");
        assert_eq!(again, CodeRedemption::Replayed, "a code is good once");
    }
    // What is held in memory hears again of what others change.
    let last = &recorded[recorded.len() - 1];
    soon("changes are heard again", async || {
        stores[1].grant(last.id).await.expect("read").is_some_and(|grant| !grant.is_live())
    })
    .await;
}

struct Told {
    recorded: Vec<symbolon::model::grant::Grant>,
    failed: usize,
    slowest: Duration,
    resumed: bool,
}

/// Redeems codes until it is told to end.
async fn write(writer: u8, store: Store, ends: Arc<AtomicBool>) -> Told {
    let mut told = Told { recorded: Vec::new(), failed: 0, slowest: Duration::ZERO, resumed: false };
    for number in 0_u32.. {
        if ends.load(Ordering::Relaxed) {
            break;
        }
        let mut grant = sample::grant(1);
        let [a, b, c, d] = number.to_be_bytes();
        grant.id = symbolon::model::id::GrantId::new(at(0), [9, writer, a, b, c, d, 0, 0, 0, 0]);
        grant.code_hash = TokenHash::of(&format!("{writer} {number}"));
        let start = Instant::now();
        match store.redeem_code(&grant, None, None, at(1)).await {
            Ok(redeemed) => {
                assert_eq!(redeemed, CodeRedemption::Recorded);
                told.resumed = told.failed > 0;
                told.recorded.push(grant);
            }
            Err(fault) => {
                assert_eq!(fault.kind(), FaultKind::Unavailable, "{fault}");
                told.failed += 1;
            }
        }
        told.slowest = told.slowest.max(start.elapsed());
    }
    told
}
