/* address: every way to write one, and which networks hold it. */
#include <string.h>

#include "base/address.h"
#include "support/support.h"

static struct address parsed(const char *text)
{
	struct address address;

	ck_assert_msg(address_parse(bytes_of_str(text), &address), "%s", text);
	return address;
}

START_TEST(an_address_has_one_form_however_it_was_written)
{
	static const char *const same[][2] = {
		{ "192.0.2.1", "::ffff:192.0.2.1" },
		{ "192.0.2.1", "::FFFF:c000:201" },
		{ "2001:db8::1", "2001:0DB8:0:0:0:0:0:1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		struct address a = parsed(same[i][0]), b = parsed(same[i][1]);

		ck_assert_mem_eq(a.bytes, b.bytes, ADDRESS_BYTES);
	}
}
END_TEST

START_TEST(what_is_no_address_is_not_read)
{
	static const char *const bad[] = { "", " ", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4",
		"1.2.3.4 ", " 1.2.3.4", "1.2.3.4:80", "0x7f.1", "2130706433", "[::1]", "::1%eth0",
		":", "1::2::3", "localhost", "unknown", "_hidden",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999",
		"0000000000000000000000000000000000000000000000::1" };
	struct address address;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!address_parse(bytes_of_str(bad[i]), &address), "%s", bad[i]);
	ck_assert(!address_parse(BYTES_LITERAL("1.2.3.4\0"), &address));
	ck_assert(!address_parse(bytes_of(NULL, 0), &address));
}
END_TEST

static bool holds(const char *list, const char *text)
{
	struct address address = parsed(text);
	struct networks *networks;
	struct err err = ERR_INIT;
	bool held;

	ck_assert_ok(networks_new(list, &networks, &err), err);
	held = networks_have(networks, &address);
	networks_free(networks);
	return held;
}

START_TEST(a_network_holds_what_its_prefix_says)
{
	static const struct {
		const char *list, *address;
		bool held;
	} cases[] = {
		{ "", "127.0.0.1", false },
		{ "127.0.0.0/8", "127.255.255.255", true },
		{ "127.0.0.0/8", "128.0.0.0", false },
		{ "127.0.0.0/8", "::1", false },
		{ "127.0.0.0/8,::1", "::1", true },
		{ " 10.0.0.0/8 , 192.0.2.7 ", "192.0.2.7", true },
		{ " 10.0.0.0/8 , 192.0.2.7 ", "192.0.2.6", false },
		{ "192.0.2.4/30", "192.0.2.7", true },
		{ "192.0.2.4/30", "192.0.2.8", false },
		{ "192.0.2.4/32", "192.0.2.4", true },
		{ "192.0.2.4/32", "192.0.2.5", false },
		{ "0.0.0.0/0", "255.255.255.255", true },
		{ "0.0.0.0/0", "::", false },
		{ "::/0", "2001:db8::1", true },
		{ "::/0", "192.0.2.1", false },
		{ "2001:db8::/33", "2001:db8:7fff::", true },
		{ "2001:db8::/33", "2001:db8:8000::", false },
		{ "::ffff:10.0.0.0/8", "10.1.2.3", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ck_assert_msg(holds(cases[i].list, cases[i].address) == cases[i].held, "%s in %s",
		    cases[i].address, cases[i].list);
}
END_TEST

START_TEST(a_mistake_in_a_list_is_named)
{
	static const struct {
		const char *list, *blamed;
	} cases[] = {
		{ "10.0.0.0/8,10.0.0/8", "\"10.0.0/8\"" },
		{ "10.0.0.1/8", "\"10.0.0.1/8\"" },
		{ "10.0.0.0/33", "\"10.0.0.0/33\"" },
		{ "10.0.0.0/", "\"10.0.0.0/\"" },
		{ "10.0.0.0/8/8", "\"10.0.0.0/8/8\"" },
		{ "10.0.0.0/+8", "\"10.0.0.0/+8\"" },
		{ "10.0.0.0/0008", "\"10.0.0.0/0008\"" },
		{ "::/129", "\"::/129\"" },
		{ "2001:db8::1/64", "\"2001:db8::1/64\"" },
		{ "::ffff:10.0.0.0/104", "\"::ffff:10.0.0.0/104\"" },
		{ "/8", "\"/8\"" },
		{ "loopback", "\"loopback\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct networks *networks = NULL;
		struct err err = ERR_INIT;

		ck_assert_int_eq(networks_new(cases[i].list, &networks, &err), STATUS_INVALID);
		ck_assert_msg(strstr(err.msg, cases[i].blamed) != NULL, "%s", err.msg);
		ck_assert_ptr_null(networks);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("address");
	TCase *tcase = tcase_create("address");

	tcase_add_test(tcase, an_address_has_one_form_however_it_was_written);
	tcase_add_test(tcase, what_is_no_address_is_not_read);
	tcase_add_test(tcase, a_network_holds_what_its_prefix_says);
	tcase_add_test(tcase, a_mistake_in_a_list_is_named);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
