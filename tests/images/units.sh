#!/usr/bin/env bash
# The units that `cmake --install` brought, under a systemd that runs (machine.sh): prints `fine: FACT` or `FAILED: FACT`.
#
#   units.sh CLIENT    CLIENT is a program that is told the address of HAProxy and a token of alice, and ends with 0 when
#                      it is shown what is published then
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=scripts/ports.sh
. scripts/ports.sh
DIR=/etc/walletwire
UNITS=(ww-nats ww-provision ww-notifications ww-presence ww-chat ww-audit ww-outbox ww-edge@3001 ww-edge@3002)
ADMIN=(9091 9092 9093 9094 9095 13001 13002)
START_S=90 # an edge may drain for a minute
FAILURES=0

fact() {
  local name=$1

  shift
  if "$@"; then
    echo "fine: $name"
  else
    echo "FAILED: $name"
    FAILURES=$((FAILURES + 1))
    systemctl --no-pager --lines=0 status 'ww-*' >&2 || true
    journalctl --no-pager -n 60 >&2 || true
  fi
}

within() {
  local deadline=$((SECONDS + START_S))

  until "$@"; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.2
  done
}

# What docs/operations.md has an administrator do.
prepare() {
  systemd-sysusers && systemctl daemon-reload &&
    bash tests/images/servers.sh secrets "$DIR" 5432 && ww audit key --make "$DIR/secrets/audit.pem" >"$DIR/audit.pub" &&
    bash tests/images/servers.sh postgres "$DIR" 5432 &&
    chmod -R go= "$DIR" && chmod 711 "$DIR" && chgrp -R walletwire-keys "$DIR/keys" && chmod -R g+rX "$DIR/keys"
}

target_starts() {
  systemctl enable --quiet walletwire.target "${UNITS[@]}" && systemctl start --no-block walletwire.target
}

all_ready() {
  local port

  for port in "${ADMIN[@]}"; do
    [ "$(http_status "$port" /readyz)" = 200 ] || return
  done
}

# The user that systemd made for it, who is in no file, with no capability and under a filter of system calls.
is_confined() {
  local pid status

  pid=$(systemctl show --value -p MainPID "$1")
  status=$(<"/proc/$pid/status")
  [[ $status == *$'CapEff:\t0000000000000000'* && $status == *$'CapBnd:\t0000000000000000'* ]] &&
    [[ $status == *$'NoNewPrivs:\t1'* && $status == *$'Seccomp:\t2'* ]] && [ "$(stat -c %u "/proc/$pid")" -ge 61184 ]
}

all_confined() {
  local unit

  for unit in "${UNITS[@]}"; do
    [ "$unit" = ww-provision ] || is_confined "$unit" || return
  done
}

published_is_shown() {
  bash tests/images/servers.sh haproxy "$DIR" 8080 8443 "" 3001:13001 3002:13002 &&
    "$CLIENT" http://127.0.0.1:8080 "$(ww token --keys-dir "$DIR/keys" --user alice)" &&
    ww inbox verify alice --passwords-dir "$DIR/secrets/nats"
}

# One that is killed, and one that is told to stop: by then it has drained.
comes_back() {
  systemctl kill -s KILL ww-notifications && within all_ready && systemctl restart ww-edge@3001 && within all_ready &&
    [ "$(systemctl show --value -p NRestarts ww-notifications)" -ge 1 ]
}

all_inactive() {
  local unit

  for unit in "${UNITS[@]}"; do
    case "$(systemctl is-active "$unit")" in inactive | failed) ;; *) return 1 ;; esac
  done
}

stops_well() {
  local unit

  # nats-server 2.9.10 ends with 1 whenever it is told to.
  systemctl stop walletwire.target && within all_inactive && for unit in "${UNITS[@]}"; do
    [ "$unit" = ww-nats ] || [ "$(systemctl show --value -p Result "$unit")" = success ] || return
  done
}

CLIENT=$1
fact "an administrator's steps" prepare
fact "the target starts all that is enabled" target_starts
fact "they are ready" within all_ready
fact "each is confined" all_confined
fact "what is published is shown by HAProxy and an edge" published_is_shown
fact "a program that is killed comes back, an edge that is restarted too" comes_back
fact "all stop well with the target" stops_well
[ "$FAILURES" -eq 0 ]
