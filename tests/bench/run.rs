//! One run, from the baselines to the table.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use url::Url;

use crate::baseline::ALGORITHMS;
use crate::bound::Costs;
use crate::browser::target;
use crate::connection::Connection;
use crate::load::{self, Measured, Target};
use crate::machine::{self, Pinning};
use crate::options::Options;
use crate::relying_party::{Endpoints, get};
use crate::report::{Limit, Report, Row};
use crate::scenario::{Kind, Stage, discovery_url};
use crate::server::{self, Facts, Process, Program};
use crate::soak;
use crate::work::Work;

const MIB: f64 = 1024.0;
/// Seconds that each part of the bound is measured.
const BASELINE_SECONDS: &str = "2";

/// Measures what was asked for and prints it.
pub(crate) async fn run(options: &Options, pinning: &Pinning) -> Result<()> {
    if let Some(load) = machine::load_average().filter(|load| *load > 0.5) {
        println!("note: the machine is already busy (load average {load}); the rates will be too low");
    }
    let folder = tempfile::tempdir().context("a temporary folder")?;
    let program = if options.stand_in {
        Program::stand_in(pinning)?
    } else {
        let built = || PathBuf::from(env!("CARGO_BIN_EXE_symbolon"));
        Program::symbolon(options.program.clone().unwrap_or_else(built), pinning)
    };
    let mut costs = parts(folder.path(), pinning)?;

    let (first, fresh) = started(&program, folder.path()).await?;
    first.process.stop()?;
    let (server, existing) = started(&program, folder.path()).await?;
    let idle = server::idle_memory(server.process.id()).await?;
    let address = address_of(&server.facts.issuer).await?;
    let at = Target { address, pid: server.process.id() };
    let discovery = fetch(address, &discovery_url(&server.facts.issuer.parse().context("the issuer")?)).await?;
    let bare_axum = bare_axum(folder.path(), &discovery, options, pinning).await?;
    costs.request = bare_axum.cpu;

    let endpoints: Endpoints = serde_json::from_slice(&discovery).context("discovery")?;
    let user = server.facts.users.last().context("a user who may sign in")?;
    let workers = usize::try_from(options.connections).context("connections")?;
    let mut stage = Stage::set(address, &endpoints, user, workers).await.context("set the stage")?;
    let rows = scenarios(&mut stage, at, options, &costs).await?;
    let mut process = vec![
        Limit { name: "start, empty data folder: first page after ms", value: millis(fresh), most: Some(1000.0) },
        Limit { name: "start, existing data: first page after ms", value: millis(existing), most: None },
        Limit { name: "memory when idle, MB", value: megabytes(idle), most: Some(25.0) },
        Limit { name: "memory after the load, MB", value: megabytes(machine::resident_memory(at.pid)?), most: None },
    ];
    if let Some(minutes) = options.soak {
        let growth = soak::run(&mut stage, at, minutes).await?;
        let grown = megabytes(growth.end) - megabytes(growth.halfway);
        process.push(Limit { name: "soak: memory at the end, MB", value: megabytes(growth.end), most: None });
        // Allocators and page caches breathe; a leak of one kilobyte in a thousand flows would still show.
        process.push(Limit { name: "soak: growth in its second half, MB", value: grown, most: Some(4.0) });
    }
    let report = Report {
        date: today()?,
        machine: machine::description(),
        pinning: match pinning {
            Pinning::OwnCores => "server on core 0, driver on core 1".to_owned(),
            Pinning::Free(why) => format!("NOT pinned ({why}): ratios mean little"),
        },
        seconds: options.seconds,
        connections: options.connections,
        costs,
        bare_axum,
        code_flow: stage.description(),
        rows,
        process,
    };
    println!("{}", report.table());
    if let Some(file) = &options.json {
        std::fs::write(file, serde_json::to_vec_pretty(&report).context("the report")?).context("write the report")?;
    }
    server.process.stop()
}

/// What signatures and rows cost on the server's core; the cost of a request follows when its bytes are known.
fn parts(folder: &Path, pinning: &Pinning) -> Result<Costs> {
    let mut costs = Costs::default();
    let folder = folder.to_str().context("a temporary folder in UTF-8")?;
    for algorithm in ALGORITHMS {
        let (_process, line) = server::start_role(pinning, &["signature", algorithm, BASELINE_SECONDS])?;
        costs.signature.insert(algorithm, line.parse().context("the cost of a signature")?);
    }
    let (_process, line) = server::start_role(pinning, &["row", folder, BASELINE_SECONDS])?;
    costs.row = line.parse().context("the cost of a row")?;
    Ok(costs)
}

