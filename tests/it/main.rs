//! Stories of a browser, a relying party, an admin.
//!
//! One folder or file for each capability; `support/` holds the people. Many stories fail by a panic on purpose.

#![expect(clippy::indexing_slicing, reason = "a story that reads what is not there has failed")]

mod acceptance;
mod architecture;
mod attack;
mod authorize;
mod backend;
mod bad_input;
mod cli;
mod client_auth;
mod consent;
mod contract;
mod cors;
mod deploy;
mod discovery;
mod error_docs;
mod fault;
mod kill;
mod logout;
mod outbox;
mod race;
mod readme;
mod register;
mod session;
mod support;
mod token;
mod userinfo;
