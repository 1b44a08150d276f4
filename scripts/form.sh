#!/usr/bin/env bash
# Draws the form that the spec makes, as a person sees it: react-jsonschema-form in headless
# Chromium. Needs npm and Chromium.
#   scripts/form.sh PYTHON PICTURE.png
set -euo pipefail
cd "$(dirname "$0")/.."

python="$1"
picture="$2"
build=build/form
width=760
tallest=6000

chromium=$(scripts/have_chromium.sh)
mkdir -p "$build"
cp scripts/form/* "$build"
(cd "$build" && npm install --silent --no-package-lock --no-audit --no-fund)
"$build/node_modules/.bin/esbuild" "$build/form.jsx" --bundle --minify --jsx=automatic \
  --define:process.env.NODE_ENV='"production"' --log-level=warning --outfile="$build/form.js"
"$python" -c 'import json
from source_mixpanel.config.spec import connection_specification
print(f"window.spec = {json.dumps(connection_specification())};")' >"$build/spec.js"

draw() {
  "$chromium" --headless --no-sandbox --disable-gpu --hide-scrollbars --virtual-time-budget=3000 \
    --user-data-dir="$PWD/$build/profile" "$@" "file://$PWD/$build/page.html" 2>/dev/null
}

# The page tells how tall it is, so that the picture ends where the form ends.
sed 's|^<script src="form.js"></script>|&<script>setTimeout(() => document.title = document.getElementById("form").offsetHeight + 48, 500)</script>|' \
  scripts/form/page.html >"$build/page.html"
height=$(draw --window-size=$width,$tallest --dump-dom | sed -n 's|.*<title>\([0-9]*\)</title>.*|\1|p')
draw --window-size="$width,${height:-$tallest}" --screenshot="$PWD/$picture"
