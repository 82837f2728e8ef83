//! The names of a person that change: addresses and numbers added, removed, made primary, put in the place of another.
//!
//! An address that is not proven is never written here: it would keep its owner out (PROTOCOL A13).

use futures_util::FutureExt as _;
use uuid::Uuid;

use crate::edge::store::account::Once;
use crate::edge::store::epoch::{self, Here, Kept, Stepped};
use crate::edge::store::intruder::{self, Denial, Gone};
use crate::edge::store::publish::Publish;
use crate::edge::store::row::Context as _;
use crate::edge::store::statement::Connection;
use crate::edge::store::user::{ProfileChange, add_identifier, lookup_name, rewrite_profile};
use crate::edge::store::writer::Fact;
use crate::edge::store::{Beside, Creation, Held, Store, mailed_link, once};
use crate::model::fault::Fault;
use crate::model::id::{IdentifierId, UserId};
use crate::model::mailed_link::LinkPurpose;
use crate::model::user::{Identifier, IdentifierKind, LookupName};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

/// The first statement of each fact: those of one person wait for one another.
const HOLD: &str = "UPDATE user_account SET updated_at = $2 WHERE id = $1 AND disabled_at IS NULL";
/// The same while it is not known whether anything changes.
const HOLD_AS_IT_IS: &str = "UPDATE user_account SET updated_at = updated_at WHERE id = $1 AND disabled_at IS NULL";
/// What somebody else wrote down without a proof makes way for who has one (PROTOCOL A22).
const RELEASE: &str =
    "DELETE FROM identifier WHERE lookup = $1 AND user_id <> $2 AND kind <> 'username' AND verified_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM user_account WHERE user_account.id = identifier.user_id AND user_account.state = 'disabled')";
const HAS_PRIMARY: &str = "SELECT COUNT(*) FROM identifier WHERE user_id = $1 AND kind = $2 AND is_primary";
const PRIMARY: &str = "SELECT id FROM identifier WHERE user_id = $1 AND kind = $2 ORDER BY is_primary DESC, id LIMIT 1";
const OWN: &str = "SELECT id FROM identifier WHERE user_id = $1 AND lookup = $2";
const MAKE_PRIMARY: &str = "UPDATE identifier SET is_primary = (id = $2) WHERE user_id = $1
    AND kind = (SELECT i.kind FROM identifier i WHERE i.id = $2 AND i.user_id = $1 AND i.verified_at IS NOT NULL)";
const REMOVE: &str = "DELETE FROM identifier WHERE id = $2 AND user_id = $1 AND kind IN ('email', 'phone')
    AND EXISTS (SELECT 1 FROM identifier o WHERE o.user_id = $1 AND o.id <> $2
        AND o.kind IN ('email', 'phone') AND o.verified_at IS NOT NULL)";
const NEXT_PRIMARY: &str = "UPDATE identifier SET is_primary = TRUE WHERE id =
    (SELECT i.id FROM identifier i WHERE i.user_id = $1 AND i.kind = $2 AND i.verified_at IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM identifier p WHERE p.user_id = $1 AND p.kind = $2 AND p.is_primary)
        ORDER BY i.id LIMIT 1)";
const PRIMARY_BEFORE: &str =
    "SELECT COUNT(*) FROM identifier WHERE user_id = $1 AND kind = 'email' AND is_primary AND verified_at < $2";
const PREFER: &str = "UPDATE identifier SET is_primary = (lookup = $2) WHERE user_id = $1 AND kind = 'email'
    AND EXISTS (SELECT 1 FROM identifier o WHERE o.user_id = $1 AND o.kind = 'email' AND o.lookup = $2
        AND o.verified_at IS NOT NULL)";
const DROP: &str = "DELETE FROM identifier WHERE id = $2 AND user_id = $1";

/// What became of an address or number that was to be the person's.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Added {
    /// It is.
    Added,
    /// It belongs to somebody else, or it is theirs already.
    Taken,
    /// The proof was used before, or the account may not be used.
    Void,
}

