//! One run, from the baselines to the table.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::baseline::ALGORITHMS;
use crate::bound::{Costs, DurableRow};
use crate::load::{self, Measured, Target};
use crate::machine::{self, Pinning};
use crate::nodes;
use crate::options::Options;
use crate::pace::Pace;
use crate::password;
use crate::report::{Limit, Report, Row};
use crate::scenario::{DEFAULT_ALGORITHM, Kind, Stage};
use crate::server::{self, At, Program, megabytes};
use crate::soak;
use crate::work::Work;

/// Seconds that each part of the bound is measured.
const BASELINE_SECONDS: &str = "2";

/// Measures what was asked for and prints it.
pub(crate) async fn run(options: &Options, pinning: &Pinning) -> Result<()> {
    if let Some(load) = machine::load_average().filter(|load| *load > 0.5) {
        println!("note: the machine is already busy (load average {load}); the rates will be too low");
    }
    let workers = usize::try_from(options.connections).context("connections")?;
    let folder = tempfile::tempdir().context("a temporary folder")?;
    let program = if options.stand_in {
        Program::stand_in(pinning)?
    } else {
        let built = || PathBuf::from(env!("CARGO_BIN_EXE_symbolon"));
        Program::symbolon(options.program.clone().unwrap_or_else(built), pinning)
    };
    let mut costs = parts(folder.path(), pinning)?;
    let fresh = At::start(&program, folder.path(), DEFAULT_ALGORITHM).await?;
    let mut process = vec![Limit {
        name: "dev on an empty data folder: first page after ms",
        value: millis(fresh.start),
        most: Some(1000.0),
    }];
    fresh.stop()?;
    if let Some(idle) = program.serve(folder.path()).await? {
        process.push(Limit { name: "serve: first page after ms", value: millis(idle.start), most: Some(50.0) });
        process.push(Limit { name: "serve: memory when idle, MB", value: megabytes(idle.memory), most: Some(25.0) });
    }

    let mut rows = Vec::new();
    let mut flows = Vec::new();
    let mut bare = None;
    for algorithm in ALGORITHMS {
        let at = At::start(&program, folder.path(), algorithm).await?;
        if algorithm == DEFAULT_ALGORITHM {
            let measured = bare_axum(folder.path(), &at.discovery, options, pinning).await?;
            costs.request = measured.cpu;
            bare = Some(measured);
        }
        let mut stage =
            Stage::set(&at, algorithm, workers).await.with_context(|| format!("set the stage for {algorithm}"))?;
        flows.push(format!("{algorithm}: {}", stage.description()));
        rows.extend(scenarios(&mut stage, &at, algorithm, (options, &costs, pinning)).await?);
        if algorithm == DEFAULT_ALGORITHM {
            let used = at.target().memory()?;
            process.push(Limit { name: "dev: memory after the load, MB", value: megabytes(used), most: None });
        }
        at.stop()?;
    }
    if options.wants(password::NAME) && !options.stand_in {
        let often = (options.rounds(), Duration::from_secs(options.seconds));
        let measured = password::measure((&program, folder.path(), pinning), (workers, often), &costs).await;
        process.extend(measured.context(password::NAME)?);
    }
    if let Some(most) = options.nodes {
        let length = Duration::from_secs(options.seconds);
        rows.extend(nodes::measure(program.file(), folder.path(), pinning, (most, workers, length)).await?);
    }
    rows.sort_by_key(|(kind, _)| *kind);
    if let Some(minutes) = options.soak {
        process.extend(soak(&program, folder.path(), workers, (minutes, options.soak_rate)).await?);
    }
    let report = Report {
        date: today()?,
        machine: machine::description(),
        pinning: match pinning {
            Pinning::OwnCores => "server on core 0, driver on core 1".to_owned(),
            Pinning::Free(why) => format!("NOT pinned ({why}): ratios mean little"),
        },
        seconds: options.seconds,
        rounds: options.rounds(),
        connections: options.connections,
        costs,
        bare_axum: bare.context("the bare axum server was not measured")?,
        code_flow: flows.join(" · "),
        rows: rows.into_iter().map(|(_, row)| row).collect(),
        process,
    };
    println!("{}", report.table());
    if let Some(file) = &options.json {
        std::fs::write(file, serde_json::to_vec_pretty(&report).context("the report")?).context("write the report")?;
    }
    Ok(())
}

async fn soak(
    program: &Program,
    folder: &Path,
    workers: usize,
    (minutes, rate): (u64, Option<u32>),
) -> Result<[Limit; 3]> {
    let at = At::start(program, folder, soak::ALGORITHM).await?;
    let stage = Stage::set(&at, soak::ALGORITHM, workers).await.context("set the stage")?;
    let growth = soak::run(&stage, &Target { awake: false, ..at.target() }, minutes, rate).await?;
    at.stop()?;
    Ok([
        Limit { name: "soak: lives of grants, thousands", value: growth.lives / 1000.0, most: None },
        Limit { name: "soak: memory at the end, MB", value: megabytes(growth.end), most: None },
        // At full speed some 200 000 lives lie between the quarters: a leak of twenty bytes in each would show.
        Limit {
            name: "soak: growth in its second half, MB",
            value: growth.grown * server::KIB / 1_000_000.0,
            most: Some(4.0),
        },
    ])
}

/// What signatures and rows cost on the server's core; the cost of a request follows when its bytes are known.
fn parts(folder: &Path, pinning: &Pinning) -> Result<Costs> {
    let mut costs = Costs::default();
    let folder = folder.to_str().context("a temporary folder in UTF-8")?;
    for algorithm in ALGORITHMS {
        let (_process, line) = server::start_role(pinning, &["signature", algorithm, BASELINE_SECONDS])?;
        costs.signature.insert(algorithm, line.parse().context("the cost of a signature")?);
    }
    for (group, row) in [("64", &mut costs.row), ("1", &mut costs.row_alone)] {
        let (_process, line) = server::start_role(pinning, &["row", folder, group, BASELINE_SECONDS])?;
        let (cost, rate) = line.split_once(' ').context("the cost of a row and its rate")?;
        *row = DurableRow { cost: cost.parse().context("a cost")?, rate: rate.parse().context("a rate")? };
    }
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
    let at = Target::one(address, process.id(), pinning);
    let (measured, _) = load::run(&at, works, Duration::from_secs(options.seconds)).await.context("bare axum")?;
    Ok(measured)
}

async fn scenarios(
    stage: &mut Stage,
    at: &At,
    algorithm: &str,
    (options, costs, pinning): (&Options, &Costs, &Pinning),
) -> Result<Vec<(Kind, Row)>> {
    let mut rows = Vec::new();
    for kind in Kind::of(algorithm) {
        let name = kind.name(algorithm);
        if !options.wants(&name) {
            continue;
        }
        let scenario = stage.scenario(*kind, algorithm).await.with_context(|| format!("prepare {name}"))?;
        let often = (options.rounds(), Duration::from_secs(options.seconds));
        let pace = Pace::since(costs, pinning)?;
        let measured = load::middle(&at.target(), scenario.works, often, &pace).await.with_context(|| name.clone())?;
        println!("{name}: {:.0}/s", measured.rate);
        let bound = scenario.needs.bound(&costs.at(measured.pace));
        rows.push((*kind, Row { name: scenario.name, bound, needs: scenario.needs, aim: scenario.aim, measured }));
    }
    Ok(rows)
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
