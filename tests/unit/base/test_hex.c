/* hex: two small digits a byte, and nothing else. */
#include "base/hex.h"
#include "support/support.h"

START_TEST(hex_is_read_as_it_is_written_and_nothing_else)
{
	static const uint8_t data[] = { 0x00, 0x9f, 0xa0, 0xff };
	uint8_t back[sizeof(data)];
	char text[2 * sizeof(data) + 1];

	hex_encode(bytes_of(data, sizeof(data)), text);
	ck_assert_str_eq(text, "009fa0ff");
	ck_assert(hex_decode(bytes_of_str(text), back, sizeof(back)));
	ck_assert_mem_eq(back, data, sizeof(data));
	ck_assert(!hex_decode(bytes_of_str("009fa0f"), back, sizeof(back)));
	ck_assert(!hex_decode(bytes_of_str("009fa0ff0"), back, sizeof(back)));
	ck_assert(!hex_decode(bytes_of_str("009FA0FF"), back, sizeof(back)));
	ck_assert(!hex_decode(bytes_of_str("009fa0f:"), back, sizeof(back)));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hex");
	TCase *tcase = tcase_create("hex");

	tcase_add_test(tcase, hex_is_read_as_it_is_written_and_nothing_else);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
