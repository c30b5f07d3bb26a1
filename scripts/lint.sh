# ./dev lint and ./dev fmt.
# shellcheck shell=bash

LINT_BUILD=build/dev # whose compile_commands.json clang-tidy reads

# lint_files PATTERN...: files of the repository, also those not committed yet; with LINT_CHANGED only
# those that differ from the last commit.
lint_files() {
  if $LINT_CHANGED; then
    { git diff --name-only --diff-filter=d HEAD -- "$@" && git ls-files --others --exclude-standard -- "$@"; } | sort -u
  else
    git ls-files --cached --others --exclude-standard -- "$@" | while read -r file; do
      [ ! -e "$file" ] || printf '%s\n' "$file"
    done
  fi
}

lint_shell_files() {
  lint_files '*.sh' dev .ci/run
}

lint_format() {
  lint_files '*.c' '*.h' | xargs -r clang-format-14 --style=file --dry-run -Werror
}

# One file a process: clang-tidy 14 takes every va_list for uninitialised from its second file on.
# A source that no target compiles has no flags to be parsed with.
lint_tidy() {
  lint_files '*.c' | while read -r file; do
    ! grep -qF "\"file\": \"$ROOT/$file\"" "$LINT_BUILD/compile_commands.json" || printf '%s\n' "$file"
  done | xargs -r -n 1 -P "$JOBS" clang-tidy-14 -p "$LINT_BUILD" --quiet 2>&1 |
    { grep -vE '^[0-9]+ warnings? generated\.$' || true; }
}

lint_shell() {
  lint_shell_files | xargs -r shellcheck -x
}

lint_layers() {
  bash tests/layers/check.sh && bash tests/layers/selftest.sh
}

# Types are part of the rules, so all of it is built.
lint_clients() {
  [ -n "$(lint_files clients)" ] || return 0
  node_install clients && npm --prefix clients run --silent build && npm --prefix clients run --silent lint
}

# Long functions are where trouble gathers. Our style puts a function's braces in the first column.
lint_longest() {
  printf 'The ten longest functions:\n'
  lint_files 'libs/*.c' 'services/*.c' | xargs -r awk '
    FNR == 1 { inside = 0; name = "" }
    /^[A-Za-z_].*\(/ && !inside { name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name) }
    /^\{/ { inside = 1; start = FNR }
    /^\}/ && inside { printf "%5d  %s:%d %s\n", FNR - start + 1, FILENAME, start, name; inside = 0 }' |
    sort -rn | sed '11,$d'
}

# Runs every check even when one fails, so that one run shows all.
lint_check() {
  local name=$1 started=$SECONDS

  shift
  say "==> $name"
  if "$@"; then
    say "    fine, $((SECONDS - started)) s"
  else
    LINT_FAILED+=("$name")
  fi
}

lint_run() {
  LINT_CHANGED=false LINT_FAILED=()
  while [ $# -gt 0 ]; do
    case "$1" in
      --changed) LINT_CHANGED=true ;;
      *) die "lint: unknown option '$1'; see ./dev help" ;;
    esac
    shift
  done
  packages_ensure
  lint_check "formatting" lint_format
  lint_check "shellcheck" lint_shell
  lint_check "layers" lint_layers
  lint_check "clients" lint_clients
  # A whole build, so that generated headers are there.
  PRESET=${LINT_BUILD#build/}
  build "$PRESET"
  lint_check "clang-tidy" lint_tidy
  lint_longest
  [ "${#LINT_FAILED[@]}" -eq 0 ] || die "findings of: ${LINT_FAILED[*]}"
}

lint_fmt() {
  [ $# -eq 0 ] || die "fmt takes no options"
  LINT_CHANGED=false
  packages_ensure
  lint_files '*.c' '*.h' | xargs -r clang-format-14 --style=file -i
  node_install clients && npm --prefix clients run --silent fmt
}
