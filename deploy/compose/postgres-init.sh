#!/bin/bash
# Run by the image of PostgreSQL when its cluster is new; it listens on its own socket alone then.
set -euo pipefail

PGUSER=$POSTGRES_USER WW_DB_NAME=$POSTGRES_DB WW_DB_PASSWORDS_DIR=/run/secrets \
  WW_DB_ROLES="notifications presence chat outbox bank" WW_OUTBOX_SQL=/walletwire/outbox.sql \
  WW_DB_GUESTS="audit auditor" WW_AUDIT_SQL=/walletwire/audit.sql bash /walletwire/roles.sh
