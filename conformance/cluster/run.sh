#!/usr/bin/env bash
# Two nodes on one PostgreSQL and one Redis behind nginx, while each of them is killed, restarted or replaced.
# $SYMBOLON_PROGRAM is the built program, $SYMBOLON_PREVIOUS, if it is set, that of an earlier release; postgresql, redis-server and nginx come from Debian.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../support/node.sh
. "$here/../support/node.sh"
node_at_least_20
clients=$(node_workspace "$here/../client/openid-client")
place=${clients%/client/openid-client}/cluster
mkdir -p "$place"
cp "$here"/*.mjs "$place"/
ln -sfn "$clients/node_modules" "$place/node_modules"
exec node "$place/main.mjs"
