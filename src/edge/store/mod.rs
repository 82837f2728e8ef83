//! What lasts: people, clients, sessions, grants, tokens, keys.
//!
//! Each method is one transaction, named for its fact; each file holds the facts of one entity with the SQL beside them.
//! To add one: a file with an `impl Store`, its table in `migrations/`, its line here. The SQL is the dialect that SQLite and
//! PostgreSQL share: UUID, BYTEA, BIGINT, BOOLEAN and TEXT, `$1`, `RETURNING`, `ON CONFLICT`, and time as an argument.
//!
//! *Why reads come from memory:* a userinfo or introspection answer needs client, person, grant and session; the database
//! would cost more than the rest of the answer. Only the writer changes what is held, after each commit and before the commit
//! is acknowledged; when another process wrote to the file, all of it is let go within half a second. On PostgreSQL every node
//! is told the keys of changed rows (`listen`), and holds nothing while it does not hear.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use futures_util::future::BoxFuture;
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteSynchronous;
use tokio::sync::Notify;

use crate::edge::store::cache::{Cache, Hearing, Sharing};
use crate::edge::store::listen::{Listener, Listening};
use crate::edge::store::open::{Layout, Snapshot};
use crate::edge::store::postgres::Server;
use crate::edge::store::ready::Verdict;
use crate::edge::store::recorder::{PostgresRecorder, Recorder};
use crate::edge::store::statement::{Connection, Readers};
use crate::edge::store::writer::{Mirror, Writer};
use crate::model::client::Client;
use crate::model::directory::{Directory, Membership};
use crate::model::fault::Fault;
use crate::model::grant::{Consent, Grant};
use crate::model::id::{ClientId, GrantId, SessionId, UserId};
use crate::model::identity_provider::IdentityProvider;
use crate::model::session::Session;
use crate::model::token::{OpaqueAccessToken, RefreshToken};
use crate::model::user::User;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

mod access_token;
mod account;
mod administration;
mod api;
mod app_profile;
mod audit;
mod authenticator;
mod avatar;
pub mod backup;
mod beside;
mod claim_mapper;
mod client;
mod consent;
mod contact;
mod directory;
mod epoch;
mod event;
mod expiry;
mod export;
mod grant;
mod identity_provider;
mod identity_rule;
mod intruder;
mod invitation;
mod job;
mod key;
mod key_life;
mod listen;
mod logout_notice;
mod mailed_link;
mod membership;
mod once;
mod password_change;
mod person_name;
#[cfg(test)]
mod plan_tests;
mod postgres;
mod publish;
mod ready;
mod refresh_token;
mod registration_list;
mod remembered_browser;
mod retired_key;
mod role;
pub mod schema;
pub mod sealed;
mod session;
mod session_end;
mod sign_in_failure;
mod upstream_link;
mod user;
mod user_list;

pub(in crate::edge) mod cache;
pub(in crate::edge) mod open;
pub(in crate::edge) mod recorder;
pub(in crate::edge) mod row;
pub(in crate::edge) mod statement;
pub(in crate::edge) mod writer;

pub use account::{Once, Registered};
pub use authenticator::{LastOne, Removal};
pub use beside::Beside;
pub use contact::Added;
pub use directory::Change;
pub use epoch::{Elsewhere, Here, Kept};
pub use event::EventQuery;
pub use event::Seen;
pub use intruder::{Denial, Gone};
pub use key_life::{KeysStand, Replacement};
use open::APPLICATION_ID;
pub use open::{DatabaseSettings, StoreError};
pub use password_change::NewPassword;
pub use postgres::PostgresSettings;
pub use refresh_token::Rotation;
pub use registration_list::{Registration, RegistrationQuery};
pub use role::{Give, Holder};
pub use session::Room;
pub use session_end::{Left, Reach};
pub use upstream_link::{Otherwise, Unlinked};
pub use user::ProfileChange;
pub use user_list::{UserQuery, UserSort};

/// The durable store; clones share one recorder, one pool of readers and what is held in memory.
#[derive(Clone)]
pub struct Store {
    recorder: Arc<Recorder>,
    readers: Readers,
    held: Arc<Held>,
    listener: Option<Arc<Listener>>,
    verdict: Arc<Verdict>,
}

/// What became of something that was to be made.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Creation {
    /// It was made.
    Created,
    /// Something of that name stands already, and was left as it is.
    AlreadyExists,
}

/// Migrations of both engines.
static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

impl Store {
    /// Opens the database and brings its schema up to date. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When the file cannot be used; it is left as it is.
    pub async fn open(settings: &DatabaseSettings) -> Result<Self, StoreError> {
        let (path, synchronous) = (&settings.path, SqliteSynchronous::Full);
        let layout = Layout { path, migrator: &MIGRATOR, synchronous, snapshot: Snapshot::Before };
        let (connection, readers) = layout.open().await?;
        let held = Arc::new(Held::new(Sharing::Alone));
        let mut connection = Connection::Sqlite(connection);
        held.renew(&mut connection).await.map_err(|fault| StoreError::Inaccessible {
            database: settings.path.display().to_string(),
            reason: fault.to_string(),
        })?;
        let writer = Writer::start(connection, Arc::clone(&held) as Arc<dyn Mirror>);
        let readers = Readers::Sqlite(readers);
        Ok(Self {
            recorder: Arc::new(Recorder::Sqlite(writer)),
            readers,
            held,
            listener: None,
            verdict: Arc::default(),
        })
    }

