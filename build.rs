//! Tells cargo what the program is made of beside its sources, and the linker of a release where to lay what a start runs.

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    // The macro that embeds the migrations does not notice new files.
    println!("cargo::rerun-if-changed=migrations");
    let order = Path::new("tests/bench/startup.ld");
    println!("cargo::rerun-if-changed={}", order.display());
    if understands_order() {
        let order = order.canonicalize().expect("the order of functions is part of the sources");
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{}", order.display());
        if loader_packs() {
            // 2 MB of addresses that are read once, at the start, become 50 kB.
            println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
        }
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

/// Whether the loader of this machine, for which the program is built, knows packed addresses: glibc from 2.36 on.
fn loader_packs() -> bool {
    let set = |name: &str| env::var(name).unwrap_or_default();
    if set("HOST") != set("TARGET") || set("CARGO_CFG_TARGET_ENV") != "gnu" {
        return false;
    }
    let told = Command::new("getconf").arg("GNU_LIBC_VERSION").output().map(|output| output.stdout).unwrap_or_default();
    let told = String::from_utf8_lossy(&told).into_owned();
    let version = told.trim().strip_prefix("glibc 2.").and_then(|minor| minor.parse::<u32>().ok());
    version.is_some_and(|minor| minor >= 36)
}
