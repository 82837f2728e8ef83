//! Takes mails and text messages out of the outbox, puts them into words and hands them over.
//!
//! PROTOCOL §4.8, S-136, S-165: each message goes out at least once, also when a process dies in between; who hands it over
//! twice does so under the same id. One worker for each queue, so that a mail server that hangs holds up no text message.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::edge::Edges;
use crate::edge::mail::{Mail, Mailer};
use crate::edge::meter;
use crate::edge::outbox::Direct;
use crate::edge::sms::{Sms, SmsSender, gsm7};
use crate::edge::template::Templates;
use crate::edge::template::message::{Addressee, App, Letter, MessageContext, Request, Wording, salutation};
use crate::edge::undelivered::{Outlook, Undelivered};
use crate::model::fault::Fault;
use crate::model::id::JobId;
use crate::model::job::{AttemptEnd, LeasedJob, MAX_ATTEMPTS, Queue, pause_after};
use crate::model::message::{Channel, Message};
use crate::model::user_agent::device_name;
use crate::protocol::numeric_date::NumericDate;

/// How long a message belongs to the worker that took it.
const LEASE: Duration = Duration::from_secs(90);
/// How long handing over may take; well within the lease.
const HAND_OVER: Duration = Duration::from_mins(1);
/// The most messages of one queue that are handed over at a time.
const CONCURRENCY: usize = 8;
/// The first pause before looking again: a fact commits a moment after its job rang.
const SOON: Duration = Duration::from_millis(4);
/// The longest pause: what other nodes wrote down is found by then.
const LATEST: Duration = Duration::from_secs(1);

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

