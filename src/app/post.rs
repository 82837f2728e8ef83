//! The ways of messages that settings name.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::app::Post;
use crate::config::mail::{MailTransport, SmtpTls};
use crate::config::secret::SecretSource;
use crate::config::sms::SmsTransport;
use crate::config::{Config, ConfigError, process_environment};
use crate::edge::Edges;
use crate::edge::clock::Clock;
use crate::edge::fetch::Fetch;
use crate::edge::mail::address::MailAddress;
use crate::edge::mail::mime::Envelope;
use crate::edge::mail::smtp::{Security, SmtpMailer, SmtpSettings};
use crate::edge::mail::{self, Mailer};
use crate::edge::sms::{self, SmsSender};
use crate::edge::template::Templates;
use crate::edge::webhook::Webhook;
use crate::jobs::courier::{Courier, Sender};
use crate::protocol::secret::Secret;

/// Who carries messages out.
///
/// # Errors
/// When a setting of `[mail]` or `[sms]` cannot be used.
pub(super) fn courier(
    config: &Config,
    post: &Post,
    (edges, templates): (&Edges, &Arc<Templates>),
    issuer: &url::Url,
) -> Result<Courier, ConfigError> {
    let (mailer, sms): (Arc<dyn Mailer>, Arc<dyn SmsSender>) = match post {
        Post::Given { mailer, sms } => (Arc::clone(mailer), Arc::clone(sms)),
        Post::Settings => {
            let Ways { mail, sms } = ways(config, (&edges.fetch, &edges.clock))?;
            (Arc::new(mail::FirstOf::new(mail)), Arc::new(sms::FirstOf::new(sms)))
        }
    };
    Ok(Courier {
        edges: edges.clone(),
        templates: Arc::clone(templates),
        mailer,
        sms,
        sender: Sender {
            issuer: config.issuer.as_str().to_owned(),
            host: issuer.host_str().unwrap_or_default().to_owned(),
            data: config.mail.data.clone().into_iter().collect(),
        },
    })
}

/// The ways of messages, in the order they are tried.
pub struct Ways {
    /// For mail.
    pub mail: Vec<Arc<dyn Mailer>>,
    /// For text messages.
    pub sms: Vec<Arc<dyn SmsSender>>,
}

/// The ways that settings name.
///
/// # Errors
/// When a setting of `[mail]` or `[sms]` cannot be used.
pub fn ways(config: &Config, (fetch, clock): (&Arc<dyn Fetch>, &Arc<dyn Clock>)) -> Result<Ways, ConfigError> {
    let envelope = envelope(config)?;
    let maker = Maker { config, fetch, clock, envelope, environment: process_environment() };
    Ok(Ways {
        mail: config.mail_transports().into_iter().map(|way| maker.mail_by(way)).collect::<Result<_, _>>()?,
        sms: config.sms_transports().into_iter().map(|way| maker.sms_by(way)).collect::<Result<_, _>>()?,
    })
}

/// Whom mail comes from.
fn envelope(config: &Config) -> Result<Envelope, ConfigError> {
    let read = |key, text: &str| text.parse::<MailAddress>().map_err(|error| ConfigError::new(key, error.to_string()));
    let usual = || {
        let issuer = config.issuer.as_str().parse::<url::Url>().ok();
        let domain = issuer.as_ref().and_then(url::Url::domain).unwrap_or("localhost");
        read("mail.from", &format!("no-reply@{domain}"))
    };
    Ok(Envelope {
        from: config.mail.from.as_deref().map_or_else(usual, |from| read("mail.from", from))?,
        reply_to: config.mail.reply_to.as_deref().map(|address| read("mail.reply_to", address)).transpose()?,
    })
}

struct Maker<'a> {
    config: &'a Config,
    fetch: &'a Arc<dyn Fetch>,
    clock: &'a Arc<dyn Clock>,
    envelope: Envelope,
    environment: BTreeMap<String, String>,
}

