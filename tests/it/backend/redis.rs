//! Redis of the machine.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Keep, Service, Stop, far, folder, free_port, skipped, wait_for};

/// A Redis of its own, which keeps nothing on disk.
pub(crate) struct Redis {
    folder: PathBuf,
    port: u16,
    mode: Mode,
    far: Option<u16>,
    service: Option<Service>,
}

/// How keys are spread.
#[derive(Copy, Clone, Eq, PartialEq)]
pub(crate) enum Mode {
    Single,
    /// A cluster of one, which has every slot.
    Cluster,
    /// The same, 120 ms away.
    FarCluster,
}

/// A Redis for one test. `None` without the package.
pub(crate) fn own(mode: Mode) -> Option<Redis> {
    if !Path::new("/usr/bin/redis-server").exists() {
        skipped("Redis");
        return None;
    }
    let port = cluster_port();
    let far = (mode == Mode::FarCluster).then(|| far::way(port, Duration::from_millis(60)));
    let mut redis = Redis { folder: folder("symbolon-redis"), port, mode, far, service: None };
    redis.resume();
    Some(redis)
}

/// A cluster also listens ten thousand ports higher.
fn cluster_port() -> u16 {
    std::iter::repeat_with(free_port).find(|port| *port < 55_000).expect("an endless row of ports")
}

impl Redis {
    /// Starts it again, empty.
    pub(crate) fn resume(&mut self) {
        let (port, far) = (self.port.to_string(), self.far.unwrap_or(self.port).to_string());
        let mut program =
            vec!["/usr/bin/redis-server", "--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
        if self.mode != Mode::Single {
            program.extend(["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf"]);
            program.extend(["--cluster-announce-ip", "127.0.0.1", "--cluster-announce-port", &far]);
        }
        let program: Vec<String> = program.into_iter().map(str::to_owned).collect();
        self.service = Some(Service::start(&self.folder, &program, Keep::Folder));
        wait_for("Redis", || self.ask("PING").is_some_and(|answer| answer.starts_with("+PONG")));
        if self.mode != Mode::Single {
            self.ask("CLUSTER ADDSLOTSRANGE 0 16383");
            wait_for("the cluster", || {
                self.ask("CLUSTER INFO").is_some_and(|answer| answer.contains("cluster_state:ok"))
            });
        }
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
        assert!(self.ask("FLUSHALL").is_some_and(|answer| answer.starts_with("+OK")));
    }

    pub(crate) fn url(&self) -> String {
        match self.mode {
            Mode::Single => format!("redis://127.0.0.1:{}", self.port),
            Mode::Cluster | Mode::FarCluster => {
                format!("redis+cluster://127.0.0.1:{}", self.far.unwrap_or(self.port))
            }
        }
    }

    /// One inline command (<https://redis.io/docs/latest/develop/reference/protocol-spec/#inline-commands>).
    fn ask(&self, command: &str) -> Option<String> {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        connection.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
        connection.write_all(format!("{command}\r\n").as_bytes()).ok()?;
        let mut answer = vec![0; 4096];
        let length = connection.read(&mut answer).ok()?;
        answer.truncate(length);
        String::from_utf8(answer).ok()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.thaw();
        self.stop(Stop::Gently);
        drop(std::fs::remove_dir_all(&self.folder));
    }
}
