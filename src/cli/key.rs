//! `symbolon key`: the signing keys, and what to do when one is lost.
//!
//! PROTOCOL.md T18 and §3 (compromise drill: one command).

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::{Value, json};

use crate::app;
use crate::cli::output::{Facts, Table, moment};
use crate::cli::site::{Absent, Site};
use crate::cli::{Call, CommandError};
use crate::edge::store::Creation;
use crate::model::signing_key::{KeyState, StoredSigningKey};
use crate::oauth::rotation::{Advance, Rotation, next_of, signs_since};
use crate::protocol::jose::algorithm::SigningAlgorithm;
use crate::protocol::jose::{import, published};

/// `symbolon key`
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Lists the signing keys: next, active and retiring.
    List,
    /// Lets the next keys sign; those before verify until their last token has expired.
    Rotate {
        /// Only this algorithm.
        #[arg(long, value_name = "ALGORITHM", value_parser = algorithm)]
        alg: Option<SigningAlgorithm>,
        /// After a compromise: fresh keys sign at once; all before, and every token they signed, are refused at once.
        #[arg(long)]
        now: bool,
    },
    /// Takes one key out of use, in its time or at once.
    Retire {
        /// Its name in tokens.
        kid: String,
        /// After a compromise: it is withdrawn at once, and every token it signed is refused.
        #[arg(long)]
        now: bool,
    },
    /// Takes in a private key: PEM (PKCS#8, PKCS#1, SEC 1, OpenSSH), DER or JWK.
    Import {
        /// The file; `-` is standard input.
        file: PathBuf,
        /// PS256 for an RSA key; other keys have one algorithm.
        #[arg(long, value_name = "ALGORITHM", value_parser = algorithm)]
        alg: Option<SigningAlgorithm>,
        /// It signs at once; else it becomes the next key.
        #[arg(long)]
        now: bool,
    },
}

fn algorithm(text: &str) -> Result<SigningAlgorithm, String> {
    let known = SigningAlgorithm::ALL.iter().copied();
    known.clone().find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(text)).ok_or_else(|| {
        let names: Vec<_> = known.map(SigningAlgorithm::as_str).collect();
        format!("must be one of {}", names.join(", "))
    })
}

impl KeyCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When the stores cannot be used, a key is unknown, or a key has not been published for long enough.
    pub async fn run(self, call: &Call) -> Result<(), CommandError> {
        let absent = if matches!(self, Self::Import { .. }) { Absent::Make } else { Absent::Refuse };
        let site = Site::open(call, absent).await?;
        let rotation = Rotation { edges: &site.edges, vault: &site.vault, policy: app::rotation_policy(&site.config) };
        let done = match self {
            Self::List => list(call, &rotation).await,
            Self::Rotate { alg, now: false } => rotate(call, &rotation, alg).await,
            Self::Rotate { alg, now: true } => replace_all(call, &rotation, alg).await,
            Self::Retire { kid, now } => retire(call, &rotation, (&kid, now)).await,
            Self::Import { file, alg, now } => {
                let state = if now { KeyState::Active } else { KeyState::Next };
                bring_in(call, &rotation, (&file, alg, state)).await
            }
        };
        site.close().await;
        done
    }
}

async fn list(call: &Call, rotation: &Rotation<'_>) -> Result<(), CommandError> {
    let mut keys = rotation.edges.store.signing_keys().await?;
    keys.sort_by_key(|key| SigningAlgorithm::ALL.iter().position(|algorithm| *algorithm == key.algorithm));
    let mut table = Table::new(["kid", "algorithm", "state", "published", "signs since", "until"]);
    for key in &keys {
        let since = if key.state == KeyState::Next { String::new() } else { moment(signs_since(key)) };
        table.row([
            key.kid.clone(),
            key.algorithm.as_str().to_owned(),
            key.state.as_str().to_owned(),
            moment(key.created_at),
            since,
            until(&keys, key, rotation).map(moment).unwrap_or_default(),
        ]);
    }
    let values = keys.iter().map(|key| {
        json!({
            "kid": key.kid, "alg": key.algorithm, "state": key.state, "created_at": key.created_at,
            "activated_at": (key.state != KeyState::Next).then(|| signs_since(key)),
            "until": until(&keys, key, rotation),
        })
    });
    call.output.print(table, &values.collect())
}

/// When a key leaves its state: an active one by policy, a retiring one when its last token has expired.
fn until(
    keys: &[StoredSigningKey],
    key: &StoredSigningKey,
    rotation: &Rotation<'_>,
) -> Option<crate::protocol::numeric_date::NumericDate> {
    match key.state {
        KeyState::Next => None,
        KeyState::Active => next_of(keys, key.algorithm).map(|_| signs_since(key).plus(rotation.policy.rotate_every)),
        KeyState::Retiring => key.expires_at,
    }
}

