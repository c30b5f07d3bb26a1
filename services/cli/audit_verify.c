/* A page of rows at a time; the heads of a shard are met in the order of their numbers. */
#include "audit_verify.h"

#include <inttypes.h>
#include <stdio.h>

#include "audit_store.h"
#include "base/clock.h"

enum { PAGE = 1000, PROGRESS_MS = 1000, SHIFT_MAX = 1000, SHIFT_HEADS = 3 };

/* One shard while it is walked. */
struct walk {
	struct audit_verify *verify;
	int64_t shard;
	const struct audit_head *heads; /* its own */
	size_t heads_len, met;          /* so many were compared */
	size_t key;                     /* the place of the newest key that signed one of them */
	struct buf losses;              /* struct audit_head: those of the heads that are losses */
	size_t void_heads;              /* of what was accepted as lost */
	struct ledger_chain chain;
	int64_t first, sealed; /* numbers: of the first row; of the last head that fits */
	int64_t told_ms;
	struct arena arena;
};

static const char *const places[] = { [AUDIT_IN_TABLE] = "the table",
	[AUDIT_IN_FILE] = "the file",
	[AUDIT_IN_STREAM] = "the stream" };

static void report(struct walk *walk, int64_t number, enum ledger_fault fault, const char *how)
{
	walk->verify->is_broken = true;
	walk->verify->shards[walk->shard].fault = fault;
	walk->verify->shards[walk->shard].sealed = walk->sealed;
	(void)printf("shard %" PRId64 ": BROKEN at number %" PRId64 ": %s: %s\n", walk->shard,
	    number, ledger_fault_text(fault), how);
}

static const char *explain(enum ledger_fault fault)
{
	switch (fault) {
	case LEDGER_EDITED:
		return "the row is not what was hashed";
	case LEDGER_MISSING:
		return "there is no row of this number";
	case LEDGER_INSERTED:
		return "the row was never part of the chain";
	case LEDGER_REORDERED:
		return "another row belongs here, and this one elsewhere";
	default:
		return "";
	}
}

/* --- heads --- */

/* Other places have it and the table, which is first among them, does not. */
static bool is_gone_from_table(const struct walk *walk, size_t i)
{
	const struct audit_head *head = &walk->heads[i], *before = head - 1;

	return head->place != AUDIT_IN_TABLE &&
	       (i == 0 || before->head.number != head->head.number ||
		   before->head.kind != head->head.kind);
}

static void gather_losses(struct walk *walk)
{
	for (size_t i = 0; i < walk->heads_len; i++) {
		if (walk->heads[i].head.kind == LEDGER_LOSS)
			buf_append(&walk->losses, &walk->heads[i], sizeof(walk->heads[i]));
	}
}

/*
 * Was it signed before an operator accepted that what it says is lost? A loss speaks of no head by
 * a key that came after its own: whoever has a key that was given up can't take back what its
 * successors have signed. One loss takes back another, as after a second restore.
 */
static bool is_void(const struct walk *walk, const struct audit_head *head)
{
	const struct audit_head *losses = (const void *)walk->losses.data;

	for (size_t i = 0; i < walk->losses.len / sizeof(*losses); i++) {
		const struct ledger_head *loss = &losses[i].head;

		if (head->head.number > loss->number && head->head.at_us < loss->at_us &&
		    head->key <= losses[i].key)
			return true;
	}
	return false;
}

/* Behind the first head of a key an earlier one has signed nothing, of whatever kind. */
static bool is_of_its_time(struct walk *walk, const struct audit_head *head)
{
	if (head->key >= walk->key) {
		if (head->head.kind == LEDGER_HEAD)
			walk->key = head->key;
		return true;
	}
	report(walk, walk->sealed + 1, LEDGER_REWRITTEN,
	    "the next head is signed with a key that was given up before");
	(void)printf("  that is the %s of number %" PRId64 " in %s, by key %s\n",
	    ledger_head_word(head->head.kind), head->head.number, places[head->place],
	    head->head.key_id);
	return false;
}

/* Do the rows up to the end of the good ones fit the heads of them? */
static bool meet_heads(struct walk *walk, const struct ledger_row *rows, size_t len)
{
	for (; walk->met < walk->heads_len; walk->met++) {
		const struct audit_head *head = &walk->heads[walk->met];
		int64_t at = len > 0 ? head->head.number - rows[0].number : -1;

		if (head->head.number > walk->chain.number)
			return true;
		if (at < 0) /* of what retention has dropped */
			continue;
		if (!ledger_hash_equal(&rows[at].hash, &head->head.hash)) {
			if (is_void(walk, head)) {
				walk->void_heads++;
				continue;
			}
			report(walk, walk->sealed + 1, LEDGER_REWRITTEN,
			    "from here on hashes fit each other, but not the next signed head");
			(void)printf("  that is the one of number %" PRId64 " in %s\n",
			    head->head.number, places[head->place]);
			return false;
		}
		if (!is_of_its_time(walk, head))
			return false;
		walk->sealed = head->head.number;
	}
	return true;
}

