/*
 * A turn: hold the lock, know the chains' ends, take a batch of messages in the order of their
 * numbers, store it and how far the stream was followed in one transaction, acknowledge it.
 *
 * What is acknowledged is gone from the stream, and is never above the stored position. So a number
 * above the position that the stream does not have was taken away by somebody else.
 */
#include "writer.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "bus/provision.h"
#include "heads.h"
#include "intake.h"
#include "log/log.h"
#include "service/audit.h"
#include "service/turns.h"
#include "stats.h"
#include "store.h"
#include "upkeep.h"

enum {
	FETCH_MAX = 256,
	FETCH_MS = 200,    /* a stop waits for it */
	STANDBY_MS = 250,  /* between two tries for the lock */
	BACK_OFF_MS = 500, /* after a failure */
	BROKEN_MS = 5000,
	CONNECT_MS = 100,
	LOOK_MS = 1000, /* at the stream as a whole, if nothing else asks for it */
	PAGE = 1000,    /* rows, while a chain's end is checked */
};

struct writer {
	const struct audit_config *cfg;
	struct bus *bus;
	struct turns *turns;
	_Atomic(const char *) trouble;

	/* owned by the thread */
	struct db *db;
	struct db_lock lock;
	struct bus_pull *pull;
	struct heads *heads;
	struct intake intake;
	struct arena arena;
	bool has_failed, active, knows; /* the chains' ends and the position */
	struct ledger_chain chains[SHARDS_MAX];
	bool has_new_key;                     /* the newest head was signed with the one before */
	int64_t signed_up_to;                 /* by that one */
	struct store_position position, next; /* stored; with what is in the intake */
	int64_t look_at, upkeep_at;           /* ms of the monotonic clock */
};

/* --- how it goes --- */

static int64_t well(struct writer *w, int64_t pause_ms)
{
	if (w->has_failed)
		log_info("storing records again");
	w->has_failed = false;
	stats_broken(false);
	atomic_store(&w->trouble, NULL);
	return pause_ms;
}

/* A chain that somebody else has changed is looked at again, but nothing is added to it. */
static int64_t fail(struct writer *w, const struct err *err, const char *trouble)
{
	bool is_broken = err->status == STATUS_CONFLICT;

	if (!w->has_failed && is_broken)
		log_error("%s", err->msg);
	else if (!w->has_failed)
		log_failure(err, "%s", trouble);
	w->has_failed = true;
	stats_count(STATS_FAILED, 1);
	stats_broken(is_broken);
	atomic_store(&w->trouble, is_broken ? "the chain was changed by somebody else" : trouble);
	return is_broken ? BROKEN_MS : BACK_OFF_MS;
}

static void note_active(struct writer *w, bool active)
{
	if (active == w->active)
		return;
	w->active = active;
	log_info(active ? "this replica writes" : "another replica writes, this one stands by");
	stats_active(active);
	if (!active)
		stats_waiting(0);
}

/* --- the ends of the chains --- */

static enum status broken(int64_t shard, int64_t number, const char *what, struct err *err)
{
	return err_set(err, STATUS_CONFLICT,
	    "shard %" PRId64 ", number %" PRId64 ": %s; nothing is added to a chain that somebody"
	    " else has changed: see `ww audit verify` and docs/audit.md",
	    shard, number, what);
}

/* From the newest head to the end. */
static enum status follow(
    struct writer *w, int64_t shard, struct ledger_chain *chain, struct err *err)
{
	size_t len = PAGE;

	while (len == PAGE) {
		struct ledger_row *rows = NULL;
		enum ledger_fault fault;
		size_t good;
		enum status s;

		arena_reset(&w->arena);
		s = store_rows(w->db, shard, chain->number, PAGE, &w->arena, &rows, &len, err);
		if (s)
			return s;
		fault = ledger_follow(chain, rows, len, &good);
		if (fault)
			return broken(shard, chain->number + 1, ledger_fault_text(fault), err);
	}
	return STATUS_OK;
}

/* Is the row there that the newest head was signed for? */
static enum status check_head(struct writer *w, const struct ledger_head *head,
    struct ledger_chain *ret_chain, struct err *err)
{
	struct ledger_row *rows = NULL;
	size_t len = 0;
	enum status s;

