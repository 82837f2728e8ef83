# shellcheck shell=bash
# Sourced by run.sh files: a Node.js that these clients run on, and their packages as the lock file names them.

# Copies the folder $1 into the test cache and installs its packages there, so that a checkout stays clean;
# prints the place. `../../support` resolves from there as it does in the checkout.
node_workspace() {
  local folder cache=${SYMBOLON_TEST_CACHE:-/var/tmp/symbolon-test}
  folder=$(cd "$1" && pwd)
  local conformance place
  conformance=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
  place=$cache/node/${folder#"$conformance"/}
  mkdir -p "$place"
  cp -r "$folder"/. "$place"/
  mkdir -p "$cache/node/support" && cp -r "$conformance/support"/. "$cache/node/support"/
  if ! cmp -s "$place/package-lock.json" "$place/node_modules/.installed"; then
    npm ci --prefix "$place" --no-audit --no-fund --loglevel=error >&2
    cp "$place/package-lock.json" "$place/node_modules/.installed"
  fi
  printf '%s\n' "$place"
}

# openid-client and jose need the Web Cryptography globals of Node.js 20; Debian 12 has 18. Then npm brings one by name.
node_at_least_20() {
  local cache=${SYMBOLON_TEST_CACHE:-/var/tmp/symbolon-test}
  if ! node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' 2>/dev/null; then
    [ -x "$cache/node22/node_modules/.bin/node" ] || npm install --prefix "$cache/node22" --no-audit --no-fund --loglevel=error node@22 >&2
    PATH=$cache/node22/node_modules/.bin:$PATH
    export PATH
  fi
}
