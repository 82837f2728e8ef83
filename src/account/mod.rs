//! What people do with their accounts: one transaction each, told of by mail and in the history.
//!
//! Pages and the account API are two skins of what is here.

pub mod password_change;
