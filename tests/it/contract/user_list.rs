//! People are listed in an order, filtered and found, page by page; the same on both engines.

use symbolon::edge::store::{Beside, Creation, Give, RegistrationQuery, UserQuery, UserSort};
use symbolon::model::group::Group;
use symbolon::model::id::{GroupId, UserId};
use symbolon::model::user::{Role, User};
use symbolon::protocol::oidc::claims::Profile;

use crate::contract::sample::{self, House, at};

on_each_engine! {
    people_are_found_by_how_a_name_begins: of_nobody,
    people_are_filtered_and_walked_page_by_page: of_nobody,
    whom_an_earlier_release_wrote_down_is_found_later: of_nobody,
    registrations_are_filtered_and_walked_the_latest_first: of_nobody,
}

const ALL: UserQuery = UserQuery {
    sort: UserSort::Created { after: None },
    role: None,
    state: None,
    group: None,
    search: None,
    limit: 100,
};

/// Somebody of this number, name and role, made so many seconds later.
fn person(number: u8, (login, name): (&str, &str), role: Role) -> User {
    let mut random = [0; 16];
    random[0] = number;
    User {
        profile: Profile { name: Some(name.to_owned()), ..Profile::default() },
        role,
        created_at: at(i64::from(number)),
        ..sample::person(random, &[&format!("{login}@example.com"), login])
    }
}

async fn furnished(house: &House) -> Vec<UserId> {
    let people = [
        person(1, ("ann", "Ann-Marie Miller"), Role::Owner),
        person(2, ("bob", "Bob Annan"), Role::Member),
        person(3, ("Zoë", "Zoë Ångström"), Role::Auditor),
        person(4, ("carol", "Carol Miller 50% _x"), Role::Member),
    ];
    for user in &people {
        assert_eq!(house.store.create_user(user, None).await.expect("asked"), Creation::Created);
    }
    people.iter().map(|user| user.id).collect()
}

/// The logins of those who are found, in their order.
async fn found(house: &House, query: UserQuery) -> Vec<String> {
    let users = house.store.find_users(&query).await.expect("found");
    users.iter().map(|user| user.login().to_lowercase()).collect()
}

async fn search(house: &House, text: &str) -> Vec<String> {
    found(house, UserQuery { search: Some(text.to_owned()), ..ALL }).await
}

async fn people_are_found_by_how_a_name_begins(house: House) {
    let ids = furnished(&house).await;
    for (text, expected) in [
        ("ann", &["ann", "bob"][..]),
        ("ANN-M", &["ann"]),
        ("  miller ", &["ann", "carol"]),
        ("carol  miller", &["carol"]),
        ("bob@example.com", &["bob"]),
        ("bob@", &["bob"]),
        ("zo", &["zoë"]),
        ("ZOË", &["zoë"]),
        ("ångs", &["zoë"]),
        ("50%", &["carol"]),
        ("_x", &["carol"]),
        ("%", &[]),
        ("iller", &[]),
        ("example.com", &[]),
        ("", &[]),
        ("a\0", &[]),
        (&ids[1].to_string(), &["bob"]),
        ("00000000-0000-4000-8000-000000000000", &[]),
    ] {
        assert_eq!(search(&house, text).await, expected, "{text:?}");
    }
    let rename = |profile: &mut Profile, _: &mut serde_json::Map<String, serde_json::Value>| {
        profile.name = Some("Robert Paulson".to_owned());
    };
    assert!(house.store.update_profile(ids[1], &rename, at(9), Beside::default()).await.expect("asked"));
    assert_eq!(search(&house, "paulson").await, ["bob"]);
    assert_eq!(search(&house, "annan").await, [""; 0]);
    assert_eq!(search(&house, "bob").await, ["bob"], "the username stands");
}

