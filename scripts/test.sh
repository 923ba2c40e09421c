#!/usr/bin/env bash
# Runs the whole test suite in .venv, which it makes if it is missing. Arguments are passed to
# pytest; -n 0 runs the tests in one process.
set -euo pipefail
source "$(dirname "$0")/environment.sh"
install "[test]"
exec .venv/bin/python -m pytest -n 2 --dist worksteal "$@"
