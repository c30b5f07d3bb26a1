/*
 * A row is published when the stream has the one before it: a stream that is nearly full may refuse
 * a large row and take a small one, and the next holder of the lock may be publishing already.
 */
#include "service/audit_relay.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "service/relay.h"

enum { ROWS_MAX = 100, POLL_BUSY_MS = 20, POLL_IDLE_MS = 200 };

RELAY_METRICS(audit, "ww_audit", "audit records");

struct audit_relay {
	const struct audit_outbox *outbox;
	char *subject;
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
		enum status s = bus_publish_stored(a->bus, a->subject, db_get_text(rows, i, 1),
		    db_get_bytes(rows, i, 2), NULL, &ack, err);

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
	s = audit_outbox_oldest(a->outbox, a->db, ROWS_MAX, &rows, err);
	if (s)
		return s;
	ret_pass->rows = db_rows(rows);
	ret_pass->trouble = "the stream does not take them";
	s = publish(a, rows, ids, &stored, ret_pass, err);
	db_result_free(rows);
	if (stored > 0 &&
	    audit_outbox_delete(a->outbox, a->db, ids, stored, s ? &delete_err : err) && !s) {
		ret_pass->trouble = "published rows can't be deleted";
		s = err->status;
	}
	return s;
}

static enum status measure(void *arg, struct relay_backlog *ret_backlog, struct err *err)
{
	struct audit_relay *a = arg;

	return audit_outbox_measure(
	    a->outbox, a->db, &ret_backlog->waiting, &ret_backlog->oldest_seconds, err);
}

void audit_relay_register(void)
{
	relay_metrics_register(&audit_metrics);
}

static void relay_free(struct audit_relay *a)
{
	db_close(a->db);
	free(a->subject);
	free(a);
}

enum status audit_relay_start(const struct audit_outbox *outbox, const struct db_config *database,
    struct bus *bus, struct audit_relay **ret_relay, struct err *err)
{
	struct audit_relay *a = xcalloc(1, sizeof(*a));
	char *connection = xasprintf("%s/audit", database->application_name);
	struct db_config db = *database;
	struct relay_spec spec = { .what = "audit records",
		.metrics = &audit_metrics,
		.bus = bus,
		.lock = outbox->lock,
		.batch_max = ROWS_MAX,
		.poll_busy = POLL_BUSY_MS,
		.poll_idle = POLL_IDLE_MS,
		.move = move,
		.measure = measure,
		.arg = a };
	enum status s;

	a->outbox = outbox;
	a->subject = xasprintf("ww.audit.%s", outbox->service);
	a->bus = bus;
	db.application_name = connection;
	s = db_open(&db, &a->db, err);
	free(connection);
	if (!s) {
		spec.db = a->db;
		s = relay_start(&spec, &a->relay, err);
	}
	if (s) {
		relay_free(a);
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
	relay_free(a);
}
