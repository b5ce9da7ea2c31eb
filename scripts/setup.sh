#!/usr/bin/env bash
# Makes .venv from requirements.txt and installs the workspace members into it. Does nothing when nothing changed.
set -euo pipefail
cd "$(dirname "$0")/.."
task=setup again='make setup'
source scripts/uv.sh
require_python

members=(libs/* services/* sandbox)
wanted=$({ "$python" -VV; pwd; cat requirements.txt scripts/uv-requirements.txt scripts/uv.sh scripts/setup.sh; for m in "${members[@]}"; do cat "$m/pyproject.toml"; done; } | digest)
[[ -f .venv/.installed && $(<.venv/.installed) == "$wanted" ]] && exit 0

one_at_a_time scripts/setup.sh
provide_uv

echo "setup: installing the Python packages into .venv (one to two minutes the first time)"
# Made anew only for another Python or place: others may be running from it while packages are added.
made_for="$("$python" -VV) $PWD"
if [[ ! -x .venv/bin/python || ! -f .venv/.made-for || $(<.venv/.made-for) != "$made_for" ]]; then
    rm -rf .venv
    "$python" -m venv --without-pip .venv
    echo "$made_for" > .venv/.made-for
fi
.tools/bin/uv pip install --quiet --python .venv/bin/python --require-hashes -r requirements.txt ||
    fail "could not install requirements.txt; check the network (proxy: HTTPS_PROXY, mirror: UV_DEFAULT_INDEX) and run 'make setup' again"
editable=()
for m in "${members[@]}"; do editable+=(-e "$m"); done
.tools/bin/uv pip install --quiet --python .venv/bin/python --no-deps "${editable[@]}" ||
    fail "could not install the workspace members (${members[*]})"
echo "$wanted" > .venv/.installed
echo "setup: done"
