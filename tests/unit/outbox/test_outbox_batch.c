/* What becomes of a row, and which rows may be on their way together. */
#include "base/attrs.h"
#include "batch.h"
#include "support/support.h"

static struct batch batch;

static void setup(void)
{
	batch_init(&batch);
}

static void teardown(void)
{
	batch_finish(&batch);
}

static const char payment[] = "{\"id\":\"p1\",\"userIds\":[\"alice\"],"
			      "\"payment\":{\"amount\":\"1.00\",\"currency\":\"EUR\"}}";
static const char nameless[] = "{\"userIds\":[\"alice\"],\"kyc\":{}}";

static struct batch_item *add(int64_t key, const char *type, const char *event)
{
	struct batch_row row = { .id = (int64_t)batch.len + 1,
		.key = key,
		.type = type,
		.event = bytes_of_str(event),
		.uid = "5b1c",
		.created_us = INT64_C(1737628245123456) };

	batch_add(&batch, &row);
	return &batch.items[batch.len - 1];
}

static Walletwire__V1__Event *unpack(const struct outgoing *out)
{
	Walletwire__V1__Event *event =
	    walletwire__v1__event__unpack(NULL, out->data.len, out->data.data);

	ck_assert_ptr_nonnull(event);
	return event;
}

START_TEST(a_row_becomes_an_event_under_its_message_id)
{
	struct batch_item *item = add(7, "payment", payment);
	Walletwire__V1__Event *event;

	ck_assert_ptr_null(item->refused);
	ck_assert_str_eq(item->out.msg_id, "payment/p1");
	event = unpack(&item->out);
	ck_assert_int_eq(event->payment->amount->units, 100);
	walletwire__v1__event__free_unpacked(event, NULL);
}
END_TEST

/* A second try must be the same event, so nothing of it is made up. */
START_TEST(what_an_event_leaves_out_is_taken_from_its_row)
{
	struct batch_item *item = add(7, "kyc", nameless);
	Walletwire__V1__Event *event;

	ck_assert_ptr_null(item->refused);
	ck_assert_str_eq(item->out.msg_id, "kyc/5b1c");
	event = unpack(&item->out);
	ck_assert_str_eq(event->id, "5b1c");
	ck_assert_int_eq(event->occurred_at->seconds, 1737628245);
	ck_assert_int_eq(event->occurred_at->nanos, 123000000);
	walletwire__v1__event__free_unpacked(event, NULL);
}
END_TEST

START_TEST(rows_of_one_key_go_one_after_the_other)
{
	static const int64_t keys[] = { 1, 2, 1, 1, 3, 2 };
	static const size_t waves[] = { 0, 0, 1, 2, 0, 1 };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		ck_assert_uint_eq(add(keys[i], "payment", payment)->wave, waves[i]);
	ck_assert_uint_eq(batch.waves, 3);
	batch_clear(&batch);
	ck_assert_uint_eq(add(1, "payment", payment)->wave, 0);
	ck_assert_uint_eq(batch.waves, 1);
}
END_TEST

START_TEST(a_refused_row_holds_nothing_up)
{
	ck_assert_ptr_nonnull(add(1, "payment", "{}")->refused);
	ck_assert_uint_eq(add(1, "payment", payment)->wave, 0);
	ck_assert_ptr_nonnull(add(1, "payment", "{}")->refused);
	ck_assert_uint_eq(add(1, "payment", payment)->wave, 1);
	ck_assert_uint_eq(batch.waves, 2);
}
END_TEST

static const struct {
	const char *type, *event, *says;
} refused[] = {
	{ "chat", "{\"userIds\":[\"a\"],\"chat\":{}}", "no kind of event" },
	{ "", nameless, "no kind of event" },
	{ "ww.event.kyc", nameless, "no kind of event" },
	{ "kyc.x", nameless, "no kind of event" },
	{ "*", nameless, "no kind of event" },
	{ "userIds", nameless, "no kind of event" },
	{ "user_ids", nameless, "no kind of event" },
	{ "id", nameless, "no kind of event" },
	{ "payment", nameless, "it is a kyc, not a payment" },
	{ "kyc", "{\"userIds\":[\"a\"],\"chat\":{}}", "chat" },
	{ "kyc", "[]", "JSON object" },
	{ "kyc", "{\"kyc\":{}}", "userIds" },
	{ "kyc", "{\"userIds\":[\"a\"],\"kyc\":{},\"payment\":{}}", "payment" },
	{ "payment", "{\"userIds\":[\"a\"],\"payment\":{\"amount\":1.5,\"currency\":\"EUR\"}}",
	    "payment.amount" },
};

START_TEST(what_is_no_event_is_refused_with_the_reason)
{
	const struct batch_item *item = add(1, refused[_i].type, refused[_i].event);

	ck_assert_msg(item->refused, "%s was taken", refused[_i].event);
	ck_assert_msg(strstr(item->refused, refused[_i].says), "%s", item->refused);
	ck_assert_uint_eq(batch.waves, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("outbox/batch");
	TCase *tcase = tcase_create("batch");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_row_becomes_an_event_under_its_message_id);
	tcase_add_test(tcase, what_an_event_leaves_out_is_taken_from_its_row);
	tcase_add_test(tcase, rows_of_one_key_go_one_after_the_other);
	tcase_add_test(tcase, a_refused_row_holds_nothing_up);
	tcase_add_loop_test(
	    tcase, what_is_no_event_is_refused_with_the_reason, 0, ARRAY_LEN(refused));
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