impl Store {
    /// Adds a proven identifier, once for each `once`; the first of its kind is the primary one.
    ///
    /// # Errors
    /// Internal, when it cannot be looked up by any name.
    pub async fn add_identifier(
        &self,
        user: UserId,
        identifier: Identifier,
        (once, now): (Once, NumericDate),
        beside: Beside,
    ) -> Result<Added, Fault> {
        let name = lookup_name(&identifier)?;
        let fact = Fact::several(move |connection| {
            async move {
                if !once::consume(connection, (once.kind, &once.hash), once.expires_at, now).await?
                    || !hold(connection, user, now).await?
                {
                    return Ok(Placed { user, added: Added::Void, released: 0 });
                }
                let has = connection.query(HAS_PRIMARY).bind(user.uuid()).bind(identifier.kind.as_str());
                let has: i64 = has.scalar_one().await.context("look for a primary identifier")?;
                let identifier = Identifier { is_primary: has == 0, ..identifier };
                let released = release(connection, user, &name).await?;
                if add_identifier(connection, user, &identifier, &name).await? == Creation::AlreadyExists {
                    return Ok(Placed { user, added: Added::Taken, released });
                }
                beside.write(connection).await?;
                Ok(Placed { user, added: Added::Added, released })
            }
            .boxed()
        });
        self.record_and_publish(fact).await.map(|placed| placed.added)
    }

    /// Makes a proven identifier the primary one of its kind, and ends everything but `here`; false when there is no such one.
    pub async fn make_primary(
        &self,
        user: UserId,
        id: IdentifierId,
        (here, now): (Option<Here>, NumericDate),
        beside: Beside,
    ) -> Result<bool, Fault> {
        let fact = Fact::several(move |connection| {
            async move {
                if !hold(connection, user, now).await? {
                    return Ok(None);
                }
                let update = connection.query(MAKE_PRIMARY).bind(user.uuid()).bind(id.uuid());
                if update.execute().await.context("make an identifier primary")? == 0 {
                    return Ok(None);
                }
                let stepped = epoch::step_around(connection, user, here, now).await?;
                beside.write(connection).await?;
                Ok(Some(stepped))
            }
            .boxed()
        });
        Ok(self.record_and_publish(fact).await?.is_some())
    }

    /// Removes an address or number, and ends everything but `here`; false when no other proven one would be left. Another of its kind
    /// becomes primary in its place.
    pub async fn remove_identifier(
        &self,
        user: UserId,
        (id, kind): (IdentifierId, IdentifierKind),
        (here, now): (Option<Here>, NumericDate),
        beside: Beside,
    ) -> Result<bool, Fault> {
        let fact = Fact::several(move |connection| {
            async move {
                if !hold(connection, user, now).await? {
                    return Ok(None);
                }
                let remove = connection.query(REMOVE).bind(user.uuid()).bind(id.uuid());
                if remove.execute().await.context("remove an identifier")? == 0 {
                    return Ok(None);
                }
                let next = connection.query(NEXT_PRIMARY).bind(user.uuid()).bind(kind.as_str());
                next.execute().await.context("make another identifier primary")?;
                // What was sent to it opens nothing any more.
                mailed_link::void_all_of(connection, user, now).await?;
                let stepped = epoch::step_around(connection, user, here, now).await?;
                beside.write(connection).await?;
                Ok(Some(stepped))
            }
            .boxed()
        });
        Ok(self.record_and_publish(fact).await?.is_some())
    }

    /// Puts a username in the place of the one before, and records what `also` makes of the profile; of one that is `Taken`, as it belongs
    /// to somebody else, nothing is recorded.
    ///
    /// # Errors
    /// Internal, when it cannot be looked up by any name.
    pub async fn change_username(
        &self,
        user: UserId,
        (username, also): (Identifier, Option<ProfileChange>),
        now: NumericDate,
        beside: Beside,
    ) -> Result<Added, Fault> {
        let name = lookup_name(&username)?;
        let fact = Fact::several(move |connection| {
            async move {
                let held = connection.query(HOLD_AS_IT_IS).bind(user.uuid());
                if held.execute().await.context("hold an account")? == 0 {
                    return Ok(Added::Void);
                }
                let replaced = replace(connection, user, &username, &name).await?;
                if replaced == Added::Added {
                    hold(connection, user, now).await?;
                    if let Some(change) = &also {
                        rewrite_profile(connection, user, &**change, now).await?;
                    }
                    beside.write(connection).await?;
                }
                Ok(replaced)
            }
            .boxed()
        });
        self.record_of(user, fact).await
    }

