/* The announcement log, what of it lives, and how far each user got with it. */
#include "store.h"

#include "kind.h"
#include "store_rows.h"
#include "store_sql.h"

/* --- the log --- */

enum status store_draw_announcements(struct db *db, size_t n, int64_t *ret_first, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_i64(&p, (int64_t)n);
	return db_run_int(db, STORE_DRAW_ANNOUNCEMENTS, &p, ret_first, err);
}

static void add_time_or_null(struct db_params *p, const Timestamp *ts)
{
	if (ts)
		db_add_time(p, message_time_us(ts));
	else
		db_add_null(p);
}

/* id, title, text, priority, expires_at, countries, languages, tiers */
static void add_announcement(struct db_params *p, const LogEntry *entry)
{
	static const Segment everybody = WALLETWIRE__V1__SEGMENT__INIT;
	const Segment *segment = entry->segment ? entry->segment : &everybody;
	const Announcement *announcement = entry->announced;

	db_add_text(p, announcement->id);
	db_add_text(p, announcement->title);
	db_add_text(p, announcement->text);
	db_add_i16(p, (int16_t)announcement->priority);
	add_time_or_null(p, announcement->expires_at);
	db_add_text_array(p, (const char *const *)segment->countries, segment->n_countries);
	db_add_text_array(p, (const char *const *)segment->languages, segment->n_languages);
	db_add_text_array(p, (const char *const *)segment->tiers, segment->n_tiers);
}

enum status store_insert_announcement(
    struct db *db, const LogEntry *entry, int64_t now_us, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	add_announcement(&p, entry);
	db_add_i64(&p, (int64_t)entry->announcement_seq);
	db_add_time(&p, now_us);
	return db_run(db, STORE_INSERT_ANNOUNCEMENT, &p, NULL, err);
}

enum status store_schedule(struct db *db, const LogEntry *entry, int64_t starts_us, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	add_announcement(&p, entry);
	db_add_time(&p, starts_us);
	return db_run(db, STORE_SCHEDULE, &p, NULL, err);
}

enum status store_due_announcements(struct db *db, int64_t now_us, struct arena *arena,
    size_t *ret_n, LogEntry ***ret, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_time(&p, now_us);
	s = db_run(db, STORE_DUE_ANNOUNCEMENTS, &p, &r, err);
	if (s)
		return s;
	*ret_n = db_rows(r);
	*ret = arena_alloc(arena, *ret_n * sizeof(LogEntry *));
	for (size_t i = 0; i < *ret_n; i++)
		(*ret)[i] = row_announced(r, i, 0, arena);
	db_result_free(r);
	return STATUS_OK;
}

/* One text parameter; whether there was a row. */
static enum status run_for(
    struct db *db, size_t statement, const char *id, bool *ret_any, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text(&p, id);
	return db_run_any(db, statement, &p, ret_any, err);
}

enum status store_recall_announcement(
    struct db *db, const char *id, struct store_recalled *ret, struct err *err)
{
	enum status s;

	*ret = (struct store_recalled){ 0 };
	s = run_for(db, STORE_UNSCHEDULE, id, &ret->scheduled, err);
	if (!s)
		s = run_for(db, STORE_RECALL_ANNOUNCEMENT, id, &ret->lived, err);
	if (!s)
		s = run_for(db, STORE_HAS_ANNOUNCEMENT, id, &ret->known, err);
	ret->known = ret->known || ret->scheduled;
	return s;
}

enum status store_expire_announcements(struct db *db, int64_t now_us, struct arena *arena,
    size_t *ret_n, const char ***ret_ids, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_time(&p, now_us);
	s = db_run(db, STORE_EXPIRE_ANNOUNCEMENTS, &p, &r, err);
	if (s)
		return s;
	*ret_n = db_rows(r);
	*ret_ids = arena_alloc(arena, *ret_n * sizeof(char *));
	for (size_t i = 0; i < *ret_n; i++)
		(*ret_ids)[i] = arena_strdup(arena, db_get_text(r, i, 0));
	db_result_free(r);
	return STATUS_OK;
}

enum status store_log_end(struct db *db, const LogEntry *entry, int64_t now_us, struct err *err)
{
	bool recall = entry->change_case == WALLETWIRE__V1__LOG_ENTRY__CHANGE_RECALLED;
	struct db_params p;

