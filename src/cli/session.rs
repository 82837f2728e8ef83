//! `symbolon session`: who is signed in, and an end to it.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::cli::output::{Table, moment};
use crate::cli::site::{Absent, Site};
use crate::cli::{Call, CommandError};
use crate::edge::store::{Beside, Reach};
use crate::model::event::{Actor, EventName};
use crate::model::session::Session;

/// `symbolon session`
#[derive(Debug, Subcommand)]
pub enum SessionCommand {
    /// Lists live sessions, the last used first.
    List {
        /// Of this person only.
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 1000)]
        limit: u32,
    },
    /// Ends a session, all of a person's, or all.
    #[command(group = clap::ArgGroup::new("which").required(true))]
    End {
        /// The session's id.
        #[arg(group = "which")]
        id: Option<String>,
        /// Every session of this person.
        #[arg(long, value_name = "NAME", group = "which")]
        user: Option<String>,
        /// Every session of everybody.
        #[arg(long, group = "which")]
        all: bool,
    },
}

impl SessionCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When the stores cannot be used, or a person or session is unknown.
    pub async fn run(self, call: &Call) -> Result<(), CommandError> {
        let site = Site::open(call, Absent::Refuse).await?;
        let done = match self {
            Self::List { user, limit } => list(call, &site, (user, limit)).await,
            Self::End { id: Some(id), .. } => end_one(call, &site, &id).await,
            Self::End { user, .. } => end_many(call, &site, user).await,
        };
        site.close().await;
        done
    }
}

async fn list(call: &Call, site: &Site, (user, limit): (Option<String>, u32)) -> Result<(), CommandError> {
    let sessions = live(site, user, limit).await?;
    let mut table = Table::new(["id", "user", "signed in", "last used", "ends", "browser"]);
    let mut values = Vec::new();
    for session in &sessions {
        let user = site.edges.store.user(session.authentication.user).await?;
        let login = user.as_ref().map(|user| user.login().to_owned()).unwrap_or_default();
        values.push(json_of(session, &login));
        table.row([
            session.id.to_string(),
            login,
            moment(session.authentication.at),
            moment(session.last_seen_at),
            moment(session.expires_at),
            session.origin.user_agent.chars().take(60).collect(),
        ]);
    }
    call.output.print(table, &Value::Array(values))
}

async fn live(site: &Site, user: Option<String>, limit: u32) -> Result<Vec<Session>, CommandError> {
    let now = site.now();
    if let Some(name) = user {
        let user = site.user(&name).await?;
        return Ok(site.edges.store.sessions_of(user.id, now).await?);
    }
    let mut sessions = Vec::new();
    for id in site.edges.store.live_sessions(now, limit).await? {
        sessions.extend(site.edges.store.session(id).await?.map(|session| session.as_ref().clone()));
    }
    Ok(sessions)
}

async fn end_one(call: &Call, site: &Site, id: &str) -> Result<(), CommandError> {
    let unknown = || CommandError::refused(format!("there is no live session {id}; `symbolon session list` shows all"));
    let parsed = id.parse().map_err(|_| unknown())?;
    let session = site.edges.store.session(parsed).await?.ok_or_else(unknown)?;
    if !throw_out(site, &session).await? {
        return Err(unknown());
    }
    call.output.print("ended", &json!({"ended": 1}))
}

async fn end_many(call: &Call, site: &Site, user: Option<String>) -> Result<(), CommandError> {
    let mut ended = 0;
    for session in live(site, user, u32::MAX).await? {
        ended += u32::from(throw_out(site, &session).await?);
    }
    call.output.print(format_args!("ended {ended} sessions"), &json!({"ended": ended}))
}

/// Ends a session with every token that was given in it.
async fn throw_out(site: &Site, session: &Session) -> Result<bool, CommandError> {
    let event = site.edges.event(EventName::SessionEnded).of(session.authentication.user).by(Actor::Operator);
    let beside = Beside::event(event.within(session.id).telling("reason", "revoked"));
    Ok(site.edges.store.end_session(session.id, Reach::All, site.now(), beside).await?)
}

fn json_of(session: &Session, login: &str) -> Value {
    json!({
        "id": session.id, "user_id": session.authentication.user, "user": login, "created_at": session.created_at,
        "authenticated_at": session.authentication.at, "last_seen_at": session.last_seen_at,
        "expires_at": session.expires_at, "user_agent": session.origin.user_agent,
        "address": session.origin.address, "client_id": session.origin.client,
    })
}
