//! What the specifications say: pure functions and values, no async, no clock, no I/O.
//!
//! Each file opens with its specification; a rule of a specification is written here once and nowhere else.

pub mod authorization_request;
pub mod authorization_response;
pub mod client_assertion;
pub mod client_metadata;
pub mod error;
pub mod jose;
pub mod jwt_access_token;
pub mod numeric_date;
pub mod oidc;
pub mod pkce;
pub mod response_mode;
pub mod response_type;
pub mod scope;
pub mod secret;
