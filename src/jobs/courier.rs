//! Takes mails and text messages out of the outbox, puts them into words and hands them over.
//!
//! PROTOCOL §4.8, S-136, S-165: each message goes out at least once, also when a process dies in between; who hands it over
//! twice does so under the same id. How they are taken out is in `queue`.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::time::timeout;

use crate::edge::Edges;
use crate::edge::mail::{Mail, Mailer};
use crate::edge::outbox::Direct;
use crate::edge::sms::{Sms, SmsSender, gsm7};
use crate::edge::template::Templates;
use crate::edge::template::message::{Addressee, App, Letter, MessageContext, Request, Wording, salutation};
use crate::edge::undelivered::{Outlook, Undelivered};
use crate::jobs::queue::{self, ATTEMPT, Carrier, Workers};
use crate::model::fault::Fault;
use crate::model::id::JobId;
use crate::model::job::{AttemptEnd, LeasedJob, Queue};
use crate::model::message::{Channel, Message};
use crate::model::user_agent::device_name;
use crate::protocol::numeric_date::NumericDate;

/// Who carries messages out.
pub struct Courier {
    /// What we ask of the world.
    pub edges: Edges,
    /// The words.
    pub templates: Arc<Templates>,
    /// The way for mail.
    pub mailer: Arc<dyn Mailer>,
    /// The way for text messages.
    pub sms: Arc<dyn SmsSender>,
    /// What every message may tell.
    pub sender: Sender,
}

/// Who sends: what every message may tell.
#[derive(Clone, Debug)]
pub struct Sender {
    /// The issuer.
    pub issuer: String,
    /// The host of the pages where codes are typed.
    pub host: String,
    /// What the operator adds for templates of their own.
    pub data: serde_json::Map<String, serde_json::Value>,
}

#[async_trait]
impl Carrier for Courier {
    fn queues(&self) -> &'static [Queue] {
        &[Queue::Mail, Queue::Sms]
    }

    fn edges(&self) -> &Edges {
        &self.edges
    }

    async fn carry(&self, job: &LeasedJob) -> AttemptEnd {
        let message = match self.edges.outbox.open(job.id, &job.sealed) {
            Ok(message) => message,
            Err(fault) => return AttemptEnd::Hopeless(fault.to_string()),
        };
        match self.hand_over(job.id, message, job.created_at).await {
            Ok(()) => AttemptEnd::Done,
            Err(Undelivered { reason, outlook: Outlook::Passing }) => AttemptEnd::Failed(reason),
            Err(Undelivered { reason, outlook: Outlook::Lasting }) => AttemptEnd::Hopeless(reason),
        }
    }
}

impl Courier {
    /// Carries out what is due now, one after the other, and returns how many attempts that took.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run_due(&self) -> Result<usize, Fault> {
        queue::run_due(self).await
    }

    /// Puts a message that was asked for `at` a moment into words and hands it over, within a minute.
    ///
    /// # Errors
    /// [`Undelivered`] says why nobody took it.
    pub async fn hand_over(&self, id: JobId, message: Message, at: NumericDate) -> Result<(), Undelivered> {
        let (language, context) = self.context(&message, at).await?;
        let wording = Wording { language: &language, client: message.client.as_ref() };
        let at = self.edges.clock.now();
        let sent = match message.channel {
            Channel::Mail => {
                let Letter { subject, text, html } = self.templates.mail(wording, &context).map_err(wordless)?;
                let mail = Mail { job: id, message, at, subject, text, html: Some(html) };
                timeout(ATTEMPT, self.mailer.send(&mail)).await
            }
            Channel::Sms => {
                let text = gsm7::fit(&self.templates.sms(wording, &context).map_err(wordless)?);
                let sms = Sms { job: id, message, at, text };
                timeout(ATTEMPT, self.sms.send(&sms)).await
            }
        };
        sent.unwrap_or_else(|_| Err(Undelivered::passing("it took longer than a minute")))
    }

    /// How messages are handed over whose receivers wait (`mail.sync`). *Why not the courier itself:* it holds the outbox that holds this.
    pub fn direct(self: &Arc<Self>) -> Direct {
        let courier = Arc::downgrade(self);
        Direct(Box::new(move |channel, message, id| {
            let courier = courier.clone();
            Box::pin(async move {
                let courier = courier.upgrade().ok_or_else(|| Undelivered::passing("the server stops"))?;
                match (message, channel) {
                    (Some(message), _) => {
                        let at = courier.edges.clock.now();
                        courier.hand_over(id, message, at).await
                    }
                    (None, Channel::Mail) => courier.mailer.probe().await.unwrap_or(Ok(())),
                    (None, Channel::Sms) => Ok(()),
                }
            })
        }))
    }

    /// What the templates may tell, and in which language.
    async fn context(
        &self,
        message: &Message,
        at: NumericDate,
    ) -> Result<(crate::edge::template::Language, MessageContext), Undelivered> {
        let store = &self.edges.store;
        let unread = |fault: Fault| Undelivered::passing(fault.to_string());
        let client = match &message.client {
            Some(id) => store.client(id).await.map_err(unread)?,
            None => None,
        };
        let name = match (&message.data.name, message.user) {
            (Some(name), _) => Some(name.clone()),
            (None, Some(user)) => {
                let user = store.user(user).await.map_err(unread)?;
                user.and_then(|user| user.profile.name.clone().or_else(|| user.profile.given_name.clone()))
            }
            (None, None) => None,
        };
        let data = &message.data;
        let context = MessageContext {
            kind: message.kind,
            user: Addressee { name: name.as_deref().and_then(salutation), to: message.to.clone() },
            code: data.code.clone(),
            url: data.url.clone(),
            valid_minutes: data.valid_minutes,
            address: data.address.clone(),
            remaining: data.remaining,
            provider: data.provider.clone(),
            request: data.request.as_ref().map(|request| Request {
                address: request.address.clone(),
                device: device_name(&request.user_agent),
                at: at.seconds(),
            }),
            client: client.map(|client| App {
                id: client.id.as_str().to_owned(),
                name: client.metadata.client_name.clone().unwrap_or_else(|| client.id.as_str().to_owned()),
                uri: client.metadata.client_uri.as_ref().map(ToString::to_string),
            }),
            issuer: self.sender.issuer.clone(),
            host: self.sender.host.clone(),
            data: self.sender.data.clone(),
        };
        Ok((self.templates.negotiate(&message.languages, None), context))
    }
}

/// Who carries mails and text messages out in a running server.
pub type Couriers = Workers<Courier>;

/// A template that does not render may be mended while the message waits.
#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn wordless(error: crate::edge::template::TemplateError) -> Undelivered {
    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
    Undelivered::passing(format!("{error}{cause}"))
}
