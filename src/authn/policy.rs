//! When proofs are enough.
//!
//! NIST SP 800-63B-4 §2.2, DECISIONS.md (`acr`): two proofs of the same kind are one factor.

use crate::authn::Factor;
use crate::model::authentication::{Acr, Authentication};

/// What a sign-in must reach.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct SignInPolicy {
    /// At least this class.
    pub least: Acr,
}

impl Default for SignInPolicy {
    fn default() -> Self {
        Self { least: Acr::OneFactor }
    }
}

/// Whether proofs are enough.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// They are.
    Content,
    /// One of these methods more; none when the person has nothing to prove it with.
    More(Vec<&'static str>),
}

/// Judges what is proven; `methods` are those that the person could answer, by name and factor.
pub fn judge(policy: SignInPolicy, proven: &Authentication, methods: &[(&'static str, Factor)]) -> Verdict {
    if proven.acr() >= policy.least {
        return Verdict::Content;
    }
    let has = |factor: Factor| proven.amr.iter().any(|amr| Factor::of(*amr) == factor);
    Verdict::More(methods.iter().filter(|(_, factor)| !has(*factor)).map(|(name, _)| *name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::authentication::Amr;
    use crate::model::epoch::Epoch;
    use crate::model::id::UserId;
    use crate::protocol::numeric_date::NumericDate;

    #[test]
    fn a_second_factor_is_of_another_kind() {
        let methods = [("password", Factor::Knowledge), ("totp", Factor::Possession), ("mail", Factor::Mailbox)];
        for (least, amr, verdict) in [
            (Acr::OneFactor, vec![Amr::Pwd], Verdict::Content),
            (Acr::OneFactor, vec![Amr::Mail], Verdict::Content),
            (Acr::TwoFactors, vec![Amr::Pwd], Verdict::More(vec!["totp", "mail"])),
            (Acr::TwoFactors, vec![Amr::Otp], Verdict::More(vec!["password", "mail"])),
            (Acr::TwoFactors, vec![Amr::Pwd, Amr::Otp], Verdict::Content),
        ] {
            let proven =
                Authentication::new((UserId::new([1; 16]), Epoch::FIRST), NumericDate::from_seconds(0), amr.clone());
            assert_eq!(judge(SignInPolicy { least }, &proven, &methods), verdict, "{amr:?}");
        }
    }
}
