/* The statements, the schema, and what is shared of them. */
#include "store.h"

#include "schema.h"
#include "store_sql.h"

const struct db_statement store_statements[] = {
#define S(id, sql) { #id, sql },
	STATEMENTS(S)
#undef S
};
const size_t store_statements_len = ARRAY_LEN(store_statements);

const struct db_migration store_migrations[] = {
	{ 1, "init", schema_001_init, 0 },
	{ 2, "ended", schema_002_ended, 0 },
};
const size_t store_migrations_len = ARRAY_LEN(store_migrations);

const struct db_partitions store_expiring = { "chat.messages_expiring", 6 };
const struct audit_outbox store_audit = AUDIT_OUTBOX(STORE_SCHEMA);
const size_t store_outbox = STORE_OUTBOX_INSERT;
const size_t store_upkeep_lock = STORE_UPKEEP_LOCK;
