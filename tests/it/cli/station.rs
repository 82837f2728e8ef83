//! A folder with settings, the program run in it, and a server that it may stand beside.

use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, ORIGIN};
use serde_json::Value;
use sqlx::{ConnectOptions as _, Connection as _};
use tempfile::TempDir;

/// An operator's folder.
pub(crate) struct Station {
    pub(crate) folder: TempDir,
    pub(crate) port: u16,
    pub(crate) operations: u16,
    http: reqwest::Client,
}

/// A server that ends with its test.
pub(crate) struct Running(Child);

impl Running {
    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.0.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Waits until it has ended, and returns its exit code.
    pub(crate) async fn ended(&mut self) -> i32 {
        for _ in 0..1_500 {
            if let Some(status) = self.0.try_wait().expect("it can be asked") {
                return status.code().expect("it was not killed");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it did not end in 15 seconds");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _status = self.0.wait();
    }
}

/// What a run of the program came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The answer of a run that went well.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// The JSON answer of a run that went well.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        let out = self.ok();
        assert_eq!(out.lines().count(), 1, "one line: {out}");
        serde_json::from_str(&out).expect("JSON")
    }

    /// The one line of a run that was refused with `code`.
    #[track_caller]
    pub(crate) fn refused(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:?}");
        assert_eq!(self.out, "", "a refusal says nothing on standard output");
        assert_eq!(self.err.lines().count(), 1, "one line: {}", self.err);
        self.err.trim_end().to_owned()
    }
}

impl Station {
    /// An empty folder with settings for ports of its own.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let [port, operations] = free_ports();
        let station = Self { folder, port, operations, http: http() };
        station.write_settings("");
        station
    }

    /// An empty folder without settings.
    pub(crate) fn empty() -> Self {
        let station = Self::new();
        std::fs::remove_file(station.folder.path().join("symbolon.toml")).expect("removed");
        station
    }

    /// Writes a file of this folder.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).expect("written");
    }

    /// The settings with `more` at the end.
    pub(crate) fn write_settings(&self, more: &str) {
        let settings = format!(
            "issuer = \"http://localhost:{}\"\n[server]\nlisten = \"127.0.0.1:{}\"\noperations = \"127.0.0.1:{}\"\n{more}\n",
            self.port, self.port, self.operations
        );
        std::fs::write(self.folder.path().join("symbolon.toml"), settings).expect("written");
    }

    /// Changes the database behind everybody's back: how a test makes time pass for a program of its own.
    pub(crate) async fn sql(&self, statement: &'static str) {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.folder.path().join("symbolon.db"));
        let mut connection = options.busy_timeout(Duration::from_secs(5)).connect().await.expect("opens");
        sqlx::query(statement).execute(&mut connection).await.expect("runs");
        connection.close().await.expect("closes");
    }

    /// The hash of somebody's password, as it lies in the database.
    pub(crate) async fn stored_password(&self, name: &str) -> String {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.folder.path().join("symbolon.db"));
        let mut connection = options.busy_timeout(Duration::from_secs(5)).connect().await.expect("opens");
        let statement = "SELECT c.secret FROM credential c JOIN identifier i ON i.user_id = c.user_id
            WHERE i.lookup = $1 AND c.kind = 'password'";
        let secret = sqlx::query_scalar(statement).bind(name).fetch_one(&mut connection).await.expect("it is there");
        connection.close().await.expect("closes");
        secret
    }

    pub(crate) fn issuer(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// The program in this folder, not yet started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_symbolon"));
        command.current_dir(self.folder.path()).args(arguments).env_remove("SYMBOLON_CONFIG").env_remove("RUST_LOG");
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with("", arguments)
    }

    /// Runs the program with `input` on its standard input.
    pub(crate) fn run_with(&self, input: &str, arguments: &[&str]) -> Ran {
        Self::ran(self.command(arguments), input)
    }

    /// Runs the program with these variables.
    pub(super) fn run_among(&self, variables: &[(String, String)], arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        Self::ran(command, "")
    }

    fn ran(mut command: Command, input: &str) -> Ran {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program runs");
        // A program that reads nothing may be gone already.
        let _written = child.stdin.take().expect("piped").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("the program ends");
        Ran {
            code: output.status.code().expect("it was not killed"),
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
        }
    }

    /// Starts the server and waits until it answers.
    pub(crate) async fn serve(&self) -> Running {
        self.serve_by(self.command(&["serve"])).await
    }

    /// Starts the server by a command of its own and waits until it is ready.
    pub(crate) async fn serve_by(&self, mut command: Command) -> Running {
        let log = std::fs::File::create(self.folder.path().join("server.log")).expect("a log");
        let child = command.stdout(Stdio::null()).stderr(log).spawn().expect("the program runs");
        let running = Running(child);
        let asked = Instant::now();
        while self.ask_operations("/readyz").await.is_none() {
            assert!(asked.elapsed() < Duration::from_secs(20), "{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        running
    }

    /// What operators are told at `path`; `None` when there is no answer or another than 200.
    pub(crate) async fn ask_operations(&self, path: &str) -> Option<String> {
        let answer = self.http.get(format!("http://127.0.0.1:{}{path}", self.operations)).send().await.ok()?;
        if answer.status() == 200 { answer.text().await.ok() } else { None }
    }

    /// Returns when `done` says so; the log is shown when it never does.
    pub(crate) async fn until(&self, what: &str, mut done: impl AsyncFnMut() -> bool) {
        let asked = Instant::now();
        while !done().await {
            assert!(asked.elapsed() < Duration::from_secs(20), "{what}: {}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }

    /// The body behind `path`; `None` when there is no answer or another than 200.
    pub(crate) async fn get(&self, path: &str) -> Option<String> {
        let (status, body, _) = self.fetch(path, "").await?;
        (status == 200).then_some(body)
    }

    /// Status, body and headers behind `path`.
    pub(crate) async fn fetch(&self, path: &str, cookie: &str) -> Option<(u16, String, HeaderMap)> {
        let asked = self.http.get(format!("{}{path}", self.issuer())).header(COOKIE, cookie).send().await.ok()?;
        let (status, headers) = (asked.status().as_u16(), asked.headers().clone());
        Some((status, asked.text().await.ok()?, headers))
    }

    /// Sends a form as a browser on our own page does, or as a client with HTTP Basic credentials.
    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)], sender: Sender<'_>) -> (u16, String, HeaderMap) {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.http.post(format!("{}{path}", self.issuer()));
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
        let request = match sender {
            Sender::Browser(cookie) => request.header(COOKIE, cookie).header(ORIGIN, self.issuer()),
            Sender::Client(id, secret) => request.basic_auth(id, Some(secret)),
        };
        let answer = request.send().await.expect("an answer");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        (status, answer.text().await.expect("text"), headers)
    }
}

/// Who sends a form.
pub(crate) enum Sender<'a> {
    /// With these cookies.
    Browser(&'a str),
    /// With this id and secret.
    Client(&'a str, &'a str),
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().expect("a client")
}

/// Two ports that nobody listens on at this moment.
fn free_ports() -> [u16; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    listeners.map(|listener| listener.local_addr().expect("bound").port())
}
