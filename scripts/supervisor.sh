#!/usr/bin/env bash
# Keeps one program running: supervisor.sh RUN_DIR NAME SIGNAL COMMAND...
# A program that ends is started again, as Kubernetes would, at first after 0.2 s and at most after 10 s.
# TERM ends the program with SIGNAL and then this script.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
RUN_DIR=$1 NAME=$2 SIGNAL=$3
shift 3
# shellcheck source=scripts/process.sh
. "$ROOT/scripts/process.sh"
# shellcheck source=scripts/status.sh
. "$ROOT/scripts/status.sh"

BACKOFF_MIN_MS=200
BACKOFF_MAX_MS=10000
STEADY_S=10 # who ran this long starts over with the shortest pause

stopping=false
child=
sleeper=

note() {
  printf '%(%FT%T%z)T %s: %s\n' -1 "$NAME" "$*"
}

on_term() {
  stopping=true
  [ -z "$child" ] || kill "-$SIGNAL" "$child" 2>/dev/null || true
  [ -z "$sleeper" ] || kill "$sleeper" 2>/dev/null || true
}
trap on_term TERM INT HUP

# Sets STATUS to how the child ended. wait also returns when a signal arrives: then it is asked again.
wait_child() {
  while :; do
    STATUS=0
    wait "$child" 2>/dev/null || STATUS=$?
    [ -n "$(process_start_time "$child")" ] || return 0
  done
}

pause_ms() {
  local seconds

  printf -v seconds '%d.%03d' $(($1 / 1000)) $(($1 % 1000))
  sleep "$seconds" &
  sleeper=$!
  wait "$sleeper" || true
  sleeper=
}

backoff=$BACKOFF_MIN_MS
until $stopping; do
  started=$SECONDS
  "$@" >>"$RUN_DIR/log/$NAME.log" 2>&1 &
  child=$!
  # A TERM that came between the check above and here found no child to pass it on to.
  ! $stopping || kill "-$SIGNAL" "$child" 2>/dev/null || true
  process_record "$RUN_DIR/pid/$NAME" "$child"
  status_write || note "could not write status.json"
  wait_child
  child=
  $stopping && break
  [ $((SECONDS - started)) -lt "$STEADY_S" ] || backoff=$BACKOFF_MIN_MS
  note "ended with status $STATUS, started again in $backoff ms"
  pause_ms "$backoff"
  backoff=$((backoff * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : backoff * 2))
done
note "stopped"
