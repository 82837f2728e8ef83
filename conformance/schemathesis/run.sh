#!/usr/bin/env bash
# The OpenAPI document of $SYMBOLON_FACTS's server, tried out by Schemathesis: every operation, with what fits and with what does not.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../support/python.sh
. "$here/../support/python.sh"
python=$(python_environment "$here")
export PYTHONPATH="$here/../support" PYTHONDONTWRITEBYTECODE=1
exec "$python" "$here/main.py"
