//! Symbolon: an OAuth 2.0 / OpenID Connect authorization server in one binary.
//!
//! The folders stand in the order of their ranks; a file imports its own folder and those above it in this list.

pub mod protocol;

pub mod model;

pub mod edge;

pub mod authn;

pub mod oauth;

pub mod http;

pub mod dev;
pub mod config;