	db_params_init(&p);
	db_add_i64(&p, (int64_t)entry->announcement_seq);
	db_add_i16(&p, recall ? STORE_CHANGE_RECALLED : STORE_CHANGE_EXPIRED);
	db_add_text(&p, recall ? entry->recalled : entry->expired);
	db_add_time(&p, now_us);
	return db_run(db, STORE_LOG_END, &p, NULL, err);
}

enum status store_announcements_by_id(struct db *db, const char *const *ids, size_t len,
    struct arena *arena, size_t *ret_n, LogEntry ***ret, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text_array(&p, ids, len);
	s = db_run(db, STORE_ANNOUNCEMENTS_BY_ID, &p, &r, err);
	if (s)
		return s;
	*ret_n = db_rows(r);
	*ret = arena_alloc(arena, *ret_n * sizeof(LogEntry *));
	for (size_t i = 0; i < *ret_n; i++)
		(*ret)[i] = row_log_entry(r, i, arena);
	db_result_free(r);
	return STATUS_OK;
}

static enum status read_head(struct db *db, struct arena *arena,
    Walletwire__V1__AnnouncementsReply *reply, int64_t *ret_head, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	s = db_run(db, STORE_ANNOUNCEMENTS_HEAD, &p, &r, err);
	if (s)
		return s;
	reply->epoch = arena_strdup(arena, db_get_text(r, 0, 0));
	*ret_head = db_get_int(r, 0, 1);
	db_result_free(r);
	return STATUS_OK;
}

static void fill_page(const struct db_result *r, int64_t up_to, struct arena *arena,
    Walletwire__V1__AnnouncementsReply *reply)
{
	size_t bytes = 0;

	reply->log = arena_alloc(arena, db_rows(r) * sizeof(*reply->log));
	reply->handled = (uint64_t)up_to;
	for (size_t i = 0; i < db_rows(r); i++) {
		LogEntry *entry = row_log_entry(r, i, arena);

		bytes += protobuf_c_message_get_packed_size(&entry->base);
		if (i == STORE_PAGE_ROWS || (i > 0 && bytes > STORE_PAGE_BYTES)) {
			reply->handled = entry->announcement_seq - 1;
			break;
		}
		reply->log[reply->n_log++] = entry;
	}
}

enum status store_announcements(struct db *db, int64_t after, int64_t up_to, struct arena *arena,
    Walletwire__V1__AnnouncementsReply *reply, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	int64_t head = 0;
	enum status s = read_head(db, arena, reply, &head, err);

	if (s)
		return s;
	if (up_to > head)
		up_to = head;
	db_params_init(&p);
	db_add_i64(&p, after);
	db_add_i64(&p, up_to);
	db_add_i64(&p, STORE_PAGE_ROWS + 1); /* one more tells that there is more */
	s = db_run(db, STORE_ANNOUNCEMENTS, &p, &r, err);
	if (s)
		return s;
	fill_page(r, up_to, arena, reply);
	db_result_free(r);
	return STATUS_OK;
}

/* --- what lives, and who has read it --- */

enum status store_live(
    struct db *db, struct arena *arena, Walletwire__V1__OpenReply *reply, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	s = db_run(db, STORE_LIVE, &p, &r, err);
	if (s)
		return s;
	reply->live = arena_alloc(arena, db_rows(r) * sizeof(*reply->live));
	for (size_t i = 0; i < db_rows(r); i++) {
		Walletwire__V1__LiveAnnouncement *live = MESSAGE_NEW(arena, live_announcement);

		live->announcement_seq = (uint64_t)db_get_int(r, i, 0);
		live->id = arena_strdup(arena, db_get_text(r, i, 1));
		live->priority = (Walletwire__V1__Priority)db_get_int(r, i, 2);
		live->segment = row_segment(r, i, 3, arena);
		reply->live[reply->n_live++] = live;
	}
	db_result_free(r);
	return STATUS_OK;
}

enum status store_set_claims(
    struct db *db, const char *user_id, const Claims *claims, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text(&p, user_id);
	db_add_text(&p, claims->country);
	db_add_text(&p, claims->language);
	db_add_text(&p, claims->tier);
	return db_run(db, STORE_SET_CLAIMS, &p, NULL, err);
}

enum status store_marks(
    struct db *db, const char *user_id, struct arena *arena, Marks **ret_marks, struct err *err)
{
	Marks *marks = marks_new(arena);
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	*ret_marks = marks;
	db_params_init(&p);
	db_add_text(&p, user_id);
	s = db_run(db, STORE_MARKS, &p, &r, err);
	if (s)
		return s;
	for (size_t i = 0; i < db_rows(r); i++)
		row_mark(r, i, marks, arena);
	db_result_free(r);
	return STATUS_OK;
}

