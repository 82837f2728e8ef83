//! Stories of those who mean harm: a malicious site, a client that registered itself, a thief of tokens, a stranger with time.
//!
//! PROTOCOL.md §2.7. One file for each attacker; a test is named for what they must not reach.

mod client;
mod site;
pub(crate) mod stranger;
mod thief;