/* Heads of numbers that no row has. */
static bool check_end(struct walk *walk)
{
	const struct audit_head *last = NULL;

	for (; walk->met < walk->heads_len; walk->met++) {
		if (is_void(walk, &walk->heads[walk->met]))
			walk->void_heads++;
		else
			last = &walk->heads[walk->met];
	}
	if (!last)
		return true;
	report(walk, walk->chain.number + 1, LEDGER_TRUNCATED, "the end of the chain is gone");
	(void)printf("  %s has a signed head of number %" PRId64 "\n", places[last->place],
	    last->head.number);
	return false;
}

static void check_table_of_heads(struct walk *walk)
{
	for (size_t i = 0; i < walk->heads_len; i++) {
		if (!is_gone_from_table(walk, i) || is_void(walk, &walk->heads[i]))
			continue;
		walk->verify->is_broken = true;
		(void)printf("shard %" PRId64 ": BROKEN: the table of heads has lost the one of"
			     " number %" PRId64 ", which %s has\n",
		    walk->shard, walk->heads[i].head.number, places[walk->heads[i].place]);
		return;
	}
}

/* --- rows --- */

/* Numbers can be given anew when a row is taken out or put in: then hashes stand elsewhere than
 * their heads say. */
static enum status look_for_shift(struct walk *walk, enum ledger_fault *fault, struct err *err)
{
	size_t end = walk->met + SHIFT_HEADS;

	for (size_t i = walk->met; i < walk->heads_len && i < end && *fault == LEDGER_EDITED; i++) {
		const struct ledger_head *head = &walk->heads[i].head;
		int64_t found = 0;
		enum status s;

		if (is_void(walk, &walk->heads[i]))
			continue;
		s = audit_store_find(walk->verify->db, walk->shard, &head->hash,
		    walk->chain.number + 1, head->number + SHIFT_MAX, &found, err);

		if (s)
			return s;
		if (found == head->number)
			return STATUS_OK;
		if (found > 0)
			*fault = found < head->number ? LEDGER_MISSING : LEDGER_INSERTED;
	}
	return STATUS_OK;
}

/* Looked at again, with as many rows behind it as a page has. */
static enum status diagnose(struct walk *walk, struct err *err)
{
	struct ledger_chain chain = walk->chain;
	struct audit_page page = { NULL, NULL, 0 };
	enum ledger_fault fault;
	size_t good = 0;
	enum status s;

	s = audit_store_page(walk->verify->db, walk->shard, &chain, PAGE, &walk->arena, &page, err);
	if (s)
		return s;
	fault = ledger_follow(&chain, page.rows, page.len, &good);
	s = look_for_shift(walk, &fault, err);
	if (s)
		return s;
	/* A number that comes twice is that one, not the next. */
	report(walk,
	    page.len > 0 && page.rows[0].number == walk->chain.number ? walk->chain.number
								      : walk->chain.number + 1,
	    fault, explain(fault));
	return STATUS_OK;
}

/* The columns beside the records that were found good. */
static bool check_index(struct walk *walk, const struct audit_page *page, size_t good)
{
	for (size_t i = 0; i < good; i++) {
		if (page->is_indexed[i])
			continue;
		report(walk, page->rows[i].number, LEDGER_EDITED,
		    "its columns do not say what its record says");
		return false;
	}
	return true;
}

static void tell_progress(struct walk *walk)
{
	int64_t now = clock_mono_ms();

	if (now - walk->told_ms < PROGRESS_MS)
		return;
	walk->told_ms = now;
	(void)fprintf(
	    stderr, "shard %" PRId64 ": number %" PRId64 "\n", walk->shard, walk->chain.number);
}

/* One page; *ret_goes_on says that it was full and good. */
static enum status walk_page(struct walk *walk, bool *ret_goes_on, struct err *err)
{
	struct audit_page page = { NULL, NULL, 0 };
	enum ledger_fault fault;
	size_t good = 0;
	enum status s;

	*ret_goes_on = false;
	arena_reset(&walk->arena);
	s = audit_store_page(
	    walk->verify->db, walk->shard, &walk->chain, PAGE, &walk->arena, &page, err);
	if (s)
		return s;
	if (walk->first == 0 && page.len > 0)
		walk->first = page.rows[0].number;
	fault = ledger_follow(&walk->chain, page.rows, page.len, &good);
	/* In the order of numbers: what is before the row that does not fit comes first. */
	if (!meet_heads(walk, page.rows, good) || !check_index(walk, &page, good))
		return STATUS_OK;
	if (fault)
		return diagnose(walk, err);
	*ret_goes_on = page.len == PAGE;
	return page.len < PAGE && !check_end(walk) ? STATUS_OK : s;
}

