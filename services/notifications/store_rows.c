/* Rows are copied out at once: a result does not outlive the function that ran its statement. */
#include "store_rows.h"

#include <assert.h>

#include "kind.h"
#include "store.h"

enum { PRIORITIES_MAX = 5, TYPES_MAX = KIND_COUNT };

static char *text(const struct db_result *r, size_t row, size_t column, struct arena *arena)
{
	return arena_strdup(arena, db_get_text(r, row, column));
}

static Timestamp *time_or_null(
    const struct db_result *r, size_t row, size_t column, struct arena *arena)
{
	if (db_is_null(r, row, column))
		return NULL;
	return message_timestamp(db_get_time(r, row, column), arena);
}

enum status row_payload(const struct db_result *r, size_t row, size_t column, struct arena *arena,
    Payload **ret_payload, struct err *err)
{
	struct bytes data = db_get_bytes(r, row, column);
	size_t limit = arena->limit;

	/* Our own row: its size was bounded when it was stored, so no limit of a request applies.
	 */
	arena->limit = SIZE_MAX;
	*ret_payload = walletwire__v1__payload__unpack(arena_allocator(arena), data.len, data.data);
	arena->limit = limit;
	/* Also one of a kind that only a newer version knows. */
	if (!*ret_payload || (*ret_payload)->body_case == WALLETWIRE__V1__PAYLOAD__BODY__NOT_SET)
		return err_set(err, STATUS_INTERNAL, "a stored payload can't be read");
	return STATUS_OK;
}

Notification *row_notification(const struct db_result *r, size_t row, struct arena *arena)
{
	Notification *n = MESSAGE_NEW(arena, notification);

	n->seq = (uint64_t)db_get_int(r, row, 0);
	n->id = text(r, row, 4, arena);
	n->type = arena_strdup(arena, kind_name((int)db_get_int(r, row, 5)));
	n->priority = (Walletwire__V1__Priority)db_get_int(r, row, 6);
	n->title = text(r, row, 7, arena);
	n->text = text(r, row, 8, arena);
	n->created_at = time_or_null(r, row, 9, arena);
	n->expires_at = time_or_null(r, row, 10, arena);
	return n;
}

enum status row_item(
    const struct db_result *r, size_t row, struct arena *arena, Item **ret_item, struct err *err)
{
	Item *item = MESSAGE_NEW(arena, item);
	enum status s;

	*ret_item = item;
	item->seq = (uint64_t)db_get_int(r, row, 0);
	item->applied_us = db_get_time(r, row, 1);
	item->blanked = db_get_bool(r, row, 3);
	if (item->blanked)
		return STATUS_OK; /* handled, never shown: nothing else of it leaves the store */
	s = row_payload(r, row, 2, arena, &item->payload, err);
	if (s)
		return s;
	kind_channels(
	    item->payload, /* as_item= */ true, arena, &item->n_channels, &item->channels);
	item->critical = kind_find((int)item->payload->body_case)->critical;
	if (db_is_null(r, row, 4))
		return STATUS_OK;
	item->notification = row_notification(r, row, arena);
	item->critical = item->critical || item->notification->priority ==
					       WALLETWIRE__V1__PRIORITY__PRIORITY_CRITICAL;
	return STATUS_OK;
}

char **row_texts(
    const struct db_result *r, size_t row, size_t column, struct arena *arena, size_t *ret_n)
{
	size_t n = db_get_array_len(r, row, column);
	char **values = arena_alloc(arena, n * sizeof(*values));

	for (size_t i = 0; i < n; i++) {
		struct bytes value = db_get_array_text(r, row, column, i);

		values[i] = arena_strndup(arena, value.data, value.len);
	}
	*ret_n = n;
	return values;
}

Segment *row_segment(const struct db_result *r, size_t row, size_t column, struct arena *arena)
{
	Segment *segment = MESSAGE_NEW(arena, segment);

	segment->countries = row_texts(r, row, column, arena, &segment->n_countries);
	segment->languages = row_texts(r, row, column + 1, arena, &segment->n_languages);
	segment->tiers = row_texts(r, row, column + 2, arena, &segment->n_tiers);
	return segment->n_countries + segment->n_languages + segment->n_tiers > 0 ? segment : NULL;
}

