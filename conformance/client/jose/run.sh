#!/usr/bin/env bash
# A resource server that verifies access tokens with jose (Node.js) by the JWKS of $SYMBOLON_FACTS's issuer alone.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../../support/node.sh
. "$here/../../support/node.sh"
node_at_least_20
place=$(node_workspace "$here")
exec node "$place/main.mjs"
