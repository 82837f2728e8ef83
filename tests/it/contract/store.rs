//! Each fact of the store, read back from memory and from the file.

use std::time::{Duration, Instant};

use symbolon::edge::store::{Beside, Change, Creation, Reach, Replacement, Room};
use symbolon::model::client::{ClientOrigin, ClientSecret};
use symbolon::model::epoch::Epoch;
use symbolon::model::id::{IdentityRuleId, SessionId, UserId};
use symbolon::model::identity_rule::{Effect, IdentityRule, RuleKind};
use symbolon::model::session::Session;
use symbolon::model::signing_key::{KeyState, RetiredSigningKey, StoredSigningKey};
use symbolon::model::token::{CodeRedemption, RefreshRotation};
use symbolon::model::user::{IdentifierKind, LookupName};
use symbolon::protocol::jose::algorithm::SigningAlgorithm;
use symbolon::protocol::jose::jws::SigningKey;
use symbolon::protocol::secret::Secret;

use crate::contract::sample::{self, House, at, hash};

on_each_engine! {
    a_client_is_changed_only_as_it_was_seen: of_nobody,
    rules_are_recorded_once_and_removed: of_nobody,
    a_client_is_read_back_as_it_was_written: of_nobody,
    a_deleted_client_takes_its_grants_and_tokens_along: of_alice_and_shop,
    a_person_is_found_by_each_of_their_names: of_alice_and_shop,
    a_name_belongs_to_one_person: of_alice_and_shop,
    a_disabled_person_has_no_sessions_and_no_grants: of_alice_and_shop,
    a_session_is_known_by_its_cookie_of_the_moment: of_alice_and_shop,
    a_session_in_use_stays_and_an_idle_one_is_not_listed: of_alice_and_shop,
    what_was_allowed_offline_outlives_the_session: of_alice_and_shop,
    a_new_session_takes_the_place_of_the_old_one: of_alice_and_shop,
    consent_is_remembered_widened_and_withdrawn: of_alice_and_shop,
    a_code_used_twice_revokes_its_grant: of_alice_and_shop,
    a_fact_that_fails_halfway_leaves_nothing: of_alice_and_shop,
    a_refresh_token_rotates_and_its_reuse_revokes_the_family: of_alice_and_shop,
    a_refresh_token_ends_when_idle_and_with_its_family: of_alice_and_shop,
    access_tokens_are_taken_back: of_alice_and_shop,
    some_values_are_good_once: of_nobody,
    the_first_key_and_the_first_secret_stand: of_nobody,
    what_has_expired_is_cleared_in_batches: of_alice_and_shop,
}

fn name(typed: &str) -> LookupName {
    LookupName::parse(typed).expect("a name")
}

async fn a_client_is_read_back_as_it_was_written(house: House) {
    let mut shop = sample::shop();
    assert!(house.store.client(&shop.id).await.expect("read").is_none());
    assert_eq!(house.store.create_client(&shop).await.expect("created"), Creation::Created);
    assert_eq!(house.store.create_client(&sample::client("shop")).await.expect("refused"), Creation::AlreadyExists);

    shop.secret = Some(ClientSecret::Sealed(vec![1, 2, 3]));
    shop.origin = ClientOrigin::Registered(hash("registration"));
    shop.policy.audience = vec!["https://api.example".to_owned()];
    shop.disabled_at = Some(at(9));
    assert!(house.store.update_client(&shop).await.expect("changed"));
    assert!(!house.store.update_client(&sample::client("nobody")).await.expect("no row"));
    // A registration that was read before is written: what the operator decided since then stands.
    let late = symbolon::model::client::Client { disabled_at: None, secret: None, ..shop.clone() };
    assert!(!house.store.register_again(&late).await.expect("refused"), "it is disabled");
    for store in [house.store.clone(), house.neighbour().await] {
        let read = store.client(&shop.id).await.expect("read").expect("there");
        assert_eq!(read.metadata, shop.metadata);
        assert_eq!((&read.origin, &read.policy), (&shop.origin, &shop.policy));
        assert_eq!((read.created_at, read.disabled_at), (at(0), Some(at(9))));
        assert!(matches!(&read.secret, Some(ClientSecret::Sealed(sealed)) if *sealed == [1, 2, 3]));
        assert_eq!(store.clients(10).await.expect("listed").len(), 1);
    }
    shop.disabled_at = None;
    assert!(house.store.update_client(&shop).await.expect("enabled again"));
    let renamed = symbolon::model::client::Client {
        metadata: sample::client("other").metadata,
        policy: symbolon::model::client::ClientPolicy::default(),
        secret: None,
        ..shop.clone()
    };
    assert!(house.store.register_again(&renamed).await.expect("changed"));
    let read = house.store.client(&shop.id).await.expect("read").expect("there");
    assert_eq!((&read.metadata, &read.policy), (&renamed.metadata, &shop.policy), "the policy is the operator's");
}

