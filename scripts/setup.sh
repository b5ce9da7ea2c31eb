#!/usr/bin/env bash
# Makes .venv from requirements.txt and installs the workspace members into it. Does nothing when nothing changed.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { printf 'setup: %s\n' "$1" >&2; exit 1; }

python=${PYTHON:-python3}
command -v "$python" >/dev/null || fail "no $python here; install Python 3.11 or later (Debian, Ubuntu: apt-get install python3 python3-venv), or name one with PYTHON=..."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$("$python" --version) is too old; install Python 3.11 or later and name it with PYTHON=..."
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$python can make no virtual environments; install its venv module (Debian, Ubuntu: apt-get install python3-venv)"

members=(libs/* services/* sandbox)
wanted=$({ "$python" -VV; pwd; cat requirements.txt scripts/uv-requirements.txt scripts/setup.sh; for m in "${members[@]}"; do cat "$m/pyproject.toml"; done; } |
    "$python" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())')
[[ -f .venv/.installed && $(<.venv/.installed) == "$wanted" ]] && exit 0

# A second caller (make test beside make demo) waits for the first instead of installing over it.
if [[ -z ${TILLBOOK_SETUP_LOCKED:-} ]] && command -v flock >/dev/null; then
    mkdir -p .state
    TILLBOOK_SETUP_LOCKED=1 exec flock .state/setup.lock bash scripts/setup.sh
fi

if ! .tools/bin/uv --version 2>/dev/null | grep -q "^uv $(sed -n 's/^uv==\([0-9.]*\).*/\1/p' scripts/uv-requirements.txt)\b"; then
    echo "setup: installing uv into .tools"
    rm -rf .tools
    "$python" -m venv .tools
    .tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r scripts/uv-requirements.txt ||
        fail "could not download uv; check the network (proxy: HTTPS_PROXY, mirror: PIP_INDEX_URL) and run 'make setup' again"
fi

# uv does not read pip's configuration; a mirror named for pip is meant for it too.
if [[ -z ${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-} ]]; then
    mirror=$(.tools/bin/python -m pip config get global.index-url 2>/dev/null || true)
    mirror=${PIP_INDEX_URL:-$mirror}
    if [[ -n $mirror ]]; then export UV_DEFAULT_INDEX=$mirror; fi
fi
# Behind a company's proxy only the system knows the right certificates; a minimal image has none of its own.
if [[ -s /etc/ssl/certs/ca-certificates.crt || $(uname) == Darwin ]]; then export UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-1}; fi
export UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1 UV_LINK_MODE=${UV_LINK_MODE:-copy}

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
