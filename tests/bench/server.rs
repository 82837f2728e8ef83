//! The program under load, and the small processes that are measured in its place.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use url::Url;

use crate::connection::Connection;
use crate::load::Target;
use crate::machine::{self, Pinning};
use crate::relying_party::{Endpoints, get};
use crate::scenario::discovery_url;

const FIRST_LINE: Duration = Duration::from_mins(1);
const SHUTDOWN: Duration = Duration::from_secs(30);
const QUIET: Duration = Duration::from_millis(500);

/// A child process that ends with its value.
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts it and returns the first line it prints.
    pub(crate) fn start(mut command: Command) -> Result<(Process, String)> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("start {command:?}"))?;
        let stdout = child.stdout.take().context("the child's standard output")?;
        let process = Process { child };
        let line = first_line(stdout).with_context(|| format!("the first line of {command:?}"))?;
        Ok((process, line))
    }

    /// Starts it and looks at nothing it prints.
    pub(crate) fn spawn(mut command: Command) -> Result<Process> {
        Ok(Process { child: command.spawn().with_context(|| format!("start {command:?}"))? })
    }

    /// Whether it is gone.
    pub(crate) fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait().context("wait for a server")?.is_some())
    }

    /// Its process id: `taskset` executes the program in its own place.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(mut self) -> Result<()> {
        let asked = Command::new("kill").args(["-TERM", &self.id().to_string()]).status().context("kill")?;
        if !asked.success() {
            bail!("the server had ended by itself");
        }
        let until = Instant::now() + SHUTDOWN;
        while Instant::now() < until {
            if self.child.try_wait().context("wait for the server")?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        bail!("the server did not end within {SHUTDOWN:?} of SIGTERM")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads one line, and goes on reading so that the pipe never fills.
fn first_line(stdout: ChildStdout) -> Result<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            // The receiver leaves after the first line.
            let _ = sender.send(line);
        }
    });
    receiver.recv_timeout(FIRST_LINE).context("it ended, or printed nothing for a minute")
}

/// What `symbolon dev --json` prints.
#[derive(Debug, Deserialize)]
struct Facts {
    /// The issuer, which is also where it listens.
    issuer: String,
    /// People who may sign in.
    users: Vec<User>,
}

/// A person who may sign in.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct User {
    /// What is typed into `#login`.
    pub(crate) email: String,
    /// What is typed into `#password`.
    pub(crate) password: String,
}

/// The program to measure and how it is started.
pub(crate) struct Program {
    file: PathBuf,
    arguments: &'static [&'static str],
    pinning: Pinning,
}

impl Program {
    /// `file` is Symbolon.
    pub(crate) fn symbolon(file: PathBuf, pinning: &Pinning) -> Program {
        Program { file, arguments: &["dev", "--json", "--port", "0", "--data"], pinning: pinning.clone() }
    }

    /// The file of the program.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// This program, in its role as a stand-in.
    pub(crate) fn stand_in(pinning: &Pinning) -> Result<Program> {
        Ok(Program {
            file: std::env::current_exe().context("this program")?,
            arguments: &["stand-in"],
            pinning: pinning.clone(),
        })
    }

    /// Starts it on this data folder, to sign access tokens with `algorithm`; its messages go to `server.log` beside it.
    fn start(&self, data: &Path, algorithm: &str) -> Result<(Process, Facts)> {
        let mut command = machine::on_server_core(&self.file, &self.pinning);
        command.args(self.arguments).env("SYMBOLON__TOKENS__SIGNING_ALG", algorithm);
        if self.arguments.contains(&"--data") {
            command.arg(data.join("data"));
        }
        let log = data.join("server.log");
        command.stderr(std::fs::File::create(&log).context("create server.log")?);
        let (process, line) = Process::start(command).with_context(|| {
            let messages = std::fs::read_to_string(&log).unwrap_or_default();
            format!("start {}: {messages}", self.file.display())
        })?;
        let facts = serde_json::from_str(&line).with_context(|| format!("the facts line: {line}"))?;
        Ok((process, facts))
    }
}

/// Starts this program again in one of its roles, on the server's core, and returns its first line.
pub(crate) fn start_role(pinning: &Pinning, arguments: &[&str]) -> Result<(Process, String)> {
    let program = std::env::current_exe().context("this program")?;
    let mut command = machine::on_server_core(&program, pinning);
    command.args(arguments);
    Process::start(command)
}

/// What `symbolon serve` needs on the data that `symbolon dev` left.
pub(crate) struct Idle {
    /// From its start until its first page was there.
    pub(crate) start: Duration,
    /// Resident memory in KiB when it had nothing more to do.
    pub(crate) memory: u64,
}

impl Program {
    /// Starts `symbolon serve` on the database of an earlier [`At::start`]; `None` for the stand-in, which has none.
    pub(crate) async fn serve(&self, folder: &Path) -> Result<Option<Idle>> {
        if !self.arguments.contains(&"--data") {
            return Ok(None);
        }
        let began = Instant::now();
        let (process, _) = self.serve_with(folder, &[]).await?;
        let start = began.elapsed();
        let memory = idle_memory(process.id()).await?;
        process.stop()?;
        Ok(Some(Idle { start, memory }))
    }

