//! `symbolon key`: the signing keys, and what to do when one is lost.
//!
//! PROTOCOL.md T18 and §3 (compromise drill: one command).

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::{Value, json};

use crate::admin::key::{Haste, KeyRules, Replaced, Retired, Rotated};
use crate::admin::{AdminError, Administration, Refusal};
use crate::app;
use crate::cli::output::{Facts, Table, moment};
use crate::cli::site::{Absent, Site};
use crate::cli::{Call, CommandError};
use crate::model::signing_key::{KeyState, StoredSigningKey};
use crate::oauth::rotation::{RotationPolicy, next_of, signs_since};
use crate::protocol::jose::algorithm::SigningAlgorithm;
use crate::protocol::jose::{import, published};
use crate::protocol::numeric_date::NumericDate;

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
        let done = self.act(call, &site).await;
        site.close().await;
        done
    }

    async fn act(self, call: &Call, site: &Site) -> Result<(), CommandError> {
        let (administration, rules) = (site.administration(), rules(site));
        match self {
            Self::List => list(call, site).await,
            Self::Rotate { alg, now: false } => {
                rotated(call, &administration.rotate_keys(alg, rules).await.map_err(not_known)?)
            }
            Self::Rotate { alg, now: true } => replaced(call, &administration.replace_keys(alg, rules).await?),
            Self::Retire { kid, now } => {
                let haste = if now { Haste::AtOnce } else { Haste::InTime };
                retire(call, (&administration, rules), (&kid, haste)).await
            }
            Self::Import { file, alg, now } => {
                let state = if now { KeyState::Active } else { KeyState::Next };
                bring_in(call, (&administration, rules), (&file, alg, state)).await
            }
        }
    }
}

fn rules(site: &Site) -> KeyRules<'_> {
    KeyRules { vault: &site.vault, policy: app::rotation_policy(&site.config) }
}

async fn list(call: &Call, site: &Site) -> Result<(), CommandError> {
    let policy = rules(site).policy;
    let mut keys = site.edges.store.signing_keys().await?;
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
            until(&keys, key, policy).map(moment).unwrap_or_default(),
        ]);
    }
    let values = keys.iter().map(|key| {
        json!({
            "kid": key.kid, "alg": key.algorithm, "state": key.state, "created_at": key.created_at,
            "activated_at": (key.state != KeyState::Next).then(|| signs_since(key)),
            "until": until(&keys, key, policy),
        })
    });
    call.output.print(table, &values.collect())
}

/// When a key leaves its state: an active one by policy, a retiring one when its last token has expired.
fn until(keys: &[StoredSigningKey], key: &StoredSigningKey, policy: RotationPolicy) -> Option<NumericDate> {
    match key.state {
        KeyState::Next => None,
        KeyState::Active => next_of(keys, key.algorithm).map(|_| signs_since(key).plus(policy.rotate_every)),
        KeyState::Retiring => key.expires_at,
    }
}

/// When clients will know the next keys, and what to do when that is too late.
fn not_known(error: AdminError) -> CommandError {
    match error {
        AdminError::Refused(refusal @ Refusal::KeysNotKnown { from }) => CommandError::refused(format!(
            "{refusal}; rotate from {} on, or with --now after a compromise",
            moment(from)
        )),
        error => error.into(),
    }
}

fn rotated(call: &Call, rotated: &Rotated) -> Result<(), CommandError> {
    let Rotated { signing, waiting } = rotated;
    let mut facts = Facts::default();
    for (algorithm, kid) in signing {
        facts = facts.with(algorithm.as_str(), format_args!("{kid} signs"));
    }
    for (algorithm, from) in waiting {
        facts =
            facts.with(algorithm.as_str(), format_args!("waits until clients know the next key: {}", moment(*from)));
    }
    let json = json!({
        "signing": signing.iter().map(|(algorithm, kid)| json!({"alg": algorithm, "kid": kid})).collect::<Value>(),
        "waiting": waiting.iter().map(|(algorithm, from)| json!({"alg": algorithm, "from": from})).collect::<Value>(),
    });
    call.output.print(facts, &json)
}

fn replaced(call: &Call, replaced: &Replaced) -> Result<(), CommandError> {
    let human = format!(
        "withdrawn: {}\nsigning:   {}\nRunning servers follow within a second. People sign in again where an app kept a token.",
        replaced.withdrawn.join(" "),
        replaced.signing.join(" ")
    );
    call.output.print(human, &json!({"withdrawn": replaced.withdrawn, "signing": replaced.signing}))
}

async fn retire(
    call: &Call,
    (administration, rules): (&Administration, KeyRules<'_>),
    (kid, haste): (&str, Haste),
) -> Result<(), CommandError> {
    match administration.retire_key((kid, haste), rules).await.map_err(not_known)? {
        Retired::Rotated(done) => rotated(call, &done),
        Retired::Replaced(done) => replaced(call, &done),
        Retired::Already(until) => {
            let human =
                format!("{kid} retires already; its last token expires at {}", until.map(moment).unwrap_or_default());
            call.output.print(human, &json!({"kid": kid, "state": KeyState::Retiring, "until": until}))
        }
    }
}

async fn bring_in(
    call: &Call,
    (administration, rules): (&Administration, KeyRules<'_>),
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
    let (kid, alg) = (key.key.kid(), key.key.algorithm());
    match administration.import_key((&key, state), rules).await {
        Err(AdminError::Refused(Refusal::Taken { .. })) => {
            return Err(CommandError::refused(format!("the key {kid} is here already")));
        }
        done => done?,
    }
    let told = match state {
        KeyState::Active => "signs",
        _ => "is published; it signs after `symbolon key rotate`, an hour from now, or by policy",
    };
    call.output.print(format_args!("{} {kid} {told}", alg.as_str()), &json!({"kid": kid, "alg": alg, "state": state}))
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
