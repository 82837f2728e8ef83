//! Issue 4: pages, and password sign-ins beside everything else.
//!
//! A page that hashes nothing is asked for on all connections. Then people sign in by password on [`FLOOD`] connections, always with more
//! of them in line than the pool has places: what that gives is compared with the bare rate of Argon2id on the same core, and
//! everything else keeps its time meanwhile. Memory may grow by the places of the pool and no more.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use url::Url;

use crate::bound::{Costs, Needs};
use crate::browser::Browser;
use crate::connection::Connection;
use crate::load;
use crate::machine::Pinning;
use crate::pace::Pace;
use crate::relying_party::get;
use crate::report::Limit;
use crate::scenario::{DEFAULT_ALGORITHM, discovery_url};
use crate::server::{self, At, Program};
use crate::work::Work;

/// How `--only` calls all of it.
pub(crate) const NAME: &str = "pages and passwords";
/// Sign-ins under way. With fewer than the pool hashes in two seconds nobody is told to come again, so that each one counts.
const FLOOD: usize = 16;
/// Connections of everything else, during the flood.
const OTHERS: usize = 8;
/// What one place of the pool takes (19 456 KiB), and what the connections and rows of the flood may take beside it, in MB.
const PLACE: f64 = 19.9;
const BESIDE: f64 = 20.0;
/// The aims of issue 4, in ms.
const PAGE: f64 = 5.0;
const MEANWHILE: f64 = 100.0;
/// Where an app asks who is signed in.
const SESSION: &str = "/api/v1/session";

/// Measures all of it; the aim of pages is that of the machine of the aims.
pub(crate) async fn measure(
    (program, folder, pinning): (&Program, &Path, &Pinning),
    (workers, often): (usize, (usize, Duration)),
    costs: &Costs,
) -> Result<Vec<Limit>> {
    let at = At::start(program, folder, DEFAULT_ALGORITHM).await?;
    // The driver reads where clients are registered.
    let at = at.serve(program, folder, &[("SYMBOLON__CLIENT_REGISTRATION__MODE", "open")]).await?;
    let mut limits = pages(&at, (workers, often), (costs, &Pace::since(costs, pinning)?)).await?;
    at.stop()?;
    // One person signs in sixteenfold at once, which `serve` takes for guessing.
    let at = At::start(program, folder, DEFAULT_ALGORITHM).await?;
    limits.extend(flood(&at, often.1, pinning).await?);
    at.stop()?;
    Ok(limits)
}

