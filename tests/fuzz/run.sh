#!/usr/bin/env bash
# Fuzzes with what the preset `fuzz` built: run.sh [--runs N] [--seconds N] [TARGET...]
#
# Each target runs from the files of corpus/<target> and regression/<target>, which are not written to, as
# many at once as there are cores. Prints a line a target; exit 1 if one of them found something, which
# then is in build/fuzz/found.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BUILD=$(cd "$HERE/../.." && pwd)/build/fuzz
FOUND=$BUILD/found
MAX_LEN=512 # beyond it are only limits of lengths, which unit tests try

RUNS=200000 SECONDS_MAX=0 TARGETS=()
while [ $# -gt 0 ]; do
  case "$1" in
    --runs) RUNS=$2; shift ;;
    --seconds) SECONDS_MAX=$2; shift ;;
    *) TARGETS+=("$1") ;;
  esac
  shift
done
if [ "${#TARGETS[@]}" -eq 0 ]; then
  for source in "$HERE"/fuzz_*.c; do
    source=${source##*/fuzz_}
    TARGETS+=("${source%.c}")
  done
fi

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
mkdir -p "$FOUND"

# libFuzzer writes what is new to the first folder it is given.
fuzz_one() {
  local target=$1 new=$WORK/$1 log=$FOUND/$1.log started=$SECONDS status=0 args=() folder

  mkdir -p "$new"
  [ ! -e "$HERE/dict/$target.dict" ] || args+=("-dict=$HERE/dict/$target.dict")
  for folder in corpus regression; do
    [ ! -d "$HERE/$folder/$target" ] || args+=("$HERE/$folder/$target")
  done
  # Deep stacks of allocations would cost more than the parsers.
  ASAN_OPTIONS=detect_leaks=1:quarantine_size_mb=16:malloc_context_size=4 UBSAN_OPTIONS=print_stacktrace=1 TMPDIR=$WORK \
    "$BUILD/tests/fuzz_$target" -runs="$RUNS" -max_total_time="$SECONDS_MAX" -max_len="$MAX_LEN" \
    -artifact_prefix="$FOUND/$target-" -print_final_stats=1 "$new" "${args[@]}" >"$log" 2>&1 || status=$?
  if [ "$status" -eq 0 ]; then
    printf 'fine: %s, %d executions in %d s, %d features\n' "$target" \
      "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" $((SECONDS - started)) \
      "$(sed -n 's/.*DONE.* ft: \([0-9]*\) .*/\1/p' "$log")"
  else
    tail -n 40 "$log" >&2
    printf 'FOUND: %s, exit %d, %s\n' "$target" "$status" "$log"
  fi
}

fuzz_all() {
  local target

  for target in "${TARGETS[@]}"; do
    while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
      wait -n || true
    done
    fuzz_one "$target" &
  done
  wait
}

fuzz_all | tee "$WORK/lines"
! grep -q '^FOUND' "$WORK/lines"
