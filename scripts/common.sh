# What every part of ./dev uses. Sourced by ./dev, which has set ROOT and changed into it.
# shellcheck shell=bash disable=SC2034

RUN_DIR=${WW_DEV_RUN_DIR:-$ROOT/.run}
PRESET=${WW_DEV_PRESET:-dev}
JOBS=$(nproc)

say() {
  printf '%s\n' "$*" >&2
}

die() {
  say "dev: $*"
  exit 1
}

# For `--edges) need_value "$@"; edges=$2; shift ;;`
need_value() {
  [ $# -ge 2 ] || die "$1 needs a value"
}

use_run_dir() {
  mkdir -p "$1"
  RUN_DIR=$(cd "$1" && pwd)
}

# step NAME COMMAND...: a line before and after; output goes to a file that is shown only on failure.
step() {
  local name=$1 log started=$SECONDS status=0

  shift
  mkdir -p "$RUN_DIR/log"
  log=$RUN_DIR/log/step-${name//[^A-Za-z0-9_-]/-}.log
  say "==> $name"
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if [ "$status" -ne 0 ]; then
    tail -n 60 "$log" >&2
    say "dev: $name failed (exit $status); all of its output: $log"
    return "$status"
  fi
  say "    done in $((SECONDS - started)) s"
}

# A command as root.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "needs root for: $* (and there is no sudo)"
  fi
}
