//! Signing keys: from next to active, to retiring, to gone.

use std::collections::{BTreeSet, HashMap};

use futures_util::FutureExt as _;

use crate::edge::store::row::{Context as _, Place};
use crate::edge::store::writer::Fact;
use crate::edge::store::{Creation, Store, key};
use crate::model::fault::Fault;
use crate::model::signing_key::{KeyState, StoredSigningKey};
use crate::protocol::numeric_date::NumericDate;

const STATES: &str = "SELECT kid, state FROM signing_key UNION ALL SELECT kid, NULL FROM retired_signing_key";
/// Nothing happens when `$1` is no longer next: another node was faster.
const RETIRE: &str = "UPDATE signing_key SET state = 'retiring', expires_at = $2 WHERE state = 'active'
    AND algorithm = (SELECT algorithm FROM signing_key WHERE kid = $1 AND state = 'next')";
const ACTIVATE: &str = "UPDATE signing_key SET state = 'active', activated_at = $2 WHERE kid = $1 AND state = 'next'";
const REMOVE: &str = "DELETE FROM signing_key WHERE kid = $1";
const REMOVE_RETIRED: &str = "DELETE FROM retired_signing_key WHERE kid = $1";

/// Where the signing keys stand.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct KeysStand {
    /// Those that are published, by their `kid`.
    pub states: HashMap<String, KeyState>,
    /// The `kid`s of those that only read hints.
    pub retired: BTreeSet<String>,
}

/// What became of signing keys that were to be replaced.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Replacement {
    /// How many were removed.
    pub removed: u64,
    /// The names of those that were recorded: another process may have been faster.
    pub recorded: Vec<String>,
}

impl Store {
    /// Where each signing key stands: what a node compares with what it holds.
    pub async fn signing_key_states(&self) -> Result<KeysStand, Fault> {
        let rows: Vec<(String, Option<String>)> =
            self.readers.query(STATES).fetch_all().await.context("read where signing keys stand")?;
        let mut stand = KeysStand::default();
        for (kid, state) in rows {
            let Some(state) = state else {
                stand.retired.insert(kid);
                continue;
            };
            let place = Place { table: "signing_key", id: &kid };
            let state = KeyState::parse(&state).ok_or_else(|| place.damaged("state"))?;
            stand.states.insert(kid, state);
        }
        Ok(stand)
    }

    /// Lets the next key `kid` sign; the one before verifies until `retires_at`. False when it is not next.
    pub async fn activate_signing_key(
        &self,
        kid: &str,
        now: NumericDate,
        retires_at: NumericDate,
    ) -> Result<bool, Fault> {
        let kid = kid.to_owned();
        let fact = Fact::several(move |connection| {
            async move {
                let retire = connection.query(RETIRE).bind(kid.as_str()).bind(retires_at.seconds());
                retire.execute().await.context("retire a signing key")?;
                let activate = connection.query(ACTIVATE).bind(kid).bind(now.seconds());
                Ok(activate.execute().await.context("activate a signing key")? == 1)
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }

    /// Removes signing keys, retired ones as well; what they signed is believed no longer. Returns how many there were.
    pub async fn remove_signing_keys(&self, kids: Vec<String>) -> Result<u64, Fault> {
        Ok(self.replace_signing_keys(kids, Vec::new()).await?.removed)
    }

    /// Removes signing keys and records others in their place, at once; as [`Store::add_signing_key`] where a place is taken.
    pub async fn replace_signing_keys(
        &self,
        kids: Vec<String>,
        fresh: Vec<StoredSigningKey>,
    ) -> Result<Replacement, Fault> {
        let fact = Fact::several(move |connection| {
            async move {
                let mut done = Replacement::default();
                for kid in kids {
                    for remove in [REMOVE, REMOVE_RETIRED] {
                        let remove = connection.query(remove).bind(kid.as_str());
                        done.removed += remove.execute().await.context("remove a signing key")?;
                    }
                }
                for fresh in fresh {
                    let kid = fresh.kid.clone();
                    if key::add(connection, fresh).await? == Creation::Created {
                        done.recorded.push(kid);
                    }
                }
                Ok(done)
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }
}
