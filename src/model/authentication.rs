//! Authentication: who proved what, and when. The source of `auth_time`, `acr` and `amr`.

use serde::{Deserialize, Serialize};

use crate::model::epoch::Epoch;
use crate::model::id::UserId;
use crate::model::identity_provider::ProviderSlug;
use crate::model::user::User;
use crate::protocol::numeric_date::NumericDate;

/// A proof of identity that was accepted.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Authentication {
    /// Who.
    pub user: UserId,
    /// When; `auth_time`.
    pub at: NumericDate,
    /// By which methods (RFC 8176).
    pub amr: Vec<Amr>,
    /// The person's epoch, read before the proof was judged; `None` in what the previous release wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Epoch>,
    /// The class in which a client wants it told, where it named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Acr>,
    /// What another server said of it, where one vouched for the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<Box<Elsewhere>>,
}

/// What another server says of a sign-in there: kept beside ours, and never taken for it (`DECISIONS.md`, acr and amr).
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Elsewhere {
    /// The name of the provider here.
    pub provider: ProviderSlug,
    /// Who says so.
    pub issuer: String,
    /// Who it is there.
    pub subject: String,
    /// The session there, where it has a name (OpenID Connect Back-Channel Logout §2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// `acr` there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// `amr` there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
}

/// Authentication method references (RFC 8176 §2).
#[derive(Copy, Clone, Debug, Eq, PartialEq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Amr {
    /// A password.
    Pwd,
    /// A one-time password.
    Otp,
    /// A link or code that reached a mailbox of the person.
    Mail,
    /// Another server vouches for the person.
    Fed,
    /// A code that reached a phone of the person.
    Sms,
    /// A key that may be on several devices of the person.
    Swk,
    /// A key that never leaves one device of the person.
    Hwk,
    /// The device recognised the person: by a finger, a face or a number.
    User,
}

impl Amr {
    /// The value in an ID token.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pwd => "pwd",
            Self::Otp | Self::Mail => "otp",
            Self::Fed => "fed",
            Self::Sms => "sms",
            Self::Swk => "swk",
            Self::Hwk => "hwk",
            Self::User => "user",
        }
    }

    /// The kind of thing that it proves.
    pub const fn factor(self) -> Factor {
        match self {
            // Whoever vouches for a person has judged a password most of the time: another one beside it makes no second kind.
            Self::Pwd | Self::Fed => Factor::Knowledge,
            Self::Otp | Self::Sms | Self::Swk | Self::Hwk => Factor::Possession,
            Self::User => Factor::Inherence,
            Self::Mail => Factor::Mailbox,
        }
    }
}

/// Kinds of things that are proven: two of the same kind are one factor.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Factor {
    /// Something the person knows.
    Knowledge,
    /// Something the person has.
    Possession,
    /// A mailbox that is read by the person. Beside a password it makes no two factors, since it opens the way to a new password (PROTOCOL
    /// A10); beside something the person has it does.
    Mailbox,
    /// What a device recognises the person by. It stands beside a key alone.
    Inherence,
}

/// What a sign-in must reach, the least first.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Ord, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Demand {
    /// One proof.
    #[default]
    OneFactor,
    /// A second proof of another kind, a code by mail among them: what a person chose for themselves.
    SecondProof,
    /// Two factors: [`Acr::TwoFactors`].
    TwoFactors,
    /// A proof that no false page gets: [`Acr::PhishingResistant`].
    PhishingResistant,
}

impl Demand {
    /// True when these proofs reach it.
    pub fn is_met_by(self, proven: &[Factor]) -> bool {
        let has = |factor| proven.contains(&factor);
        match self {
            Self::OneFactor => true,
            Self::SecondProof => proven.iter().any(|factor| Some(factor) != proven.first()),
            Self::TwoFactors => has(Factor::Possession) && proven.iter().any(|factor| *factor != Factor::Possession),
            // It stands beside a passkey alone.
            Self::PhishingResistant => has(Factor::Inherence),
        }
    }
}

impl From<Acr> for Demand {
    fn from(acr: Acr) -> Self {
        match acr {
            Acr::OneFactor => Self::OneFactor,
            Acr::TwoFactors => Self::TwoFactors,
            Acr::PhishingResistant => Self::PhishingResistant,
        }
    }
}

/// Authentication context classes, weakest first (`DECISIONS.md`).
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
pub enum Acr {
    /// One factor.
    #[serde(rename = "urn:symbolon:acr:1")]
    OneFactor,
    /// Two factors.
    #[serde(rename = "urn:symbolon:acr:2")]
    TwoFactors,
    /// A passkey, which no false page gets (OpenID Connect Extended Authentication Profile ACR Values §2). *Why not `phrh`:* that the key
    /// cannot leave its hardware is known by attestation alone, for which nobody is asked here.
    #[serde(rename = "phr")]
    PhishingResistant,
}

