#!/usr/bin/env bash
# Runs a command with a Docker engine: the one that is there, else a private one, which root may
# start and which ends with the last command that uses it. Its images stay for the next time.
#   scripts/with_docker.sh COMMAND [ARGUMENT...]
set -euo pipefail

home="${SOURCE_MIXPANEL_ENGINE:-${XDG_CACHE_HOME:-$HOME/.cache}/source-mixpanel/engine}"
no_engine=75

engine_answers() {
  docker info >/dev/null 2>&1
}

fail() {
  echo "No Docker engine: $1" >&2
  exit "$no_engine"
}

install_engine() {
  echo "Installing a Docker engine (docker.io) ..." >&2
  apt-get update -qq >&2 || fail "the package lists cannot be read."
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker.io \
    iptables >/dev/null 2>&1 || fail "docker.io cannot be installed."
}

start_engine() {
  # File descriptor 8 is the lock on starting, 9 the sign of being in use: neither is dockerd's.
  dockerd --data-root "$home/data" --exec-root "$home/exec" --pidfile "$home/pid" \
    --host "$DOCKER_HOST" >"$home/log" 2>&1 8>&- 9>&- &
  for _ in $(seq 150); do
    engine_answers && return
    sleep 0.2
  done
  tail -n 5 "$home/log" >&2
  fail "the private one in $home did not start."
}

end_engine() {
  flock 8
  exec 9>&-
  exec 9>"$home/in-use"
  if flock --exclusive --nonblock 9 && [ -s "$home/pid" ]; then
    pid=$(cat "$home/pid")
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 100); do
      [ -e "/proc/$pid" ] || break
      sleep 0.1
    done
    umount "$home/exec/netns/default" 2>/dev/null || true
  fi
}

if command -v docker >/dev/null && engine_answers; then
  exec "$@"
fi
[ "$(uname -s)" = Linux ] || fail "start one and try again."
[ "$(id -u)" = 0 ] || fail "none is running, and only root can start a private one."
command -v dockerd >/dev/null && command -v docker >/dev/null || install_engine
mkdir -p "$home"
chmod 700 "$home"
export DOCKER_HOST="unix://$home/socket"
exec 8>"$home/starting" 9>"$home/in-use"
flock 8
flock --shared 9
trap end_engine EXIT
engine_answers || start_engine
flock --unlock 8
"$@" 8>&- 9>&-
