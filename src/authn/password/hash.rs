//! Password hashes, made and checked in a bounded pool.
//!
//! RFC 9106 (Argon2id), OWASP Password Storage, NIST SP 800-63B-4 §3.1.1.2; stored as PHC strings.
//!
//! # Why a pool
//! One hash takes 19 MiB and about 13 ms of a core. Requests beyond the pool wait in line for a moment and are then
//! told to come back, so that a storm of sign-ins cannot take the memory or the cores from everything else.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Params, Version};
use password_hash::phc::PasswordHash;
use password_hash::{Error as HashError, PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::authn::password::foreign::{ForeignHash, Unusable, without_django_prefix};
use crate::edge::meter;
use crate::model::fault::Fault;
use crate::protocol::secret::Secret;

/// The longest password in bytes; nothing is cut off, longer ones are refused before they cost anything.
pub const MAX_BYTES: usize = 1024;

/// How long a request stands in line for the pool.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// What an imported hash may cost to check; above, it would be a weapon against ourselves.
const MAX_MEMORY_KIB: u32 = 256 * 1024;
const MAX_PASSES: u32 = 16;
const MAX_LANES: u32 = 16;

/// What unknown people's passwords are hashed with; nobody's hash has it.
const DUMMY_SALT: &[u8; 16] = b"symbolon nobody.";

/// What Argon2id is told to spend.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct HashCost {
    /// KiB of memory.
    pub memory: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for HashCost {
    /// 19 MiB, two passes, one lane (OWASP), which are the defaults of the argon2 crate; a test holds them.
    fn default() -> Self {
        Self { memory: Params::DEFAULT_M_COST, passes: Params::DEFAULT_T_COST, lanes: Params::DEFAULT_P_COST }
    }
}

/// What a check found.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum PasswordCheck {
    /// It is not the password, or there is nobody to compare with.
    Wrong,
    /// It is the password.
    Right,
    /// It is the password, but the hash was made with other parameters: hash it again while it is at hand.
    RightNeedsRehash,
}

impl PasswordCheck {
    /// True when it is the password.
    pub const fn is_right(self) -> bool {
        matches!(self, Self::Right | Self::RightNeedsRehash)
    }

    /// True when the stored hash should be replaced.
    pub const fn needs_rehash(self) -> bool {
        matches!(self, Self::RightNeedsRehash)
    }
}

/// Makes and checks password hashes, a bounded number at a time.
#[derive(Clone)]
pub struct PasswordHasher {
    argon2: Argon2<'static>,
    places: Arc<Semaphore>,
    longest_wait: Duration,
}

impl PasswordHasher {
    /// Hashes with the default cost, `parallel` at a time (one for each core is right).
    pub fn new(parallel: usize) -> Self {
        Self::with_params(parallel, Params::DEFAULT)
    }

