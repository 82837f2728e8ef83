//! Making tokens and recognising them again.

pub mod access_token;
pub mod claims;
pub mod id_token_hint;
pub mod issue;
pub mod logout_token;
pub mod mapped;
pub mod own_claims;
pub mod preview;
