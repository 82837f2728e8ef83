//! A new password, and what it ends, in one transaction.
//!
//! PROTOCOL A13, S-031.

use std::sync::Arc;

use futures_util::FutureExt as _;

use crate::edge::store::user::write_password;
use crate::edge::store::writer::Fact;
use crate::edge::store::{Beside, Kept, Store, epoch};
use crate::model::fault::Fault;
use crate::model::id::UserId;
use crate::model::session::Session;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::Secret;

/// A password that its owner sets.
#[derive(Clone, Debug)]
pub struct NewPassword {
    /// Whose.
    pub user: UserId,
    /// Its hash.
    pub phc: Secret,
    /// The session that goes on.
    pub kept: Option<Kept>,
    /// Whether the other sessions and the grants end.
    pub others_end: bool,
}

impl Store {
    /// Writes down a new password; where others end, ends every session but the kept one, and every grant, and returns the kept session as
    /// it goes on.
    pub async fn change_password(
        &self,
        new: NewPassword,
        beside: Beside,
        now: NumericDate,
    ) -> Result<Option<Arc<Session>>, Fault> {
        let fact = Fact::several(move |connection| {
            async move {
                write_password(connection, new.user, &new.phc, now).await?;
                beside.write(connection).await?;
                if !new.others_end {
                    return Ok(None);
                }
                epoch::step(connection, new.user, new.kept, now).await.map(Some)
            }
            .boxed()
        });
        self.record_and_publish(fact).await.map(|stepped| stepped.and_then(|stepped| stepped.session))
    }
}
