//! Grants, and the redemption of the codes they come from.
//!
//! RFC 6749 §4.1.2: a code is good once; a second use takes back what the first one gave.

use std::sync::Arc;

use futures_util::FutureExt as _;
use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::row::{Context as _, Place, moment, to_json};
use crate::edge::store::session_end::Reach;
use crate::edge::store::statement::{Connection, Linked};
use crate::edge::store::writer::Fact;
use crate::edge::store::{Beside, Held, Store, access_token};
use crate::model::epoch::Epoch;
use crate::model::fault::Fault;
use crate::model::grant::{Grant, GrantDetails};
use crate::model::id::{ClientId, GrantId, SessionId, UserId};
use crate::model::token::{CodeRedemption, OpaqueAccessToken, RefreshToken};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::scope::Scope;
use crate::protocol::secret::TokenHash;

const READ: &str =
    "SELECT id, code_hash, user_id, client_id, session_id, scope, details, created_at, expires_at, revoked_at
    FROM oauth_grant WHERE id = $1";
const RECORD: &str =
    "INSERT INTO oauth_grant (id, code_hash, user_id, client_id, session_id, scope, is_offline, details,
    created_at, expires_at, revoked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING";
/// Records a grant and its first refresh token.
const RECORD_RENEWABLE: Linked = Linked {
    sqlite: "INSERT INTO oauth_grant (id, code_hash, user_id, client_id, session_id, scope, is_offline, details,
        created_at, expires_at, revoked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING;
        INSERT INTO refresh_token (hash, grant_id, scope, issued_at, expires_at, family_expires_at)
        SELECT $12, $1, $13, $14, $15, $16 WHERE changes() = 1",
    postgres: "WITH granted AS (INSERT INTO oauth_grant (id, code_hash, user_id, client_id, session_id, scope, is_offline,
        details, created_at, expires_at, revoked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT DO NOTHING RETURNING id)
        INSERT INTO refresh_token (hash, grant_id, scope, issued_at, expires_at, family_expires_at)
        SELECT $12, id, $13, $14, $15, $16 FROM granted",
};
const TAKE_BACK: &str = "DELETE FROM oauth_grant WHERE id = $1 AND code_hash = $2";
const DESCRIBE: &str = "UPDATE oauth_grant SET details = $2 WHERE id = $1 AND revoked_at IS NULL";
const REVOKE: &str = "UPDATE oauth_grant SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING id";
const REVOKE_BY_CODE: &str =
    "UPDATE oauth_grant SET revoked_at = COALESCE(revoked_at, $2) WHERE code_hash = $1 RETURNING id";
const REVOKE_BETWEEN: &str = "UPDATE oauth_grant SET revoked_at = $3
    WHERE user_id = $1 AND client_id = $2 AND revoked_at IS NULL RETURNING id";
const REVOKE_ONLINE_OF: &str = "UPDATE oauth_grant SET revoked_at = $2
    WHERE session_id = $1 AND NOT is_offline AND revoked_at IS NULL RETURNING id";
const REVOKE_OF: &str =
    "UPDATE oauth_grant SET revoked_at = $2 WHERE session_id = $1 AND revoked_at IS NULL RETURNING id";
const REVOKE_OUTSIDE: &str = "UPDATE oauth_grant SET revoked_at = $3
    WHERE user_id = $1 AND session_id <> $2 AND revoked_at IS NULL RETURNING id";
const REVOKE_ALL_OF: &str =
    "UPDATE oauth_grant SET revoked_at = $2 WHERE user_id = $1 AND id <> $3 AND revoked_at IS NULL RETURNING id";

