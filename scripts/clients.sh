# What there is of npm: the packages of clients/, and what suites install.
# shellcheck shell=bash

CLIENTS_BUILT=clients/node_modules/.built
CLIENTS_FROM=(proto clients/package.json clients/tsconfig.base.json clients/scripts
  clients/*/{src,package.json,tsconfig.json} clients/demo/*/{src,package.json,tsconfig.json})

# The lock file pins every version; node_modules is made anew when it changed.
node_install() {
  local folder=$1 stamp=$1/node_modules/.installed

  [ -e "$stamp" ] && [ "$stamp" -nt "$folder/package-lock.json" ] && return
  (cd "$folder" && npm ci --no-audit --no-fund --ignore-scripts) && touch "$stamp"
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
