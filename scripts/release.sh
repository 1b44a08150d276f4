#!/usr/bin/env bash
# Makes a version: writes its number wherever it stands, moves the fragments of changes/ into the changelog,
# commits, and tags. Pushing the tag releases it (.github/workflows/release.yml).
#   scripts/release.sh VERSION
set -euo pipefail
cd "$(dirname "$0")/.."

version="$1"
today=$(date --utc +%F)
before=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
if [ -n "$(git status --porcelain)" ]; then
  echo "There are changes that are not committed: commit them, or put them aside." >&2
  exit 1
fi
sed -i "s/^version = \"$before\"/version = \"$version\"/" pyproject.toml
sed -i "s/io.airbyte.version=\"$before\"/io.airbyte.version=\"$version\"/" Dockerfile
sed -i "s/dockerImageTag: $before/dockerImageTag: $version/" metadata.yaml
sed -i "s/tag: $before/tag: $version/; s/^| $before | 2/| $version | $today | | See the changelog |\n&/" \
  docs/integration.md
.venv-release/bin/towncrier build --yes --version "$version" --date "$today"
.venv/bin/python -m pytest -q integration_tests/test_registry.py -k "version or guide"
git add --all
git commit --quiet --message "Release $version"
git tag --annotate "v$version" --message "Version $version"
echo "Look at it (git show v$version), then: git push --follow-tags"
