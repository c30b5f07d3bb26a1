/* trace: traceparent as W3C Trace Context has it, and nothing that only looks like one. */
#include <stdlib.h>
#include <string.h>

#include "base/attrs.h"
#include "base/trace.h"
#include "support/support.h"

#define ID "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"
#define GOOD "00-" ID "-" SPAN "-01"

START_TEST(what_is_read_is_written_as_it_was)
{
	static const char *const texts[] = { GOOD, "00-" ID "-" SPAN "-00", "00-" ID "-" SPAN "-03",
		"00-00000000000000000000000000000001-0000000000000001-02" };
	char text[TRACEPARENT_SIZE];
	struct trace trace;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		ck_assert(trace_parse(texts[i], &trace));
		trace_format(&trace, text);
		ck_assert_str_eq(text, texts[i]);
	}
}
END_TEST

START_TEST(what_is_no_traceparent_is_none)
{
	static const char *const texts[] = { NULL, "", "00", GOOD "0", GOOD "-", GOOD "-x",
		"00-" ID "-" SPAN "-0", "00-" ID "-" SPAN, " " GOOD, GOOD " ",
		"ff-" ID "-" SPAN "-01", "FF-" ID "-" SPAN "-01", "0x-" ID "-" SPAN "-01",
		"00-00000000000000000000000000000000-" SPAN "-01", "00-" ID "-0000000000000000-01",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01", "00-" ID "-00f067aa0ba902bg-01",
		"00-" ID "-" SPAN "-0g", "00_" ID "-" SPAN "-01", "00-" ID "_" SPAN "-01",
		"00-" ID "-" SPAN "_01", "00-+bf92f3577b34da6a3ce929d0e0e4736-" SPAN "-01",
		"cc-" ID "-" SPAN "-01x", "cc-" ID "-" SPAN "-01.what-the-future-will-be-like" };
	struct trace trace;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		memset(&trace, 0xaa, sizeof(trace));
		ck_assert_msg(!trace_parse(texts[i], &trace), "taken: %s", texts[i]);
		ck_assert(!trace_is_set(&trace));
	}
}
END_TEST

START_TEST(a_later_version_is_read_by_what_version_00_has)
{
	struct trace trace;
	char text[TRACEPARENT_SIZE];

	ck_assert(trace_parse("cc-" ID "-" SPAN "-09-what-the-future-will-be-like", &trace));
	trace_format(&trace, text);
	ck_assert_str_eq(text, GOOD); /* without the flag that nobody knows */
	ck_assert(trace_parse("01-" ID "-" SPAN "-01", &trace));
}
END_TEST

START_TEST(what_is_too_long_is_ignored_without_being_read_to_its_end)
{
	size_t size = TRACEPARENT_MAX + 2;
	char *text = malloc(size); /* of its size, so that ASan sees who reads on */
	struct trace trace;

	memset(text, 'a', size);
	memcpy(text, "cc-" ID "-" SPAN "-01-", TRACEPARENT_LEN + 1);
	text[TRACEPARENT_MAX] = '\0';
	ck_assert(trace_parse(text, &trace));
	text[TRACEPARENT_MAX] = 'a';
	text[TRACEPARENT_MAX + 1] = '\0';
	ck_assert(!trace_parse(text, &trace));
	free(text);
}
END_TEST

START_TEST(each_part_that_is_cut_or_changed_is_refused_or_shown_as_it_is)
{
	char text[sizeof(GOOD)], back[TRACEPARENT_SIZE];
	struct trace trace;

	for (size_t i = 0; i < TRACEPARENT_LEN; i++) {
		for (int c = 1; c < 256; c++) {
			memcpy(text, GOOD, sizeof(GOOD));
			text[i] = (char)c;
			if (!trace_parse(text, &trace))
				continue;
			trace_format(&trace, back);
			/* of the version and of unknown flags nothing is left */
			ck_assert_mem_eq(back + 2, text + 2, 51);
		}
		memcpy(text, GOOD, sizeof(GOOD));
		text[i] = '\0';
		ck_assert(!trace_parse(text, &trace));
	}
}
END_TEST

START_TEST(a_hop_goes_on_with_the_trace_and_a_span_of_its_own)
{
	struct trace from, next, last;

	ck_assert(trace_parse(GOOD, &from));
	trace_enter(GOOD, /* begin= */ false, &next);
	ck_assert_mem_eq(next.id, from.id, sizeof(next.id));
	ck_assert_mem_ne(next.span, from.span, sizeof(next.span));
	ck_assert_uint_eq(next.flags, from.flags);
	trace_go_on(&next, &last);
	ck_assert_mem_eq(last.id, from.id, sizeof(last.id));
	ck_assert_mem_ne(last.span, next.span, sizeof(last.span));
}
END_TEST

START_TEST(without_one_a_trace_begins_only_where_it_is_asked_for)
{
	char text[TRACEPARENT_SIZE];
	struct trace trace, other;

	trace_enter("00-bad", /* begin= */ false, &trace);
	ck_assert(!trace_is_set(&trace));
	trace_format(&trace, text);
	ck_assert_str_eq(text, "");
	trace_enter("00-bad", /* begin= */ true, &trace);
	trace_enter(NULL, /* begin= */ true, &other);
	ck_assert_mem_ne(trace.id, other.id, sizeof(trace.id));
	trace_format(&trace, text);
	ck_assert(trace_parse(text, &other));
	ck_assert_mem_eq(&trace, &other, sizeof(trace));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("trace");
	TCase *tcase = tcase_create("trace");

	tcase_add_test(tcase, what_is_read_is_written_as_it_was);
	tcase_add_test(tcase, what_is_no_traceparent_is_none);
	tcase_add_test(tcase, a_later_version_is_read_by_what_version_00_has);
	tcase_add_test(tcase, what_is_too_long_is_ignored_without_being_read_to_its_end);
	tcase_add_test(tcase, each_part_that_is_cut_or_changed_is_refused_or_shown_as_it_is);
	tcase_add_test(tcase, a_hop_goes_on_with_the_trace_and_a_span_of_its_own);
	tcase_add_test(tcase, without_one_a_trace_begins_only_where_it_is_asked_for);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
