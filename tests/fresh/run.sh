#!/usr/bin/env bash
# A Debian 12 with nothing but this repository's last commit: does README's beginning work there, and ./dev test?
#
#   tests/fresh/run.sh [--keep] [SUITE...]    as root; without suites all of them, --keep leaves the root where it is
#
# The root has its own processes and mounts: when this script ends, however, nothing runs there and nothing is mounted.
# The network is the machine's: packages come from where its own do, and the ports of ./dev up have to be free.
# Prints `fine: FACT` or `FAILED: FACT` a line; exit 1 if one failed.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
# shellcheck source=tests/debian/root.sh
. "$HERE/../debian/root.sh"
REPOSITORY=/walletwire # where it is in the root

KEEP=false
while [ $# -gt 0 ]; do
  case "$1" in
    --keep) KEEP=true ;;
    -*) echo "run.sh: unknown option '$1'" >&2 && exit 2 ;;
    *) break ;;
  esac
  shift
done

FRESH=$ROOT/build/fresh
cleanup() {
  if $KEEP; then
    echo "kept: $FRESH"
  else
    rm -rf --one-file-system "$FRESH"
  fi
}
trap cleanup EXIT
# unshare ignores TERM while it waits for its child.
trap '[ -z "$ENTERED" ] || kill -KILL "$ENTERED"; exit 130' INT TERM HUP
ENTERED=

# What programs are told of this machine's network; a variable that is not set here is not set there.
network_env() {
  local name

  for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
    [ -z "${!name:-}" ] || printf '%s\n' "$name=${!name}"
  done
  printf '%s\n' "NODE_EXTRA_CA_CERTS=$CA_BUNDLE"
  ! command -v npm >/dev/null || printf '%s\n' "npm_config_registry=$(npm config get registry)"
}

# In a mount namespace of its own: what a machine has and a folder has not.
in_root() {
  # Programs are children of the script that is first in there: with it they end.
  unshare --mount --pid --ipc --uts --fork --kill-child --propagation private bash -c '
    set -euo pipefail
    root=$1
    shift
    mount -t proc proc "$root/proc"
    mount --rbind -o ro /sys "$root/sys"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$root/dev/pts"
    mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
    exec chroot "$root" "$@"' _ "$FRESH/root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb \
    "${NETWORK_ENV[@]}" "$@" </dev/null &
  ENTERED=$!
  wait "$ENTERED"
}

rm -rf --one-file-system "$FRESH" # of a run that was cut off
mkdir -p "$FRESH"
log=$FRESH/debootstrap.log
if ! debian_root "$FRESH/root" >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "FAILED: a Debian root is made"
  exit 1
fi
git clone -q --no-hardlinks "$ROOT" "$FRESH/root$REPOSITORY"
echo "fine: a Debian root has the repository at $(git -C "$ROOT" rev-parse --short HEAD)"
mapfile -t NETWORK_ENV < <(network_env)
in_root bash "$REPOSITORY/tests/fresh/inside.sh" "$@"
