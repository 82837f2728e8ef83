//! What a client may have: authorization, tokens and the keys that sign them.

pub mod keys;