LogEntry *row_announced(const struct db_result *r, size_t row, size_t column, struct arena *arena)
{
	LogEntry *entry = MESSAGE_NEW(arena, log_entry);
	Announcement *a = MESSAGE_NEW(arena, announcement);

	a->id = text(r, row, column, arena);
	a->title = text(r, row, column + 1, arena);
	a->text = text(r, row, column + 2, arena);
	a->priority = (Walletwire__V1__Priority)db_get_int(r, row, column + 3);
	a->expires_at = time_or_null(r, row, column + 4, arena);
	entry->change_case = WALLETWIRE__V1__LOG_ENTRY__CHANGE_ANNOUNCED;
	entry->announced = a;
	entry->segment = row_segment(r, row, column + 5, arena);
	return entry;
}

LogEntry *row_log_entry(const struct db_result *r, size_t row, struct arena *arena)
{
	LogEntry *entry;

	switch (db_get_int(r, row, 1)) {
	case STORE_CHANGE_RECALLED:
		entry = MESSAGE_NEW(arena, log_entry);
		entry->change_case = WALLETWIRE__V1__LOG_ENTRY__CHANGE_RECALLED;
		entry->recalled = text(r, row, 2, arena);
		break;
	case STORE_CHANGE_EXPIRED:
		entry = MESSAGE_NEW(arena, log_entry);
		entry->change_case = WALLETWIRE__V1__LOG_ENTRY__CHANGE_EXPIRED;
		entry->expired = text(r, row, 2, arena);
		break;
	default:
		entry = row_announced(r, row, 2, arena);
		entry->announced->announcement_seq = (uint64_t)db_get_int(r, row, 0);
		break;
	}
	entry->announcement_seq = (uint64_t)db_get_int(r, row, 0);
	return entry;
}

Marks *marks_new(struct arena *arena)
{
	Marks *marks = MESSAGE_NEW(arena, marks);

	marks->claims = MESSAGE_NEW(arena, claims);
	return marks;
}

/* Every row has the user's own columns; the first one also makes room for what was read beyond. */
void row_mark(const struct db_result *r, size_t row, Marks *marks, struct arena *arena)
{
	uint64_t read = (uint64_t)db_get_int(r, row, 3);

	if (!marks->read) {
		marks->read = arena_alloc(arena, db_rows(r) * sizeof(*marks->read));
		marks->read_up_to = (uint64_t)db_get_int(r, row, 2);
		marks->claims->country = text(r, row, 1, arena);
		marks->claims->language = text(r, row, 6, arena);
		marks->claims->tier = text(r, row, 7, arena);
	}
	if (read > 0)
		marks->read[marks->n_read++] = read;
}

static void add_type(Unread *unread, const char *key, uint32_t n, struct arena *arena)
{
	size_t at = 0;

	if (!unread->by_type)
		unread->by_type = arena_alloc(arena, TYPES_MAX * sizeof(*unread->by_type));
	while (at < unread->n_by_type && strcmp(unread->by_type[at]->key, key) != 0)
		at++;
	if (at == unread->n_by_type) {
		assert(at < TYPES_MAX);
		unread->by_type[at] = MESSAGE_NEW(arena, unread__by_type_entry);
		unread->by_type[at]->key = arena_strdup(arena, key);
		unread->n_by_type++;
	}
	unread->by_type[at]->value += n;
}

static void add_priority(Unread *unread, const char *key, uint32_t n, struct arena *arena)
{
	size_t at = 0;

	if (!unread->by_priority)
		unread->by_priority =
		    arena_alloc(arena, PRIORITIES_MAX * sizeof(*unread->by_priority));
	while (at < unread->n_by_priority && strcmp(unread->by_priority[at]->key, key) != 0)
		at++;
	if (at == unread->n_by_priority) {
		assert(at < PRIORITIES_MAX);
		unread->by_priority[at] = MESSAGE_NEW(arena, unread__by_priority_entry);
		unread->by_priority[at]->key = arena_strdup(arena, key);
		unread->n_by_priority++;
	}
	unread->by_priority[at]->value += n;
}

void unread_add(Unread *unread, int type, int priority, int64_t n, struct arena *arena)
{
	unread->total += (uint32_t)n;
	add_type(unread, kind_name(type), (uint32_t)n, arena);
	add_priority(unread, priority_word(priority), (uint32_t)n, arena);
}
