/* Whose request it is, with and without proxies, and what a client may claim in vain. */
#include <stdio.h>
#include <string.h>

#include "base/attrs.h"
#include "test_http.h"

#define TRUSTED "10.0.0.0/8, 127.0.0.1, 2001:db8:f::/48"
#define X(value) "X-Forwarded-For: " value
#define TENS "10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,"

static const struct {
	const char *trusted, *peer, *lines, *address;
} cases[] = {
	/* nobody is trusted: nothing is believed */
	{ "", "192.0.2.1", "", "192.0.2.1" },
	{ "", "192.0.2.1", X("198.51.100.1"), "192.0.2.1" },
	/* a peer that is no proxy of ours says what it likes */
	{ TRUSTED, "192.0.2.1", X("198.51.100.1"), "192.0.2.1" },
	{ TRUSTED, "192.0.2.1", X("10.0.0.1"), "192.0.2.1" },
	/* behind a proxy */
	{ TRUSTED, "10.0.0.9", "", "10.0.0.9" },
	{ TRUSTED, "10.0.0.9", X("198.51.100.1"), "198.51.100.1" },
	{ TRUSTED, "10.0.0.9", "x-forwarded-for: 198.51.100.1", "198.51.100.1" },
	{ TRUSTED, "10.0.0.9", X("2001:db8::1"), "2001:db8::1" },
	{ TRUSTED, "2001:db8:f::2", X("198.51.100.1"), "198.51.100.1" },
	{ TRUSTED, "::ffff:10.0.0.9", X("::ffff:198.51.100.1"), "198.51.100.1" },
	/* what the client itself had claimed stands left of what the proxy saw */
	{ TRUSTED, "10.0.0.9", X("203.0.113.7, 198.51.100.1"), "198.51.100.1" },
	{ TRUSTED, "10.0.0.9", X("127.0.0.1, 198.51.100.1"), "198.51.100.1" },
	{ TRUSTED, "10.0.0.9", X("203.0.113.7") "|" X("198.51.100.1"), "198.51.100.1" },
	/* several proxies, in one line or more */
	{ TRUSTED, "10.0.0.9", X("198.51.100.1, 10.0.0.8"), "198.51.100.1" },
	{ TRUSTED, "10.0.0.9", X("203.0.113.7,198.51.100.1 ,\t10.0.0.8"), "198.51.100.1" },
	{ TRUSTED, "10.0.0.9", X("203.0.113.7, 198.51.100.1") "|Host: x|" X("10.0.0.8"),
	    "198.51.100.1" },
	{ TRUSTED, "10.0.0.9", X("10.0.0.7, 10.0.0.8"), "10.0.0.7" },
	/* with a port */
	{ TRUSTED, "10.0.0.9", X("198.51.100.1:4711"), "198.51.100.1" },
	{ TRUSTED, "10.0.0.9", X("[2001:db8::1]:4711"), "2001:db8::1" },
	{ TRUSTED, "10.0.0.9", X("[2001:db8::1]"), "2001:db8::1" },
	/* what can't be read ends the search at who passed it on */
	{ TRUSTED, "10.0.0.9", X(""), "10.0.0.9" },
	{ TRUSTED, "10.0.0.9", X("unknown"), "10.0.0.9" },
	{ TRUSTED, "10.0.0.9", X("198.51.100.1, unknown"), "10.0.0.9" },
	{ TRUSTED, "10.0.0.9", X("198.51.100.1,"), "10.0.0.9" },
	{ TRUSTED, "10.0.0.9", X("198.51.100.1, , 10.0.0.8"), "10.0.0.8" },
	{ TRUSTED, "10.0.0.9", X("198.51.100.1") "|" X("bad, 10.0.0.8"), "10.0.0.8" },
	{ TRUSTED, "10.0.0.9", X("[2001:db8::1"), "10.0.0.9" },
	{ TRUSTED, "10.0.0.9", X(","), "10.0.0.9" },
	{ TRUSTED, "10.0.0.9", X("198.51.100.1 10.0.0.8"), "10.0.0.9" },
	/* 16 values at most */
	{ TRUSTED, "10.0.0.9", X("198.51.100.1," TENS TENS TENS "10.0.0.1,10.0.0.1,10.0.0.1"),
	    "198.51.100.1" },
	{ TRUSTED, "10.0.0.9", X("198.51.100.1," TENS TENS TENS TENS "10.0.0.1"), "10.0.0.1" },
	/* other headers are none of ours */
	{ TRUSTED, "10.0.0.9", "Forwarded: for=198.51.100.1|X-Real-IP: 198.51.100.1", "10.0.0.9" },
};

START_TEST(address_is_the_last_that_nobody_trusted_had_written)
{
	struct http_head head = head_of(cases[_i].lines);
	struct networks *trusted;
	struct address wanted, got;
	struct err err = ERR_INIT;

	ck_assert_ok(networks_new(cases[_i].trusted, &trusted, &err), err);
	ck_assert(address_parse(bytes_of_str(cases[_i].address), &wanted));
	ck_assert(client_address(&head, cases[_i].peer, trusted, &got));
	ck_assert_msg(
	    memcmp(&got, &wanted, sizeof(got)) == 0, "%s with %s", cases[_i].peer, cases[_i].lines);
	networks_free(trusted);
}
END_TEST

START_TEST(peer_without_an_address_is_nobody)
{
	struct http_head head = head_of(X("198.51.100.1"));
	struct networks *trusted;
	struct address got;
	struct err err = ERR_INIT;

	ck_assert_ok(networks_new("0.0.0.0/0", &trusted, &err), err);
	ck_assert(!client_address(&head, "", trusted, &got));
	networks_free(trusted);
}
END_TEST

TCase *client_address_case(void)
{
	TCase *tcase = tcase_create("client_address");

	tcase_add_loop_test(
	    tcase, address_is_the_last_that_nobody_trusted_had_written, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tcase, peer_without_an_address_is_nobody);
	return tcase;
}