async fn a_client_is_changed_only_as_it_was_seen(house: House) {
    let (store, before) = (&house.store, sample::shop());
    assert_eq!(store.change_client(&before, &before, Beside::default()).await.expect("asked"), Change::Unknown);
    assert_eq!(store.create_client(&before).await.expect("created"), Creation::Created);
    let mut after = before.clone();
    after.policy.first_party = !before.policy.first_party;
    after.secret = Some(ClientSecret::Sealed(vec![4, 5, 6]));
    assert_eq!(store.change_client(&before, &after, Beside::default()).await.expect("changed"), Change::Done);
    assert_eq!(store.change_client(&before, &after, Beside::default()).await.expect("asked"), Change::Stale);
    for store in [house.store.clone(), house.neighbour().await] {
        let read = store.client(&before.id).await.expect("read").expect("there");
        assert_eq!((&read.policy, &read.metadata), (&after.policy, &after.metadata));
        assert!(matches!(&read.secret, Some(ClientSecret::Sealed(sealed)) if *sealed == [4, 5, 6]));
    }
}

async fn rules_are_recorded_once_and_removed(house: House) {
    let rule = |number: u8, pattern: &str| IdentityRule {
        id: IdentityRuleId::new(at(i64::from(number)), [number; 10]),
        effect: Effect::Deny,
        kind: RuleKind::Email,
        pattern: pattern.to_owned(),
        note: "junk".to_owned(),
        created_at: at(i64::from(number)),
    };
    let (store, first, second) = (&house.store, rule(1, "@a"), rule(2, "@b"));
    for rule in [&first, &second] {
        assert_eq!(store.create_identity_rule(rule, Beside::default()).await.expect("made"), Creation::Created);
    }
    let same = store.create_identity_rule(&rule(3, "@a"), Beside::default()).await.expect("asked");
    assert_eq!(same, Creation::AlreadyExists);
    assert_eq!(store.identity_rules().await.expect("read"), [first.clone(), second.clone()]);
    assert!(store.delete_identity_rule(first.id, Beside::default()).await.expect("removed"));
    assert!(!store.delete_identity_rule(first.id, Beside::default()).await.expect("asked"));
    assert_eq!(house.neighbour().await.identity_rule_ids().await.expect("read"), [second.id]);
}

async fn a_deleted_client_takes_its_grants_and_tokens_along(house: House) {
    let store = &house.store;
    let (refresh, opaque) = (sample::refresh_token("r1", 1, 0), sample::opaque("own", None));
    store.redeem_code(&sample::grant(1), Some(&refresh), None, at(0)).await.expect("redeemed");
    store.record_opaque(&opaque).await.expect("recorded");
    store.record_consent(&sample::consent(1, "openid"), Beside::default()).await.expect("recorded");

    assert!(store.delete_client(&sample::shop_id()).await.expect("deleted"));
    assert!(!store.delete_client(&sample::shop_id()).await.expect("gone"));
    assert!(store.client(&sample::shop_id()).await.expect("read").is_none());
    assert!(store.grant(sample::grant_id(1)).await.expect("read").is_none());
    assert!(store.refresh_token(&refresh.hash).await.expect("read").is_none());
    assert!(store.opaque_access_token(&opaque.hash).await.expect("read").is_none());
    assert!(store.consent(UserId::new(sample::ALICE), &sample::shop_id()).await.expect("read").is_none());
}

