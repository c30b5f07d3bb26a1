#!/usr/bin/env bash
# The images of the Dockerfile, built without a container engine and without a registry: as root,
#
#   tests/images/build.sh DIR             everything below DIR; a line per image at the end: TARGET ROOT MEGABYTES, where
#                                         ROOT is the image's, mounted. BASE comes first.
#   tests/images/build.sh --remove DIR    nothing is left of it
#
# The base is a Debian 12 by debootstrap, named as the one that the Dockerfile asks for. It is told this machine's
# sources, certificates and registry of packages; images that are shipped are built from Debian's own.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
# shellcheck source=tests/debian/root.sh
. "$HERE/../debian/root.sh"
TARGETS=(walletwire nats bank)
BASE=docker.io/library/debian:bookworm-slim
# What a program that is started in a build may hold: more would be refused where that is this machine's own limit.
LIMITS=(--ulimit nproc=32768:32768 --ulimit nofile=20000:20000)

die() {
  echo "build.sh: $*" >&2
  exit 2
}

in_storage() {
  TMPDIR=$DIR/tmp buildah --root "$DIR/storage" --runroot "$DIR/run" --storage-driver overlay "$@"
}

remove() {
  [ ! -d "$DIR/storage" ] || in_storage umount --all >/dev/null || true
  [ ! -d "$DIR/storage" ] || umount "$DIR/storage/overlay" 2>/dev/null || true
  rm -rf --one-file-system "$DIR"
}

base() {
  local container

  debian_root "$DIR/base" >"$DIR/log/debootstrap.log" 2>&1 || {
    tail -n 20 "$DIR/log/debootstrap.log" >&2
    return 1
  }
  rm -rf "$DIR"/base/var/cache/apt/archives/*.deb "$DIR"/base/var/lib/apt/lists/*
  debian_npm_settings >"$DIR/base/root/.npmrc"
  container=$(in_storage from scratch)
  in_storage add -q "$container" "$DIR/base" / >/dev/null
  in_storage commit -q "$container" "$BASE" >/dev/null
  in_storage rm "$container" >/dev/null
}

# Stages that targets share are built once: --layers.
target() {
  local log=$DIR/log/build-$1.log

  in_storage bud --isolation chroot --pull-never --layers "${LIMITS[@]}" --target "$1" --tag "walletwire-$1" "$ROOT" \
    >"$log" 2>&1 </dev/null || {
    tail -n 40 "$log" >&2
    return 1
  }
}

show() {
  local container root

  container=$(in_storage from --pull-never "$2")
  root=$(in_storage mount "$container")
  [ "$1" = BASE ] || in_storage inspect --type image "$2" >"$DIR/$1.json"
  printf '%s %s %s\n' "$1" "$root" "$(du -sxm "$root" | cut -f 1)"
}

case "$#:${1:-}" in
  1:-*) die "which folder?" ;;
  1:*) DIR=$1 ;;
  2:--remove)
    DIR=$2
    remove
    exit
    ;;
  *) die "usage: build.sh [--remove] DIR" ;;
esac
remove
mkdir -p "$DIR/log" "$DIR/tmp"
base
for name in "${TARGETS[@]}"; do
  target "$name"
done
show BASE "$BASE"
for name in "${TARGETS[@]}"; do
  show "$name" "walletwire-$name"
done