    /// Hashes at another cost, `parallel` at a time.
    ///
    /// # Errors
    /// A sentence about the bounds of RFC 9106 §3.1, when `cost` is outside of them or above what we would check.
    pub fn with_cost(parallel: usize, cost: HashCost) -> Result<Self, &'static str> {
        params(cost).map(|params| Self::with_params(parallel, params))
    }

    fn with_params(parallel: usize, params: Params) -> Self {
        Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            places: Arc::new(Semaphore::new(parallel.max(1))),
            longest_wait: LONGEST_WAIT,
        }
    }

    /// Hashes `password` with a new random salt into a PHC string.
    ///
    /// # Errors
    /// Unavailable after two seconds in line; internal for a password above 1024 bytes, which callers refuse before.
    pub async fn hash(&self, password: &Secret) -> Result<String, Fault> {
        let password = normalized(password).ok_or_else(|| Fault::internal("hash a password above 1024 bytes"))?;
        self.run(move |argon2| argon2.hash_password(password.as_bytes()).map(|hash| hash.to_string())).await
    }

    /// Compares `password` with the hash `stored`; without one it works as long and answers [`PasswordCheck::Wrong`].
    ///
    /// # Errors
    /// Unavailable after two seconds in line; internal when `stored` is no hash we can check.
    pub async fn verify(&self, password: &Secret, stored: Option<&str>) -> Result<PasswordCheck, Fault> {
        // Too long tells nothing about anybody, so it need not cost anything.
        let Some(normal) = normalized(password) else { return Ok(PasswordCheck::Wrong) };
        let Some(stored) = stored.map(without_django_prefix) else {
            return self.run(move |argon2| check_nobody(argon2, &normal)).await;
        };
        if !is_argon2(stored) {
            return self.verify_foreign(password, stored).await;
        }
        let password = normal;
        let stored = PasswordHash::new(stored)
            .map_err(|error| Fault::internal("read a stored password hash").caused_by(error))?;
        let found = Params::try_from(&stored)
            .map_err(|error| Fault::internal("read the parameters of a stored password hash").caused_by(error))?;
        if is_ruinous(&found) {
            return Err(Fault::internal("check a stored password hash whose cost is above what this server spends"));
        }
        let right =
            if self.is_current(&stored, &found) { PasswordCheck::Right } else { PasswordCheck::RightNeedsRehash };
        self.run(move |argon2| match argon2.verify_password(password.as_bytes(), &stored) {
            Ok(()) => Ok(right),
            Err(HashError::PasswordInvalid) => Ok(PasswordCheck::Wrong),
            Err(error) => Err(error),
        })
        .await
    }

    async fn verify_foreign(&self, password: &Secret, stored: &str) -> Result<PasswordCheck, Fault> {
        let hash = ForeignHash::parse(stored)
            .map_err(|error| Fault::internal("read a stored password hash").caused_by(error))?;
        let password = password.clone();
        // Another system's hash is replaced by one of ours, whatever it cost to make.
        let check = move |_: &_| {
            let is_right = hash.matches(password.expose());
            Ok(if is_right { PasswordCheck::RightNeedsRehash } else { PasswordCheck::Wrong })
        };
        self.run(check).await
    }

    fn is_current(&self, stored: &PasswordHash, found: &Params) -> bool {
        let own = self.argon2.params();
        stored.algorithm.as_str() == Algorithm::Argon2id.as_str()
            && stored.version == Some(Version::V0x13.into())
            && (found.m_cost(), found.t_cost(), found.p_cost()) == (own.m_cost(), own.t_cost(), own.p_cost())
    }

    /// Runs `work` on a thread that may block, when its turn has come.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'static>) -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, Fault> {
        let turn = tokio::time::timeout(self.longest_wait, Arc::clone(&self.places).acquire_owned())
            .await
            .map_err(|_| Fault::unavailable("wait for a place among the password hashes"))?
            .map_err(|error| Fault::internal("wait for a place among the password hashes").caused_by(error))?;
        let argon2 = self.argon2.clone();
        tokio::task::spawn_blocking(move || {
            // The place is given back when the work is done, also when nobody waits for it any more.
            let _turn = turn;
            let started = Instant::now();
            let done = work(&argon2);
            meter::password_hash(started.elapsed());
            done
        })
        .await
        .map_err(|error| Fault::internal("hash a password").caused_by(error))?
        .map_err(|error| Fault::internal("hash a password").caused_by(error))
    }
}

impl fmt::Debug for PasswordHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordHasher").field("params", self.argon2.params()).finish_non_exhaustive()
    }
}

/// Whether a hash made elsewhere can be checked here, as it will be at the next sign-in.
///
/// # Errors
/// [`Unusable`] says why not.
pub fn check_importable(stored: &str) -> Result<(), Unusable> {
    let stored = without_django_prefix(stored);
    if !is_argon2(stored) {
        return ForeignHash::parse(stored).map(|_| ());
    }
    let hash = PasswordHash::new(stored).map_err(|_| Unusable::Unknown)?;
    let found = Params::try_from(&hash).map_err(|_| Unusable::Unknown)?;
    if hash.hash.is_none() || hash.salt.is_none() {
        return Err(Unusable::Unknown);
    }
    if is_ruinous(&found) { Err(Unusable::TooCostly) } else { Ok(()) }
}

fn is_argon2(stored: &str) -> bool {
    stored.starts_with("$argon2")
}

fn is_ruinous(params: &Params) -> bool {
    params.m_cost() > MAX_MEMORY_KIB || params.t_cost() > MAX_PASSES || params.p_cost() > MAX_LANES
}

