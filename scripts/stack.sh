# ./dev up, down, status, ww: the whole system on this machine.
# shellcheck shell=bash disable=SC2153

DEFAULT_HTTP_PORT=8080
DEFAULT_HTTPS_PORT=8443
TOKEN_USERS=(alice bob)

# --- plan: which processes, on which ports ---

# The first replica has the service's plain name.
plan_replicas() {
  local i

  for ((i = 1; i <= $2; i++)); do
    port_pick
    STACK_SERVICES+=("service:$1$([ "$i" -eq 1 ] || printf -- '-%d' "$i"):-:$PORT")
  done
}

# Sets PORT to the one that was asked for, or to a free one if that is empty: plan_port OPTION PORT
plan_port() {
  if [ -z "$2" ]; then
    port_pick
  elif port_is_busy "$2"; then
    die "port $2 is taken by another program; choose one: ./dev up $1 PORT (or --free-ports)"
  else
    PORT=$2
  fi
}

stack_plan() {
  local edge_count=$1 notifications=$2 presence=$3 chat=$4 audit=$5 i

  plan_port --http "$6" && STACK_HTTP_PORT=$PORT
  plan_port --https "$7" && STACK_HTTPS_PORT=$PORT
  port_pick && STACK_NATS_PORT=$PORT
  port_pick && STACK_POSTGRES_PORT=$PORT
  STACK_EDGES=()
  STACK_SERVICES=()
  for ((i = 1; i <= edge_count; i++)); do
    port_pick && local port=$PORT
    port_pick && STACK_EDGES+=("edge:edge-$i:$port:$PORT")
  done
  plan_replicas notifications "$notifications"
  plan_replicas presence "$presence"
  plan_replicas chat "$chat"
  plan_replicas audit "$audit"
  if $STACK_OUTBOX; then
    port_pick
    STACK_SERVICES+=("service:outbox:-:$PORT")
  fi
  STACK_BANK_PORT=
  if $STACK_BANK; then
    port_pick && STACK_BANK_PORT=$PORT
    STACK_SERVICES+=("bank:bank:-:$PORT")
  fi
  declare -p PRESET STACK_HTTP_PORT STACK_HTTPS_PORT STACK_NATS_PORT STACK_POSTGRES_PORT STACK_BANK_PORT STACK_EDGES \
    STACK_SERVICES |
    sed -e 's/^declare -[-a-zA-Z]* //' -e 's/^PRESET=/STACK_PRESET=/' >"$RUN_DIR/stack.sh"
}

# What ./dev ww (and a shell that reads it) needs in order to talk to what runs.
stack_write_env() {
  (umask 077 && cat >"$RUN_DIR/env" <<TEXT
export WW_NATS_URL=nats://127.0.0.1:$STACK_NATS_PORT
export WW_NATS_PASSWORDS_DIR=$RUN_DIR/secrets/nats
export WW_KEYS_DIR=$RUN_DIR/keys
export WW_AUDIT_DATABASE_URL_FILE=$RUN_DIR/secrets/postgres/auditor.url
export WW_AUDIT_KEY_FILE=$RUN_DIR/audit/key.pem
export WW_AUDIT_HEADS_FILE=$RUN_DIR/audit/heads
export WW_DATABASE_URL_FILE=$RUN_DIR/secrets/postgres/notifications.url
export PGPASSFILE=$RUN_DIR/secrets/pgpass
TEXT
  )
}

# --- start ---

# A program of ours under its supervisor: start_program NAME PROGRAM NATS_USER ADMIN_PORT KEY=VALUE...
start_program() {
  local name=$1 program=$2 nats_user=$3 admin=$4 launcher=()
  local -a env

  shift 4
  mapfile -t env < <(sanitizer_env)
  [ "$PRESET" != tsan ] || launcher=(setarch -R)
  supervise "$name" TERM "${launcher[@]}" env "${env[@]}" WW_INSTANCE="$name" WW_ADMIN="127.0.0.1:$admin" \
    WW_NATS_URL="nats://127.0.0.1:$STACK_NATS_PORT" WW_NATS_USER="$nats_user" \
    WW_NATS_PASSWORD_FILE="$RUN_DIR/secrets/nats/$nats_user" "$@" "$BIN/$program"
}

