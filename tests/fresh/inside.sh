#!/usr/bin/env bash
# What run.sh does within the root: README's beginning as it is written there, then ./dev test.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=scripts/ports.sh
. scripts/ports.sh

WAIT_S=60 # what a client is shown comes within milliseconds; it may be a busy machine
FAILURES=0

fact() {
  local name=$1 status=0

  shift
  "$@" || status=$?
  if [ "$status" -eq 0 ]; then
    echo "fine: $name"
  else
    echo "FAILED: $name (exit $status)"
    FAILURES=$((FAILURES + 1))
  fi
}

# readme HEADING LANGUAGE: the first block of code of that language below it.
readme() {
  awk -v heading="$1" -v fence='```'"$2" '
    $0 ~ "^##+ " heading { below = 1 }
    below && inside && $0 == "```" { exit }
    inside { print }
    below && $0 == fence { inside = 1 }' README.md
}

# shows FILE TEXT: until it is in there.
shows() {
  local deadline=$((SECONDS + WAIT_S))

  until grep -qF "$2" "$1"; do
    [ "$SECONDS" -lt "$deadline" ] || {
      echo "not within $WAIT_S s: $2; but:" >&2
      cat "$1" >&2
      return 1
    }
    sleep 0.1
  done
}

# The client of README in an empty folder, connected before the second command publishes.
client_start() {
  CLIENT=$(mktemp -d)
  readme 'With a client of your own' js >"$CLIENT/client.mjs"
  (cd "$CLIENT" && timeout 300 npm install --silent --no-audit --no-fund socket.io-client) || return
  TOKEN=$(./dev ww token --user alice) node "$CLIENT/client.mjs" >"$CLIENT/shown" 2>&1 &
  CLIENT_PID=$!
  shows "$CLIENT/shown" notifications:unread
}

client_stop() {
  if kill -0 "${CLIENT_PID:-none}" 2>/dev/null; then
    kill "$CLIENT_PID"
  fi
}

client_is_told() {
  shows "$CLIENT/shown" "id: 'tx-1001'" && shows "$CLIENT/shown" 'security:alert'
}

ports_are_free() {
  ! port_answers 8080
}

mapfile -t commands < <(readme 'Try it' '')
[ "${#commands[@]}" -eq 2 ] || {
  echo "FAILED: README's beginning is two commands, not ${#commands[@]}"
  exit 1
}

# Budgets are those of a machine that does nothing else: what is asked here is whether all of it works.
export WW_TEST_PATIENCE=${WW_TEST_PATIENCE:-4}

# Each line of ./dev test that tells of a suite is a fact of its own; what it cannot run is said there.
suites() {
  ./dev test "$@" 2>&1 | tee /tmp/dev-test.log | grep --line-buffered -E '^(==> |[a-z0-9]+: |not ok |✖|[0-9]+ passed|dev: )'
  return "${PIPESTATUS[0]}"
}

trap client_stop EXIT
fact "${commands[0]}" eval "${commands[0]}"
[ "$FAILURES" -eq 0 ] || exit 1 # without a stack there is nothing more to see
fact "README's client connects through HAProxy" client_start
fact "${commands[1]}" eval "${commands[1]}"
fact "README's client is told" client_is_told
fact "./dev status" ./dev status
fact "./dev down" ./dev down
fact "./dev down stopped all of it" ports_are_free
fact "./dev test${*:+ $*}" suites "$@"
[ "$FAILURES" -eq 0 ]
