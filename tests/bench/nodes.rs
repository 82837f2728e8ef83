//! One, two or three nodes on one PostgreSQL and one Redis of the machine's packages, each on a free loopback port.
//!
//! The nodes share the server's core and the stores share the driver's: what is seen is what sharing costs, not what more
//! machines would give. PostgreSQL waits for its disk at each commit, as in production. Each fact is a transaction of its own
//! there, while SQLite commits all that wait as one group.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::backend::postgres;
use crate::backend::redis::{self, Mode, Redis};
use crate::bound::Aim;
use crate::connection::Connection;
use crate::load::{self, Target};
use crate::machine::{self, Pinning};
use crate::relying_party::get;
use crate::report::Row;
use crate::scenario::{Kind, Stage, discovery_url};
use crate::server::{At, Process, User, free_port};

/// A signature costs little with it, so that the stores are what is measured.
const ALGORITHM: &str = "ES256";
const MEASURED: [Kind; 4] = [Kind::CodeFlow, Kind::Refresh, Kind::UserInfo, Kind::Introspection];
const USER: &str = "bench";
const PASSWORD: &str = "a long sentence for the load driver";
const PATIENCE: Duration = Duration::from_secs(20);

/// Measures every number of nodes up to `most`; rows without a bound, since that is made of SQLite rows.
pub(crate) async fn measure(
    program: &Path,
    folder: &Path,
    pinning: &Pinning,
    (most, workers, length): (u32, usize, Duration),
) -> Result<Vec<(Kind, Row)>> {
    let (Some(postgres), Some(redis)) = (postgres::own(), redis::own(Mode::Single)) else {
        bail!("PostgreSQL or Redis is not installed: apt-get install postgresql redis-server");
    };
    let mut rows = Vec::new();
    for count in 1..=most {
        let house = House { program, folder, pinning, url: postgres.database().await, redis: &redis };
        let (at, nodes) = house.open(count).await?;
        let mut stage = Stage::set(&at, ALGORITHM, workers).await.context("set the stage")?;
        for kind in MEASURED {
            let scenario = stage.scenario(kind, ALGORITHM).await.with_context(|| format!("{count} nodes"))?;
            let target = Target {
                addresses: nodes.iter().map(|node| node.address).collect(),
                pids: nodes.iter().map(|node| node.process.id()).collect(),
                // The stores work on the driver's core.
                awake: false,
            };
            let (measured, _) = load::run(&target, scenario.works, length).await.context(scenario.name.clone())?;
            let name = format!("{}, {count} on PG + Redis", scenario.name);
            println!("{name}: {:.0}/s", measured.rate);
            rows.push((kind, Row { name, needs: scenario.needs, bound: None, aim: Aim::None, measured }));
        }
        for node in nodes {
            node.process.stop()?;
        }
    }
    Ok(rows)
}

struct House<'a> {
    program: &'a Path,
    folder: &'a Path,
    pinning: &'a Pinning,
    url: String,
    redis: &'a Redis,
}

struct Node {
    address: SocketAddr,
    process: Process,
}

impl House<'_> {
    /// The first node as the driver's stage needs it, and all of them.
    async fn open(&self, count: u32) -> Result<(At, Vec<Node>)> {
        let mut addresses = Vec::new();
        for _ in 0..count {
            addresses.push(free_port()?);
        }
        let first = *addresses.first().context("no node")?;
        let issuer = format!("http://localhost:{}", first.port());
        self.make_user(&issuer)?;
        let mut nodes = Vec::new();
        for address in addresses {
            let mut command = self.command(&issuer, "serve");
            command.stdin(Stdio::null()).stdout(Stdio::null());
            command.env("SYMBOLON__SERVER__LISTEN", address.to_string());
            command.env("SYMBOLON__SERVER__OPERATIONS", free_port()?.to_string());
            let mut process = Process::spawn(command)?;
            let until = std::time::Instant::now() + PATIENCE;
            while tokio::net::TcpStream::connect(address).await.is_err() {
                if process.has_ended()? || std::time::Instant::now() > until {
                    bail!("a node did not start: {}", self.log());
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            nodes.push(Node { address, process });
        }
        let issuer: url::Url = issuer.parse().context("the issuer")?;
        let mut connection = Connection::new(first);
        let answer = connection.exchange(&get(&discovery_url(&issuer), &[])).await.context("discovery")?;
        let endpoints =
            serde_json::from_slice(answer.body).with_context(|| format!("discovery: {}", answer.summary()))?;
        let user = User { email: USER.to_owned(), password: PASSWORD.to_owned() };
        let at = At {
            address: first,
            discovery: answer.body.to_vec(),
            endpoints,
            user,
            process: None,
            start: Duration::ZERO,
            has_own_core: false,
        };
        Ok((at, nodes))
    }

    fn make_user(&self, issuer: &str) -> Result<()> {
        let mut command = self.command(issuer, "user");
        command.args(["create", USER, "--name", "Load Driver", "--email", "bench@example.com", "--email-verified"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().context("symbolon user create")?;
        let mut stdin = child.stdin.take().context("its standard input")?;
        writeln!(stdin, "{PASSWORD}").context("send the password")?;
        drop(stdin);
        if !child.wait().context("symbolon user create")?.success() {
            bail!("symbolon user create: {}", self.log());
        }
        Ok(())
    }

    /// The program with the settings that all nodes share.
    fn command(&self, issuer: &str, verb: &str) -> Command {
        let mut command = machine::on_server_core(self.program, self.pinning);
        command.arg(verb).current_dir(self.folder);
        command.env("SYMBOLON__ISSUER", issuer);
        command.env("SYMBOLON__DATABASE__URL", &self.url);
        command.env("SYMBOLON__EPHEMERAL__URL", self.redis.url());
        command.env("SYMBOLON__CLIENT_REGISTRATION__MODE", "open");
        command.env("SYMBOLON__TOKENS__SIGNING_ALG", ALGORITHM);
        command.env("SYMBOLON__KEYS__MASTER_KEY_FILE", self.folder.join(format!("{}.key", self.name())));
        if let Ok(log) = std::fs::OpenOptions::new().create(true).append(true).open(self.folder.join("nodes.log")) {
            command.stderr(log);
        }
        command
    }

    fn name(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or_default()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("nodes.log")).unwrap_or_default()
    }
}
