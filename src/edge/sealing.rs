//! Under which master key a database is sealed: checked before anything is read or written, changed for all nodes together.
//!
//! PROTOCOL.md O1 (online rotation), §3 (two nodes racing: exactly one winner).
//!
//! A row of the database, sealed itself, says which master key is the current one. The first node of a fresh database writes it, and
//! whoever comes with another key is refused at the door: what it sealed could be opened by nobody else. When the row changes, each
//! node seals under the new key within a second, and still opens what was sealed under the one before.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::edge::random::Random;
use crate::edge::store::Store;
use crate::edge::store::sealed::{RowKey, SEALED_COLUMNS, SealedColumn};
use crate::edge::vault::{KeyId, Place, Vault};
use crate::model::fault::Fault;

/// The row of `server_secret` that says which master key is the current one.
const ROW: &str = "master_key";
const PLACE: Place<'static> = Place { table: "server_secret", row: ROW, column: "value" };
/// What is sealed there; whoever can open it has the key.
const WORD: &[u8] = b"symbolon";
/// Values that are read at once.
const BATCH: u32 = 200;

/// Makes sure that `vault` has the key of this database, and seals under it; a database without a word gets one.
///
/// # Errors
/// A fault of the store, or one that says that the database was sealed under another master key.
pub async fn agree(store: &Store, vault: &Vault, random: &dyn Random) -> Result<(), Fault> {
    if let Some(sealed) = store.server_secret(ROW).await? {
        return follow(vault, &sealed);
    }
    // A database of an earlier release: what is there must open before anything is added.
    inspect(store, vault).await?;
    let standing = store.add_server_secret(ROW, &vault.seal(&PLACE, WORD, random)).await?;
    follow(vault, &standing)
}

/// As [`agree`], without adding anything.
///
/// # Errors
/// As [`agree`].
pub async fn inspect(store: &Store, vault: &Vault) -> Result<(), Fault> {
    if let Some(sealed) = store.server_secret(ROW).await? {
        return follow(vault, &sealed);
    }
    for column in SEALED_COLUMNS {
        for (key, sealed) in store.outdated_values(column, vault.current(), 1).await? {
            vault.open(&Place { table: column.table, row: &key.to_string(), column: column.place }, &sealed)?;
        }
    }
    Ok(())
}

/// Changes over to the master key that the database names by now; true when that was another.
///
/// # Errors
/// When this node does not have that key; it then goes on with those it has.
pub async fn keep_up(store: &Store, vault: &Vault) -> Result<bool, Fault> {
    let Some(sealed) = store.server_secret(ROW).await? else { return Ok(false) };
    if !vault.is_outdated(&sealed) {
        return Ok(false);
    }
    follow(vault, &sealed).map(|()| true)
}

fn follow(vault: &Vault, sealed: &[u8]) -> Result<(), Fault> {
    if vault.is_outdated(sealed)
        && let Some(id) = KeyId::named_by(sealed)
    {
        vault.promote(id).map_err(|error| Fault::internal("use the master key of the database").caused_by(error))?;
    }
    let opened = vault.open(&PLACE, sealed)?;
    if opened.expose() == WORD { Ok(()) } else { Err(Fault::internal("the word of the master key is another")) }
}

/// Seals everything under the current key of `vault` that is sealed under another; the word first, so that the nodes follow.
/// May be broken off and repeated. `count` grows by the values that were sealed.
///
/// # Errors
/// A fault of the store, or one that names a value that does not open; what was sealed before it stands.
pub async fn seal_again(store: &Store, vault: &Vault, random: &dyn Random, count: &AtomicU64) -> Result<(), Fault> {
    let sealed_one = |sealed: bool| count.fetch_add(u64::from(sealed), Ordering::Relaxed);
    if let Some(sealed) = store.server_secret(ROW).await?
        && vault.is_outdated(&sealed)
    {
        let fresh = vault.seal(&PLACE, WORD, random);
        let column = SEALED_COLUMNS.iter().find(|column| column.table == PLACE.table);
        let column = column.ok_or_else(|| Fault::internal("no column holds the word of the master key"))?;
        sealed_one(store.replace_sealed(column, RowKey::Text(ROW.to_owned()), (sealed, fresh)).await?);
    }
    for column in SEALED_COLUMNS {
        loop {
            let values = store.outdated_values(column, vault.current(), BATCH).await?;
            if values.is_empty() {
                break;
            }
            for (key, sealed) in values {
                sealed_one(seal_one(store, vault, (column, key, sealed), random).await?);
            }
        }
    }
    Ok(())
}

async fn seal_one(
    store: &Store,
    vault: &Vault,
    (column, key, sealed): (&'static SealedColumn, RowKey, Vec<u8>),
    random: &dyn Random,
) -> Result<bool, Fault> {
    let row = key.to_string();
    let place = Place { table: column.table, row: &row, column: column.place };
    let opened = vault.open(&place, &sealed)?;
    let fresh = vault.seal(&place, opened.expose(), random);
    // Who was faster has sealed it again, or has written something else there.
    store.replace_sealed(column, key, (sealed, fresh)).await
}

/// How many values are sealed under each master key.
///
/// # Errors
/// A fault of the store.
pub async fn census(store: &Store) -> Result<BTreeMap<KeyId, u64>, Fault> {
    let mut counts = BTreeMap::new();
    for column in SEALED_COLUMNS {
        for (key, count) in store.sealed_census(column).await? {
            *counts.entry(key).or_insert(0) += count;
        }
    }
    Ok(counts)
}