    /// Puts the address of a link in the place of the primary one, ends everything but the session `keep`.
    ///
    /// # Errors
    /// Internal, when it cannot be looked up by any name.
    pub async fn change_email(
        &self,
        (link, keep): (&TokenHash, Option<Kept>),
        email: Identifier,
        now: NumericDate,
        beside: Beside,
    ) -> Result<Added, Fault> {
        let (name, link) = (lookup_name(&email)?, *link);
        let fact = Fact::several(move |connection| {
            async move {
                let Some(user) = taken_by(connection, (&link, LinkPurpose::EmailChange), &email, now).await? else {
                    return Ok(Taking { added: Added::Void, stepped: None, released: 0 });
                };
                let released = release(connection, user, &name).await?;
                if replace(connection, user, &email, &name).await? == Added::Taken {
                    return Ok(Taking { added: Added::Taken, stepped: None, released });
                }
                let stepped = epoch::step(connection, user, keep, now).await?;
                beside.write(connection).await?;
                Ok(Taking { added: Added::Added, stepped: Some(stepped), released })
            }
            .boxed()
        });
        self.record_and_publish(fact).await.map(|taking| taking.added)
    }

    /// Puts the old address back by the link that was sent to it, or stops the change that was asked for, ends everything, and takes away
    /// what was set up since: whoever asked for the change was not the owner. `tell` makes what is to be written beside it. `Void` when
    /// the link is not good any more.
    ///
    /// # Errors
    /// Internal, when it cannot be looked up by any name.
    pub async fn undo_email_change(
        &self,
        denial: Denial,
        now: NumericDate,
        tell: impl FnOnce(&Gone) -> Beside + Send + 'static,
    ) -> Result<(Added, Gone), Fault> {
        let name = lookup_name(&denial.address)?;
        let fact = Fact::several(move |connection| {
            async move {
                let (link, email) = ((&denial.link, LinkPurpose::EmailChangeUndo), &denial.address);
                let Some(user) = taken_by(connection, link, email, now).await? else {
                    return Ok(Undone::not(Added::Void));
                };
                release(connection, user, &name).await?;
                // The old address is still there where the change was asked for and not confirmed, and where another was made primary.
                let is_there = own(connection, user, &name).await?.is_some();
                if !is_there && bring_back(connection, user, (&denial, &name)).await? == Added::Taken {
                    return Ok(Undone::not(Added::Taken));
                }
                let gone = intruder::expel(connection, user, (&denial, &name), now).await?;
                let prefer = connection.query(PREFER).bind(user.uuid()).bind(name.as_str());
                prefer.execute().await.context("make the old address the primary one")?;
                let stepped = epoch::step(connection, user, None, now).await?;
                tell(&gone).write(connection).await?;
                Ok(Undone { added: Added::Added, gone, of: Some((user, stepped)) })
            }
            .boxed()
        });
        self.record_and_publish(fact).await.map(|Undone { added, gone, .. }| (added, gone))
    }
}

/// Whose link it is, for this address, if their account may be used; it is spent.
async fn taken_by(
    connection: &mut Connection,
    link: (&TokenHash, LinkPurpose),
    email: &Identifier,
    now: NumericDate,
) -> Result<Option<UserId>, Fault> {
    let spent = mailed_link::consume(connection, link, now).await?;
    let Some(user) = spent.filter(|spent| spent.address == email.value).map(|spent| spent.user) else {
        return Ok(None);
    };
    Ok(hold(connection, user, now).await?.then_some(user))
}

/// What became of a proven address or number, and how many it took from people who had not proven it.
struct Placed {
    user: UserId,
    added: Added,
    released: u64,
}

impl Publish for Placed {
    fn publish(&self, held: &Held) {
        if self.released > 0 {
            held.users.flush();
        }
        held.users.forget(&self.user);
    }
}

/// What became of the address of a link, of what the account had opened, and how many it took from people who had not proven it.
struct Taking {
    added: Added,
    stepped: Option<Stepped>,
    released: u64,
}

