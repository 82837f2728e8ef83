//! S-023: a process that is killed while accounts are made leaves whole ones.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use symbolon::edge::store::{Beside, DatabaseSettings, Registered, Store};
use symbolon::model::epoch::Epoch;
use symbolon::model::event::{Event, EventName};
use symbolon::model::id::{EventId, IdentifierId, JobId, UserId};
use symbolon::model::job::{NewJob, Queue};
use symbolon::model::mailed_link::{LinkPurpose, MailedLink};
use symbolon::model::user::{AccountState, Identifier, IdentifierKind, Role, User};
use symbolon::protocol::numeric_date::NumericDate;
use symbolon::protocol::oidc::claims::Profile;
use symbolon::protocol::secret::TokenHash;

const FOLDER: &str = "SYMBOLON_TEST_REGISTER_FOLDER";
/// Accounts that are acknowledged before the process is killed.
const ACCOUNTS: usize = 200;
const NOW: NumericDate = NumericDate::from_seconds(1_800_000_000);

async fn open(folder: &Path) -> Store {
    Store::open(&DatabaseSettings { path: folder.join("symbolon.db") }).await.expect("opens")
}

fn bytes<const N: usize>(number: u64) -> [u8; N] {
    let mut bytes = [0; N];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes
}

fn user(number: u64) -> User {
    User {
        id: UserId::new(bytes(number)),
        profile: Profile::default(),
        identifiers: vec![Identifier {
            id: IdentifierId::new(NOW, bytes(number)),
            kind: IdentifierKind::Email,
            value: format!("{number}@example.com"),
            verified_at: None,
            is_primary: true,
        }],
        role: Role::Member,
        auth_epoch: Epoch::FIRST,
        created_at: NOW,
        updated_at: NOW,
        state: AccountState::Active,
        attributes: serde_json::Map::new(),
        last_sign_in_at: None,
    }
}

fn link_of(user: &User) -> TokenHash {
    TokenHash::of(&user.id.to_string())
}

fn beside(number: u64, user: &User) -> Beside {
    let later = NumericDate::from_seconds(NOW.seconds() + 1_000);
    let job = NewJob {
        id: JobId::new(NOW, bytes(number)),
        queue: Queue::Mail,
        sealed: vec![1],
        idempotency_key: None,
        created_at: NOW,
        expires_at: later,
    };
    let link = MailedLink {
        hash: link_of(user),
        purpose: LinkPurpose::Activation,
        user: Some(user.id),
        address: user.login().to_owned(),
        epoch: Epoch::FIRST,
        details: serde_json::Map::new(),
        created_at: NOW,
        expires_at: later,
    };
    let event = Event::new(EventId::new(NOW, bytes(number)), NOW, EventName::UserCreated).of(user.id);
    Beside::event(event).and_job(job).and_link(link)
}

/// The process that is killed: it never stops by itself.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by s_023_an_account_is_whole_or_not_there"]
async fn a_process_that_registers_until_it_is_killed() {
    let folder = env::var_os(FOLDER).expect("the folder is given by the test that kills this one");
    let store = open(Path::new(&folder)).await;
    let writers = (0..8_u64).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            for count in 0_u64.. {
                let number = writer << 32 | count;
                let user = user(number);
                let registered = store.register((&user, Some("$argon2id$")), None, beside(number, &user)).await;
                assert_eq!(registered.expect("recorded"), Registered::Created);
                println!("registered {}", user.id);
            }
        })
    });
    futures_util::future::join_all(writers).await;
}

#[tokio::test]
async fn s_023_an_account_is_whole_or_not_there() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut child = Command::new(env::current_exe().expect("this program"))
        .args([
            "--exact",
            "acceptance::atomic::a_process_that_registers_until_it_is_killed",
            "--ignored",
            "--nocapture",
        ])
        .env(FOLDER, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program runs");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
    let told: Vec<UserId> = lines
        .filter_map(|line| line.split_once("registered ").and_then(|(_, id)| id.trim().parse().ok()))
        .take(ACCOUNTS)
        .collect();
    child.kill().expect("killed");
    child.wait().expect("gone");
    assert_eq!(told.len(), ACCOUNTS, "the process gave up by itself");

    let store = open(folder.path()).await;
    let users = store.users(1_000_000).await.expect("listed");
    for id in told {
        assert!(users.iter().any(|user| user.id == id), "{id} was acknowledged");
    }
    for user in &users {
        assert_eq!(user.identifiers.len(), 1, "{user:?}");
        assert!(store.password(user.id).await.expect("read").is_some(), "{user:?}");
        let events = store.events_of(user.id, NOW, (None, 9)).await.expect("read");
        assert_eq!(events.iter().map(|event| event.name).collect::<Vec<_>>(), [EventName::UserCreated]);
        let link = store.mailed_link(&link_of(user), LinkPurpose::Activation, NOW).await.expect("read");
        assert!(link.is_some_and(|link| link.user == user.id), "{user:?}");
    }
}