impl Acr {
    /// Every class that a sign-in can reach today.
    pub const REACHABLE: &'static [Self] = &[Self::OneFactor, Self::TwoFactors, Self::PhishingResistant];

    /// The value in tokens and `acr_values_supported`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OneFactor => "urn:symbolon:acr:1",
            Self::TwoFactors => "urn:symbolon:acr:2",
            Self::PhishingResistant => "phr",
        }
    }

    /// The class named `text`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::REACHABLE.iter().copied().find(|acr| acr.as_str() == text)
    }
}

impl Authentication {
    /// A proof at `now`. The epoch must have been read before the proof was judged (`Store::auth_epoch`): what a password
    /// opened while it was being changed is then dead.
    pub const fn new((user, epoch): (UserId, Epoch), now: NumericDate, amr: Vec<Amr>) -> Self {
        Self { user, at: now, amr, epoch: Some(epoch), told: None, elsewhere: None }
    }

    /// The same with what another server said of it.
    #[must_use]
    pub fn said_elsewhere(self, elsewhere: Elsewhere) -> Self {
        Self { elsewhere: Some(Box::new(elsewhere)), ..self }
    }

    /// True when nothing has ended everything of this person since. One of an epoch later than that of `user` stands too:
    /// what another node changed a moment ago may not have been heard yet.
    pub fn stands(&self, user: &User) -> bool {
        self.user == user.id
            && match self.epoch {
                Some(epoch) => epoch >= user.auth_epoch,
                None => self.at >= user.auth_epoch.since,
            }
    }

    /// The class that it is told in: the one that was asked for, else how many factors there are. *Why not the strongest:* apps compare
    /// the value with the one they know, and a passkey is two factors, too.
    pub fn acr(&self) -> Acr {
        let counted = if self.meets(Demand::TwoFactors) { Acr::TwoFactors } else { Acr::OneFactor };
        self.told.filter(|told| self.meets(Demand::from(*told))).unwrap_or(counted)
    }

    /// Told in the first of `wanted` that it reaches, from now on.
    #[must_use]
    pub fn told_in(self, wanted: impl IntoIterator<Item = Acr>) -> Self {
        let told = wanted.into_iter().find(|acr| self.meets(Demand::from(*acr)));
        Self { told, ..self }
    }

    /// The kinds of what was proven, each once.
    pub fn factors(&self) -> Vec<Factor> {
        let mut factors = Vec::new();
        for factor in self.amr.iter().map(|amr| amr.factor()) {
            if !factors.contains(&factor) {
                factors.push(factor);
            }
        }
        factors
    }

    /// True when it reaches what is demanded.
    pub fn meets(&self, demand: Demand) -> bool {
        demand.is_met_by(&self.factors())
    }

    /// With what was proven after it; it stays as old as the first proof. `None` when the other is of somebody else.
    #[must_use]
    pub fn with(mut self, proof: Self) -> Option<Self> {
        if proof.user != self.user {
            return None;
        }
        self.elsewhere = self.elsewhere.or(proof.elsewhere);
        self.amr.extend(proof.amr.into_iter().filter(|amr| !self.amr.contains(amr)).collect::<Vec<_>>());
        Some(self)
    }

    /// `amr` as in tokens, each value once; `mfa` where two factors came together (RFC 8176 §2).
    pub fn amr_values(&self) -> Vec<String> {
        let mut values: Vec<String> = Vec::new();
        for amr in &self.amr {
            if !values.iter().any(|value| value == amr.as_str()) {
                values.push(amr.as_str().to_owned());
            }
        }
        let kinds = self.factors().into_iter().filter(|factor| *factor != Factor::Inherence).count();
        if self.meets(Demand::TwoFactors) && kinds > 1 {
            values.push("mfa".to_owned());
        }
        values
    }

