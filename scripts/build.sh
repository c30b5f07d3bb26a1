# Configuring and building with the presets of CMakePresets.json.
# shellcheck shell=bash

# What ./dev up may start, and who works with it.
# shellcheck disable=SC2034 # read by the scripts that source this one
PROGRAMS=(ww ww-audit ww-chat ww-edge ww-notifications ww-outbox ww-presence)

# build PRESET [TARGET...]: everything when no target is named.
build() {
  local preset=$1 target args=()

  shift
  for target in "$@"; do
    args+=(--target "$target")
  done
  # Always configured: it takes a second, and a folder that appeared is seen.
  step "configure $preset" cmake --preset "$preset"
  step "build $preset" cmake --build "build/$preset" -j "$JOBS" "${args[@]}"
}

bin_dir() {
  printf '%s' "$ROOT/build/$1/bin"
}

# What the sanitizers are told, wherever one of our programs is started; tests may add something for ASan.
sanitizer_env() {
  printf '%s\n' \
    "ASAN_OPTIONS=detect_leaks=1${WW_ASAN_OPTIONS:+:$WW_ASAN_OPTIONS}" \
    "LSAN_OPTIONS=suppressions=$ROOT/tests/lsan.supp" \
    "UBSAN_OPTIONS=print_stacktrace=1" \
    "TSAN_OPTIONS=suppressions=$ROOT/tests/tsan.supp"
}
