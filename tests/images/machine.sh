#!/usr/bin/env bash
# This machine once more, started by systemd: as root,
#
#   machine.sh DIR COMMAND...    runs COMMAND there when systemd is up, and ends with its exit code
#
# It has the same files (what is written goes below DIR), processes, mounts and control groups of its own, and a network
# that reaches nobody. Nothing of it is left when this script ends.
set -euo pipefail

DIR=$1
shift
CGROUP=/sys/fs/cgroup
[ -e "$CGROUP/cgroup.procs" ] || CGROUP=$CGROUP/unified # where the first version has the other controllers
OURS=$CGROUP/walletwire-$$
UP_S=120

# What systemd finds when it is started: sourced by the script that becomes it.
ENTER='
  set -euo pipefail
  dir=$1 root=$1/root
  mkdir -p "$root" "$dir/upper" "$dir/work"
  mount -t overlay -o "lowerdir=/,upperdir=$dir/upper,workdir=$dir/work" overlay "$root"
  mount -t proc proc "$root/proc"
  # Its settings are those of the kernel, which is shared.
  mount --bind "$root/proc/sys" "$root/proc/sys"
  mount -o remount,bind,ro "$root/proc/sys"
  mount -t sysfs -o ro sysfs "$root/sys"
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
  for folder in run tmp; do mount -t tmpfs tmpfs "$root/$folder"; done
  chmod 1777 "$root/tmp"
  mount -t tmpfs -o mode=755 tmpfs "$root/dev"
  for device in null zero full random urandom tty; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
  done
  mkdir "$root/dev/pts" "$root/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$root/dev/pts"
  mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
  ln -s pts/ptmx "$root/dev/ptmx"
  ln -s /proc/self/fd "$root/dev/fd"
  ip link set lo up
  # No chroot: within one the kernel gives nobody a user namespace.
  cd "$root"
  pivot_root . mnt
  umount -l /mnt
  # As engines of containers do: credentials are mounted where only others see it else.
  mount --make-rshared /
  exec setpriv --bounding-set=-sys_module,-sys_rawio,-sys_time,-sys_boot,-syslog env -i container=other PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    SYSTEMD_PROC_CMDLINE=systemd.unified_cgroup_hierarchy=1 \
    /lib/systemd/systemd --unit=sysinit.target --show-status=0 --log-target=journal --log-level=notice'

cleanup() {
  local tries=0

  [ -z "${BOOT:-}" ] || kill -KILL "$BOOT" 2>/dev/null || true
  wait 2>/dev/null || true
  # The groups of processes that are dead; the innermost first.
  until [ ! -d "$OURS" ] || find "$OURS" -depth -type d -exec rmdir {} + 2>/dev/null; do
    [ "$((++tries))" -lt 50 ] || break
    sleep 0.1
  done
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

mkdir "$OURS"
mkdir -p "$DIR"
(
  echo "$BASHPID" >"$OURS/cgroup.procs"
  exec unshare --mount --pid --ipc --uts --net --cgroup --fork --kill-child --propagation private \
    bash -c "$ENTER" _ "$DIR" >"$DIR/boot.log" 2>&1 </dev/null
) &
BOOT=$!

# systemd is the child of unshare.
inside() {
  nsenter --target "$INIT" --all --root --wd env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"
}
is_up() {
  INIT=$(cat "/proc/$BOOT/task/$BOOT/children" 2>/dev/null) && INIT=${INIT%% *} && [ -n "$INIT" ] &&
    [ "$(cat "/proc/$INIT/comm" 2>/dev/null)" = systemd ] && inside systemctl is-active --quiet sysinit.target 2>/dev/null
}
until is_up; do
  [ "$SECONDS" -lt "$UP_S" ] && kill -0 "$BOOT" 2>/dev/null || {
    tail -n 40 "$DIR/boot.log" >&2
    echo "machine.sh: systemd was not up within $UP_S s" >&2
    exit 1
  }
  sleep 0.2
done
inside "$@"
