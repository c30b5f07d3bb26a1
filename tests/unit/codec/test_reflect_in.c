/* reflect, inwards: what clients and back ends send is taken exactly, or refused by the field's
 * name. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "codec/json.h"
#include "codec/reflect.h"
#include "sample.pb-c.h"
#include "support/support.h"
#include "walletwire/v1/event.pb-c.h"
#include "walletwire/v1/notifications.pb-c.h"

enum { MAX_TEXT = 10 };

static struct arena arena;

static void setup(void)
{
	arena_init(&arena, 1 << 20);
}

static void teardown(void)
{
	arena_finish(&arena);
}

static enum status read_as(const ProtobufCMessageDescriptor *descriptor, const char *text,
    ProtobufCMessage **ret_message, struct err *err)
{
	struct json *root;
	enum status s = json_parse(bytes_of_str(text), &root, err);

	ck_assert_msg(s == STATUS_OK, "%s is no JSON", text);
	s = reflect_from_json(descriptor, root, MAX_TEXT, &arena, ret_message, err);
	json_free(root); /* nothing in the message may lean on it */
	return s;
}

static void expect_back(
    const ProtobufCMessageDescriptor *descriptor, const char *text, const char *back)
{
	struct buf buf = BUF_INIT;
	struct err err = ERR_INIT;
	ProtobufCMessage *message;

	ck_assert_ok(read_as(descriptor, text, &message, &err), err);
	reflect_append_json(&buf, message);
	ck_assert_str_eq(buf_str(&buf), back);
	buf_finish(&buf);
}

static const ProtobufCMessageDescriptor *const sample = &walletwire__test__sample__descriptor;

/* Each text stands for one field; it must come out among the others as written second. */
START_TEST(every_kind_of_field_is_read)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "\"aInt32\":-2147483648", NULL },
		{ "\"aInt32\":2147483647", NULL },
		{ "\"aSint32\":-5", NULL },
		{ "\"aSfixed32\":-6", NULL },
		{ "\"aUint32\":4294967295", NULL },
		{ "\"aFixed32\":7", NULL },
		{ "\"aInt64\":-9007199254740991", NULL },
		{ "\"aSint64\":9007199254740991", NULL },
		{ "\"aSfixed64\":-8", NULL },
		{ "\"aUint64\":9007199254740991", NULL },
		{ "\"aFixed64\":9", NULL },
		{ "\"aBool\":true", NULL },
		{ "\"aBool\":false", NULL },
		{ "\"aKind\":\"two_b\"", NULL },
		{ "\"aKind\":\"other_prefix\"", NULL },
		{ "\"aKind\":\"\"", NULL },
		{ "\"aString\":\"\xc3\xa4\\n\"", NULL },
		{ "\"aString\":\"0123456789\"", NULL },
		{ "\"aString\":"
		  "\"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98"
		  "\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98"
		  "\x80\"",
		    NULL },
		{ "\"aBytes\":\"Zm9vYg==\"", NULL },
		{ "\"inner\":{}", "\"inner\":{\"name\":\"\",\"count\":0}" },
		{ "\"inner\":{\"count\":3,\"name\":\"x\"}",
		    "\"inner\":{\"name\":\"x\",\"count\":3}" },
		{ "\"at\":\"2025-01-23T10:30:45.123Z\"", NULL },
		{ "\"at\":\"1969-12-31T23:59:59.999Z\"", NULL },
		{ "\"at\":\"2025-01-23T12:30:45+02:00\"", "\"at\":\"2025-01-23T10:30:45.000Z\"" },
		{ "\"amount\":\"12.50\"", "\"amount\":12.50" },
		{ "\"amount\":\"-0.05\"", "\"amount\":-0.05" },
		{ "\"amount\":{\"units\":1250,\"scale\":2}", "\"amount\":12.50" },
		{ "\"amount\":{\"units\":-7}", "\"amount\":-7" },
		{ "\"amount\":{}", "\"amount\":0" },
		{ "\"numbers\":[1,2,3]", NULL },
		{ "\"numbers\":[]", NULL },
		{ "\"longs\":[-1]", NULL },
		{ "\"flags\":[true,false]", NULL },
		{ "\"kinds\":[\"one\",\"\"]", NULL },
		{ "\"names\":[\"a\",\"\"]", NULL },
		{ "\"blobs\":[\"\",\"Zg==\"]", NULL },
		{ "\"inners\":[{\"name\":\"a\",\"count\":1},{\"name\":\"b\",\"count\":2}]", NULL },
		{ "\"amounts\":[\"1\",\"2.0\"]", "\"amounts\":[1,2.0]" },
		{ "\"totals\":{\"a\":1,\"b\":2}", NULL },
		{ "\"details\":{\"a\":{\"name\":\"x\",\"count\":0}}", NULL },
		{ "\"list\":[\"a\",\"b\"]", NULL },
		{ "\"byName\":\"\"", NULL },
		{ "\"upTo\":0", NULL },
		{ "\"all\":false", NULL },
		{ "\"byInner\":{\"name\":\"a\",\"count\":0}", NULL },
		{ "\"ids\":[\"a\"]", NULL },
		{ "\"token\":\"Zg==\"", NULL },
		{ "\"byKind\":\"one\"", NULL },
		{ "\"only\":{\"text\":\"x\"}", "\"only\":\"x\"" },
		{ "\"only\":{\"inner\":{}}", "\"only\":{\"name\":\"\",\"count\":0}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *expected = cases[i].out ? cases[i].out : cases[i].in;
		char *text = xasprintf("{%s}", cases[i].in);
		struct err err = ERR_INIT;
		struct buf buf = BUF_INIT;
		ProtobufCMessage *message;

		ck_assert_ok(read_as(sample, text, &message, &err), err);
		reflect_append_json(&buf, message);
		ck_assert_msg(
		    strstr(buf_str(&buf), expected), "%s not in %s", expected, buf_str(&buf));
		buf_finish(&buf);
		free(text);
	}
}
END_TEST

