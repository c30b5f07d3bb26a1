#!/usr/bin/env bash
# The layer check finds every kind of breach, and nothing in a tree without one.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TREE=$(mktemp -d)
trap 'rm -rf "$TREE"' EXIT
FAILED=0

plant_clean_tree() {
  rm -rf "${TREE:?}"/*
  mkdir -p "$TREE"/libs/{base,log,bus,db,codec,service} "$TREE"/services/{edge,notifications}
  printf '#include <stdio.h>\n#include "base/err.h"\n' >"$TREE/libs/base/err.c"
  printf '#include "base/err.h"\n#include <nats/nats.h>\n#include "log/log.h"\n#include "bus/inner.h"\n' >"$TREE/libs/bus/bus.c"
  printf 'ww_library(bus SOURCES bus.c LINK ww::log PkgConfig::NATS)\n' >"$TREE/libs/bus/CMakeLists.txt"
  printf '#include <jansson.h>\n' >"$TREE/libs/codec/json.c"
  printf '#include "bus/bus.h"\n#include "db/db.h"\n' >"$TREE/libs/service/service.c"
  printf '#include "service/service.h"\n#include "hub.h"\n#include "edge/hub.h"\n' >"$TREE/services/edge/main.c"
}

# breach EXPECTED FILE LINE: with LINE as line 2 of FILE the check fails and says EXPECTED there.
breach() {
  local expected=$1 file=$2 output

  plant_clean_tree
  printf '/* first */\n%s\n' "$3" >"$TREE/$file"
  if output=$(bash "$HERE/check.sh" "$TREE"); then
    printf 'not found: %s in %s\n' "$3" "$file"
  elif [[ $output != *"$file:2: "*"$expected"* ]]; then
    printf 'wrong message for %s in %s:\n%s\n' "$3" "$file" "$output"
  else
    return 0
  fi
  FAILED=1
}

plant_clean_tree
if ! output=$(bash "$HERE/check.sh" "$TREE"); then
  printf 'a clean tree was refused:\n%s\n' "$output"
  FAILED=1
fi

breach 'libs/base is below libs/log' libs/base/a.c '#include "log/log.h"'
breach 'libs/bus is beside libs/db' libs/bus/a.c '  #  include "db/db.h"'
breach 'libs/log is beside libs/config' libs/log/a.h '#include "config/config.h"'
breach 'libs/db is below libs/service' libs/db/a.c '#include "service/service.h"'
breach 'a library may not know a service' libs/service/a.c '#include "edge/hub.h"'
breach 'services share nothing but NATS subjects' services/edge/a.c '#include "notifications/store.h"'
breach 'not a relative one' services/edge/a.c '#include "../notifications/store.h"'
breach 'nats.c belongs to libs/bus' services/edge/a.c '#include <nats/nats.h>'
breach 'nats.c belongs to libs/bus' libs/db/a.c '#include "nats.h"'
breach 'libpq belongs to libs/db' services/notifications/a.c '#include <libpq-fe.h>'
breach 'civetweb belongs to libs/http' services/edge/a.c '#include <civetweb.h>'
breach 'libjwt belongs to libs/token' services/edge/a.c '#include <jwt.h>'
breach 'jansson belongs to libs/codec,libs/token' services/edge/a.c '#include <jansson.h>'
breach 'msgpack belongs to libs/codec' services/edge/a.c '#include <msgpack.h>'
breach 'libuv belongs to libs/loop' libs/bus/a.c '#include <uv.h>'
breach 'zlib belongs to libs/http' services/edge/a.c '#include <zlib.h>'
breach 'links PkgConfig::PQ' services/edge/CMakeLists.txt 'ww_program(x LINK PkgConfig::PQ)'
breach 'links PkgConfig::NATS' libs/db/CMakeLists.txt 'ww_library(db LINK ww::base PkgConfig::PQ PkgConfig::NATS)'

[ "$FAILED" -eq 0 ] && printf 'the layer check finds what it should\n'
exit "$FAILED"
