#!/usr/bin/env bash
# Makes a local stand-in for Airbyte's base image from Debian's packages: the same minor version of
# Python, a user `airbyte` with the same uid, and the certificates that this machine trusts.
#   scripts/stand_in_base.sh IMAGE
set -euo pipefail

image="$1"
# Airbyte's base has Python 3.13, as this release of Debian.
suite=trixie
certificates=/etc/ssl/certs/ca-certificates.crt

if ! command -v mmdebstrap >/dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mmdebstrap \
    >/dev/null 2>&1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mmdebstrap --quiet --variant=minbase --include=python3,python3-venv,ca-certificates \
  --customize-hook='chroot "$1" useradd --uid 1000 --create-home airbyte' \
  --customize-hook='mkdir -p "$1/airbyte" && chroot "$1" chown airbyte:airbyte /airbyte' \
  --customize-hook="copy-in $certificates /etc/ssl/certs" \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  "$suite" "$work/root.tar"
docker import --change "ENV SSL_CERT_FILE=$certificates" --change "ENV PIP_CERT=$certificates" \
  --change "ENV REQUESTS_CA_BUNDLE=$certificates" --change "USER airbyte" \
  --change "WORKDIR /airbyte" "$work/root.tar" "$image" >/dev/null
