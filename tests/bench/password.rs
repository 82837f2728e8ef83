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

/// Measures all of it on a server of its own; the aim of pages is that of the machine of the aims.
pub(crate) async fn measure(
    (program, folder, pinning): (&Program, &Path, &Pinning),
    (workers, often): (usize, (usize, Duration)),
    costs: &Costs,
) -> Result<Vec<Limit>> {
    let (_, length) = often;
    let pace = Pace::since(costs, pinning)?;
    let at = At::start(program, folder, DEFAULT_ALGORITHM).await?;
    let unlimited = [("SYMBOLON__LIMITS__SIGN_IN", "off"), ("SYMBOLON__CLIENT_REGISTRATION__MODE", "open")];
    let at = at.serve(program, folder, &unlimited).await?;
    let issuer = at.endpoints.issuer.clone();
    let mut browser = Browser::new(at.address, at.user.clone());
    let first = browser.sign_in_request(&below(&issuer, "/sign-in")?).await?;
    browser.send(&first).await.context("sign in")?;

    let slowness = |pace| {
        let one = Needs { requests: 1, ..Needs::default() };
        one.slowness(one.bound(&costs.at(pace)))
    };
    let mut limits = Vec::new();
    let cookies = browser.cookie_field();
    let stranger = get(&below(&issuer, "/sign-in")?, &[]);
    let member = |path| Ok::<_, anyhow::Error>(get(&below(&issuer, path)?, &[("Cookie", &cookies)]));
    for (name, request, holds) in [
        ("page of sign-in: p99 ms", stranger, "login-submit"),
        ("page of an account: p99 ms", member("/account")?, "sign-out"),
        ("GET /api/v1/session of a person: p99 ms", member("/api/v1/session")?, "\"csrf_token\""),
    ] {
        let works = (0..workers).map(|_| Work::Same { request: request.clone(), holds }).collect();
        let measured = load::middle(&at.target(), works, often, &pace).await.with_context(|| name.to_owned())?;
        println!("{name}: {:.2} at {:.0}/s, {} turns", measured.p99, measured.rate, measured.turns);
        limits.push(Limit { name, value: measured.p99, most: Some(PAGE * slowness(measured.pace)) });
    }

    // The same browser without its session: it is known, so that no mail is sent, and each sign-in begins a session.
    browser.forget("session");
    let sign_in = browser.sign_in_request(&below(&issuer, "/sign-in")?).await?;
    let flood =
        || (0..FLOOD).map(|_| Work::Answered { request: sign_in.clone(), statuses: &[303] }).collect::<Vec<_>>();
    let before = at.target().memory()?;
    let bare = || {
        let (_process, line) = server::start_role(pinning, &["password", &length.as_secs().max(2).to_string()])?;
        line.parse::<f64>().context("the bare rate of Argon2id")
    };
    let before_it = bare()?;
    let (alone, _) = load::run(&at.target(), flood(), 3 * length).await.context("sign-ins by password")?;
    let bare = before_it.midpoint(bare()?);
    println!("sign-ins by password: {:.1}/s where Argon2id alone gives {bare:.1}/s", alone.rate);
    limits.push(Limit { name: "Argon2id alone, hashes /s", value: bare, most: None });
    limits.push(Limit { name: "sign-ins by password /s", value: alone.rate, most: None });
    let hashes = alone.cpu * bare / 1_000_000.0;
    limits.push(Limit { name: "a sign-in costs as many hashes of CPU", value: hashes, most: Some(1.25) });

    let everything = [
        (get(&discovery_url(&issuer), &[]), "\"issuer\""),
        (get(&at.endpoints.jwks_uri, &[]), "\"keys\""),
        (get(&below(&issuer, "/sign-in")?, &[]), "login-submit"),
        (member("/api/v1/session")?, "\"csrf_token\""),
    ];
    let others = everything.iter().cycle().take(OTHERS);
    let others = others.map(|(request, holds)| Work::Same { request: request.clone(), holds }).collect();
    let target = at.target();
    let (flooded, other) = tokio::join!(load::run(&target, flood(), length), load::run(&target, others, length));
    let (flooded, other) = (flooded.context("the flood")?.0, other.context("everything else")?.0);
    println!("in a flood of {:.1}/s everything else: p99 {:.2} ms at {:.0}/s", flooded.rate, other.p99, other.rate);
    limits.push(Limit {
        name: "everything else in a flood of sign-ins: p99 ms",
        value: other.p99,
        most: Some(MEANWHILE),
    });
    let grown = server::megabytes(target.memory()?) - server::megabytes(before);
    limits.push(Limit {
        name: "memory that the flood took, MB",
        value: grown,
        most: Some(PLACE * places(pinning) + BESIDE),
    });
    at.stop()?;
    Ok(limits)
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
