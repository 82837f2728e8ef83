//! Stories of a browser, a relying party, an admin.

mod contract;
mod readme;
