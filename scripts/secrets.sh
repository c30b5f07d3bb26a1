# ./dev secrets: the files that compose.yaml and the Kubernetes secrets are made of.
# shellcheck shell=bash

secrets_make() {
  local user

  umask 077
  mkdir -p "$RUN_DIR"
  chmod 700 "$RUN_DIR"
  keys_prepare
  tls_prepare
  for user in "${NATS_USERS[@]}"; do
    secret "$RUN_DIR/secrets/nats/$user"
  done
  postgres_secrets "$1"
  # The folder keeps others out; within it containers, whose users are not ours, have to read.
  chmod -R go+rX "$RUN_DIR"/*
}

secrets_run() {
  local dir=$RUN_DIR/compose postgres=postgres:5432

  while [ $# -gt 0 ]; do
    case "$1" in
      --dir) need_value "$@"; dir=$2; shift ;;
      --postgres) need_value "$@"; postgres=$2; shift ;;
      *) die "secrets: unknown option '$1'; see ./dev help" ;;
    esac
    shift
  done
  use_run_dir "$dir"
  DB_ROLES+=(outbox bank)
  secrets_make "$postgres"
  say "secrets are in $RUN_DIR"
}
