//! A mail server on loopback that keeps what it is given: over TLS, STARTTLS or in the open, with or without a login.
//!
//! RFC 5321, RFC 3207 (STARTTLS), RFC 4954 (AUTH), RFC 8314 (TLS from the first byte).

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_parser::MessageParser;
use symbolon::edge::mail::smtp::Security;
use tempfile::TempDir;
use tokio::io::{self, AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A mail that the server has taken.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    /// `MAIL FROM`.
    pub(crate) from: String,
    /// `RCPT TO`.
    pub(crate) to: Vec<String>,
    /// Who had signed in.
    pub(crate) login: Option<String>,
    /// Whether the connection was protected when the mail came.
    pub(crate) secure: bool,
    /// Which connection it came by, from 1.
    pub(crate) connection: usize,
    /// The mail as it came, without the dots of transparency.
    pub(crate) raw: Vec<u8>,
}

impl Taken {
    /// The mail in parts.
    pub(crate) fn parsed(&self) -> mail_parser::Message<'_> {
        MessageParser::default().parse(&self.raw).expect("a mail that parses")
    }
}

/// A mail server of this process. It ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct SmtpSink(Arc<House>);

struct House {
    address: SocketAddr,
    security: Security,
    login: Option<(&'static str, &'static str)>,
    certificate: Certificate,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    taken: Vec<Taken>,
    connections: usize,
    /// What is answered to a verb in place of the usual.
    scripted: VecDeque<(&'static str, &'static str)>,
    /// How long it thinks before it greets.
    hesitates: Duration,
}

struct Certificate {
    folder: TempDir,
    acceptor: TlsAcceptor,
}

/// Where the names of certificates end.
const CA: &str = "ca.pem";

impl SmtpSink {
    /// A server at a port of its own.
    pub(crate) async fn start(security: Security, login: Option<(&'static str, &'static str)>) -> Self {
        Self::at(([127, 0, 0, 1], 0).into(), security, login).await
    }

    /// A server at `address`, where nobody listens yet.
    pub(crate) async fn at(
        address: SocketAddr,
        security: Security,
        login: Option<(&'static str, &'static str)>,
    ) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let house =
            Arc::new(House { address, security, login, certificate: Certificate::make(), kept: Mutex::default() });
        let host = Arc::clone(&house);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let house = Arc::clone(&host);
                tokio::spawn(async move { house.serve(stream).await });
            }
        });
        Self(house)
    }

    /// As `mail.smtp.host` names it.
    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.0.address.port())
    }

    /// The certificate that vouches for it.
    pub(crate) fn ca(&self) -> PathBuf {
        self.0.certificate.folder.path().join(CA)
    }

    /// What it has taken, in order.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.0.kept().taken.clone()
    }

    /// How many connections it had.
    pub(crate) fn connections(&self) -> usize {
        self.0.kept().connections
    }

    /// From now on it thinks so long before it greets.
    pub(crate) fn hesitate(&self, before_greeting: Duration) {
        self.0.kept().hesitates = before_greeting;
    }

    /// Answers the next `verb` with `reply`. `CONNECT` is the greeting, `.` the end of a mail.
    pub(crate) fn script(&self, verb: &'static str, reply: &'static str) {
        self.0.kept().scripted.push_back((verb, reply));
    }
}

/// How a conversation ended.
enum End<S> {
    /// It is over.
    Over,
    /// The client wants to go on over TLS.
    Starttls(S),
}

