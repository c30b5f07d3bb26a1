# TCP ports of 127.0.0.1, read from /proc so that no tool is needed.
# shellcheck shell=bash

port_is_busy() {
  local hex

  printf -v hex '%04X' "$1"
  # A socket in any state but TIME_WAIT (06) keeps the port from being bound.
  awk -v port=":$hex" 'FNR > 1 && substr($2, length($2) - 4) == port && $4 != "06" { found = 1 } END { exit !found }' \
    /proc/net/tcp /proc/net/tcp6 2>/dev/null
}

# A port that is picked is not bound yet: for ten minutes a file of its name keeps other stacks of this machine from picking
# it as well.
PORTS_DIR=${TMPDIR:-/tmp}/ww-ports.$UID

port_reserve() {
  mkdir -p "$PORTS_DIR"
  find "$PORTS_DIR" -name "$1" -mmin +10 -delete
  (set -o noclobber && : >"$PORTS_DIR/$1") 2>/dev/null
}

# Sets PORT to one that is free now and was given to nobody lately. Below 32768, so that no outgoing connection takes it
# before our server does.
port_pick() {
  local try

  for ((try = 0; try < 200; try++)); do
    PORT=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    port_is_busy "$PORT" && continue
    port_reserve "$PORT" || continue
    return
  done
  die "found no free port between 20000 and 32000"
}

# http_status PORT PATH: the status code of a GET, empty when nothing answers within 2 s.
http_status() {
  local port=$1 path=$2

  # shellcheck disable=SC2016 # expanded by the inner shell, whose time is limited
  timeout 2 bash -c '
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    printf "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n" "$2" >&3
    read -r _ code _ <&3
    printf "%s" "$code"' _ "$port" "$path" 2>/dev/null || true
}

port_answers() {
  timeout 2 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1"' _ "$1" 2>/dev/null
}
