//! Tells cargo what the program is made of beside its sources, and the linker of a release where to lay what a start runs.

use std::env;
use std::path::Path;

fn main() {
    // The macro that embeds the migrations does not notice new files.
    println!("cargo::rerun-if-changed=migrations");
    let order = Path::new("tests/bench/startup.ld");
    println!("cargo::rerun-if-changed={}", order.display());
    if understands_order() {
        let order = order.canonicalize().expect("the order of functions is part of the sources");
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{}", order.display());
    }
}

/// A list that is meant for a release, on a platform whose usual linkers (lld, that of binutils) take such a list; others do not.
fn understands_order() -> bool {
    let set = |name: &str| env::var(name).unwrap_or_default();
    let chosen = set("CARGO_ENCODED_RUSTFLAGS") + &set("RUSTC_LINKER");
    set("PROFILE") == "release"
        && set("CARGO_CFG_TARGET_OS") == "linux"
        && !["mold", "gold", "wild"].iter().any(|other| chosen.contains(other))
}
