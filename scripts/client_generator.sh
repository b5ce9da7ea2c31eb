#!/usr/bin/env bash
# Makes .tools/client-generator, away from .venv: what generates a client from docs/openapi.json, and what the client
# needs to run. Does nothing when nothing changed. Exit code 75: the packages could not be downloaded.
set -euo pipefail
cd "$(dirname "$0")/.."
task=client-generator again='scripts/client_generator.sh'
source scripts/uv.sh
require_python

requirements=tests/contract/client/requirements.txt
into=.tools/client-generator
wanted=$({ "$python" -VV; pwd; cat "$requirements" scripts/uv.sh scripts/client_generator.sh; } | digest)
[[ -f $into/.installed && $(<"$into/.installed") == "$wanted" ]] && exit 0

one_at_a_time scripts/client_generator.sh
provide_uv

rm -rf "$into"
"$python" -m venv --without-pip "$into"
said=$(.tools/bin/uv pip install --quiet --python "$into/bin/python" --require-hashes -r "$requirements" 2>&1) || {
    code=1
    [[ $said == *"Failed to fetch"* || $said == *"error sending request"* ]] && code=$UNREACHABLE
    # The last line is the cause; the lines before it name addresses that may hold credentials.
    fail "could not install $requirements: $(tail -n 1 <<<"$said" | sed 's/^ *cause: //')" "$code"
}
echo "$wanted" > "$into/.installed"
