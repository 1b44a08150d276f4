#!/usr/bin/env bash
# Prints the base of the image: Airbyte's, or a stand-in where no registry of images can be reached.
#   scripts/base.sh
set -euo pipefail
cd "$(dirname "$0")/.."

stand_in=local/python-connector-base-stand-in:trixie
base=$(sed -n 's/^ARG BASE_IMAGE=//p' Dockerfile)
if ! docker image inspect "$base" >/dev/null 2>&1 && echo "Pulling $base ..." >&2 &&
  ! timeout 300 docker pull "$base" >&2; then
  echo "Airbyte's base image cannot be had; a stand-in takes its place: $stand_in" >&2
  docker image inspect "$stand_in" >/dev/null 2>&1 || scripts/stand_in_base.sh "$stand_in" >&2
  base="$stand_in"
fi
echo "$base"