	*ret_chain = (struct ledger_chain){ head->number, 0, head->hash };
	if (head->number == 0)
		return STATUS_OK;
	if (!heads_is_mine(w->heads, head))
		return broken(head->shard, head->number,
		    "its head is not signed with our key, nor with one that comes before it in"
		    " --earlier-keys-file",
		    err);
	if (strcmp(head->key_id, heads_key_id(w->heads)) != 0) {
		w->has_new_key = true;
		w->signed_up_to = head->number;
	}
	arena_reset(&w->arena);
	s = store_rows(w->db, head->shard, head->number - 1, 1, &w->arena, &rows, &len, err);
	if (s)
		return s;
	/* Behind an anchor there may be nothing yet. */
	if (len == 0 || rows[0].number != head->number)
		return head->kind == LEDGER_ANCHOR ? STATUS_OK
						   : broken(head->shard, head->number,
							 "missing, although it was signed", err);
	if (!ledger_hash_equal(&rows[0].hash, &head->hash))
		return broken(head->shard, head->number, "not what was signed", err);
	ret_chain->stored_us = rows[0].stored_us;
	return STATUS_OK;
}

static enum status learn(struct writer *w, struct err *err)
{
	w->has_new_key = false;
	for (int64_t shard = 0; shard < w->cfg->shards; shard++) {
		struct ledger_chain *chain = &w->chains[shard];
		struct ledger_head head;
		enum status s = store_last_head(w->db, shard, &head, err);

		if (!s)
			s = check_head(w, &head, chain, err);
		if (!s)
			s = follow(w, shard, chain, err);
		if (s)
			return s;
		heads_resume(w->heads, shard, head.number);
	}
	return store_position(w->db, &w->position, err);
}

static enum status know(struct writer *w, struct err *err)
{
	enum status s = w->knows ? STATUS_OK : learn(w, err);

	w->knows = !s;
	return s;
}

/* Nobody else has added anything since. In the transaction. */
static enum status check_tails(struct writer *w, struct err *err)
{
	for (int64_t shard = 0; shard < w->cfg->shards; shard++) {
		const struct ledger_chain *mine = &w->chains[shard];
		struct ledger_chain tail;
		enum status s = store_tail(w->db, shard, mine->stored_us, &tail, err);

		if (s)
			return s;
		if (mine->stored_us > 0 &&
		    (tail.number != mine->number || !ledger_hash_equal(&tail.hash, &mine->hash)))
			return broken(
			    shard, mine->number, "not the last row any more, or changed", err);
	}
	return STATUS_OK;
}

/* --- what is missing from the stream --- */

static void lose(struct writer *w, const char *why, uint64_t up_to, uint64_t n)
{
	log_error("the audit stream has lost messages: %s, %" PRIu64 " up to number %" PRIu64, why,
	    n, up_to);
	intake_gap(&w->intake, why, up_to, n);
}

/* At the stream as a whole: another one, one that ends too early, one that begins too late. */
static enum status look(struct writer *w, struct err *err)
{
	struct bus_stream stream;
	enum status s = bus_stream_read(w->bus, STREAM_AUDIT, &stream, err);

	if (s)
		return s;
	w->look_at = clock_mono_ms() + LOOK_MS;
	if (w->next.born != stream.created_ns) {
		if (w->next.born != 0)
			lose(w, "recreated", w->next.seq, 0);
		w->next = (struct store_position){ stream.created_ns, 0 };
		w->intake.born = stream.created_ns;
	}
	if (stream.last_seq < w->next.seq) {
		lose(w, "rolled_back", w->next.seq, w->next.seq - stream.last_seq);
		w->next.seq = stream.last_seq;
	}
	if (stream.first_seq > w->next.seq + 1) {
		lose(w, "removed", stream.first_seq - 1, stream.first_seq - 1 - w->next.seq);
		w->next.seq = stream.first_seq - 1;
	}
	stats_waiting((int64_t)(stream.last_seq - w->next.seq));
	return STATUS_OK;
}