impl House {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().expect("no conversation panics")
    }

    async fn serve(&self, stream: TcpStream) {
        let connection = {
            let mut kept = self.kept();
            kept.connections += 1;
            kept.connections
        };
        // A client that goes away in the middle is nothing to tell of.
        let _ended: io::Result<()> = async {
            if self.security == Security::Tls {
                let stream = self.certificate.acceptor.accept(stream).await?;
                self.talk(stream, (connection, true)).await?;
                return Ok(());
            }
            if let End::Starttls(stream) = self.talk(stream, (connection, false)).await? {
                let stream = self.certificate.acceptor.accept(stream).await?;
                self.talk(stream, (connection, true)).await?;
            }
            Ok(())
        }
        .await;
    }

    /// What a test wants said to `verb`, once.
    fn scripted(&self, verb: &str) -> Option<&'static str> {
        let mut kept = self.kept();
        let place = kept.scripted.iter().position(|(scripted, _)| *scripted == verb)?;
        kept.scripted.remove(place).map(|(_, reply)| reply)
    }

    async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        (connection, secure): (usize, bool),
    ) -> io::Result<End<S>> {
        let mut stream = BufReader::new(stream);
        // After STARTTLS the client speaks first (RFC 3207 §4.2).
        if !secure || self.security == Security::Tls {
            let hesitates = self.kept().hesitates;
            tokio::time::sleep(hesitates).await;
            let greeting = self.scripted("CONNECT");
            say(&mut stream, greeting.unwrap_or("220 sink.example ESMTP")).await?;
            if greeting.is_some() {
                return Ok(End::Over);
            }
        }
        let mut login = None;
        let (mut from, mut to) = (String::new(), Vec::new());
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(End::Over);
            }
            let line = line.trim_end();
            let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
            if let Some(reply) = self.scripted(&verb) {
                say(&mut stream, reply).await?;
                continue;
            }
            match verb.as_str() {
                "EHLO" => {
                    let mut lines = vec!["250-sink.example"];
                    lines.extend((self.security == Security::Starttls && !secure).then_some("250-STARTTLS"));
                    lines.extend(self.login.is_some().then_some("250-AUTH PLAIN"));
                    lines.push("250 8BITMIME");
                    say(&mut stream, &lines.join("\r\n")).await?;
                }
                "STARTTLS" => {
                    say(&mut stream, "220 go ahead").await?;
                    return Ok(End::Starttls(stream.into_inner()));
                }
                "AUTH" => {
                    login = self.recognise(line);
                    let reply = if login.is_some() { "235 2.7.0 welcome" } else { "535 5.7.8 wrong user or password" };
                    say(&mut stream, reply).await?;
                }
                "MAIL" if self.login.is_some() && login.is_none() => say(&mut stream, "530 5.7.0 who are you").await?,
                "MAIL" => {
                    from = path(line);
                    to.clear();
                    say(&mut stream, "250 2.1.0 ok").await?;
                }
                "RCPT" => {
                    to.push(path(line));
                    say(&mut stream, "250 2.1.5 ok").await?;
                }
                "DATA" => {
                    say(&mut stream, "354 go on").await?;
                    let raw = body(&mut stream).await?;
                    if let Some(reply) = self.scripted(".") {
                        say(&mut stream, reply).await?;
                        continue;
                    }
                    let (from, to) = (std::mem::take(&mut from), std::mem::take(&mut to));
                    let login = login.clone();
                    self.kept().taken.push(Taken { from, to, login, secure, connection, raw });
                    say(&mut stream, "250 2.0.0 taken").await?;
                }
                "NOOP" | "RSET" => say(&mut stream, "250 2.0.0 ok").await?,
                "QUIT" => {
                    say(&mut stream, "221 2.0.0 bye").await?;
                    return Ok(End::Over);
                }
                _ => say(&mut stream, "502 5.5.1 unheard of").await?,
            }
        }
    }

    /// Who `AUTH PLAIN` says it is (RFC 4616), when the password is right.
    fn recognise(&self, line: &str) -> Option<String> {
        let (user, password) = self.login?;
        let response = STANDARD.decode(line.strip_prefix("AUTH PLAIN ")?).ok()?;
        (response == format!("\0{user}\0{password}").into_bytes()).then(|| user.to_owned())
    }
}

async fn say<S: AsyncWrite + Unpin>(stream: &mut BufReader<S>, reply: &str) -> io::Result<()>
where
    BufReader<S>: AsyncWrite,
{
    stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
    stream.flush().await
}

/// The lines up to the single dot, those that begin with one unstuffed (RFC 5321 §4.5.2).
async fn body<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> io::Result<Vec<u8>> {
    let mut raw = Vec::new();
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            return Ok(raw);
        }
        raw.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}

/// The address between angle brackets.
fn path(line: &str) -> String {
    let inner = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map(|(address, _)| address.to_owned()).unwrap_or_default()
}

impl Certificate {
    /// One for `localhost`, and the authority that vouches for it in a file.
    fn make() -> Self {
        let mut authority = rcgen::CertificateParams::new(Vec::new()).expect("no names");
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority_key = rcgen::KeyPair::generate().expect("a key");
        let vouched = authority.self_signed(&authority_key).expect("a certificate");
        let issuer = rcgen::Issuer::new(authority, authority_key);
        let key = rcgen::KeyPair::generate().expect("a key");
        let leaf = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        let leaf = leaf.signed_by(&key, &issuer).expect("a certificate");

        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join(CA), vouched.pem()).expect("written");
        let config =
            ServerConfig::builder_with_provider(Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider()));
        let config = config.with_safe_default_protocol_versions().expect("its versions").with_no_client_auth();
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a private key");
        let config = config.with_single_cert(vec![leaf.der().clone()], key).expect("a pair");
        Self { folder, acceptor: TlsAcceptor::from(Arc::new(config)) }
    }
}
