//! What the specifications say: pure functions and values, no async, no clock, no I/O.
//!
//! Each file opens with its specification; a rule of a specification is written here once and nowhere else.

pub mod authorization_request;
pub mod authorization_response;
pub mod bearer;
pub mod client_assertion;
pub mod client_metadata;
pub mod client_registration;
pub mod error;
pub mod introspection;
pub mod jose;
pub mod metadata;
pub mod jwt_access_token;
pub mod numeric_date;
pub mod oidc;
pub mod params;
pub mod pkce;
pub mod redirect_uri;
pub mod registration_management;
pub mod response_mode;
pub mod response_type;
pub mod revocation;
pub mod scope;
pub mod secret;
pub mod token_request;
pub mod token_response;
