//! What every edge keeps to, whichever implementation stands behind it.

mod ephemeral;
mod fetch;
mod kill;
mod measure;
mod sample;
mod store;
mod store_file;
mod store_race;