async fn a_person_is_found_by_each_of_their_names(house: House) {
    for store in [house.store.clone(), house.neighbour().await] {
        for typed in ["alice", " ALICE ", "Alice@Example.com"] {
            let found = store.user_by_name(&name(typed)).await.expect("read").expect("found");
            assert_eq!((found.id, &found.identifiers), (sample::alice().id, &sample::alice().identifiers), "{typed}");
            assert_eq!((&found.profile, found.role), (&sample::alice().profile, sample::alice().role));
            assert_eq!(found.primary(IdentifierKind::Email).map(|email| email.verified_at), Some(Some(at(0))));
        }
        assert!(store.user_by_name(&name("bob")).await.expect("read").is_none());
        let password = store.password(sample::alice().id).await.expect("read").expect("set");
        assert_eq!(password.expose(), "$argon2id$alice");
    }
}

async fn a_name_belongs_to_one_person(house: House) {
    let store = &house.store;
    let thief = sample::person([2; 16], &["bob", "ALICE@example.com"]);
    assert_eq!(store.create_user(&thief, Some("x")).await.expect("refused"), Creation::AlreadyExists);
    assert!(store.user(thief.id).await.expect("read").is_none());
    assert!(store.user_by_name(&name("bob")).await.expect("read").is_none(), "nothing is left of the attempt");

    let nameless = sample::person([3; 16], &[]);
    assert_eq!(store.create_user(&nameless, None).await.expect("created"), Creation::Created);
    assert!(store.password(nameless.id).await.expect("read").is_none());
    store.set_password(nameless.id, "first", at(1)).await.expect("set");
    store.set_password(nameless.id, "second", at(2)).await.expect("set");
    assert_eq!(store.password(nameless.id).await.expect("read").expect("set").expose(), "second");
    let replace = async |before: &str| {
        let hashes = (&Secret::from(before), "third");
        store.replace_password(nameless.id, hashes, at(3)).await.expect("asked")
    };
    assert!(!replace("first").await, "somebody changed the password meanwhile");
    assert_eq!(store.password(nameless.id).await.expect("read").expect("set").expose(), "second");
    assert!(replace("second").await);
    assert_eq!(store.password(nameless.id).await.expect("read").expect("set").expose(), "third");
    let users = store.users(10).await.expect("listed");
    let names: Vec<_> = users.iter().map(|user| user.identifiers.len()).collect();
    assert_eq!(names.iter().sum::<usize>(), 2, "alice has two names, the other none: {names:?}");
    assert_eq!(store.users(1).await.expect("listed").len(), 1);
}

async fn a_disabled_person_has_no_sessions_and_no_grants(house: House) {
    let store = &house.store;
    store.redeem_code(&sample::grant(1), None, None, at(0)).await.expect("redeemed");
    assert!(store.disable_user(sample::alice().id, at(5), Beside::default()).await.expect("disabled"));
    assert!(!store.disable_user(sample::alice().id, at(6), Beside::default()).await.expect("disabled before"));
    let alice = store.user(sample::alice().id).await.expect("read").expect("there");
    assert_eq!((alice.is_enabled(), alice.auth_epoch), (false, Epoch { count: 1, since: at(5) }));
    assert_eq!(store.session(sample::session_id()).await.expect("read").expect("there").ended_at, Some(at(5)));
    assert_eq!(store.grant(sample::grant_id(1)).await.expect("read").expect("there").revoked_at, Some(at(5)));
}

async fn a_session_is_known_by_its_cookie_of_the_moment(house: House) {
    let store = &house.store;
    let id = sample::session_id();
    let found = store.session_by_token(&hash("cookie")).await.expect("read").expect("found");
    assert_eq!((found.id, found.is_persistent, found.idle_lifetime), (id, true, 3_600));
    assert_eq!(
        (found.origin.user_agent.as_str(), &found.authentication),
        ("Browser/1.0", &sample::authentication(at(0)))
    );

    let again = sample::authentication(at(30));
    let renewed = store
        .renew_session((id, hash("fresh")), (&again, None), at(30), Beside::default())
        .await
        .expect("renewed")
        .expect("live");
    assert_eq!((renewed.authentication.at, renewed.last_seen_at), (at(30), at(30)));
    for store in [store.clone(), house.neighbour().await] {
        assert!(
            store.session_by_token(&hash("cookie")).await.expect("read").is_none(),
            "the old cookie is worth nothing"
        );
        assert_eq!(store.session_by_token(&hash("fresh")).await.expect("read").expect("found").id, id);
    }
    let mut stranger = again;
    stranger.user = UserId::new([9; 16]);
    assert!(
        store
            .renew_session((id, hash("stolen")), (&stranger, None), at(31), Beside::default())
            .await
            .expect("refused")
            .is_none()
    );
}

