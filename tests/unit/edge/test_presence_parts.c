/* Words about many users are cut into reports that are short enough. */
#include "presence_parts.h"

#include <stdio.h>
#include <string.h>

#include "support/support.h"

enum { WORDS_MAX = 6000, ID_LEN = 128 };

static struct {
	unsigned parts, firsts, lasts, words;
	size_t longest;
	bool first_is_first, last_is_last;
} seen;

static char ids[WORDS_MAX][ID_LEN + 1];

/* In the order in which they were added. */
static void see(void *arg, Walletwire__V1__PresenceReport *report)
{
	size_t size = walletwire__v1__presence_report__get_packed_size(report);

	ck_assert_ptr_eq(arg, &seen);
	ck_assert_str_eq(report->edge, "edge-1");
	for (size_t i = 0; i < report->n_users; i++)
		ck_assert_str_eq(report->users[i]->user_id, ids[seen.words++]);
	seen.longest = size > seen.longest ? size : seen.longest;
	seen.first_is_first |= report->first && seen.parts == 0;
	seen.last_is_last = report->last;
	seen.firsts += report->first ? 1 : 0;
	seen.lasts += report->last ? 1 : 0;
	seen.parts++;
}

static void cut(bool whole, unsigned words)
{
	Walletwire__V1__PresenceReport report = WALLETWIRE__V1__PRESENCE_REPORT__INIT;
	char edge[] = "edge-1";
	struct presence_parts parts;

	memset(&seen, 0, sizeof(seen));
	report.edge = edge;
	report.whole = whole;
	report.number = UINT64_MAX;
	report.loop = UINT32_MAX;
	presence_parts_begin(&parts, &report, words, see, &seen);
	for (unsigned i = 0; i < words; i++) {
		Walletwire__V1__PresenceReportUser word =
		    WALLETWIRE__V1__PRESENCE_REPORT_USER__INIT;

		(void)snprintf(ids[i], sizeof(ids[0]), "%0*u", ID_LEN, i);
		word.user_id = ids[i];
		word.sockets = UINT32_MAX;
		word.status = WALLETWIRE__V1__PRESENCE_STATUS__PRESENCE_STATUS_AWAY;
		word.wants_friends = true;
		presence_parts_add(&parts, &word);
	}
	presence_parts_end(&parts);
	ck_assert_uint_eq(seen.words, words);
}

START_TEST(a_short_one_is_one_report)
{
	cut(/* whole= */ false, 1000);
	ck_assert_uint_eq(seen.parts, 1);
	ck_assert_uint_eq(seen.firsts + seen.lasts, 0);
}
END_TEST

START_TEST(an_empty_table_is_told_too)
{
	cut(/* whole= */ true, 0);
	ck_assert_uint_eq(seen.parts, 1);
	ck_assert(seen.first_is_first && seen.last_is_last);
}
END_TEST

START_TEST(a_long_one_is_cut_and_its_ends_are_marked)
{
	cut(/* whole= */ _i == 1, WORDS_MAX);
	ck_assert_uint_eq(seen.parts, 4); /* 6,000 words of 143 bytes at most */
	ck_assert_uint_le(seen.longest, PRESENCE_PART_MAX);
	ck_assert_uint_gt(seen.longest, PRESENCE_PART_MAX - 4096);
	ck_assert_uint_eq(seen.firsts, (unsigned)_i);
	ck_assert_uint_eq(seen.lasts, (unsigned)_i);
	ck_assert(!_i || (seen.first_is_first && seen.last_is_last));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("presence_parts");
	TCase *tc = tcase_create("presence_parts");

	tcase_add_test(tc, a_short_one_is_one_report);
	tcase_add_test(tc, an_empty_table_is_told_too);
	tcase_add_loop_test(tc, a_long_one_is_cut_and_its_ends_are_marked, 0, 2);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
