//! Stories of a browser, a relying party, an admin.

mod architecture;
mod authorize;
mod client_auth;
mod contract;
mod logout;
mod session;
mod support;
mod token;
