//! What people do with their accounts: one transaction each, told of by mail and in the history.
//!
//! Pages and the account API are two skins of what is here. To add something: a file here, its fact in `edge/store/`, its route in
//! `http/api/` and its page.

pub mod new_device;
pub mod password_change;
pub mod step_up;
