//! What we ask of the world: store, cache, clock, chance, other servers, templates.
//!
//! A trait stands where two implementations exist; the rest are structs. Only `app.rs` knows which edges are real.

pub mod clock;
pub mod random;
pub mod vault;
