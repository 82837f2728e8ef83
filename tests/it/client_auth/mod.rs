//! How apps prove who they are, and what is no proof.

mod assertion;
mod secret;
