//! The program as an operator runs it: in a folder of its own, beside a server or without one.

mod administration;
mod api;
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failure in a helper fails its test")]
mod check;
mod client;
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failure in a helper fails its test")]
mod copy;
mod doctor;
mod front_door;
mod group;
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failure in a helper fails its test")]
mod key;
mod log;
mod login;
mod message;
mod node;
#[expect(clippy::unwrap_used, reason = "a failure in a helper fails its test")]
mod numbers;
mod provider;
mod published;
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failure in a helper fails its test")]
mod recover;
#[expect(clippy::unwrap_used, reason = "a failure in a helper fails its test")]
mod reload;
mod rule;
#[expect(clippy::unwrap_used, reason = "a failure in a helper fails its test")]
mod secret;
mod service;
mod settings;
mod setup;
pub(crate) mod station;
#[expect(clippy::unwrap_used, reason = "a failure in a helper fails its test")]
mod tls;
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failure in a helper fails its test")]
mod token;
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failure in a helper fails its test")]
mod user;
