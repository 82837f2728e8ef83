//! What a user does for themselves.
//!
//! Pages and the API are two skins of the functions here. To add something: a file here, its fact in `edge/store/`, its route in
//! `http/api/` and its page.

pub mod step_up;
