//! Signing keys and secrets of the server, as the vault sealed them.

use futures_util::FutureExt as _;
use sqlx::FromRow;

use crate::edge::store::row::{Context as _, Place, moment};
use crate::edge::store::statement::Connection;
use crate::edge::store::writer::Fact;
use crate::edge::store::{Creation, Store};
use crate::model::fault::Fault;
use crate::model::signing_key::{KeyState, StoredSigningKey};
use crate::protocol::jose::algorithm::SigningAlgorithm;
use crate::protocol::numeric_date::NumericDate;

const LIST: &str = "SELECT kid, algorithm, sealed_private_key, state, created_at, activated_at, expires_at
    FROM signing_key ORDER BY created_at, kid";
const ADD: &str = "INSERT INTO signing_key (kid, algorithm, sealed_private_key, state, created_at, activated_at)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
const READ_SECRET: &str = "SELECT sealed FROM server_secret WHERE name = $1";
const ADD_SECRET: &str = "INSERT INTO server_secret (name, sealed) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE SET sealed = server_secret.sealed RETURNING sealed";

impl Store {
    /// Every signing key, oldest first.
    pub async fn signing_keys(&self) -> Result<Vec<StoredSigningKey>, Fault> {
        let rows: Vec<SigningKeyRow> = self.readers.query(LIST).fetch_all().await.context("read the signing keys")?;
        rows.into_iter().map(StoredSigningKey::try_from).collect()
    }

    /// Records a signing key. `AlreadyExists` when its `kid` is taken, or when another key of its algorithm is active, or next, as it is:
    /// the first writer wins, and everyone then reads [`Store::signing_keys`].
    pub async fn add_signing_key(&self, key: &StoredSigningKey) -> Result<Creation, Fault> {
        let key = key.clone();
        let fact = Fact::one(move |connection| add(connection, key).boxed());
        self.recorder.record(fact).await
    }

    /// The sealed secret of this name.
    pub async fn server_secret(&self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        let read = self.readers.query(READ_SECRET).bind(name);
        read.scalar_optional().await.context("read a secret of the server")
    }

    /// Records a sealed secret unless one of this name stands; returns the one that stands.
    pub async fn add_server_secret(&self, name: &str, sealed: &[u8]) -> Result<Vec<u8>, Fault> {
        let (name, sealed) = (name.to_owned(), sealed.to_vec());
        let fact = Fact::one(move |connection| {
            async move {
                let add = connection.query(ADD_SECRET).bind(name).bind(sealed);
                add.scalar_one().await.context("record a secret of the server")
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }
}

/// Records a signing key.
pub(super) async fn add(connection: &mut Connection, key: StoredSigningKey) -> Result<Creation, Fault> {
    let add = connection.query(ADD).bind(key.kid).bind(key.algorithm.as_str()).bind(key.sealed_private_key);
    let add = add.bind(key.state.as_str()).bind(key.created_at.seconds());
    let add = add.bind(key.activated_at.map(NumericDate::seconds));
    Ok(Creation::of(add.execute().await.context("record a signing key")?))
}

#[derive(FromRow)]
struct SigningKeyRow {
    kid: String,
    algorithm: String,
    sealed_private_key: Vec<u8>,
    state: String,
    created_at: i64,
    activated_at: Option<i64>,
    expires_at: Option<i64>,
}

impl TryFrom<SigningKeyRow> for StoredSigningKey {
    type Error = Fault;

    fn try_from(row: SigningKeyRow) -> Result<Self, Fault> {
        let place = Place { table: "signing_key", id: &row.kid };
        let named = |algorithm: &&SigningAlgorithm| algorithm.as_str() == row.algorithm;
        let algorithm = *SigningAlgorithm::ALL.iter().find(named).ok_or_else(|| place.damaged("algorithm"))?;
        let state = KeyState::parse(&row.state).ok_or_else(|| place.damaged("state"))?;
        Ok(Self {
            algorithm,
            state,
            sealed_private_key: row.sealed_private_key,
            created_at: NumericDate::from_seconds(row.created_at),
            activated_at: moment(row.activated_at),
            expires_at: moment(row.expires_at),
            kid: row.kid,
        })
    }
}
