//! Redis of the machine.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use symbolon::edge::ephemeral::RedisSettings;
use symbolon::protocol::secret::Secret;

use super::certificates::Certificates;
use super::{Keep, Service, Stop, far, folder, free_port, skipped, wait_for};

/// A Redis of its own, which keeps nothing on disk.
pub(crate) struct Redis {
    folder: PathBuf,
    port: u16,
    mode: Mode,
    far: Option<u16>,
    service: Option<Service>,
    sentinel: Option<(u16, Service)>,
    replica: Option<(u16, Service)>,
    tls: Option<(u16, Certificates)>,
}

/// How keys are spread.
#[derive(Copy, Clone, Eq, PartialEq)]
pub(crate) enum Mode {
    Single,
    /// A cluster of one, which has every slot.
    Cluster,
    /// The same, 120 ms away.
    FarCluster,
    /// A master with a replica, and a sentinel that watches both.
    Sentinel,
    /// Over TLS, by the name `localhost`.
    Tls,
}

/// A Redis for one test. `None` without the package.
pub(crate) fn own(mode: Mode) -> Option<Redis> {
    if !Path::new("/usr/bin/redis-server").exists() {
        skipped("Redis");
        return None;
    }
    let (folder, port) = (folder("symbolon-redis"), cluster_port());
    let tls = (mode == Mode::Tls).then(|| (free_port(), Certificates::new()));
    let far = (mode == Mode::FarCluster).then(|| far::way(port, Duration::from_millis(60)));
    let mut redis = Redis { folder, port, mode, far, service: None, sentinel: None, replica: None, tls };
    redis.resume();
    if mode == Mode::Sentinel {
        redis.watch();
    }
    Some(redis)
}

/// A cluster also listens ten thousand ports higher.
fn cluster_port() -> u16 {
    std::iter::repeat_with(free_port).find(|port| *port < 55_000).expect("an endless row of ports")
}

impl Redis {
    /// Starts it again, empty.
    pub(crate) fn resume(&mut self) {
        let mut more = Vec::new();
        if self.is_cluster() {
            let announced = self.far.unwrap_or(self.port).to_string();
            let settings = ["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf"];
            let announced = ["--cluster-announce-ip", "127.0.0.1", "--cluster-announce-port", &announced];
            more.extend(settings.into_iter().chain(announced).map(str::to_owned));
        }
        if let Some((port, certificates)) = &self.tls {
            let (certificate, key) = certificates.install(&self.folder);
            let files = [certificate.display().to_string(), key.display().to_string()];
            for (name, value) in ["--tls-port", "--tls-cert-file", "--tls-key-file", "--tls-auth-clients"]
                .into_iter()
                .zip([port.to_string()].into_iter().chain(files).chain(["no".to_owned()]))
            {
                more.extend([name.to_owned(), value]);
            }
        }
        self.service = Some(self.start(self.port, more));
        if self.is_cluster() {
            ask(self.port, "CLUSTER ADDSLOTSRANGE 0 16383");
            wait_for("the cluster", || {
                ask(self.port, "CLUSTER INFO").is_some_and(|answer| answer.contains("cluster_state:ok"))
            });
        }
    }

    fn is_cluster(&self) -> bool {
        matches!(self.mode, Mode::Cluster | Mode::FarCluster)
    }

    fn start(&self, port: u16, more: Vec<String>) -> Service {
        let text = port.to_string();
        let program =
            ["/usr/bin/redis-server", "--port", &text, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
        let program: Vec<String> = program.into_iter().map(str::to_owned).chain(more).collect();
        let service = Service::start(&self.folder, &program, Keep::Folder);
        wait_for("Redis", || ask(port, "PING").is_some_and(|answer| answer.starts_with("+PONG")));
        service
    }

    /// Adds a replica, and a sentinel that makes it the master when the master is gone.
    fn watch(&mut self) {
        let replica = free_port();
        let of =
            ["--replicaof", "127.0.0.1", &self.port.to_string(), "--repl-diskless-sync-delay", "0"].map(str::to_owned);
        let service = self.start(replica, of.to_vec());
        wait_for("the replica", || {
            ask(replica, "INFO replication").is_some_and(|told| told.contains("master_link_status:up"))
        });
        self.replica = Some((replica, service));
        let port = free_port();
        let settings = format!(
            "port {port}\nbind 127.0.0.1\nsentinel monitor house 127.0.0.1 {} 1\nsentinel down-after-milliseconds house 300\n\
             sentinel failover-timeout house 1000\n",
            self.port
        );
        let file = self.folder.join("sentinel.conf");
        std::fs::write(&file, settings).expect("written");
        if let Some((user, group)) = super::owner() {
            std::os::unix::fs::chown(&file, Some(user), Some(group)).expect("root may");
        }
        let program = ["/usr/bin/redis-server", "sentinel.conf", "--sentinel"].map(str::to_owned);
        let service = Service::start(&self.folder, &program, Keep::Folder);
        wait_for("the sentinel", || {
            ask(port, "SENTINEL REPLICAS house").is_some_and(|told| told.contains(&replica.to_string()))
        });
        self.sentinel = Some((port, service));
    }

    pub(crate) fn stop(&mut self, how: Stop) {
        if let Some(service) = self.service.take() {
            service.stop(how);
        }
    }

    /// It is there and does not answer.
    pub(crate) fn freeze(&self) {
        if let Some(service) = &self.service {
            service.signal("-STOP");
        }
    }

    /// It answers again.
    pub(crate) fn thaw(&self) {
        if let Some(service) = &self.service {
            service.signal("-CONT");
        }
    }

    /// Forgets everything.
    pub(crate) fn flush(&self) {
        assert!(ask(self.port, "FLUSHALL").is_some_and(|answer| answer.starts_with("+OK")));
    }

    pub(crate) fn url(&self) -> String {
        match (self.mode, &self.sentinel, &self.tls) {
            (Mode::Cluster | Mode::FarCluster, ..) => {
                format!("redis+cluster://127.0.0.1:{}", self.far.unwrap_or(self.port))
            }
            (Mode::Sentinel, Some((sentinel, _)), _) => {
                // The first one is away: the next is asked.
                format!("redis+sentinel://127.0.0.1:1,127.0.0.1:{sentinel}/house/2")
            }
            (Mode::Tls, _, Some((port, _))) => format!("rediss://localhost:{port}"),
            _ => format!("redis://127.0.0.1:{}", self.port),
        }
    }

    pub(crate) fn settings(&self) -> RedisSettings {
        let ca = self.tls.as_ref().map(|(_, certificates)| certificates.ca());
        RedisSettings { url: Secret::from(self.url().as_str()), ca }
    }
}

/// One inline command (<https://redis.io/docs/latest/develop/reference/protocol-spec/#inline-commands>).
fn ask(port: u16, command: &str) -> Option<String> {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).ok()?;
    connection.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    connection.write_all(format!("{command}\r\n").as_bytes()).ok()?;
    let mut answer = vec![0; 4096];
    let length = connection.read(&mut answer).ok()?;
    answer.truncate(length);
    String::from_utf8(answer).ok()
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.thaw();
        self.sentinel.take();
        self.replica.take();
        self.stop(Stop::Gently);
        drop(std::fs::remove_dir_all(&self.folder));
    }
}
