//! A person's data, to take along (S-022): a job gathers them, a link that is good once for a day hands them out.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};

use crate::account::{AccountError, Accounts, Asking, Why, minutes};
use crate::edge::store::Beside;
use crate::edge::vault::{Place, Vault};
use crate::model::event::{Actor, EventName};
use crate::model::export::DataExport;
use crate::model::fault::Fault;
use crate::model::id::ExportId;
use crate::model::mailed_link::LinkPurpose;
use crate::model::message::{Channel, MessageData, MessageKind};
use crate::model::user::{IdentifierKind, User};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::{Secret, TokenHash};

/// Wishes of one batch of the job.
const BATCH: u32 = 20;
/// How long a wish waits for the job.
const PATIENCE: Duration = Duration::from_hours(24);
/// The most events of an export.
const EVENTS: u32 = 10_000;

/// A moment as people and the API read it: RFC 3339, UTC.
pub fn moment(at: NumericDate) -> String {
    DateTime::from_timestamp(at.seconds(), 0)
        .map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true))
        .unwrap_or_default()
}

impl Accounts {
    /// Writes down that `user` wants their data. Its number is in the mail's link only.
    ///
    /// # Errors
    /// That the person has no proven address for the link, or asked a moment ago; a fault of the store.
    pub async fn request_export(&self, user: &User, asking: &Asking) -> Result<ExportId, AccountError> {
        let to = user.primary(IdentifierKind::Email).filter(|email| email.verified_at.is_some());
        if to.is_none() {
            return Err(Why::VerificationRequired.into());
        }
        let now = self.now();
        if let Err(seconds) = self.starts.again(("export", &user.id.to_string()), now).await? {
            return Err(AccountError::RecentlySent(seconds));
        }
        let own = user.profile.locale.clone();
        let export = DataExport {
            id: ExportId::new(now, self.edges.random.bytes()),
            user: user.id,
            languages: own.into_iter().chain(asking.languages.iter().cloned()).collect(),
            requested_at: now,
            expires_at: now.plus(PATIENCE),
        };
        let event = self.event_of(EventName::DataExported, user.id, asking).telling("step", "requested");
        self.edges.store.request_export(&export, Beside::event(event)).await?;
        Ok(export.id)
    }

    /// Gathers what people wished for, and sends the links.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn make_exports(&self, vault: &Vault) -> Result<(), Fault> {
        let now = self.now();
        for export in self.edges.store.exports_waiting(now, BATCH).await? {
            let Some(user) = self.edges.store.user(export.user).await?.filter(|user| user.is_enabled()) else {
                continue;
            };
            let archive = serde_json::to_vec_pretty(&self.archive(&user).await?)
                .map_err(|cause| Fault::internal("write an export as JSON").caused_by(cause))?;
            let row = export.id.to_string();
            let sealed = vault.seal(&place(&row), &archive, &*self.edges.random);
            let lifetime = self.settings.lifetimes.export;
            let asking = Asking { languages: export.languages.clone(), ..Asking::default() };
            let Some(to) = user.primary(IdentifierKind::Email) else { continue };
            let (token, mut link) = self.link(LinkPurpose::Export, (Some(&user), &to.value), &asking, lifetime);
            link.details.insert("export".to_owned(), row.clone().into());
            let data = MessageData {
                url: Some(self.url(LinkPurpose::Export, &token, &asking).await?),
                valid_minutes: Some(minutes(lifetime)),
                ..MessageData::default()
            };
            let kind = (MessageKind::ExportReady, Channel::Mail);
            let job = self.message(kind, &to.value, (Some(&user), &asking), (data, lifetime))?;
            let event = self.edges.event(EventName::DataExported).of(user.id).by(Actor::Server).telling("step", "made");
            let beside = Beside::event(event).and_job(job).and_link(link);
            self.edges.store.finish_export(export.id, sealed, now.plus(lifetime), beside).await?;
        }
        Ok(())
    }

    /// True when a link hands out an export; it stays good.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn can_take_export(&self, token: &str) -> Result<bool, Fault> {
        let link = self.edges.store.mailed_link(&TokenHash::of(token), LinkPurpose::Export, self.now()).await?;
        Ok(link.is_some())
    }

    /// The archive of a link, once.
    ///
    /// # Errors
    /// That the link is used, over or unknown.
    pub async fn take_export(
        &self,
        vault: &Vault,
        token: &str,
        asking: &Asking,
    ) -> Result<Secret<Vec<u8>>, AccountError> {
        let (hash, now) = (TokenHash::of(token), self.now());
        let link = self.edges.store.mailed_link(&hash, LinkPurpose::Export, now).await?.ok_or(Why::LinkInvalid)?;
        let event = self.event_of(EventName::DataExported, link.user, asking).telling("step", "taken");
        let found = self.edges.store.take_export(&hash, now, Beside::event(event)).await?;
        let (id, sealed) = found.ok_or(Why::LinkInvalid)?;
        Ok(vault.open(&place(&id.to_string()), &sealed)?)
    }

    /// Profile, names, sessions, history and what was allowed to apps. No secret is among it.
    async fn archive(&self, user: &User) -> Result<Value, Fault> {
        let (store, now) = (&self.edges.store, self.now());
        let identifiers: Vec<Value> = user
            .identifiers
            .iter()
            .map(|name| {
                json!({
                    "kind": name.kind, "value": name.value, "primary": name.is_primary,
                    "verified_at": name.verified_at.map(moment),
                })
            })
            .collect();
        let sessions: Vec<Value> = store
            .sessions_of(user.id, now)
            .await?
            .iter()
            .map(|session| {
                json!({
                    "id": session.id, "user_agent": session.origin.user_agent,
                    "address": session.origin.address, "client_id": session.origin.client, "created_at": moment(session.created_at),
                    "last_seen_at": moment(session.last_seen_at), "expires_at": moment(session.expires_at),
                })
            })
            .collect();
        let history: Vec<Value> = store
            .events_of(user.id, NumericDate::from_seconds(0), (None, EVENTS))
            .await?
            .iter()
            .map(|event| {
                json!({
                    "at": moment(event.at), "name": event.name, "outcome": event.outcome,
                    "client_id": event.client, "address": event.provenance.address,
                    "user_agent": event.provenance.user_agent, "details": event.details,
                })
            })
            .collect();
        let grants: Vec<Value> = store
            .consents_of(user.id)
            .await?
            .iter()
            .map(|consent| {
                json!({
                    "client_id": consent.client, "scope": consent.scope.to_string(), "claims": consent.claims,
                    "granted_at": moment(consent.granted_at),
                })
            })
            .collect();
        Ok(json!({
            "exported_at": moment(now),
            "id": user.id,
            "created_at": moment(user.created_at),
            "profile": user.profile,
            "attributes": self.more_of(user),
            "identifiers": identifiers,
            "sessions": sessions,
            "history": history,
            "grants": grants,
        }))
    }
}

fn place(row: &str) -> Place<'_> {
    Place { table: "data_export", row, column: "archive" }
}
