//! What a data folder holds after one start, and after the next.

use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::authn::password::hash::HashCost;
use crate::edge::clock::Clock;
use crate::edge::ephemeral::MemoryStore;
use crate::edge::fetch::HttpFetch;
use crate::edge::outbox::Outbox;
use crate::edge::random::SystemRandom;
use crate::edge::store::{DatabaseSettings, Store};
use crate::edge::vault::Vault;
use crate::model::user::{IdentifierKind, Role};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::Secret;

struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> NumericDate {
        NumericDate::from_seconds(1_800_000_000)
    }
}

async fn edges(folder: &Path) -> Edges {
    Edges {
        store: Store::open(&DatabaseSettings { path: folder.join("symbolon.db") }).await.unwrap(),
        ephemeral: Arc::new(MemoryStore::new()),
        fetch: Arc::new(HttpFetch::new()),
        clock: Arc::new(StoppedClock),
        random: Arc::new(SystemRandom),
        outbox: Outbox::new(Arc::new(Vault::new(Secret::new([0; 32]))), Arc::new(SystemRandom)),
    }
}

fn addresses(demo_port: u16) -> Addresses {
    Addresses {
        issuer: "http://localhost:8080".to_owned(),
        demo: format!("http://localhost:{demo_port}"),
        operations: "http://127.0.0.1:9090".to_owned(),
    }
}

fn hasher() -> PasswordHasher {
    PasswordHasher::with_cost(2, HashCost { memory: 64, passes: 1, lanes: 1 }).unwrap()
}

async fn found(edges: &Edges, name: &str) -> Arc<User> {
    edges.store.user_by_name(&LookupName::parse(name).unwrap()).await.unwrap().expect("the person is seeded")
}

#[tokio::test]
async fn a_fresh_folder_has_its_people_and_clients() {
    let folder = tempfile::tempdir().unwrap();
    let edges = edges(folder.path()).await;
    let credentials = Credentials::generate(WANTED, &SystemRandom);
    let facts = seed(&edges, &hasher(), &credentials, &addresses(8090)).await.unwrap();

    let people: Vec<_> = facts.users.iter().map(|user| user.email.as_str()).collect();
    assert_eq!(people, ["admin@example.com", "alice@example.com", "bob@example.com"]);
    for user in &facts.users {
        let by_email = found(&edges, &user.email).await;
        assert_eq!(by_email.id, found(&edges, &user.username).await.id);
        let stored = edges.store.password(by_email.id).await.unwrap().unwrap();
        assert!(hasher().verify(&user.password, Some(stored.expose())).await.unwrap().is_right(), "{}", user.username);
    }
    assert_eq!(found(&edges, "admin").await.role, Role::Owner);
    assert!(found(&edges, "alice").await.primary(IdentifierKind::Phone).is_some());

    for fact in &facts.clients {
        let client = edges.store.client(&fact.client_id.parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(client.is_public(), fact.client_secret.is_none(), "{}", fact.name);
        if let (Some(ClientSecret::Hashed(hash)), Some(secret)) = (&client.secret, &fact.client_secret) {
            assert!(hash.matches(&crate::protocol::secret::TokenHash::of(secret.expose())), "{}", fact.name);
        }
        assert_eq!(client.metadata.redirect_uris, fact.redirect_uris);
    }
}

#[tokio::test]
async fn a_restart_keeps_ids_and_follows_the_demo_app_to_its_port() {
    let folder = tempfile::tempdir().unwrap();
    let edges = edges(folder.path()).await;
    let credentials = Credentials::generate(WANTED, &SystemRandom);
    seed(&edges, &hasher(), &credentials, &addresses(8090)).await.unwrap();
    let before = found(&edges, "alice").await.id;
    let facts = seed(&edges, &hasher(), &credentials, &addresses(8091)).await.unwrap();

    assert_eq!(found(&edges, "alice").await.id, before);
    assert_eq!(edges.store.users(10).await.unwrap().len(), 3);
    assert_eq!(edges.store.clients(10).await.unwrap().len(), 3);
    assert_eq!(facts.clients[0].redirect_uris, ["http://localhost:8091/callback"]);
    let stored = edges.store.client(&DEMO_WEB.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(stored.metadata.redirect_uris, ["http://localhost:8091/callback"]);
}

#[tokio::test]
async fn what_is_printed_signs_in_even_after_a_password_was_changed() {
    let folder = tempfile::tempdir().unwrap();
    let edges = edges(folder.path()).await;
    let first = Credentials::generate(WANTED, &SystemRandom);
    seed(&edges, &hasher(), &first, &addresses(8090)).await.unwrap();
    let second = Credentials::generate(WANTED, &SystemRandom);
    seed(&edges, &hasher(), &second, &addresses(8090)).await.unwrap();

    let stored = edges.store.password(found(&edges, "bob").await.id).await.unwrap().unwrap();
    assert!(hasher().verify(second.of("bob"), Some(stored.expose())).await.unwrap().is_right());
    assert!(!hasher().verify(first.of("bob"), Some(stored.expose())).await.unwrap().is_right());
}
