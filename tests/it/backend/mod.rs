//! PostgreSQL and Redis from the machine's packages, on free loopback ports, in folders that go away.
//!
//! A server runs as an unprivileged user under a shell that stops it, by its pid, when the tests end, however they end.
//! Where a package is missing its tests are skipped, and say so once: `apt-get install postgresql redis-server`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) mod certificates;
mod far;
pub(crate) mod postgres;
pub(crate) mod redis;

/// How a server is told to go.
#[derive(Copy, Clone)]
pub(crate) enum Stop {
    /// Finish and go.
    Gently,
    /// SIGKILL.
    Kill,
}

/// A server under its shell.
pub(crate) struct Service {
    shell: Child,
    pid: u32,
}

/// Ends with the standard input, which we hold; what it started ends with it.
const SHELL: &str = r#"folder=$1; shift; "$@" >&2 & pid=$!; echo $pid; read -r _; kill -INT $pid 2>/dev/null; wait $pid; rm -rf "$folder""#;

impl Service {
    /// Starts `program` in `folder`. The folder goes with it when it is `Disposable`.
    fn start(folder: &Path, program: &[String], keep: Keep) -> Self {
        let removed = match keep {
            Keep::Folder => "/nonexistent".into(),
            Keep::Nothing => folder.display().to_string(),
        };
        let mut shell = Command::new("sh")
            .args(["-c", SHELL, "sh", &removed])
            .args(unprivileged())
            .args(program)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log(folder))
            .spawn()
            .expect("sh is there");
        let mut line = String::new();
        BufReader::new(shell.stdout.take().expect("piped")).read_line(&mut line).expect("read");
        Self { shell, pid: line.trim().parse().expect("the pid of the server") }
    }

    fn stop(mut self, how: Stop) {
        if let Stop::Kill = how {
            Command::new("kill").args(["-9", &self.pid.to_string()]).status().expect("kill runs");
        }
        drop(self.shell.stdin.take());
        self.shell.wait().expect("the shell ends");
    }

    /// Lets nothing through until it is resumed: it is there and does not answer.
    fn signal(&self, name: &str) {
        Command::new("kill").args([name, &self.pid.to_string()]).status().expect("kill runs");
    }
}

/// What stays when the server has stopped.
#[derive(Copy, Clone)]
enum Keep {
    Folder,
    Nothing,
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        drop(self.shell.wait());
    }
}

fn log(folder: &Path) -> std::fs::File {
    std::fs::OpenOptions::new().create(true).append(true).open(folder.join("log")).expect("a log file")
}

/// The user that servers run as, when we are root: they refuse to be root, or should.
fn unprivileged() -> Vec<String> {
    match owner() {
        Some((user, group)) => {
            ["setpriv", &format!("--reuid={user}"), &format!("--regid={group}"), "--clear-groups", "--"]
                .map(str::to_owned)
                .to_vec()
        }
        None => Vec::new(),
    }
}

/// User and group for servers; `None` when we are not root.
fn owner() -> Option<(u32, u32)> {
    let id = |flag: &str, name: &[&str]| -> Option<u32> {
        let told = Command::new("id").arg(flag).args(name).output().ok()?;
        String::from_utf8(told.stdout).ok()?.trim().parse().ok()
    };
    if id("-u", &[])? != 0 {
        return None;
    }
    Some((id("-u", &["nobody"])?, id("-g", &["nobody"])?))
}

/// A folder that the server may write.
fn folder(name: &str) -> std::path::PathBuf {
    let folder = tempfile::Builder::new().prefix(name).tempdir().expect("a temporary folder").keep();
    if let Some((user, group)) = owner() {
        std::os::unix::fs::chown(&folder, Some(user), Some(group)).expect("root may");
    }
    folder
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_there() {
        assert!(Instant::now() < deadline, "{what} does not start");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Past the test harness, which keeps what tests print for those that fail.
fn skipped(what: &str) {
    let mut stderr = std::io::stderr();
    drop(writeln!(stderr, "skipped: every test on {what} (apt-get install postgresql redis-server)"));
}
