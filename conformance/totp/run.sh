#!/usr/bin/env bash
# Codes of the time, made by oathtool of a secret that zbarimg reads from the picture, at the issuer of $SYMBOLON_FACTS.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
PYTHONPATH=$here/../support exec python3 "$here/main.py"
