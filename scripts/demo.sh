# The demo's pages: a wallet, the desk of its bank, what operators see (clients/demo/web). The edges serve them from memory.
# shellcheck shell=bash

PAGES=clients/demo/web
PAGES_FROM=("$PAGES"/{package.json,vite.config.ts,index.html,bank.html,ops.html,src} clients/{package-lock.json,web/src,react/src})

pages_are_built() {
  [ -e "$PAGES/dist/index.html" ] && [ -z "$(find "${PAGES_FROM[@]}" -newer "$PAGES/dist/index.html" -print -quit)" ]
}

# If anything of them changed; the packages that they are made of are built before.
pages_build() {
  pages_are_built || step "build the demo's pages" npm --prefix clients run --silent build -w demo/web
}

# Where they are, for the edges; nothing if nobody has built them.
pages_dir() {
  [ ! -e "$PAGES/dist/index.html" ] || printf '%s' "$ROOT/$PAGES/dist"
}
