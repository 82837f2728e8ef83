//! People, clients and tokens to be stored.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use symbolon::edge::store::{Beside, Creation, DatabaseSettings, PostgresSettings, Room, Rotation, Store};
use symbolon::model::authentication::{Amr, Authentication};
use symbolon::model::client::{Client, ClientOrigin, ClientPolicy, ClientSecret};
use symbolon::model::epoch::Epoch;
use symbolon::model::grant::{Consent, Grant, GrantDetails, SessionHolder};
use symbolon::model::id::{ClientId, ConsentId, GrantId, IdentifierId, SessionId, UserId};
use symbolon::model::session::{Session, SessionOrigin};
use symbolon::model::token::{OpaqueAccessToken, RefreshToken};
use symbolon::model::user::{AccountState, Identifier, IdentifierKind, Role, User};
use symbolon::protocol::numeric_date::NumericDate;
use symbolon::protocol::oidc::claims::Profile;
use symbolon::protocol::scope::Scope;
use symbolon::protocol::secret::{Secret, TokenHash};
use tempfile::TempDir;

use crate::backend::postgres;

/// A moment `seconds` into the story.
pub(super) fn at(seconds: i64) -> NumericDate {
    NumericDate::from_seconds(1_800_000_000 + seconds)
}

/// A database of its own, which goes away.
pub(super) struct House {
    pub(super) store: Store,
    home: Home,
}

enum Home {
    Folder(TempDir),
    /// The URL of a database in PostgreSQL.
    Database(String),
}

impl House {
    /// An empty SQLite file.
    pub(super) async fn empty() -> Self {
        Self::at(Home::Folder(tempfile::tempdir().expect("a temporary folder"))).await
    }

    /// An empty database in PostgreSQL, where that is installed.
    pub(super) async fn on_postgres() -> Option<Self> {
        let database = postgres::shared()?.database().await;
        Some(Self::at(Home::Database(database)).await)
    }

    async fn at(home: Home) -> Self {
        Self { store: home.open().await, home }
    }

    /// Alice, signed in, and the client `shop`.
    pub(super) async fn with_alice_and_shop() -> Self {
        Self::empty().await.of_alice_and_shop().await
    }

    /// As it is.
    #[expect(clippy::unused_async, reason = "a house begins by one of two words of the same shape")]
    pub(super) async fn of_nobody(self) -> Self {
        self
    }

    /// Alice moves in, signed in, and the client `shop`.
    pub(super) async fn of_alice_and_shop(self) -> Self {
        move_in(&self.store).await;
        self
    }

    /// The file, for a house that is one.
    pub(super) fn path(&self) -> PathBuf {
        match &self.home {
            Home::Folder(folder) => folder.path().join("symbolon.db"),
            Home::Database(url) => panic!("{url} is no file"),
        }
    }

    /// Changes rows past the store, as whoever can write to the database could.
    pub(super) async fn execute(&self, statement: &'static str) {
        use sqlx::{ConnectOptions as _, Connection as _};
        match &self.home {
            Home::Folder(folder) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join("symbolon.db"));
                let mut connection = options.busy_timeout(Duration::from_secs(5)).connect().await.expect("opens");
                sqlx::query(statement).execute(&mut connection).await.expect("runs");
                connection.close().await.expect("closes");
            }
            Home::Database(url) => {
                let mut connection = sqlx::PgConnection::connect(url).await.expect("PostgreSQL answers");
                sqlx::query(statement).execute(&mut connection).await.expect("runs");
                connection.close().await.expect("closes");
            }
        }
    }

    /// Another handle on the same database, as another process would have it.
    pub(super) async fn neighbour(&self) -> Store {
        self.home.open().await
    }
}

/// Alice, signed in, and the client `shop`.
pub(super) async fn move_in(store: &Store) {
    assert_eq!(store.create_user(&alice(), Some("$argon2id$alice")).await.expect("stored"), Creation::Created);
    assert_eq!(store.create_client(&shop()).await.expect("stored"), Creation::Created);
    store.begin_session(&session(), Room::default(), Beside::default()).await.expect("stored");
}

impl Home {
    async fn open(&self) -> Store {
        match self {
            Self::Folder(folder) => {
                let path = folder.path().join("symbolon.db");
                Store::open(&DatabaseSettings { path }).await.expect("the database opens")
            }
            Self::Database(url) => connect(url).await,
        }
    }
}

/// A node on PostgreSQL.
pub(super) async fn connect(url: &str) -> Store {
    let settings = PostgresSettings { url: Secret::from(url), connections: 6, ca: None };
    Store::connect(&settings).await.expect("PostgreSQL is reached")
}

pub(super) fn scope(text: &str) -> Scope {
    text.parse().expect("a scope")
}

pub(super) fn hash(of: &str) -> TokenHash {
    TokenHash::of(of)
}

pub(super) const ALICE: [u8; 16] = [1; 16];

pub(super) fn alice() -> User {
    person(ALICE, &["alice@example.com", "alice"])
}