enum status store_add_live_unread(
    struct db *db, const char *user_id, struct arena *arena, Unread *unread, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, user_id);
	s = db_run(db, STORE_LIVE_UNREAD, &p, &r, err);
	if (s)
		return s;
	for (size_t i = 0; i < db_rows(r); i++) {
		if (db_get_int(r, i, 2) > 0)
			unread_add(unread, WALLETWIRE__V1__PAYLOAD__BODY_ANNOUNCEMENT,
			    (int)db_get_int(r, i, 1), db_get_int(r, i, 2), arena);
	}
	unread->version += (uint64_t)db_get_int(r, 0, 0);
	db_result_free(r);
	return STATUS_OK;
}

static enum status moved(
    struct db *db, size_t statement, struct db_params *p, size_t *ret_moved, struct err *err)
{
	struct db_result *r = NULL;
	enum status s = db_run(db, statement, p, &r, err);

	if (s)
		return s;
	*ret_moved = (size_t)db_get_int(r, 0, 0);
	db_result_free(r);
	return STATUS_OK;
}

enum status store_mark_announcements(
    struct db *db, const struct store_move *move, size_t *ret_moved, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text(&p, move->user_id);
	db_add_text_array(&p, (const char *const *)move->ids, move->ids_len);
	db_add_i16(&p, move->state);
	db_add_time(&p, move->now_us);
	return moved(db, STORE_MARK_ANNOUNCEMENTS, &p, ret_moved, err);
}

enum status store_pass_announcements(
    struct db *db, const struct store_move *move, int64_t up_to, size_t *ret_moved, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text(&p, move->user_id);
	db_add_i64(&p, up_to);
	db_add_i16(&p, move->state);
	return moved(db, STORE_PASS_ANNOUNCEMENTS, &p, ret_moved, err);
}

static Walletwire__V1__ListItem *list_item(
    const struct db_result *r, size_t row, struct arena *arena)
{
	Walletwire__V1__ListItem *item = MESSAGE_NEW(arena, list_item);
	Notification *notification = MESSAGE_NEW(arena, notification);
	LogEntry *entry = row_announced(r, row, 1, arena);

	entry->announced->announcement_seq = (uint64_t)db_get_int(r, row, 0);
	item->event = arena_strdup(arena, kind_event(WALLETWIRE__V1__PAYLOAD__BODY_ANNOUNCEMENT));
	item->data = MESSAGE_NEW(arena, payload);
	item->data->body_case = WALLETWIRE__V1__PAYLOAD__BODY_ANNOUNCEMENT;
	item->data->announcement = entry->announced;
	item->notification = notification;
	notification->id = entry->announced->id;
	notification->type =
	    arena_strdup(arena, kind_name(WALLETWIRE__V1__PAYLOAD__BODY_ANNOUNCEMENT));
	notification->priority = entry->announced->priority;
	notification->title = entry->announced->title;
	notification->text = entry->announced->text;
	notification->expires_at = entry->announced->expires_at;
	notification->created_at = message_timestamp(db_get_time(r, row, 9), arena);
	item->state = (Walletwire__V1__InboxState)db_get_int(r, row, 10);
	if (!db_is_null(r, row, 11))
		item->read_at = message_timestamp(db_get_time(r, row, 11), arena);
	return item;
}

enum status store_list_announcements(struct db *db, const struct store_list *query,
    struct arena *arena, Walletwire__V1__ListReply *reply, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, query->user_id);
	db_add_i64(&p, query->before_announcement);
	db_add_i16(
	    &p, query->unread_only ? WALLETWIRE__V1__INBOX_STATE__INBOX_STATE_READ : INT16_MAX);
	db_add_i16(&p, query->priority);
	db_add_i64(&p, (int64_t)query->limit + 1);
	s = db_run(db, STORE_LIST_ANNOUNCEMENTS, &p, &r, err);
	if (s)
		return s;
	reply->items = arena_alloc(arena, db_rows(r) * sizeof(*reply->items));
	for (size_t i = 0; i < db_rows(r); i++)
		reply->items[reply->n_items++] = list_item(r, i, arena);
	db_result_free(r);
	return STATUS_OK;
}

enum { FORGET_MARKS_MAX = 1000 };

enum status store_forget_marks(struct db *db, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_i64(&p, FORGET_MARKS_MAX);
	return db_run(db, STORE_FORGET_MARKS, &p, NULL, err);
}
