//! One file for each endpoint: what is answered, without a word of HTTP.

pub mod authorize;
pub mod device_authorization;
pub mod discovery;
pub mod introspect;
pub mod logout;
pub mod register;
pub mod revoke;
pub mod token;
pub mod userinfo;