/// Pages that hash nothing, on `serve`.
async fn pages(
    at: &At,
    (workers, often): (usize, (usize, Duration)),
    (costs, pace): (&Costs, &Pace<'_>),
) -> Result<Vec<Limit>> {
    let issuer = &at.endpoints.issuer;
    let cookies = signed_in(at).await?.cookie_field();
    let slowness = |pace| {
        let one = Needs { requests: 1, ..Needs::default() };
        one.slowness(one.bound(&costs.at(pace)))
    };
    let mut limits = Vec::new();
    for (name, request, holds) in [
        ("page of sign-in: p99 ms", get(&below(issuer, "/sign-in")?, &[]), "login-submit"),
        ("page of an account: p99 ms", member(issuer, "/account", &cookies)?, "sign-out"),
        ("GET /api/v1/session of a person: p99 ms", member(issuer, SESSION, &cookies)?, "\"csrf_token\""),
    ] {
        let works = (0..workers).map(|_| Work::Same { request: request.clone(), holds }).collect();
        let measured = load::middle(&at.target(), works, often, pace).await.with_context(|| name.to_owned())?;
        println!(
            "{name}: {:.2} at {:.0}/s, {:.1} µs of CPU, {} turns, everything takes {:.2} times as long",
            measured.p99, measured.rate, measured.cpu, measured.turns, measured.pace
        );
        limits.push(Limit { name, value: measured.p99, most: Some(PAGE * slowness(measured.pace)) });
    }
    Ok(limits)
}

/// Password sign-ins alone, and everything else beside them, on `dev`.
async fn flood(at: &At, length: Duration, pinning: &Pinning) -> Result<Vec<Limit>> {
    let issuer = &at.endpoints.issuer;
    // Before anybody signs in: a hash leaves its place in memory for some seconds.
    let before = at.target().memory()?;
    let mut browser = signed_in(at).await?;
    let cookies = browser.cookie_field();
    // The same browser without its session: it is known, so that no mail is sent, and each sign-in begins a session.
    browser.forget("session");
    let sign_in = browser.sign_in_request(&below(issuer, "/sign-in")?).await?;
    let flood =
        || (0..FLOOD).map(|_| Work::Answered { request: sign_in.clone(), statuses: &[303] }).collect::<Vec<_>>();
    let bare = || {
        let (_process, line) = server::start_role(pinning, &["password", &length.as_secs().max(2).to_string()])?;
        line.parse::<f64>().context("the bare rate of Argon2id")
    };
    let before_it = bare()?;
    let (alone, _) = load::run(&at.target(), flood(), 3 * length).await.context("sign-ins by password")?;
    let bare = before_it.midpoint(bare()?);
    println!("sign-ins by password: {:.1}/s where Argon2id alone gives {bare:.1}/s", alone.rate);

    let everything = [
        (get(&discovery_url(issuer), &[]), "\"issuer\""),
        (get(&at.endpoints.jwks_uri, &[]), "\"keys\""),
        (get(&below(issuer, "/sign-in")?, &[]), "login-submit"),
        (member(issuer, SESSION, &cookies)?, "\"csrf_token\""),
    ];
    let others = everything.iter().cycle().take(OTHERS);
    let others = others.map(|(request, holds)| Work::Same { request: request.clone(), holds }).collect();
    let target = at.target();
    let (flooded, other) = tokio::join!(load::run(&target, flood(), length), load::run(&target, others, length));
    let (flooded, other) = (flooded.context("the flood")?.0, other.context("everything else")?.0);
    println!("in a flood of {:.1}/s everything else: p99 {:.2} ms at {:.0}/s", flooded.rate, other.p99, other.rate);
    let grown = server::megabytes(target.memory()?) - server::megabytes(before);
    let limit = |name, value, most| Limit { name, value, most };
    Ok(vec![
        limit("Argon2id alone, hashes /s", bare, None),
        limit("sign-ins by password /s", alone.rate, None),
        limit("a sign-in costs as many hashes of CPU", alone.cpu * bare / 1_000_000.0, Some(1.25)),
        limit("everything else in a flood of sign-ins: p99 ms", other.p99, Some(MEANWHILE)),
        limit("memory that the flood took, MB", grown, Some(PLACE * places(pinning) + BESIDE)),
    ])
}

/// A browser whose person signed in.
async fn signed_in(at: &At) -> Result<Browser> {
    let mut browser = Browser::new(at.address, at.user.clone());
    let first = browser.sign_in_request(&below(&at.endpoints.issuer, "/sign-in")?).await?;
    browser.send(&first).await.context("sign in")?;
    Ok(browser)
}

fn member(issuer: &Url, path: &str, cookies: &str) -> Result<Vec<u8>> {
    Ok(get(&below(issuer, path)?, &[("Cookie", cookies)]))
}

/// The places of the server's pool: one for each core it may use.
#[expect(clippy::cast_precision_loss, reason = "cores are few")]
fn places(pinning: &Pinning) -> f64 {
    match pinning {
        Pinning::OwnCores => 1.0,
        Pinning::Free(_) => std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as f64,
    }
}

fn below(issuer: &Url, path: &str) -> Result<Url> {
    let base = issuer.as_str().trim_end_matches('/');
    format!("{base}{path}").parse().with_context(|| format!("the URL of {path}"))
}

impl Browser {
    /// Sends a request of [`Browser::sign_in_request`] and keeps the cookies of its answer.
    async fn send(&mut self, request: &[u8]) -> Result<()> {
        let mut connection = Connection::new(self.address());
        let answer = connection.exchange(request).await?;
        if answer.status != 303 {
            bail!("{}", answer.summary());
        }
        self.keep(&answer);
        Ok(())
    }
}
