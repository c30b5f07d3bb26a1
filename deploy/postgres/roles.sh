#!/bin/bash
# roles.sh: what an administrator does once in the database that services keep their schemas in. May be run again.
#
#   WW_DB_NAME           the database, which exists (walletwire)
#   WW_DB_ROLES          which roles: of notifications presence chat wallet outbox bank
#   WW_DB_GUESTS         roles that use tables which are not their own, and make none: of audit auditor
#   WW_DB_PASSWORDS_DIR  one file per role, named like it
#   WW_OUTBOX_SQL        services/outbox/outbox.sql, if the outbox is in this database too
#   WW_AUDIT_SQL         services/audit/audit.sql, for these guests
#
# PGHOST and its like say where. Each role owns the schema of its name, makes no other and sees no other. Who may make
# schemas could make that of a service which has not started yet, and read what it will keep there.
set -euo pipefail

: "${WW_DB_NAME:=walletwire}" "${WW_DB_ROLES:=notifications presence chat}" "${WW_DB_PASSWORDS_DIR:?}"

sql() {
  psql -X -q -v ON_ERROR_STOP=1 -d "$WW_DB_NAME" "$@"
}

role_create() {
  local password

  password=$(<"$WW_DB_PASSWORDS_DIR/$1")
  [ "$(sql -Atc "SELECT 1 FROM pg_roles WHERE rolname = '$1'")" = 1 ] || sql -c "CREATE ROLE $1 LOGIN"
  # On standard input, where no list of processes shows it.
  sql <<<"ALTER ROLE $1 PASSWORD '$password'"
}

# The tables of ww-audit, which may add to them, and an auditor, who may read them: neither owns anything.
audit_create() {
  sql -o /dev/null -f "$WW_AUDIT_SQL"
  sql -c "GRANT walletwire_audit_writer TO audit; GRANT walletwire_audit_reader TO auditor"
}

# A wallet's outbox, as docs/outbox.md says: here it shares the database.
outbox_create() {
  sql -f "$WW_OUTBOX_SQL"
  for role in $WW_DB_ROLES; do
    case "$role" in
      outbox) sql -c "GRANT walletwire_outbox_relay TO outbox" ;;
      wallet) sql -c "GRANT walletwire_outbox_writer TO wallet" ;;
      bank) sql -c "GRANT walletwire_outbox_writer TO bank" ;;
    esac
  done
}

sql -c "REVOKE ALL ON SCHEMA public FROM PUBLIC; REVOKE TEMPORARY ON DATABASE $WW_DB_NAME FROM PUBLIC;
  REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC;"
for role in $WW_DB_ROLES; do
  role_create "$role"
  sql -c "SET client_min_messages = warning; CREATE SCHEMA IF NOT EXISTS $role AUTHORIZATION $role;
    REVOKE CREATE ON DATABASE $WW_DB_NAME FROM $role;"
done
for role in ${WW_DB_GUESTS:-}; do
  role_create "$role"
done
[ -z "${WW_AUDIT_SQL:-}" ] || audit_create
[ -z "${WW_OUTBOX_SQL:-}" ] || outbox_create
