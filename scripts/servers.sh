# The servers that are not ours: nats-server, PostgreSQL, HAProxy. All private, all on 127.0.0.1.
# shellcheck shell=bash

NATS_USERS=(backend chat notifications edge presence audit ops)
DB_NAME=walletwire
DB_ROLES=(notifications presence chat) # one for each service that keeps something, named like its schema
DB_GUESTS=(audit auditor)              # who may use tables that are not their own, and make none

# secret FILE: 32 random bytes as text, made once, for us alone.
secret() {
  [ -s "$1" ] && return
  mkdir -p "$(dirname "$1")"
  (umask 077 && head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$1")
}

keys_prepare() {
  secret "$RUN_DIR/secrets/recovery"
  mkdir -p "$RUN_DIR/keys"
  [ -s "$RUN_DIR/keys/dev.hs256" ] && return
  (umask 077 && head -c 48 /dev/urandom | base64 -w 0 >"$RUN_DIR/keys/dev.hs256")
}

# What heads of the audit record are signed with, and the public halves that they are verified by: those of keys that
# were changed stay in front.
audit_key_prepare() {
  local public file=$RUN_DIR/audit/key.pem

  mkdir -p "$RUN_DIR/audit"
  public=$("$BIN/ww" audit key --make "$RUN_DIR/secrets/audit.pem")
  [ -s "$file" ] && [[ $(<"$file") == *"$public"* ]] || printf '%s\n' "$public" >>"$file"
}

# --- TLS ---

# For localhost and 127.0.0.1, signed by itself, for us alone; made anew before it ends.
tls_prepare() {
  local pem=$RUN_DIR/tls/localhost.pem crt=$RUN_DIR/tls/localhost.crt

  [ -s "$pem" ] && openssl x509 -checkend 604800 -noout -in "$crt" >/dev/null && return
  mkdir -p "$RUN_DIR/tls"
  # HAProxy wants certificate and key in one file; clients are given the certificate alone.
  (umask 077 && step "make a certificate" openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc \
    -days 397 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$pem.key" -out "$crt" &&
    cat "$crt" "$pem.key" >"$pem" && rm "$pem.key")
}

# --- nats-server ---

nats_prepare() {
  local user

  for user in "${NATS_USERS[@]}"; do
    secret "$RUN_DIR/secrets/nats/$user"
  done
  mkdir -p "$RUN_DIR/nats"
  (umask 077 && "$BIN/ww" nats-config --port "$STACK_NATS_PORT" --store-dir "$RUN_DIR/nats" \
    --passwords-dir "$RUN_DIR/secrets/nats" >"$RUN_DIR/nats.conf")
}

nats_start() {
  nats_prepare
  supervise nats TERM nats-server -c "$RUN_DIR/nats.conf"
  wait_for nats 15 port_answers "$STACK_NATS_PORT"
}

# --- PostgreSQL ---

postgres_bin() {
  local dir

  for dir in /usr/lib/postgresql/*/bin; do
    [ -x "$dir/initdb" ] && printf '%s' "$dir" && return
  done
  die "PostgreSQL's initdb is not below /usr/lib/postgresql"
}

# PostgreSQL refuses to run as root: then it runs as its own user. For `"${AS_POSTGRES[@]}" COMMAND`.
AS_POSTGRES=(env)
[ "$(id -u)" -ne 0 ] || AS_POSTGRES=(setpriv --reuid=postgres --regid=postgres --init-groups)

# Sets POSTGRES_DIR: .run/postgres, or a folder that the postgres user can reach. Which one is kept in
# .run/postgres.dir; without that file nothing of an older run is taken over.
postgres_choose_dir() {
  local dir=$RUN_DIR/postgres hash

  if [ -s "$RUN_DIR/postgres.dir" ]; then
    POSTGRES_DIR=$(<"$RUN_DIR/postgres.dir")
    return
  fi
  if ! "${AS_POSTGRES[@]}" test -x "$RUN_DIR"; then
    hash=$(printf '%s' "$RUN_DIR" | sha256sum)
    dir=/var/tmp/walletwire-${hash:0:16}
  fi
  rm -rf "$dir"
  mkdir -p "$dir"
  chmod 700 "$dir"
  [ "$(id -u)" -ne 0 ] || chown postgres:postgres "$dir"
  printf '%s\n' "$dir" >"$RUN_DIR/postgres.dir"
  POSTGRES_DIR=$dir
}

# The password is handed over in a file of the cluster's own folder: .run may be out of reach.
postgres_init() {
  local file=$POSTGRES_DIR/password status=0

  rm -rf "$POSTGRES_DIR/data"
  "${AS_POSTGRES[@]}" sh -c 'umask 077 && cat >"$1"' _ "$file" <"$RUN_DIR/secrets/postgres/postgres" || return
  "${AS_POSTGRES[@]}" "$PG_BIN/initdb" -D "$POSTGRES_DIR/data" -U postgres -E UTF8 --locale=C.UTF-8 \
    --auth=scram-sha-256 --pwfile="$file" || status=$?
  rm -f "$file"
  return "$status"
}

psql_admin() {
  PGPASSWORD=$(<"$RUN_DIR/secrets/postgres/postgres") "$PG_BIN/psql" -X -q -v ON_ERROR_STOP=1 \
    -h 127.0.0.1 -p "$STACK_POSTGRES_PORT" -U postgres "$@"
}

# With the audit's tables, and a wallet's outbox if there is its role: here they share the database.
postgres_create() {
  local outbox=

  [[ " ${DB_ROLES[*]} " != *" outbox "* ]] || outbox=$ROOT/services/outbox/outbox.sql
  [ "$(psql_admin -d postgres -Atc "SELECT 1 FROM pg_database WHERE datname = '$DB_NAME'")" = 1 ] ||
    psql_admin -d postgres -c "CREATE DATABASE $DB_NAME" || return
  PATH=$PG_BIN:$PATH PGHOST=127.0.0.1 PGPORT=$STACK_POSTGRES_PORT PGUSER=postgres \
    PGPASSWORD=$(<"$RUN_DIR/secrets/postgres/postgres") WW_DB_NAME=$DB_NAME WW_DB_ROLES="${DB_ROLES[*]}" \
    WW_DB_GUESTS="${DB_GUESTS[*]}" WW_DB_PASSWORDS_DIR=$RUN_DIR/secrets/postgres WW_OUTBOX_SQL=$outbox \
    WW_AUDIT_SQL=$ROOT/services/audit/audit.sql "$ROOT/deploy/postgres/roles.sh"
}

# For those who reach PostgreSQL at ADDRESS:PORT.
postgres_secrets() {
  local address=$1 role

  secret "$RUN_DIR/secrets/postgres/postgres"
  for role in "${DB_ROLES[@]}" "${DB_GUESTS[@]}"; do
    secret "$RUN_DIR/secrets/postgres/$role"
    (umask 077 && printf 'postgresql://%s:%s@%s/%s\n' "$role" "$(<"$RUN_DIR/secrets/postgres/$role")" \
      "$address" "$DB_NAME" >"$RUN_DIR/secrets/postgres/$role.url")
  done
  (umask 077 && for role in postgres "${DB_ROLES[@]}" "${DB_GUESTS[@]}"; do
    printf '%s:*:%s:%s\n' "$address" "$role" "$(<"$RUN_DIR/secrets/postgres/$role")"
  done >"$RUN_DIR/secrets/pgpass")
}

postgres_start() {
  PG_BIN=$(postgres_bin)
  postgres_choose_dir
  postgres_secrets "127.0.0.1:$STACK_POSTGRES_PORT"
  [ -s "$POSTGRES_DIR/data/PG_VERSION" ] || step "create the PostgreSQL cluster" postgres_init
  # INT is its fast shutdown: TERM would wait until every client has gone. Its log gets no rows (DETAIL, CONTEXT) and
  # no statements: they hold amounts, texts and passwords.
  supervise postgres INT "${AS_POSTGRES[@]}" "$PG_BIN/postgres" -D "$POSTGRES_DIR/data" \
    -c listen_addresses=127.0.0.1 -c "port=$STACK_POSTGRES_PORT" -c unix_socket_directories= \
    -c max_connections=200 -c shared_buffers=128MB -c "logging_collector=off" \
    -c log_error_verbosity=terse -c log_min_error_statement=panic
  wait_for postgres 30 "$PG_BIN/pg_isready" -q -h 127.0.0.1 -p "$STACK_POSTGRES_PORT"
  step "create the database" postgres_create
}

# --- HAProxy ---

# The servers that deploy/haproxy/front.cfg hands requests to.
haproxy_backends() {
  local entry name port admin

  printf 'backend edges\n'
  for entry in "${STACK_EDGES[@]}"; do
    IFS=: read -r _ name port admin <<<"$entry"
    printf '  server %s 127.0.0.1:%s port %s\n' "$name" "$port" "$admin"
  done
  [ -z "$STACK_BANK_PORT" ] || printf '\nbackend bank\n  server bank 127.0.0.1:%s\n' "$STACK_BANK_PORT"
}

# Ready when it hands requests to an edge: it answers 503 itself until a check has passed.
haproxy_is_ready() {
  local status

  status=$(http_status "$STACK_HTTP_PORT" /healthz-of-nobody)
  [ -n "$status" ] && [ "$status" != 503 ]
}

haproxy_start() {
  local env=(WW_HTTP="127.0.0.1:$STACK_HTTP_PORT" WW_HTTPS="127.0.0.1:$STACK_HTTPS_PORT"
    WW_TLS_PEM="$RUN_DIR/tls/localhost.pem")

  [ -z "$STACK_BANK_PORT" ] || env+=(WW_BANK=1)
  haproxy_backends >"$RUN_DIR/haproxy.cfg"
  # Through a pipe: HAProxy takes O_APPEND from its output and would write over the log's beginning. With a master (-W),
  # which reloads on USR2.
  supervise haproxy TERM env "${env[@]}" bash -c 'exec haproxy -W -db -f "$1" -f "$2" > >(cat <&0 &) 2>&1' _ \
    "$ROOT/deploy/haproxy/front.cfg" "$RUN_DIR/haproxy.cfg"
  wait_for haproxy 20 haproxy_is_ready
}