/* The message of that number, which did not come: delivered to a replica that died, or gone. */
static enum status get_one(struct writer *w, uint64_t seq, bool *ret_found, struct err *err)
{
	struct bus_msg *msg = NULL;
	struct err why = ERR_INIT;
	enum status s = bus_stream_get(w->bus, STREAM_AUDIT, seq, &msg, &why);

	*ret_found = !s;
	if (!s)
		intake_message(&w->intake, bus_msg_subject(msg), seq, bus_msg_data(msg));
	bus_msg_unref(msg);
	if (s && s != STATUS_NOT_FOUND)
		*err = why;
	return s == STATUS_NOT_FOUND ? STATUS_OK : s;
}

/* All numbers before `seq`, at most FETCH_MAX that are found. */
static enum status fill(struct writer *w, uint64_t seq, struct err *err)
{
	uint64_t lost = 0;
	size_t found = 0;
	enum status s = STATUS_OK;

	while (w->next.seq + 1 < seq && found < FETCH_MAX && !turns_are_over(w->turns)) {
		bool is_there = false;

		s = get_one(w, w->next.seq + 1, &is_there, err);
		if (s)
			return s;
		if (is_there && lost > 0)
			lose(w, "removed", w->next.seq, lost);
		lost = is_there ? 0 : lost + 1;
		found += is_there;
		w->next.seq++;
	}
	if (lost > 0)
		lose(w, "removed", w->next.seq, lost);
	return s;
}

/* --- a batch --- */

struct batch {
	struct bus_msg *msgs[FETCH_MAX];
	size_t len, taken; /* of them are in the intake */
};

static int by_seq(const void *a, const void *b)
{
	uint64_t one = bus_msg_stream_seq(*(struct bus_msg *const *)a);
	uint64_t other = bus_msg_stream_seq(*(struct bus_msg *const *)b);

	return (one > other) - (one < other);
}

/* Do they go on where the last batch ended? */
static bool is_next(const struct writer *w, const struct batch *batch)
{
	for (size_t i = 0; i < batch->len; i++) {
		if (bus_msg_stream_seq(batch->msgs[i]) != w->next.seq + 1 + i)
			return false;
	}
	return w->next.born != 0;
}

/* In order. One that comes again is looked at again: by its records' ids they are known. */
static enum status take(struct writer *w, struct batch *batch, struct err *err)
{
	for (size_t i = 0; i < batch->len; i++) {
		struct bus_msg *msg = batch->msgs[i];
		uint64_t seq = bus_msg_stream_seq(msg);
		enum status s = fill(w, seq, err);

		if (s)
			return s;
		if (seq > w->next.seq + 1)
			return STATUS_OK; /* the rest comes again */
		intake_message(&w->intake, bus_msg_subject(msg), seq, bus_msg_data(msg));
		if (seq > w->next.seq)
			w->next.seq = seq;
		batch->taken++;
	}
	return STATUS_OK;
}

static enum status gather(struct writer *w, struct batch *batch, struct err *err)
{
	enum status s = STATUS_OK;

	if (!w->pull)
		s = bus_pull_open(w->bus, STREAM_AUDIT, CONSUMER_AUDIT, &w->pull, err);
	if (!s)
		s = bus_pull_fetch(w->pull, batch->msgs, FETCH_MAX, FETCH_MS, &batch->len, err);
	if (s)
		return s;
	qsort((void *)batch->msgs, batch->len, sizeof(struct bus_msg *), by_seq);
	w->next = w->position;
	intake_begin(&w->intake, w->position.born, clock_wall_us());
	if (w->has_new_key)
		intake_key_changed(&w->intake, heads_key_id(w->heads), (uint64_t)w->signed_up_to);
	if (!is_next(w, batch) || clock_mono_ms() >= w->look_at)
		s = look(w, err);
	return s ? s : take(w, batch, err);
}

/* Time goes on in each chain, whatever the clock does. */
static int64_t time_of_storing(const struct writer *w)
{
	int64_t now = clock_wall_us();

	for (int64_t shard = 0; shard < w->cfg->shards; shard++) {
		if (w->chains[shard].stored_us > now)
			now = w->chains[shard].stored_us;
	}
	return now;
}

static enum status add(struct writer *w, struct ledger_chain *chains, struct err *err)
{
	enum status s = check_tails(w, err);

