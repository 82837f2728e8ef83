//! When proofs are enough.
//!
//! NIST SP 800-63B-4 §2.2, DECISIONS.md (`acr`): two proofs of the same kind are one factor.

use crate::model::authentication::{Demand, Factor};

/// What a sign-in must reach.
#[derive(Copy, Clone, Debug, Default)]
pub struct SignInPolicy {
    /// At least this.
    pub least: Demand,
}

/// Whether a proof of the kinds `next`, after those that stand, reaches one of `demands` that they do not reach.
pub fn helps(demands: &[Demand], proven: &[Factor], next: &[Factor]) -> bool {
    if next.iter().all(|factor| proven.contains(factor)) {
        return false;
    }
    let with: Vec<Factor> = proven.iter().chain(next).copied().collect();
    demands.iter().any(|demand| !demand.is_met_by(proven) && demand.is_met_by(&with))
}

/// Whether a proof of the kinds `next`, after those that stand, reaches every one of `demands`.
pub fn reaches(demands: &[Demand], proven: &[Factor], next: &[Factor]) -> bool {
    let with: Vec<Factor> = proven.iter().chain(next).copied().collect();
    demands.iter().all(|demand| demand.is_met_by(&with))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_brings_the_sign_in_nearer() {
        use Factor::{Knowledge, Mailbox, Possession};
        for (demands, proven, next, expected) in [
            (vec![Demand::OneFactor], vec![Knowledge], Possession, false),
            (vec![Demand::SecondProof], vec![Knowledge], Possession, true),
            (vec![Demand::SecondProof], vec![Knowledge], Mailbox, true),
            (vec![Demand::SecondProof], vec![Mailbox], Mailbox, false),
            (vec![Demand::SecondProof], vec![Knowledge, Possession], Mailbox, false),
            (vec![Demand::TwoFactors], vec![Knowledge], Mailbox, false),
            (vec![Demand::TwoFactors], vec![Mailbox], Knowledge, false),
            (vec![Demand::TwoFactors], vec![Mailbox], Possession, true),
            (vec![Demand::TwoFactors, Demand::SecondProof], vec![Knowledge], Mailbox, true),
        ] {
            assert_eq!(helps(&demands, &proven, &[next]), expected, "{demands:?} {proven:?} {next:?}");
        }
        let (passkey, wanted) = ([Possession, Factor::Inherence], [Demand::PhishingResistant]);
        assert!(helps(&wanted, &[Knowledge, Possession], &passkey) && !helps(&wanted, &[Knowledge], &[Possession]));
        assert!(reaches(&wanted, &[Knowledge], &passkey) && !reaches(&wanted, &[Knowledge], &[Possession]));
    }
}
