#!/usr/bin/env bash
# Changes a copy of the code in small ways, and fails on each change that no test notices and docs/testing.md
# does not name.
#   scripts/mutants.sh [PATTERN ...]
set -euo pipefail
cd "$(dirname "$0")/.."

mutmut=$PWD/.venv/bin/mutmut
# A mutant may go on for ever, and take more and more memory.
ulimit -v 4000000
rm -rf build/mutation && mkdir -p build/mutation
git ls-files -z | xargs -0 cp --parents -t build/mutation
cd build/mutation
"$mutmut" run "$@"
survivors=$("$mutmut" results | sed -En 's/^ *(.+): (survived|no tests|suspicious|segfault)$/\1/p')
unnamed=0
for name in $survivors; do
  grep -qF "\`$name\`" docs/testing.md || { "$mutmut" show "$name" && unnamed=1; }
done
exit $unnamed
