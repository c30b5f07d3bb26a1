# What runs, as JSON and for people. Used by ./dev and by every supervisor, whose RUN_DIR is set.
# shellcheck shell=bash

# Where everything listens: .run/stack.sh, written by stack_plan.
status_load() {
  [ -r "$RUN_DIR/stack.sh" ] || return 1
  # shellcheck source=/dev/null
  . "$RUN_DIR/stack.sh"
}

# A row per process of ours: kind, name, port or "-", admin port, pid or "-".
status_rows() {
  local entry kind name port admin

  for entry in "${STACK_EDGES[@]}" "${STACK_SERVICES[@]}"; do
    IFS=: read -r kind name port admin <<<"$entry"
    printf '%s %s %s %s %s\n' "$kind" "$name" "$port" "$admin" "$(process_pid "$RUN_DIR/pid/$name" || printf -- -)"
  done
}

status_json() {
  status_rows | jq -nR --arg http "$STACK_HTTP_PORT" --arg https "$STACK_HTTPS_PORT" --arg nats "$STACK_NATS_PORT" --arg postgres "$STACK_POSTGRES_PORT" '
    def url($port): "http://127.0.0.1:" + $port;
    def pid($text): if $text == "-" then null else ($text | tonumber) end;
    [inputs | split(" ")] as $rows | {
      http: url($http),
      https: ("https://127.0.0.1:" + $https),
      nats: ("nats://127.0.0.1:" + $nats),
      postgres: ("postgresql://notifications@127.0.0.1:" + $postgres + "/walletwire"),
      edges: [$rows[] | select(.[0] == "edge")
        | { id: .[1], http: url(.[2]), admin: url(.[3]), pid: pid(.[4]) }],
      services: [$rows[] | select(.[0] != "edge")
        | { name: .[1], admin: url(.[3]), pid: pid(.[4]) }
          + if .[0] == "bank" then { url: (url($http) + "/bank/api") } else {} end]
    }'
}

# Refreshes status.json. Under a lock, so that the last one to write is the last one to have looked.
status_write() {
  (
    flock 8
    status_load && status_json >"$RUN_DIR/status.json.new" && mv "$RUN_DIR/status.json.new" "$RUN_DIR/status.json"
  ) 8>"$RUN_DIR/status.lock"
}
