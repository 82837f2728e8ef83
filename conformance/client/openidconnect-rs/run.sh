#!/usr/bin/env bash
# openidconnect (Rust) against the issuer of $SYMBOLON_FACTS: an example of this package, built with its dependencies.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
exec cargo run --quiet --manifest-path "$here/../../../Cargo.toml" --example openidconnect_client
