#!/usr/bin/env bash
# Prints what the changelog says of the version that a tag names; fails if the project is not at that version.
#   scripts/notes.sh TAG
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
if [ "$1" != "v$version" ]; then
  echo "The tag is $1, but the project is at version $version." >&2
  exit 1
fi
awk -v title="## $version " 'index($0, title) == 1 { told = 1; next } /^## / { told = 0 } told' CHANGELOG.md