START_TEST(what_does_not_fit_is_refused_by_the_fields_name)
{
	static const struct {
		const char *text, *field;
	} cases[] = {
		{ "{\"nope\":1}", "nope" },
		{ "{\"nope\":null}", "nope" },
		{ "{\"a_int32\":1}", "a_int32" }, /* the proto's name is not the client's */
		{ "{\"inner\":{\"nope\":1}}", "inner.nope" },
		{ "{\"inners\":[{},{\"name\":1}]}", "inners.1.name" },
		{ "{\"details\":{\"k\":{\"count\":-1}}}", "details.k.count" },
		{ "{\"b\\nd\\u00e4\":1}", "b?d??" },
		{ "{\"caller\":{\"userId\":\"eve\"}}", "caller" },
		{ "{\"error\":{}}", "error" },
		{ "{\"caller\":null}", "caller" },
		{ "{\"aInt32\":2147483648}", "aInt32" },
		{ "{\"aInt32\":-2147483649}", "aInt32" },
		{ "{\"aInt32\":1.0}", "aInt32" },
		{ "{\"aInt32\":\"1\"}", "aInt32" },
		{ "{\"aInt32\":true}", "aInt32" },
		{ "{\"aUint32\":-1}", "aUint32" },
		{ "{\"aUint32\":4294967296}", "aUint32" },
		{ "{\"aInt64\":9007199254740992}", "aInt64" },
		{ "{\"aInt64\":-9007199254740992}", "aInt64" },
		{ "{\"aUint64\":-1}", "aUint64" },
		{ "{\"aUint64\":9007199254740992}", "aUint64" },
		{ "{\"aUint64\":1e3}", "aUint64" },
		{ "{\"aBool\":1}", "aBool" },
		{ "{\"aBool\":\"true\"}", "aBool" },
		{ "{\"aKind\":\"ONE\"}", "aKind" },
		{ "{\"aKind\":1}", "aKind" },
		{ "{\"aString\":1}", "aString" },
		{ "{\"aString\":[\"a\"]}", "aString" },
		{ "{\"aString\":\"01234567890\"}", "aString" },
		{ "{\"aString\":\"a\\u0007\"}", "aString" },
		{ "{\"aString\":\"a\\u202eb\"}", "aString" },
		{ "{\"aBytes\":\"Zg=\"}", "aBytes" },
		{ "{\"aBytes\":1}", "aBytes" },
		{ "{\"inner\":[]}", "inner" },
		{ "{\"inner\":\"x\"}", "inner" },
		{ "{\"at\":1737628245123}", "at" },
		{ "{\"at\":\"yesterday\"}", "at" },
		{ "{\"at\":{\"seconds\":1}}", "at" },
		{ "{\"amount\":12.5}", "amount" },
		{ "{\"amount\":12}", "amount" },
		{ "{\"amount\":\"12,50\"}", "amount" },
		{ "{\"amount\":\"\"}", "amount" },
		{ "{\"amount\":\"9007199254740992\"}", "amount" },
		{ "{\"amount\":[\"1\"]}", "amount" },
		{ "{\"amount\":true}", "amount" },
		{ "{\"amount\":{\"units\":9007199254740992}}", "amount.units" },
		{ "{\"amount\":{\"units\":1,\"scale\":19}}", "amount" },
		{ "{\"amount\":{\"units\":\"1\"}}", "amount.units" },
		{ "{\"amount\":{\"cents\":1}}", "amount.cents" },
		{ "{\"amounts\":[\"1\",2]}", "amounts.1" },
		{ "{\"numbers\":1}", "numbers" },
		{ "{\"numbers\":{}}", "numbers" },
		{ "{\"numbers\":[1,null]}", "numbers.1" },
		{ "{\"names\":[\"a\",\"b\",3]}", "names.2" },
		{ "{\"totals\":[1]}", "totals" },
		{ "{\"totals\":{\"a\":\"1\"}}", "totals.a" },
		{ "{\"totals\":{\"01234567890\":1}}", "totals.01234567890" },
		{ "{\"list\":{\"values\":[]}}", "list" },
		{ "{\"list\":[1]}", "list.0" },
		{ "{\"all\":true,\"upTo\":1}", "upTo" },
		{ "{\"byInner\":{},\"ids\":[]}", "ids" },
		{ "{\"only\":{\"text\":\"a\",\"inner\":{}}}", "only.inner" },
		{ "{\"only\":\"a\"}", "only" },
		{ "[]", "" },
		{ "\"x\"", "" },
		{ "1", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;
		ProtobufCMessage *message;

		ck_assert_msg(read_as(sample, cases[i].text, &message, &err) == STATUS_INVALID,
		    "%s was taken", cases[i].text);
		ck_assert_str_eq(err.field, cases[i].field);
		ck_assert_uint_gt(strlen(err.msg), 0);
	}
}
END_TEST

START_TEST(null_is_absent)
{
	struct err err = ERR_INIT;
	ProtobufCMessage *message;
	Walletwire__Test__Sample *got;

	ck_assert_ok(read_as(sample,
			 "{\"aInt32\":null,\"aString\":null,\"inner\":null,\"numbers\":null,"
			 "\"totals\":null,\"amount\":null,\"upTo\":null,\"all\":true}",
			 &message, &err),
	    err);
	got = (Walletwire__Test__Sample *)message;
	ck_assert_ptr_null(got->inner);
	ck_assert_ptr_null(got->amount);
	ck_assert_str_eq(got->a_string, "");
	ck_assert_int_eq(got->choice_case, WALLETWIRE__TEST__SAMPLE__CHOICE_ALL);
}
END_TEST

START_TEST(nothing_is_an_empty_message)
{
	struct err err = ERR_INIT;
	ProtobufCMessage *message;

	ck_assert_ok(reflect_from_json(&walletwire__v1__list_request__descriptor, NULL, MAX_TEXT,
			 &arena, &message, &err),
	    err);
	ck_assert_ptr_eq(message->descriptor, &walletwire__v1__list_request__descriptor);
	expect_back(&walletwire__v1__list_request__descriptor, "null",
	    "{\"before\":\"\",\"limit\":0,\"unreadOnly\":false,\"types\":[],\"priority\":\"\"}");
	expect_back(&walletwire__v1__string_list__descriptor, "[\"a\"]", "[\"a\"]");
	expect_back(&walletwire__v1__string_list__descriptor, "null", "[]");
}
END_TEST

START_TEST(an_event_is_read_as_published)
{
	struct err err = ERR_INIT;
	ProtobufCMessage *message;
	Walletwire__V1__Event *event;

	ck_assert_ok(read_as(&walletwire__v1__event__descriptor,
			 "{\"userIds\":[\"alice\"],\"security\":{\"severity\":\"high\","
			 "\"message\":\"New login\",\"action\":\"Verify\"}}",
			 &message, &err),
	    err);
	event = (Walletwire__V1__Event *)message;
	ck_assert_uint_eq(event->n_user_ids, 1);
	ck_assert_str_eq(event->user_ids[0], "alice");
	ck_assert_int_eq(event->body_case, WALLETWIRE__V1__EVENT__BODY_SECURITY);
	ck_assert_int_eq(event->security->severity, WALLETWIRE__V1__SEVERITY__SEVERITY_HIGH);
	ck_assert_str_eq(event->security->message, "New login");
	expect_back(&walletwire__v1__event__descriptor,
	    "{\"balance\":{\"walletId\":\"w\",\"available_balance\":\"1.00\",\"currency\":\"EUR\"}"
	    "}",
	    "{\"id\":\"\",\"userIds\":[],\"priority\":\"\",\"title\":\"\",\"text\":\"\","
	    "\"traceparent\":\"\","
	    "\"balance\":{\"walletId\":\"w\",\"available_balance\":1.00,\"currency\":\"EUR\","
	    "\"version\":0}}");
	ck_assert_int_eq(read_as(&walletwire__v1__event__descriptor,
			     "{\"security\":{\"severity\":\"bad\"}}", &message, &err),
	    STATUS_INVALID);
	ck_assert_str_eq(err.field, "security.severity");
	ck_assert_str_eq(err.msg, "security.severity: must be one of low medium high critical");
}
END_TEST

START_TEST(a_message_larger_than_the_arena_is_too_large)
{
	struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	ProtobufCMessage *message;

	buf_append_str(&text, "{\"inners\":[{}");
	while (text.len < JSON_TEXT_MAX - 10)
		buf_append_str(&text, ",{}");
	buf_append_str(&text, "]}");
	ck_assert_int_eq(read_as(sample, buf_str(&text), &message, &err), STATUS_TOO_LARGE);
	ck_assert_uint_lt(arena.used, (1 << 20) + 1000);
	buf_finish(&text);
}
END_TEST

START_TEST(a_map_has_at_most_256_keys)
{
	struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	ProtobufCMessage *message;

	buf_append_str(&text, "{\"totals\":{\"k\":1");
	for (int i = 0; i < 255; i++)
		buf_appendf(&text, ",\"k%d\":1", i);
	buf_append_str(&text, "}}");
	ck_assert_ok(read_as(sample, buf_str(&text), &message, &err), err);
	ck_assert_uint_eq(((Walletwire__Test__Sample *)message)->n_totals, 256);
	text.len -= 2;
	buf_append_str(&text, ",\"z\":1}}");
	ck_assert_int_eq(read_as(sample, buf_str(&text), &message, &err), STATUS_INVALID);
	ck_assert_str_eq(err.field, "totals");
	buf_finish(&text);
}
END_TEST

START_TEST(a_long_path_is_cut_and_stays_text)
{
	struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	ProtobufCMessage *message;

	buf_append_str(&text, "{\"inner\":{\"");
	for (int i = 0; i < 100; i++)
		buf_append_str(&text, "\xc3\xa4");
	buf_append_str(&text, "\":1}}");
	ck_assert_int_eq(read_as(sample, buf_str(&text), &message, &err), STATUS_INVALID);
	ck_assert_uint_eq(strlen(err.field), sizeof(err.field) - 1);
	ck_assert_mem_eq(err.field, "inner.????", 10);
	buf_finish(&text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reflect_in");
	TCase *tcase = tcase_create("reflect_in");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, every_kind_of_field_is_read);
	tcase_add_test(tcase, what_does_not_fit_is_refused_by_the_fields_name);
	tcase_add_test(tcase, null_is_absent);
	tcase_add_test(tcase, nothing_is_an_empty_message);
	tcase_add_test(tcase, an_event_is_read_as_published);
	tcase_add_test(tcase, a_message_larger_than_the_arena_is_too_large);
	tcase_add_test(tcase, a_map_has_at_most_256_keys);
	tcase_add_test(tcase, a_long_path_is_cut_and_stays_text);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
