//! What one request used and for whom it acted, for its line in the log: noted where it is known, read where the request ends.
//!
//! EXPERIENCE.md §2. Outside of a request, notes go nowhere.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use crate::model::id::{ClientId, UserId};

tokio::task_local! {
    static TALLY: Tally;
}

/// The notes of one request.
#[derive(Debug, Default)]
pub struct Tally {
    database: Cell<Duration>,
    user: Cell<Option<UserId>>,
    client: RefCell<Option<ClientId>>,
}

impl Tally {
    /// How long it waited for the database.
    pub fn database(&self) -> Duration {
        self.database.get()
    }

    /// The person it acted for.
    pub fn user(&self) -> Option<UserId> {
        self.user.get()
    }

    /// The client it acted for.
    pub fn client(&self) -> Option<ClientId> {
        self.client.borrow().clone()
    }
}

/// Does `work` and returns what was noted meanwhile, by the same task.
pub async fn of<F: Future>(work: F) -> (F::Output, Tally) {
    let noted = async {
        let done = work.await;
        (
            done,
            TALLY.with(|tally| Tally {
                database: tally.database.clone(),
                user: tally.user.clone(),
                client: tally.client.take().into(),
            }),
        )
    };
    TALLY.scope(Tally::default(), noted).await
}

/// The request waited so long for the database.
pub fn waited(time: Duration) {
    // Nobody takes notes outside of a request.
    let _ = TALLY.try_with(|tally| tally.database.set(tally.database.get() + time));
}

/// The request acts for this person.
pub fn user(id: UserId) {
    let _ = TALLY.try_with(|tally| tally.user.set(Some(id)));
}

/// The request acts for this client.
pub fn client(id: &ClientId) {
    let _ = TALLY.try_with(|tally| *tally.client.borrow_mut() = Some(id.clone()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn notes_belong_to_their_own_request() {
        let person = UserId::new([1; 16]);
        let shop: ClientId = "shop".parse().unwrap();
        let ((), tally) = of(async {
            waited(Duration::from_millis(2));
            tokio::task::yield_now().await;
            waited(Duration::from_millis(3));
            user(person);
            client(&shop);
        })
        .await;
        assert_eq!((tally.database().as_millis(), tally.user(), tally.client()), (5, Some(person), Some(shop)));
        user(person);
        let ((), empty) = of(async {}).await;
        assert_eq!((empty.user(), empty.client()), (None, None));
    }
}
