#!/usr/bin/env bash
# ./dev bench [SCENARIO]...: starts an optimised stack of its own on free ports, measures, stops it.
# Each scenario prints one JSON object a run; figures of this machine are in docs/performance.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

usage() {
  cat <<'TEXT'
usage: ./dev bench [SCENARIO...] [--repeat N] [--sockets N] [--minutes M] [--users N] [--churn N]
                   [--friends N] [--grace S]

  idle      what 10,000 idle, signed-in WebSockets cost one edge: memory, CPU of 50 s with two rounds of pings; beside
            Socket.IO
  connects  5,000 clients sign in, 200 at a time, with a token each (HS256, then RS256): beside Socket.IO
  fanout    20 broadcasts to 5,000 sockets, all at once and one by one: beside Socket.IO and a loop of send()
  latency   500 stored events a second: from publish to the socket, p50, p99, p99.9
  delivery  50,000 stored events for 1,000 users, 200 of them with a socket: events a second, CPU and
            memory, beside Redis, Node.js and Socket.IO doing the same
  steady    rates from 2,000 events a second on, for 10 s each: the highest that leaves no backlog
  balances  500 movements a second, each followed by a question to the bank: from publish to the
            new balance at the socket
  growth    what an event, and what open, list and heads cost with 10,000, 100,000 and 1,000,000 rows
  announce  an announcement to 1,000,000 known users: rows, doorbells, time to 1,000 sockets
  slow      latencies of 1,000 clients while 1 and 20 others read, and while these stop reading
  storm     18,000 WebSockets on one edge for 10 minutes with events, then the edge is killed and all
            of them come to another one at once
  presence  100,000 users come online within a minute, 12,000 of them with sockets; one has 5,000
            friends, 10,000 go and come: messages and CPU per change, memory, time to a friend's socket
  devices   what 10,000 devices cost NATS: a key for each, or words in reports
  interest  what 10,000, 100,000 and 1,000,000 users whose doorbells are wanted cost NATS
  chat      rooms of 2, 10 and 100 members, 400 sockets at two edges: messages a second, CPU of 1,000, time
            to every member's socket at half that rate
  history   10,000 rooms of 100 messages each: how long `rooms`, and `history` of 100 messages, take

  --repeat N    how often each scenario runs (3; those beside another, and slow: 5 pairs; storm and presence: once)
  --sockets N   of idle, connects, fanout, of the storm (18000), of presence (12 % of the users)
  --minutes M   how long the storm holds them (10)
  --users N     of presence (100000)
  --churn N     how many of these go and come (10 % of the users)
  --friends N   of the one who has many; each has a socket (5 % of the users)
  --grace S     until somebody who went is offline (30)
TEXT
}

scenarios=()
repeat=
sockets=
minutes=10
users=100000
churn=
friends=
grace=30
while [ $# -gt 0 ]; do
  case "$1" in
    idle | connects | fanout | latency | delivery | steady | balances | growth | announce | slow | storm | presence | devices | interest | chat | history) scenarios+=("$1") ;;
    --repeat) repeat=${2:?--repeat needs a number}; shift ;;
    --sockets) sockets=${2:?--sockets needs a number}; shift ;;
    --minutes) minutes=${2:?--minutes needs a number}; shift ;;
    --users) users=${2:?--users needs a number}; shift ;;
    --churn) churn=${2:?--churn needs a number}; shift ;;
    --friends) friends=${2:?--friends needs a number}; shift ;;
    --grace) grace=${2:?--grace needs a number}; shift ;;
    -h | --help) usage; exit 0 ;;
    *) printf "bench: unknown argument '%s'\n" "$1" >&2; usage >&2; exit 2 ;;
  esac
  shift
done
[ "${#scenarios[@]}" -gt 0 ] || scenarios=(idle latency)

export WW_DEV_PRESET=release
WW_DEV_RUN_DIR=$(mktemp -d)
export WW_DEV_RUN_DIR
chmod 755 "$WW_DEV_RUN_DIR"
bin=build/release/bin
status=$WW_DEV_RUN_DIR/status.json
# Clients and edges hold a descriptor a socket.
ulimit -n "$(ulimit -Hn)"

