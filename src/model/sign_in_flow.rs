//! A sign-in under way: `Named → Proven`, until policy is content.
//!
//! OAuth 2.0 for First-Party Applications §5.3 (`auth_session`), `ACCOUNT_API.md` §3.1: the handle is opaque, of 256 bits, sent in bodies
//! only, and good for the client and the browser that began.

use serde::{Deserialize, Serialize};

use crate::model::authentication::{Authentication, Demand};
use crate::model::epoch::Epoch;
use crate::model::id::ClientId;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::pkce::CodeChallenge;
use crate::protocol::scope::Scope;
use crate::protocol::secret::TokenHash;

/// A sign-in that collects proofs. It lives in the ephemeral store under the hash of its handle.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct SignInFlow {
    /// The layout of this value; another layout counts as expired.
    pub version: u8,
    /// Who began it.
    pub begun_by: BegunBy,
    /// What it leads to.
    pub purpose: Purpose,
    /// How far it is.
    pub progress: Progress,
    /// What is asked for.
    pub asked: Vec<Asked>,
    /// What it must reach, beside what the house and the person want.
    pub demand: Demand,
    /// Where it leads without a request: a path of this server, or the page of the app that the person was invited to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The end.
    pub expires_at: NumericDate,
}

/// One thing that is asked for.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// Its name in this sign-in.
    pub id: String,
    /// The method that judges the answer.
    pub method: String,
    /// What tells it from others of its kind: a masked address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Asked {
    /// The only one of its method.
    pub fn only(method: &str) -> Self {
        Self { id: method.to_owned(), method: method.to_owned(), hint: None }
    }
}

/// Who began a sign-in, and alone may go on with it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct BegunBy {
    /// The app; `None` for a page of our own.
    pub client: Option<ClientId>,
    /// Hash of the browser's flow cookie; `None` for an app without cookies.
    pub browser: Option<TokenHash>,
}

/// What a sign-in leads to.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "delivery", rename_all = "snake_case")]
pub enum Purpose {
    /// A session in the browser.
    Session,
    /// An authorization code for a first-party app.
    Code(Wanted),
    /// Tokens for a first-party app, at once.
    Tokens(Wanted),
    /// Tokens for a first-party app, in cookies of the browser.
    Cookies(Wanted),
    /// More proof in a session that stands, which stays as old as it is.
    Raise,
}

impl Purpose {
    /// True when the browser gets something by cookie, which no other site may have it get.
    pub const fn sets_cookies(&self) -> bool {
        matches!(self, Self::Session | Self::Cookies(_))
    }
}

/// What a first-party app wants.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Wanted {
    /// What the tokens shall allow.
    pub scope: Scope,
    /// PKCE.
    pub code_challenge: Option<CodeChallenge>,
    /// For the ID token.
    pub nonce: Option<String>,
}

/// How far a sign-in is.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Progress {
    /// A name was given, and nothing proven.
    Named {
        /// As it was typed.
        identifier: String,
    },
    /// A person is proven, by less than policy wants.
    Proven(Authentication),
}

/// Two proofs are of different people.
#[derive(Copy, Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the proofs of one sign-in are of different people")]
pub struct AnotherPerson;

impl SignInFlow {
    /// The layout written today.
    pub const VERSION: u8 = 2;

    /// True when `caller` may go on with it.
    pub fn is_of(&self, caller: &BegunBy) -> bool {
        let same_browser = match (&self.begun_by.browser, &caller.browser) {
            (None, _) => true,
            (Some(began), Some(comes)) => began.matches(comes),
            (Some(_), None) => false,
        };
        self.version == Self::VERSION && self.begun_by.client == caller.client && same_browser
    }

    /// With one more proof.
    ///
    /// # Errors
    /// [`AnotherPerson`] when it is of somebody else than those before.
    pub fn proven(self, proof: Authentication) -> Result<Self, AnotherPerson> {
        let whole = match &self.progress {
            Progress::Named { .. } => proof,
            Progress::Proven(before) => before.clone().with(proof).ok_or(AnotherPerson)?,
        };
        Ok(Self { progress: Progress::Proven(whole), asked: Vec::new(), ..self })
    }

    /// With what was proven in the epoch before `next`, which began with a factor that was taken up here: it goes on. What is older is dead
    /// and stays so.
    #[must_use]
    pub fn carried_into(self, next: Option<Epoch>) -> Self {
        let progress = match self.progress {
            Progress::Proven(before)
                if before
                    .epoch
                    .zip(next)
                    .is_some_and(|(before, next)| before.count.checked_add(1) == Some(next.count)) =>
            {
                Progress::Proven(Authentication { epoch: next, ..before })
            }
            other => other,
        };
        Self { progress, ..self }
    }

    /// Waiting for one of these answers.
    #[must_use]
    pub fn asking(self, asked: Vec<Asked>) -> Self {
        Self { asked, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::authentication::Amr;
    use crate::model::id::UserId;

    fn flow(browser: Option<&str>) -> SignInFlow {
        SignInFlow {
            version: SignInFlow::VERSION,
            begun_by: BegunBy { client: None, browser: browser.map(TokenHash::of) },
            purpose: Purpose::Session,
            progress: Progress::Named { identifier: "alice".to_owned() },
            asked: vec![Asked::only("password")],
            demand: Demand::OneFactor,
            path: None,
            expires_at: NumericDate::from_seconds(300),
        }
    }

    fn proof(user: u8, amr: Amr) -> Authentication {
        let at = NumericDate::from_seconds(i64::from(user));
        Authentication::new((UserId::new([user; 16]), Epoch::FIRST), at, vec![amr])
    }

    #[test]
    fn only_who_began_goes_on() {
        let caller = |client: Option<&str>, browser: Option<&str>| BegunBy {
            client: client.map(|client| client.parse().unwrap()),
            browser: browser.map(TokenHash::of),
        };
        assert!(flow(Some("a")).is_of(&caller(None, Some("a"))));
        assert!(!flow(Some("a")).is_of(&caller(None, Some("b"))));
        assert!(!flow(Some("a")).is_of(&caller(None, None)));
        assert!(!flow(Some("a")).is_of(&caller(Some("app"), Some("a"))));
        assert!(flow(None).is_of(&caller(None, None)));
        let later = SignInFlow { version: SignInFlow::VERSION + 1, ..flow(None) };
        assert!(!later.is_of(&caller(None, None)));
    }

    #[test]
    fn what_was_proven_in_the_epoch_before_goes_on() {
        let epoch = |count| Epoch { count, since: NumericDate::from_seconds(300) };
        let one = flow(None).proven(proof(1, Amr::Pwd)).unwrap();
        for (next, expected) in [(Some(epoch(1)), epoch(1)), (Some(epoch(2)), Epoch::FIRST), (None, Epoch::FIRST)] {
            let Progress::Proven(whole) = one.clone().carried_into(next).progress else { panic!("proven") };
            assert_eq!(whole.epoch, Some(expected), "{next:?}");
        }
    }

    #[test]
    fn proofs_of_one_person_add_up() {
        let one = flow(None).proven(proof(1, Amr::Pwd)).unwrap();
        assert!(one.asked.is_empty());
        let two = one.clone().proven(proof(1, Amr::Otp)).unwrap();
        let Progress::Proven(whole) = two.progress else { panic!("proven") };
        assert_eq!(whole.amr, [Amr::Pwd, Amr::Otp]);
        assert_eq!(one.proven(proof(2, Amr::Otp)), Err(AnotherPerson));
    }
}