fn params(cost: HashCost) -> Result<Params, &'static str> {
    if cost.memory > MAX_MEMORY_KIB || cost.passes > MAX_PASSES || cost.lanes > MAX_LANES {
        return Err("password hashes may use at most 262144 KiB of memory, 16 passes and 16 lanes");
    }
    Params::new(cost.memory, cost.passes, cost.lanes, None)
        .map_err(|_| "Argon2 needs at least one pass, one lane and 8 KiB of memory for each lane")
}

/// The same work as for a person with a hash of today.
fn check_nobody(argon2: &Argon2<'static>, password: &str) -> Result<PasswordCheck, HashError> {
    let mut hash = Zeroizing::new([0; Params::DEFAULT_OUTPUT_LEN]);
    argon2.hash_password_into(password.as_bytes(), DUMMY_SALT, hash.as_mut_slice())?;
    std::hint::black_box(hash.as_slice());
    Ok(PasswordCheck::Wrong)
}

/// NFC, so that a password typed on another system is the same (NIST SP 800-63B-4 §3.1.1.2); `None` above the bound.
fn normalized(password: &Secret) -> Option<Zeroizing<String>> {
    let password = password.expose();
    if password.len() > MAX_BYTES {
        return None;
    }
    // Room beforehand: a string that grows leaves its old bytes in memory. NFC at most triples the length in UTF-8.
    let mut normalized = Zeroizing::new(String::with_capacity(password.len() * 3));
    normalized.extend(password.nfc());
    Some(normalized)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The least that Argon2 takes, so that tests are quick.
    const CHEAP: HashCost = HashCost { memory: 8, passes: 1, lanes: 1 };

    fn cheap() -> PasswordHasher {
        PasswordHasher::with_cost(2, CHEAP).unwrap()
    }

    fn password(text: &str) -> Secret {
        Secret::from(text)
    }

    #[tokio::test]
    async fn the_default_is_argon2id_with_the_parameters_of_owasp() {
        let hasher = PasswordHasher::new(2);
        let hash = hasher.hash(&password("correct horse")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_eq!(hasher.verify(&password("correct horse"), Some(&hash)).await.unwrap(), PasswordCheck::Right);
        assert_eq!(hasher.verify(&password("correct hors"), Some(&hash)).await.unwrap(), PasswordCheck::Wrong);
    }

    #[tokio::test]
    async fn each_hash_has_its_own_salt() {
        let hasher = cheap();
        let [one, two] = [hasher.hash(&password("x")).await.unwrap(), hasher.hash(&password("x")).await.unwrap()];
        assert_ne!(one, two);
    }

    #[tokio::test]
    async fn the_whole_password_counts_and_nothing_is_changed_but_its_normal_form() {
        let hasher = cheap();
        let long = "p".repeat(MAX_BYTES);
        for (set, tried, right) in [
            ("Ångström ☂", "A\u{30a}ngstro\u{308}m ☂", true),
            ("ﬁ", "fi", false),
            ("Case", "case", false),
            ("space ", "space", false),
            ("nul\0a", "nul\0b", false),
            (&long, &long, true),
            (&long, &long[1..], false),
        ] {
            let hash = hasher.hash(&password(set)).await.unwrap();
            let check = hasher.verify(&password(tried), Some(&hash)).await.unwrap();
            assert_eq!(check.is_right(), right, "{set:.20} against {tried:.20}");
        }
    }

    #[tokio::test]
    async fn above_the_bound_nothing_is_hashed() {
        let hasher = cheap();
        let too_long = password(&"p".repeat(MAX_BYTES + 1));
        assert!(hasher.hash(&too_long).await.is_err());
        let hash = hasher.hash(&password("p")).await.unwrap();
        assert_eq!(hasher.verify(&too_long, Some(&hash)).await.unwrap(), PasswordCheck::Wrong);
        assert_eq!(hasher.verify(&too_long, None).await.unwrap(), PasswordCheck::Wrong);
    }

    #[tokio::test]
    async fn nobody_has_no_password() {
        for tried in ["", "symbolon nobody.", "x"] {
            assert_eq!(cheap().verify(&password(tried), None).await.unwrap(), PasswordCheck::Wrong);
        }
    }

    #[tokio::test]
    async fn a_hash_of_other_parameters_asks_to_be_replaced() {
        let old = cheap();
        let hash = old.hash(&password("x")).await.unwrap();
        assert_eq!(old.verify(&password("x"), Some(&hash)).await.unwrap(), PasswordCheck::Right);
        let new = PasswordHasher::with_cost(1, HashCost { passes: 2, ..CHEAP }).unwrap();
        let check = new.verify(&password("x"), Some(&hash)).await.unwrap();
        assert!(check.is_right() && check.needs_rehash());
        assert_eq!(new.verify(&password("y"), Some(&hash)).await.unwrap(), PasswordCheck::Wrong);

        // Argon2i, as other systems export it (password `password`, salt `somesalt`, from the reference implementation).
        let foreign = "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA";
        assert_eq!(new.verify(&password("password"), Some(foreign)).await.unwrap(), PasswordCheck::RightNeedsRehash);
    }

    #[tokio::test]
    async fn hashes_of_django_ask_to_be_replaced() {
        let hasher = cheap();
        for stored in [
            "pbkdf2_sha256$1000$seasoned4Testing0000xy$p+t270io7vKnat8FvqYa4bqWiO184h/FuZNdi8+hC38=",
            "argon2$argon2id$v=19$m=8,t=1,p=1$c2Vhc29uZWQ0VGVzdGluZzAwMDB4eQ$ZGBl1/spMmPsJkwu3UyG4vfoXfGyez7x9N1xi+NJ/74",
        ] {
            assert_eq!(check_importable(stored), Ok(()), "{stored}");
            let right = hasher.verify(&password("lètmein☂"), Some(stored)).await.unwrap();
            assert_eq!(hasher.verify(&password("letmein"), Some(stored)).await.unwrap(), PasswordCheck::Wrong);
            // The second has our own form and the cheap hasher's own cost.
            assert_eq!(right.needs_rehash(), stored.starts_with("pbkdf2"), "{stored}");
            assert!(right.is_right());
        }
    }

    #[test]
    fn what_cannot_be_checked_is_not_imported() {
        for (stored, expected) in [
            (
                "$argon2id$v=19$m=102400,t=2,p=8$c2Vhc29uZWQ0VGVzdGluZzAwMDB4eQ$4Eywy2SumifmduaGlimpaKmkLNNnWxkTgt5uVWiptwU",
                Ok(()),
            ),
            ("$argon2id$v=19$m=19456,t=2,p=1$c2Vhc29uZWQ0VGVzdGluZzAwMDB4eQ", Err(Unusable::Unknown)),
            ("$argon2id$", Err(Unusable::Unknown)),
            (
                "argon2$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
                Err(Unusable::TooCostly),
            ),
            ("secret", Err(Unusable::Unknown)),
        ] {
            assert_eq!(check_importable(stored), expected, "{stored}");
        }
    }

    #[tokio::test]
    async fn damaged_and_ruinous_hashes_are_faults() {
        for stored in [
            "",
            "x",
            "$argon2id$",
            "$2b$12$abcdefghijklmnopqrstuu5s5s5s5s5s5s5s5s5s5s5s5s5s5s5s5",
            "$pbkdf2-sha256$i=1000$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
            "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
            "$argon2id$v=19$m=8,t=1000000,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
        ] {
            assert!(cheap().verify(&password("password"), Some(stored)).await.is_err(), "{stored}");
        }
        for cost in [
            HashCost { memory: 7, ..CHEAP },
            HashCost { passes: 0, ..CHEAP },
            HashCost { lanes: 0, ..CHEAP },
            HashCost { memory: 262_145, ..CHEAP },
        ] {
            assert!(PasswordHasher::with_cost(1, cost).is_err(), "{cost:?}");
        }
    }

    #[tokio::test]
    async fn who_waits_too_long_is_told_to_come_back() {
        let hasher = PasswordHasher { longest_wait: Duration::ZERO, ..PasswordHasher::with_cost(1, CHEAP).unwrap() };
        let place = Arc::clone(&hasher.places).acquire_owned().await.unwrap();
        let fault = hasher.hash(&password("x")).await.unwrap_err();
        assert_eq!(fault.kind(), crate::model::fault::FaultKind::Unavailable);
        drop(place);
        assert!(hasher.hash(&password("x")).await.is_ok());
    }
}