stop() {
  if [ -e "$WW_DEV_RUN_DIR/redis.port" ]; then
    tests/bench/reference/stack.sh down >&2
  else
    ./dev down --wipe >&2
  fi
}
trap stop EXIT
trap 'exit 130' INT TERM

# A fresh stack for each run: memory that an earlier run left behind must not hide in the difference.
# It has $replicas of ww-presence.
start() {
  ./dev up --no-build --no-bank --detach --free-ports --edges "$1" --presence "$replicas" --audit 0 >/dev/null
}

field() {
  jq -r "$1" "$status"
}

port() {
  field "$1" | sed 's/.*://'
}

backend_password() {
  cat "$WW_DEV_RUN_DIR/secrets/nats/backend"
}

idle_sockets() {
  "$bin/bench_idle" "$1" "$2" "$WW_DEV_RUN_DIR/keys" "${sockets:-10000}" 50
}

run_idle() {
  idle_sockets "$(port '.edges[0].http')" "$(field '.edges[0].pid')"
}

reference_idle() {
  idle_sockets "$(reference_port)" "$(pid server)"
}

# --- signing in ---

algorithm=HS256

# Prints the file of tokens. The servers read keys while they run.
make_tokens() {
  local private=$WW_DEV_RUN_DIR/bench.pem file=$WW_DEV_RUN_DIR/tokens

  if [ "$algorithm" = RS256 ]; then
    openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$private"
    openssl pkey -in "$private" -pubout -out "$WW_DEV_RUN_DIR/keys/bench.rs256.pem"
    node tests/bench/reference/tokens.mjs RS256 "$private" bench "${sockets:-5000}" >"$file"
    sleep 5 # until they have
  else
    node tests/bench/reference/tokens.mjs HS256 "$WW_DEV_RUN_DIR/keys/dev.hs256" dev "${sockets:-5000}" >"$file"
  fi
  printf '%s' "$file"
}

# Whatever works for it is counted, on both sides.
run_connects() {
  "$bin/bench_connects" "$(port '.edges[0].http')" "$(make_tokens)" 200 "$(pids edge=edge-1 nats postgres notifications presence)"
}

reference_connects() {
  "$bin/bench_connects" "$(reference_port)" "$(make_tokens)" 200 "$(pids server redis)"
}

# --- to everybody ---

fanout_how=burst
fanout_sockets() { printf '%s' "${sockets:-5000}"; }

run_fanout() {
  "$bin/bench_fanout" "$(port '.edges[0].http')" "$WW_DEV_RUN_DIR/keys" "$(fanout_sockets)" 20 "$fanout_how" \
    "$(pids edge=edge-1 nats postgres notifications)" "$bin/bench_announcer" "$(field .nats)" "$(backend_password)"
}

reference_fanout() {
  REDIS_URL=redis://127.0.0.1:$(cat "$WW_DEV_RUN_DIR/redis.port") \
    "$bin/bench_fanout" "$(reference_port)" "$WW_DEV_RUN_DIR/keys" "$(fanout_sockets)" 20 "$fanout_how" \
    "$(pids server redis)" node tests/bench/reference/announcer.mjs
}

# The kernel alone: one thread that sends the same frame to every socket.
floor_fanout() {
  local port out=$WW_DEV_RUN_DIR/floor server

  mkdir -p "$WW_DEV_RUN_DIR/keys"
  [ -e "$WW_DEV_RUN_DIR/keys/dev.hs256" ] || head -c 48 /dev/urandom | base64 -w 0 >"$WW_DEV_RUN_DIR/keys/dev.hs256"
  port=$((20000 + RANDOM % 10000))
  "$bin/bench_floor" "$port" >"$out" &
  server=$!
  until [ -s "$out" ]; do sleep 0.1; done
  # shellcheck disable=SC2016 # for the other shell
  "$bin/bench_fanout" "$port" "$WW_DEV_RUN_DIR/keys" "$(fanout_sockets)" 20 "$fanout_how" "floor=$server" \
    bash -c 'while read -r line; do printf "%s\n" "$line" >"/dev/udp/127.0.0.1/$1"; done' floor "$port"
  kill "$server"
  rm -f "$out"
}