async fn rotate(call: &Call, rotation: &Rotation<'_>, alg: Option<SigningAlgorithm>) -> Result<(), CommandError> {
    let keys = rotation.edges.store.signing_keys().await?;
    let active = keys.iter().filter(|key| key.state == KeyState::Active).map(|key| key.algorithm);
    let wanted: Vec<_> = active.filter(|algorithm| alg.is_none_or(|alg| alg == *algorithm)).collect();
    let mut signs = Vec::new();
    let mut waits = Vec::new();
    for algorithm in wanted {
        match rotation.advance(algorithm).await? {
            Advance::Signs(kid) => signs.push((algorithm, kid)),
            Advance::NotBefore(moment) => waits.push((algorithm, moment)),
        }
    }
    // The next rotation shall not have to wait either.
    rotation.keep_up().await?;
    if let (true, Some((_, latest))) = (signs.is_empty(), waits.iter().max_by_key(|(_, moment)| *moment)) {
        return Err(CommandError::refused(format!(
            "clients do not know the next keys yet; rotate from {} on, or with --now after a compromise",
            moment(*latest)
        )));
    }
    let mut facts = Facts::default();
    for (algorithm, kid) in &signs {
        facts = facts.with(algorithm.as_str(), format_args!("{kid} signs"));
    }
    for (algorithm, from) in &waits {
        facts =
            facts.with(algorithm.as_str(), format_args!("waits until clients know the next key: {}", moment(*from)));
    }
    let json = json!({
        "signing": signs.iter().map(|(algorithm, kid)| json!({"alg": algorithm, "kid": kid})).collect::<Value>(),
        "waiting": waits.iter().map(|(algorithm, from)| json!({"alg": algorithm, "from": from})).collect::<Value>(),
    });
    call.output.print(facts, &json)
}

async fn replace_all(call: &Call, rotation: &Rotation<'_>, alg: Option<SigningAlgorithm>) -> Result<(), CommandError> {
    let keys = rotation.edges.store.signing_keys().await?;
    let withdrawn: Vec<_> = keys.iter().filter(|key| alg.is_none_or(|alg| alg == key.algorithm)).collect();
    replace(call, rotation, &withdrawn).await
}

async fn replace(call: &Call, rotation: &Rotation<'_>, withdrawn: &[&StoredSigningKey]) -> Result<(), CommandError> {
    let fresh = rotation.replace(withdrawn).await?;
    rotation.keep_up().await?;
    let kids: Vec<_> = withdrawn.iter().map(|key| key.kid.as_str()).collect();
    let human = format!(
        "withdrawn: {}\nsigning:   {}\nRunning servers follow within a second. People sign in again where an app kept a token.",
        kids.join(" "),
        fresh.join(" ")
    );
    call.output.print(human, &json!({"withdrawn": kids, "signing": fresh}))
}

async fn retire(call: &Call, rotation: &Rotation<'_>, (kid, now): (&str, bool)) -> Result<(), CommandError> {
    let keys = rotation.edges.store.signing_keys().await?;
    let key = keys.iter().find(|key| key.kid == kid);
    let key =
        key.ok_or_else(|| CommandError::refused(format!("there is no key {kid}; `symbolon key list` shows all")))?;
    if now {
        return replace(call, rotation, &[key]).await;
    }
    match key.state {
        KeyState::Active => rotate(call, rotation, Some(key.algorithm)).await,
        // It has signed nothing.
        KeyState::Next => replace(call, rotation, &[key]).await,
        KeyState::Retiring => {
            let until = key.expires_at.map(moment).unwrap_or_default();
            let human = format!("{kid} retires already; its last token expires at {until}");
            call.output.print(human, &json!({"kid": kid, "state": key.state, "until": key.expires_at}))
        }
    }
}

async fn bring_in(
    call: &Call,
    rotation: &Rotation<'_>,
    (file, alg, state): (&Path, Option<SigningAlgorithm>, KeyState),
) -> Result<(), CommandError> {
    let bytes = zeroize::Zeroizing::new(read(file)?);
    let key =
        import::import(&bytes, alg).map_err(|error| CommandError::refused(format!("{}: {error}", file.display())))?;
    if published::is_published(key.key.kid()) {
        return Err(CommandError::refused(format!(
            "{}: the key {} was published, so everybody can sign with it; make one of your own, or leave it to the server",
            file.display(),
            key.key.kid()
        )));
    }
    rotation.establish(SigningAlgorithm::ALL).await?;
    match rotation.import(&key, state).await? {
        Creation::AlreadyExists => Err(CommandError::refused(format!("the key {} is here already", key.key.kid()))),
        Creation::Created => {
            let told = match state {
                KeyState::Active => "signs",
                _ => "is published; it signs after `symbolon key rotate`, an hour from now, or by policy",
            };
            let (kid, alg) = (key.key.kid(), key.key.algorithm());
            let human = format!("{} {kid} {told}", alg.as_str());
            call.output.print(human, &json!({"kid": kid, "alg": alg, "state": state}))
        }
    }
}

fn read(file: &Path) -> Result<Vec<u8>, CommandError> {
    use std::io::Read as _;
    let limit = u64::try_from(import::MAX_BYTES).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let source: Box<dyn std::io::Read> = if file == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(file).with_context(|| format!("cannot read {}", file.display()))?)
    };
    source.take(limit).read_to_end(&mut bytes).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(bytes)
}
