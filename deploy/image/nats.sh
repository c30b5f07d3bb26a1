#!/bin/bash
# ww-nats: nats-server with the permissions of `ww nats-config`.
#
#   WW_NATS_CONFIG_DIR     where the configuration is written: a folder in memory, since it holds passwords
#   WW_NATS_PASSWORDS_DIR  one file per NATS user
#   WW_NATS_EXTRA_DIR      files *.conf that are added: cluster, TLS
#   WW_SERVER_NAME         its name, another one on each server of a cluster, and on each leaf
#   WW_NATS_HOST           the address that it listens at (0.0.0.0: all of them; a leaf: 127.0.0.1)
#   WW_NATS_PORT           where clients find it (4222), WW_NATS_MONITOR_PORT its monitor on 127.0.0.1 (8222)
#   WW_NATS_STORE_DIR      where JetStream keeps its files (/data)
#   WW_NATS_MAX_FILE       what JetStream may keep in files
#   WW_NATS_LEAF_PORT      where leaves find it by mutual TLS; none may come without it
#   WW_NATS_TLS_DIR        tls.crt, tls.key and ca.crt for that, and of a leaf
#
# A leaf instead, beside a program on another host (docs/operations.md):
#   WW_NATS_LEAF           the program's NATS user, whose password alone is in WW_NATS_PASSWORDS_DIR
#   WW_NATS_HUB            HOST:PORT of the hub, its WW_NATS_LEAF_PORT
set -euo pipefail
umask 077

: "${WW_NATS_CONFIG_DIR:=/run/nats}" "${WW_NATS_PASSWORDS_DIR:?}" "${WW_NATS_MAX_FILE:=16GiB}"
config=$WW_NATS_CONFIG_DIR/nats.conf

args=(--server-name "${WW_SERVER_NAME:-walletwire}" --port "${WW_NATS_PORT:-4222}"
  --monitor-port "${WW_NATS_MONITOR_PORT:-8222}" --passwords-dir "$WW_NATS_PASSWORDS_DIR")
[ -z "${WW_NATS_TLS_DIR:-}" ] || args+=(--tls-dir "$WW_NATS_TLS_DIR")
if [ -n "${WW_NATS_LEAF:-}" ]; then
  # On loopback: what its program says to it is not encrypted.
  args+=(--host "${WW_NATS_HOST:-127.0.0.1}" --leaf "$WW_NATS_LEAF" --hub "${WW_NATS_HUB:?}")
else
  args+=(--host "${WW_NATS_HOST:-0.0.0.0}" --store-dir "${WW_NATS_STORE_DIR:-/data}" --max-file-store "$WW_NATS_MAX_FILE"
    --leaf-port "${WW_NATS_LEAF_PORT:-0}")
fi
ww nats-config "${args[@]}" >"$config"
# A later word of the same name wins over an earlier one.
[ -z "${WW_NATS_EXTRA_DIR:-}" ] || cat "$WW_NATS_EXTRA_DIR"/*.conf >>"$config"
exec nats-server -c "$config"
