//! Groups, roles and permissions: each fact, read back from memory and by another process.

use std::time::{Duration, Instant};

use symbolon::edge::store::{Beside, Change, Give, Holder, Store};
use symbolon::model::directory::Directory;
use symbolon::model::group::{Group, GroupScope};
use symbolon::model::id::{GroupId, GroupScopeId, RoleId};
use symbolon::model::role::{AppRole, Permission};

use crate::contract::sample::{self, House, at, scope};

on_each_engine! {
    groups_nest_and_keep_their_names_apart: of_nobody,
    no_two_moves_at_once_make_a_circle: of_nobody,
    a_group_is_changed_as_it_was_read: of_nobody,
    what_is_deleted_takes_its_memberships_along: of_alice_and_shop,
    another_process_feels_a_membership: of_alice_and_shop,
    roles_and_permissions_come_by_groups: of_alice_and_shop,
}

fn group(number: u8, name: &str, parent: Option<u8>) -> Group {
    let id = |number: u8| GroupId::new(at(0), [number; 10]);
    Group {
        id: id(number),
        parent: parent.map(id),
        name: name.parse().expect("a name"),
        description: "for \"all\"".to_owned(),
        second_factor_at: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

fn role(number: u8, client: Option<&str>, name: &str) -> AppRole {
    AppRole {
        id: RoleId::new(at(0), [number; 10]),
        client: client.map(|client| client.parse().expect("a client id")),
        name: name.parse().expect("a name"),
        description: String::new(),
    }
}

async fn made(store: &Store, group: &Group) {
    assert_eq!(store.create_group(group, Beside::default()).await.expect("recorded"), Change::Done, "{group:?}");
}

async fn directory(store: &Store) -> std::sync::Arc<Directory> {
    store.directory().await.expect("read")
}

async fn groups_nest_and_keep_their_names_apart(house: House) {
    let store = &house.store;
    let create = async |group: &Group| store.create_group(group, Beside::default()).await.expect("asked");
    made(store, &group(1, "Staff", None)).await;
    made(store, &group(2, "Engineering", Some(1))).await;
    made(store, &group(3, "Engineering", None)).await;
    assert_eq!(create(&group(4, "STAFF", None)).await, Change::Taken);
    assert_eq!(create(&group(4, "engineering", Some(1))).await, Change::Taken);
    assert_eq!(create(&group(4, "Lost", Some(9))).await, Change::Unknown);
    let mut parent = 2;
    for depth in 3..=Group::MAX_DEPTH {
        let number = u8::try_from(depth + 10).expect("few");
        made(store, &group(number, "deeper", Some(parent))).await;
        parent = number;
    }
    assert_eq!(create(&group(200, "too deep", Some(parent))).await, Change::TooDeep);
    // With all that is within it, it would be too deep as well.
    let before = group(1, "Staff", None);
    let into = Group { parent: Some(group(3, "Engineering", None).id), ..before.clone() };
    assert_eq!(store.update_group(&before, &into, Beside::default()).await.expect("asked"), Change::TooDeep);
    for store in [store.clone(), house.neighbour().await] {
        let directory = directory(&store).await;
        let found = directory.group_at("/staff/engineering").expect("found");
        assert_eq!(*found, group(2, "Engineering", Some(1)));
        assert_eq!(directory.groups().count(), Group::MAX_DEPTH + 1);
    }
}

async fn no_two_moves_at_once_make_a_circle(house: House) {
    let neighbour = house.neighbour().await;
    for (number, name) in [(1, "a"), (2, "b")] {
        made(&house.store, &group(number, name, None)).await;
    }
    let (a, b) = (group(1, "a", None), group(2, "b", None));
    let (into_b, into_a) = (Group { parent: Some(b.id), ..a.clone() }, Group { parent: Some(a.id), ..b.clone() });
    let (one, other) = tokio::join!(
        house.store.update_group(&a, &into_b, Beside::default()),
        neighbour.update_group(&b, &into_a, Beside::default()),
    );
    let mut outcomes = [one.expect("asked"), other.expect("asked")].map(|outcome| format!("{outcome:?}"));
    outcomes.sort();
    assert_eq!(outcomes, ["Circle", "Done"]);
    let itself = Group { parent: Some(a.id), ..a.clone() };
    assert_eq!(house.store.update_group(&a, &itself, Beside::default()).await.expect("asked"), Change::Circle);
}

async fn a_group_is_changed_as_it_was_read(house: House) {
    let store = &house.store;
    let before = group(1, "Staff", None);
    made(store, &before).await;
    let renamed = Group { name: "People".parse().expect("a name"), updated_at: at(5), ..before.clone() };
    assert_eq!(store.update_group(&before, &renamed, Beside::default()).await.expect("asked"), Change::Done);
    let late = Group { description: "late".to_owned(), ..before.clone() };
    assert_eq!(store.update_group(&before, &late, Beside::default()).await.expect("asked"), Change::Stale);
    assert_eq!(directory(store).await.group_at("people"), Some(&renamed));
    let nobody = group(7, "nobody", None);
    assert_eq!(store.update_group(&nobody, &nobody, Beside::default()).await.expect("asked"), Change::Unknown);
}

async fn what_is_deleted_takes_its_memberships_along(house: House) {
    let (store, alice) = (&house.store, sample::alice().id);
    let (staff, engineering) = (group(1, "staff", None), group(2, "engineering", Some(1)));
    made(store, &staff).await;
    made(store, &engineering).await;
    let member =
        async |give, id| store.member_of_group(give, (alice, id), at(3), Beside::default()).await.expect("asked");
    assert_eq!(member(Give::To, engineering.id).await, Change::Done);
    assert_eq!(member(Give::To, engineering.id).await, Change::Unchanged, "she is in it");
    assert_eq!(member(Give::To, group(9, "x", None).id).await, Change::Unchanged, "there is no such group");
    assert_eq!(store.count_members(engineering.id).await.expect("counted"), 1);
    let kept = GroupScope {
        id: GroupScopeId::new(at(0), [1; 10]),
        group: engineering.id,
        name: "orders".to_owned(),
        scopes: scope("orders:read orders:write"),
    };
    assert_eq!(store.create_group_scope(&kept, Beside::default()).await.expect("asked"), Change::Done);
    let fewer = GroupScope { scopes: scope("orders:read"), ..kept.clone() };
    assert_eq!(store.update_group_scope(&kept, &fewer, Beside::default()).await.expect("asked"), Change::Done);
    assert_eq!(store.update_group_scope(&kept, &fewer, Beside::default()).await.expect("asked"), Change::Stale);
    assert_eq!(directory(store).await.scopes(), [fewer]);

    let delete = async |id| store.delete_group(id, Beside::default()).await.expect("asked");
    assert_eq!(delete(staff.id).await, Change::InUse);
    assert_eq!(delete(engineering.id).await, Change::Done);
    assert_eq!(delete(engineering.id).await, Change::Unknown);
    assert!(store.membership(alice).await.expect("read").groups.is_empty());
    assert!(directory(store).await.scopes().is_empty());
    assert_eq!(delete(staff.id).await, Change::Done);
}

async fn another_process_feels_a_membership(house: House) {
    let alice = sample::alice().id;
    let neighbour = house.neighbour().await;
    made(&house.store, &group(1, "staff", None)).await;
    let staff = group(1, "staff", None).id;
    for (give, count) in [(Give::To, 1), (Give::From, 0), (Give::To, 1)] {
        assert_eq!(neighbour.membership(alice).await.expect("read").groups.len(), 1 - count);
        house.store.member_of_group(give, (alice, staff), at(1), Beside::default()).await.expect("changed");
        let asked = Instant::now();
        while neighbour.membership(alice).await.expect("read").groups.len() != count {
            assert!(asked.elapsed() < Duration::from_secs(10), "it is not felt");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    assert_eq!(neighbour.members(staff, (None, 10)).await.expect("listed").len(), 1);
    assert!(neighbour.members(staff, (Some(alice), 10)).await.expect("listed").is_empty(), "those after her");
}

async fn roles_and_permissions_come_by_groups(house: House) {
    let (store, alice) = (&house.store, sample::alice().id);
    made(store, &group(1, "staff", None)).await;
    let staff = group(1, "staff", None).id;
    let (editor, shop) = (role(1, None, "editor"), role(2, Some("shop"), "editor"));
    for role in [&editor, &shop] {
        assert_eq!(store.create_role(role, Beside::default()).await.expect("asked"), Change::Done);
    }
    let again = role(3, Some("shop"), "editor");
    assert_eq!(store.create_role(&again, Beside::default()).await.expect("asked"), Change::Taken);
    let foreign = role(3, Some("nobody"), "editor");
    assert_eq!(store.create_role(&foreign, Beside::default()).await.expect("asked"), Change::Unknown);
    let read = Permission { name: "shop:orders:read".parse().expect("a name"), description: String::new() };
    assert_eq!(store.create_permission(&read, Beside::default()).await.expect("asked"), Change::Done);
    assert_eq!(store.create_permission(&read, Beside::default()).await.expect("asked"), Change::Taken);

    let given = store.role_of_group(Give::To, (editor.id, staff), Beside::default()).await.expect("asked");
    assert_eq!(given, Change::Done);
    let holder = Holder::Role(editor.id);
    let given = store.permission_of(Give::To, (&read.name, holder), Beside::default()).await.expect("asked");
    assert_eq!(given, Change::Done);
    store.role_of_user(Give::To, (alice, shop.id), Beside::default()).await.expect("given");
    store.member_of_group(Give::To, (alice, staff), at(1), Beside::default()).await.expect("put into");
    for store in [store.clone(), house.neighbour().await] {
        let (directory, membership) = (directory(&store).await, store.membership(alice).await.expect("read"));
        let rights = directory.rights(&membership);
        assert_eq!(rights.roles.len(), 2);
        assert_eq!(rights.permissions.keys().map(|name| name.as_str()).collect::<Vec<_>>(), ["shop:orders:read"]);
        assert_eq!(store.holders_of_role(shop.id, (None, 9)).await.expect("listed"), [alice]);
    }
    store.permission_of(Give::From, (&read.name, holder), Beside::default()).await.expect("taken");
    assert!(store.delete_client(&sample::shop_id()).await.expect("deleted"));
    let (directory, membership) = (directory(store).await, store.membership(alice).await.expect("read"));
    let rights = directory.rights(&membership);
    assert_eq!((rights.roles.len(), rights.permissions.len()), (1, 0), "the roles of an app go with it");
    assert_eq!(store.delete_role(editor.id, Beside::default()).await.expect("asked"), Change::Done);
    assert_eq!(store.delete_permission(&read.name, Beside::default()).await.expect("asked"), Change::Done);
}
