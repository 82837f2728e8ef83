//! Mail to a mail server.
//!
//! RFC 5321; TLS from the first byte (RFC 8314) or by STARTTLS (RFC 3207), which is then required; a pool of connections.

use std::time::Duration;

use async_trait::async_trait;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::{self, PoolConfig};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use crate::edge::mail::mime::{Envelope, compose};
use crate::edge::mail::{Mail, Mailer};
use crate::edge::undelivered::Undelivered;
use crate::protocol::secret::Secret;

/// Which server, and who we are to it.
#[derive(Clone, Debug)]
pub struct SmtpSettings {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way is protected.
    pub security: Security,
    /// A certificate (PEM) to trust beside those of the system.
    pub ca: Option<Vec<u8>>,
    /// Who we are to it.
    pub login: Option<(String, Secret)>,
    /// How long a command may take.
    pub timeout: Duration,
}

/// The most connections to one server at a time.
const CONNECTIONS: u32 = 4;
/// How long a connection waits for the next mail.
const IDLE: Duration = Duration::from_secs(30);

/// How the way to the server is protected.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// STARTTLS, or nothing is sent.
    Starttls,
    /// Nothing.
    None,
}

/// The way to one mail server.
pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    envelope: Envelope,
    timeout: Duration,
}

impl SmtpMailer {
    /// Nothing is reached yet.
    ///
    /// # Errors
    /// When the certificate cannot be read, with a sentence.
    pub fn new(settings: &SmtpSettings, envelope: Envelope) -> Result<Self, String> {
        let host = settings.host.as_str();
        let parameters = || {
            let mut parameters = TlsParameters::builder(host.to_owned()).certificate_store(CertificateStore::Default);
            if let Some(pem) = &settings.ca {
                parameters = parameters.add_root_certificate(Certificate::from_pem(pem)?);
            }
            parameters.build_rustls()
        };
        let tls = match settings.security {
            Security::Tls => Tls::Wrapper(parameters().map_err(describe)?),
            Security::Starttls => Tls::Required(parameters().map_err(describe)?),
            Security::None => Tls::None,
        };
        let pool = PoolConfig::new().max_size(CONNECTIONS).idle_timeout(IDLE);
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(settings.port)
            .tls(tls)
            .timeout(Some(settings.timeout))
            .pool_config(pool);
        if let Some((user, password)) = &settings.login {
            builder = builder.credentials(Credentials::new(user.clone(), password.expose().clone()));
        }
        Ok(Self { transport: builder.build(), envelope, timeout: settings.timeout })
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    fn name(&self) -> &'static str {
        "smtp"
    }

    async fn send(&self, mail: &Mail) -> Result<(), Undelivered> {
        let message = compose(mail, &self.envelope)?;
        // The limit of the transport is for one command; a server that answers each of them slowly is given up on as a whole.
        let sent = tokio::time::timeout(self.timeout * 2, self.transport.send(message)).await;
        match sent {
            Ok(Ok(_accepted)) => Ok(()),
            Ok(Err(error)) => Err(refusal(error)),
            Err(_elapsed) => Err(Undelivered::passing("the mail server took too long")),
        }
    }

    /// Connects, protects the way and logs in.
    async fn probe(&self) -> Option<Result<(), Undelivered>> {
        Some(match tokio::time::timeout(self.timeout, self.transport.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(Undelivered::passing("the mail server ended the connection")),
            Ok(Err(error)) => Err(refusal(error)),
            Err(_elapsed) => Err(Undelivered::passing("the mail server took too long")),
        })
    }
}

/// A code that begins with 5 says that trying again does not help (RFC 5321 §4.2.1); but 53x speaks of our login (RFC 4954 §6) and
/// 50x of commands that the server does not know: an operator mends those while mail waits.
fn refusal(error: smtp::Error) -> Undelivered {
    let code = error.status().map(u16::from);
    let reason = describe(error);
    match code {
        Some(540..=599) => Undelivered::lasting(reason),
        _ => Undelivered::passing(reason),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn describe(error: smtp::Error) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(&error);
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}