run_latency() {
  "$bin/bench_latency" "$(port '.edges[0].http')" "$WW_DEV_RUN_DIR/keys" "$(field .nats)" \
    "$(backend_password)" 100 500 20
}

# Processes started in $WW_DEV_RUN_DIR.
pid() {
  cut -d ' ' -f 1 "$WW_DEV_RUN_DIR/pid/$1"
}

# "a=12,b=34" for the processes a, b; those of two words, like edge=edge-1, are named by the first.
pids() {
  local name list=()

  for name in "$@"; do
    list+=("${name%%=*}=$(pid "${name#*=}")")
  done
  (IFS=, && printf '%s' "${list[*]}")
}

# sql ROLE [ARGS...]
sql() {
  local role=$1

  shift
  psql -X -q -At -v ON_ERROR_STOP=1 "$@" "$(cat "$WW_DEV_RUN_DIR/secrets/postgres/$role.url")"
}

checkpoint() {
  PGPASSFILE=$WW_DEV_RUN_DIR/secrets/pgpass psql -X -q -h 127.0.0.1 -p "$(port .postgres | sed 's|/.*||')" \
    -U postgres -d postgres -c CHECKPOINT
}

reference_port() {
  cat "$WW_DEV_RUN_DIR/server.port"
}

must_be_stored() {
  [ "$1" = "$2" ] || { printf 'bench: %s of %s events are stored\n' "$1" "$2" >&2; return 1; }
}

# deliver USERS SOCKETS EVENTS: a backlog of ours.
deliver() {
  "$bin/bench_delivery" "$(port '.edges[0].http')" "$WW_DEV_RUN_DIR/keys" "$1" "$2" "$3" "$(pid notifications)" \
    "$(pids nats postgres notifications edge=edge-1)" \
    "$bin/bench_backlog" "$(field .nats)" "$(backend_password)" bench "$1" "$3"
}

delivery_events=50000

run_delivery() {
  deliver 1000 200 "$delivery_events"
  must_be_stored "$(sql notifications -c 'SELECT sum(n) FROM notifications.unread')" "$delivery_events"
  must_be_stored "$(sql notifications -c 'SELECT count(*) FROM notifications.inbox')" "$delivery_events"
}

reference_delivery() {
  REDIS_URL=redis://127.0.0.1:$(cat "$WW_DEV_RUN_DIR/redis.port") \
    "$bin/bench_delivery" "$(reference_port)" "$WW_DEV_RUN_DIR/keys" 1000 200 "$delivery_events" \
    "$(pid consumer)" "$(pids redis postgres consumer server)" \
    node tests/bench/reference/publish.mjs 1000 "$delivery_events"
  must_be_stored "$(sql reference -c 'SELECT count(*) FROM notifications')" "$delivery_events"
}

run_balances() {
  "$bin/bench_balances" "$(port '.edges[0].http')" "$WW_DEV_RUN_DIR/keys" "$(field .nats)" \
    "$(backend_password)" 1000 500 20
}

# run_requests SERVICE USERS COUNT
run_requests() {
  "$bin/bench_requests" "$(field .nats)" "$(cat "$WW_DEV_RUN_DIR/secrets/nats/edge")" "$1" "$2" "$3"
}

# run_slow SLOW read|mute
run_slow() {
  "$bin/bench_slow" "$(port '.edges[0].http')" "$(port '.edges[0].admin')" "$(field '.edges[0].pid')" \
    "$WW_DEV_RUN_DIR/keys" "$(field .nats)" "$(backend_password)" 1000 "$1" "$2" 20
}

run_storm() {
  # shellcheck source=/dev/null
  . "$WW_DEV_RUN_DIR/env"
  "$bin/bench_storm" "$(port '.edges[0].http')" "$(port '.edges[0].admin')" "$(field '.edges[0].pid')" \
    "$(port '.edges[1].http')" "$(port '.edges[1].admin')" "$(port '.services[0].admin')" \
    "$WW_DEV_RUN_DIR/keys" "$(field .nats)" "$(backend_password)" "$(cat "$WW_DATABASE_URL_FILE")" \
    "${sockets:-18000}" 200 "$((minutes * 60))"
}

# The replica that speaks: it holds the lock for it.
presence_speaker() {
  sql presence -c "SELECT split_part(application_name, '/', 2) FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND application_name LIKE 'ww-presence/%/speaker'"
}

run_presence() {
  local speaker standby=presence

  until speaker=$(presence_speaker) && [ -n "$speaker" ]; do sleep 0.2; done
  [ "$speaker" != presence ] || standby=presence-2
  "$bin/bench_presence" "$(port '.edges[0].http')" "$(port '.edges[1].http')" \
    "$(port ".services[] | select(.name == \"$speaker\") | .admin")" "$WW_DEV_RUN_DIR/keys" "$(field .nats)" \
    "$(cat "$WW_DEV_RUN_DIR/secrets/nats/edge")" "$(cat "$WW_DEV_RUN_DIR/secrets/postgres/presence.url")" \
    "$(pids nats postgres notifications "presence=$speaker" "standby=$standby" edge=edge-1 other=edge-2)" \
    "$users" "${sockets:-$((users * 12 / 100))}" "${friends:-$((users / 20))}" "${churn:-$((users / 10))}" 60 "$((grace * 1000))"
}

run_devices() {
  "$bin/bench_devices" "$(field .nats)" "$(cat "$WW_DEV_RUN_DIR/secrets/nats/edge")" \
    "$(cat "$WW_DEV_RUN_DIR/secrets/nats/presence")" "$(pids nats)" 10000
}

run_interest() {
  "$bin/bench_interest" "$(field .nats)" "$(cat "$WW_DEV_RUN_DIR/secrets/nats/edge")" \
    "$(cat "$WW_DEV_RUN_DIR/secrets/nats/notifications")" "$(pids nats)"
}

# run_chat MEMBERS
run_chat() {
  "$bin/bench_chat" "$(port '.edges[0].http')" "$(port '.edges[1].http')" "$WW_DEV_RUN_DIR/keys" "$1" "$((400 / $1))" 15 \
    "$(pids nats postgres chat notifications edge=edge-1 other=edge-2)"
}

rooms=10000

run_history() {
  sql chat -v "rooms=$rooms" -f tests/bench/rooms.sql
  sql chat -c 'VACUUM ANALYZE chat.rooms, chat.members, chat.messages'
  checkpoint
  run_requests chat "$rooms" 5000
}

# measure EDGES NAME COMMAND...
measure() {
  local edges=$1 name=$2

  shift 2
  start "$edges"
  printf '%s ' "$name"
  "$@"
  ./dev down --wipe >&2
}

# measure_reference COMMAND...
measure_reference() {
  tests/bench/reference/stack.sh up >&2
  printf 'reference '
  "$@"
  tests/bench/reference/stack.sh down >&2
}

times() {
  local i

  for ((i = 1; i <= $1; i++)); do
    measure "$2" "$3" "run_$3"
  done
}

# compare SCENARIO PAIRS KEY...: runs of ours and of the reference in turn, so that whatever else this machine does meets both;
# then the medians of the keys, and their ratios.
compare() {
  local scenario=$1 pairs=$2 keys results i

  shift 2
  keys=$(printf '%s\n' "$@" | jq -Rsc 'split("\n")[:-1]')
  results=$(mktemp)
  for ((i = 1; i <= pairs; i++)); do
    measure 1 "$scenario" "run_$scenario" | tee -a "$results"
    measure_reference "reference_$scenario" | tee -a "$results"
    if declare -F "floor_$scenario" >/dev/null; then
      printf 'floor %s\n' "$("floor_$scenario")" | tee -a "$results"
    fi
  done
  jq -Rsc --argjson keys "$keys" '
    def median: sort | (.[(length - 1) / 2 | floor] + .[length / 2 | floor]) / 2;
    def rounded: . * 100 | round / 100;
    [split("\n")[] | select(. != "") | split(" ") | {who: .[0], run: (.[1] | fromjson)}] as $all
    | def of($who; $key): [$all[] | select(.who == $who) | .run | getpath($key / ".")];
      def against($key; $who; $name): if of($who; $key) == [] then {} else {($who): (of($who; $key) | median | rounded),
        ($name): ([of($all[0].who; $key), of($who; $key)] | transpose | map(.[0] / .[1]) | median | rounded)} end;
    {pairs: ([$all[] | select(.who == "reference")] | length)}
    + ($keys | map({(.): ({ours: (of($all[0].who; .) | median | rounded)} + against(.; "reference"; "ratio") + against(.; "floor"; "ofFloor"))}) | add)' \
    "$results" | sed "s/^/$scenario medians /"
  rm -f "$results"
}

# Rates rise until one is too much: then the last events wait for half a second and longer.
find_steady() {
  local rate result highest=0

  for ((rate = 2000; rate <= 40000; rate += 2000)); do
    result=$("$bin/bench_latency" "$(port '.edges[0].http')" "$WW_DEV_RUN_DIR/keys" "$(field .nats)" \
      "$(backend_password)" 1000 "$rate" 10) || break
    printf '\nsteady %s' "$result"
    [ "$(jq '.p99ms < 500' <<<"$result")" = true ] || break
    highest=$rate
  done
  printf '\nsteady {"perSecond":%d}\n' "$highest"
}

grow() {
  local rows=$1

  "$bin/bench_backlog" "$(field .nats)" "$(backend_password)" first 1000 1000
  until [ "$(sql notifications -c 'SELECT count(*) FROM notifications.inbox')" = 1000 ]; do sleep 0.1; done
  sql notifications -v "rows=$((rows - 1000))" -f tests/bench/rows.sql
  # What the server would have done by then, and must not do while we measure.
  sql notifications -c 'VACUUM ANALYZE notifications.users, notifications.inbox,
    notifications.mailbox, notifications.bodies, notifications.applied_a, notifications.applied_b'
  checkpoint
  printf '{"rows":%d,"apply":' "$rows"
  deliver 1000 200 50000 | tr -d '\n'
  printf ',"requests":'
  run_requests notifications 1000 2000 | tr -d '\n'
  printf '}\n'
}

compare_growth() {
  local results i rows

  results=$(mktemp)
  for ((i = 1; i <= $1; i++)); do
    for rows in 10000 100000 1000000; do
      measure 1 growth grow "$rows" | tee -a "$results"
    done
  done
  sed 's/^growth //' "$results" | jq -sc '
    def median: sort | (.[(length - 1) / 2 | floor] + .[length / 2 | floor]) / 2;
    def rounded: . * 100 | round / 100;
    def sizes(key): [group_by(.rows)[] | map(key) | median | rounded];
    def ratio: . + [.[2] / .[0] | rounded];
    {rows: [group_by(.rows)[] | .[0].rows], runs: (group_by(.rows)[0] | length)}
    + ({perSecond: sizes(.apply.perSecond), cpuMsPerThousand: sizes(.apply.cpuMsPerThousand.all),
        postgresMsPerThousand: sizes(.apply.cpuMsPerThousand.postgres), openMs: sizes(.requests.open.p50ms),
        listMs: sizes(.requests.list.p50ms), headsMs: sizes(.requests.heads.p50ms)}
       | map_values(ratio))' | sed 's/^/growth medians, and the last to the first /'
  rm -f "$results"
}

# Rows inserted, updated and deleted so far. Sessions report them within ten seconds.
rows_written() {
  sleep 12
  sql notifications -c "SELECT coalesce(sum(n_tup_ins), 0), coalesce(sum(n_tup_upd), 0), coalesce(sum(n_tup_del), 0)
    FROM pg_stat_user_tables WHERE relname <> 'progress' AND relname NOT LIKE 'applied%'"
}

run_announce() {
  local before after requests

  sql notifications -c "INSERT INTO notifications.users (user_id, seq, rev)
    SELECT 'user-' || n, 1, 1 FROM generate_series(0, 999999) n" -c 'VACUUM ANALYZE notifications.users'
  requests=$(run_requests notifications 1000000 2000)
  before=$(rows_written)
  "$bin/bench_announce" "$(port '.edges[0].http')" "$WW_DEV_RUN_DIR/keys" "$(field .nats)" "$(backend_password)" \
    "$(cat "$WW_DEV_RUN_DIR/secrets/nats/ops")" 1000
  after=$(rows_written)
  printf 'announce {"rowsBefore":"%s","rowsAfter":"%s"}\n' "$before" "$after"
  printf 'announce requests before %s\n' "$requests"
  printf 'announce requests after %s\n' "$(run_requests notifications 1000000 2000)"
}

# Runs of both kinds in turn, so that whatever else this machine does meets both; then their medians.
compare_slow() {
  local slow=$1 results i how

  results=$(mktemp)
  for ((i = 1; i <= $2; i++)); do
    for how in read mute; do
      measure 1 slow run_slow "$slow" "$how" | tee -a "$results"
    done
  done
  sed 's/^slow //' "$results" | jq -sc '
    def median: sort | (.[(length - 1) / 2 | floor] + .[length / 2 | floor]) / 2;
    def of(read; key): map(select(.slowRead == read) | .[key]) | median;
    {slow: .[0].slow, pairs: (length / 2)}
    + ([("p50ms", "p99ms") as $key
        | {($key): {read: of(true; $key), stopped: of(false; $key),
                    ratio: (of(false; $key) / of(true; $key) * 100 | round / 100)}}] | add)' |
    sed 's/^/slow medians /'
  rm -f "$results"
}

for scenario in "${scenarios[@]}"; do
  replicas=1
  case "$scenario" in
    latency | balances | announce | history) times "${repeat:-3}" 1 "$scenario" ;;
    delivery) compare delivery "${repeat:-5}" perSecond cpuMsPerThousand.all pssMiB.all ;;
    idle) compare idle "${repeat:-5}" bytesPerSocket cpuMsPerSecond connectSeconds ;;
    connects)
      for algorithm in HS256 RS256; do
        compare connects "${repeat:-5}" perSecond cpuMsPerThousand.all
      done
      ;;
    fanout)
      for fanout_how in burst single; do
        compare fanout "${repeat:-5}" framesPerSecond cpuMsPerThousand.all p50ms
      done
      ;;
    steady)
      for ((i = 1; i <= ${repeat:-3}; i++)); do
        measure 1 steady find_steady
      done
      ;;
    growth) compare_growth "${repeat:-3}" ;;
    slow)
      compare_slow 1 "${repeat:-5}"
      compare_slow 20 "${repeat:-5}"
      ;;
    storm)
      export WW_MAX_SOCKETS=20000
      times "${repeat:-1}" 2 storm
      ;;
    presence)
      replicas=2
      # Nobody is away because nothing happens for five minutes of a run.
      export WW_OFFLINE_GRACE=${grace}s WW_AWAY_AFTER=1h WW_STATUS_RATE=0
      times "${repeat:-1}" 2 presence
      ;;
    devices | interest)
      replicas=0
      times "${repeat:-3}" 1 "$scenario"
      ;;
    chat)
      # A client says more here than people do.
      export WW_CHAT_RATE=100000 WW_CHAT_BURST=100000 WW_EVENT_RATE=100000 WW_EVENT_BURST=100000
      for ((i = 1; i <= ${repeat:-3}; i++)); do
        for members in 2 10 100; do
          measure 2 chat run_chat "$members"
        done
      done
      ;;
  esac
done
