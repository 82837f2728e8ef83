//! `symbolon secret`: the master key, and its change while servers run.
//!
//! PROTOCOL.md O1 (key id, online rotation).
//!
//! *Why two steps on PostgreSQL:* every node must have the new key before anything is sealed under it, and only the operator can bring
//! a file to another machine.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::Subcommand;
use serde_json::{Value, json};

use crate::app::StartError;
use crate::cli::output::Table;
use crate::cli::progress::Progress;
use crate::cli::site::{Absent, Site};
use crate::cli::{Call, CommandError};
use crate::config::database::Place;
use crate::config::process_environment;
use crate::edge::sealing;
use crate::edge::vault::KeyId;
use crate::edge::vault::master_key::{self, MasterKeySource};

/// `symbolon secret`
#[derive(Debug, Subcommand)]
pub enum SecretCommand {
    /// Lists the master keys, and how much is sealed under each.
    List,
    /// Changes the master key while servers run: a new key is added, then everything is sealed under it.
    Rotate,
    /// Takes the keys that nothing is sealed under any more out of the file.
    Forget,
    /// Prints a new master key, for a place that `rotate` cannot write.
    Key,
}

/// Servers follow within a second; what they sealed before that is sealed again.
const FOLLOWED: Duration = Duration::from_millis(1_500);

impl SecretCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When the stores or the master key cannot be used, or another node has to get the new key first.
    pub async fn run(self, call: &Call) -> Result<(), CommandError> {
        if matches!(self, Self::Key) {
            let fresh = master_key::generate(&crate::edge::random::SystemRandom);
            return call.output.print(fresh.as_str(), &json!({"master_key": fresh.as_str()}));
        }
        let site = Site::open(call, Absent::Refuse).await?;
        let done = match self {
            Self::List | Self::Key => list(call, &site).await,
            Self::Rotate => rotate(call, &site).await,
            Self::Forget => forget(call, &site).await,
        };
        site.close().await;
        done
    }
}

async fn list(call: &Call, site: &Site) -> Result<(), CommandError> {
    let counts = sealing::census(&site.edges.store).await?;
    let keys = site.vault.key_ids();
    let mut table = Table::new(["key", "state", "sealed values"]);
    let mut values = Vec::new();
    let unknown = counts.keys().filter(|id| !keys.contains(id)).map(|id| (*id, "missing"));
    let states = keys.iter().enumerate().map(|(at, id)| (*id, if at == 0 { "current" } else { "accepted" }));
    for (id, state) in states.chain(unknown) {
        let count = counts.get(&id).copied().unwrap_or(0);
        table.row([id.to_string(), state.to_owned(), count.to_string()]);
        values.push(json!({"key": id.to_string(), "state": state, "sealed": count}));
    }
    call.output.print(table, &Value::Array(values))
}

async fn rotate(call: &Call, site: &Site) -> Result<(), CommandError> {
    let current = site.vault.current();
    if !is_finished(site, current).await? {
        // A change that was broken off goes on.
        return change_over(call, site, current).await;
    }
    match (newest(site)?, site.vault.source()) {
        (Some(next), _) if next != current => change_over(call, site, next).await,
        (_, Some(MasterKeySource::File(file))) => with_new_key(call, site, file).await,
        _ => Err(CommandError::refused(format!(
            "{} holds no newer master key; add one after those that are there, which `symbolon secret key` prints, on every node, \
             restart them, and run this again",
            origin(site)
        ))),
    }
}

/// The last key of the source: a new one is added after those before.
fn newest(site: &Site) -> Result<Option<KeyId>, CommandError> {
    let Some(source) = site.vault.source() else { return Ok(None) };
    Ok(source.read().map_err(StartError::from)?.last().map(KeyId::of))
}

/// True when nothing is sealed under another key than the current one.
async fn is_finished(site: &Site, current: KeyId) -> Result<bool, CommandError> {
    let counts = sealing::census(&site.edges.store).await?;
    Ok(counts.keys().all(|id| *id == current))
}

async fn with_new_key(call: &Call, site: &Site, file: &Path) -> Result<(), CommandError> {
    let added = master_key::add_to_file(file, &*site.edges.random).map_err(StartError::from)?;
    if let Place::Postgres(_) = site.config.database.place(&process_environment())? {
        let human = format!(
            "added the key {added} to {file}\nNothing is sealed under it yet. Copy the file to every node, keep a copy away from the \
             database, and run `symbolon secret rotate` again.",
            file = file.display()
        );
        return call.output.print(human, &json!({"key": added.to_string(), "state": "added"}));
    }
    change_over(call, site, added).await
}

async fn change_over(call: &Call, site: &Site, next: KeyId) -> Result<(), CommandError> {
    let (store, random) = (&site.edges.store, &*site.edges.random);
    site.vault.promote(next).map_err(StartError::from)?;
    let counts = sealing::census(store).await?;
    let outdated = counts.iter().filter(|(id, _)| **id != next).map(|(_, count)| count).sum();
    let sealed = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&sealed);
    let progress = Progress::of(call.output, "sealing again", outdated, move || counted.load(Ordering::Relaxed));
    sealing::seal_again(store, &site.vault, random, &sealed).await?;
    // Servers seal under the key before until they have followed.
    tokio::time::sleep(FOLLOWED).await;
    sealing::seal_again(store, &site.vault, random, &sealed).await?;
    drop(progress);
    let sealed = sealed.load(Ordering::Relaxed);
    let human = format!(
        "sealed {sealed} values under the key {next}; running servers have followed\nKeep a copy of {} away from the database. The key \
         before opens backups of earlier days; `symbolon secret forget` takes it out.",
        origin(site)
    );
    call.output.print(human, &json!({"key": next.to_string(), "state": "current", "sealed": sealed}))
}

async fn forget(call: &Call, site: &Site) -> Result<(), CommandError> {
    let current = site.vault.current();
    if !is_finished(site, current).await? {
        let message =
            "something is sealed under another key than the current one; `symbolon secret rotate` seals it again";
        return Err(CommandError::refused(message.to_owned()));
    }
    let Some(MasterKeySource::File(file)) = site.vault.source() else {
        return Err(CommandError::refused(format!(
            "{} cannot be written; leave only the key {current} there",
            origin(site)
        )));
    };
    let gone = master_key::keep_in_file(file, current, &*site.edges.random).map_err(StartError::from)?;
    let human = format!("{gone} keys left {}; {current} stays", file.display());
    call.output.print(human, &json!({"forgotten": gone, "key": current.to_string()}))
}

fn origin(site: &Site) -> String {
    site.vault.source().map_or_else(|| "the source".to_owned(), ToString::to_string)
}
