//! From bytes to typed values: what every endpoint reads before it begins.
//!
//! One parser of forms (`params`), one of forms with a file (`multipart`), one of JSON (`json`), one of credentials (`authorization`); each knows its limits and answers
//! in OAuth's words. To add one: a file with a function from headers or body to a type, and [`Unreadable`] for what it refuses.

pub mod authorization;
pub(in crate::http) mod body;
pub mod json;
pub mod multipart;
pub mod params;
pub mod visitor;

pub use self::body::Unreadable;