	if (!s)
		s = store_find_known(w->db, &w->intake, err);
	if (s)
		return s;
	intake_number(&w->intake, chains, time_of_storing(w));
	s = store_add(w->db, &w->intake, chains, err);
	return s ? s : store_set_position(w->db, &w->next, err);
}

static void count_added(const struct writer *w)
{
	size_t len, pieces, known = 0;
	const struct intake_row *rows = intake_rows(&w->intake, &len);

	for (size_t i = 0; i < len; i++)
		known += rows[i].is_known;
	(void)intake_pieces(&w->intake, &pieces);
	stats_count(STATS_RECORDS, (int64_t)(len - known));
	stats_count(STATS_DUPLICATES, (int64_t)known);
	stats_count(STATS_UNREADABLE, (int64_t)pieces);
	stats_count(STATS_GAPS, w->intake.gaps);
	stats_count(STATS_LOST, w->intake.lost);
}

/* --- what an operator has accepted as lost --- */

/* The row that it is said of; before number 1 stands what names the shard. */
static enum status find_row(struct writer *w, struct ledger_head *loss, struct err *err)
{
	struct ledger_row *rows = NULL;
	size_t len = 0;
	enum status s;

	loss->hash = ledger_first(loss->shard);
	if (loss->number == 0)
		return STATUS_OK;
	s = store_rows(w->db, loss->shard, loss->number - 1, 1, &w->arena, &rows, &len, err);
	if (!s && (len == 0 || rows[0].number != loss->number))
		s = err_set(
		    err, STATUS_INVALID, "there is no row of number %" PRId64, loss->number);
	if (!s)
		loss->hash = rows[0].hash;
	return s;
}

static enum status sign_loss(struct writer *w, const AuditRecord *record, struct err *err)
{
	struct ledger_head loss = { .kind = LEDGER_LOSS, .number = (int64_t)record->up_to };
	char *end = NULL;
	enum status s;

	loss.shard = record->n_ids > 0 ? strtoll(record->ids[0], &end, 10) : -1;
	if (!end || *end || loss.shard < 0 || loss.shard >= w->cfg->shards || loss.number < 0)
		return err_set(err, STATUS_INVALID, "names no shard of these");
	s = find_row(w, &loss, err);
	return s ? s : heads_tell_other(w->heads, w->db, &loss, err);
}

/* Behind the commit: it is in the chain who accepted what. One that can't be signed now is asked
 * for again, since the chain is then still found to be broken. */
static void sign_losses(struct writer *w)
{
	size_t len;
	const struct intake_row *rows = intake_rows(&w->intake, &len);

	for (size_t i = 0; i < len; i++) {
		struct err err = ERR_INIT;
		const AuditRecord *record;

		if (rows[i].is_known || rows[i].action != AUDIT_ACTION(AUDIT_LOSS_ACCEPTED))
			continue;
		arena_reset(&w->arena);
		record = ledger_record_unpack(rows[i].record, &w->arena);
		if (strcmp(record->service, "ops") != 0)
			continue;
		if (sign_loss(w, record, &err))
			log_failure(&err, "a loss that was accepted could not be signed");
		else
			log_warn("shard %s: what was behind number %" PRIu64 " is accepted as lost",
			    record->ids[0], record->up_to);
	}
}

static enum status store(struct writer *w, struct err *err)
{
	struct ledger_chain chains[SHARDS_MAX];
	size_t len;
	enum status s;

	(void)intake_rows(&w->intake, &len);
	if (len == 0 && w->next.seq == w->position.seq && w->next.born == w->position.born)
		return STATUS_OK;
	memcpy(chains, w->chains, sizeof(chains));
	intake_find_repeated(&w->intake);
	s = db_begin(w->db, err);
	if (!s)
		s = add(w, chains, err);
	if (!s)
		s = db_commit(w->db, err);
	if (s) {
		db_rollback(w->db);
		return s;
	}
	memcpy(w->chains, chains, sizeof(chains));
	w->position = w->next;
	w->has_new_key = false;
	count_added(w);
	sign_losses(w);
	return STATUS_OK;
}