impl Store {
    /// Records the grant of a code and its first tokens, once for each code (`grant.code_hash`).
    ///
    /// The second time nothing is recorded and the first grant is revoked at `now`.
    pub async fn redeem_code(
        &self,
        grant: &Grant,
        refresh: Option<&RefreshToken>,
        opaque: Option<&OpaqueAccessToken>,
        now: NumericDate,
    ) -> Result<CodeRedemption, Fault> {
        let tokens = (refresh.cloned().map(Arc::new), opaque.cloned().map(Arc::new));
        let details = to_json(&grant.details)?;
        let (grant, held) = (Arc::new(grant.clone()), Arc::clone(&self.held));
        let (written, (refresh, opaque)) = (Arc::clone(&grant), tokens.clone());
        let fact = Fact::several(move |connection| {
            async move {
                if !insert(connection, &written, details, refresh.as_deref()).await? {
                    return replay(connection, &written.code_hash, now).await;
                }
                if let Some(token) = opaque {
                    access_token::insert(connection, &token).await?;
                }
                Ok(Redeemed::Recorded)
            }
            .boxed()
        });
        // The common case: the grant is inserted with its refresh token, or it was there and is revoked.
        let fact = if tokens.1.is_none() { fact.of_linked_change() } else { fact };
        let publish = move |redeemed: &Redeemed| match redeemed {
            Redeemed::Recorded => {
                held.grants.put(grant.id, grant);
                let (refresh, opaque) = tokens;
                held.put_tokens(refresh, opaque);
            }
            Redeemed::Replayed(revoked) => held.grants.forget(revoked),
        };
        self.recorder.record(fact.then(publish)).await.map(CodeRedemption::from)
    }

    /// Revokes the grant that came from a code; false when the code was never redeemed.
    pub async fn revoke_by_code(&self, code: &TokenHash, now: NumericDate) -> Result<bool, Fault> {
        let (code, held) = (*code, Arc::clone(&self.held));
        let fact = Fact::one(move |connection| async move { revoke_by_code(connection, &code, now).await }.boxed());
        let publish = move |revoked: &Option<GrantId>| {
            if let Some(grant) = revoked {
                held.grants.forget(grant);
            }
        };
        self.recorder.record(fact.then(publish)).await.map(|revoked| revoked.is_some())
    }

    /// The grant; revoked ones too, so ask [`Grant::is_live`].
    pub async fn grant(&self, id: GrantId) -> Result<Option<Arc<Grant>>, Fault> {
        let load = async {
            let row: Option<GrantRow> =
                self.readers.query(READ).bind(id.uuid()).fetch_optional().await.context("read a grant")?;
            row.map(Grant::try_from).transpose()
        };
        self.held.grants.get_or_load(&id, load).await
    }

    /// Revokes a grant, and with it every token of it; false when it was revoked before or there is none, and then nothing is
    /// written `beside` it.
    pub async fn revoke_grant(&self, id: GrantId, now: NumericDate, beside: Beside) -> Result<bool, Fault> {
        let held = Arc::clone(&self.held);
        let fact = Fact::several(move |connection| {
            async move {
                let was_live = revoke(connection, id, now).await?;
                if was_live {
                    beside.write(connection).await?;
                }
                Ok(was_live)
            }
            .boxed()
        });
        self.recorder.record(fact.then(move |_| held.grants.forget(&id))).await
    }
}

impl Held {
    /// Holds tokens that were just recorded.
    pub(super) fn put_tokens(&self, refresh: Option<Arc<RefreshToken>>, opaque: Option<Arc<OpaqueAccessToken>>) {
        if let Some(token) = refresh {
            self.refresh_tokens.put(token.hash, token);
        }
        if let Some(token) = opaque {
            self.opaque_access_tokens.put(token.hash, token);
        }
    }
}

/// What became of a code, with the grant that a replay revoked.
enum Redeemed {
    Recorded,
    Replayed(GrantId),
}

impl From<Redeemed> for CodeRedemption {
    fn from(redeemed: Redeemed) -> Self {
        match redeemed {
            Redeemed::Recorded => Self::Recorded,
            Redeemed::Replayed(_) => Self::Replayed,
        }
    }
}

