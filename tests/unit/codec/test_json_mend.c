/* What no UTF-8 can hold becomes U+FFFD; everything else stays as it is, JSON or not. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "codec/json.h"
#include "codec/json_mend.h"
#include "support/support.h"

struct sample {
	const char *in, *out; /* NULL: the same */
};

static const struct sample samples[] = {
	{ "[\"\\ud800\"]", "[\"\\ufffd\"]" },
	{ "[\"a\\uD83Db\"]", "[\"a\\ufffdb\"]" },
	{ "[\"a\\uDE00b\"]", "[\"a\\ufffdb\"]" },
	{ "[\"\\u0000\",\"\\u0000\"]", "[\"\\ufffd\",\"\\ufffd\"]" },
	{ "[\"\\ude00\\ud83d\"]", "[\"\\ufffd\\ufffd\"]" },
	{ "[\"\\ud83d\\ud83d\\ude00\"]", "[\"\\ufffd\\ud83d\\ude00\"]" },
	{ "[\"\\ud83d\\n\"]", "[\"\\ufffd\\n\"]" },
	{ "{\"\\udfff\":1}", "{\"\\ufffd\":1}" },
	/* A whole pair, an escaped backslash, other escapes, nothing at all. */
	{ "[\"\\ud83d\\ude00\"]", NULL },
	{ "[\"\\\\ud83d\"]", NULL },
	{ "[\"\\\\u0000\"]", NULL },
	{ "[\"\\u0001\\ud7ff\\ue000\\n\\\"\"]", NULL },
	{ "[\"plain\"]", NULL },
	{ "", NULL },
	/* What is no JSON is left to whoever parses it. */
	{ "\\", NULL },
	{ "\\u", NULL },
	{ "\\ud83", NULL },
	{ "\\ud8g0", NULL },
	{ "\\ud83d", "\\ufffd" },
	{ "\\ud83d\\u", "\\ufffd\\u" },
};

START_TEST(what_is_no_text_is_replaced)
{
	const struct sample *sample = &samples[_i];
	/* Without a NUL behind it, so that ASan sees who reads on. */
	size_t len = strlen(sample->in);
	uint8_t *in = xmemdup(sample->in, len);
	struct buf copy = BUF_INIT;
	struct bytes mended = json_mend(bytes_of(in, len), &copy);

	ck_assert_msg(bytes_equal_str(mended, sample->out ? sample->out : sample->in),
	    "%s became %.*s", sample->in, (int)mended.len, (const char *)mended.data);
	if (!sample->out)
		ck_assert_ptr_eq(mended.data, in);
	buf_finish(&copy);
	free(in);
}
END_TEST

START_TEST(what_was_mended_is_read)
{
	struct buf copy = BUF_INIT;
	struct json *root = NULL;
	struct err err = ERR_INIT;

	ck_assert_ok(
	    json_parse(json_mend(bytes_of_str("[\"a\\ud83d\"]"), &copy), &root, &err), err);
	ck_assert(bytes_equal_str(json_text(json_at(root, 0)), "a\xef\xbf\xbd"));
	json_free(root);
	buf_finish(&copy);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json_mend");
	TCase *tc = tcase_create("json_mend");

	tcase_add_loop_test(tc, what_is_no_text_is_replaced, 0, ARRAY_LEN(samples));
	tcase_add_test(tc, what_was_mended_is_read);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
