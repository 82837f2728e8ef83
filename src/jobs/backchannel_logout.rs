//! Tells apps that a session is over in which they got tokens.
//!
//! OpenID Connect Back-Channel Logout 1.0 §2.5, §2.8. What ends a session writes the jobs (`edge/store/logout_notice`); an app that does
//! not answer is told again for a quarter of an hour, with a token of that moment each time.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::StatusCode;
use http::header::{ACCEPT, CONTENT_TYPE};
use url::form_urlencoded::Serializer;

use crate::edge::Edges;
use crate::edge::fetch::{Addresses, FetchError, FetchPolicy};
use crate::jobs::queue::{self, Carrier};
use crate::model::client::Client;
use crate::model::event::EventName;
use crate::model::fault::Fault;
use crate::model::job::{AttemptEnd, LeasedJob, LogoutNotice, Queue};
use crate::oauth::policy::Mode;
use crate::oauth::provider::Provider;
use crate::oauth::token::logout_token::logout_token;
use crate::protocol::secret::Secret;

/// How long an app may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The largest answer, in bytes; nothing in it is looked at.
const MAX_ANSWER: usize = 64 * 1024;

/// Who tells the apps.
pub struct Herald {
    /// In whose name.
    pub provider: Arc<Provider>,
}

#[async_trait]
impl Carrier for Herald {
    fn queues(&self) -> &'static [Queue] {
        &[Queue::Logout]
    }

    fn edges(&self) -> &Edges {
        &self.provider.edges
    }

    async fn carry(&self, job: &LeasedJob) -> AttemptEnd {
        match self.tell(job).await {
            Ok(end) => end,
            Err(fault) => AttemptEnd::Failed(fault.to_string()),
        }
    }

    async fn give_up(&self, job: &LeasedJob, reason: &str) {
        let store = &self.provider.edges.store;
        match store.logout_notice(job.id).await {
            Ok(Some(LogoutNotice { client, user, session })) => {
                let event = self.provider.edges.event(EventName::LogoutNotDelivered).failed();
                let event = event.concerning(user).through(&client).within(session);
                store.note_event(event.telling("reason", reason));
            }
            Ok(None) => {}
            Err(fault) => tracing::warn!(job = %job.id, error = %fault, "nobody can say which app was not told"),
        }
    }
}

impl Herald {
    /// Tells what is due now, one after the other, and returns how many attempts that took.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run_due(&self) -> Result<usize, Fault> {
        queue::run_due(self).await
    }

    async fn tell(&self, job: &LeasedJob) -> Result<AttemptEnd, Fault> {
        let store = &self.provider.edges.store;
        let Some(notice) = store.logout_notice(job.id).await? else {
            return Ok(AttemptEnd::Hopeless("nobody knows what it was to tell".to_owned()));
        };
        let client = store.client(&notice.client).await?.filter(|client| client.is_enabled());
        let Some((client, uri)) =
            client.and_then(|client| client.metadata.backchannel_logout_uri.clone().map(|uri| (client, uri)))
        else {
            // Deleted, disabled, or deaf by now: there is nobody left to tell.
            return Ok(AttemptEnd::Done);
        };
        Ok(self.post(&client, &uri, &notice).await)
    }

    /// §2.5: a form with the token; §2.8: 200, or 204 where a framework makes it of that, says that the session there is over.
    async fn post(&self, client: &Client, uri: &str, notice: &LogoutNotice) -> AttemptEnd {
        let token = match logout_token(&self.provider, client, notice) {
            Ok(token) => token,
            Err(error) => return AttemptEnd::Failed(error.to_string()),
        };
        let Ok(request) = request(uri, &token) else {
            return AttemptEnd::Hopeless("its backchannel_logout_uri cannot be used".to_owned());
        };
        let addresses = match self.provider.policy.mode {
            Mode::Production => Addresses::Public,
            Mode::Development => Addresses::PublicOrLoopback,
        };
        let policy = FetchPolicy { max_bytes: MAX_ANSWER, timeout: PATIENCE, addresses };
        match self.provider.edges.fetch.send(request, policy).await.map(|answer| answer.status()) {
            Ok(StatusCode::OK | StatusCode::NO_CONTENT) => AttemptEnd::Done,
            Ok(StatusCode::BAD_REQUEST) => {
                AttemptEnd::Hopeless("it answered 400: it does not take the logout token".to_owned())
            }
            Ok(status) => AttemptEnd::Failed(format!("it answered {}", status.as_u16())),
            Err(error @ FetchError::Refused(_)) => {
                AttemptEnd::Hopeless(format!("{error} (fetch.allow can name its origin)"))
            }
            Err(error) => AttemptEnd::Failed(error.to_string()),
        }
    }
}

fn request(uri: &str, token: &Secret) -> Result<http::Request<Bytes>, http::Error> {
    let form = Serializer::new(String::new()).append_pair("logout_token", token.expose()).finish();
    http::Request::post(uri)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(ACCEPT, "application/json")
        .body(Bytes::from(form))
}
