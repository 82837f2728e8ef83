//! The last line of a plain `cargo test`: what it did not run, and what does.

fn main() {
    // Whoever names tests wants those only; cargo hands the names to each test program. `tests/all` says itself what it ran.
    if std::env::args().len() == 1 && std::env::var_os("SYMBOLON_TEST_CACHE").is_none() {
        println!(
            "\nLeft out here, since they need programs from outside: real client libraries (conformance/client/), the \
             browser (conformance/browser/), OpenID's plans (conformance/oidf/), providers elsewhere (conformance/upstream/), \
             schemathesis and a cluster (conformance/cluster/); and the longer faults.\n`tests/all` installs what they need and runs everything.\n"
        );
    }
}
