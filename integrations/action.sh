#!/usr/bin/env bash
# The composite action's one step: a nanlint of its own, findings beside the lines of the pull request.
set -euo pipefail

home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home"/venv/bin/python -m pip install --quiet --disable-pip-version-check "${NANLINT_VERSION:-nanlint}"
read -r -a paths <<<"${NANLINT_PATHS:-.}"
read -r -a arguments <<<"${NANLINT_ARGUMENTS:-}"
"$home"/venv/bin/nanlint check --output-format "${NANLINT_FORMAT:-github}" ${arguments[@]+"${arguments[@]}"} "${paths[@]}"
