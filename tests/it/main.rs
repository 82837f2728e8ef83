//! Stories of a browser, a relying party, an admin.

mod architecture;
mod authorize;
mod bad_input;
mod client_auth;
mod consent;
mod contract;
mod cors;
mod discovery;
mod kill;
mod logout;
mod race;
mod readme;
mod register;
mod session;
mod support;
mod token;
mod userinfo;
