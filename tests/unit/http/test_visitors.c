/* Each address has its own bucket, whatever others do, in a table that does not grow. */
#include "http/visitors.h"

#include <string.h>

#include "test_http.h"

enum { S = 1000000, NOW = 1000 * S };

static struct address numbered(uint32_t n)
{
	struct address address;

	ck_assert(address_parse(BYTES_LITERAL("198.51.100.0"), &address));
	memcpy(address.bytes + 12, &n, sizeof(n));
	return address;
}

static int let_in(struct visitors *visitors, const char *text, int64_t now_us, int tries)
{
	struct address address;
	int n = 0;

	ck_assert(address_parse(bytes_of_str(text), &address));
	while (tries-- > 0)
		n += visitors_admit(visitors, &address, now_us) == 0;
	return n;
}

START_TEST(each_address_has_its_own_bucket)
{
	struct visitors *visitors = visitors_new(rate_rule(20, 100), 1000);

	ck_assert_int_eq(let_in(visitors, "192.0.2.1", NOW, 500), 100);
	ck_assert_int_eq(let_in(visitors, "192.0.2.2", NOW, 500), 100);
	ck_assert_int_eq(let_in(visitors, "192.0.2.1", NOW + S, 500), 20);
	visitors_free(visitors);
}
END_TEST

START_TEST(ipv6_counts_by_64_bits)
{
	struct visitors *visitors = visitors_new(rate_rule(20, 100), 1000);

	ck_assert_int_eq(let_in(visitors, "2001:db8:0:1::1", NOW, 60), 60);
	ck_assert_int_eq(let_in(visitors, "2001:db8:0:1:ffff::2", NOW, 60), 40);
	ck_assert_int_eq(let_in(visitors, "2001:db8:0:2::1", NOW, 60), 60);
	ck_assert_int_eq(let_in(visitors, "::1", NOW, 500), 100); /* :: is nobody's yet */
	ck_assert_int_eq(let_in(visitors, "::2", NOW, 500), 0);
	visitors_free(visitors);
}
END_TEST

/* As from a botnet, or a provider's whole network. */
START_TEST(visits_from_everywhere_do_not_free_who_has_used_up_its_own)
{
	struct visitors *visitors = visitors_new(rate_rule(20, 100), 1000);
	int n = 0;

	ck_assert_int_eq(let_in(visitors, "192.0.2.1", NOW, 500), 100);
	for (uint32_t i = 0; i < 100000; i++) {
		struct address address = numbered(i);

		n += visitors_admit(visitors, &address, NOW) == 0;
	}
	ck_assert_int_eq(n, 100000);
	ck_assert_int_eq(let_in(visitors, "192.0.2.1", NOW, 500), 0);
	visitors_free(visitors);
}
END_TEST

START_TEST(a_full_table_lets_strangers_in)
{
	struct visitors *visitors = visitors_new(rate_rule(1, 1), 8);
	struct address address;

	for (uint32_t i = 0; i < 1000; i++) {
		address = numbered(i);
		ck_assert_int_eq(visitors_admit(visitors, &address, NOW), 0);
	}
	ck_assert_int_eq(visitors_admit(visitors, &address, NOW), 1000);
	visitors_free(visitors);
}
END_TEST

TCase *visitors_case(void)
{
	TCase *tcase = tcase_create("visitors");

	tcase_add_test(tcase, each_address_has_its_own_bucket);
	tcase_add_test(tcase, ipv6_counts_by_64_bits);
	tcase_add_test(tcase, visits_from_everywhere_do_not_free_who_has_used_up_its_own);
	tcase_add_test(tcase, a_full_table_lets_strangers_in);
	return tcase;
}
