/* What people may write, and what becomes of it on its way to a page. */
#include <stdio.h>
#include <string.h>

#include "base/subject.h"
#include "base/text.h"
#include "message.h"
#include "support/support.h"
#include "words.h"

static struct arena arena;

static void setup(void)
{
	arena_init(&arena, SIZE_MAX);
}

static void teardown(void)
{
	arena_finish(&arena);
}

static size_t encode(uint32_t point, char ret_utf8[static 5])
{
	size_t n = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
	static const uint8_t leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = n; i-- > 1; point >>= 6)
		ret_utf8[i] = (char)(0x80 | (point & 0x3f));
	ret_utf8[0] = (char)(leads[n] | point);
	ret_utf8[n] = '\0';
	return n;
}

static enum status check(const char *text)
{
	struct err err = ERR_INIT;
	enum status s = words_check("text", text, WORDS_TEXT_MAX, &err);

	if (s && strcmp(err.field, "text") != 0)
		ck_abort_msg("names the field %s", err.field);
	return s;
}

static bool is_control(uint32_t point)
{
	return (point < 0x20 && point != '\n' && point != '\t') || (point >= 0x7f && point < 0xa0);
}

static bool turns_direction(uint32_t point)
{
	return (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

START_TEST(an_id_that_clients_choose_needs_no_escaping)
{
	static const char *const bad[] = { "", "a<b", "a>b", "a&b", "a\"b", "a\x01",
		"a\xe2\x80\xaez", "a\xff" };
	char longest[SUBJECT_ID_MAX + 2];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err err = ERR_INIT;

		ck_assert_int_eq(words_check_id("clientId", bad[i], &err), STATUS_INVALID);
		ck_assert_str_eq(err.field, "clientId");
	}
	memset(longest, 'x', sizeof(longest) - 1);
	longest[SUBJECT_ID_MAX + 1] = '\0';
	ck_assert_int_eq(
	    words_check_id("clientId", longest, &(struct err)ERR_INIT), STATUS_INVALID);
	longest[SUBJECT_ID_MAX] = '\0';
	ck_assert_int_eq(words_check_id("clientId", longest, &(struct err)ERR_INIT), STATUS_OK);
	ck_assert_int_eq(
	    words_check_id("clientId", "zo\xc3\xab+1@bank.example/a b", &(struct err)ERR_INIT),
	    STATUS_OK);
	ck_assert_int_eq(words_check_id("userId", "o'brien", &(struct err)ERR_INIT), STATUS_OK);
}
END_TEST

START_TEST(every_character_is_taken_but_controls_and_those_that_turn_direction)
{
	for (uint32_t point = 1; point <= 0x10ffff; point++) {
		char text[16] = "a", utf8[5];
		bool bad = is_control(point) || turns_direction(point);

		if (point >= 0xd800 && point < 0xe000)
			continue;
		(void)encode(point, utf8);
		(void)snprintf(text, sizeof(text), "a%sb", utf8);
		if ((check(text) == STATUS_INVALID) != bad)
			ck_abort_msg("U+%04X", point);
	}
}
END_TEST

START_TEST(what_is_not_utf8_is_refused)
{
	static const char *const cases[] = { "\x80", "a\xff", "\xc0\xaf", "\xc3", "\xe2\x82",
		"\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf0\x80\x80\xaf", "a\xfe z" };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ck_assert_int_eq(check(cases[i]), STATUS_INVALID);
}
END_TEST

START_TEST(four_thousand_characters_are_taken_and_one_more_is_not)
{
	static const char *const characters[] = { "a", "\xc3\xa9", "\xe2\x82\xac",
		"\xf0\x9f\x98\x80" };

	for (size_t i = 0; i < ARRAY_LEN(characters); i++) {
		size_t len = strlen(characters[i]);
		char *text = arena_alloc(&arena, 4001 * len + 1);

		for (size_t n = 0; n < 4001; n++)
			memcpy(text + n * len, characters[i], len);
		ck_assert_int_eq(check(text), STATUS_INVALID);
		text[4000 * len] = '\0';
		ck_assert_int_eq(check(text), STATUS_OK);
	}
}
END_TEST

START_TEST(what_shows_nothing_is_empty)
{
	static const char *const empty[] = { "", " ", "\n\t \n", "\xc2\xa0", "\xe2\x80\x8b",
		"\xef\xbb\xbf", "\xe2\xa0\x80", "\xe3\x85\xa4 \xe3\x80\x80", "\xf3\xa0\x81\xa1",
		"\xe2\x80\x8d\xef\xb8\x8f" };
	static const char *const full[] = { ".", " x ", "\xe2\x80\x8b!", "\xf0\x9f\x98\x80",
		"\xe2\x9d\xa4\xef\xb8\x8f" };

	for (size_t i = 0; i < ARRAY_LEN(empty); i++)
		ck_assert_msg(check(empty[i]) == STATUS_INVALID, "%zu", i);
	for (size_t i = 0; i < ARRAY_LEN(full); i++)
		ck_assert_msg(check(full[i]) == STATUS_OK, "%zu", i);
}
END_TEST

static const char *const attacks[] = {
	"<script>alert(1)</script>",
	"<img src=x onerror=alert(1)>",
	"\"><svg/onload=alert(1)>",
	"'-alert(1)-'",
	"<a href=\"javascript:alert(1)\">x</a>",
	"&lt;script&gt;",
	"</textarea><script>alert(1)</script>",
	"<!--<img src=\"--><img src=x onerror=alert(1)//\">",
	"<iframe srcdoc=\"&#60;script&#62;alert(1)&#60;/script&#62;\">",
	"`${alert(1)}` {{constructor.constructor('alert(1)')()}}",
};

START_TEST(nothing_that_is_shown_can_open_a_tag_or_end_an_attribute)
{
	for (size_t i = 0; i < ARRAY_LEN(attacks); i++) {
		ck_assert_int_eq(check(attacks[i]), STATUS_OK);
		ck_assert_ptr_null(strpbrk(words_escape(attacks[i], &arena), "<>\"'"));
	}
	ck_assert_str_eq(words_escape("<a b=\"c\" d='e'>&amp;", &arena),
	    "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;amp;");
}
END_TEST

/* As a page shows it. */
static const char *unescape(const char *text)
{
	static const struct {
		const char *entity, *plain;
	} entities[] = { { "&amp;", "&" }, { "&lt;", "<" }, { "&gt;", ">" }, { "&quot;", "\"" },
		{ "&#39;", "'" } };
	char *out = arena_strdup(&arena, text), *to = out;

	while (*text) {
		size_t i = 0;

		while (i < ARRAY_LEN(entities) &&
		       strncmp(text, entities[i].entity, strlen(entities[i].entity)) != 0)
			i++;
		*to++ = *(i < ARRAY_LEN(entities) ? entities[i].plain : text);
		text += i < ARRAY_LEN(entities) ? strlen(entities[i].entity) : 1;
	}
	*to = '\0';
	return out;
}

START_TEST(a_page_shows_what_was_written)
{
	for (size_t i = 0; i < ARRAY_LEN(attacks); i++)
		ck_assert_str_eq(unescape(words_escape(attacks[i], &arena)), attacks[i]);
	ck_assert_str_eq(words_escape("", &arena), "");
	ck_assert_str_eq(words_escape("caf\xc3\xa9", &arena), "caf\xc3\xa9");
}
END_TEST

START_TEST(a_message_is_shown_with_its_times_or_without)
{
	struct store_message message = { .message_id = "m",
		.room_id = "r",
		.sender_id = "alice",
		.client_id = "c",
		.text = "1 < 2",
		.seq = 7,
		.created_us = 1000000 };
	ChatMessage *shown = message_show(&message, /* escape= */ true, &arena);

	ck_assert_str_eq(shown->text, "1 &lt; 2");
	ck_assert_ptr_null(shown->edited_at);
	ck_assert(!shown->deleted);
	ck_assert_str_eq(message_event_id(&message, &arena), "r/7/0");
	message.edit = 2;
	message.edited_us = 2000000;
	message.deleted = true;
	shown = message_show(&message, /* escape= */ false, &arena);
	ck_assert_str_eq(shown->text, "1 < 2");
	ck_assert_int_eq(message_time_us(shown->edited_at), 2000000);
	ck_assert(shown->deleted);
	ck_assert_str_eq(message_event_id(&message, &arena), "r/7/2");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("chat_message");
	TCase *tc = tcase_create("message");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_id_that_clients_choose_needs_no_escaping);
	tcase_add_test(tc, every_character_is_taken_but_controls_and_those_that_turn_direction);
	tcase_add_test(tc, what_is_not_utf8_is_refused);
	tcase_add_test(tc, four_thousand_characters_are_taken_and_one_more_is_not);
	tcase_add_test(tc, what_shows_nothing_is_empty);
	tcase_add_test(tc, nothing_that_is_shown_can_open_a_tag_or_end_an_attribute);
	tcase_add_test(tc, a_page_shows_what_was_written);
	tcase_add_test(tc, a_message_is_shown_with_its_times_or_without);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