start_services() {
  local entry kind name admin program user role

  for entry in "${STACK_SERVICES[@]}"; do
    IFS=: read -r kind name _ admin <<<"$entry"
    [ "$kind" = service ] || continue
    role=${name%-[0-9]*}
    program=ww-$role user=$role
    # It publishes as a back end does, and reads the wallet's database as a role of its own.
    [ "$name" != outbox ] || user=backend
    # On one machine an edge that is asked has answered long before a second is over.
    start_program "$name" "$program" "$user" "$admin" WW_DATABASE_URL_FILE="$RUN_DIR/secrets/postgres/$role.url" \
      WW_LISTEN_FIRST="${WW_LISTEN_FIRST:-1s}" \
      WW_SIGNING_KEY_FILE="$RUN_DIR/secrets/audit.pem" WW_EARLIER_KEYS_FILE="$RUN_DIR/audit/key.pem" \
      WW_HEADS_FILE="$RUN_DIR/audit/heads"
  done
}

start_edges() {
  local entry name port admin

  # Who talks to us on this machine is HAProxy, or a person at work.
  for entry in "${STACK_EDGES[@]}"; do
    IFS=: read -r _ name port admin <<<"$entry"
    start_program "$name" ww-edge edge "$admin" WW_LISTEN="127.0.0.1:$port" WW_EDGE_ID="$name" \
      WW_KEYS_DIR="$RUN_DIR/keys" WW_RECOVERY_KEY_FILE="$RUN_DIR/secrets/recovery" \
      WW_TRUSTED_PROXIES="${WW_TRUSTED_PROXIES-127.0.0.0/8,::1}" \
      WW_EXEMPT_NETWORKS="${WW_EXEMPT_NETWORKS-127.0.0.0/8,::1}" \
      WW_STATIC_DIR="${WW_STATIC_DIR-$($STACK_BANK && pages_dir)}" \
      WW_DRAIN_TIME="${WW_DRAIN_TIME:-500ms}" # ./dev down waits for it
  done
}

program_is_ready() {
  [ "$(http_status "$1" /readyz)" = 200 ]
}

stack_wait_ready() {
  local entry name admin

  for entry in "${STACK_SERVICES[@]}" "${STACK_EDGES[@]}"; do
    IFS=: read -r _ name _ admin <<<"$entry"
    wait_for "$name" 60 program_is_ready "$admin"
  done
}

ww_in_stack() {
  # shellcheck source=/dev/null
  (. "$RUN_DIR/env" && "$BIN/ww" "$@")
}

stack_start() {
  say "==> start"
  ! $STACK_OUTBOX || DB_ROLES+=(wallet outbox)
  ! $STACK_BANK || DB_ROLES+=(bank)
  keys_prepare
  audit_key_prepare
  tls_prepare
  stack_write_env
  nats_start
  postgres_start
  step "provision" ww_in_stack provision
  start_services
  ! $STACK_BANK || bank_start "$STACK_BANK_PORT"
  start_edges
  stack_wait_ready
  haproxy_start
  ! $STACK_BANK || wait_for bank 20 bank_is_reached
  status_write
}

# --- stop ---

# Last started, first stopped; what is of one kind stops together.
stack_stop() {
  local entry services=() edges=()

  for entry in "${STACK_SERVICES[@]}"; do
    IFS=: read -r _ entry _ <<<"$entry"
    services+=("$entry")
  done
  for entry in "${STACK_EDGES[@]}"; do
    IFS=: read -r _ entry _ <<<"$entry"
    edges+=("$entry")
  done
  unsupervise haproxy
  unsupervise "${edges[@]}"
  unsupervise "${services[@]}"
  unsupervise nats
  unsupervise postgres
  rm -f "$RUN_DIR/stack.sh" "$RUN_DIR/status.json"
}

