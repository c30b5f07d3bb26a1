/*
 * What is held about a user, part by part: a page is of one part, ends at the bounds of every page,
 * and the cursor says where: "<part>:<key of the last row>".
 */
#include "store.h"

#include "kind.h"
#include "store_rows.h"
#include "store_sql.h"

typedef Walletwire__V1__ExportRecord Record;
typedef Walletwire__V1__ExportItem ExportItem;

static Timestamp *time_of(const struct db_result *r, size_t row, size_t column, struct arena *arena)
{
	return db_is_null(r, row, column) ? NULL
					  : message_timestamp(db_get_time(r, row, column), arena);
}

static char *text(const struct db_result *r, size_t row, size_t column, struct arena *arena)
{
	return arena_strdup(arena, db_get_text(r, row, column));
}

static enum status fill_user(
    const struct db_result *r, size_t row, struct arena *arena, Record *record, struct err *err)
{
	Walletwire__V1__ExportUser *user = MESSAGE_NEW(arena, export_user);

	(void)err;
	record->user = user;
	user->user_id = text(r, row, 0, arena);
	user->seq = (uint64_t)db_get_int(r, row, 1);
	user->rev = (uint64_t)db_get_int(r, row, 2);
	user->claims = MESSAGE_NEW(arena, claims);
	user->claims->country = text(r, row, 3, arena);
	user->claims->language = text(r, row, 4, arena);
	user->claims->tier = text(r, row, 5, arena);
	user->seen_up_to = (uint64_t)db_get_int(r, row, 6);
	user->read_up_to = (uint64_t)db_get_int(r, row, 7);
	user->archived_up_to = (uint64_t)db_get_int(r, row, 8);
	return STATUS_OK;
}

/* Columns as in SQL_ITEM. */
static enum status item_of(const struct db_result *r, size_t row, struct arena *arena,
    ExportItem **ret_item, struct err *err)
{
	ExportItem *item = MESSAGE_NEW(arena, export_item);
	enum status s = STATUS_OK;

	*ret_item = item;
	item->seq = (uint64_t)db_get_int(r, row, 0);
	item->applied_at = time_of(r, row, 1, arena);
	if (!db_is_null(r, row, 4))
		item->notification = row_notification(r, row, arena);
	if (!db_get_bool(r, row, 3))
		s = row_payload(r, row, 2, arena, &item->data, err);
	if (!s && item->data)
		item->event = arena_strdup(arena, kind_event((int)item->data->body_case));
	return s;
}

static enum status fill_mailbox(
    const struct db_result *r, size_t row, struct arena *arena, Record *record, struct err *err)
{
	return item_of(r, row, arena, &record->mailbox, err);
}

static enum status fill_inbox(
    const struct db_result *r, size_t row, struct arena *arena, Record *record, struct err *err)
{
	enum status s = item_of(r, row, arena, &record->inbox, err);

	record->inbox->event = arena_strdup(arena, kind_event((int)db_get_int(r, row, 5)));
	record->inbox->state = (Walletwire__V1__InboxState)db_get_int(r, row, 11);
	record->inbox->seen_at = time_of(r, row, 12, arena);
	record->inbox->read_at = time_of(r, row, 13, arena);
	record->inbox->archived_at = time_of(r, row, 14, arena);
	return s;
}

static enum status fill_balance(
    const struct db_result *r, size_t row, struct arena *arena, Record *record, struct err *err)
{
	Walletwire__V1__ExportBalance *balance = MESSAGE_NEW(arena, export_balance);
	Payload *payload = NULL;
	enum status s = row_payload(r, row, 1, arena, &payload, err);

	record->balance = balance;
	balance->balance = s ? NULL : payload->balance;
	balance->gone = db_get_bool(r, row, 2);
	balance->confirmed_at = time_of(r, row, 3, arena);
	return s;
}

static enum status fill_mark(
    const struct db_result *r, size_t row, struct arena *arena, Record *record, struct err *err)
{
	(void)err;
	record->mark = MESSAGE_NEW(arena, export_mark);
	record->mark->announcement_seq = (uint64_t)db_get_int(r, row, 0);
	record->mark->state = (Walletwire__V1__InboxState)db_get_int(r, row, 1);
	record->mark->read_at = time_of(r, row, 2, arena);
	return STATUS_OK;
}

static enum status fill_transfer(
    const struct db_result *r, size_t row, struct arena *arena, Record *record, struct err *err)
{
	Walletwire__V1__ExportTransfer *transfer = MESSAGE_NEW(arena, export_transfer);
	Payload *payload = NULL;
	enum status s = row_payload(r, row, 1, arena, &payload, err);

	record->transfer = transfer;
	transfer->transfer = s ? NULL : payload->transfer;
	transfer->parties = row_texts(r, row, 2, arena, &transfer->n_parties);
	return s;
}

