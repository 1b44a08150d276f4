#!/usr/bin/env bash
# Changes the code in small ways, and fails on each change that no test notices and docs/testing.md does not name.
#   scripts/mutants.sh [PATTERN ...]
set -euo pipefail
cd "$(dirname "$0")/.."

rm -rf mutants
.venv/bin/mutmut run "$@"
survivors=$(.venv/bin/mutmut results | sed -En 's/^ *(.+): (survived|no tests|suspicious|segfault)$/\1/p')
unnamed=0
for name in $survivors; do
  grep -qF "\`$name\`" docs/testing.md || { .venv/bin/mutmut show "$name" && unnamed=1; }
done
exit $unnamed
