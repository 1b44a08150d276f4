#!/usr/bin/env bash
# Builds wheel and sdist twice, in two places, and fails unless the bytes are the same; installs the wheel
# in an empty environment, runs it there, and lists what it needs: SBOM and licences, in dist/.
#   scripts/dist.sh
set -euo pipefail
cd "$(dirname "$0")/.."

uv=.venv/bin/uv
python=.venv-dist/bin/python
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# build SOURCE OUT: the sdist, and the wheel from it.
build() {
  "$uv" build --quiet --no-build-isolation --python .venv/bin/python --out-dir "$2" "$1"
}

rm -f dist/*.whl dist/*.tar.gz
build . dist
mkdir "$work/elsewhere"
git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from - |
  tar --extract --directory "$work/elsewhere"
(umask 077 && build "$work/elsewhere" "$work/again")
for file in dist/*.whl dist/*.tar.gz; do
  cmp "$file" "$work/again/$(basename "$file")"
  sha256sum "$file"
done

"$uv" venv --quiet --clear --python .venv/bin/python .venv-dist
"$uv" pip sync --quiet --python "$python" --require-hashes requirements/runtime.txt
"$uv" pip install --quiet --python "$python" --no-deps --no-index dist/*.whl
"$uv" pip check --quiet --python "$python"
# Nobody compiles on the other kind of machine either.
"$uv" pip install --quiet --dry-run --python-platform aarch64-unknown-linux-gnu --python-version 3.13 \
  --only-binary :all: --target "$work/arm64" --require-hashes --requirement requirements/runtime.txt
.venv/bin/python -m pytest -q -m dist integration_tests/test_dist.py

# Licences that ask for no more than a notice, and MPL, which is about files that stay as they are. Unidecode, of
# airbyte-cdk, is under GPL-2.0-or-later: it is named, and installed from the index, not copied into the wheel.
licences=(.venv-release/bin/pip-licenses --python "$python" --from mixed --with-urls --format json)
allowed="MIT;BSD;Apache;ISC;PSF;Python Software Foundation;MPL-2.0;MPL 2.0"
"${licences[@]}" --output-file dist/licences.json
"${licences[@]}" --partial-match --allow-only "$allowed" --ignore-packages Unidecode >/dev/null
"$python" scripts/sbom.py wheel >dist/wheel.spdx.json
.venv-release/bin/pyspdxtools --infile dist/wheel.spdx.json