async fn replay(connection: &mut Connection, code: &TokenHash, now: NumericDate) -> Result<Redeemed, Fault> {
    let revoked = revoke_by_code(connection, code, now).await?;
    revoked.map(Redeemed::Replayed).ok_or_else(|| Fault::internal("record a grant: its id is taken by another code"))
}

/// False when the code was redeemed before.
async fn insert(
    connection: &mut Connection,
    grant: &Grant,
    details: String,
    refresh: Option<&RefreshToken>,
) -> Result<bool, Fault> {
    let insert = match refresh {
        Some(_) => connection.query_linked(&RECORD_RENEWABLE),
        None => connection.query(RECORD),
    };
    let insert = insert.bind(grant.id.uuid()).bind(grant.code_hash.as_bytes().as_slice());
    let insert = insert.bind(grant.user.uuid()).bind(grant.client.as_str()).bind(grant.session.uuid());
    let insert = insert.bind(grant.scope.to_string()).bind(grant.scope.contains(Scope::OFFLINE_ACCESS)).bind(details);
    let insert = insert.bind(grant.created_at.seconds()).bind(grant.expires_at.seconds());
    let mut insert = insert.bind(grant.revoked_at.map(NumericDate::seconds));
    if let Some(token) = refresh {
        insert = insert.bind(token.hash.as_bytes().as_slice()).bind(token.scope.to_string());
        insert = insert.bind(token.issued_at.seconds()).bind(token.expires_at.seconds());
        insert = insert.bind(token.family_expires_at.seconds());
    }
    match insert.execute().await.context("record a grant") {
        Ok(changed) => Ok(changed > 0),
        Err(fault) if refresh.is_some() && connection.links_loosely() => {
            // Had the grant been there before, nothing would have been left to fail: it is the one just made.
            let take_back =
                connection.query(TAKE_BACK).bind(grant.id.uuid()).bind(grant.code_hash.as_bytes().as_slice());
            let undone = take_back.execute().await;
            // Half of a fact must not stand: then its whole group fails.
            undone.map_err(|cause| Fault::unavailable("take a grant back").caused_by(cause))?;
            Err(fault)
        }
        Err(fault) => Err(fault),
    }
}

async fn revoke_by_code(
    connection: &mut Connection,
    code: &TokenHash,
    now: NumericDate,
) -> Result<Option<GrantId>, Fault> {
    let revoke = connection.query(REVOKE_BY_CODE).bind(code.as_bytes().as_slice()).bind(now.seconds());
    let id: Option<Uuid> = revoke.scalar_optional().await.context("revoke the grant of a code")?;
    Ok(id.map(GrantId::from_uuid))
}

/// False when it was revoked before or there is none.
pub(super) async fn revoke(connection: &mut Connection, id: GrantId, now: NumericDate) -> Result<bool, Fault> {
    let revoke = connection.query(REVOKE).bind(id.uuid()).bind(now.seconds());
    let id: Option<Uuid> = revoke.scalar_optional().await.context("revoke a grant")?;
    Ok(id.is_some())
}

/// Changes what tokens of a grant are built from.
pub(super) async fn describe(
    connection: &mut Connection,
    (id, details): (GrantId, &GrantDetails),
) -> Result<(), Fault> {
    let describe = connection.query(DESCRIBE).bind(id.uuid()).bind(to_json(details)?);
    describe.execute().await.context("change the details of a grant").map(|_| ())
}

/// Revokes what a person allowed to a client.
pub(super) async fn revoke_between(
    connection: &mut Connection,
    (user, client): (UserId, &ClientId),
    now: NumericDate,
) -> Result<Vec<GrantId>, Fault> {
    let revoke = connection.query(REVOKE_BETWEEN).bind(user.uuid()).bind(client.as_str()).bind(now.seconds());
    let ids: Vec<Uuid> = revoke.scalar_all().await.context("revoke the grants of a consent")?;
    Ok(ids.into_iter().map(GrantId::from_uuid).collect())
}

