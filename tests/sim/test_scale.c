/* docs/scaling.md has what the simulation says today, and it says the same each time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"
#include "support/support.h"

START_TEST(table_is_in_the_page_as_it_is_written)
{
	const struct sim_table *table = &sim_tables[_i];
	struct buf out = BUF_INIT, again = BUF_INIT;
	char path[512];

	table->write(&out);
	table->write(&again);
	ck_assert_str_eq(buf_str(&out), buf_str(&again));
	(void)snprintf(path, sizeof(path), "%s/docs/scaling.md", getenv("WW_SOURCE_DIR"));
	ck_assert_msg(strstr(support_read_file(path), buf_str(&out)) != NULL,
	    "docs/scaling.md has another table '%s' than this:\n%s", table->name, buf_str(&out));
	buf_finish(&out);
	buf_finish(&again);
}
END_TEST

/* The one row that can be held against the bench: what was measured there comes out again. */
START_TEST(bench_is_what_was_measured)
{
	struct buf out = BUF_INIT;

	sim_storm(&out);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "(measured: 8.8 s) | 18,000 | "));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), " | 8.8 s | 0 | both cores, "));
	buf_finish(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scale");
	TCase *tc = tcase_create("tables");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, table_is_in_the_page_as_it_is_written, 0, (int)sim_tables_len);
	tcase_add_test(tc, bench_is_what_was_measured);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
