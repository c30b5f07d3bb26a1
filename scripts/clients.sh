# What there is of npm: the packages of clients/, and what suites install.
# shellcheck shell=bash

CLIENTS_BUILT=clients/node_modules/.built
CLIENTS_FROM=(proto clients/package.json clients/tsconfig.base.json clients/scripts
  clients/*/{src,package.json,tsconfig.json} clients/demo/*/{src,package.json,tsconfig.json})

NPM_TIME=600 # seconds; npm can stand still for ever without a word
NPM_TRIES=3

# What is half there npm removes itself.
npm_ci() {
  local try status

  for ((try = 1; try <= NPM_TRIES; try++)); do
    status=0
    timeout -k 10 "$NPM_TIME" npm ci --no-audit --no-fund --ignore-scripts || status=$?
    [ "$status" -eq 124 ] || return "$status"
    echo "npm ci was not done within $NPM_TIME s" >&2
  done
  return "$status"
}

# The lock file pins every version; node_modules is made anew when it changed.
node_install() {
  local folder=$1 stamp=$1/node_modules/.installed

  [ -e "$stamp" ] && [ "$stamp" -nt "$folder/package-lock.json" ] && return
  (cd "$folder" && npm_ci) && touch "$stamp"
}

clients_are_built() {
  [ -e "$CLIENTS_BUILT" ] && [ -z "$(find "${CLIENTS_FROM[@]}" -newer "$CLIENTS_BUILT" -print -quit)" ]
}

# All packages, if anything of them changed.
clients_build() {
  step "npm ci (clients)" node_install clients
  clients_are_built && return
  step "npm run build (clients)" npm --prefix clients run --silent build && touch "$CLIENTS_BUILT"
}
