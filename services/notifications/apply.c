/* The order of the statements is the order of DESIGN 11: rows, locks, what is new, numbers,
 * inserts. */
#include "apply.h"

#include "announcements.h"
#include "audit_batch.h"
#include "base/clock.h"
#include "earlier.h"
#include "kind.h"
#include "ring.h"
#include "stats.h"
#include "store.h"
#include "store_rows.h"

#define NUMBER(NAME) WALLETWIRE__V1__PAYLOAD__BODY_##NAME

enum status apply_begin(struct apply *apply, struct err *err)
{
	enum status s = db_begin(apply->db, err);

	if (s)
		return s;
	/* The call may have made a new connection, which does not hold the lock. */
	if (db_generation(apply->db) == apply->generation)
		return STATUS_OK;
	db_rollback(apply->db);
	return err_set(
	    err, STATUS_UNAVAILABLE, "the connection that held the applier's lock is gone");
}

/* --- the transaction --- */

/*
 * Mostly everybody has a row already. Nobody can lock a new row before the commit of its maker,
 * which is the applier or a transaction that locks nothing else (balances.c), so making some after
 * others are locked can't end in a deadlock.
 */
static enum status lock_users(struct apply *apply, struct batch *batch, struct err *err)
{
	size_t found = 0;
	enum status s = store_lock_users(apply->db, batch, &found, err);

	if (s || found == batch->users_len)
		return s;
	s = store_create_users(apply->db, batch, err);
	return s ? s : store_lock_users(apply->db, batch, &found, err);
}

static enum status read_what_is_there(struct apply *apply, struct batch *batch, struct err *err)
{
	enum status s = batch->users_len > 0 ? lock_users(apply, batch, err) : STATUS_OK;

	if (!s)
		s = store_find_applied(apply->db, batch, err);
	if (!s)
		s = store_read_versions(apply->db, batch, err);
	return s;
}

static enum status write_applied(
    struct apply *apply, struct batch *batch, int64_t now_us, struct err *err)
{
	enum status s =
	    store_insert_applied(apply->db, apply->period, &batch->applied, now_us, err);

	if (s == STATUS_CONFLICT)
		return err_set(err, STATUS_UNAVAILABLE, "events were applied by somebody else");
	return s;
}

static enum status write_rows(
    struct apply *apply, struct batch *batch, int64_t now_us, struct err *err)
{
	enum status s = STATUS_OK;

	if (batch->mailbox.len > 0) {
		s = store_insert_bodies(apply->db, &batch->bodies, now_us, err);
		if (!s)
			s = store_insert_mailbox(apply->db, &batch->mailbox, now_us, err);
		if (!s)
			s = earlier_blank(apply->db, batch, &apply->arena, err);
	}
	if (!s && batch->inbox.len > 0)
		s = store_insert_inbox(apply->db, &batch->inbox, err);
	if (!s)
		s = store_set_users(apply->db, batch, err);
	if (!s)
		s = store_set_balances(apply->db, batch, now_us, err);
	if (!s)
		s = store_set_transfers(apply->db, batch, now_us, err);
	return s;
}

/* Last of all, because the log's row is everybody's. */
static enum status write_announcements(
    struct apply *apply, struct batch *batch, int64_t now_us, struct audit *audit, struct err *err)
{
	enum status s = STATUS_OK;

	apply->log = arena_alloc(&apply->arena, batch->announcements * sizeof(*apply->log));
	apply->log_len = 0;
	for (size_t i = 0; i < batch->events_len && !s; i++) {
		const struct plan *plan = &batch->events[i].plan;
		int64_t seq = 0;

		if (!plan->announcement || !batch_is_new(&batch->events[i]))
			continue;
		if (plan->starts_us > now_us) {
			s = store_schedule(apply->db, plan->announcement, plan->starts_us, err);
			announcements_audit(
			    audit, AUDIT_ACTION(ANNOUNCEMENT_SCHEDULED), plan->event_id, 0);
			continue;
		}
		s = store_draw_announcements(apply->db, 1, &seq, err);
		if (s)
			break;
		announcements_number(plan->announcement, seq);
		s = store_insert_announcement(apply->db, plan->announcement, now_us, err);
		announcements_audit(audit, AUDIT_ACTION(ANNOUNCEMENT_STARTED), plan->event_id, seq);
		apply->log[apply->log_len++] = plan->announcement;
	}
	return s;
}

static void add_unread_state(struct batch *batch, struct batch_user *user)
{
	Payload *payload = MESSAGE_NEW(batch->arena, payload);
	Unread *unread = MESSAGE_NEW(batch->arena, unread);

	for (size_t i = 0; i < user->counters_len; i += 3)
		unread_add(unread, user->counters[i], user->counters[i + 1], user->counters[i + 2],
		    batch->arena);
	unread->version = (uint64_t)user->rev;
	payload->body_case = NUMBER(UNREAD);
	payload->unread = unread;
	batch_user_add_state(batch, user, payload, user->rev);
}

