/* One debt at most: while there is one, no try is counted that could lead to another. */
#include "tries.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "log/log.h"

enum status tries_settle(struct tries *tries, struct err *err)
{
	int64_t seq = tries->owed_seq;
	enum status s;

	if (seq == 0)
		return STATUS_OK;
	if (tries->owed_all)
		s = store_forget_attempts(tries->db, &seq, 1, err);
	else
		s = store_uncount_attempt(tries->db, seq, err);
	if (s)
		return s;
	tries->owed_seq = 0;
	return STATUS_OK;
}

/* Now if possible; before the next try in any case. */
static void owe(struct tries *tries, struct bus_msg *msg, bool all)
{
	struct err err = ERR_INIT;

	assert(tries->owed_seq == 0);
	tries->owed_seq = (int64_t)bus_msg_stream_seq(msg);
	tries->owed_all = all;
	if (tries_settle(tries, &err))
		log_failure(&err, "take back a try of event %" PRId64 " later", tries->owed_seq);
}

enum status tries_count(struct tries *tries, struct bus_msg *msg, int *ret_n, struct err *err)
{
	int64_t seq = (int64_t)bus_msg_stream_seq(msg);

	assert(tries->owed_seq == 0);
	if (tries->begun_seq == seq) {
		tries->begun_seq = 0;
		*ret_n = tries->begun_n;
		return STATUS_OK;
	}
	return store_count_attempt(
	    tries->db, seq, bus_msg_subject(msg), tries->last_error, clock_wall_us(), ret_n, err);
}

void tries_begun(struct tries *tries, struct bus_msg *msg, int n)
{
	tries->begun_seq = (int64_t)bus_msg_stream_seq(msg);
	tries->begun_n = n;
}

void tries_take_back(struct tries *tries, struct bus_msg *msg)
{
	owe(tries, msg, /* all= */ false);
}

void tries_forget(struct tries *tries, struct bus_msg *msg)
{
	tries->last_error[0] = '\0';
	owe(tries, msg, /* all= */ true);
}

void tries_failed(struct tries *tries, const struct err *why)
{
	(void)snprintf(tries->last_error, sizeof(tries->last_error), "%.255s", why->msg);
}

void tries_lost(struct tries *tries)
{
	tries->last_error[0] = '\0';
	tries->begun_seq = 0;
}
