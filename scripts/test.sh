# ./dev test and ./dev bench. What each suite is for, and its time, is in tests/README.md.
# shellcheck shell=bash

SUITES=(layers unit integration tsan fuzz conformance e2e sdk demo platform images fresh)
# Left out unless --long is given: they install and build everything once more.
SUITES_LONG=(images fresh)
# Libraries and programs that have threads: their tests run under ThreadSanitizer as well.
TSAN_PARTS=(loop bus db http token service edge notifications outbox presence chat audit)

# A machine that is known to be slow or busy may multiply all budgets.
PATIENCE=${WW_TEST_PATIENCE:-1}

# Seconds a suite may take, building not counted; tests/README.md says the same.
suite_budget() {
  case "$1" in
    layers) echo 20 ;;
    unit) echo 180 ;;
    integration) echo 480 ;;
    tsan) echo 600 ;;
    fuzz) $LONG && echo 7200 || echo 240 ;;
    conformance) echo 300 ;;
    e2e) $LONG && echo 1800 || echo 600 ;;
    sdk) echo 240 ;;
    demo) echo 360 ;;
    platform) echo 180 ;;
    images) echo 3600 ;;
    fresh) echo 10800 ;;
  esac
}

suite_is_left_out() {
  ! $LONG && [[ " ${SUITES_LONG[*]} " == *" $1 "* ]]
}

