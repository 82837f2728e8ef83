#!/usr/bin/env bash
# The provider plans of the OpenID Foundation, as checks of our own against the server of $SYMBOLON_FACTS.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../support/python.sh
. "$here/../support/python.sh"
python=$(python_environment "$here")
export PYTHONPATH="$here/../support" PYTHONDONTWRITEBYTECODE=1
exec "$python" "$here/main.py" "$@"
