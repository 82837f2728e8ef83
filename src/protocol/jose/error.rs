//! Why a token, key or key set is refused.
//!
//! RFC 7515 §5.2, RFC 7517 §5, RFC 7519 §7.2, RFC 8725 §3.

use crate::protocol::jose::algorithm::JwsAlgorithm;

/// A refusal, in words fit for an `error_description`: it repeats nothing of the token but names.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum JoseError {
    /// More bytes than we read.
    #[error("the token is longer than {0} bytes")]
    TooLong(usize),
    /// Not the shape of a JWS in compact serialization.
    #[error("the token is not a signed JWT: {0}")]
    Malformed(&'static str),
    /// JSON that is not one plain object.
    #[error("the {part} is not acceptable JSON: {reason}")]
    Json {
        /// `header`, `claims` or `key set`.
        part: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// `alg` is `none`, missing or none of ours.
    #[error("the alg of the token is missing or not supported")]
    UnsupportedAlgorithm,
    /// A header member that would let the token choose its key or its meaning.
    #[error("the header member {0} is not accepted")]
    RefusedHeaderMember(&'static str),
    /// `alg` differs from what the key is for.
    #[error("the token is signed with {found}, the key is for {expected}")]
    WrongAlgorithm {
        /// What the key is for.
        expected: JwsAlgorithm,
        /// What the header says.
        found: JwsAlgorithm,
    },
    /// The token is of another kind.
    #[error("the typ of the token is not {0}")]
    WrongType(&'static str),
    /// The signature does not fit.
    #[error("the signature of the token is not valid")]
    BadSignature,
    /// A claim is missing, of the wrong type or has the wrong value.
    #[error("{0}")]
    Claims(String),
    /// A key cannot be used.
    #[error("the key cannot be used: {0}")]
    Key(&'static str),
}