# Sets PASSED and FAILED; the suites below each set them for themselves.
suite_run() {
  local suite=$1 started=$SECONDS status=0 budget

  if suite_is_left_out "$suite"; then
    say "==> suite $suite is left out: it needs --long"
    return
  fi
  budget=$(($(suite_budget "$suite") * PATIENCE))
  say "==> suite $suite"
  PASSED=0 FAILED=0
  "suite_$suite" "$budget" || status=$?
  if [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
    say "dev: suite $suite exceeded its budget of $budget s"
  fi
  if [ "$status" -ne 0 ] && [ "$FAILED" -eq 0 ]; then
    FAILED=1
  fi
  printf '%s: %d passed, %d failed in %d s (budget %d s)\n' "$suite" "$PASSED" "$FAILED" $((SECONDS - started)) "$budget"
  TOTAL_PASSED=$((TOTAL_PASSED + PASSED))
  TOTAL_FAILED=$((TOTAL_FAILED + FAILED))
}

suite_layers() {
  local check status=0

  for check in tests/layers/check.sh tests/layers/selftest.sh; do
    if timeout "$1" bash "$check"; then
      PASSED=$((PASSED + 1))
    else
      FAILED=$((FAILED + 1)) status=1
    fi
  done
  return "$status"
}

# Counts single checks, not programs, from what the programs of Check printed. A program that died
# printed nothing: at least one failure for each that ctest saw fail.
ctest_count() {
  local log=$1/Testing/Temporary/LastTest.log programs_failed=$2

  # ctest renames it at its end, which it does not reach when it is stopped.
  [ -e "$log" ] || log=$log.tmp
  read -r PASSED FAILED < <(awk '
    /^[0-9]+%: Checks: / {
      gsub(/[,:]/, "")
      passed += $3 - $5 - $7
      failed += $5 + $7
    }
    END { print passed + 0, failed + 0 }' "$log")
  [ "$FAILED" -ge "$programs_failed" ] || FAILED=$programs_failed
}

# ctest_run SUITE PRESET BUDGET ARGS... Twice as many at once as there are cores: tests with servers
# spend most of their time waiting.
ctest_run() {
  local suite=$1 preset=$2 budget=$3 status=0 output=$ROOT/build/$2/ctest-$1.log failed

  shift 3
  # One that is stopped leaves a log of another name, and this would be the suite's before it.
  rm -f "build/$preset/Testing/Temporary/LastTest.log"
  timeout -k 10 "$budget" ctest --test-dir "build/$preset" -j $((JOBS * 2)) --output-on-failure --no-tests=error \
    --output-junit "$ROOT/build/$preset/junit-$suite.xml" "$@" 2>&1 </dev/null | tee "$output" || status=$?
  failed=$(sed -n 's/.* \([0-9]*\) tests* failed out of .*/\1/p' "$output")
  ctest_count "build/$preset" "${failed:-1}"
  return "$status"
}

suite_unit() {
  ctest_run unit asan "$1" -L '^unit$'
}

suite_integration() {
  ctest_run integration asan "$1" -L '^integration$'
}

tsan_folders() {
  local part kind

  for part in "${TSAN_PARTS[@]}"; do
    for kind in unit integration; do
      [ ! -e "tests/$kind/$part/CMakeLists.txt" ] || printf '%s\n' "tests/$kind/$part"
    done
  done
}

suite_tsan() {
  local folder names

  names=$(while read -r folder; do
    ctest --test-dir "build/tsan/$folder" -N | sed -n 's/^ *Test *#[0-9]*: //p'
  done < <(tsan_folders) | paste -sd '|')
  ctest_run tsan tsan "$1" -R "^($names)\$"
}

# A pass is a target that found nothing.
suite_fuzz() {
  local budget=$1 status=0 output=$ROOT/build/fuzz.log limits=(--runs 200000 --seconds 12)

  ! $LONG || limits=(--runs 10000000)
  timeout -k 10 "$budget" bash tests/fuzz/run.sh "${limits[@]}" 2>&1 </dev/null | tee "$output" || status=$?
  PASSED=$(grep -c '^fine: ' "$output") || true
  FAILED=$(grep -c '^FOUND: ' "$output") || true
  return "$status"
}

# node_suite SUITE BUDGET AT_ONCE FILES... Node's test runner over the files, so many of them at once.
node_suite() {
  local suite=$1 budget=$2 at_once=$3 status=0 tap=$ROOT/build/$1.tap

  shift 3
  rm -f "$tap" # a run that does not begin has no results, and not those of the one before
  WW_DEV_PRESET=${WW_DEV_PRESET:-asan} WW_E2E_NO_BUILD=1 WW_E2E_LONG=$LONG \
    timeout -k 30 "$budget" node --test --test-concurrency="$at_once" --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=tap --test-reporter-destination="$tap" "$@" </dev/null || status=$?
  touch "$tap"
  PASSED=$(sed -n 's/^# pass //p' "$tap" | tail -n 1)
  FAILED=$(awk '/^# (fail|cancelled) / { n += $3 } END { print n + 0 }' "$tap")
  PASSED=${PASSED:-0}
  return "$status"
}

suite_conformance() {
  node_suite conformance "$1" 1 tests/conformance/*.test.mjs
}

suite_e2e() {
  node_suite e2e "$1" "$JOBS" tests/e2e/*.test.mjs
}

# What is left of a budget in seconds; 1 if nothing is, as `timeout` takes 0 for no limit.
budget_left() {
  local left=$(($1 - (SECONDS - $2)))

  echo $((left > 0 ? left : 1))
}

# The packages of clients/ by themselves, then against a whole system.
suite_sdk() {
  local budget=$1 started=$SECONDS status=0 json=$ROOT/build/sdk-unit.json check passed=0 failed=0

  for check in typecheck packages; do
    if timeout "$(budget_left "$budget" "$started")" npm --prefix clients run --silent "$check" </dev/null; then
      passed=$((passed + 1))
    else
      failed=$((failed + 1)) status=1
    fi
  done
  rm -f "$json"
  timeout "$(budget_left "$budget" "$started")" \
    npm --prefix clients test --silent -- --reporter=default --reporter=json --outputFile.json="$json" </dev/null || status=$?
  if [ -s "$json" ]; then
    passed=$((passed + $(jq .numPassedTests "$json")))
    failed=$((failed + $(jq .numFailedTests "$json")))
  fi
  node_suite sdk "$(budget_left "$budget" "$started")" "$JOBS" tests/sdk/*.test.mjs || status=$?
  PASSED=$((PASSED + passed)) FAILED=$((FAILED + failed))
  return "$status"
}

# The demo as people start it: the bank, and its pages in a browser.
suite_demo() {
  node_suite demo "$1" "$JOBS" tests/demo/*.test.mjs
}

# What compose and Kubernetes are told.
suite_platform() {
  node_suite platform "$1" "$JOBS" tests/platform/*.test.mjs
}

# The images of the Dockerfile, and the services of compose.yaml run from them; the units run by systemd.
suite_images() {
  node_suite images "$1" 1 tests/images/*.test.mjs
}

# A Debian 12 with nothing but the last commit, in which README's commands and all other suites pass.
suite_fresh() {
  local status=0 output=$ROOT/build/fresh.log

  timeout -k 60 "$1" bash tests/fresh/run.sh 2>&1 </dev/null | tee "$output" || status=$?
  PASSED=$(grep -c '^fine: ' "$output") || true
  FAILED=$(grep -c '^FAILED: ' "$output") || true
  return "$status"
}

# Builds what the chosen suites need, before the first of them runs.
test_prepare() {
  local chosen=" $* " targets

  if [[ $chosen == *" sdk "* || $chosen == *" demo "* ]]; then
    PACKAGE_LISTS+=(scripts/packages-sdk.txt)
  fi
  if [[ $chosen == *" platform "* ]]; then
    PACKAGE_LISTS+=(scripts/packages-platform.txt)
  fi
  if [[ $chosen == *" images "* ]]; then
    PACKAGE_LISTS+=(scripts/packages-images.txt scripts/packages-platform.txt)
  fi
  if [[ $chosen == *" fresh "* ]]; then
    PACKAGE_LISTS+=(scripts/packages-images.txt)
  fi
  packages_ensure
  mkdir -p build
  if [[ $chosen == *" unit "* || $chosen == *" integration "* ]]; then
    build asan
  fi
  if [[ $chosen == *" tsan "* ]]; then
    # shellcheck disable=SC2046 # one word a folder
    mapfile -t targets < <(printf '%s/all\n' $(tsan_folders))
    build tsan "${targets[@]}"
  fi
  if [[ $chosen == *" fuzz "* ]]; then
    build fuzz fuzz
  fi
  if [[ $chosen == *" e2e "* || $chosen == *" sdk "* || $chosen == *" demo "* ]]; then
    build "${WW_DEV_PRESET:-asan}" "${PROGRAMS[@]}"
    step "npm ci (tests/e2e)" node_install tests/e2e
  fi
  if [[ $chosen == *" sdk "* || $chosen == *" demo "* ]]; then
    clients_build
  fi
  if [[ $chosen == *" demo "* ]]; then
    pages_build
  fi
  if [[ $chosen == *" platform "* ]]; then
    build "${WW_DEV_PRESET:-asan}" "${PROGRAMS[@]}"
    step "npm ci (tests/platform)" node_install tests/platform
  fi
  if [[ $chosen == *" images "* ]]; then
    build release "${PROGRAMS[@]}"
    step "npm ci (tests/platform)" node_install tests/platform
    step "npm ci (tests/e2e)" node_install tests/e2e
  fi
  if [[ $chosen == *" conformance "* ]]; then
    build "${WW_DEV_PRESET:-asan}" ww-conformance
    step "npm ci (tests/conformance)" node_install tests/conformance
  fi
}

test_run() {
  local chosen=() prepared=() suite

  LONG=false
  while [ $# -gt 0 ]; do
    case "$1" in
      --long) LONG=true ;;
      -*) die "test: unknown option '$1'; see ./dev help" ;;
      *)
        [[ " ${SUITES[*]} " == *" $1 "* ]] || die "test: no suite '$1'; there are: ${SUITES[*]}"
        chosen+=("$1")
        ;;
    esac
    shift
  done
  [ "${#chosen[@]}" -gt 0 ] || chosen=("${SUITES[@]}")

  for suite in "${chosen[@]}"; do
    suite_is_left_out "$suite" || prepared+=("$suite")
    ! $LONG || [[ " ${SUITES_LONG[*]} " != *" $suite "* ]] || [ "$(id -u)" -eq 0 ] || die "test: suite $suite needs root"
  done
  test_prepare "${prepared[@]}"
  TOTAL_PASSED=0 TOTAL_FAILED=0
  for suite in "${chosen[@]}"; do
    suite_run "$suite"
  done
  say "    all of it in $SECONDS s"
  printf '%d passed, %d failed\n' "$TOTAL_PASSED" "$TOTAL_FAILED"
  [ "$TOTAL_FAILED" -eq 0 ]
}

test_bench() {
  PACKAGE_LISTS+=(scripts/packages-bench.txt)
  packages_ensure
  build release "${PROGRAMS[@]}" tests/bench/all
  step "npm ci (tests/bench/reference)" node_install tests/bench/reference
  exec tests/bench/run.sh "$@"
}