impl Courier {
    /// Carries out what is due now, one after the other, and returns how many attempts that took.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run_due(&self) -> Result<usize, Fault> {
        let mut attempts = 0;
        for queue in Queue::ALL {
            loop {
                let jobs = self.take(*queue, CONCURRENCY).await?;
                if jobs.is_empty() {
                    break;
                }
                for job in jobs {
                    attempts += 1;
                    self.attempt(&job).await?;
                }
            }
        }
        Ok(attempts)
    }

    async fn take(&self, queue: Queue, limit: usize) -> Result<Vec<LeasedJob>, Fault> {
        let (store, now) = (&self.edges.store, self.edges.clock.now());
        if !store.has_due_job(queue, now).await? {
            return Ok(Vec::new());
        }
        store.lease_jobs(queue, (now, now.plus(LEASE)), u32::try_from(limit).unwrap_or(u32::MAX)).await
    }

    async fn attempt(&self, job: &LeasedJob) -> Result<(), Fault> {
        let end = if job.expires_at.is_past(self.edges.clock.now()) {
            AttemptEnd::Hopeless("its time was over before it could be sent".to_owned())
        } else if job.attempt > MAX_ATTEMPTS {
            AttemptEnd::Hopeless("each attempt ended before it could say how".to_owned())
        } else {
            self.carry(job).await
        };
        self.record(job, end).await
    }

    /// Records how an attempt ended and, where that helps, when the next one has its turn.
    async fn record(&self, job: &LeasedJob, end: AttemptEnd) -> Result<(), Fault> {
        let (store, now) = (&self.edges.store, self.edges.clock.now());
        let this = (job.id, job.attempt);
        match end {
            AttemptEnd::Done => {
                meter::message(job.queue, "sent");
                tracing::info!(job = %job.id, attempt = job.attempt, "a message went out");
                store.finish_job(job.id, job.attempt, now).await?;
            }
            AttemptEnd::Failed(error) => {
                let [chance] = self.edges.random.bytes();
                let next = now.plus(pause_after(job.attempt, chance).max(Duration::from_secs(1)));
                if job.attempt >= MAX_ATTEMPTS || job.expires_at.is_past(next) {
                    self.give_up(job, error).await?;
                } else {
                    meter::message(job.queue, "postponed");
                    tracing::warn!(job = %job.id, attempt = job.attempt, error, next = next.seconds(), "a message did not go out yet");
                    store.postpone_job(this, next, error).await?;
                }
            }
            AttemptEnd::Hopeless(error) => self.give_up(job, error).await?,
        }
        Ok(())
    }

    async fn give_up(&self, job: &LeasedJob, error: String) -> Result<(), Fault> {
        meter::message(job.queue, "given_up");
        tracing::error!(job = %job.id, attempt = job.attempt, error, "a message was given up on");
        self.edges.store.give_up_job((job.id, job.attempt), self.edges.clock.now(), error).await.map(|_| ())
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
                timeout(HAND_OVER, self.mailer.send(&mail)).await
            }
            Channel::Sms => {
                let text = gsm7::fit(&self.templates.sms(wording, &context).map_err(wordless)?);
                let sms = Sms { job: id, message, at, text };
                timeout(HAND_OVER, self.sms.send(&sms)).await
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

/// The workers of a running server. They end when this goes.
pub struct Couriers {
    current: Arc<ArcSwap<Courier>>,
    end: watch::Sender<()>,
    workers: Mutex<JoinSet<()>>,
}

impl Couriers {
    /// Carries out what comes, by a worker for each queue.
    pub fn start(courier: Arc<Courier>) -> Self {
        let current = Arc::new(ArcSwap::new(courier));
        let end = watch::Sender::new(());
        let mut workers = JoinSet::new();
        for queue in Queue::ALL {
            workers.spawn(serve(*queue, Arc::clone(&current), end.subscribe()));
        }
        Self { current, end, workers: Mutex::new(workers) }
    }

    /// From now on they carry as `courier` does: the settings have changed.
    pub fn replace(&self, courier: Arc<Courier>) {
        self.current.store(courier);
    }

    /// Takes nothing new; returns when what is under way is handed over, or after `patience`. What is cut off then goes out when
    /// its lease has run out.
    pub async fn stop(&self, patience: Duration) {
        self.end.send_replace(());
        let mut workers = self.workers.lock().await;
        let ended = async { while workers.join_next().await.is_some() {} };
        if timeout(patience, ended).await.is_err() {
            tracing::warn!("a message was still being handed over; it may go out twice");
        }
    }
}

async fn serve(queue: Queue, current: Arc<ArcSwap<Courier>>, mut end: watch::Receiver<()>) {
    let mut bell = current.load().edges.outbox.bell();
    let mut under_way = JoinSet::new();
    let mut pause = SOON;
    let mut failed = false;
    loop {
        let courier = current.load_full();
        let room = CONCURRENCY.saturating_sub(under_way.len());
        let taken = if room == 0 { Ok(Vec::new()) } else { courier.take(queue, room).await };
        tell(queue, &taken, &mut failed);
        let taken = taken.unwrap_or_default();
        pause = if taken.is_empty() { (pause * 2).min(LATEST) } else { SOON };
        for job in taken {
            let courier = Arc::clone(&courier);
            under_way.spawn(async move {
                if let Err(fault) = courier.attempt(&job).await {
                    // The lease runs out, and the job has another turn.
                    let error = &fault as &dyn std::error::Error;
                    tracing::error!(job = %job.id, error, "how a message fared was not recorded");
                }
            });
        }
        tokio::select! {
            // Told, or nobody is left to tell.
            _ = end.changed() => break,
            // Its room is free again.
            Some(_ended) = under_way.join_next() => pause = SOON,
            () = rung(&mut bell) => pause = SOON,
            () = sleep(pause) => {}
        }
    }
    while under_way.join_next().await.is_some() {}
}

/// Waits for the bell; for good, when nobody can ring any more.
async fn rung(bell: &mut watch::Receiver<()>) {
    if bell.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Of failures that follow one another only the first is logged.
fn tell(queue: Queue, taken: &Result<Vec<LeasedJob>, Fault>, failed: &mut bool) {
    match taken {
        Err(fault) if !*failed => {
            tracing::error!(
                queue = queue.as_str(),
                error = fault as &dyn std::error::Error,
                "the outbox cannot be read"
            );
        }
        Ok(_) if *failed => tracing::info!(queue = queue.as_str(), "the outbox can be read again"),
        _ => {}
    }
    *failed = taken.is_err();
}

/// A template that does not render may be mended while the message waits.
#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn wordless(error: crate::edge::template::TemplateError) -> Undelivered {
    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
    Undelivered::passing(format!("{error}{cause}"))
}
