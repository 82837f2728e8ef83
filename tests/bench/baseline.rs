//! What the parts cost alone: run by the driver in processes of their own, on the server's core.

use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use bytes::Bytes;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use crate::machine;

/// The algorithms that are measured.
pub(crate) const ALGORITHMS: [&str; 3] = ["RS256", "ES256", "EdDSA"];
/// The bytes of a usual ID token, without its signature.
const SIGNING_INPUT: usize = 600;

/// Prints the CPU time of one signature in µs.
pub(crate) fn signature(algorithm: &str, seconds: u64) -> Result<()> {
    let input = vec![b'x'; SIGNING_INPUT];
    let random = SystemRandom::new();
    match algorithm {
        "RS256" => {
            let key = RsaKeyPair::generate(KeySize::Rsa2048).context("generate an RSA key")?;
            let mut signature = vec![0; key.public_modulus_len()];
            repeat(seconds, || key.sign(&RSA_PKCS1_SHA256, &random, &input, &mut signature).context("sign"))
        }
        "ES256" => {
            let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).context("generate an EC key")?;
            repeat(seconds, || {
                black_box(key.sign(&random, &input).context("sign")?);
                Ok(())
            })
        }
        "EdDSA" => {
            let key = Ed25519KeyPair::generate().context("generate an Ed25519 key")?;
            repeat(seconds, || {
                black_box(key.sign(&input));
                Ok(())
            })
        }
        other => bail!("no such algorithm: {other}"),
    }
}

fn repeat(seconds: u64, mut once: impl FnMut() -> Result<()>) -> Result<()> {
    for _ in 0..100 {
        once()?;
    }
    let until = Instant::now() + Duration::from_secs(seconds);
    let before = machine::cpu_time(std::process::id())?;
    let mut times = 0_u32;
    while Instant::now() < until {
        for _ in 0..32 {
            once()?;
        }
        times += 32;
    }
    println!("{}", cost(before, times)?);
    Ok(())
}

/// µs of CPU for each of so many times since `before`.
fn cost(before: Duration, times: u32) -> Result<f64> {
    let used = machine::cpu_time(std::process::id())?.saturating_sub(before);
    Ok(used.as_secs_f64() * 1_000_000.0 / f64::from(times))
}

/// Prints how many passwords Argon2id hashes in a second of CPU, with the parameters of the server, which are the defaults of the crate.
pub(crate) fn password(seconds: u64) -> Result<()> {
    let argon2 = argon2::Argon2::default();
    let mut hash = [0_u8; 32];
    let mut once =
        || argon2.hash_password_into(black_box(b"correct horse battery staple"), b"symbolon nobody.", &mut hash);
    let until = Instant::now() + Duration::from_secs(seconds);
    let before = machine::cpu_time(std::process::id())?;
    let mut times = 0_u32;
    while Instant::now() < until {
        once().map_err(|error| anyhow::anyhow!("{error}"))?;
        times += 1;
    }
    println!("{}", 1_000_000.0 / cost(before, times)?);
    Ok(())
}

const CREATE: &str = "CREATE TABLE token (token_hash BLOB PRIMARY KEY, grant_id BLOB NOT NULL, expires_at BIGINT NOT NULL, scope TEXT NOT NULL) WITHOUT ROWID";
const INSERT: &str = "INSERT INTO token (token_hash, grant_id, expires_at, scope) VALUES ($1, $2, $3, $4)";

/// Prints the CPU time of one row, inserted in durable transactions of `group` rows, in µs, and how many rows there were in a second.
///
/// The bound is made of CPU time, so that a slow disk does not lower it: a server signs while it waits for the disk. What a disk gives
/// shows in the rows of a second.
pub(crate) async fn row(folder: &Path, group: u32, seconds: u64) -> Result<()> {
    let mut connection = SqliteConnectOptions::new()
        .filename(folder.join(format!("row-{group}.db")))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .connect()
        .await
        .context("open a database")?;
    sqlx::query(CREATE).execute(&mut connection).await.context("create a table")?;
    let began = Instant::now();
    let before = machine::cpu_time(std::process::id())?;
    let mut rows = 0_u32;
    while began.elapsed() < Duration::from_secs(seconds) {
        sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await.context("begin")?;
        for _ in 0..group {
            let mut hash = [0_u8; 32];
            aws_lc_rs::rand::fill(&mut hash).context("random bytes")?;
            let insert =
                sqlx::query(INSERT).bind(hash.as_slice()).bind(&b"0123456789abcdef"[..]).bind(1_800_000_000_i64);
            insert.bind("openid profile email").execute(&mut connection).await.context("insert")?;
            rows += 1;
        }
        sqlx::query("COMMIT").execute(&mut connection).await.context("commit")?;
    }
    println!("{} {}", cost(before, rows)?, f64::from(rows) / began.elapsed().as_secs_f64());
    Ok(())
}

/// Answers the bytes of a file at every path, after printing the port.
pub(crate) async fn bare_axum(body: &Path) -> Result<()> {
    let body = Bytes::from(std::fs::read(body).context("read the body")?);
    let answer = move || {
        let body = body.clone();
        async move { ([(CONTENT_TYPE, "application/json")], body) }
    };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.context("listen")?;
    println!("{}", listener.local_addr().context("the port")?.port());
    std::io::stdout().flush().context("print the port")?;
    axum::serve(listener, Router::new().fallback(get(answer))).await.context("serve")
}
