#!/usr/bin/env bash
# Sees to it that PostgreSQL's programs are there; root gets them by apt.
set -euo pipefail
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null && exit 0
if [ "$(id -u)" != 0 ]; then
  echo "PostgreSQL is not installed: install it (Debian: apt-get install postgresql), or run this as root." >&2
  exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null
