#!/usr/bin/env bash
# Runs pytest in a container of the image's base, on the Python that it ships.
#   scripts/test_on_base.sh [PYTEST ARGUMENT...]
set -euo pipefail
cd "$(dirname "$0")/.."

base=$(scripts/base.sh)
mounts=(--volume "$PWD:$PWD")
shared="$(dirname "$PWD")/shared"
[ -d "$shared" ] && mounts+=(--volume "$shared:$shared:ro")
docker run --rm --init --network host --user root "${mounts[@]}" --workdir "$PWD" \
  --env CI --env PYTHONDONTWRITEBYTECODE=1 --entrypoint bash "$base" -euc '
    .venv/bin/uv venv --quiet --clear --python "$(command -v python3)" .venv-base
    .venv/bin/uv pip sync --quiet --python .venv-base/bin/python requirements/dev.txt
    .venv/bin/uv pip install --quiet --python .venv-base/bin/python --no-deps --no-build-isolation \
      --editable .
    .venv-base/bin/python --version
    .venv-base/bin/python -m pytest -q "$@"' bash "$@"