async fn bare_axum(folder: &Path, body: &[u8], options: &Options, pinning: &Pinning) -> Result<Measured> {
    let file = folder.join("discovery.json");
    std::fs::write(&file, body).context("write the discovery bytes")?;
    let (process, port) = server::start_role(pinning, &["bare-axum", file.to_str().context("a path in UTF-8")?])?;
    let address = SocketAddr::from(([127, 0, 0, 1], port.parse().context("the port")?));
    let request =
        format!("GET /.well-known/openid-configuration HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n").into_bytes();
    let work = || Work::Same { request: request.clone(), holds: "\"issuer\"" };
    let works = (0..options.connections).map(|_| work()).collect();
    let at = Target { address, pid: process.id() };
    let (measured, _) = load::run(at, works, Duration::from_secs(options.seconds)).await.context("bare axum")?;
    Ok(measured)
}

async fn scenarios(stage: &mut Stage, at: Target, options: &Options, costs: &Costs) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (kind, algorithm) in Kind::all() {
        let name = kind.name(algorithm);
        if !options.wants(&name) {
            continue;
        }
        let Some(scenario) = stage.scenario(kind, algorithm).await.with_context(|| format!("prepare {name}"))? else {
            println!("note: {name} signs like the first algorithm and is not repeated");
            continue;
        };
        let length = Duration::from_secs(options.seconds);
        let (measured, _) = load::run(at, scenario.works, length).await.with_context(|| name.clone())?;
        println!("{name}: {:.0}/s", measured.rate);
        let bound = scenario.needs.bound(costs);
        rows.push(Row { name: scenario.name, bound, needs: scenario.needs, aim: scenario.aim, measured });
    }
    Ok(rows)
}

struct Server {
    process: Process,
    facts: Facts,
}

/// Starts the server and tells how long it took until its first page.
async fn started(program: &Program, folder: &Path) -> Result<(Server, Duration)> {
    let began = Instant::now();
    let (process, facts) = program.start(folder)?;
    let address = address_of(&facts.issuer).await?;
    let mut url: Url = facts.issuer.parse().context("the issuer")?;
    let mut connection = Connection::new(address);
    for _ in 0..5 {
        let answer = connection.exchange(&get(&url, &[])).await.context("the first page")?;
        match (answer.status, answer.field("location")) {
            (200, _) => return Ok((Server { process, facts }, began.elapsed())),
            (302 | 303, Some(location)) => url = url.join(location).context("Location")?,
            _ => bail!("{}: {}", target(&url), answer.summary()),
        }
    }
    bail!("the first page redirects again and again")
}

async fn address_of(issuer: &str) -> Result<SocketAddr> {
    let url: Url = issuer.parse().context("the issuer")?;
    let (host, port) = (url.host_str().context("a host")?, url.port_or_known_default().context("a port")?);
    for address in tokio::net::lookup_host((host, port)).await.with_context(|| format!("find {host}"))? {
        if tokio::net::TcpStream::connect(address).await.is_ok() {
            return Ok(address);
        }
    }
    bail!("nobody listens at {issuer}")
}

async fn fetch(address: SocketAddr, url: &Url) -> Result<Vec<u8>> {
    let mut connection = Connection::new(address);
    let answer = connection.exchange(&get(url, &[])).await.with_context(|| format!("fetch {url}"))?;
    if answer.status != 200 {
        bail!("fetch {url}: {}", answer.summary());
    }
    Ok(answer.body.to_vec())
}

#[expect(clippy::disallowed_methods, reason = "the date of a measurement is that of the machine")]
fn today() -> Result<String> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).context("the clock")?;
    let now =
        chrono::DateTime::from_timestamp(i64::try_from(now.as_secs()).context("the clock")?, 0).context("the clock")?;
    Ok(now.format("%Y-%m-%d %H:%M UTC").to_string())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "memory in KiB is far below 2^52")]
fn megabytes(kib: u64) -> f64 {
    kib as f64 * MIB / 1_000_000.0
}
