#!/bin/bash
# ww-nats: nats-server with the permissions of `ww nats-config`.
#
#   WW_NATS_CONFIG_DIR     where the configuration is written: a folder in memory, since it holds passwords
#   WW_NATS_PASSWORDS_DIR  one file per NATS user
#   WW_NATS_EXTRA_DIR      files *.conf that are added: cluster, TLS
#   WW_SERVER_NAME         its name, another one on each server of a cluster
#   WW_NATS_PORT           where clients find it (4222), WW_NATS_MONITOR_PORT its monitor on 127.0.0.1 (8222)
#   WW_NATS_MAX_FILE       what JetStream may keep in files
set -euo pipefail
umask 077

: "${WW_NATS_CONFIG_DIR:=/run/nats}" "${WW_NATS_PASSWORDS_DIR:?}" "${WW_NATS_MAX_FILE:=16GiB}"
config=$WW_NATS_CONFIG_DIR/nats.conf

ww nats-config --host "${WW_NATS_HOST:-0.0.0.0}" --server-name "${WW_SERVER_NAME:-walletwire}" \
  --store-dir "${WW_NATS_STORE_DIR:-/data}" --monitor-port "${WW_NATS_MONITOR_PORT:-8222}" --port "${WW_NATS_PORT:-4222}" --max-file-store "$WW_NATS_MAX_FILE" \
  --passwords-dir "$WW_NATS_PASSWORDS_DIR" >"$config"
# A later word of the same name wins over an earlier one.
[ -z "${WW_NATS_EXTRA_DIR:-}" ] || cat "$WW_NATS_EXTRA_DIR"/*.conf >>"$config"
exec nats-server -c "$config"