/* The counters of everybody whose inbox changed. */
static void add_counters(struct batch *batch)
{
	for (size_t i = 0; i < batch->users_len; i++) {
		if (batch->users[i].counters_changed)
			add_unread_state(batch, &batch->users[i]);
	}
}

static enum status write_new(
    struct apply *apply, struct batch *batch, int64_t now_us, struct audit *audit, struct err *err)
{
	int64_t first_body = 0;
	enum status s = store_draw_body_ids(apply->db, &first_body, err);

	if (s)
		return s;
	batch_number(batch, first_body, now_us);
	if (batch->new_events == 0)
		return STATUS_OK;
	s = write_applied(apply, batch, now_us, err);
	if (!s)
		s = write_rows(apply, batch, now_us, err);
	add_counters(batch);
	if (!s)
		s = write_announcements(apply, batch, now_us, audit, err);
	if (!s)
		audit_batch(audit, batch);
	return s;
}

/* A letter that comes again, because its acknowledgement was lost, is remembered like an event. */
static enum status write_dead(struct apply *apply, const struct batch *batch, int64_t now_us,
    struct audit *audit, struct err *err)
{
	AuditActor by = audit_actor(AUDIT_BY(SERVICE), "notifications");
	enum status s = STATUS_OK;

	for (size_t i = 0; i < batch->dead_len && !s; i++) {
		const struct batch_dead *dead = &batch->dead[i];
		const char *key = arena_printf(&apply->arena, "dead/%s", dead->letter_id);
		bool is_new = false;
		AuditRecord *record;

		s = store_remember(apply->db, apply->period, key, now_us, &is_new, err);
		if (s || !is_new)
			continue;
		record = audit_record(audit, AUDIT_ACTION(EVENT_DEAD_LETTERED), 0);
		record->actor = &by;
		audit_record_event(record, dead->event_key);
		audit_record_id(record, dead->letter_id);
		audit_add(audit, record);
	}
	return s;
}

static enum status write_all(
    struct apply *apply, struct batch *batch, int64_t stream_seq, struct err *err)
{
	AuditActor by = audit_actor(AUDIT_BY(BACKEND), "");
	int64_t now_us = clock_wall_us();
	enum status s = STATUS_OK;
	struct audit audit = { 0 };

	audit_begin(&audit, &store_audit, &by, &apply->arena, now_us);
	if (batch->events_len > 0) {
		s = read_what_is_there(apply, batch, err);
		if (!s)
			s = write_new(apply, batch, now_us, &audit, err);
	}
	if (!s)
		s = write_dead(apply, batch, now_us, &audit, err);
	if (!s)
		s = audit_write(&audit, apply->db, err);
	return s ? s : store_progress_set(apply->db, stream_seq, err);
}

static void count(const struct batch *batch)
{
	for (size_t i = 0; i < batch->events_len; i++) {
		const struct batch_event *event = &batch->events[i];

		if (!batch_is_new(event))
			stats_count(STATS_DUPLICATES, 1);
		else
			stats_event(event->plan.kind);
		stats_count(STATS_STALE, event->stale);
	}
	stats_count(STATS_ROWS, (int64_t)batch->mailbox.len);
}

enum status apply_batch(
    struct apply *apply, struct batch *batch, int64_t stream_seq, struct err *err)
{
	enum status s;

	arena_reset(&apply->arena);
	batch_prepare(batch, &apply->arena);
	apply->log_len = 0;
	s = apply_begin(apply, err);
	if (s)
		return s;
	s = write_all(apply, batch, stream_seq, err);
	if (!s)
		s = db_commit(apply->db, err);
	if (s) {
		db_rollback(apply->db);
		return s;
	}
	count(batch);
	return STATUS_OK;
}

/* --- the doorbell --- */

static enum status ring_users(struct apply *apply, const struct batch *batch, struct err *err)
{
	enum status s = STATUS_OK;

	for (size_t i = 0; i < batch->users_len && !s; i++) {
		const struct batch_user *user = &batch->users[i];
		struct ring ring = { apply->epoch, user->user_id, user->rev_before, user->rev,
			user->items, user->items_len, user->states, user->states_len, NULL };

		s = ring_user(apply->bus, &ring, &apply->arena, err);
	}
	return s;
}

/* The old items of events that came again, and the counters with them. */
static enum status find_old_items(struct apply *apply, struct batch *again, struct err *err)
{
	size_t n = 0, max = 0;
	const char **users;
	int64_t *seqs;
	enum status s;

