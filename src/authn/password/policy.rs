//! The rules for new passwords, asked a bounded number at a time.
//!
//! *Why a pool:* the estimate takes milliseconds of a core; a storm of checks must not take the cores from everything else. Registration,
//! reset, change, import and the live check all ask here (S-027, S-029).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::authn::password::breached::{BreachedList, Lookup, WhenUnreadable};
use crate::authn::password::strength::{Known, Rules, Weakness, weaknesses};
use crate::model::fault::Fault;
use crate::protocol::secret::Secret;

/// How long a request stands in line.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// What judges new passwords. Clones share it.
#[derive(Clone, Debug)]
pub struct PasswordPolicy {
    rules: Arc<Rules>,
    breached: Option<(Arc<BreachedList>, WhenUnreadable)>,
    places: Arc<Semaphore>,
}

impl PasswordPolicy {
    /// Judges by `rules`, `parallel` at a time.
    pub fn new(rules: Rules, parallel: usize) -> Self {
        Self { rules: Arc::new(rules), breached: None, places: Arc::new(Semaphore::new(parallel.max(1))) }
    }

    /// Also looks passwords up in a list of stolen ones.
    #[must_use]
    pub fn with_breached(mut self, list: BreachedList, when_unreadable: WhenUnreadable) -> Self {
        self.breached = Some((Arc::new(list), when_unreadable));
        self
    }

    /// The rules, for people who choose a password.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// True when stolen passwords are refused.
    pub const fn looks_up_breaches(&self) -> bool {
        self.breached.is_some()
    }

    /// Every rule that `password` breaks for the person who is `known`; none when it may be used.
    ///
    /// # Errors
    /// Unavailable after two seconds in line.
    pub async fn weaknesses(&self, password: &Secret, known: Known) -> Result<Vec<Weakness>, Fault> {
        let turn = tokio::time::timeout(LONGEST_WAIT, Arc::clone(&self.places).acquire_owned())
            .await
            .map_err(|_| Fault::unavailable("wait for a place among the password checks"))?
            .map_err(|error| Fault::internal("wait for a place among the password checks").caused_by(error))?;
        let (password, rules, breached) = (password.clone(), Arc::clone(&self.rules), self.breached.clone());
        tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let mut found = weaknesses(password.expose(), &known, &rules);
            if let Some((list, when_unreadable)) = breached {
                found.extend(stolen(&list, &password, when_unreadable));
            }
            found
        })
        .await
        .map_err(|error| Fault::internal("check a new password").caused_by(error))
    }
}

fn stolen(list: &BreachedList, password: &Secret, when_unreadable: WhenUnreadable) -> Option<Weakness> {
    match (list.look_up(password), when_unreadable) {
        (Lookup::Listed, _) => Some(Weakness::Breached),
        (Lookup::Unreadable, WhenUnreadable::Closed) => Some(Weakness::Unchecked),
        (Lookup::NotListed, _) | (Lookup::Unreadable, WhenUnreadable::Open) => None,
    }
}