pub(super) fn person(random: [u8; 16], names: &[&str]) -> User {
    let identifiers = names.iter().zip(0_u8..).map(|(name, number)| Identifier {
        id: IdentifierId::new(at(0), [random[0], number, 0, 0, 0, 0, 0, 0, 0, 0]),
        kind: if name.contains('@') { IdentifierKind::Email } else { IdentifierKind::Username },
        value: (*name).to_owned(),
        verified_at: name.contains('@').then(|| at(0)),
        is_primary: number == 0,
    });
    User {
        id: UserId::new(random),
        profile: Profile { name: Some("Alice \"A\" Ünï\u{0301}".to_owned()), ..Profile::default() },
        identifiers: identifiers.collect(),
        role: Role::Owner,
        auth_epoch: Epoch::FIRST,
        created_at: at(0),
        updated_at: at(1),
        state: AccountState::Active,
        attributes: serde_json::Map::new(),
        last_sign_in_at: None,
    }
}

pub(super) fn shop_id() -> ClientId {
    "shop".parse().expect("a client id")
}

pub(super) fn shop() -> Client {
    client("shop")
}

pub(super) fn client(id: &str) -> Client {
    let metadata = json!({
        "redirect_uris": ["https://shop.example/callback"],
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "application_type": "web",
        "client_name": "Shop",
        "client_name#ja": "店",
        "jwks": {"keys": [{"kty": "OKP", "x": 1.50}]},
        "subject_type": "public",
        "id_token_signed_response_alg": "ES256",
    });
    Client {
        id: id.parse().expect("a client id"),
        metadata: serde_json::from_value(metadata).expect("metadata"),
        secret: Some(ClientSecret::Hashed(hash("secret"))),
        origin: ClientOrigin::Operator,
        policy: ClientPolicy { first_party: true, ..ClientPolicy::default() },
        created_at: at(0),
        disabled_at: None,
    }
}

pub(super) fn authentication(at: NumericDate) -> Authentication {
    Authentication::new((UserId::new(ALICE), Epoch::FIRST), at, vec![Amr::Pwd])
}

pub(super) fn session_id() -> SessionId {
    SessionId::new(at(0), [7; 10])
}

pub(super) fn session() -> Session {
    Session {
        id: session_id(),
        token_hash: hash("cookie"),
        authentication: authentication(at(0)),
        created_at: at(0),
        last_seen_at: at(0),
        expires_at: at(86_400),
        idle_lifetime: 3_600,
        is_persistent: true,
        ended_at: None,
        origin: SessionOrigin {
            address: "192.0.2.1".to_owned(),
            user_agent: "Browser/1.0".to_owned(),
            client: Some(shop_id()),
        },
        proven_again_at: None,
    }
}

pub(super) fn grant_id(number: u8) -> GrantId {
    GrantId::new(at(0), [number; 10])
}

/// The grant of the code `code-{number}`.
pub(super) fn grant(number: u8) -> Grant {
    Grant {
        id: grant_id(number),
        code_hash: hash(&format!("code-{number}")),
        user: UserId::new(ALICE),
        client: shop_id(),
        session: session_id(),
        scope: scope("openid email"),
        details: GrantDetails {
            authentication: authentication(at(0)),
            claims: serde_json::from_value(json!({"userinfo": {"name": {"values": ["a", 5]}}})).expect("claims"),
            claims_locales: vec!["de".to_owned()],
            audience: vec!["https://api.example".to_owned()],
            resource: vec!["https://api.example".to_owned()],
            nonce: Some("n".to_owned()),
            own_claims: serde_json::Map::new(),
            session_holder: SessionHolder::Browser,
        },
        created_at: at(0),
        expires_at: at(100_000),
        revoked_at: None,
    }
}

pub(super) fn refresh_token(name: &str, grant: u8, issued: i64) -> RefreshToken {
    RefreshToken {
        hash: hash(name),
        grant: grant_id(grant),
        scope: scope("openid email"),
        issued_at: at(issued),
        expires_at: at(issued + 600),
        family_expires_at: at(6_000),
        used_at: None,
    }
}

pub(super) fn opaque(name: &str, grant: Option<u8>) -> OpaqueAccessToken {
    OpaqueAccessToken {
        hash: hash(name),
        grant: grant.map(grant_id),
        client: shop_id(),
        scope: scope("email"),
        audience: vec!["https://api.example".to_owned()],
        issued_at: at(0),
        expires_at: at(60),
    }
}

/// The exchange of `presented` for `successor`, both of grant 1, with ten seconds of grace.
pub(super) fn rotation(presented: &str, successor: &str, now: i64) -> Rotation {
    Rotation {
        presented: hash(presented),
        successor: refresh_token(successor, 1, now),
        opaque: None,
        details: None,
        now: at(now),
        grace: Duration::from_secs(10),
        reuse: Beside::default(),
    }
}

pub(super) fn consent(number: u8, text: &str) -> Consent {
    Consent {
        id: ConsentId::new(at(0), [number; 10]),
        user: UserId::new(ALICE),
        client: shop_id(),
        scope: scope(text),
        claims: vec!["name".to_owned()],
        granted_at: at(i64::from(number)),
    }
}
