/* Whom an event names, and what of it is left without one of them. */
#include "base/arena.h"
#include "base/attrs.h"
#include "codec/json.h"
#include "codec/reflect.h"
#include "mention.h"
#include "support/support.h"

static struct arena arena;

static void setup(void)
{
	arena_init(&arena, SIZE_MAX);
}

static void teardown(void)
{
	arena_finish(&arena);
}

static Walletwire__V1__Event *event_of(const char *text)
{
	ProtobufCMessage *event = NULL;
	struct json *root = NULL;
	struct err err = ERR_INIT;

	ck_assert_ok(json_parse(bytes_of_str(text), &root, &err), err);
	ck_assert_ok(
	    reflect_from_json(&walletwire__v1__event__descriptor, root, 4000, &arena, &event, &err),
	    err);
	json_free(root);
	return (Walletwire__V1__Event *)(void *)event;
}

#define TX(sender, recipient)                                \
	"{\"transaction\":{\"sender\":{\"userId\":\"" sender \
	"\"},\"recipient\":{\"userId\":\"" recipient "\"}}}"

static const struct {
	const char *event;
	enum mention mention; /* of alice */
	const char *rest;     /* of a shared one: without alice, as JSON has it */
} cases[] = {
	{ "{\"userIds\":[\"alice\"],\"kyc\":{}}", MENTION_WHOLE, NULL },
	{ "{\"userIds\":[\"bob\"],\"kyc\":{\"message\":\"alice\"}}", MENTION_NONE, NULL },
	{ "{\"userIds\":[\"alice2\"],\"kyc\":{}}", MENTION_NONE, NULL },
	{ "{\"userIds\":[\"bob\",\"alice\",\"carol\"],\"payment\":{}}", MENTION_SHARED,
	    "[\"bob\",\"carol\"]" },
	{ TX("alice", "bob"), MENTION_SHARED, "\"recipient\":{\"userId\":\"bob\"" },
	{ TX("bob", "alice"), MENTION_SHARED, "\"sender\":{\"userId\":\"bob\"" },
	{ TX("alice", "alice"), MENTION_WHOLE, NULL },
	{ TX("alice", ""), MENTION_WHOLE, NULL },
	{ TX("bob", "carol"), MENTION_NONE, NULL },
	{ "{\"userIds\":[\"alice\",\"bob\"],\"chat\":{\"message\":{\"senderId\":\"bob\"}}}",
	    MENTION_SHARED, "[\"bob\"]" },
	{ "{\"userIds\":[\"bob\"],\"chat\":{\"message\":{\"senderId\":\"alice\"}}}", MENTION_WHOLE,
	    NULL },
	{ "{\"userIds\":[\"bob\"],\"chat\":{\"read\":{\"userId\":\"alice\"}}}", MENTION_WHOLE,
	    NULL },
	{ "{\"userIds\":[\"bob\"],\"chat\":{\"room\":{\"userId\":\"alice\"}}}", MENTION_WHOLE,
	    NULL },
	{ "{\"userIds\":[\"bob\"],\"chat\":{\"room\":{\"userId\":\"bob\",\"room\":"
	  "{\"members\":[\"alice\",\"bob\"]}}}}",
	    MENTION_SHARED, "\"members\":[\"bob\"]" },
	{ "{\"announcement\":{}}", MENTION_NONE, NULL },
};

START_TEST(a_user_is_named_by_every_field_that_names_users)
{
	ck_assert_int_eq(mention_of(event_of(cases[_i].event), "alice"), cases[_i].mention);
}
END_TEST

START_TEST(what_is_left_of_a_shared_event_names_the_others_alone)
{
	Walletwire__V1__Event *event = event_of(cases[_i].event);
	struct buf text = BUF_INIT;

	if (cases[_i].mention != MENTION_SHARED)
		return;
	mention_remove(event, "alice");
	ck_assert_int_eq(mention_of(event, "alice"), MENTION_NONE);
	reflect_append_json(&text, &event->base);
	ck_assert_msg(strstr(buf_str(&text), cases[_i].rest) != NULL, "%s", buf_str(&text));
	ck_assert_ptr_null(strstr(buf_str(&text), "alice"));
	buf_finish(&text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cli_mention");
	TCase *tcase = tcase_create("mention");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(
	    tcase, a_user_is_named_by_every_field_that_names_users, 0, (int)ARRAY_LEN(cases));
	tcase_add_loop_test(
	    tcase, what_is_left_of_a_shared_event_names_the_others_alone, 0, (int)ARRAY_LEN(cases));
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
