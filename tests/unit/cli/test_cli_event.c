/* What `ww publish` takes for an event, what it says about the rest, and how options become events.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attrs.h"
#include "event_flags.h"
#include "support/support.h"

enum { NOW_MS = 1737628245 };

static struct arena arena;

static void setup(void)
{
	arena_init(&arena, 4 << 20);
}

static void teardown(void)
{
	arena_finish(&arena);
}

static const struct event_defaults defaults = { .occurred_ms = NOW_MS };

static const struct bad {
	const char *line, *field, *says;
} bad_lines[] = {
	{ "not json", "", "" },
	{ "[]", "", "JSON object" },
	{ "{\"userIds\":[\"a\"]}", "", "one of balance, transaction" },
	{ "{\"userIds\":[\"a\"],\"securty\":{}}", "securty", "" },
	{ "{\"userIds\":[\"a\"],\"security\":{\"severity\":\"hgih\"}}", "security.severity",
	    "high" },
	{ "{\"userIds\":[\"a\"],\"security\":{\"sev\":\"high\"}}", "security.sev", "" },
	{ "{\"userIds\":[\"a\"],\"security\":{},\"kyc\":{}}", "kyc", "" },
	{ "{\"userIds\":[\"a\"],\"kyc\":{\"status\":7}}", "kyc.status", "string" },
	{ "{\"userIds\":\"a\",\"kyc\":{}}", "userIds", "" },
	{ "{\"userIds\":[],\"kyc\":{}}", "userIds", "at least one user" },
	{ "{\"userIds\":[\"\"],\"kyc\":{}}", "userIds", "1 to 128 bytes" },
	{ "{\"userIds\":[\"a\\nb\"],\"kyc\":{}}", "userIds", "control" },
	{ "{\"id\":\"a\\tb\",\"userIds\":[\"a\"],\"kyc\":{}}", "id", "control" },
	{ "{\"userIds\":[\"a\"],\"payment\":{\"amount\":1.5,\"currency\":\"EUR\"}}",
	    "payment.amount", "" },
	{ "{\"userIds\":[\"a\"],\"payment\":{\"amount\":\"1.5.0\",\"currency\":\"EUR\"}}",
	    "payment.amount", "" },
	{ "{\"userIds\":[\"a\"],\"payment\":{\"currency\":\"EUR\"}}", "payment.amount", "missing" },
	{ "{\"userIds\":[\"a\"],\"payment\":{\"amount\":\"1\"}}", "payment.currency", "EUR" },
	{ "{\"userIds\":[\"a\"],\"payment\":{\"amount\":\"1\",\"currency\":\"eur\"}}",
	    "payment.currency", "EUR" },
	{ "{\"userIds\":[\"a\"],\"card\":{\"amount\":\"1\"}}", "card.currency", "EUR" },
	{ "{\"userIds\":[\"a\"],\"card\":{\"last4\":\"4242424242424242\"}}", "card.last4",
	    "longer" },
	{ "{\"userIds\":[\"a\"],\"limit\":{\"currency\":\"EURO EURO EURO\"}}", "limit.currency",
	    "EUR" },
	{ "{\"userIds\":[\"a\"],\"balance\":{\"available_balance\":\"1\",\"currency\":\"EUR\"}}",
	    "balance.walletId", "1 to 128" },
	{ "{\"userIds\":[\"a\"],\"balance\":{\"walletId\":\"w\",\"currency\":\"EUR\"}}",
	    "balance.available_balance", "missing" },
	{ "{\"userIds\":[\"a\"],\"transfer\":{\"transferId\":\"t\"}}", "transfer.state",
	    "missing" },
	{ "{\"userIds\":[\"a\"],\"transfer\":{\"transferId\":\"t\",\"state\":\"created\","
	  "\"progress\":101}}",
	    "transfer.progress", "100" },
	{ "{\"userIds\":[\"a\"],\"transaction\":{\"transactionId\":\"t\",\"amount\":\"1\","
	  "\"currency\":\"EUR\"}}",
	    "transaction", "sender" },
	{ "{\"userIds\":[\"c\"],\"transaction\":{\"transactionId\":\"t\",\"amount\":\"1\","
	  "\"currency\":\"EUR\",\"sender\":{\"userId\":\"a\"}}}",
	    "userIds", "sender and the recipient" },
	{ "{\"userIds\":[\"a\"],\"announcement\":{}}", "userIds", "everybody" },
	{ "{\"userIds\":[\"a\"],\"chat\":{}}", "chat", "chat service alone" },
	{ "{\"occurredAt\":\"yesterday\",\"userIds\":[\"a\"],\"kyc\":{}}", "occurredAt",
	    "RFC 3339" },
};

START_TEST(a_bad_line_is_refused_with_its_field)
{
	const struct bad *bad = &bad_lines[_i];
	Walletwire__V1__Event *event = NULL;
	struct err err = ERR_INIT;
	enum status s = event_from_json(bytes_of_str(bad->line), &defaults, &arena, &event, &err);

	ck_assert_msg(s == STATUS_INVALID, "%s was taken", bad->line);
	ck_assert_msg(strcmp(err.field, bad->field) == 0, "%s: field %s", bad->line, err.field);
	ck_assert_msg(strstr(err.msg, bad->says), "%s: %s", bad->line, err.msg);
}
END_TEST

static const struct good {
	const char *line, *kind;
} good_lines[] = {
	{ "{\"userIds\":[\"a\"],\"security\":{\"severity\":\"high\",\"message\":\"m\"}}",
	    "security" },
	{ "{\"userIds\":[\"a\",\"b\"],\"kyc\":{}}", "kyc" },
	{ "{\"announcement\":{},\"title\":\"t\"}", "announcement" },
	{ "{\"transaction\":{\"transactionId\":\"t\",\"amount\":\"1.20\",\"currency\":\"EUR\","
	  "\"recipient\":{\"userId\":\"b\"}}}",
	    "transaction" },
	{ "{\"userIds\":[\"a\"],\"limit\":{\"limit\":\"logins\",\"used\":\"4\",\"max\":\"3\"}}",
	    "limit" },
	{ "{\"userIds\":[\"a\"],\"deposit\":{\"amount\":{\"units\":120,\"scale\":2},"
	  "\"currency\":\"BTC\"}}",
	    "deposit" },
};

START_TEST(a_good_line_is_an_event_with_id_and_time)
{
	Walletwire__V1__Event *event = NULL;
	struct err err = ERR_INIT;

	ck_assert_ok(
	    event_from_json(bytes_of_str(good_lines[_i].line), &defaults, &arena, &event, &err),
	    err);
	ck_assert_str_eq(event_kind(event), good_lines[_i].kind);
	ck_assert_uint_eq(strlen(event->id), 20);
	ck_assert_int_eq(event->occurred_at->seconds, NOW_MS / 1000);
	ck_assert_int_eq(event->occurred_at->nanos, NOW_MS % 1000 * INT64_C(1000000));
}
END_TEST

START_TEST(a_given_id_and_time_are_kept)
{
	static const char line[] = "{\"id\":\"e/1\",\"occurredAt\":\"2025-01-23T10:30:45.123Z\","
				   "\"userIds\":[\"a\"],\"kyc\":{}}";
	Walletwire__V1__Event *event = NULL;
	struct err err = ERR_INIT;

	ck_assert_ok(event_from_json(bytes_of_str(line), &defaults, &arena, &event, &err), err);
	ck_assert_str_eq(event->id, "e/1");
	ck_assert_int_eq(event->occurred_at->seconds, 1737628245);
}
END_TEST

START_TEST(more_users_than_allowed_are_refused)
{
	struct buf line = BUF_INIT;
	Walletwire__V1__Event *event = NULL;
	struct err err = ERR_INIT;

	buf_append_str(&line, "{\"kyc\":{},\"userIds\":[\"u\"");
	for (int i = 0; i < EVENT_USERS_MAX; i++)
		buf_appendf(&line, ",\"u%d\"", i);
	buf_append_str(&line, "]}");
	ck_assert_int_eq(
	    event_from_json(buf_bytes(&line), &defaults, &arena, &event, &err), STATUS_INVALID);
	ck_assert_str_eq(err.field, "userIds");
	buf_finish(&line);
}
END_TEST

static struct event_flags flags_of(const char *kind, const char *const *sets)
{
	struct event_flags flags = { .kind = kind, .users = { { "alice" }, 1 } };

	for (; *sets; sets++)
		flags.set.at[flags.set.len++] = *sets;
	return flags;
}

START_TEST(options_make_the_event_that_json_makes)
{
	static const char *const sets[] = { "transactionId=t1", "type=p2p", "amount=12.50",
		"currency=EUR", "status=completed", "sender.userId=alice",
		"sender.name=Alice \"A\" M", "recipient.userId=bob", "message=a=b", NULL };
	struct event_flags flags = flags_of("transaction", sets);
	Walletwire__V1__Event *event = NULL;
	const Walletwire__V1__TransactionEvent *tx;
	struct err err = ERR_INIT;

	flags.id = "t1/completed";
	flags.priority = "high";
	flags.title = "Title";
	ck_assert_ok(event_from_flags(&flags, NOW_MS, &arena, &event, &err), err);
	tx = event->transaction;
	ck_assert_str_eq(event->id, "t1/completed");
	ck_assert_int_eq(event->priority, WALLETWIRE__V1__PRIORITY__PRIORITY_HIGH);
	ck_assert_str_eq(event->title, "Title");
	ck_assert_str_eq(event->user_ids[0], "alice");
	ck_assert_int_eq(tx->type, WALLETWIRE__V1__TRANSACTION_TYPE__TRANSACTION_TYPE_P2P);
	ck_assert_int_eq(tx->amount->units, 1250);
	ck_assert_uint_eq(tx->amount->scale, 2);
	ck_assert_str_eq(tx->sender->name, "Alice \"A\" M");
	ck_assert_str_eq(tx->recipient->user_id, "bob");
	ck_assert_str_eq(tx->message, "a=b");
}
END_TEST

START_TEST(a_number_option_is_a_number)
{
	static const char *const sets[] = { "transferId=t", "state=processing", "progress=40",
		"version=9007199254740991", NULL };
	struct event_flags flags = flags_of("transfer", sets);
	Walletwire__V1__Event *event = NULL;
	struct err err = ERR_INIT;

	ck_assert_ok(event_from_flags(&flags, NOW_MS, &arena, &event, &err), err);
	ck_assert_uint_eq(event->transfer->progress, 40);
	ck_assert_uint_eq(event->transfer->version, UINT64_C(9007199254740991));
}
END_TEST

static const struct {
	const char *kind, *sets[4], *says;
} bad_flags[] = {
	{ "securty", { NULL }, "not a kind of event; there are: balance, transaction" },
	{ "chat", { NULL }, "not a kind of event" },
	{ "user_ids", { NULL }, "not a kind of event" },
	{ "security", { "severty=high" }, "its fields: severity, message, action" },
	{ "security", { "severity" }, "not of the form field=value" },
	{ "security", { "message=a", "message=b" }, "set before" },
	{ "security", { "severity=loud" }, "security.severity" },
	{ "security", { "message=\xff" }, "UTF-8" },
	{ "transfer", { "transferId=t", "state=created", "progress=much" }, "whole number" },
	{ "transfer", { "transferId=t", "state=created", "progress=" }, "whole number" },
	{ "transaction", { "sender=alice" }, "sender.userId" },
	{ "transaction", { "sender.user=alice" }, "sender.userId" },
};

START_TEST(a_bad_option_is_named)
{
	struct event_flags flags = flags_of(bad_flags[_i].kind, bad_flags[_i].sets);
	Walletwire__V1__Event *event = NULL;
	struct err err = ERR_INIT;

	ck_assert_int_eq(event_from_flags(&flags, NOW_MS, &arena, &event, &err), STATUS_INVALID);
	ck_assert_msg(strstr(err.msg, bad_flags[_i].says), "%s", err.msg);
}
END_TEST

/* examples/events.jsonl is what the documentation shows: each line is good, and every kind is
 * there. */