    /// True when the sign-in is at most `max_age` seconds old; `None` asks for nothing, zero for a new sign-in, also
    /// within the same second.
    pub fn is_within(&self, max_age: Option<u64>, now: NumericDate) -> bool {
        max_age.is_none_or(|seconds| seconds > 0 && now.since(self.at).as_secs() <= seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::user::{AccountState, Role};
    use crate::protocol::oidc::claims::Profile;

    const NOW: NumericDate = NumericDate::from_seconds(1_000);

    fn user(auth_epoch: Epoch) -> User {
        User {
            id: UserId::new([1; 16]),
            profile: Profile::default(),
            identifiers: Vec::new(),
            role: Role::Member,
            auth_epoch,
            created_at: NOW,
            updated_at: NOW,
            state: AccountState::Active,
            attributes: serde_json::Map::new(),
            last_sign_in_at: None,
        }
    }

    #[test]
    fn what_was_proven_before_the_epoch_is_dead_also_within_its_second() {
        let epoch = |count| Epoch { count, since: NOW };
        let of = |count| Authentication::new((UserId::new([1; 16]), epoch(count)), NOW, vec![Amr::Pwd]);
        for (proven, stands) in [(1, false), (2, true), (3, true)] {
            assert_eq!(of(proven).stands(&user(epoch(2))), stands, "{proven}");
        }
        let of_another = Authentication { user: UserId::new([2; 16]), ..of(2) };
        assert!(!of_another.stands(&user(epoch(2))));
    }

    /// DECISIONS.md (acr, amr), PROTOCOL A10
    #[test]
    fn two_factors_are_of_two_kinds_and_mail_beside_a_password_is_none() {
        for (amr, second_proof, acr, values) in [
            (vec![Amr::Pwd], false, Acr::OneFactor, vec!["pwd"]),
            (vec![Amr::Mail], false, Acr::OneFactor, vec!["otp"]),
            (vec![Amr::Pwd, Amr::Mail], true, Acr::OneFactor, vec!["pwd", "otp"]),
            (vec![Amr::Mail, Amr::Pwd], true, Acr::OneFactor, vec!["otp", "pwd"]),
            (vec![Amr::Pwd, Amr::Otp], true, Acr::TwoFactors, vec!["pwd", "otp", "mfa"]),
            (vec![Amr::Mail, Amr::Otp], true, Acr::TwoFactors, vec!["otp", "mfa"]),
            (vec![Amr::Fed], false, Acr::OneFactor, vec!["fed"]),
            (vec![Amr::Fed, Amr::Pwd], false, Acr::OneFactor, vec!["fed", "pwd"]),
            (vec![Amr::Fed, Amr::Mail], true, Acr::OneFactor, vec!["fed", "otp"]),
            (vec![Amr::Fed, Amr::Otp], true, Acr::TwoFactors, vec!["fed", "otp", "mfa"]),
            (vec![Amr::Otp, Amr::Sms], false, Acr::OneFactor, vec!["otp", "sms"]),
            (vec![Amr::Hwk, Amr::User], true, Acr::TwoFactors, vec!["hwk", "user"]),
            (vec![Amr::Pwd, Amr::Swk, Amr::User], true, Acr::TwoFactors, vec!["pwd", "swk", "user", "mfa"]),
            (vec![Amr::Pwd, Amr::Sms], true, Acr::TwoFactors, vec!["pwd", "sms", "mfa"]),
        ] {
            let proven = Authentication::new((UserId::new([1; 16]), Epoch::FIRST), NOW, amr.clone());
            assert_eq!(proven.meets(Demand::SecondProof), second_proof, "{amr:?}");
            assert_eq!((proven.acr(), proven.amr_values()), (acr, values.into_iter().map(str::to_owned).collect()));
        }
    }

    /// DECISIONS.md (acr): what was asked for is told, where it is true.
    #[test]
    fn a_class_is_told_that_was_asked_for_and_reached() {
        use Acr::{OneFactor, PhishingResistant, TwoFactors};
        for (amr, wanted, told) in [
            (vec![Amr::Swk, Amr::User], vec![], TwoFactors),
            (vec![Amr::Swk, Amr::User], vec![PhishingResistant], PhishingResistant),
            (vec![Amr::Swk, Amr::User], vec![OneFactor, PhishingResistant], OneFactor),
            (vec![Amr::Pwd, Amr::Otp], vec![PhishingResistant, TwoFactors], TwoFactors),
            (vec![Amr::Pwd, Amr::Otp], vec![PhishingResistant], TwoFactors),
            (vec![Amr::Pwd], vec![PhishingResistant, TwoFactors], OneFactor),
        ] {
            let proven = Authentication::new((UserId::new([1; 16]), Epoch::FIRST), NOW, amr.clone());
            assert_eq!(proven.told_in(wanted.clone()).acr(), told, "{amr:?} {wanted:?}");
        }
    }

    #[test]
    fn what_the_previous_release_wrote_is_judged_by_its_moment() {
        let at = |seconds| {
            let at = NumericDate::from_seconds(seconds);
            Authentication { epoch: None, ..Authentication::new((UserId::new([1; 16]), Epoch::FIRST), at, Vec::new()) }
        };
        let user = user(Epoch { count: 7, since: NOW });
        assert!(!at(999).stands(&user) && at(1_000).stands(&user));
        let read: Authentication =
            serde_json::from_str(&format!(r#"{{"user":"{}","at":1000,"amr":["pwd"]}}"#, user.id)).unwrap();
        assert_eq!((read.epoch, read.elsewhere), (None, None));
    }
}
