//! Invitations, by their ids and by the hashes of their tokens.

use std::sync::Arc;

use futures_util::FutureExt as _;
use sqlx::FromRow;
use uuid::Uuid;

use crate::edge::store::account::{Made, make};
use crate::edge::store::membership::join;
use crate::edge::store::row::{Context as _, Place, moment, to_json};
use crate::edge::store::user::NewUser;
use crate::edge::store::writer::Fact;
use crate::edge::store::{Beside, Registered, Store};
use crate::model::fault::Fault;
use crate::model::id::{GroupId, InvitationId, UserId};
use crate::model::invitation::{Fate, Invitation};
use crate::model::user::{IdentifierKind, Role, User};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

macro_rules! columns {
    () => {
        "id, token_hash, kind, address, profile, groups, role, client_id, invited_by, created_at, expires_at, accepted_at, \
         accepted_by, revoked_at"
    };
}

const ADD: &str = "INSERT INTO invitation
    (id, token_hash, kind, address, profile, groups, role, client_id, invited_by, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
/// One that an inviter sends again takes the place of the one before.
const REPLACE: &str = "UPDATE invitation SET revoked_at = $3
    WHERE address = $1 AND invited_by IS NOT DISTINCT FROM $2 AND accepted_at IS NULL AND revoked_at IS NULL";
const READ: &str = concat!("SELECT ", columns!(), " FROM invitation WHERE id = $1");
const BY_TOKEN: &str = concat!("SELECT ", columns!(), " FROM invitation WHERE token_hash = $1");
const LIST: &str =
    concat!("SELECT ", columns!(), " FROM invitation WHERE id < $1 AND $2 IS NULL ORDER BY id DESC LIMIT $3");
const LIST_OF: &str =
    concat!("SELECT ", columns!(), " FROM invitation WHERE id < $1 AND invited_by = $2 ORDER BY id DESC LIMIT $3");
const REVOKE: &str = "UPDATE invitation SET revoked_at = $2
    WHERE id = $1 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $2";
const ACCEPT: &str = "UPDATE invitation SET accepted_at = $2
    WHERE token_hash = $1 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $2";
const TAKE_BACK: &str = "UPDATE invitation SET accepted_at = NULL WHERE token_hash = $1";
const ACCEPTED_BY: &str = "UPDATE invitation SET accepted_by = $2 WHERE token_hash = $1";

impl Store {
    /// Records an invitation, in the place of one that the same inviter sent to the same address.
    pub async fn invite(&self, invitation: &Invitation, beside: Beside) -> Result<(), Fault> {
        let invitation = invitation.clone();
        let profile = to_json(&invitation.profile)?;
        let groups = to_json(&invitation.groups)?;
        let fact = Fact::several(move |connection| {
            async move {
                let inviter = invitation.invited_by.map(UserId::uuid);
                let replace = connection.query(REPLACE).bind(invitation.address.as_str()).bind(inviter);
                let replace = replace.bind(invitation.created_at.seconds());
                replace.execute().await.context("take an invitation back")?;
                let add = connection.query(ADD).bind(invitation.id.uuid());
                let add = add.bind(invitation.token.as_bytes().as_slice()).bind(invitation.kind.as_str());
                let add = add.bind(invitation.address.as_str()).bind(profile).bind(groups);
                let add = add.bind(invitation.role.as_str()).bind(invitation.client.as_ref().map(ToString::to_string));
                let add = add.bind(inviter).bind(invitation.created_at.seconds());
                add.bind(invitation.expires_at.seconds()).execute().await.context("record an invitation")?;
                beside.write(connection).await
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }

    /// The invitation of this id.
    pub async fn invitation(&self, id: InvitationId) -> Result<Option<Invitation>, Fault> {
        let read = self.readers.query(READ).bind(id.uuid());
        let row: Option<Row> = read.fetch_optional().await.context("read an invitation")?;
        row.map(Invitation::try_from).transpose()
    }

    /// The invitation whose token has this hash.
    pub async fn invitation_by_token(&self, token: &TokenHash) -> Result<Option<Invitation>, Fault> {
        let read = self.readers.query(BY_TOKEN).bind(token.as_bytes().as_slice());
        let row: Option<Row> = read.fetch_optional().await.context("read an invitation")?;
        row.map(Invitation::try_from).transpose()
    }

    /// At most `limit` invitations, the newest first, those before `before`; only those of one inviter where one is named.
    pub async fn invitations(
        &self,
        inviter: Option<UserId>,
        (before, limit): (Option<InvitationId>, u32),
    ) -> Result<Vec<Invitation>, Fault> {
        let list = self.readers.query(if inviter.is_some() { LIST_OF } else { LIST });
        let list = list.bind(before.map_or(Uuid::max(), InvitationId::uuid)).bind(inviter.map(UserId::uuid));
        let rows: Vec<Row> = list.bind(i64::from(limit)).fetch_all().await.context("list invitations")?;
        rows.into_iter().map(Invitation::try_from).collect()
    }

    /// Takes an invitation back; false when it does not wait any more.
    pub async fn revoke_invitation(&self, id: InvitationId, now: NumericDate, beside: Beside) -> Result<bool, Fault> {
        let fact = Fact::several(move |connection| {
            async move {
                let revoke = connection.query(REVOKE).bind(id.uuid()).bind(now.seconds());
                if revoke.execute().await.context("take an invitation back")? == 0 {
                    return Ok(false);
                }
                beside.write(connection).await?;
                Ok(true)
            }
            .boxed()
        });
        self.recorder.record(fact).await
    }

    /// Uses an invitation up and makes the account, in its groups; `Already` when it is not good any more.
    ///
    /// # Errors
    /// Internal, when an identifier cannot be looked up by any name.
    pub async fn accept_invitation(
        &self,
        (token, groups): (&TokenHash, &[GroupId]),
        account: (&User, Option<&str>),
        beside: Beside,
    ) -> Result<Registered, Fault> {
        let (user, password) = account;
        let (now, id) = (user.created_at, user.id);
        let new = NewUser::of(user, password)?;
        let (token, groups, held) = (*token, groups.to_vec(), Arc::clone(&self.held));
        let fact = Fact::several(move |connection| {
            async move {
                let hash = token.as_bytes().as_slice();
                let accept = connection.query(ACCEPT).bind(hash).bind(now.seconds());
                if accept.execute().await.context("use up an invitation")? == 0 {
                    return Ok(Made { registered: Registered::Already, made_way: false });
                }
                let made = make(connection, &new).await?;
                if made.registered != Registered::Created {
                    // It did not happen: it may, under another name.
                    let take_back = connection.query(TAKE_BACK).bind(hash);
                    take_back.execute().await.context("make an invitation good again")?;
                    return Ok(made);
                }
                let accepted = connection.query(ACCEPTED_BY).bind(hash).bind(id.uuid());
                accepted.execute().await.context("record who accepted an invitation")?;
                for group in groups {
                    // One that is gone meanwhile is left out.
                    join(connection, (group, id), now).await?;
                }
                beside.write(connection).await?;
                Ok(made)
            }
            .boxed()
        });
        let publish = move |made: &Made| {
            if made.made_way {
                held.users.flush();
            }
            held.users.forget(&id);
            held.memberships.forget(&id);
        };
        self.recorder.record(fact.then(publish)).await.map(|made| made.registered)
    }
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    token_hash: Vec<u8>,
    kind: String,
    address: String,
    profile: String,
    groups: String,
    role: String,
    client_id: Option<String>,
    invited_by: Option<Uuid>,
    created_at: i64,
    expires_at: i64,
    accepted_at: Option<i64>,
    accepted_by: Option<Uuid>,
    revoked_at: Option<i64>,
}

impl TryFrom<Row> for Invitation {
    type Error = Fault;

    fn try_from(row: Row) -> Result<Self, Fault> {
        let place = Place { table: "invitation", id: &row.id };
        let accepted =
            moment(row.accepted_at).map(|at| Fate::Accepted { at, by: row.accepted_by.map(UserId::from_uuid) });
        Ok(Self {
            id: InvitationId::from_uuid(row.id),
            token: place.hash("token_hash", &row.token_hash)?,
            kind: IdentifierKind::parse(&row.kind).ok_or_else(|| place.damaged("kind"))?,
            profile: place.json("profile", &row.profile)?,
            groups: place.json("groups", &row.groups)?,
            role: Role::parse(&row.role).ok_or_else(|| place.damaged("role"))?,
            client: row.client_id.as_deref().map(|id| place.parse("client_id", id)).transpose()?,
            invited_by: row.invited_by.map(UserId::from_uuid),
            created_at: NumericDate::from_seconds(row.created_at),
            expires_at: NumericDate::from_seconds(row.expires_at),
            fate: accepted.or_else(|| moment(row.revoked_at).map(|at| Fate::Revoked { at })),
            address: row.address,
        })
    }
}
