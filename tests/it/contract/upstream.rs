//! Providers and the identities there are read back as they were written, also by a neighbour.

use symbolon::edge::store::{Beside, Creation, Otherwise, Unlinked};
use symbolon::model::id::{LinkId, ProviderId, UserId};
use symbolon::model::identity_provider::{
    IdentityProvider, ProviderKind, ProviderSecret, ProviderSettings, ProviderSlug,
};
use symbolon::model::upstream_link::UpstreamLink;

use crate::contract::sample::{self, House, at};

on_each_engine! {
    a_provider_is_read_back_as_it_was_written: of_nobody,
    an_identity_belongs_to_one_person: of_alice_and_shop,
}

fn provider(slug: &str) -> IdentityProvider {
    IdentityProvider {
        id: ProviderId::new(at(0), [7; 10]),
        slug: slug.parse::<ProviderSlug>().expect("a slug"),
        kind: ProviderKind::Google,
        client_id: "client".to_owned(),
        secret: Some(ProviderSecret::Environment("SECRET".to_owned())),
        settings: ProviderSettings { notes: Some("for us".to_owned()), ..ProviderSettings::default() },
        created_at: at(0),
        updated_at: at(0),
        disabled_at: None,
    }
}

async fn a_provider_is_read_back_as_it_was_written(house: House) {
    let store = &house.store;
    assert!(store.identity_providers().await.expect("read").is_empty());
    let mut google = provider("google");
    let create = async |provider: &IdentityProvider| {
        store.create_identity_provider(provider, Beside::default()).await.expect("recorded")
    };
    assert_eq!(create(&google).await, Creation::Created);
    let twin = IdentityProvider { id: ProviderId::new(at(1), [8; 10]), ..google.clone() };
    assert_eq!(create(&twin).await, Creation::AlreadyExists, "a slug names one provider");

    google.secret = Some(ProviderSecret::Sealed(vec![1, 2, 3]));
    google.settings.trust.email_domains = vec!["gmail.com".to_owned()];
    google.disabled_at = Some(at(3));
    assert!(store.update_identity_provider(&google, Beside::default()).await.expect("changed"));
    for store in [store.clone(), house.neighbour().await] {
        let read = store.identity_provider("google").await.expect("read").expect("there");
        assert_eq!((read.id, read.kind, &read.secret), (google.id, google.kind, &google.secret));
        assert_eq!((&read.settings, read.disabled_at), (&google.settings, google.disabled_at));
    }
    assert!(store.delete_identity_provider(google.id, Beside::default()).await.expect("removed"));
    assert!(!store.update_identity_provider(&google, Beside::default()).await.expect("no row"));
    assert!(store.identity_provider("google").await.expect("read").is_none());
}

async fn an_identity_belongs_to_one_person(house: House) {
    let store = &house.store;
    let google = provider("google");
    store.create_identity_provider(&google, Beside::default()).await.expect("recorded");
    let carol = UserId::new([9; 16]);
    store.create_user(&sample::person([9; 16], &["carol"]), None).await.expect("recorded");
    let link = |number: u8, subject: &str| UpstreamLink {
        id: LinkId::new(at(1), [number; 10]),
        provider: google.id,
        issuer: "https://accounts.google.com".to_owned(),
        subject: subject.to_owned(),
        user: carol,
        label: Some("alice@gmail.com".to_owned()),
        linked_at: at(1),
        last_used_at: None,
    };
    let first = link(1, "1");
    assert_eq!(store.link_identity(&first, Beside::default()).await.expect("linked"), Creation::Created);
    let again = store.link_identity(&link(2, "1"), Beside::default()).await.expect("refused");
    assert_eq!(again, Creation::AlreadyExists);
    assert!(store.record(Beside::default().and_identity(link(3, "1"))).await.is_err(), "a fact that needs it fails");
    let found = store.upstream_link("https://accounts.google.com", "1").await.expect("read");
    assert_eq!(found, Some(first.clone()));
    assert_eq!(store.upstream_link("https://other.example", "1").await.expect("read"), None, "sub is of its issuer");
    assert_eq!(store.count_upstream_links(google.id).await.expect("counted"), 1);

    store.note_upstream_use(first.id, None, at(5));
    while store.upstream_links(carol).await.expect("read")[0].last_used_at.is_none() {
        tokio::task::yield_now().await;
    }
    let unlink = async |id, otherwise| {
        store.unlink_identity((carol, id), otherwise, at(6), Beside::default()).await.expect("asked")
    };
    assert_eq!(unlink(first.id, Otherwise::Nothing).await, Unlinked::Last, "she has no password here");
    store.link_identity(&link(4, "2"), Beside::default()).await.expect("linked");
    assert_eq!(unlink(LinkId::new(at(1), [9; 10]), Otherwise::Another).await, Unlinked::Unknown);
    assert_eq!(unlink(first.id, Otherwise::Nothing).await, Unlinked::Unlinked, "another one is left");
    assert_eq!(unlink(link(4, "2").id, Otherwise::Another).await, Unlinked::Unlinked);
    assert!(store.upstream_links(carol).await.expect("read").is_empty());

    store.link_identity(&first, Beside::default()).await.expect("linked");
    store.delete_identity_provider(google.id, Beside::default()).await.expect("removed");
    assert_eq!(store.upstream_link("https://accounts.google.com", "1").await.expect("read"), None);
}
