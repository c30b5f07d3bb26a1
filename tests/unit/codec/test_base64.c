/* base64: the standard's vectors, every length back and forth, one text per value. */
#include <string.h>

#include "base/id.h"
#include "codec/base64.h"
#include "support/support.h"

START_TEST(the_standards_vectors_hold_both_ways)
{
	static const struct {
		const char *data, *text;
	} cases[] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
		{ "\xfb\xff\xbf", "+/+/" } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf buf = BUF_INIT;
		uint8_t data[16];
		size_t len;

		base64_append(&buf, bytes_of_str(cases[i].data));
		ck_assert_str_eq(buf_str(&buf), cases[i].text);
		ck_assert(base64_decode(bytes_of_str(cases[i].text), data, &len));
		ck_assert(bytes_equal_str(bytes_of(data, len), cases[i].data));
		buf_finish(&buf);
	}
}
END_TEST

START_TEST(random_bytes_of_every_length_come_back)
{
	for (size_t len = 0; len < 200; len++) {
		struct buf buf = BUF_INIT;
		uint8_t data[200], back[200];
		size_t back_len;

		random_bytes(data, len);
		base64_append(&buf, bytes_of(data, len));
		ck_assert_uint_ge(base64_decoded_max(buf.len), len);
		ck_assert(base64_decode(buf_bytes(&buf), back, &back_len));
		ck_assert(bytes_equal(bytes_of(data, len), bytes_of(back, back_len)));
		buf_finish(&buf);
	}
}
END_TEST

START_TEST(other_texts_are_refused)
{
	static const char *const cases[] = { "Z", "Zg", "Zg=", "Zg===", "=",
		"====", "Zg==Zg==", "Z===", "Zm9-", "Zm9_", "Zm 9", "Zh==", "Zm9=", "Zm9v\n",
		"Z=8=", "=m9v" };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t data[16];
		size_t len;

		ck_assert_msg(
		    !base64_decode(bytes_of_str(cases[i]), data, &len), "%s was taken", cases[i]);
	}
	ck_assert(!base64_decode(bytes_of("Zm\0v", 4), (uint8_t[3]){ 0 }, &(size_t){ 0 }));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base64");
	TCase *tcase = tcase_create("base64");

	tcase_add_test(tcase, the_standards_vectors_hold_both_ways);
	tcase_add_test(tcase, random_bytes_of_every_length_come_back);
	tcase_add_test(tcase, other_texts_are_refused);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
