# Processes under a supervisor each: .run/pid/NAME.supervisor and .run/pid/NAME hold "PID STARTTIME".
# A pid counts only with its start time, so that a number the kernel gave away again is left alone.
# shellcheck shell=bash

STOP_WITHIN_S=20 # a service may drain for 10 s

# When a process was started, in clock ticks since boot; empty if there is none.
process_start_time() {
  local stat

  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
  # Fields are counted after the command's name, which may hold spaces and parentheses.
  # shellcheck disable=SC2086 # to be split
  set -- ${stat##*) }
  # A zombie is gone for all who ask.
  [ "$1" = Z ] || printf '%s' "${20}"
}

# process_pid FILE: prints the pid if that very process still lives, else fails.
process_pid() {
  local pid started

  { read -r pid started <"$1"; } 2>/dev/null || return 1
  [ -n "$started" ] && [ "$(process_start_time "$pid")" = "$started" ] || return 1
  printf '%s' "$pid"
}

# process_record FILE PID: atomically, for readers at any time.
process_record() {
  printf '%s %s\n' "$2" "$(process_start_time "$2")" >"$1.$BASHPID" && mv "$1.$BASHPID" "$1"
}

# supervise NAME SIGNAL COMMAND...: starts COMMAND and keeps it running; SIGNAL is what ends it.
# In a session of its own, so that a Ctrl-C in this terminal reaches only ./dev.
supervise() {
  local name=$1

  setsid bash "$ROOT/scripts/supervisor.sh" "$RUN_DIR" "$@" </dev/null >>"$RUN_DIR/log/supervisor.log" 2>&1 9>&- &
  process_record "$RUN_DIR/pid/$name.supervisor" $!
}

# Asks the named processes to stop, all at once, and waits until the last of them is gone.
unsupervise() {
  local name pid file deadline=$((SECONDS + STOP_WITHIN_S))

  for name in "$@"; do
    pid=$(process_pid "$RUN_DIR/pid/$name.supervisor") && kill -TERM "$pid" 2>/dev/null || true
  done
  for name in "$@"; do
    while process_pid "$RUN_DIR/pid/$name.supervisor" >/dev/null && [ "$SECONDS" -lt "$deadline" ]; do
      sleep 0.05
    done
    for file in "$RUN_DIR/pid/$name.supervisor" "$RUN_DIR/pid/$name"; do
      if pid=$(process_pid "$file"); then
        say "    $name did not stop in $STOP_WITHIN_S s: killed"
        kill -KILL "$pid" 2>/dev/null || true
      fi
      rm -f "$file"
    done
  done
}

# Waits until CONDITION... holds while the process NAME lives; shows its log when it does not.
wait_for() {
  local name=$1 limit=$2 deadline

  shift 2
  deadline=$((SECONDS + limit))
  until "$@"; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      tail -n 30 "$RUN_DIR/log/$name.log" >&2 2>/dev/null || true
      die "$name was not ready within $limit s; its log: $RUN_DIR/log/$name.log"
    fi
    sleep 0.05
  done
}
