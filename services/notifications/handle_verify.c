/* ww.backend.notifications.verify: recounts a user from the rows and names what does not agree. */
#include <inttypes.h>

#include "base/subject.h"
#include "messages.h"
#include "notifications.h"
#include "store.h"

enum { FINDINGS_MAX = 8 };

/* Both are sorted by type, and by priority in the order of their first appearance there. */
static bool same_counters(const Unread *a, const Unread *b)
{
	if (a->total != b->total || a->n_by_type != b->n_by_type ||
	    a->n_by_priority != b->n_by_priority)
		return false;
	for (size_t i = 0; i < a->n_by_type; i++) {
		if (strcmp(a->by_type[i]->key, b->by_type[i]->key) != 0 ||
		    a->by_type[i]->value != b->by_type[i]->value)
			return false;
	}
	for (size_t i = 0; i < a->n_by_priority; i++) {
		if (strcmp(a->by_priority[i]->key, b->by_priority[i]->key) != 0 ||
		    a->by_priority[i]->value != b->by_priority[i]->value)
			return false;
	}
	return true;
}

static void find(Walletwire__V1__VerifyReply *reply, char *finding)
{
	reply->findings[reply->n_findings++] = finding;
	reply->consistent = false;
}

static void judge(
    Walletwire__V1__VerifyReply *reply, const struct store_numbers *numbers, struct arena *arena)
{
	reply->findings = arena_alloc(arena, FINDINGS_MAX * sizeof(char *));
	reply->consistent = true;
	if (!same_counters(reply->stored, reply->counted))
		find(reply, arena_printf(arena, "counters say %u unread, the rows %u",
				reply->stored->total, reply->counted->total));
	if (numbers->mailbox_rows > 0 &&
	    numbers->mailbox_high - numbers->mailbox_low + 1 != numbers->mailbox_rows)
		find(
		    reply, arena_printf(arena,
			       "%" PRId64 " mailbox rows between seq %" PRId64 " and %" PRId64,
			       numbers->mailbox_rows, numbers->mailbox_low, numbers->mailbox_high));
	/* With no row left in the mailbox its newest day is older than what is kept. */
	if (numbers->mailbox_rows > 0 && numbers->mailbox_high != numbers->seq)
		find(reply,
		    arena_printf(arena, "the mailbox ends at seq %" PRId64 ", not at %" PRId64,
			numbers->mailbox_high, numbers->seq));
	if (numbers->inbox_beyond > 0)
		find(reply, arena_printf(arena, "%" PRId64 " inbox rows beyond the mailbox's end",
				numbers->inbox_beyond));
}

/* A unit of work under one snapshot, else an event applied in between would look like a fault. */
struct job {
	const char *user_id;
	struct arena *arena;
	struct store_numbers numbers;
	Walletwire__V1__VerifyReply *reply;
};

static enum status read_all(void *arg, struct db *db, struct err *err)
{
	struct job *job = arg;
	enum status s = db_exec(db, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", err);

	if (!s)
		s = store_numbers(db, job->user_id, &job->numbers, err);
	if (!s)
		s = store_recount(
		    db, job->user_id, job->arena, &job->reply->stored, &job->reply->counted, err);
	return s;
}

enum status notifications_on_verify(struct request *req, struct err *err)
{
	const Walletwire__V1__VerifyRequest *in = (const void *)req->body;
	Walletwire__V1__VerifyReply *reply = MESSAGE_NEW(req->arena, verify_reply);
	struct job job = { in->user_id, req->arena, { 0 }, reply };
	enum status s = subject_check_id("userId", in->user_id, err);

	if (!s)
		s = db_transaction(req->db, /* attempts= */ 3, read_all, &job, err);
	if (s)
		return s;
	reply->seq = (uint64_t)job.numbers.seq;
	reply->rev = (uint64_t)job.numbers.rev;
	reply->mailbox_rows = (uint64_t)job.numbers.mailbox_rows;
	reply->inbox_rows = (uint64_t)job.numbers.inbox_rows;
	reply->stored->version = reply->counted->version = reply->rev;
	judge(reply, &job.numbers, req->arena);
	req->reply = &reply->base;
	return STATUS_OK;
}
