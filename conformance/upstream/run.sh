#!/usr/bin/env bash
# Symbolon as a relying party: people sign in there through oidc-provider (Node.js) and through a second Symbolon, and in Chromium through
# stand-ins of Google and Apple.
# $SYMBOLON_PROGRAM is the built program; it starts servers of its own on loopback.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../support/node.sh
. "$here/../support/node.sh"
node_at_least_20
place=$(node_workspace "$here")
mkdir -p "$place/../cluster"
cp "$here/../cluster/servers.mjs" "$place/../cluster/"
mkdir -p "$place/../browser"
cp "$here/../browser/visitor.mjs" "$place/../browser/"
node "$place/main.mjs"
exec node "$place/browser.mjs"
