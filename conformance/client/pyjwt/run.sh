#!/usr/bin/env bash
# A resource server that verifies access tokens with PyJWT by the JWKS of $SYMBOLON_FACTS's issuer alone.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../../support/python.sh
. "$here/../../support/python.sh"
python=$(python_environment "$here")
export PYTHONPATH="$here/../../support" PYTHONDONTWRITEBYTECODE=1
exec "$python" "$here/main.py"
