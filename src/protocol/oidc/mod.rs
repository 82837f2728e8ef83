//! OpenID Connect Core 1.0 and its companions.

pub mod backchannel_logout;
pub mod claims;
pub mod claims_request;
pub mod frontchannel_logout;
pub mod id_token;
pub mod prompt;
pub mod rp_logout;
pub mod subject;
