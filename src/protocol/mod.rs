//! What the specifications say: pure functions and values, no async, no clock, no I/O.
//!
//! Each file opens with its specification; a rule of a specification is written here once and nowhere else.
//!
//! | specification | file |
//! |---|---|
//! | RFC 6749 §3.1, §3.2, appendix B | [`params`] |
//! | RFC 6749 §3.1.1, Multiple Response Types | [`response_type`], [`response_mode`] |
//! | RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §4.1 | [`redirect_uri`] |
//! | RFC 6749 §3.3 | [`scope`] |
//! | RFC 6749 §4.1.1, OIDC Core §3.1.2.1 | [`authorization_request`], [`oidc::prompt`], [`oidc::claims_request`] |
//! | RFC 6749 §4.1.2, RFC 9207, Form Post | [`authorization_response`] |
//! | RFC 6749 §4.1.3, §4.4.2, §6; §5.1 | [`token_request`], [`token_response`] |
//! | RFC 6749 §4.1.2.1, §5.2 and later codes | [`error`] |
//! | RFC 5280 §4.1.2.5 | [`certificate`] |
//! | RFC 6750 | [`bearer`] |
//! | RFC 7009, RFC 7662 | [`revocation`], [`introspection`] |
//! | RFC 7515 to RFC 7519 | [`jose`] |
//! | RFC 7591, OIDC Registration | [`client_metadata`], [`client_registration`] |
//! | RFC 7592 | [`registration_management`] |
//! | RFC 7636 | [`pkce`] |
//! | RFC 8414, OIDC Discovery | [`metadata`] |
//! | RFC 8628 | [`device`] |
//! | RFC 8693 | [`token_exchange`] |
//! | RFC 8707 | [`resource`] |
//! | RFC 9068 | [`jwt_access_token`] |
//! | RFC 9470 | [`step_up`] |
//! | OIDC Core §2 | [`oidc::id_token`] |
//! | OIDC Core §5 | [`oidc::claims`] |
//! | OIDC Core §8 | [`oidc::subject`] |
//! | RP-Initiated Logout | [`oidc::rp_logout`] |
//! | Back-Channel Logout | [`oidc::backchannel_logout`] |
//!
//! To add a specification: a file that opens with it, a row here.

pub mod authorization_request;
pub mod authorization_response;
pub mod bearer;
pub mod certificate;
pub mod client_assertion;
pub mod client_metadata;
pub mod client_registration;
pub mod device;
pub mod error;
pub mod introspection;
pub mod jose;
pub mod jwt_access_token;
pub mod metadata;
pub mod numeric_date;
pub mod oidc;
pub mod params;
pub mod pkce;
pub mod redirect_uri;
pub mod registration_management;
pub mod resource;
pub mod response_mode;
pub mod response_type;
pub mod revocation;
pub mod scope;
pub mod secret;
pub mod step_up;
pub mod token_exchange;
pub mod token_request;
pub mod token_response;
