/* One pass: the oldest rows, published in order, and those that were stored deleted. */
#include "service/outbox.h"

#include <stdlib.h>

#include "base/xalloc.h"

enum { ROWS_MAX = 100, POLL_BUSY_MS = 20, POLL_IDLE_MS = 200 };

struct outbox {
	struct outbox_spec spec;
	struct db *db;
	struct relay *relay;
};

static void add_rows(
    struct db_params *p, const struct outbox_row *rows, size_t n, struct arena *arena)
{
	const char **ids = arena_alloc(arena, n * sizeof(*ids));
	struct bytes *payloads = arena_alloc(arena, n * sizeof(*payloads));

	for (size_t i = 0; i < n; i++) {
		ids[i] = rows[i].message_id;
		payloads[i] = rows[i].payload;
	}
	db_params_init(p);
	db_add_text_array(p, ids, n);
	db_add_bytes_array(p, payloads, n);
}

enum status outbox_insert(struct db *db, size_t insert, const struct outbox_row *rows, size_t n,
    struct arena *arena, struct err *err)
{
	struct db_params p;

	add_rows(&p, rows, n, arena);
	return db_run(db, insert, &p, NULL, err);
}

enum status outbox_insert_later(struct db *db, size_t insert, const struct outbox_row *rows,
    size_t n, struct arena *arena, struct err *err)
{
	struct db_params p;

	add_rows(&p, rows, n, arena);
	return db_later(db, insert, &p, NULL, err);
}

static size_t statement(const struct outbox *outbox, enum outbox_statement which)
{
	return outbox->spec.insert + (size_t)which;
}

static enum status read_oldest(struct outbox *outbox, struct db_result **ret_rows, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_i64(&p, ROWS_MAX);
	return db_run(outbox->db, statement(outbox, OUTBOX_OLDEST), &p, ret_rows, err);
}

static enum status delete_rows(
    struct outbox *outbox, const int64_t *ids, size_t len, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_i64_array(&p, ids, len);
	return db_run(outbox->db, statement(outbox, OUTBOX_DELETE), &p, NULL, err);
}

/* As far as the stream takes them; the ids of those it has. */
static enum status publish(struct outbox *outbox, const struct db_result *rows,
    int64_t ids[static ROWS_MAX], size_t *ret_stored, struct relay_pass *pass, struct err *err)
{
	for (size_t i = 0; i < db_rows(rows) && !relay_is_over(outbox->relay); i++) {
		struct bus_ack ack;
		enum status s = bus_publish_stored(outbox->spec.bus, outbox->spec.subject,
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
	struct outbox *outbox = arg;
	struct err delete_err = ERR_INIT;
	struct db_result *rows = NULL;
	int64_t ids[ROWS_MAX];
	size_t stored = 0;
	enum status s;

	ret_pass->trouble = "the outbox can't be read";
	s = read_oldest(outbox, &rows, err);
	if (s)
		return s;
	ret_pass->rows = db_rows(rows);
	ret_pass->trouble = "the stream does not take them";
	s = publish(outbox, rows, ids, &stored, ret_pass, err);
	db_result_free(rows);
	if (stored > 0 && delete_rows(outbox, ids, stored, s ? &delete_err : err) && !s) {
		ret_pass->trouble = "published rows can't be deleted";
		s = err->status;
	}
	return s;
}

static enum status measure(void *arg, struct relay_backlog *ret_backlog, struct err *err)
{
	struct outbox *outbox = arg;
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	s = db_run(outbox->db, statement(outbox, OUTBOX_MEASURE), &p, &r, err);
	if (s)
		return s;
	ret_backlog->waiting = db_get_int(r, 0, 0);
	ret_backlog->oldest_seconds = db_get_int(r, 0, 1);
	db_result_free(r);
	return STATUS_OK;
}

enum status outbox_start(
    const struct outbox_spec *spec, struct outbox **ret_outbox, struct err *err)
{
	struct outbox *outbox = xcalloc(1, sizeof(*outbox));
	char *connection = xasprintf("%s/%s", spec->database->application_name, spec->name);
	struct db_config db = *spec->database;
	struct relay_spec relay = { .what = spec->what,
		.metrics = spec->metrics,
		.health = spec->health,
		.bus = spec->bus,
		.batch_max = ROWS_MAX,
		.poll_busy = POLL_BUSY_MS,
		.poll_idle = POLL_IDLE_MS,
		.move = move,
		.measure = measure,
		.arg = outbox };
	enum status s;

	outbox->spec = *spec;
	outbox->spec.database = NULL; /* the caller's */
	db.application_name = connection;
	relay.lock = statement(outbox, OUTBOX_LOCK);
	s = db_open(&db, &outbox->db, err);
	free(connection);
	if (!s) {
		relay.db = outbox->db;
		s = relay_start(&relay, &outbox->relay, err);
	}
	if (s) {
		db_close(outbox->db);
		free(outbox);
		return s;
	}
	*ret_outbox = outbox;
	return STATUS_OK;
}

void outbox_wake(struct outbox *outbox)
{
	relay_wake(outbox->relay);
}

void outbox_stop(struct outbox *outbox)
{
	if (!outbox)
		return;
	relay_stop(outbox->relay);
	db_close(outbox->db);
	free(outbox);
}
