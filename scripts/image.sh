#!/usr/bin/env bash
# Builds the connector's image with the Docker engine that is there (see with_docker.sh).
#   scripts/image.sh IMAGE
set -euo pipefail
cd "$(dirname "$0")/.."

image="$1"
stand_in=local/python-connector-base-stand-in:dev
base=$(sed -n 's/^ARG BASE_IMAGE=//p' Dockerfile)

# The builder of before BuildKit needs no plugin.
docker buildx version >/dev/null 2>&1 || export DOCKER_BUILDKIT=0

if ! docker image inspect "$base" >/dev/null 2>&1 && echo "Pulling $base ..." >&2 \
  && ! timeout 300 docker pull "$base" >&2; then
  echo "Airbyte's base image cannot be had; a stand-in takes its place: $stand_in" >&2
  docker image inspect "$stand_in" >/dev/null 2>&1 || scripts/stand_in_base.sh "$stand_in"
  base="$stand_in"
fi
echo "Building $image; the first time takes a minute or two ..." >&2
docker build --network host --build-arg BASE_IMAGE="$base" --tag "$image" . >&2
docker image inspect --format 'Built {{index .RepoTags 0}}: {{.Size}} bytes on disk' "$image"
