/* What edges count, in columns. */
#include <string.h>

#include "base/attrs.h"
#include "edge_table.h"
#include "support/support.h"

static const struct value_row {
	double value;
	enum edge_column_unit unit;
	const char *text;
} value_rows[] = {
	{ 0, UNIT_NONE, "0" },
	{ 1234567, UNIT_NONE, "1234567" },
	{ 1023, UNIT_BYTES, "1023B" },
	{ 1536, UNIT_BYTES, "1.5K" },
	{ 200.0 * 1024 * 1024, UNIT_BYTES, "200M" },
	{ 999, UNIT_US, "999us" },
	{ 7100, UNIT_US, "7.1ms" },
	{ 25000, UNIT_US, "25ms" },
	{ 90e6, UNIT_US, "90s" },
	{ 59, UNIT_SECONDS, "59s" },
	{ 3599, UNIT_SECONDS, "59m59s" },
	{ 3600, UNIT_SECONDS, "1h00m" },
	{ 100000, UNIT_SECONDS, "1d03h" },
};

START_TEST(a_value_is_short_and_has_its_unit)
{
	const struct value_row *row = &value_rows[_i];
	char text[EDGE_VALUE_SIZE];

	edge_table_value(row->value, row->unit, text);
	ck_assert_str_eq(text, row->text);
}
END_TEST

/* --- a table of edges that are made up --- */

static char sockets[] = "sockets", closes[] = "closes", slow[] = "slow", gone[] = "gone",
	    latency[] = "latency";

struct made {
	Walletwire__V1__EdgeStats stats;
	Walletwire__V1__EdgeNumber number[3], *numbers[3];
	Walletwire__V1__EdgeHistogram histogram, *histograms[1];
	int64_t buckets[HISTOGRAM_BUCKETS + 1];
};

static Walletwire__V1__EdgeStats *make(struct made *made, int64_t n, int64_t in_bucket_5)
{
	static char *const names[] = { sockets, closes, closes };
	static char *const labels[] = { NULL, slow, gone };

	*made = (struct made){ 0 };
	walletwire__v1__edge_stats__init(&made->stats);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		walletwire__v1__edge_number__init(&made->number[i]);
		made->number[i].name = names[i];
		if (labels[i])
			made->number[i].label = labels[i];
		made->number[i].value = n * (int64_t)(i + 1);
		made->numbers[i] = &made->number[i];
	}
	walletwire__v1__edge_histogram__init(&made->histogram);
	made->buckets[5] = in_bucket_5;
	made->histogram.name = latency;
	made->histogram.buckets = made->buckets;
	made->histogram.n_buckets = ARRAY_LEN(made->buckets);
	made->histograms[0] = &made->histogram;
	made->stats.numbers = made->numbers;
	made->stats.n_numbers = ARRAY_LEN(names);
	made->stats.histograms = made->histograms;
	made->stats.n_histograms = 1;
	return &made->stats;
}

static const struct edge_column columns[] = {
	{ "sum", 5, COLUMN_SUM, "sockets", NULL, UNIT_NONE },
	{ "most", 5, COLUMN_MOST, "sockets", NULL, UNIT_NONE },
	{ "all", 5, COLUMN_SUM, "closes", NULL, UNIT_NONE },
	{ "one", 5, COLUMN_SUM, "closes", "gone", UNIT_NONE },
	{ "rate", 5, COLUMN_RATE, "closes", NULL, UNIT_NONE },
	{ "p99", 7, COLUMN_P99, "latency", NULL, UNIT_US },
};

static char a[] = "edge-a", b[] = "edge-b", c[] = "edge-c";

START_TEST(lines_add_up_and_rates_need_an_earlier_look)
{
	struct made made[3];
	struct edge_stats before[] = { { a, a, make(&made[0], 10, 1000) }, { c, c, NULL } };
	struct edge_stats after[] = { { a, a, make(&made[1], 14, 1000) },
		{ b, b, make(&made[2], 100, 0) }, { c, c, NULL } };
	struct edge_stats_list earlier = { before, ARRAY_LEN(before), 1000 };
	struct edge_stats_list now = { after, ARRAY_LEN(after), 3000 };
	struct buf out = BUF_INIT;

	edge_table_append(&out, columns, ARRAY_LEN(columns), &now, &earlier);
	ck_assert_str_eq(buf_str(&out),
	    "edge                     state       sum  most   all   one  rate     p99\n"
	    "edge-a                   up           14    14    70    42    10       -\n"
	    "edge-b                   up          100   100   500   300     -       -\n"
	    "edge-c                   missing\n"
	    "all                                  114   100   570   342    10       -\n");
	buf_finish(&out);
	/* Without an earlier look: ever. */
	edge_table_append(&out, columns, ARRAY_LEN(columns), &now, NULL);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "70    42     -   2.0ms\n"));
	buf_finish(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cli/edge_table");
	TCase *tc = tcase_create("edge_table");

	tcase_add_loop_test(tc, a_value_is_short_and_has_its_unit, 0, (int)ARRAY_LEN(value_rows));
	tcase_add_test(tc, lines_add_up_and_rates_need_an_earlier_look);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
