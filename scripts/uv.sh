# Sourced in the root of the project by what installs Python packages: uv in .tools, with mirrors and certificates.
# The caller sets `task`, the word that its messages begin with.
python=${PYTHON:-python3}
UNREACHABLE=75 # exit code where packages could not be downloaded: it may work another time

fail() { printf '%s: %s\n' "$task" "$1" >&2; exit "${2:-1}"; }

require_python() {
    command -v "$python" >/dev/null || fail "no $python here; install Python 3.11 or later (Debian, Ubuntu: apt-get install python3 python3-venv), or name one with PYTHON=..."
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "$("$python" --version) is too old; install Python 3.11 or later and name it with PYTHON=..."
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$python can make no virtual environments; install its venv module (Debian, Ubuntu: apt-get install python3-venv)"
}

# One word for all that is read: what is installed is kept as long as it stays the same.
digest() { "$python" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'; }

# A second caller (make test beside make demo) waits for the first instead of installing over it. This file is the lock:
# what is installed lies in the project, wherever the state does.
one_at_a_time() {
    if [[ -z ${TILLBOOK_SETUP_LOCKED:-} ]] && command -v flock >/dev/null; then
        TILLBOOK_SETUP_LOCKED=1 exec flock scripts/uv.sh bash "$1"
    fi
}

provide_uv() {
    if ! .tools/bin/uv --version 2>/dev/null | grep -q "^uv $(sed -n 's/^uv==\([0-9.]*\).*/\1/p' scripts/uv-requirements.txt)\b"; then
        echo "$task: installing uv into .tools"
        rm -rf .tools
        "$python" -m venv .tools
        .tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r scripts/uv-requirements.txt ||
            fail "could not download uv; check the network (proxy: HTTPS_PROXY, mirror: PIP_INDEX_URL) and run '$again' again" "$UNREACHABLE"
    fi

    # uv does not read pip's configuration; a mirror named for pip is meant for it too.
    if [[ -z ${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-} ]]; then
        local mirror
        mirror=$(.tools/bin/python -m pip config get global.index-url 2>/dev/null || true)
        mirror=${PIP_INDEX_URL:-$mirror}
        if [[ -n $mirror ]]; then export UV_DEFAULT_INDEX=$mirror; fi
    fi
    # Behind a company's proxy only the system knows the right certificates; a minimal image has none of its own.
    if [[ -s /etc/ssl/certs/ca-certificates.crt || $(uname) == Darwin ]]; then export UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-1}; fi
    export UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1 UV_LINK_MODE=${UV_LINK_MODE:-copy}
}
