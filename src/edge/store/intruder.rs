//! "This was not me": what somebody else set up in an account since then goes, in the transaction that ends everything.
//!
//! PROTOCOL A13, A15; S-096, S-119. A session that ends and a password that is gone keep nobody out who has added a passkey, a code
//! app, an identity elsewhere or an address meanwhile, or who holds a link that outlives the epoch.

use futures_util::FutureExt as _;
use uuid::Uuid;

use crate::edge::store::account::forget_password;
use crate::edge::store::epoch::{self, Stepped};
use crate::edge::store::publish::Publish;
use crate::edge::store::row::Context as _;
use crate::edge::store::statement::Connection;
use crate::edge::store::user::{add_identifier, lookup_name};
use crate::edge::store::writer::Fact;
use crate::edge::store::{Beside, Held, Store, contact, mailed_link};
use crate::model::fault::Fault;
use crate::model::id::{ProviderId, UserId};
use crate::model::mailed_link::LinkPurpose;
use crate::model::user::{Identifier, LookupName};
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::TokenHash;

const AUTHENTICATORS: &str =
    "DELETE FROM authenticator WHERE user_id = $1 AND (created_at >= $2 OR confirmed_at >= $2)";
/// Codes that were made in the place of the owner's: those are gone, and these are in other hands.
const BACKUP_CODES: &str = "DELETE FROM backup_code WHERE user_id = $1 AND generated_at >= $2";
/// Who never wanted a second factor is not asked for one that is gone.
const WISH: &str = "UPDATE second_factor SET required_at = NULL, failures = 0 WHERE user_id = $1 AND required_at >= $2";
const BROWSERS: &str = "DELETE FROM remembered_browser WHERE user_id = $1 AND created_at >= $2";
const GROUPS: &str = "DELETE FROM group_member WHERE user_id = $1 AND provider_id IN
    (SELECT provider_id FROM upstream_link WHERE user_id = $1 AND linked_at >= $2)";
const IDENTITIES: &str = "DELETE FROM upstream_link WHERE user_id = $1 AND linked_at >= $2 RETURNING provider_id";
/// Whoever reads one of these asks for a new password.
const ADDRESSES: &str = "DELETE FROM identifier
    WHERE user_id = $1 AND kind <> 'username' AND verified_at >= $2 AND lookup <> $3";
const HAS_ADDRESS: &str = "SELECT COUNT(*) FROM identifier WHERE user_id = $1 AND lookup = $2";
/// Links that take something back, or hand an export out, where they went to somebody else.
const LINKS: &str = "UPDATE mailed_link SET used_at = $4
    WHERE user_id = $1 AND created_at >= $2 AND address <> $3 AND used_at IS NULL";

/// What was set up by somebody else, and is gone.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Gone {
    /// Passkeys, code apps and the like.
    pub authenticators: u64,
    /// By which providers identities elsewhere were connected, one for each.
    pub identities: Vec<ProviderId>,
    /// Addresses and numbers.
    pub addresses: u64,
}

/// How an owner says that it was somebody else.
#[derive(Clone, Debug)]
pub struct Denial {
    /// The link of the mail that told of it.
    pub link: TokenHash,
    /// The address that it was sent to, proven by it: it stays, or comes back.
    pub address: Identifier,
    /// Since when somebody else may have acted.
    pub since: NumericDate,
}

impl Store {
    /// Ends every session and grant of whom a link is for, takes their password away, and with it whatever was set up since; `tell` makes
    /// what is to be written beside it. `None` when the link is not good any more.
    ///
    /// # Errors
    /// Internal, when the address cannot be looked up by any name.
    pub async fn deny_sign_in(
        &self,
        denial: Denial,
        now: NumericDate,
        tell: impl FnOnce(&Gone) -> Beside + Send + 'static,
    ) -> Result<Option<Gone>, Fault> {
        let name = lookup_name(&denial.address)?;
        let fact = Fact::several(move |connection| {
            async move {
                let spent = mailed_link::consume(connection, (&denial.link, LinkPurpose::NotMe), now).await?;
                let Some(user) = spent.map(|spent| spent.user) else { return Ok(None) };
                forget_password(connection, user).await?;
                let gone = expel(connection, user, (&denial, &name), now).await?;
                let stepped = epoch::step(connection, user, None, now).await?;
                tell(&gone).write(connection).await?;
                Ok(Some(Denied { user, gone, stepped }))
            }
            .boxed()
        });
        Ok(self.record_and_publish(fact).await?.map(|denied| denied.gone))
    }
}

/// What was denied, to be published after the commit.
struct Denied {
    user: UserId,
    gone: Gone,
    stepped: Stepped,
}

impl Publish for Denied {
    fn publish(&self, held: &Held) {
        // Others may have been rid of an address that they had never proven.
        held.users.flush();
        held.memberships.forget(&self.user);
        self.stepped.publish(held);
    }
}

/// Takes whatever was set up since out of the account of `user`, within the transaction of `connection`. `name` is that of the address
/// that stays.
pub(super) async fn expel(
    connection: &mut Connection,
    user: UserId,
    (denial, name): (&Denial, &LookupName),
    now: NumericDate,
) -> Result<Gone, Fault> {
    let (id, since) = (user.uuid(), denial.since.seconds());
    let authenticators = connection.query(AUTHENTICATORS).bind(id).bind(since);
    let authenticators = authenticators.execute().await.context("take the factors of somebody else away")?;
    for statement in [BACKUP_CODES, WISH, BROWSERS, GROUPS] {
        let gone = connection.query(statement).bind(id).bind(since);
        gone.execute().await.context("take away what somebody else set up")?;
    }
    let cut: Vec<Uuid> =
        connection.query(IDENTITIES).bind(id).bind(since).scalar_all().await.context("cut identities")?;
    let addresses = connection.query(ADDRESSES).bind(id).bind(since).bind(name.as_str());
    let addresses = addresses.execute().await.context("take the addresses of somebody else away")?;
    let links = connection.query(LINKS).bind(id).bind(since).bind(denial.address.value.as_str()).bind(now.seconds());
    links.execute().await.context("void the links of somebody else")?;
    let has: i64 =
        connection.query(HAS_ADDRESS).bind(id).bind(name.as_str()).scalar_one().await.context("look for an address")?;
    if has == 0 {
        // It was replaced. Where somebody else has proven it by now, the new password is set all the same.
        contact::release(connection, user, name).await?;
        let address = Identifier { is_primary: false, ..denial.address.clone() };
        add_identifier(connection, user, &address, name).await?;
    }
    contact::choose_primary(connection, user).await?;
    let identities = cut.into_iter().map(ProviderId::from_uuid).collect();
    Ok(Gone { authenticators, identities, addresses })
}
