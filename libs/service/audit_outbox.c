/* One statement a function. */
#include "service/audit_outbox.h"

enum status audit_outbox_insert(const struct audit_outbox *outbox, struct db *db,
    const struct audit_row *rows, size_t n, struct arena *arena, struct err *err)
{
	const char **ids = arena_alloc(arena, n * sizeof(*ids));
	struct bytes *payloads = arena_alloc(arena, n * sizeof(*payloads));
	struct db_params p;

	for (size_t i = 0; i < n; i++) {
		ids[i] = rows[i].message_id;
		payloads[i] = rows[i].payload;
	}
	db_params_init(&p);
	db_add_text_array(&p, ids, n);
	db_add_bytes_array(&p, payloads, n);
	return db_run(db, outbox->insert, &p, NULL, err);
}

enum status audit_outbox_oldest(const struct audit_outbox *outbox, struct db *db, size_t max,
    struct db_result **ret_rows, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_i64(&p, (int64_t)max);
	return db_run(db, outbox->oldest, &p, ret_rows, err);
}

enum status audit_outbox_delete(const struct audit_outbox *outbox, struct db *db,
    const int64_t *ids, size_t len, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_i64_array(&p, ids, len);
	return db_run(db, outbox->delete, &p, NULL, err);
}

enum status audit_outbox_measure(const struct audit_outbox *outbox, struct db *db,
    int64_t *ret_waiting, int64_t *ret_oldest_seconds, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	s = db_run(db, outbox->measure, &p, &r, err);
	if (s)
		return s;
	*ret_waiting = db_get_int(r, 0, 0);
	*ret_oldest_seconds = db_get_int(r, 0, 1);
	db_result_free(r);
	return STATUS_OK;
}
