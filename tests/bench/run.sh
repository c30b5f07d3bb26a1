#!/usr/bin/env bash
# ./dev bench [idle|latency]...: starts an optimised stack of its own on free ports, measures, stops it.
# Each scenario prints one JSON object a run; figures of this machine are in docs/performance.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

usage() {
  cat <<'TEXT'
usage: ./dev bench [SCENARIO...] [--repeat N]

  idle      what 10,000 idle, signed-in WebSockets cost one edge: memory and threads
  latency   500 stored events a second: from publish to the socket, p50, p99, p99.9

  --repeat N   how often each scenario runs (3)
TEXT
}

scenarios=()
repeat=3
while [ $# -gt 0 ]; do
  case "$1" in
    idle | latency) scenarios+=("$1") ;;
    --repeat) repeat=${2:?--repeat needs a number}; shift ;;
    -h | --help) usage; exit 0 ;;
    *) printf "bench: unknown argument '%s'\n" "$1" >&2; usage >&2; exit 2 ;;
  esac
  shift
done
[ "${#scenarios[@]}" -gt 0 ] || scenarios=(idle latency)

export WW_DEV_PRESET=release
WW_DEV_RUN_DIR=$(mktemp -d)
export WW_DEV_RUN_DIR
chmod 755 "$WW_DEV_RUN_DIR"
bin=build/release/bin
status=$WW_DEV_RUN_DIR/status.json

stop() {
  ./dev down --wipe >&2 || true
}
trap stop EXIT
trap 'exit 130' INT TERM

# A fresh edge for each run: memory that an earlier run left behind must not hide in the difference.
start() {
  ./dev up --no-build --detach --free-ports --edges 1 >/dev/null
}

field() {
  jq -r "$1" "$status"
}

run_idle() {
  "$bin/bench_idle" "$(field '.edges[0].http' | sed 's/.*://')" "$(field '.edges[0].pid')" \
    "$WW_DEV_RUN_DIR/keys" 10000 5
}

run_latency() {
  "$bin/bench_latency" "$(field '.edges[0].http' | sed 's/.*://')" "$WW_DEV_RUN_DIR/keys" "$(field .nats)" \
    "$(<"$WW_DEV_RUN_DIR/secrets/nats/backend")" 100 500 20
}

for scenario in "${scenarios[@]}"; do
  for ((i = 1; i <= repeat; i++)); do
    start
    printf '%s ' "$scenario"
    "run_$scenario"
    ./dev down --wipe >&2
  done
done
