#!/usr/bin/env bash
# The reference of ./dev bench delivery, in $WW_DEV_RUN_DIR: PostgreSQL as ./dev up starts it, redis-server, the consumer
# and a Socket.IO server on port $1; their pids are in pid/NAME. `stack.sh down` stops and removes it all.
# shellcheck disable=SC2034 # what the sourced parts read
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
cd "$ROOT"
for part in common ports process servers; do
  # shellcheck source=/dev/null
  . "scripts/$part.sh"
done

DB_ROLES=(reference)

log_says_ready() {
  grep -q '^ready' "$RUN_DIR/log/$1.log" 2>/dev/null
}

# start_node NAME KEY=VALUE...
start_node() {
  local name=$1

  shift
  supervise "$name" TERM env NODE_ENV=production REDIS_URL="redis://127.0.0.1:$REDIS_PORT" "$@" \
    node "tests/bench/reference/$name.mjs"
  wait_for "$name" 20 log_says_ready "$name"
}

up() {
  mkdir -p "$RUN_DIR/log" "$RUN_DIR/pid" "$RUN_DIR/redis"
  port_pick && STACK_POSTGRES_PORT=$PORT
  port_pick && REDIS_PORT=$PORT
  port_pick
  printf '%s\n' "$REDIS_PORT" >"$RUN_DIR/redis.port"
  printf '%s\n' "$PORT" >"$RUN_DIR/server.port"
  keys_prepare
  postgres_start
  # What it has taken is on the disk within a second; the stream of events promises no more.
  supervise redis TERM redis-server --bind 127.0.0.1 --port "$REDIS_PORT" --dir "$RUN_DIR/redis" \
    --appendonly yes --appendfsync everysec --save '' --daemonize no
  wait_for redis 15 port_answers "$REDIS_PORT"
  start_node server PORT="$PORT" KEY_FILE="$RUN_DIR/keys/dev.hs256"
  start_node consumer DATABASE_URL="$(<"$RUN_DIR/secrets/postgres/reference.url")"
}

down() {
  unsupervise server consumer
  unsupervise redis
  unsupervise postgres
  [ ! -s "$RUN_DIR/postgres.dir" ] || rm -rf "$(<"$RUN_DIR/postgres.dir")"
  rm -rf "${RUN_DIR:?}"
}

case "${1:-}" in
  up) up ;;
  down) down ;;
  *) die "usage: stack.sh up|down" ;;
esac