async fn a_session_in_use_stays_and_an_idle_one_is_not_listed(house: House) {
    let store = &house.store;
    let live = async |now| store.sessions_of(sample::alice().id, at(now)).await.expect("listed").len();
    let counted = async |now| store.count_live_sessions(at(now)).await.expect("counted");
    assert_eq!((live(3_599).await, live(3_600).await), (1, 0));
    assert_eq!((counted(3_599).await, counted(3_600).await), (1, 0));
    store.touch_session(sample::session_id(), at(1_000));
    store.touch_session(sample::session_id(), at(500));
    let session = async || store.session(sample::session_id()).await.expect("read").expect("there");
    let deadline = Instant::now() + Duration::from_secs(2);
    while session().await.last_seen_at != at(1_000) {
        assert!(Instant::now() < deadline, "the note was not written down");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // On SQLite the notes before this one are recorded when it is.
    store.set_password(sample::alice().id, "x", at(0)).await.expect("set");
    assert_eq!(session().await.last_seen_at, at(1_000), "a note that comes late does not turn time back");
    assert_eq!((live(4_599).await, live(4_600).await), (1, 0));
}

async fn what_was_allowed_offline_outlives_the_session(house: House) {
    let store = &house.store;
    let mut offline = sample::grant(2);
    offline.scope = sample::scope("openid offline_access");
    store.redeem_code(&sample::grant(1), None, None, at(0)).await.expect("redeemed");
    store.redeem_code(&offline, None, None, at(0)).await.expect("redeemed");

    assert!(store.end_session(sample::session_id(), Reach::Online, at(10), Beside::default()).await.expect("ended"));
    assert!(
        !store.end_session(sample::session_id(), Reach::Online, at(11), Beside::default()).await.expect("ended before")
    );
    for store in [store.clone(), house.neighbour().await] {
        assert_eq!(store.session(sample::session_id()).await.expect("read").expect("there").ended_at, Some(at(10)));
        assert_eq!(store.grant(sample::grant_id(1)).await.expect("read").expect("there").revoked_at, Some(at(10)));
        assert!(store.grant(sample::grant_id(2)).await.expect("read").expect("there").is_live());
    }
    let ended = store
        .renew_session(
            (sample::session_id(), hash("x")),
            (&sample::authentication(at(12)), None),
            at(12),
            Beside::default(),
        )
        .await;
    assert!(ended.expect("refused").is_none(), "an ended session does not come back");
}

async fn a_new_session_takes_the_place_of_the_old_one(house: House) {
    let store = &house.store;
    store.redeem_code(&sample::grant(1), None, None, at(0)).await.expect("redeemed");
    let next = Session {
        id: SessionId::new(at(20), [8; 10]),
        token_hash: hash("next"),
        created_at: at(20),
        ..sample::session()
    };
    store
        .begin_session(&next, Room { replaced: Some(sample::session_id()), at_most: None }, Beside::default())
        .await
        .expect("begun");
    assert_eq!(store.session_by_token(&hash("next")).await.expect("read").expect("found").id, next.id);
    let replaced = store.session_by_token(&hash("cookie")).await.expect("read").expect("kept until it expires");
    assert_eq!(replaced.ended_at, Some(at(20)));
    assert!(!store.grant(sample::grant_id(1)).await.expect("read").expect("there").is_live());
}

async fn consent_is_remembered_widened_and_withdrawn(house: House) {
    let (store, alice, shop) = (&house.store, sample::alice().id, sample::shop_id());
    assert!(store.consent(alice, &shop).await.expect("read").is_none());
    store.record_consent(&sample::consent(1, "openid"), Beside::default()).await.expect("recorded");
    store.record_consent(&sample::consent(2, "openid email"), Beside::default()).await.expect("recorded");
    for store in [store.clone(), house.neighbour().await] {
        let stands = store.consent(alice, &shop).await.expect("read").expect("there");
        assert_eq!((stands.scope.to_string().as_str(), stands.granted_at), ("openid email", at(2)));
        assert_eq!(stands.id, sample::consent(1, "").id, "the row keeps its first id");
        assert_eq!(store.consents_of(alice).await.expect("listed"), [(*stands).clone()]);
    }
    store.redeem_code(&sample::grant(1), None, None, at(3)).await.expect("redeemed");
    assert!(store.withdraw_consent(alice, &shop, at(4), Beside::default()).await.expect("withdrawn"));
    assert!(!store.withdraw_consent(alice, &shop, at(5), Beside::default()).await.expect("nothing left"));
    assert!(store.consent(alice, &shop).await.expect("read").is_none());
    assert_eq!(store.grant(sample::grant_id(1)).await.expect("read").expect("there").revoked_at, Some(at(4)));
}

/// RFC 6749 §4.1.2
async fn a_code_used_twice_revokes_its_grant(house: House) {
    let store = &house.store;
    let (grant, refresh, opaque) = (sample::grant(1), sample::refresh_token("r1", 1, 0), sample::opaque("a1", Some(1)));
    let redeem = async || store.redeem_code(&grant, Some(&refresh), Some(&opaque), at(7)).await.expect("answered");
    assert_eq!(redeem().await, CodeRedemption::Recorded);
    for store in [store.clone(), house.neighbour().await] {
        let read = store.grant(grant.id).await.expect("read").expect("there");
        assert_eq!((read.is_live(), &read.details, &read.scope), (true, &grant.details, &grant.scope));
        assert_eq!((read.user, &read.client, read.session), (grant.user, &grant.client, grant.session));
        assert_eq!((read.created_at, read.expires_at), (grant.created_at, grant.expires_at));
        assert_eq!(store.refresh_token(&refresh.hash).await.expect("read"), Some(refresh.clone()));
        assert_eq!(store.opaque_access_token(&opaque.hash).await.expect("read").as_deref(), Some(&opaque));
    }
    assert_eq!(redeem().await, CodeRedemption::Replayed);
    assert_eq!(store.grant(grant.id).await.expect("read").expect("there").revoked_at, Some(at(7)));

    let mut other_code = sample::grant(1);
    other_code.code_hash = hash("another code of the same id");
    assert!(store.redeem_code(&other_code, None, None, at(8)).await.is_err());
    assert!(!store.revoke_by_code(&other_code.code_hash, at(8)).await.expect("never redeemed"));
    store.redeem_code(&sample::grant(2), None, None, at(9)).await.expect("redeemed");
    assert!(store.revoke_by_code(&sample::grant(2).code_hash, at(9)).await.expect("revoked"));
    assert!(!store.grant(sample::grant_id(2)).await.expect("read").expect("there").is_live());
    assert!(!store.revoke_grant(sample::grant_id(2), at(9), Beside::default()).await.expect("revoked before"));
}

async fn a_fact_that_fails_halfway_leaves_nothing(house: House) {
    let store = &house.store;
    store.redeem_code(&sample::grant(1), Some(&sample::refresh_token("r", 1, 0)), None, at(0)).await.expect("redeemed");
    // The refresh token is taken: the grant must not stand without it, and the code stays good.
    let doomed = store.redeem_code(&sample::grant(2), Some(&sample::refresh_token("r", 2, 0)), None, at(0)).await;
    assert!(doomed.is_err());
    assert!(store.grant(sample::grant_id(2)).await.expect("read").is_none());
    let good = store.redeem_code(&sample::grant(2), Some(&sample::refresh_token("r2", 2, 0)), None, at(0)).await;
    assert_eq!(good.expect("redeemed"), CodeRedemption::Recorded);
}

/// RFC 9700 §4.14.2
async fn a_refresh_token_rotates_and_its_reuse_revokes_the_family(house: House) {
    let store = &house.store;
    store
        .redeem_code(&sample::grant(1), Some(&sample::refresh_token("r1", 1, 0)), None, at(0))
        .await
        .expect("redeemed");
    let rotate = async |presented: &str, successor: &str, now| {
        let rotation = sample::rotation(presented, successor, now);
        store.rotate_refresh_token(&rotation).await.expect("answered")
    };
    assert_eq!(rotate("never", "x", 1).await, RefreshRotation::Unknown);
    assert_eq!(rotate("r1", "r2", 10).await, RefreshRotation::Rotated);
    assert_eq!(store.refresh_token(&hash("r1")).await.expect("read").expect("there").used_at, Some(at(10)));
    assert_eq!(rotate("r1", "r2", 19).await, RefreshRotation::Repeated, "an honest retry");
    assert_eq!(rotate("r2", "r3", 19).await, RefreshRotation::Rotated);
    assert!(store.grant(sample::grant_id(1)).await.expect("read").expect("there").is_live());
    assert_eq!(rotate("r1", "r2", 19).await, RefreshRotation::Reused, "its successor was used");
    assert_eq!(store.grant(sample::grant_id(1)).await.expect("read").expect("there").revoked_at, Some(at(19)));
    assert_eq!(rotate("r3", "r4", 20).await, RefreshRotation::Unknown, "the family is gone");
}

#[tokio::test]
async fn a_retry_is_honest_only_in_the_grace_and_for_the_same_successor() {
    for (successor, now, expected) in [
        ("r2", 19, RefreshRotation::Repeated),
        ("r2", 20, RefreshRotation::Repeated),
        ("r2", 21, RefreshRotation::Reused),
        ("other", 11, RefreshRotation::Reused),
    ] {
        for house in [Some(House::empty().await), House::on_postgres().await].into_iter().flatten() {
            let house = house.of_alice_and_shop().await;
            let store = &house.store;
            let first = sample::refresh_token("r1", 1, 0);
            store.redeem_code(&sample::grant(1), Some(&first), None, at(0)).await.expect("redeemed");
            store.rotate_refresh_token(&sample::rotation("r1", "r2", 10)).await.expect("rotated");
            let mut retry = sample::rotation("r1", successor, now);
            retry.opaque = Some(sample::opaque("a2", Some(1)));
            let case = (successor, now);
            assert_eq!(store.rotate_refresh_token(&retry).await.expect("answered"), expected, "{case:?}");
            let grant = store.grant(sample::grant_id(1)).await.expect("read").expect("there");
            assert_eq!(grant.is_live(), expected == RefreshRotation::Repeated, "{case:?}");
            let opaque = store.opaque_access_token(&hash("a2")).await.expect("read");
            assert_eq!(opaque.is_some(), expected == RefreshRotation::Repeated, "{case:?}");
        }
    }
}

async fn a_refresh_token_ends_when_idle_and_with_its_family(house: House) {
    let store = &house.store;
    store
        .redeem_code(&sample::grant(1), Some(&sample::refresh_token("r1", 1, 0)), None, at(0))
        .await
        .expect("redeemed");
    let late = store.rotate_refresh_token(&sample::rotation("r1", "r2", 600)).await;
    assert_eq!(late.expect("answered"), RefreshRotation::Unknown);
    assert_eq!(
        store.rotate_refresh_token(&sample::rotation("r1", "r2", 599)).await.expect("answered"),
        RefreshRotation::Rotated
    );
    let mut last = sample::rotation("r2", "r3", 1_000);
    last.successor.expires_at = at(9_000);
    store.rotate_refresh_token(&last).await.expect("rotated");
    let after = store.rotate_refresh_token(&sample::rotation("r3", "r4", 6_000)).await;
    assert_eq!(after.expect("answered"), RefreshRotation::Unknown, "rotation does not move the end of the family");
    assert!(store.grant(sample::grant_id(1)).await.expect("read").expect("there").is_live());
}

async fn access_tokens_are_taken_back(house: House) {
    let (store, neighbour) = (&house.store, house.neighbour().await);
    let own = sample::opaque("own", None);
    store.record_opaque(&own).await.expect("recorded");
    for store in [store, &neighbour] {
        assert_eq!(store.opaque_access_token(&own.hash).await.expect("read").as_deref(), Some(&own));
    }
    assert!(store.revoke_opaque(&own.hash).await.expect("revoked"));
    assert!(!store.revoke_opaque(&own.hash).await.expect("gone"));
    assert!(store.opaque_access_token(&own.hash).await.expect("read").is_none());

    assert!(!store.is_denied(&hash("jti")).await.expect("read"));
    store.deny_access_token(&hash("jti"), at(60)).await.expect("denied");
    store.deny_access_token(&hash("jti"), at(60)).await.expect("denied again");
    assert!(store.is_denied(&hash("jti")).await.expect("read"));
    assert!(house.neighbour().await.is_denied(&hash("jti")).await.expect("read"), "a restart remembers");
}

async fn some_values_are_good_once(house: House) {
    let consume = async |kind, value, now| {
        house.store.consume_once(kind, &hash(value), at(now + 60), at(now)).await.expect("answered")
    };
    assert!(consume("assertion", "jti", 0).await);
    assert!(!consume("assertion", "jti", 59).await);
    assert!(consume("link", "jti", 0).await, "another kind");
    assert!(consume("assertion", "jti", 60).await, "it has expired");
}

async fn the_first_key_and_the_first_secret_stand(house: House) {
    let (store, neighbour) = (&house.store, house.neighbour().await);
    let key = |kid: &str, state| StoredSigningKey {
        kid: kid.to_owned(),
        algorithm: SigningAlgorithm::EdDSA,
        sealed_private_key: vec![1, 2, 3],
        state,
        created_at: at(0),
        activated_at: None,
        expires_at: None,
    };
    assert_eq!(store.add_signing_key(&key("a", KeyState::Active)).await.expect("added"), Creation::Created);
    let second = neighbour.add_signing_key(&key("b", KeyState::Active)).await;
    assert_eq!(second.expect("refused"), Creation::AlreadyExists, "one active key for each algorithm");
    assert_eq!(neighbour.add_signing_key(&key("c", KeyState::Next)).await.expect("added"), Creation::Created);
    let keys = store.signing_keys().await.expect("read");
    let told: Vec<_> = keys.iter().map(|key| (key.kid.as_str(), key.state, key.sealed_private_key.len())).collect();
    assert_eq!(told, [("a", KeyState::Active, 3), ("c", KeyState::Next, 3)]);

    assert_eq!(store.server_secret("csrf").await.expect("read"), None);
    assert_eq!(store.add_server_secret("csrf", b"first").await.expect("added"), b"first");
    assert_eq!(neighbour.add_server_secret("csrf", b"second").await.expect("read"), b"first");
    assert_eq!(store.server_secret("csrf").await.expect("read").as_deref(), Some(b"first".as_slice()));
}

async fn what_has_expired_is_cleared_in_batches(house: House) {
    let store = &house.store;
    for number in 1..=5 {
        let name = format!("r{number}");
        let refresh = sample::refresh_token(&name, number, 0);
        store.redeem_code(&sample::grant(number), Some(&refresh), None, at(0)).await.expect("redeemed");
    }
    store.record_opaque(&sample::opaque("own", None)).await.expect("recorded");
    store.deny_access_token(&hash("jti"), at(60)).await.expect("denied");
    store.consume_once("link", &hash("jti"), at(60), at(0)).await.expect("consumed");

    assert_eq!(store.clear_expired(at(59), 2).await.expect("cleared"), 0);
    assert_eq!(store.clear_expired(at(60), 2).await.expect("cleared"), 1, "S-167: the access token, at its end");
    let batches = [store.clear_expired(at(600), 2).await, store.clear_expired(at(600), 9).await];
    assert_eq!(batches.map(|batch| batch.expect("cleared")), [2, 3], "refresh tokens");
    assert_eq!(store.clear_expired(at(3_659), 2).await.expect("cleared"), 0, "an hour is left for clocks that jump");
    assert!(store.is_denied(&hash("jti")).await.expect("read"));
    assert_eq!(store.clear_expired(at(3_660), 2).await.expect("cleared"), 2, "denial, consumed value");
    assert!(!store.is_denied(&hash("jti")).await.expect("read"));
    assert_eq!(store.clear_expired(at(200_000), 9).await.expect("cleared"), 6, "five grants and the session");
    assert_eq!(store.clear_expired(at(200_000), 9).await.expect("cleared"), 0);
}

/// What is left of a key that went goes with a withdrawal, and a key that was withdrawn leaves nothing.
#[tokio::test]
async fn a_key_that_goes_leaves_its_public_half() {
    let house = House::empty().await;
    let (store, neighbour) = (&house.store, house.neighbour().await);
    let made = SigningKey::generate(SigningAlgorithm::EdDSA).expect("a key").key;
    let stored = |kid: &str, state| StoredSigningKey {
        kid: kid.to_owned(),
        algorithm: SigningAlgorithm::EdDSA,
        sealed_private_key: vec![1],
        state,
        created_at: at(0),
        activated_at: None,
        expires_at: None,
    };
    let retired = |kid: &str| RetiredSigningKey {
        kid: kid.to_owned(),
        algorithm: SigningAlgorithm::EdDSA,
        public_jwk: made.public_jwk().clone(),
        expires_at: at(100),
    };
    store.add_signing_key(&stored("a", KeyState::Active)).await.expect("added");
    store.add_signing_key(&stored("b", KeyState::Next)).await.expect("added");
    assert!(!store.let_signing_key_go(&retired("a")).await.expect("answered"), "it signs");
    assert!(store.activate_signing_key("b", at(5), at(9)).await.expect("done"));
    assert!(store.let_signing_key_go(&retired("a")).await.expect("done"));
    assert!(!neighbour.let_signing_key_go(&retired("a")).await.expect("answered"), "it went already");
    let left = neighbour.retired_signing_keys().await.expect("read");
    let told: Vec<_> = left.iter().map(|key| (key.kid.as_str(), &key.public_jwk, key.expires_at)).collect();
    assert_eq!(told, [("a", made.public_jwk(), at(100))]);
    let stand = neighbour.signing_key_states().await.expect("read");
    assert_eq!(stand.states.into_iter().collect::<Vec<_>>(), [("b".to_owned(), KeyState::Active)]);
    assert_eq!(stand.retired.into_iter().collect::<Vec<_>>(), ["a"]);

    let gone = vec!["a".to_owned(), "b".to_owned()];
    assert_eq!(neighbour.remove_signing_keys(gone).await.expect("removed"), 2);
    assert!(store.retired_signing_keys().await.expect("read").is_empty());
    assert!(!store.let_signing_key_go(&retired("b")).await.expect("answered"), "it was withdrawn");
}

/// Two nodes that rotate at the same moment: one does, and what one withdraws nobody keeps.
#[tokio::test]
async fn a_key_takes_over_once() {
    let house = House::empty().await;
    let (store, neighbour) = (&house.store, house.neighbour().await);
    let key = |kid: &str, state| StoredSigningKey {
        kid: kid.to_owned(),
        algorithm: SigningAlgorithm::EdDSA,
        sealed_private_key: vec![1],
        state,
        created_at: at(0),
        activated_at: None,
        expires_at: None,
    };
    store.add_signing_key(&key("a", KeyState::Active)).await.expect("added");
    store.add_signing_key(&key("b", KeyState::Next)).await.expect("added");
    let second = neighbour.add_signing_key(&key("c", KeyState::Next)).await.expect("answered");
    assert_eq!(second, Creation::AlreadyExists, "one next key for each algorithm");

    assert!(store.activate_signing_key("b", at(5), at(9)).await.expect("done"));
    assert!(!neighbour.activate_signing_key("b", at(6), at(10)).await.expect("done"), "it signs already");
    let keys = neighbour.signing_keys().await.expect("read");
    let told: Vec<_> = keys.iter().map(|key| (key.kid.as_str(), key.state, key.activated_at, key.expires_at)).collect();
    assert_eq!(told, [("a", KeyState::Retiring, None, Some(at(9))), ("b", KeyState::Active, Some(at(5)), None)]);

    let gone = vec!["a".to_owned(), "b".to_owned(), "unknown".to_owned()];
    let fresh = vec![key("d", KeyState::Active), key("e", KeyState::Active)];
    let done = neighbour.replace_signing_keys(gone, fresh).await.expect("done");
    let expected = Replacement { removed: 2, recorded: vec!["d".to_owned()] };
    assert_eq!(done, expected, "one key signs, and who asked is told which");
    let stand = store.signing_key_states().await.expect("read");
    assert_eq!(stand.states.into_iter().collect::<Vec<_>>(), [("d".to_owned(), KeyState::Active)]);
}
