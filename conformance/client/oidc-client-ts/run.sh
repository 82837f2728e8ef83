#!/usr/bin/env bash
# oidc-client-ts as a single-page app in Chromium, against the issuer of $SYMBOLON_FACTS.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../../support/node.sh
. "$here/../../support/node.sh"
node_at_least_20
place=$(node_workspace "$here")
exec node "$place/main.mjs"