    /// Starts `symbolon serve` with these variables and waits for its first page; tells its issuer, which is also where it listens.
    async fn serve_with(&self, folder: &Path, variables: &[(&str, &str)]) -> Result<(Process, Url)> {
        let (public, operations) = (free_port()?, free_port()?);
        let issuer = format!("http://localhost:{}", public.port());
        let (data, log) = (folder.join("data"), folder.join("serve.log"));
        let mut command = machine::on_server_core(&self.file, &self.pinning);
        command.arg("serve").stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(std::fs::File::create(&log).context("create serve.log")?);
        command.env("SYMBOLON__ISSUER", &issuer);
        command.env("SYMBOLON__SERVER__LISTEN", public.to_string());
        command.env("SYMBOLON__SERVER__OPERATIONS", operations.to_string());
        command.env("SYMBOLON__DATABASE__PATH", data.join("symbolon.db"));
        command.env("SYMBOLON__KEYS__MASTER_KEY_FILE", data.join("master.key"));
        command.envs(variables.iter().copied());
        let mut process = Process::spawn(command)?;
        while tokio::net::TcpStream::connect(public).await.is_err() {
            if process.has_ended()? {
                bail!("serve ended: {}", std::fs::read_to_string(&log).unwrap_or_default());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let issuer: Url = issuer.parse().context("the issuer")?;
        first_page(&mut Connection::new(public), issuer.clone()).await?;
        Ok((process, issuer))
    }
}

/// A port nobody listens on at this moment.
pub(crate) fn free_port() -> Result<SocketAddr> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).context("find a free port")?;
    listener.local_addr().context("find a free port")
}

/// A server that answers, and who may sign in there.
pub(crate) struct At {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The bytes of its discovery document.
    pub(crate) discovery: Vec<u8>,
    /// The same, read.
    pub(crate) endpoints: Endpoints,
    /// A person.
    pub(crate) user: User,
    /// The server, where it is one alone; it ends with this value.
    pub(crate) process: Option<Process>,
    /// From its start until its first page was there.
    pub(crate) start: Duration,
    /// Whether the driver works on another core.
    pub(crate) has_own_core: bool,
}

impl At {
    /// Starts `symbolon dev` and waits for its first page.
    pub(crate) async fn start(program: &Program, folder: &Path, algorithm: &str) -> Result<At> {
        let began = Instant::now();
        let (process, facts) = program.start(folder, algorithm)?;
        let issuer: Url = facts.issuer.parse().context("the issuer")?;
        let address = address_of(&issuer).await?;
        first_page(&mut Connection::new(address), issuer.clone()).await?;
        let start = began.elapsed();
        let user = facts.users.last().context("a user who may sign in")?.clone();
        At::running(program, (process, start), (&issuer, address), user).await
    }

    /// Ends this `symbolon dev` and starts `symbolon serve` on what it leaves, with these variables: what people meet, whose pages offer
    /// no accounts of a developer.
    pub(crate) async fn serve(self, program: &Program, folder: &Path, variables: &[(&str, &str)]) -> Result<At> {
        let user = self.user.clone();
        self.stop()?;
        let began = Instant::now();
        let (process, issuer) = program.serve_with(folder, variables).await?;
        let (start, address) = (began.elapsed(), address_of(&issuer).await?);
        At::running(program, (process, start), (&issuer, address), user).await
    }

    async fn running(
        program: &Program,
        (process, start): (Process, Duration),
        (issuer, address): (&Url, SocketAddr),
        user: User,
    ) -> Result<At> {
        let mut connection = Connection::new(address);
        let answer = connection.exchange(&get(&discovery_url(issuer), &[])).await.context("discovery")?;
        let endpoints =
            serde_json::from_slice(answer.body).with_context(|| format!("discovery: {}", answer.summary()))?;
        let (process, has_own_core) = (Some(process), program.pinning.has_own_cores());
        Ok(At { address, discovery: answer.body.to_vec(), endpoints, user, process, start, has_own_core })
    }

    /// Where the load goes to.
    pub(crate) fn target(&self) -> Target {
        let pids = self.process.as_ref().map(Process::id).into_iter().collect();
        Target { addresses: vec![self.address], pids, awake: self.has_own_core }
    }

    /// Asks the server to end, and waits until it has.
    pub(crate) fn stop(self) -> Result<()> {
        self.process.map_or(Ok(()), Process::stop)
    }
}

async fn first_page(connection: &mut Connection, mut url: Url) -> Result<()> {
    for _ in 0..5 {
        let answer = connection.exchange(&get(&url, &[])).await.context("the first page")?;
        match (answer.status, answer.field("location")) {
            (200, _) => return Ok(()),
            (302 | 303, Some(location)) => url = url.join(location).context("Location")?,
            _ => bail!("{url}: {}", answer.summary()),
        }
    }
    bail!("the first page redirects again and again")
}

/// `localhost` is two addresses: the one that answers.
async fn address_of(issuer: &Url) -> Result<SocketAddr> {
    let (host, port) = (issuer.host_str().context("a host")?, issuer.port_or_known_default().context("a port")?);
    for address in tokio::net::lookup_host((host, port)).await.with_context(|| format!("find {host}"))? {
        if tokio::net::TcpStream::connect(address).await.is_ok() {
            return Ok(address);
        }
    }
    bail!("nobody listens at {issuer}")
}

/// Waits until the process has nothing more to do (keys made in the background), and tells its memory in KiB.
async fn idle_memory(pid: u32) -> Result<u64> {
    for _ in 0..40 {
        let before = machine::cpu_time(pid)?;
        tokio::time::sleep(QUIET).await;
        if machine::cpu_time(pid)?.saturating_sub(before) <= Duration::from_millis(10) {
            break;
        }
    }
    machine::resident_memory(pid)
}

/// The bytes of a KiB.
pub(crate) const KIB: f64 = 1024.0;

/// Memory in MB.
#[expect(clippy::cast_precision_loss, reason = "memory in KiB is far below 2^52")]
pub(crate) fn megabytes(kib: u64) -> f64 {
    kib as f64 * KIB / 1_000_000.0
}
