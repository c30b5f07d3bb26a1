#!/bin/bash
# ww-ready PORT PATH: whether a GET at this container's own address is answered with 200. The image has no curl.
set -u

ask() {
  exec 3<>"/dev/tcp/127.0.0.1/$1" || return
  printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' "$2" >&3
  read -r -t 2 _ code _ <&3
  [ "${code:-}" = 200 ]
}

[ $# -eq 2 ] || {
  echo "usage: ww-ready PORT PATH" >&2
  exit 2
}
ask "$1" "$2" 2>/dev/null
