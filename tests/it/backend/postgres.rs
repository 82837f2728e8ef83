//! PostgreSQL of the machine.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::certificates::Certificates;
use super::{Keep, Service, Stop, folder, free_port, skipped, unprivileged, wait_for};

/// A cluster of its own.
pub(crate) struct Postgres {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    service: Option<Service>,
    keep: Keep,
    commit: Commit,
    tls: Option<(PathBuf, PathBuf)>,
}

/// What a commit waits for.
#[derive(Copy, Clone)]
enum Commit {
    /// Nothing: a test has no power failure.
    Memory,
    /// The disk.
    Disk,
}

/// The cluster that tests share, each with a database of its own. `None` without the package.
pub(crate) fn shared() -> Option<&'static Postgres> {
    static SHARED: OnceLock<Option<Postgres>> = OnceLock::new();
    SHARED
        .get_or_init(|| {
            let started = Postgres::start(Keep::Nothing, Commit::Memory, None);
            if started.is_none() {
                skipped("PostgreSQL");
            }
            started
        })
        .as_ref()
}

/// A cluster whose commits are durable, for a test that stops it and for the load driver. `None` without the package.
pub(crate) fn own() -> Option<Postgres> {
    shared()?;
    Postgres::start(Keep::Folder, Commit::Disk, None)
}

/// A cluster that also speaks TLS, by the name `localhost`. `None` without the package.
pub(crate) fn with_tls(certificates: &Certificates) -> Option<Postgres> {
    shared()?;
    Postgres::start(Keep::Nothing, Commit::Memory, Some(certificates))
}

impl Postgres {
    fn start(keep: Keep, commit: Commit, tls: Option<&Certificates>) -> Option<Self> {
        let programs = programs()?;
        let folder = folder("symbolon-postgres");
        let [command, arguments @ ..] = &[
            unprivileged(),
            vec![programs.join("initdb").display().to_string()],
            ["-D", "data", "-U", "symbolon", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
                .map(str::to_owned)
                .to_vec(),
        ]
        .concat()[..] else {
            return None;
        };
        let made = Command::new(command).args(arguments).current_dir(&folder).output().expect("initdb runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let tls = tls.map(|certificates| certificates.install(&folder));
        let mut postgres = Self { programs, folder, port: free_port(), service: None, keep, commit, tls };
        postgres.resume();
        Some(postgres)
    }

    /// Starts it again where it was.
    pub(crate) fn resume(&mut self) {
        let program = [
            self.programs.join("postgres").display().to_string(),
            "-D".to_owned(),
            "data".to_owned(),
            "-p".to_owned(),
            self.port.to_string(),
        ];
        let settings = [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            match self.commit {
                Commit::Memory => "fsync=off",
                Commit::Disk => "fsync=on",
            },
            "max_connections=400",
            "shared_buffers=32MB",
            "log_min_messages=fatal",
        ];
        let settings = settings.iter().flat_map(|setting| ["-c".to_owned(), (*setting).to_owned()]);
        let tls = self.tls.iter().flat_map(|(certificate, key)| {
            let set = |name: &str, value: &Path| ["-c".to_owned(), format!("{name}={}", value.display())];
            let files = [set("ssl_cert_file", certificate), set("ssl_key_file", key)];
            ["-c".to_owned(), "ssl=on".to_owned()].into_iter().chain(files.into_iter().flatten())
        });
        let program: Vec<String> = program.into_iter().chain(settings).chain(tls).collect();
        self.service = Some(Service::start(&self.folder, &program, self.keep));
        let port = self.port.to_string();
        wait_for("PostgreSQL", || {
            let mut ready = Command::new(self.programs.join("pg_isready"));
            ready.args(["-q", "-h", "127.0.0.1", "-p", &port]).stdout(Stdio::null());
            ready.status().is_ok_and(|status| status.success())
        });
    }

    /// Stops it; its folder stays.
    pub(crate) fn stop(&mut self, how: Stop) {
        if let Some(service) = self.service.take() {
            service.stop(how);
        }
    }

    /// Makes a database; returns its URL.
    pub(crate) async fn database(&self) -> String {
        self.create("template1").await
    }

    /// Makes a copy of the database at `url`, which nobody may be using; returns its URL.
    pub(crate) async fn copy(&self, url: &str) -> String {
        self.create(url.rsplit('/').next().expect("a name")).await
    }

    async fn create(&self, template: &str) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("house_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect(&self.url("postgres")).await.expect("PostgreSQL answers");
        let create = AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE {template}"));
        sqlx::query(create).execute(&mut connection).await.expect("a database");
        connection.close().await.expect("closed");
        self.url(&name)
    }

    fn url(&self, database: &str) -> String {
        let host = if self.tls.is_some() { "localhost" } else { "127.0.0.1" };
        format!("postgres://symbolon@{host}:{}/{database}", self.port)
    }

    /// True when every connection of our program to the database at `url` is encrypted, and there is one.
    pub(crate) async fn is_encrypted(&self, url: &str) -> bool {
        let mut connection = PgConnection::connect(url).await.expect("PostgreSQL answers");
        let all = "SELECT BOOL_AND(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'symbolon'";
        let all: Option<bool> = sqlx::query_scalar(all).fetch_one(&mut connection).await.expect("told");
        all == Some(true)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop(Stop::Gently);
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// The newest release that is installed.
fn programs() -> Option<PathBuf> {
    let releases = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let number = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = releases.filter_map(|entry| Some(entry.ok()?.path())).max_by_key(|path| number(path))?;
    let programs = newest.join("bin");
    programs.join("postgres").exists().then_some(programs)
}
