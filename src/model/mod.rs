//! What we remember, and how it may change: plain values, each transition a method that consumes the old state.

pub mod authentication;
pub mod authenticator;
pub mod authorization_code;
pub mod client;
pub mod directory;
pub mod epoch;
pub mod event;
pub mod export;
pub mod fault;
pub mod grant;
pub mod group;
pub mod id;
pub mod identifier;
pub mod interaction;
pub mod job;
pub mod mailed_link;
pub mod message;
pub mod own_claim;
pub mod role;
pub mod session;
pub mod sign_in_flow;
pub mod signing_key;
pub mod token;
pub mod user;
pub mod user_agent;
