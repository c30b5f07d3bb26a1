#!/usr/bin/env bash
# Holds includes and links to the layers of the project: check.sh [ROOT]
#
# - A library of ours includes only lower ones: base < log config metrics < loop bus db http token
#   codec ledger < events service < services. Libraries of one layer do not include each other, services neither.
# - One library, one door: each third-party library is included and linked by one library of ours.
# Tests may include anything. Prints file and line of every breach; exit 1 if there is one.
set -euo pipefail

ROOT=$(cd "${1:-$(dirname "${BASH_SOURCE[0]}")/../..}" && pwd)
cd "$ROOT"

# rank name, lowest first
LAYERS='0 base
1 log
1 config
1 metrics
2 loop
2 bus
2 db
2 http
2 token
2 codec
2 ledger
3 events
3 service'

# name, header (regular expression), imported target (regular expression), who may use it
DOORS='nats.c ^(nats/.*|nats\.h)$ PkgConfig::NATS libs/bus
libpq ^(libpq-fe\.h|libpq/.*|postgresql/.*|postgres_ext\.h|pg_config.*\.h)$ PkgConfig::PQ libs/db
libssl ^(openssl/(ssl|tls1)\.h)$ PkgConfig::SSL libs/db
civetweb ^(civetweb\.h)$ CIVETWEB_LIBRARY libs/http
libjwt ^(jwt\.h|jwt/.*)$ PkgConfig::JWT libs/token
jansson ^(jansson\.h)$ PkgConfig::JANSSON libs/codec,libs/token
msgpack ^(msgpack\.h|msgpack/.*)$ PkgConfig::MSGPACK libs/codec
libuv ^(uv\.h|uv/.*)$ PkgConfig::UV libs/loop
zlib ^(zlib\.h|zconf\.h)$ PkgConfig::ZLIB libs/http'

# file:line:text of every include and link of libs/ and services/
sources() {
  find libs services \( -name '*.c' -o -name '*.h' \) -type f -exec grep -nHE '^[[:space:]]*#[[:space:]]*include' {} + || true
  find libs services -name CMakeLists.txt -type f -exec grep -nHE 'PkgConfig::|_LIBRARY\}' {} + || true
}

sources | LC_ALL=C sort -t: -k1,1 -k2,2n | LAYERS=$LAYERS DOORS=$DOORS awk '
  function breach(text) {
    printf "%s:%d: %s\n", file, line, text
    breaches++
  }
  function owner(path, part) {
    split(path, part, "/")
    return part[1] "/" part[2]
  }
  function check_doors(thing, column, what,   d) {
    for (d = 1; d <= doors; d++) {
      if (thing ~ door[d, column] && index("," door[d, 4] ",", "," owner(file) ",") == 0)
        breach(what " " thing ": " door[d, 1] " belongs to " door[d, 4] " alone; use its header")
    }
  }
  function check_layers(header, part,   mine, theirs) {
    split(header, part, "/")
    theirs = part[1]
    split(file, part, "/")
    mine = part[2]
    if (header ~ /^\.\.?\// || header ~ /\/\.\.?\//)
      return breach("includes " header ": write the path from libs/, not a relative one")
    if (header !~ /\//)
      return
    if (part[1] == "libs") {
      if (theirs in rank && theirs != mine && rank[theirs] >= rank[mine])
        breach("includes " header ": libs/" mine " is " (rank[theirs] == rank[mine] ? "beside" : "below") " libs/" theirs)
      if (theirs in service)
        breach("includes " header ": a library may not know a service")
    } else if (theirs in service && theirs != mine && !(theirs in rank)) {
      breach("includes " header ": services share nothing but NATS subjects")
    }
  }
  BEGIN {
    n = split(ENVIRON["LAYERS"], rows, "\n")
    for (i = 1; i <= n; i++) {
      split(rows[i], field, " ")
      rank[field[2]] = field[1]
    }
    doors = split(ENVIRON["DOORS"], rows, "\n")
    for (i = 1; i <= doors; i++) {
      split(rows[i], field, " ")
      for (j = 1; j <= 4; j++)
        door[i, j] = field[j]
    }
    n = split("edge notifications chat presence audit outbox cli", field, " ")
    for (i = 1; i <= n; i++)
      service[field[i]] = 1
  }
  {
    file = $0; sub(/:.*/, "", file)
    line = $0; sub(/^[^:]*:/, "", line); sub(/:.*/, "", line)
    text = $0; sub(/^[^:]*:[^:]*:/, "", text)
    lines++
    split(file, path, "/")
    if (path[1] == "libs" && path[2] != "CMakeLists.txt" && !(path[2] in rank) && !(path[2] in told)) {
      told[path[2]] = 1
      breach("libs/" path[2] " has no place in the layers: add it to tests/layers/check.sh")
    }
    if (file ~ /CMakeLists\.txt$/) {
      while (match(text, /PkgConfig::[A-Z_]+|[A-Z]+_LIBRARY/)) {
        check_doors(substr(text, RSTART, RLENGTH), 3, "links")
        text = substr(text, RSTART + RLENGTH)
      }
    } else if (match(text, /["<][^">]+[">]/)) {
      header = substr(text, RSTART + 1, RLENGTH - 2)
      check_doors(header, 2, "includes")
      check_layers(header)
    }
  }
  END {
    if (lines == 0) {
      print "found no include at all: is this the right folder?"
      exit 1
    }
    printf "layers: %d includes and links, %d breaches\n", lines, breaches
    exit breaches > 0
  }'