	for (size_t i = 0; i < again->events_len; i++)
		max += again->events[i].old_len;
	users = arena_alloc(&apply->arena, max * sizeof(*users));
	seqs = arena_alloc(&apply->arena, max * sizeof(*seqs));
	for (size_t i = 0; i < again->events_len; i++) {
		const struct batch_event *event = &again->events[i];

		for (size_t j = 0; j < event->old_len; j++) {
			if (event->old_seqs[j] == 0 || !batch_find_user(again, event->old_users[j]))
				continue;
			users[n] = event->old_users[j];
			seqs[n++] = event->old_seqs[j];
		}
	}
	if (n == 0)
		return STATUS_OK;
	s = store_old_items(apply->db, users, seqs, n, again, err);
	if (s)
		return s;
	for (size_t i = 0; i < again->users_len; i++) {
		if (again->users[i].items_len > 0)
			add_unread_state(again, &again->users[i]);
	}
	return STATUS_OK;
}

/* The states they name, as they are now. */
static enum status find_old_states(struct apply *apply, struct batch *again, struct err *err)
{
	const char **users = arena_alloc(&apply->arena, again->states_len * sizeof(*users));
	const char **wallets = arena_alloc(&apply->arena, again->states_len * sizeof(*wallets));
	const char **transfers = arena_alloc(&apply->arena, again->states_len * sizeof(*transfers));
	size_t balances_len = 0, transfers_len = 0;
	enum status s = STATUS_OK;

	for (size_t i = 0; i < again->states_len; i++) {
		const struct batch_state *state = &again->states[i];

		if (state->kind == NUMBER(TRANSFER)) {
			transfers[transfers_len++] = state->key;
			continue;
		}
		users[balances_len] = state->user_id;
		wallets[balances_len++] = state->key;
	}
	for (size_t i = 0; i < again->events_len; i++) {
		const struct plan *plan = &again->events[i].plan;

		if (!plan->state || plan->state->body_case != NUMBER(CHAT_READ))
			continue;
		for (size_t j = 0; j < plan->users_len; j++)
			batch_user_add_state(again, batch_find_user(again, plan->users[j]),
			    plan->state, (int64_t)plan->state->chat_read->seq);
	}
	if (balances_len > 0)
		s = store_old_balances(apply->db, users, wallets, balances_len, again, err);
	if (!s && transfers_len > 0)
		s = store_old_transfers(apply->db, transfers, transfers_len, again, err);
	return s;
}

static enum status ring_old_announcements(
    struct apply *apply, const struct batch *again, struct err *err)
{
	const char **ids = arena_alloc(&apply->arena, again->events_len * sizeof(*ids));
	LogEntry **log = NULL;
	size_t len = 0, n = 0;
	enum status s;

	for (size_t i = 0; i < again->events_len; i++) {
		if (again->events[i].plan.announcement)
			ids[len++] = again->events[i].plan.event_id;
	}
	if (len == 0)
		return STATUS_OK;
	s = store_announcements_by_id(apply->db, ids, len, &apply->arena, &n, &log, err);
	return s ? s : ring_all(apply->bus, apply->epoch, log, n, &apply->arena, err);
}

/* What came again, as a batch of its own whose numbers are read instead of given. */
static bool collect_again(struct apply *apply, const struct batch *batch, struct batch *again)
{
	batch_begin(again, batch->events_len, &apply->arena);
	for (size_t i = 0; i < batch->events_len; i++) {
		if (batch->events[i].applied)
			(void)batch_add(again, &batch->events[i].plan);
	}
	if (again->events_len == 0)
		return false;
	batch_prepare(again, &apply->arena);
	for (size_t i = 0; i < batch->events_len; i++) {
		const struct batch_event *event = &batch->events[i];
		struct batch_event *copy =
		    event->applied ? batch_find(again, event->plan.key) : NULL;

		if (!copy)
			continue;
		copy->old_users = event->old_users;
		copy->old_seqs = event->old_seqs;
		copy->old_len = event->old_len;
	}
	return true;
}

static enum status ring_again(struct apply *apply, const struct batch *batch, struct err *err)
{
	struct batch again;
	enum status s = STATUS_OK;

	if (!collect_again(apply, batch, &again))
		return STATUS_OK;
	if (again.users_len > 0)
		s = store_read_users(apply->db, &again, err);
	if (!s)
		s = find_old_items(apply, &again, err);
	if (!s)
		s = find_old_states(apply, &again, err);
	if (!s)
		s = ring_users(apply, &again, err);
	if (!s)
		s = ring_old_announcements(apply, &again, err);
	return s;
}

bool apply_ring_reads(const struct batch *batch)
{
	for (size_t i = 0; i < batch->events_len; i++) {
		if (batch->events[i].applied)
			return true;
	}
	return false;
}

enum status apply_ring(struct apply *apply, const struct batch *batch, struct err *err)
{
	enum status s = ring_again(apply, batch, err);

	if (!s)
		s = ring_users(apply, batch, err);
	if (!s)
		s = ring_all(
		    apply->bus, apply->epoch, apply->log, apply->log_len, &apply->arena, err);
	return s;
}
