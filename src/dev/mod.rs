//! What `symbolon dev` adds to the server: a demo relying party, a mailbox, seeds, and the facts it prints.
//!
//! The demo is a client like any other: it knows the public endpoints and nothing else, and listens on an origin of its own.
//! The mailbox stands in for SMTP and SMS. Seeds are the people and clients a fresh data folder begins with; `facts` is what
//! a person or a test harness must know of all that. To add a person or a client: one entry in `seed/person.rs` or
//! `seed/client.rs`, and its name in `seed::WANTED`.

pub mod credentials;
pub mod data_folder;
pub mod demo;
pub mod facts;
pub mod host;
pub mod mailbox;
pub mod picture;
pub mod seed;
