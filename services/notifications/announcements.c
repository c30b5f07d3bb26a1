/* The log's row is everybody's: it is locked last, by drawing the numbers. */
#include "announcements.h"

#include "base/clock.h"

void announcements_number(LogEntry *entry, int64_t seq)
{
	entry->announcement_seq = (uint64_t)seq;
	if (entry->change_case == WALLETWIRE__V1__LOG_ENTRY__CHANGE_ANNOUNCED)
		entry->announced->announcement_seq = (uint64_t)seq;
}

void announcements_audit(
    struct audit *audit, Walletwire__V1__AuditAction action, const char *id, int64_t seq)
{
	AuditRecord *record = audit_record(audit, action, 0);

	audit_record_event(record, arena_printf(audit->arena, "announcement/%s", id));
	audit_record_id(record, id);
	record->announcement_seq = (uint64_t)seq;
	record->n = 1;
	audit_add(audit, record);
}

static void audit_entry(struct audit *audit, const LogEntry *entry)
{
	int64_t seq = (int64_t)entry->announcement_seq;

	switch (entry->change_case) {
	case WALLETWIRE__V1__LOG_ENTRY__CHANGE_ANNOUNCED:
		announcements_audit(
		    audit, AUDIT_ACTION(ANNOUNCEMENT_STARTED), entry->announced->id, seq);
		break;
	case WALLETWIRE__V1__LOG_ENTRY__CHANGE_EXPIRED:
		announcements_audit(audit, AUDIT_ACTION(ANNOUNCEMENT_EXPIRED), entry->expired, seq);
		break;
	default:
		break; /* a recall says so itself: it may have no row */
	}
}

static enum status write_entry(
    struct db *db, const LogEntry *entry, int64_t now_us, struct err *err)
{
	if (entry->change_case == WALLETWIRE__V1__LOG_ENTRY__CHANGE_ANNOUNCED)
		return store_insert_announcement(db, entry, now_us, err);
	return store_log_end(db, entry, now_us, err);
}

static enum status write_log(
    struct db *db, LogEntry **log, size_t n, int64_t now_us, struct err *err)
{
	int64_t first = 0;
	enum status s = n > 0 ? store_draw_announcements(db, n, &first, err) : STATUS_OK;

	for (size_t i = 0; i < n && !s; i++) {
		announcements_number(log[i], first + (int64_t)i);
		s = write_entry(db, log[i], now_us, err);
	}
	return s;
}

static LogEntry *expired(const char *id, struct arena *arena)
{
	LogEntry *entry = MESSAGE_NEW(arena, log_entry);

	entry->change_case = WALLETWIRE__V1__LOG_ENTRY__CHANGE_EXPIRED;
	entry->expired = arena_strdup(arena, id);
	return entry;
}

enum status announcements_turn(struct db *db, int64_t now_us, struct arena *arena, size_t *ret_n,
    LogEntry ***ret_log, struct audit *audit, struct err *err)
{
	LogEntry **due = NULL;
	const char **over = NULL;
	size_t due_n = 0, over_n = 0;
	enum status s = store_due_announcements(db, now_us, arena, &due_n, &due, err);

	if (!s)
		s = store_expire_announcements(db, now_us, arena, &over_n, &over, err);
	if (s)
		return s;
	*ret_n = due_n + over_n;
	*ret_log = arena_alloc(arena, *ret_n * sizeof(LogEntry *));
	for (size_t i = 0; i < due_n; i++)
		(*ret_log)[i] = due[i];
	for (size_t i = 0; i < over_n; i++)
		(*ret_log)[due_n + i] = expired(over[i], arena);
	s = write_log(db, *ret_log, *ret_n, now_us, err);
	for (size_t i = 0; i < *ret_n && !s; i++)
		audit_entry(audit, (*ret_log)[i]);
	return s;
}

static enum status log_recall(
    struct db *db, const char *id, struct arena *arena, LogEntry **ret_entry, struct err *err)
{
	LogEntry *entry = MESSAGE_NEW(arena, log_entry);

	entry->change_case = WALLETWIRE__V1__LOG_ENTRY__CHANGE_RECALLED;
	entry->recalled = arena_strdup(arena, id);
	*ret_entry = entry;
	return write_log(db, &entry, 1, clock_wall_us(), err);
}

enum status announcements_recall(struct db *db, const char *id, struct arena *arena,
    LogEntry **ret_entry, struct audit *audit, struct err *err)
{
	struct store_recalled recalled;
	enum status s = store_recall_announcement(db, id, &recalled, err);

	*ret_entry = NULL;
	if (!s && !recalled.known)
		return err_set(err, STATUS_NOT_FOUND, "there is no announcement %s", id);
	if (s || (!recalled.lived && !recalled.scheduled))
		return s;
	if (recalled.lived)
		s = log_recall(db, id, arena, ret_entry, err);
	if (!s)
		announcements_audit(audit, AUDIT_ACTION(ANNOUNCEMENT_RECALLED), id,
		    *ret_entry ? (int64_t)(*ret_entry)->announcement_seq : 0);
	return s;
}
