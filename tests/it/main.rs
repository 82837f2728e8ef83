//! Stories of a browser, a relying party, an admin.

mod architecture;
mod contract;
mod support;
mod token;
