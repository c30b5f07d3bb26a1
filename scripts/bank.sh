# The demo's bank: an example of a wallet's back end, in clients/demo/bank. It tells people what happens by
# the outbox, as any wallet may, and HAProxy hands it /bank/api.
# shellcheck shell=bash

BANK_MAIN=clients/demo/bank/dist/main.js

bank_start() {
  [ -e "$BANK_MAIN" ] || die "the bank is not built: ./dev up without --no-build does it (or leave it out: --no-bank)"
  supervise bank TERM env WW_BANK_LISTEN="127.0.0.1:$1" WW_BANK_DAY="${WW_BANK_DAY:-running}" \
    WW_NATS_URL="nats://127.0.0.1:$STACK_NATS_PORT" WW_NATS_USER=backend \
    WW_NATS_PASSWORD_FILE="$RUN_DIR/secrets/nats/backend" \
    WW_DATABASE_URL_FILE="$RUN_DIR/secrets/postgres/bank.url" WW_KEYS_DIR="$RUN_DIR/keys" \
    node "$ROOT/$BANK_MAIN"
}

# Through HAProxy, where people meet it: that one answers 503 itself until a check has passed.
bank_is_reached() {
  [ "$(http_status "$STACK_HTTP_PORT" /bank/api/readyz)" = 200 ]
}
