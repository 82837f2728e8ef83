//! The stores that settings name, with the vault for what is sealed in them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app::{StartError, World};
use crate::config::database::Place;
use crate::config::{Config, ConfigError, process_environment};
use crate::edge::ephemeral::{EphemeralStore, RedisSettings, RedisStore, SqlStore};
use crate::edge::sealing;
use crate::edge::store::{DatabaseSettings, PostgresSettings, Store};
use crate::edge::vault::Vault;
use crate::edge::vault::master_key::MasterKeySource;
use crate::http::health::Dependency;
use crate::protocol::secret::Secret;

/// What lasts, what waits, and the key to what is sealed.
pub(super) struct Stores {
    pub(super) store: Store,
    pub(super) ephemeral: Arc<dyn EphemeralStore>,
    pub(super) vault: Vault,
    pub(super) dependencies: Vec<Dependency>,
}

/// Opens what the settings name.
pub(super) async fn open(config: &Config, world: &World) -> Result<Stores, StartError> {
    let environment = process_environment();
    let source = config.keys.source(&environment)?;
    let (store, vault, sql) = match config.database.place(&environment)? {
        Place::File(path) => {
            let settings = DatabaseSettings { path: path.clone() };
            let (store, vault) = if path.exists() && source.is_missing() {
                // What `symbolon migrate` made holds nothing that is sealed yet.
                let store = Store::open(&settings).await?;
                let sealed = !store.is_bare().await?;
                let vault = vault(source, world, sealed.then_some(&path))?;
                (store, vault)
            } else {
                // In this order: who starts first makes the key before the database.
                let vault = vault(source, world, None::<&Path>)?;
                (Store::open(&settings).await?, vault)
            };
            (store, vault, SqlStore::open(&beside(&path)).await?)
        }
        Place::Postgres(url) => {
            let store = Store::connect(&postgres(config, url)?).await?;
            let sealed = !store.is_bare().await?;
            let vault = vault(source, world, sealed.then_some(Path::new("of database.url")))?;
            let sql = SqlStore::within(&store);
            (store, vault, sql)
        }
    };
    sealing::agree(&store, &vault, &*world.random).await.map_err(StartError::sealed)?;
    let mut dependencies = vec![database(&store)];
    let ephemeral: Arc<dyn EphemeralStore> = match config.ephemeral.redis(&environment)? {
        Some(url) => {
            let settings = RedisSettings { url, ca: config.ephemeral.ca()? };
            let redis: Arc<dyn EphemeralStore> = Arc::new(RedisStore::open(&settings, sql, Arc::clone(&world.clock))?);
            let asked = Arc::clone(&redis);
            let ask = move || -> crate::http::health::Asked {
                let redis = Arc::clone(&asked);
                Box::pin(async move { redis.ready().await })
            };
            dependencies.push(Dependency::new("redis", ask).helpful());
            redis
        }
        None => Arc::new(sql),
    };
    Ok(Stores { store, ephemeral, vault, dependencies })
}

/// How PostgreSQL is reached.
pub(crate) fn postgres(config: &Config, url: Secret) -> Result<PostgresSettings, ConfigError> {
    let database = &config.database;
    Ok(PostgresSettings { url, connections: database.connections, ca: database.ca()? })
}

fn database(store: &Store) -> Dependency {
    let store = store.clone();
    Dependency::new("database", move || {
        let store = store.clone();
        Box::pin(async move { store.ready().await })
    })
}

/// Opens the vault; a key is made for a fresh database only: `sealed` is one that is not.
fn vault(source: MasterKeySource, world: &World, sealed: Option<impl AsRef<Path>>) -> Result<Vault, StartError> {
    match source {
        MasterKeySource::File(key) => match sealed {
            Some(database) if !key.exists() => {
                Err(StartError::MasterKeyLost { key, database: database.as_ref().to_owned() })
            }
            _ => Ok(Vault::load_or_create(&key, &*world.random)?),
        },
        source => Ok(Vault::load(source)?),
    }
}

/// The file for what expires, beside the main one: `symbolon.db` → `symbolon-ephemeral.db`.
pub fn beside(path: &Path) -> PathBuf {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!("{stem}-ephemeral.db"))
}
