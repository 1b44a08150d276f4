#!/usr/bin/env bash
# Prints the path of Chromium; root gets it by apt where there is none.
set -euo pipefail
find() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
find && exit 0
if [ "$(id -u)" != 0 ]; then
  echo "Chromium is not installed: install it (Debian: apt-get install chromium), or run this as root." >&2
  exit 1
fi
apt-get update -qq >&2
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
find
