# shellcheck shell=bash
# Sourced by run.sh files: a virtual environment in the test cache with the packages the folder's lock file names.

# Prints the path of a Python that has what `requirements.txt` of the folder $1 pins by hash.
python_environment() {
  local folder=$1 cache=${SYMBOLON_TEST_CACHE:-/var/tmp/symbolon-test}
  local place=$cache/python/${folder##*/}
  if ! cmp -s "$folder/requirements.txt" "$place/.installed"; then
    rm -rf "$place"
    python3 -m venv "$place"
    "$place/bin/pip" install --quiet --disable-pip-version-check --require-hashes --requirement "$folder/requirements.txt" >&2
    cp "$folder/requirements.txt" "$place/.installed"
  fi
  printf '%s\n' "$place/bin/python"
}
