//! One operation of each kind, as often as the load asks for it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use url::Url;

use crate::connection::{Answer, Connection, Timed};
use crate::relying_party::{RelyingParty, Tokens, get};

/// What one connection does again and again.
pub(crate) enum Work {
    /// The same request each time, whose answer must be 200 and hold these bytes.
    Same { request: Vec<u8>, holds: &'static str },
    /// The same request each time, whose answer must have one of these statuses.
    Answered { request: Vec<u8>, statuses: &'static [u16] },
    /// Authorize and token.
    CodeFlow(CodeFlow),
    /// Refresh with the token the last refresh gave.
    Refresh { party: RelyingParty, refresh_token: String },
    /// The life of a grant, at a pace.
    Life(Life),
}

/// A code flow, userinfo with its token, a refresh, introspection of the new token: each token is one that nobody saw before.
pub(crate) struct Life {
    flow: CodeFlow,
    userinfo: Url,
    /// From the beginning of one life to that of the next; none: as fast as it goes.
    pace: Option<Duration>,
    next: Option<Instant>,
}

impl Life {
    /// Lives of one after another on one connection.
    pub(crate) fn new(flow: CodeFlow, userinfo: Url, pace: Option<Duration>) -> Life {
        Life { flow, userinfo, pace, next: None }
    }

    async fn once(&mut self, connection: &mut Connection, times: &mut Vec<Timed>) -> Result<()> {
        if let Some(pace) = self.pace {
            let due = self.next.unwrap_or_else(Instant::now);
            tokio::time::sleep_until(due.into()).await;
            // Who is late does not make up for it.
            self.next = Some((due + pace).max(Instant::now()));
        }
        let tokens = self.flow.tokens(connection, times).await?;
        let authorization = format!("Bearer {}", tokens.access_token);
        let answer = connection.timed(&get(&self.userinfo, &[("Authorization", &authorization)]), times).await?;
        expect(&answer, "\"sub\"").context("userinfo")?;
        let refreshed = self.flow.party.refreshed(&tokens, connection).await?;
        let request = self.flow.party.introspection_request(&refreshed.access_token);
        let answer = connection.timed(&request, times).await?;
        expect(&answer, "\"active\":true").context("introspection")
    }
}

/// A code flow of a browser that is signed in and has consented.
pub(crate) struct CodeFlow {
    party: RelyingParty,
    before: String,
    after: String,
    flows: u64,
    worker: usize,
}

impl CodeFlow {
    /// `worker` makes its `state` differ from those of the others.
    pub(crate) fn new(party: &RelyingParty, cookies: &str, worker: usize) -> CodeFlow {
        let (before, after) = party.authorization_request(cookies);
        CodeFlow { party: party.clone(), before, after, flows: 0, worker }
    }

    async fn once(&mut self, connection: &mut Connection, times: &mut Vec<Timed>) -> Result<()> {
        self.tokens(connection, times).await.map(|_| ())
    }

    async fn tokens(&mut self, connection: &mut Connection, times: &mut Vec<Timed>) -> Result<Tokens> {
        self.flows += 1;
        let request = format!("{}{}-{}{}", self.before, self.worker, self.flows, self.after);
        let answer = connection.timed(request.as_bytes(), times).await?;
        if !matches!(answer.status, 302 | 303) {
            bail!("authorize: {}", answer.summary());
        }
        let code = RelyingParty::code(answer.field("location").unwrap_or_default())?;
        let request = self.party.code_request(code);
        let answer = connection.timed(&request, times).await?;
        expect(&answer, "\"id_token\"").context("redeem a code")?;
        serde_json::from_slice(answer.body).context("a token answer")
    }
}

impl Work {
    /// Does it once and tells how long each request took.
    pub(crate) async fn once(&mut self, connection: &mut Connection, times: &mut Vec<Timed>) -> Result<()> {
        match self {
            Work::Same { request, holds } => {
                let answer = connection.timed(request, times).await?;
                expect(&answer, holds)
            }
            Work::Answered { request, statuses } => {
                let answer = connection.timed(request, times).await?;
                if !statuses.contains(&answer.status) {
                    bail!("unexpected answer: {}", answer.summary());
                }
                Ok(())
            }
            Work::CodeFlow(flow) => flow.once(connection, times).await,
            Work::Life(life) => life.once(connection, times).await,
            Work::Refresh { party, refresh_token } => {
                #[derive(Deserialize)]
                struct Rotated {
                    refresh_token: String,
                }
                let request = party.refresh_request(refresh_token);
                let answer = connection.timed(&request, times).await?;
                expect(&answer, "\"access_token\"").context("refresh")?;
                let rotated: Rotated = serde_json::from_slice(answer.body).context("the rotated refresh token")?;
                if rotated.refresh_token == *refresh_token {
                    bail!("the refresh token was not rotated");
                }
                *refresh_token = rotated.refresh_token;
                Ok(())
            }
        }
    }
}

fn expect(answer: &Answer<'_>, holds: &str) -> Result<()> {
    if answer.status != 200 {
        bail!("unexpected answer: {}", answer.summary());
    }
    // The content is small, and a wrong answer must not be counted.
    if !holds.is_empty() && !std::str::from_utf8(answer.body).is_ok_and(|body| body.contains(holds)) {
        bail!("{holds} is missing: {}", answer.summary());
    }
    Ok(())
}
