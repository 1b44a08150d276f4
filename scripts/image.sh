#!/usr/bin/env bash
# Builds the connector's image with the Docker engine that is there (see with_docker.sh).
#   scripts/image.sh IMAGE
set -euo pipefail
cd "$(dirname "$0")/.."

image="$1"

# The builder of before BuildKit needs no plugin.
docker buildx version >/dev/null 2>&1 || export DOCKER_BUILDKIT=0

base=$(scripts/base.sh)
echo "Building $image; the first time takes a minute or two ..." >&2
docker build --network host --build-arg BASE_IMAGE="$base" --tag "$image" . >&2
docker image inspect --format \
  'Built {{index .RepoTags 0}} for {{.Architecture}}: {{.Size}} bytes on disk' "$image"
mkdir -p dist
docker run --rm --interactive --entrypoint python "$image" - image <scripts/sbom.py >dist/image.spdx.json
.venv-release/bin/pyspdxtools --infile dist/image.spdx.json
