#!/usr/bin/env bash
# Chromium at the demo app and at every page of the issuer of $SYMBOLON_FACTS; screenshots go to $SYMBOLON_SCREENSHOTS.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../support/node.sh
. "$here/../support/node.sh"
node_at_least_20
place=$(node_workspace "$here")
SYMBOLON_SCREENSHOTS=${SYMBOLON_SCREENSHOTS:-$(mktemp -d)}
export SYMBOLON_SCREENSHOTS
exec node "$place/main.mjs"
