/*
 * A row is published when the stream has the one before it: a stream that is nearly full may refuse
 * a large row and take a small one, and the next holder of the lock may be publishing already.
 */
#include "audit_relay.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "service/relay.h"
#include "stats.h"
#include "store.h"

enum { ROWS_MAX = 100, POLL_BUSY_MS = 20, POLL_IDLE_MS = 200 };

struct audit_relay {
	struct bus *bus;
	struct db *db;
	struct relay *relay;
};

/* As far as the stream takes them; the ids of those it has. */
static enum status publish(struct audit_relay *a, const struct db_result *rows,
    int64_t ids[static ROWS_MAX], size_t *ret_stored, struct relay_pass *pass, struct err *err)
{
	for (size_t i = 0; i < db_rows(rows) && !relay_is_over(a->relay); i++) {
		struct bus_ack ack;
		enum status s = bus_publish_stored(a->bus, "ww.audit.notifications",
		    db_get_text(rows, i, 1), db_get_bytes(rows, i, 2), NULL, &ack, err);

		if (s)
			return s;
		ids[(*ret_stored)++] = db_get_int(rows, i, 0);
		if (ack.duplicate)
			pass->duplicates++;
		else
			pass->published++;
	}
	return STATUS_OK;
}

static enum status move(void *arg, struct relay_pass *ret_pass, struct err *err)
{
	struct audit_relay *a = arg;
	struct err delete_err = ERR_INIT;
	struct db_result *rows = NULL;
	int64_t ids[ROWS_MAX];
	size_t stored = 0;
	enum status s;

	ret_pass->trouble = "the outbox can't be read";
	s = store_oldest_audit(a->db, ROWS_MAX, &rows, err);
	if (s)
		return s;
	ret_pass->rows = db_rows(rows);
	ret_pass->trouble = "the stream does not take them";
	s = publish(a, rows, ids, &stored, ret_pass, err);
	db_result_free(rows);
	if (stored > 0 && store_delete_audit(a->db, ids, stored, s ? &delete_err : err) && !s) {
		ret_pass->trouble = "published rows can't be deleted";
		s = err->status;
	}
	return s;
}

static enum status measure(void *arg, struct relay_backlog *ret_backlog, struct err *err)
{
	struct audit_relay *a = arg;

	return store_measure_audit(a->db, &ret_backlog->waiting, &ret_backlog->oldest_seconds, err);
}

enum status audit_relay_start(const struct notifications_config *cfg, struct bus *bus,
    const char *name, struct audit_relay **ret_relay, struct err *err)
{
	struct audit_relay *a = xcalloc(1, sizeof(*a));
	char *connection = xasprintf("%s/audit", name);
	struct db_config db = { .dsn = cfg->service.database_url,
		.application_name = connection,
		.statements = store_statements,
		.statements_len = store_statements_len };
	struct relay_spec spec = { .what = "audit records",
		.metrics = stats_audit(),
		.bus = bus,
		.lock = store_audit_lock,
		.batch_max = ROWS_MAX,
		.poll_busy = POLL_BUSY_MS,
		.poll_idle = POLL_IDLE_MS,
		.move = move,
		.measure = measure,
		.arg = a };
	enum status s;

	a->bus = bus;
	s = db_open(&db, &a->db, err);
	free(connection);
	if (!s) {
		spec.db = a->db;
		s = relay_start(&spec, &a->relay, err);
	}
	if (s) {
		db_close(a->db);
		free(a);
		return s;
	}
	*ret_relay = a;
	return STATUS_OK;
}

void audit_relay_stop(struct audit_relay *a)
{
	if (!a)
		return;
	relay_stop(a->relay);
	db_close(a->db);
	free(a);
}
