/* Generated pages are committed: they must say what the tables say today. */
#include <stdio.h>
#include <stdlib.h>

#include "docs.h"
#include "support/support.h"

START_TEST(a_page_is_fresh)
{
	const struct docs_page *page = &docs_pages[_i];
	struct buf want = BUF_INIT, have = BUF_INIT;
	char path[512];
	FILE *file;
	size_t n;

	docs_append(&want, page);
	(void)snprintf(path, sizeof(path), "%s/docs/%s.md", getenv("WW_SOURCE_DIR"), page->name);
	file = fopen(path, "re");
	ck_assert_msg(
	    file != NULL, "%s is missing: ww docs %s > docs/%s.md", path, page->name, page->name);
	while ((n = fread(buf_reserve(&have, 4096), 1, 4096, file)) > 0)
		have.len += n;
	(void)fclose(file);
	ck_assert_msg(bytes_equal(buf_bytes(&want), buf_bytes(&have)),
	    "docs/%s.md is stale: ww docs %s > docs/%s.md", page->name, page->name, page->name);
	buf_finish(&want);
	buf_finish(&have);
}
END_TEST

START_TEST(events_name_the_keys_that_clients_read)
{
	struct buf out = BUF_INIT;
	const char *text;

	docs_append(&out, &docs_pages[1]);
	text = buf_str(&out);
	ck_assert_ptr_nonnull(strstr(text, "## `balance:update` (STATE)"));
	ck_assert_ptr_nonnull(
	    strstr(text, "| `available_balance` | number with its exact digits |"));
	ck_assert_ptr_nonnull(strstr(text, "| `walletId` | string |"));
	ck_assert_ptr_nonnull(strstr(text, "`\"p2p_send\"`, `\"p2p_receive\"`"));
	buf_finish(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cli/docs");
	TCase *tcase = tcase_create("docs");

	tcase_add_loop_test(tcase, a_page_is_fresh, 0, (int)docs_pages_len);
	tcase_add_test(tcase, events_name_the_keys_that_clients_read);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
