/* What whoever asks is told. */
#include "store.h"
#include "store_sql.h"

static enum status read_records(struct db *db, enum statement statement, struct db_params *p,
    struct arena *arena, struct store_record **ret_records, size_t *ret_len, struct err *err)
{
	struct db_result *r = NULL;
	enum status s = db_run(db, statement, p, &r, err);

	if (s)
		return s;
	*ret_len = db_rows(r);
	*ret_records = arena_alloc(arena, *ret_len * sizeof(**ret_records));
	for (size_t i = 0; i < *ret_len; i++) {
		struct store_record *record = &(*ret_records)[i];
		struct bytes hash = db_get_bytes(r, i, 3), packed = db_get_bytes(r, i, 4);

		record->place = (struct store_place){ db_get_time(r, i, 0), db_get_int(r, i, 1),
			db_get_int(r, i, 2) };
		if (hash.len == sizeof(record->hash.at))
			memcpy(record->hash.at, hash.data, hash.len);
		record->packed = bytes_of(arena_memdup(arena, packed.data, packed.len), packed.len);
	}
	db_result_free(r);
	return STATUS_OK;
}

enum status store_of_user(struct db *db, const struct store_about *about,
    const struct store_page *page, struct arena *arena, struct store_record **ret_records,
    size_t *ret_len, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text(&p, about->user_id);
	db_add_i32_array(&p, about->actions, about->actions_len);
	db_add_time(&p, page->since_us);
	db_add_time(&p, page->until_us);
	db_add_time(&p, page->after.stored_us);
	db_add_i16(&p, (int16_t)page->after.shard);
	db_add_i64(&p, page->after.number);
	db_add_i64(&p, page->max);
	return read_records(db, STORE_OF_USER, &p, arena, ret_records, ret_len, err);
}

enum status store_all(struct db *db, const struct store_page *page, struct arena *arena,
    struct store_record **ret_records, size_t *ret_len, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_time(&p, page->since_us);
	db_add_time(&p, page->until_us);
	db_add_i16(&p, (int16_t)page->after.shard);
	db_add_i64(&p, page->after.number);
	db_add_i64(&p, page->max);
	return read_records(db, STORE_ALL, &p, arena, ret_records, ret_len, err);
}