START_TEST(the_examples_have_every_kind)
{
	char path[512], line[8192], seen[512] = "";
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/examples/events.jsonl", getenv("WW_SOURCE_DIR"));
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file)) {
		Walletwire__V1__Event *event = NULL;
		struct err err = ERR_INIT;

		arena_reset(&arena);
		ck_assert_ok(
		    event_from_json(bytes_of_str(line), &defaults, &arena, &event, &err), err);
		(void)strncat(seen, event_kind(event), sizeof(seen) - strlen(seen) - 1);
		(void)strncat(seen, ",", sizeof(seen) - strlen(seen) - 1);
	}
	(void)fclose(file);
	for (unsigned i = 0; i < walletwire__v1__event__descriptor.n_fields; i++) {
		const ProtobufCFieldDescriptor *field =
		    &walletwire__v1__event__descriptor.fields[i];

		if (event_field_is_kind(field))
			ck_assert_msg(strstr(seen, field->name), "no example of %s", field->name);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cli/event");
	TCase *tcase = tcase_create("event");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, a_bad_line_is_refused_with_its_field, 0, ARRAY_LEN(bad_lines));
	tcase_add_loop_test(
	    tcase, a_good_line_is_an_event_with_id_and_time, 0, ARRAY_LEN(good_lines));
	tcase_add_test(tcase, a_given_id_and_time_are_kept);
	tcase_add_test(tcase, more_users_than_allowed_are_refused);
	tcase_add_test(tcase, options_make_the_event_that_json_makes);
	tcase_add_test(tcase, a_number_option_is_a_number);
	tcase_add_loop_test(tcase, a_bad_option_is_named, 0, ARRAY_LEN(bad_flags));
	tcase_add_test(tcase, the_examples_have_every_kind);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
