//! Why a mail or text message did not go out.

use std::fmt;

/// A message that could not be handed over. The reason holds no code, link or secret: it is logged and stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Undelivered {
    /// What happened, for an operator.
    pub reason: String,
    /// Whether it would help to try again.
    pub outlook: Outlook,
}

/// Whether it would help to try again.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Outlook {
    /// The other side is away, overloaded or set up wrongly: later it may work.
    Passing,
    /// The message itself was refused: there is no such address.
    Lasting,
}

impl Undelivered {
    /// Trying again may help.
    pub fn passing(reason: impl Into<String>) -> Self {
        Self { reason: short(reason.into()), outlook: Outlook::Passing }
    }

    /// Trying again will not help.
    pub fn lasting(reason: impl Into<String>) -> Self {
        Self { reason: short(reason.into()), outlook: Outlook::Lasting }
    }

    /// What was said before and what is said now, together.
    #[must_use]
    pub fn all(before: Option<Self>, now: Self) -> Self {
        match before {
            None => now,
            Some(before) => before.and(&now),
        }
    }

    /// What two ways together have to say: hopeless only if both are.
    fn and(self, other: &Self) -> Self {
        let both_last = self.outlook == Outlook::Lasting && other.outlook == Outlook::Lasting;
        let outlook = if both_last { Outlook::Lasting } else { Outlook::Passing };
        Self { reason: short(format!("{}; {}", self.reason, other.reason)), outlook }
    }

    /// The same, with the name of the way it went.
    #[must_use]
    pub fn by(self, way: &str) -> Self {
        Self { reason: short(format!("{way}: {}", self.reason)), ..self }
    }
}

impl fmt::Display for Undelivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Undelivered {}

/// One line of at most 500 characters: other servers may have much to say.
fn short(reason: String) -> String {
    let clean = |character: char| if character.is_control() { ' ' } else { character };
    if reason.len() <= 500 && !reason.contains(char::is_control) {
        return reason;
    }
    reason.chars().take(500).map(clean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_hopeless_only_when_every_way_is() {
        let (away, refused) = (Undelivered::passing("away"), Undelivered::lasting("no such address"));
        assert_eq!(refused.clone().and(&refused).outlook, Outlook::Lasting);
        assert_eq!(away.clone().and(&refused).outlook, Outlook::Passing);
        assert_eq!(refused.and(&away.by("smtp")), Undelivered::passing("no such address; smtp: away"));
    }

    #[test]
    fn a_reason_is_one_short_line() {
        let long = Undelivered::passing(format!("550\r\n{}", "é".repeat(1_000)));
        assert!(long.reason.chars().count() <= 500 && !long.reason.contains('\n'), "{long}");
    }
}
