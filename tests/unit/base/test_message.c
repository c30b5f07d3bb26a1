/* Messages packed into arenas and buffers, and copied. */
#include "base/message.h"
#include "support/support.h"
#include "walletwire/v1/common.pb-c.h"

static Walletwire__V1__Party party(void)
{
	static char id[] = "alice", name[] = "Alice";
	Walletwire__V1__Party message = WALLETWIRE__V1__PARTY__INIT;

	message.user_id = id;
	message.name = name;
	return message;
}

START_TEST(what_is_appended_stands_behind_what_was_there)
{
	Walletwire__V1__Party message = party();
	struct buf out = BUF_INIT;
	struct arena arena;
	struct bytes packed;

	arena_init(&arena, 1000);
	packed = message_pack(&message.base, &arena);
	buf_append_str(&out, "ab");
	message_append(&out, &message.base);
	ck_assert_uint_eq(out.len, 2 + packed.len);
	ck_assert_mem_eq(out.data, "ab", 2);
	ck_assert_mem_eq((const char *)out.data + 2, packed.data, packed.len);
	buf_finish(&out);
	arena_finish(&arena);
}
END_TEST

START_TEST(a_copy_is_the_same_and_its_own)
{
	Walletwire__V1__Party message = party();
	Walletwire__V1__Party *copy = message_copy(&message.base);

	ck_assert_str_eq(copy->name, "Alice");
	ck_assert_ptr_ne(copy->name, message.name);
	walletwire__v1__party__free_unpacked(copy, NULL);
}
END_TEST

START_TEST(a_time_comes_back_to_the_microsecond)
{
	struct arena arena;
	Google__Protobuf__Timestamp *timestamp;

	arena_init(&arena, 1000);
	timestamp = message_timestamp(INT64_C(1737628245123456), &arena);
	ck_assert_int_eq(timestamp->seconds, 1737628245);
	ck_assert_int_eq(timestamp->nanos, 123456000);
	ck_assert_int_eq(message_time_us(timestamp), INT64_C(1737628245123456));
	arena_finish(&arena);
}
END_TEST

START_TEST(an_empty_message_is_one_too)
{
	struct arena arena;
	Walletwire__V1__Party *message;
	struct buf out = BUF_INIT;

	arena_init(&arena, 1000);
	message = message_new(&walletwire__v1__party__descriptor, &arena);
	ck_assert_str_eq(message->name, "");
	message_append(&out, &message->base);
	ck_assert_uint_eq(out.len, 0);
	message = message_copy(&message->base);
	ck_assert_str_eq(message->user_id, "");
	walletwire__v1__party__free_unpacked(message, NULL);
	buf_finish(&out);
	arena_finish(&arena);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("message");
	TCase *tc = tcase_create("message");

	tcase_add_test(tc, what_is_appended_stands_behind_what_was_there);
	tcase_add_test(tc, a_copy_is_the_same_and_its_own);
	tcase_add_test(tc, a_time_comes_back_to_the_microsecond);
	tcase_add_test(tc, an_empty_message_is_one_too);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