async fn people_are_filtered_and_walked_page_by_page(house: House) {
    let ids = furnished(&house).await;
    let store = &house.store;
    let staff = Group {
        id: GroupId::new(at(0), [1; 10]),
        parent: None,
        name: "staff".parse().expect("a name"),
        description: String::new(),
        second_factor_at: None,
        created_at: at(0),
        updated_at: at(0),
    };
    store.create_group(&staff, Beside::default()).await.expect("made");
    for id in [ids[0], ids[3]] {
        store.member_of_group(Give::To, (id, staff.id), at(5), Beside::default()).await.expect("put into");
    }
    assert!(store.disable_user(ids[3], at(6), Beside::default()).await.expect("asked"));
    let email = UserSort::Email { after: None };
    for (query, expected) in [
        (ALL, &["ann", "bob", "zoë", "carol"][..]),
        (UserQuery { sort: email.clone(), ..ALL }, &["ann", "bob", "carol", "zoë"]),
        (UserQuery { role: Some(Role::Owner), ..ALL }, &["ann"]),
        (UserQuery { role: Some(Role::Auditor), ..ALL }, &["zoë"]),
        (UserQuery { role: Some(Role::Member), ..ALL }, &["bob", "carol"]),
        (UserQuery { state: Some("active"), ..ALL }, &["ann", "bob", "zoë"]),
        (UserQuery { state: Some("disabled"), ..ALL }, &["carol"]),
        (UserQuery { state: Some("pending"), ..ALL }, &[]),
        (UserQuery { group: Some(staff.id), ..ALL }, &["ann", "carol"]),
        (UserQuery { group: Some(staff.id), state: Some("active"), sort: email.clone(), ..ALL }, &["ann"]),
        (UserQuery { group: Some(staff.id), search: Some("mill".to_owned()), sort: email, ..ALL }, &["ann", "carol"]),
        (UserQuery { group: Some(staff.id), search: Some("bob".to_owned()), ..ALL }, &[]),
        (UserQuery { role: Some(Role::Member), search: Some("ann".to_owned()), ..ALL }, &["bob"]),
    ] {
        assert_eq!(found(&house, query.clone()).await, expected, "{query:?}");
    }
    for search in [None, Some("miller".to_owned())] {
        let whole = found(&house, UserQuery { search: search.clone(), ..ALL }).await;
        let (mut by_creation, mut after) = (Vec::new(), None);
        loop {
            let sort = UserSort::Created { after };
            let page = store.find_users(&UserQuery { sort, search: search.clone(), limit: 1, ..ALL }).await;
            let page = page.expect("found");
            let [last] = page.as_slice() else { break };
            by_creation.push(last.login().to_lowercase());
            after = Some((last.created_at.seconds(), last.id));
        }
        assert_eq!(by_creation, whole);
    }
    let after = UserSort::Email { after: Some("bob@example.com".to_owned()) };
    assert_eq!(found(&house, UserQuery { sort: after, ..ALL }).await, ["carol", "zoë"]);
}

async fn whom_an_earlier_release_wrote_down_is_found_later(house: House) {
    furnished(&house).await;
    house.execute("DELETE FROM person_name").await;
    house.execute("UPDATE user_account SET searchable_at = NULL").await;
    assert_eq!(search(&house, "miller").await, [""; 0]);
    assert_eq!(house.store.make_searchable(at(7), 3).await.expect("made"), 3);
    assert_eq!(house.store.make_searchable(at(7), 3).await.expect("made"), 1);
    assert_eq!(house.store.make_searchable(at(7), 3).await.expect("made"), 0);
    assert_eq!(search(&house, "miller").await, ["ann", "carol"]);
}

async fn registrations_are_filtered_and_walked_the_latest_first(house: House) {
    let ids = furnished(&house).await;
    house.execute("UPDATE user_account SET disabled_at = 5, state = 'pending' WHERE profile LIKE '%Annan%'").await;
    let all = RegistrationQuery { limit: 100, ..RegistrationQuery::default() };
    let listed = async |query: RegistrationQuery| {
        let found = house.store.find_registrations(&query).await.expect("found");
        let number = |id: &UserId| ids.iter().position(|known| known == id).expect("somebody") + 1;
        found.iter().map(|one| number(&one.user)).collect::<Vec<_>>()
    };
    let searched = |text: &str| RegistrationQuery { search: Some(text.to_owned()), ..all.clone() };
    for (query, expected) in [
        (all.clone(), &[4, 3, 2, 1][..]),
        (RegistrationQuery { limit: 2, ..all.clone() }, &[4, 3]),
        (RegistrationQuery { before: Some((at(3).seconds(), ids[2])), ..all.clone() }, &[2, 1]),
        (RegistrationQuery { registering: Some(true), ..all.clone() }, &[2]),
        (RegistrationQuery { registering: Some(false), ..all.clone() }, &[4, 3, 1]),
        (RegistrationQuery { invited: Some(true), ..all.clone() }, &[]),
        (RegistrationQuery { invited: Some(false), ..all.clone() }, &[4, 3, 2, 1]),
        (RegistrationQuery { invited_by: Some(ids[0]), ..all.clone() }, &[]),
        (searched("miller"), &[4, 1]),
        (searched("ann@"), &[1]),
        (searched(&ids[1].to_string()), &[2]),
        (searched("iller"), &[]),
        (RegistrationQuery { registering: Some(true), ..searched("miller") }, &[]),
    ] {
        assert_eq!(listed(query.clone()).await, expected, "{query:?}");
    }
}