static enum status fill_sent(
    const struct db_result *r, size_t row, struct arena *arena, Record *record, struct err *err)
{
	record->sent = MESSAGE_NEW(arena, export_item);
	record->sent->event =
	    arena_strdup(arena, kind_event(WALLETWIRE__V1__PAYLOAD__BODY_CHAT_MESSAGE));
	record->sent->applied_at = time_of(r, row, 2, arena);
	return row_payload(r, row, 1, arena, &record->sent->data, err);
}

static enum status fill_revocation(
    const struct db_result *r, size_t row, struct arena *arena, Record *record, struct err *err)
{
	(void)err;
	record->revocation = MESSAGE_NEW(arena, export_revocation);
	record->revocation->issued_before = time_of(r, row, 1, arena);
	record->revocation->reason = text(r, row, 2, arena);
	return STATUS_OK;
}

/* The first column of each statement is the key; rows come in its order. */
static const struct part {
	size_t statement;
	bool by_number; /* the key is one, and 0 is before them all */
	enum status (*fill)(const struct db_result *r, size_t row, struct arena *arena,
	    Record *record, struct err *err);
} parts[] = {
	{ STORE_EXPORT_USER, false, fill_user },
	{ STORE_EXPORT_INBOX, true, fill_inbox },
	{ STORE_EXPORT_MAILBOX, true, fill_mailbox },
	{ STORE_EXPORT_BALANCES, false, fill_balance },
	{ STORE_EXPORT_MARKS, true, fill_mark },
	{ STORE_EXPORT_TRANSFERS, false, fill_transfer },
	{ STORE_EXPORT_SENT, true, fill_sent },
	{ STORE_EXPORT_REVOCATIONS, false, fill_revocation },
};

enum { DIGITS_MAX = 18 };

struct cursor {
	size_t part;
	const char *key;
};

static enum status read_cursor(const char *after, struct cursor *ret, struct err *err)
{
	size_t digits;

	*ret = (struct cursor){ 0, "" };
	if (!after[0])
		return STATUS_OK;
	ret->part = (size_t)(after[0] - '0');
	if (after[0] < '0' || ret->part >= ARRAY_LEN(parts) || after[1] != ':')
		return err_invalid(err, "after", "is no cursor of a page");
	ret->key = after + 2;
	digits = strspn(ret->key, "0123456789");
	if (parts[ret->part].by_number && (ret->key[digits] || digits > DIGITS_MAX))
		return err_invalid(err, "after", "is no cursor of a page");
	return STATUS_OK;
}

static char *key_of(
    const struct part *part, const struct db_result *r, size_t row, struct arena *arena)
{
	if (part->by_number)
		return arena_printf(arena, "%lld", (long long)db_get_int(r, row, 0));
	return text(r, row, 0, arena);
}

/* Rows up to a bound; *ret_next is the key to go on after, NULL if that was the part. */
static enum status fill_page(const struct part *part, const struct db_result *r,
    struct arena *arena, Walletwire__V1__ExportReply *reply, const char **ret_next, struct err *err)
{
	size_t bytes = 0;

	*ret_next = NULL;
	reply->records = arena_alloc(arena, db_rows(r) * sizeof(*reply->records));
	for (size_t i = 0; i < db_rows(r); i++) {
		Record *record = MESSAGE_NEW(arena, export_record);
		enum status s = part->fill(r, i, arena, record, err);

		if (s)
			return s;
		bytes += protobuf_c_message_get_packed_size(&record->base);
		if (i == STORE_PAGE_ROWS || (i > 0 && bytes > STORE_PAGE_BYTES)) {
			*ret_next = key_of(part, r, i - 1, arena);
			return STATUS_OK;
		}
		reply->records[reply->n_records++] = record;
	}
	return STATUS_OK;
}

static enum status read_part(struct db *db, const char *user_id, struct cursor *at,
    struct arena *arena, Walletwire__V1__ExportReply *reply, struct err *err)
{
	const struct part *part = &parts[at->part];
	const char *next = NULL;
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, user_id);
	db_add_text(&p, part->by_number && !at->key[0] ? "0" : at->key);
	db_add_i64(&p, STORE_PAGE_ROWS + 1); /* one more tells that there is more */
	s = db_run(db, part->statement, &p, &r, err);
	if (s)
		return s;
	s = fill_page(part, r, arena, reply, &next, err);
	db_result_free(r);
	at->part += next == NULL;
	at->key = next ? next : "";
	return s;
}

/* Parts of which nothing is held are passed over. */
enum status store_export(struct db *db, const char *user_id, const char *after, struct arena *arena,
    Walletwire__V1__ExportReply *reply, struct err *err)
{
	struct cursor at;
	enum status s = read_cursor(after, &at, err);

	while (!s && reply->n_records == 0 && at.part < ARRAY_LEN(parts))
		s = read_part(db, user_id, &at, arena, reply, err);
	if (!s && at.part < ARRAY_LEN(parts))
		reply->next = arena_printf(arena, "%zu:%s", at.part, at.key);
	return s;
}
