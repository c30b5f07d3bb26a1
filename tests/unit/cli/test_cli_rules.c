/*
 * `ww publish` and the applier of ww-notifications must agree on what an event may be: what the one
 * takes and the other refuses would end in the dead letters, out of its author's sight.
 */
#include <stdlib.h>

#include "base/attrs.h"
#include "events/event.h"
#include "plan.h"
#include "support/support.h"

#define ALICE "\"userIds\":[\"alice\"],"
#define EUR "\"amount\":\"1.00\",\"currency\":\"EUR\""
#define LONG_ID                                                                            \
	"12345678901234567890123456789012345678901234567890123456789012345678901234567890" \
	"12345678901234567890123456789012345678901234567890"

static const char *const lines[] = {
	/* good */
	"{" ALICE
	"\"balance\":{\"walletId\":\"w\",\"available_balance\":\"1\",\"currency\":\"EUR\"}}",
	"{" ALICE "\"payment\":{" EUR "}}",
	"{" ALICE "\"deposit\":{" EUR ",\"referenceId\":\"d1\"}}",
	"{" ALICE "\"transfer\":{\"transferId\":\"t\",\"state\":\"created\"}}",
	"{" ALICE "\"transfer\":{\"transferId\":\"t\",\"state\":\"created\"," EUR "}}",
	"{" ALICE "\"card\":{}}",
	"{" ALICE "\"card\":{" EUR ",\"last4\":\"4242\"}}",
	"{" ALICE "\"limit\":{}}",
	"{" ALICE "\"limit\":{\"used\":\"1\",\"currency\":\"EUR\"}}",
	"{" ALICE "\"security\":{}}",
	"{\"announcement\":{}}",
	"{\"announcement\":{\"segment\":{\"countries\":[\"DE\",\"AT\"],\"languages\":[\"de\"]}}}",
	"{\"transaction\":{\"transactionId\":\"t\"," EUR ",\"sender\":{\"userId\":\"a\"}}}",
	"{" ALICE "\"transaction\":{\"transactionId\":\"t\"," EUR
	",\"sender\":{\"userId\":\"alice\"},"
	"\"recipient\":{\"name\":\"A shop\"}}}",
	"{" ALICE "\"occurredAt\":\"1970-01-01T00:00:00Z\",\"kyc\":{}}",
	/* bad */
	"{\"security\":{}}",
	"{\"userIds\":[\"\"],\"kyc\":{}}",
	"{\"userIds\":[\"" LONG_ID "\"],\"kyc\":{}}",
	"{" ALICE "\"id\":\"" LONG_ID "\",\"kyc\":{}}",
	"{" ALICE "\"occurredAt\":\"1969-12-31T23:59:59Z\",\"kyc\":{}}",
	"{" ALICE "\"expiresAt\":\"1969-12-31T23:59:59Z\",\"kyc\":{}}",
	"{\"announcement\":{\"segment\":{\"tiers\":[\"\"]}}}",
	"{\"announcement\":{\"segment\":{\"countries\":[\"" LONG_ID "\"]}}}",
	"{\"announcement\":{\"startsAt\":\"1969-12-31T23:59:59Z\"}}",
	"{" ALICE "\"announcement\":{}}",
	"{" ALICE "\"balance\":{\"available_balance\":\"1\",\"currency\":\"EUR\"}}",
	"{" ALICE "\"balance\":{\"walletId\":\"w\",\"currency\":\"EUR\"}}",
	"{" ALICE "\"balance\":{\"walletId\":\"w\",\"available_balance\":\"1\"}}",
	"{" ALICE "\"payment\":{\"amount\":\"1.00\"}}",
	"{" ALICE "\"payment\":{\"currency\":\"EUR\"}}",
	"{" ALICE "\"payment\":{" EUR ",\"referenceId\":\"" LONG_ID "\"}}",
	"{" ALICE "\"withdrawal\":{\"amount\":\"1.00\",\"currency\":\"Euro\"}}",
	"{" ALICE "\"transfer\":{\"transferId\":\"t\"}}",
	"{" ALICE "\"transfer\":{\"state\":\"created\"}}",
	"{" ALICE "\"transfer\":{\"transferId\":\"t\",\"state\":\"created\",\"progress\":101}}",
	"{" ALICE "\"transfer\":{\"transferId\":\"t\",\"state\":\"created\",\"amount\":\"1\"}}",
	"{" ALICE "\"card\":{\"last4\":\"42424\"}}",
	"{" ALICE "\"card\":{\"cardId\":\"" LONG_ID "\"}}",
	"{" ALICE "\"card\":{\"currency\":\"EUR\"}}",
	"{" ALICE "\"limit\":{\"currency\":\"euro\"}}",
	"{\"transaction\":{" EUR ",\"sender\":{\"userId\":\"a\"}}}",
	"{\"transaction\":{\"transactionId\":\"t\",\"sender\":{\"userId\":\"a\"}}}",
	"{\"transaction\":{\"transactionId\":\"t\"," EUR "}}",
	"{\"transaction\":{\"transactionId\":\"t\"," EUR ",\"sender\":{\"userId\":\"" LONG_ID
	"\"}}}",
	"{" ALICE "\"transaction\":{\"transactionId\":\"t\"," EUR
	",\"sender\":{\"userId\":\"a\"}}}",
};

START_TEST(both_take_it_or_both_refuse_it)
{
	const struct event_defaults defaults = { .occurred_ms = 1 };
	struct arena arena;
	Walletwire__V1__Event *event = NULL;
	struct err ours = ERR_INIT, theirs = ERR_INIT;
	struct plan plan;
	enum status taken, applied;

	arena_init(&arena, 1 << 20);
	taken = event_from_json(bytes_of_str(lines[_i]), &defaults, &arena, &event, &ours);
	ck_assert_msg(event != NULL, "%s: not even decoded: %s", lines[_i], ours.msg);
	applied = plan_event(event, 1000, &arena, &plan, &theirs);
	ck_assert_msg((taken == STATUS_OK) == (applied == STATUS_OK),
	    "%s: `ww publish`: %s; applier: %s", lines[_i], taken ? ours.msg : "taken",
	    applied ? theirs.msg : "taken");
	arena_finish(&arena);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cli/rules");
	TCase *tcase = tcase_create("rules");

	tcase_add_loop_test(tcase, both_take_it_or_both_refuse_it, 0, ARRAY_LEN(lines));
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