impl Maker<'_> {
    fn mail_by(&self, way: MailTransport) -> Result<Arc<dyn Mailer>, ConfigError> {
        let mail = &self.config.mail;
        Ok(match way {
            MailTransport::Smtp => self.smtp()?,
            MailTransport::Http => Arc::new(mail::http::HttpMailer {
                fetch: Arc::clone(self.fetch),
                url: mail.http.url.clone(),
                token: self.secret("mail.http.token", mail.http.token.as_ref())?,
                envelope: self.envelope.clone(),
                timeout: mail.http.timeout,
            }),
            MailTransport::Webhook => Arc::new(self.webhook("mail.webhook.secret", &mail.webhook)?),
            MailTransport::Command => Arc::new(mail::command::CommandMailer {
                program: mail.command.program.clone(),
                timeout: mail.command.timeout,
            }),
            MailTransport::File => Arc::new(mail::file::FileMailer {
                folder: mail.file.folder.clone().unwrap_or_default(),
                envelope: self.envelope.clone(),
            }),
            MailTransport::Log => Arc::new(mail::log::LogMailer),
        })
    }

    fn smtp(&self) -> Result<Arc<dyn Mailer>, ConfigError> {
        let smtp = &self.config.mail.smtp;
        let (security, usual_port) = match smtp.tls {
            SmtpTls::Tls => (Security::Tls, 465),
            SmtpTls::Starttls => (Security::Starttls, 587),
            SmtpTls::None => (Security::None, 25),
        };
        let unread =
            |error: std::io::Error| ConfigError::new("mail.smtp.ca", format!("the file cannot be read: {error}"));
        let password = self.secret("mail.smtp.password", smtp.password.as_ref())?;
        let (host, port) = smtp.address().ok_or_else(|| ConfigError::new("mail.smtp.host", "is missing"))?;
        let settings = SmtpSettings {
            host,
            port: port.unwrap_or(usual_port),
            security,
            ca: smtp.ca.as_deref().map(std::fs::read).transpose().map_err(unread)?,
            login: smtp.username.clone().zip(password),
            timeout: smtp.timeout,
        };
        let mailer = SmtpMailer::new(&settings, self.envelope.clone());
        Ok(Arc::new(mailer.map_err(|reason| ConfigError::new("mail.smtp", reason))?))
    }

    fn sms_by(&self, way: SmsTransport) -> Result<Arc<dyn SmsSender>, ConfigError> {
        let sms = &self.config.sms;
        Ok(match way {
            SmsTransport::Twilio => {
                let key = "sms.twilio.auth_token";
                let token = self.secret(key, sms.twilio.auth_token.as_ref())?;
                Arc::new(sms::twilio::Twilio {
                    fetch: Arc::clone(self.fetch),
                    url: sms.twilio.url.clone(),
                    account_sid: sms.twilio.account_sid.clone(),
                    auth_token: token.ok_or_else(|| ConfigError::new(key, "is missing"))?,
                    from: sms.twilio.from.clone(),
                    timeout: sms.twilio.timeout,
                })
            }
            SmsTransport::Webhook => Arc::new(self.webhook("sms.webhook.secret", &sms.webhook)?),
            SmsTransport::File => Arc::new(sms::file::FileSms { folder: sms.file.folder.clone().unwrap_or_default() }),
            SmsTransport::Log => Arc::new(sms::log::LogSmsSender),
        })
    }

    fn webhook(&self, key: &str, set: &crate::config::mail::Webhook) -> Result<Webhook, ConfigError> {
        Ok(Webhook {
            fetch: Arc::clone(self.fetch),
            clock: Arc::clone(self.clock),
            url: set.url.clone(),
            secret: self.secret(key, set.secret.as_ref())?,
            timeout: set.timeout,
        })
    }

    fn secret(&self, key: &str, source: Option<&SecretSource>) -> Result<Option<Secret>, ConfigError> {
        source.map(|source| source.read(key, &self.environment)).transpose()
    }
}
