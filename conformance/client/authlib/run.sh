#!/usr/bin/env bash
# Authlib (Python): a Flask app as web client, and its OAuth2Session, against the issuer of $SYMBOLON_FACTS.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../../support/python.sh
. "$here/../../support/python.sh"
python=$(python_environment "$here")
# Authlib speaks to http issuers only when told so; the development server is on the loopback interface.
export AUTHLIB_INSECURE_TRANSPORT=1 PYTHONPATH="$here/../../support" PYTHONDONTWRITEBYTECODE=1
exec "$python" "$here/main.py"