impl Publish for Taking {
    fn publish(&self, held: &Held) {
        if self.released > 0 {
            held.users.flush();
        }
        self.stepped.publish(held);
    }
}

/// What became of a change that was taken back, and of what the account had opened.
struct Undone {
    added: Added,
    gone: Gone,
    of: Option<(UserId, Stepped)>,
}

impl Undone {
    /// It was not.
    fn not(added: Added) -> Self {
        Self { added, gone: Gone::default(), of: None }
    }
}

impl Publish for Undone {
    fn publish(&self, held: &Held) {
        if let Some((user, stepped)) = &self.of {
            // Others may have been rid of an address that they had never proven.
            held.users.flush();
            held.memberships.forget(user);
            stepped.publish(held);
        }
    }
}

/// Makes another proven one primary where a kind has lost its primary one, within the transaction of `connection`.
pub(super) async fn choose_primary(connection: &mut Connection, user: UserId) -> Result<(), Fault> {
    for kind in [IdentifierKind::Email, IdentifierKind::Phone] {
        let next = connection.query(NEXT_PRIMARY).bind(user.uuid()).bind(kind.as_str());
        next.execute().await.context("make another identifier primary")?;
    }
    Ok(())
}

/// Takes a name that is proven now from whoever wrote it down without a proof; how many had.
pub(super) async fn release(connection: &mut Connection, user: UserId, name: &LookupName) -> Result<u64, Fault> {
    let release = connection.query(RELEASE).bind(name.as_str()).bind(user.uuid());
    release.execute().await.context("release an address that nobody has proven")
}

/// False when the account may not be used.
async fn hold(connection: &mut Connection, user: UserId, now: NumericDate) -> Result<bool, Fault> {
    let hold = connection.query(HOLD).bind(user.uuid()).bind(now.seconds());
    Ok(hold.execute().await.context("hold an account")? == 1)
}

/// Adds `identifier` as the primary one of its kind and drops the one that was.
async fn replace(
    connection: &mut Connection,
    user: UserId,
    identifier: &Identifier,
    name: &LookupName,
) -> Result<Added, Fault> {
    let before = connection.query(PRIMARY).bind(user.uuid()).bind(identifier.kind.as_str());
    let before: Option<Uuid> = before.scalar_optional().await.context("look for a primary identifier")?;
    let own = own(connection, user, name).await?;
    if own.is_some() && own == before {
        // The same name in another spelling.
        drop_one(connection, user, own).await?;
        add_identifier(connection, user, identifier, name).await?;
        return Ok(Added::Added);
    }
    drop_one(connection, user, own).await?;
    if add_identifier(connection, user, identifier, name).await? == Creation::AlreadyExists {
        return Ok(Added::Taken);
    }
    drop_one(connection, user, before).await?;
    Ok(Added::Added)
}

/// Puts an address back that was replaced or removed. What has its place since then goes; what the person had before stays beside it.
async fn bring_back(
    connection: &mut Connection,
    user: UserId,
    (denial, name): (&Denial, &LookupName),
) -> Result<Added, Fault> {
    let before = connection.query(PRIMARY_BEFORE).bind(user.uuid()).bind(denial.since.seconds());
    let before: i64 = before.scalar_one().await.context("look for an older primary address")?;
    if before == 0 {
        return replace(connection, user, &denial.address, name).await;
    }
    let address = Identifier { is_primary: false, ..denial.address.clone() };
    match add_identifier(connection, user, &address, name).await? {
        Creation::Created => Ok(Added::Added),
        Creation::AlreadyExists => Ok(Added::Taken),
    }
}

/// The identifier of the person that is found by `name`.
async fn own(connection: &mut Connection, user: UserId, name: &LookupName) -> Result<Option<Uuid>, Fault> {
    let own = connection.query(OWN).bind(user.uuid()).bind(name.as_str());
    own.scalar_optional().await.context("look for an identifier")
}

async fn drop_one(connection: &mut Connection, user: UserId, id: Option<Uuid>) -> Result<(), Fault> {
    let Some(id) = id else { return Ok(()) };
    let drop = connection.query(DROP).bind(user.uuid()).bind(id);
    drop.execute().await.context("drop an identifier").map(|_| ())
}