/// Revokes what was allowed in a session, as far as `reach` says.
pub(super) async fn revoke_of_session(
    connection: &mut Connection,
    (session, reach): (SessionId, Reach),
    now: NumericDate,
) -> Result<Vec<GrantId>, Fault> {
    let statement = match reach {
        Reach::Online => REVOKE_ONLINE_OF,
        Reach::All => REVOKE_OF,
    };
    let revoke = connection.query(statement).bind(session.uuid()).bind(now.seconds());
    let ids: Vec<Uuid> = revoke.scalar_all().await.context("revoke the grants of a session")?;
    Ok(ids.into_iter().map(GrantId::from_uuid).collect())
}

/// Revokes everything a person allowed, but in the session `kept`.
pub(super) async fn revoke_outside(
    connection: &mut Connection,
    (user, kept): (UserId, Option<SessionId>),
    now: NumericDate,
) -> Result<Vec<GrantId>, Fault> {
    let kept = kept.map_or(Uuid::nil(), SessionId::uuid);
    let revoke = connection.query(REVOKE_OUTSIDE).bind(user.uuid()).bind(kept).bind(now.seconds());
    let ids: Vec<Uuid> = revoke.scalar_all().await.context("revoke the grants outside a session")?;
    Ok(ids.into_iter().map(GrantId::from_uuid).collect())
}

/// Revokes everything a person allowed, but for the grant `kept`.
pub(super) async fn revoke_all_of(
    connection: &mut Connection,
    (user, kept): (UserId, Option<GrantId>),
    now: NumericDate,
) -> Result<Vec<GrantId>, Fault> {
    let kept = kept.map_or(Uuid::nil(), GrantId::uuid);
    let revoke = connection.query(REVOKE_ALL_OF).bind(user.uuid()).bind(now.seconds()).bind(kept);
    let ids: Vec<Uuid> = revoke.scalar_all().await.context("revoke the grants of a user")?;
    Ok(ids.into_iter().map(GrantId::from_uuid).collect())
}

/// Takes a grant of the person into `epoch`; the sign-in that it stands on stays as old as it is.
pub(super) async fn carry_over(
    connection: &mut Connection,
    (user, id): (UserId, GrantId),
    epoch: Epoch,
) -> Result<(), Fault> {
    let row: Option<GrantRow> =
        connection.query(READ).bind(id.uuid()).fetch_optional().await.context("read a grant")?;
    let grant = row.map(Grant::try_from).transpose()?;
    let Some(mut grant) = grant.filter(|grant| grant.user == user && grant.is_live()) else { return Ok(()) };
    grant.details.authentication.epoch = Some(epoch);
    describe(connection, (id, &grant.details)).await
}

#[derive(FromRow)]
struct GrantRow {
    id: Uuid,
    code_hash: Vec<u8>,
    user_id: Uuid,
    client_id: String,
    session_id: Uuid,
    scope: String,
    details: String,
    created_at: i64,
    expires_at: i64,
    revoked_at: Option<i64>,
}

impl TryFrom<GrantRow> for Grant {
    type Error = Fault;

    fn try_from(row: GrantRow) -> Result<Self, Fault> {
        let place = Place { table: "oauth_grant", id: &row.id };
        Ok(Self {
            id: GrantId::from_uuid(row.id),
            code_hash: place.hash("code_hash", &row.code_hash)?,
            user: UserId::from_uuid(row.user_id),
            client: place.parse("client_id", &row.client_id)?,
            session: SessionId::from_uuid(row.session_id),
            scope: place.parse("scope", &row.scope)?,
            details: place.json("details", &row.details)?,
            created_at: NumericDate::from_seconds(row.created_at),
            expires_at: NumericDate::from_seconds(row.expires_at),
            revoked_at: moment(row.revoked_at),
        })
    }
}
