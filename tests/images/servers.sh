#!/usr/bin/env bash
# What compose.yaml takes from images of others, by this machine's packages and as ./dev up starts it.
#
#   servers.sh secrets DIR POSTGRES                        what ./dev secrets makes, for PostgreSQL at that port
#   servers.sh postgres DIR POSTGRES
#   servers.sh haproxy DIR HTTP HTTPS BANK EDGE:ADMIN...   ports; returns when it has found an edge
#   servers.sh stop DIR
# shellcheck disable=SC2034 # read by the scripts that are sourced here
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
ROOT=$PWD
for part in common ports process servers secrets; do
  # shellcheck source=/dev/null
  . "scripts/$part.sh"
done

secrets() {
  secrets_run --dir "$RUN_DIR" --postgres "127.0.0.1:$1"
}

postgres() {
  STACK_POSTGRES_PORT=$1
  DB_ROLES+=(outbox bank)
  postgres_start
}

haproxy() {
  local edge

  STACK_HTTP_PORT=$1 STACK_HTTPS_PORT=$2 STACK_BANK_PORT=$3 STACK_EDGES=()
  shift 3
  for edge in "$@"; do
    STACK_EDGES+=("edge:edge-$((${#STACK_EDGES[@]} + 1)):$edge")
  done
  haproxy_start
}

stop() {
  unsupervise haproxy postgres
}

command=$1
case "$command" in
  secrets | postgres | haproxy | stop) ;;
  *) die "usage: servers.sh secrets|postgres|haproxy|stop DIR ..." ;;
esac
use_run_dir "$2"
mkdir -p "$RUN_DIR/log" "$RUN_DIR/pid"
shift 2
"$command" "$@"
