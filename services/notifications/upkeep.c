/* Runs on the applier's own connection between batches, in small transactions. */
#include "upkeep.h"

#include "announcements.h"
#include "base/clock.h"
#include "log/log.h"
#include "revoked.h"
#include "ring.h"
#include "service/audit.h"
#include "stats.h"
#include "store.h"
#include "withdraw.h"

enum {
	TICK_MS = 1000,
	DAYS_BEHIND = 1, /* for a replica whose clock is behind */
	DAYS_AHEAD = 7,
	PERIOD_DAYS = 35,
	CLEAN_AGAIN_MS = 600000,
	EXPIRE_MAX = 500,
};

static const int64_t DAY_US = INT64_C(86400) * 1000000;

static int64_t today(void)
{
	return clock_wall_us() / DAY_US;
}

static int64_t keep_days(const struct upkeep *upkeep)
{
	return (upkeep->retention_ms * 1000 + DAY_US - 1) / DAY_US;
}

static enum status make_days(struct upkeep *upkeep, struct err *err)
{
	int64_t day = today();
	enum status s;

	if (upkeep->days_made == day)
		return STATUS_OK;
	s = db_partitions_make(
	    upkeep->apply->db, &store_mailbox, day - DAYS_BEHIND, day + DAYS_AHEAD, err);
	if (!s)
		upkeep->days_made = day;
	return s;
}

/* Locks the whole mailbox for a moment, so not while a backup or a long read has it. */
static enum status drop_days(struct upkeep *upkeep, struct err *err)
{
	int64_t day = today();
	enum status s;

	if (upkeep->days_dropped == day)
		return STATUS_OK;
	s = db_partitions_drop(upkeep->apply->db, &store_mailbox, day - keep_days(upkeep), err);
	if (!s)
		upkeep->days_dropped = day;
	return s;
}

/* Bodies that nobody's inbox refers to live as long as the mailbox; a bounded bite each time. */
static enum status forget_bodies(struct upkeep *upkeep, struct err *err)
{
	size_t n = 0;

	return store_forget_bodies(
	    upkeep->apply->db, (today() - keep_days(upkeep)) * DAY_US, &n, err);
}

/* Likewise. */
static enum status forget_transfers(struct upkeep *upkeep, struct err *err)
{
	return store_forget_transfers(
	    upkeep->apply->db, clock_wall_us() - upkeep->transfer_retention_ms * 1000, err);
}

static enum status start_period(struct upkeep *upkeep, struct err *err)
{
	struct apply *apply = upkeep->apply;
	int64_t period = today() / PERIOD_DAYS;
	enum status s;

	if (period <= apply->period)
		return STATUS_OK;
	s = apply_begin(apply, err);
	if (s)
		return s;
	s = db_exec(apply->db, STORE_IMPATIENT, err);
	if (!s)
		s = store_start_period(apply->db, period, err);
	if (!s)
		s = db_commit(apply->db, err);
	if (s) {
		db_rollback(apply->db);
		return s;
	}
	apply->period = period;
	log_info("events are now remembered in the other table");
	return STATUS_OK;
}

/* What happens because its time has come, on the applier's arena. */
static void begin_audit(struct upkeep *upkeep, struct audit *audit)
{
	AuditActor by = audit_actor(AUDIT_BY(SERVICE), "notifications");

	audit_begin(audit, &store_audit, &by, &upkeep->apply->arena, clock_wall_us());
}

static enum status turn_announcements(struct upkeep *upkeep, struct err *err)
{
	struct apply *apply = upkeep->apply;
	struct audit audit = { 0 };
	LogEntry **log = NULL;
	size_t n = 0;
	enum status s;

	arena_reset(&apply->arena);
	begin_audit(upkeep, &audit);
	s = apply_begin(apply, err);
	if (s)
		return s;
	s = announcements_turn(apply->db, clock_wall_us(), &apply->arena, &n, &log, &audit, err);
	if (!s)
		s = audit_write(&audit, apply->db, err);
	if (!s)
		s = db_commit(apply->db, err);
	if (s) {
		db_rollback(apply->db);
		return s;
	}
	/* Committed: if this ring is lost, the edges' sweep finds the rows. */
	return n > 0 ? ring_all(apply->bus, apply->epoch, log, n, &apply->arena, err) : STATUS_OK;
}