/*
 * Where the chain begins: at number 1, or behind the newest anchor of what is not there any more.
 * The heads of those numbers are met by no row; so it is seen here that an anchor is not by a key
 * that one of them has succeeded: it would hide all that its successors have signed.
 */
static enum status find_start(struct walk *walk, struct err *err)
{
	struct ledger_chain before = { .number = 0 };
	struct audit_page page = { NULL, NULL, 0 };
	enum status s =
	    audit_store_page(walk->verify->db, walk->shard, &before, 1, &walk->arena, &page, err);
	int64_t first = page.len > 0 ? page.rows[0].number : INT64_MAX;

	walk->chain = (struct ledger_chain){ .hash = ledger_first(walk->shard) };
	for (size_t i = 0; i < walk->heads_len && !s; i++) {
		const struct ledger_head *head = &walk->heads[i].head;

		if (head->number >= first)
			break;
		if (head->kind == LEDGER_HEAD && walk->heads[i].key > walk->key)
			walk->key = walk->heads[i].key;
		if (head->kind == LEDGER_ANCHOR && walk->heads[i].key >= walk->key)
			walk->chain = (struct ledger_chain){ head->number, 0, head->hash };
	}
	walk->sealed = walk->chain.number;
	return s;
}

static enum status walk_shard(struct walk *walk, struct err *err)
{
	bool goes_on = true;
	enum status s = find_start(walk, err);

	while (goes_on && !s) {
		s = walk_page(walk, &goes_on, err);
		tell_progress(walk);
	}
	return s;
}

static enum status verify_shard(struct walk *walk, struct err *err)
{
	bool was_broken = walk->verify->is_broken;
	enum status s;

	walk->verify->is_broken = false;
	arena_init(&walk->arena, SIZE_MAX);
	gather_losses(walk);
	s = walk_shard(walk, err);
	arena_finish(&walk->arena);
	if (!s && !walk->verify->is_broken)
		check_table_of_heads(walk);
	if (!s && !walk->verify->is_broken)
		(void)printf("shard %" PRId64 ": consistent: numbers %" PRId64 " to %" PRId64
			     ", signed up to %" PRId64 "\n",
		    walk->shard, walk->first, walk->chain.number, walk->sealed);
	if (!s && walk->void_heads > 0)
		(void)printf("shard %" PRId64 ": %zu heads are of what was accepted as lost\n",
		    walk->shard, walk->void_heads);
	walk->verify->is_broken |= was_broken;
	buf_finish(&walk->losses);
	return s;
}

static void report_heads(struct audit_verify *verify)
{
	for (size_t i = 0; i < AUDIT_PLACES; i++) {
		if (verify->heads->forged[i] > 0) {
			verify->is_broken = true;
			(void)printf("heads: BROKEN: %zu in %s are not signed with this key\n",
			    verify->heads->forged[i], places[i]);
		}
		if (verify->heads->strange[i] > 0) {
			verify->is_broken = true;
			(void)printf(
			    "heads: BROKEN: %zu in %s are not signed with this key, but with"
			    " one that was not given: the first of them, of number"
			    " %" PRId64 ", with %s\n",
			    verify->heads->strange[i], places[i], verify->heads->stranger[i].number,
			    verify->heads->stranger[i].key_id);
		}
		if (verify->heads->illegible[i] > 0)
			(void)printf("heads: %zu lines in %s are none: a crash may cut one off\n",
			    verify->heads->illegible[i], places[i]);
	}
	(void)printf("heads: %zu in the table, %zu in the file, %zu in the stream\n",
	    verify->heads->read[AUDIT_IN_TABLE], verify->heads->read[AUDIT_IN_FILE],
	    verify->heads->read[AUDIT_IN_STREAM]);
}

enum status audit_verify_all(struct audit_verify *verify, struct err *err)
{
	bool has_rows[AUDIT_SHARDS_MAX] = { false };
	size_t len = 0, at = 0;
	const struct audit_head *heads = audit_heads_sort(verify->heads, &len);
	enum status s = audit_store_shards(verify->db, has_rows, err);

	report_heads(verify);
	for (int64_t shard = 0; shard < AUDIT_SHARDS_MAX && !s; shard++) {
		struct walk walk = { .verify = verify, .shard = shard, .told_ms = clock_mono_ms() };

		for (; heads && at < len && heads[at].head.shard == shard; at++) {
			if (walk.heads_len++ == 0)
				walk.heads = &heads[at];
		}
		if (has_rows[shard] || walk.heads_len > 0)
			s = verify_shard(&walk, err);
	}
	return s;
}