stack_runs() {
  local file

  for file in "$RUN_DIR"/pid/*.supervisor; do
    process_pid "$file" >/dev/null && return
  done
  return 1
}

# --- for people ---

stack_print() {
  local entry name port admin user

  cat <<TEXT

Walletwire runs.
  clients   http://127.0.0.1:$STACK_HTTP_PORT  (HAProxy, any edge)
  clients   https://localhost:$STACK_HTTPS_PORT  (the same; certificate: $RUN_DIR/tls/localhost.crt)
TEXT
  for entry in "${STACK_EDGES[@]}"; do
    IFS=: read -r _ name port admin <<<"$entry"
    printf '  %-9s http://127.0.0.1:%s  metrics http://127.0.0.1:%s/metrics\n' "$name" "$port" "$admin"
  done
  for entry in "${STACK_SERVICES[@]}"; do
    IFS=: read -r _ name _ admin <<<"$entry"
    printf '  %-9s metrics http://127.0.0.1:%s/metrics\n' "$name" "$admin"
  done
  cat <<TEXT
  nats      nats://127.0.0.1:$STACK_NATS_PORT
  postgres  postgresql://notifications@127.0.0.1:$STACK_POSTGRES_PORT/$DB_NAME  (PGPASSFILE=$RUN_DIR/secrets/pgpass)
  logs      $RUN_DIR/log

Tokens, valid for a day:
TEXT
  for user in "${TOKEN_USERS[@]}"; do
    printf '  %-9s %s\n' "$user" "$(ww_in_stack token --user "$user" --ttl 24h)"
  done
  if [ -n "$STACK_BANK_PORT" ]; then
    printf '\nThe demo: a wallet at http://127.0.0.1:%s/, the desk of its bank at /bank, what operators see at /ops.\n' \
      "$STACK_HTTP_PORT"
    printf 'The demo bank answers at http://127.0.0.1:%s/bank/api, and lets small things happen; pause it:\n%s\n' \
      "$STACK_HTTP_PORT" "  curl -d '{\"running\":false}' -H 'Content-Type: application/json' http://127.0.0.1:$STACK_HTTP_PORT/bank/api/day"
  fi
  printf '\nTry: ./dev ww publish --json examples/events.jsonl\n'
  if $STACK_OUTBOX; then
    # shellcheck disable=SC2016 # for the reader's shell
    printf 'or as a wallet does, see docs/outbox.md: psql "$(cat %s)" -f examples/outbox.sql\n' \
      "$RUN_DIR/secrets/postgres/wallet.url"
  fi
}

stack_status_text() {
  local kind name port admin pid state

  printf 'clients %s  %s\n' "http://127.0.0.1:$STACK_HTTP_PORT" "https://127.0.0.1:$STACK_HTTPS_PORT"
  while read -r kind name port admin pid; do
    state=down
    [ "$pid" = - ] || state=$(program_is_ready "$admin" && printf ready || printf 'not ready')
    printf '%-16s %-10s pid %-8s admin http://127.0.0.1:%s%s\n' "$name" "$state" "$pid" "$admin" \
      "$([ "$kind" != edge ] || printf '  clients http://127.0.0.1:%s' "$port")"
  done < <(status_rows)
}

# --- commands ---

number() {
  [[ $2 =~ ^[0-9]+$ ]] && [ "$2" -ge "$3" ] && [ "$2" -le "$4" ] || die "$1 must be a number from $3 to $4, not '$2'"
}

stack_up() {
  local detach=false edge_count=2 notifications=1 presence=1 chat=1 audit=1 build=true
  local http_port=$DEFAULT_HTTP_PORT https_port=$DEFAULT_HTTPS_PORT

  STACK_OUTBOX=false STACK_BANK=true
  while [ $# -gt 0 ]; do
    case "$1" in
      --detach) detach=true ;;
      --edges) need_value "$@"; edge_count=$2; shift ;;
      --notifications) need_value "$@"; notifications=$2; shift ;;
      --presence) need_value "$@"; presence=$2; shift ;;
      --chat) need_value "$@"; chat=$2; shift ;;
      --audit) need_value "$@"; audit=$2; shift ;;
      --outbox) STACK_OUTBOX=true ;;
      --no-bank) STACK_BANK=false ;;
      --http) need_value "$@"; http_port=$2; shift ;;
      --https) need_value "$@"; https_port=$2; shift ;;
      --free-ports) http_port="" https_port="" ;;
      --no-build) build=false ;;
      --run-dir) need_value "$@"; use_run_dir "$2"; shift ;;
      *) die "up: unknown option '$1'; see ./dev help" ;;
    esac
    shift
  done
  number --edges "$edge_count" 1 16
  number --notifications "$notifications" 1 8
  number --presence "$presence" 0 8
  number --chat "$chat" 0 8
  number --audit "$audit" 0 8
  [ -z "$http_port" ] || number --http "$http_port" 1 65535
  [ -z "$https_port" ] || number --https "$https_port" 1 65535
  [ -z "$http_port" ] || [ "$http_port" != "$https_port" ] || die "--http and --https need a port each"
  # The bank tells people what happens through an outbox.
  ! $STACK_BANK || STACK_OUTBOX=true

  mkdir -p "$RUN_DIR/log" "$RUN_DIR/pid"
  # Two ./dev up at once would fight over the folder; programs that are started do not inherit it.
  exec 9>"$RUN_DIR/lock"
  flock -n 9 || die "another ./dev up is at work in $RUN_DIR"
  ! stack_runs || die "already running (./dev status shows it); stop it first: ./dev down"
  # The logs of the run before are kept, so that a second look at them is possible.
  rm -rf "$RUN_DIR/log.old"
  mv "$RUN_DIR/log" "$RUN_DIR/log.old"
  mkdir "$RUN_DIR/log"

  if $build; then
    packages_ensure
    build "$PRESET" "${PROGRAMS[@]}"
    ! $STACK_BANK || clients_build
    ! $STACK_BANK || pages_build
  fi
  BIN=$(bin_dir "$PRESET")
  stack_plan "$edge_count" "$notifications" "$presence" "$chat" "$audit" "$http_port" "$https_port"
  # From here on whatever goes wrong stops what was started.
  trap 'say "==> stop"; stack_stop' EXIT
  trap 'exit 130' INT TERM HUP
  stack_start
  # What runs detached goes on, even if nobody reads what follows (./dev up --detach | head).
  ! $detach || trap - EXIT
  stack_print
  if $detach; then
    printf 'Stop it: ./dev down\n'
    return
  fi
  printf 'Stop it: Ctrl-C\n'
  stack_stay
}

# Until a signal, or until somebody else stopped everything.
stack_stay() {
  while stack_runs; do
    sleep 1 &
    wait $! || true
  done
  trap - EXIT
}

stack_down() {
  local wipe=false

  while [ $# -gt 0 ]; do
    case "$1" in
      --wipe) wipe=true ;;
      --run-dir) need_value "$@"; use_run_dir "$2"; shift ;;
      *) die "down: unknown option '$1'; see ./dev help" ;;
    esac
    shift
  done
  if status_load; then
    stack_stop
    say "stopped"
  else
    say "nothing runs in $RUN_DIR"
  fi
  if $wipe; then
    [ ! -s "$RUN_DIR/postgres.dir" ] || rm -rf "$(<"$RUN_DIR/postgres.dir")"
    rm -rf "${RUN_DIR:?}"
  fi
}

stack_status() {
  local json=false

  while [ $# -gt 0 ]; do
    case "$1" in
      --json) json=true ;;
      --run-dir) need_value "$@"; use_run_dir "$2"; shift ;;
      *) die "status: unknown option '$1'; see ./dev help" ;;
    esac
    shift
  done
  status_load && stack_runs || die "nothing runs in $RUN_DIR; start it: ./dev up"
  if $json; then
    status_json
  else
    stack_status_text
  fi
}

stack_ww() {
  local preset=$PRESET

  if status_load && [ -z "${WW_DEV_PRESET:-}" ]; then
    preset=$STACK_PRESET
  fi
  BIN=$(bin_dir "$preset")
  if [ ! -x "$BIN/ww" ]; then
    packages_ensure
    build "$preset" ww
  fi
  if [ -r "$RUN_DIR/env" ]; then
    # shellcheck source=/dev/null
    . "$RUN_DIR/env"
  fi
  exec "$BIN/ww" "$@"
}