/* A bounded bite; the rest comes with the next tick, which then comes at once. */
static enum status expire_items(struct upkeep *upkeep, struct err *err)
{
	struct apply *apply = upkeep->apply;
	struct withdrawal w = { .state = WALLETWIRE__V1__INBOX_STATE__INBOX_STATE_EXPIRED };
	struct audit audit = { 0 };
	enum status s;

	arena_reset(&apply->arena);
	begin_audit(upkeep, &audit);
	s = apply_begin(apply, err);
	if (s)
		return s;
	s = store_find_expired(
	    apply->db, clock_wall_us(), EXPIRE_MAX, &apply->arena, &w.items, err);
	if (!s && w.items.len > 0)
		s = withdraw_items(&w, apply->db, &apply->arena, &audit, err);
	if (!s)
		s = audit_write(&audit, apply->db, err);
	if (!s)
		s = db_commit(apply->db, err);
	if (s) {
		db_rollback(apply->db);
		return s;
	}
	stats_count(STATS_EXPIRED, (int64_t)w.gone.len);
	if (w.items.len == EXPIRE_MAX)
		upkeep->next_ms = clock_mono_ms();
	return withdraw_ring(&w, apply->bus, apply->epoch, &apply->arena, err);
}

enum status upkeep_start(struct upkeep *upkeep, struct err *err)
{
	upkeep->days_made = 0;
	upkeep->next_ms = 0;
	upkeep->clean_ms = 0;
	upkeep->revoked_copied = false;
	return make_days(upkeep, err);
}

/* What needs a lock that others may hold for long; a failure is tried again after a while. */
static enum status clean_up(struct upkeep *upkeep, struct err *err)
{
	int64_t now = clock_mono_ms();
	enum status s;

	if (now < upkeep->clean_ms)
		return STATUS_OK;
	s = drop_days(upkeep, err);
	if (!s)
		s = start_period(upkeep, err);
	if (s)
		upkeep->clean_ms = now + CLEAN_AGAIN_MS;
	return s;
}

static enum status forget_marks(struct upkeep *upkeep, struct err *err)
{
	return store_forget_marks(upkeep->apply->db, err);
}

static enum status copy_revoked(struct upkeep *upkeep, struct err *err)
{
	enum status s = STATUS_OK;

	if (!upkeep->revoked_copied)
		s = revoked_copy(upkeep->apply->db, upkeep->apply->bus, err);
	upkeep->revoked_copied = !s;
	return s;
}

static const struct {
	const char *what;
	enum status (*run)(struct upkeep *upkeep, struct err *err);
} jobs[] = {
	{ "the days of the mailbox", make_days },
	{ "announcements", turn_announcements },
	{ "items that expire", expire_items },
	{ "texts of the past", forget_bodies },
	{ "transfers that have ended", forget_transfers },
	{ "marks of announcements that have ended", forget_marks },
	{ "revocations", copy_revoked },
	{ "the past", clean_up },
};

bool upkeep_is_due(const struct upkeep *upkeep)
{
	return clock_mono_ms() >= upkeep->next_ms;
}

/* What fails for good, a row that is damaged say, holds up nothing that comes after it. */
enum status upkeep_tick(struct upkeep *upkeep, struct err *err)
{
	int64_t now = clock_mono_ms();
	enum status first = STATUS_OK;

	if (!upkeep_is_due(upkeep))
		return STATUS_OK;
	upkeep->next_ms = now + TICK_MS;
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
		struct err why = ERR_INIT;
		enum status s = jobs[i].run(upkeep, &why);

		if (s && !first) {
			*err = why;
			first = err_prefix(err, "upkeep of %s", jobs[i].what);
		}
		if (s && status_is_temporary(s))
			break;
	}
	return first;
}