    /// Reaches PostgreSQL and brings its schema up to date. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When the server cannot be reached or its schema cannot be used.
    pub async fn connect(settings: &PostgresSettings) -> Result<Self, StoreError> {
        let server = Server::new(settings)?;
        server.migrate(&MIGRATOR).await?;
        Ok(Self::on(server, settings))
    }

    /// Names PostgreSQL and leaves its schema as it is, which must be that of this release: to look, without a trace.
    ///
    /// # Errors
    /// When the URL cannot be read.
    pub fn look_at(settings: &PostgresSettings) -> Result<Self, StoreError> {
        Ok(Self::on(Server::new(settings)?, settings))
    }

    fn on(server: Server, settings: &PostgresSettings) -> Self {
        let pool = server.pool(settings.connections);
        let hearing = Arc::new(Hearing::none());
        let held = Arc::new(Held::new(Sharing::Nodes(Arc::clone(&hearing))));
        let listener = Listener::start(Listening { server, pool: pool.clone(), held: Arc::clone(&held), hearing });
        let recorder = Arc::new(Recorder::Postgres(PostgresRecorder::new(pool.clone())));
        let (readers, listener) = (Readers::Postgres(pool), Some(Arc::new(listener)));
        Self { recorder, readers, held, listener, verdict: Arc::default() }
    }

    /// What the ephemeral store shares with this one.
    pub(in crate::edge) fn shared(&self) -> (Arc<Recorder>, Readers) {
        (Arc::clone(&self.recorder), self.readers.clone())
    }

    /// Waits until another node may have changed the signing keys; for one caller at a time. Without nodes it waits for ever.
    pub async fn signing_keys_told(&self) {
        self.held.keys_told.notified().await;
    }

    /// Commits what waits and closes the database.
    pub async fn close(&self) {
        match &self.readers {
            Readers::Sqlite(_) => {
                // The writer goes last: the last connection brings the journal into the file.
                self.readers.close().await;
                self.recorder.close().await;
            }
            Readers::Postgres(_) => {
                if let Some(listener) = &self.listener {
                    listener.stop();
                }
                self.recorder.close().await;
                self.readers.close().await;
            }
        }
    }
}

/// What is held in memory. The numbers bound it to some ten megabytes of usual rows; what is not held is read when it is
/// needed.
struct Held {
    sharing: Sharing,
    clients: Cache<ClientId, Client>,
    /// All of them.
    identity_providers: Cache<(), Vec<Arc<IdentityProvider>>>,
    users: Cache<UserId, User>,
    sessions: Cache<SessionId, Session>,
    /// Which session a cookie belongs to; true only while that session still has this hash.
    session_of_token: Cache<TokenHash, SessionId>,
    consents: Cache<(UserId, ClientId), Consent>,
    grants: Cache<GrantId, Grant>,
    refresh_tokens: Cache<TokenHash, RefreshToken>,
    opaque_access_tokens: Cache<TokenHash, OpaqueAccessToken>,
    /// There is one.
    directory: Cache<(), Directory>,
    memberships: Cache<UserId, Membership>,
    /// All of them, with their ends: a token that is not here is not denied.
    denied: RwLock<HashMap<TokenHash, NumericDate>>,
    /// Another node may have changed the signing keys.
    keys_told: Notify,
}

impl Held {
    fn new(sharing: Sharing) -> Self {
        Self {
            clients: Cache::new(2_048, &sharing),
            identity_providers: Cache::new(1, &sharing),
            users: Cache::new(8_192, &sharing),
            sessions: Cache::new(8_192, &sharing),
            session_of_token: Cache::new(8_192, &sharing),
            consents: Cache::new(8_192, &sharing),
            grants: Cache::new(8_192, &sharing),
            refresh_tokens: Cache::new(8_192, &sharing),
            opaque_access_tokens: Cache::new(8_192, &sharing),
            directory: Cache::new(1, &sharing),
            memberships: Cache::new(8_192, &sharing),
            denied: RwLock::default(),
            keys_told: Notify::new(),
            sharing,
        }
    }

    fn flush(&self) {
        self.clients.flush();
        self.identity_providers.flush();
        self.users.flush();
        self.sessions.flush();
        self.session_of_token.flush();
        self.consents.flush();
        self.grants.flush();
        self.refresh_tokens.flush();
        self.opaque_access_tokens.flush();
        self.directory.flush();
        self.memberships.flush();
    }
}

impl Mirror for Held {
    fn renew<'c>(&'c self, connection: &'c mut Connection) -> BoxFuture<'c, Result<(), Fault>> {
        Box::pin(async move {
            self.flush();
            access_token::read_denied(self, connection).await
        })
    }
}
