#!/usr/bin/env bash
# ./dev bench [idle|latency|slow|storm]...: starts an optimised stack of its own on free ports, measures, stops it.
# Each scenario prints one JSON object a run; figures of this machine are in docs/performance.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

usage() {
  cat <<'TEXT'
usage: ./dev bench [SCENARIO...] [--repeat N] [--sockets N] [--minutes M]

  idle      what 10,000 idle, signed-in WebSockets cost one edge: memory and threads
  latency   500 stored events a second: from publish to the socket, p50, p99, p99.9
  slow      latencies of 1,000 clients while 1 and 20 others read, and while these stop reading
  storm     18,000 WebSockets on one edge for 10 minutes with events, then the edge is killed and all
            of them come to another one at once

  --repeat N    how often each scenario runs (3; slow: 5 pairs; storm: once)
  --sockets N   of the storm (18000)
  --minutes M   how long the storm holds them (10)
TEXT
}

scenarios=()
repeat=
sockets=18000
minutes=10
while [ $# -gt 0 ]; do
  case "$1" in
    idle | latency | slow | storm) scenarios+=("$1") ;;
    --repeat) repeat=${2:?--repeat needs a number}; shift ;;
    --sockets) sockets=${2:?--sockets needs a number}; shift ;;
    --minutes) minutes=${2:?--minutes needs a number}; shift ;;
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
# Clients and edges hold a descriptor a socket.
ulimit -n "$(ulimit -Hn)"

stop() {
  ./dev down --wipe >&2 || true
}
trap stop EXIT
trap 'exit 130' INT TERM

# A fresh stack for each run: memory that an earlier run left behind must not hide in the difference.
start() {
  ./dev up --no-build --detach --free-ports --edges "$1" >/dev/null
}

field() {
  jq -r "$1" "$status"
}

port() {
  field "$1" | sed 's/.*://'
}

backend_password() {
  cat "$WW_DEV_RUN_DIR/secrets/nats/backend"
}

run_idle() {
  "$bin/bench_idle" "$(port '.edges[0].http')" "$(field '.edges[0].pid')" "$WW_DEV_RUN_DIR/keys" 10000 5
}

run_latency() {
  "$bin/bench_latency" "$(port '.edges[0].http')" "$WW_DEV_RUN_DIR/keys" "$(field .nats)" \
    "$(backend_password)" 100 500 20
}

# run_slow SLOW read|mute
run_slow() {
  "$bin/bench_slow" "$(port '.edges[0].http')" "$(port '.edges[0].admin')" "$(field '.edges[0].pid')" \
    "$WW_DEV_RUN_DIR/keys" "$(field .nats)" "$(backend_password)" 1000 "$1" "$2" 20
}

run_storm() {
  # shellcheck source=/dev/null
  . "$WW_DEV_RUN_DIR/env"
  "$bin/bench_storm" "$(port '.edges[0].http')" "$(port '.edges[0].admin')" "$(field '.edges[0].pid')" \
    "$(port '.edges[1].http')" "$(port '.edges[1].admin')" "$(port '.services[0].admin')" \
    "$WW_DEV_RUN_DIR/keys" "$(field .nats)" "$(backend_password)" "$(cat "$WW_DATABASE_URL_FILE")" \
    "$sockets" 200 "$((minutes * 60))"
}

# measure EDGES NAME COMMAND...
measure() {
  local edges=$1 name=$2

  shift 2
  start "$edges"
  printf '%s ' "$name"
  "$@"
  ./dev down --wipe >&2
}

times() {
  local i

  for ((i = 1; i <= $1; i++)); do
    measure "$2" "$3" "run_$3"
  done
}

# Runs of both kinds in turn, so that whatever else this machine does meets both; then their medians.
compare_slow() {
  local slow=$1 results i how

  results=$(mktemp)
  for ((i = 1; i <= $2; i++)); do
    for how in read mute; do
      measure 1 slow run_slow "$slow" "$how" | tee -a "$results"
    done
  done
  sed 's/^slow //' "$results" | jq -sc '
    def median: sort | (.[(length - 1) / 2 | floor] + .[length / 2 | floor]) / 2;
    def of(read; key): map(select(.slowRead == read) | .[key]) | median;
    {slow: .[0].slow, pairs: (length / 2)}
    + ([("p50ms", "p99ms") as $key
        | {($key): {read: of(true; $key), stopped: of(false; $key),
                    ratio: (of(false; $key) / of(true; $key) * 100 | round / 100)}}] | add)' |
    sed 's/^/slow medians /'
  rm -f "$results"
}

for scenario in "${scenarios[@]}"; do
  case "$scenario" in
    idle | latency) times "${repeat:-3}" 1 "$scenario" ;;
    slow)
      compare_slow 1 "${repeat:-5}"
      compare_slow 20 "${repeat:-5}"
      ;;
    storm)
      export WW_MAX_SOCKETS=20000
      times "${repeat:-1}" 2 storm
      ;;
  esac
done