/* One that is lost brings the message again. */
static void acknowledge(const struct batch *batch)
{
	struct err err = ERR_INIT;

	for (size_t i = 0; i < batch->taken; i++) {
		if (bus_msg_ack(batch->msgs[i], &err))
			return;
	}
}

static enum status move(struct writer *w, struct err *err)
{
	struct batch batch = { .len = 0 };
	enum status s = gather(w, &batch, err);

	if (!s)
		s = store(w, err);
	if (!s)
		acknowledge(&batch);
	for (size_t i = 0; i < batch.len; i++)
		bus_msg_unref(batch.msgs[i]);
	return s;
}

/* --- the turn --- */

static enum status hold(struct writer *w, struct err *err)
{
	enum status s = db_lock_check(&w->lock, w->db, err);

	if (!s && !w->lock.held) {
		w->knows = false;
		s = db_lock_try(&w->lock, w->db, store_lock, err);
	}
	return s;
}

/* Where a chain's last row goes as well, its end is the anchor from now on. */
static void keep_up(struct writer *w)
{
	struct err err = ERR_INIT;
	int64_t dropped = 0;

	if (clock_mono_ms() < w->upkeep_at)
		return;
	w->upkeep_at = clock_mono_ms() + w->cfg->upkeep_interval;
	if (upkeep(w->heads, w->db, &dropped, &err))
		log_failure(&err, "partitions could not be made or dropped");
	w->knows = w->knows && dropped == 0;
}

static void tell_heads(struct writer *w, bool all)
{
	for (int64_t shard = 0; shard < w->cfg->shards; shard++) {
		const struct ledger_chain *chain = &w->chains[shard];
		struct err err = ERR_INIT;

		if (!heads_is_due(w->heads, shard, chain, all))
			continue;
		if (heads_tell(w->heads, w->db, shard, chain, &err))
			log_failure(&err, "a head could not be told everywhere");
	}
}

static int64_t turn(void *arg)
{
	struct writer *w = arg;
	struct err err = ERR_INIT;

	if (hold(w, &err))
		return fail(w, &err, "the database does not answer, or has no tables for this");
	note_active(w, w->lock.held);
	if (!w->lock.held)
		return well(w, STANDBY_MS);
	if (know(w, &err))
		return fail(w, &err, "the chain can't be read");
	keep_up(w);
	if (!w->knows)
		return well(w, 0);
	if (bus_wait_connected(w->bus, CONNECT_MS, &err))
		return fail(w, &err, "NATS does not answer");
	if (move(w, &err))
		return fail(w, &err, "records can't be stored");
	tell_heads(w, /* all= */ false);
	return well(w, 0);
}

/* --- life --- */

const char *writer_trouble(const struct writer *writer)
{
	return atomic_load(&writer->trouble);
}

static void writer_free(struct writer *w)
{
	bus_pull_close(w->pull);
	heads_close(w->heads);
	db_close(w->db);
	intake_finish(&w->intake);
	arena_finish(&w->arena);
	free(w);
}

enum status writer_start(const struct audit_config *cfg, struct bus *bus, const char *name,
    struct writer **ret_writer, struct err *err)
{
	struct writer *w = xcalloc(1, sizeof(*w));
	char *connection = xasprintf("%s/writer", name);
	struct db_config database = { .dsn = cfg->service.database_url,
		.application_name = connection,
		.statements = store_statements,
		.statements_len = store_statements_len,
		.by_key = true };
	enum status s;

	w->cfg = cfg;
	w->bus = bus;
	atomic_store(&w->trouble, "starting");
	intake_init(&w->intake, cfg->shards);
	arena_init(&w->arena, SIZE_MAX);
	s = heads_open(cfg, bus, &w->heads, err);
	if (!s)
		s = db_open(&database, &w->db, err);
	free(connection);
	if (!s) {
		*ret_writer = w;
		s = turns_start(turn, w, &w->turns, err);
	}
	if (s) {
		*ret_writer = NULL;
		writer_free(w);
	}
	return s;
}

void writer_stop(struct writer *w)
{
	if (!w)
		return;
	turns_end(w->turns);
	if (w->lock.held && w->knows)
		tell_heads(w, /* all= */ true);
	turns_free(w->turns);
	writer_free(w);
}
