//! Stories of a browser, a relying party, an admin.

mod architecture;
mod authorize;
mod contract;
mod support;
mod token;
