#!/usr/bin/env bash
# A program within an image, as compose would start it, but on this machine's network: as root,
#
#   container.sh ROOT UID:GID [--mount FROM:TO[:ro]]... [--tmpfs TO:OPTIONS]... -- KEY=VALUE... COMMAND...
#
# The root is read-only, and /run a folder in memory in which mounts have a place. The program has this script's pid, no
# capability and no way to gain one; mounts are gone with it, and it is gone with who started it.
set -euo pipefail

if [ "${WW_CONTAINER:-}" != entered ]; then
  WW_CONTAINER=entered exec unshare --mount --propagation private bash "${BASH_SOURCE[0]}" "$@"
fi

root=$1 user=$2
shift 2

# A mount's place has to be there before the root is read-only: engines make it too.
place() {
  if [ -d "$1" ]; then
    mkdir -p "$2"
  else
    mkdir -p "$(dirname "$2")"
    [ -e "$2" ] || : >"$2"
  fi
}

# A mount of its own, so that it can be read-only without the image's being so.
mount --bind "$root" "$root"
mount -t tmpfs -o mode=0755 tmpfs "$root/run"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
while [ "$1" != -- ]; do
  IFS=: read -r from to how <<<"$2"
  case "$1" in
    --mount)
      place "$from" "$root$to"
      mount --bind "$from" "$root$to"
      [ "$how" != ro ] || mount -o remount,bind,ro "$root$to"
      ;;
    --tmpfs)
      mkdir -p "$root$from"
      mount -t tmpfs -o "$to" tmpfs "$root$from"
      ;;
  esac
  shift 2
done
shift
mount -o remount,bind,ro "$root"
exec chroot "$root" setpriv --reuid="${user%:*}" --regid="${user#*:}" --clear-groups --no-new-privs --bounding-set=-all \
  --inh-caps=-all --pdeathsig=KILL env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
