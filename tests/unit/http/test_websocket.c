/* The WebSocket handshake: RFC 6455's own example and what is not a handshake. */
#include "base/attrs.h"
#include "http/http.h"
#include "test_http.h"

#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
#define GOOD "Host: a|Upgrade: websocket|Connection: Upgrade|Sec-WebSocket-Version: 13|" KEY

START_TEST(accept_is_that_of_the_rfc)
{
	char accept[29];

	http_websocket_accept("dGhlIHNhbXBsZSBub25jZQ==", accept);
	ck_assert_str_eq(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	http_websocket_accept("x3JJHMbDL1EzLkh9GBhXDw==", accept);
	ck_assert_str_eq(accept, "HSmrc0sMlYUkAGmm5OPpG2HaGWk=");
}
END_TEST

static const struct {
	const char *lines;
	bool good;
} handshakes[] = {
	{ GOOD, true },
	{ "Host: a|upgrade: WebSocket|CONNECTION: keep-alive, upgrade|Sec-WebSocket-Version: "
	  "13|" KEY,
	    true },
	{ "Host: a|Upgrade: h2c , websocket|Connection: Upgrade|Sec-WebSocket-Version: 13|" KEY,
	    true },
	{ "Host: a|Upgrade: websocket|Connection: close|Connection: Upgrade|Sec-WebSocket-Version: "
	  "13|" KEY,
	    true },
	{ GOOD "|Content-Length: 0", true },
	{ GOOD "|Content-Length: 5", false },
	{ GOOD "|Transfer-Encoding: chunked", false },
	{ "Host: a|Connection: Upgrade|Sec-WebSocket-Version: 13|" KEY, false },
	{ "Host: a|Upgrade: websocket2|Connection: Upgrade|Sec-WebSocket-Version: 13|" KEY, false },
	{ "Host: a|Upgrade: web|Connection: Upgrade|Sec-WebSocket-Version: 13|" KEY, false },
	{ "Host: a|Upgrade: websocket|Sec-WebSocket-Version: 13|" KEY, false },
	{ "Host: a|Upgrade: websocket|Connection: keep-alive|Sec-WebSocket-Version: 13|" KEY,
	    false },
	{ "Host: a|Upgrade: websocket|Connection: |Sec-WebSocket-Version: 13|" KEY, false },
	{ "Host: a|Upgrade: websocket|Connection: ,, ,|Sec-WebSocket-Version: 13|" KEY, false },
	{ "Host: a|Upgrade: websocket|Connection: Upgrade|" KEY, false },
	{ "Host: a|Upgrade: websocket|Connection: Upgrade|Sec-WebSocket-Version: 8|" KEY, false },
	{ "Host: a|Upgrade: websocket|Connection: Upgrade|Sec-WebSocket-Version: 13, 8|" KEY,
	    false },
	{ GOOD "|Sec-WebSocket-Version: 13", false },
	{ GOOD "|" KEY, false },
	{ "Host: a|Upgrade: websocket|Connection: Upgrade|Sec-WebSocket-Version: 13", false },
	{ "Host: a|Upgrade: websocket|Connection: Upgrade|Sec-WebSocket-Version: 13|"
	  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=",
	    false },
	{ "Host: a|Upgrade: websocket|Connection: Upgrade|Sec-WebSocket-Version: 13|"
	  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ===",
	    false },
	{ "Host: a|Upgrade: websocket|Connection: Upgrade|Sec-WebSocket-Version: 13|"
	  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ!==",
	    false },
	{ "Host: a|Upgrade: websocket|Connection: Upgrade|Sec-WebSocket-Version: 13|"
	  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQAB",
	    false },
	{ "Host: a|Upgrade: websocket|Connection: Upgrade|Sec-WebSocket-Version: 13|"
	  "Sec-WebSocket-Key: ",
	    false },
};

START_TEST(handshake_is_checked_as_the_table_says)
{
	struct http_head head = head_of(handshakes[_i].lines);
	const char *why = websocket_check(&head);

	ck_assert_msg((why == NULL) == handshakes[_i].good, "%s: %s", handshakes[_i].lines,
	    why ? why : "accepted");
}
END_TEST

START_TEST(handshake_is_a_get_of_http_1_1)
{
	struct http_head head = head_of(GOOD);

	head.version = "1.0";
	ck_assert_ptr_nonnull(websocket_check(&head));
	head.version = "1.1";
	ck_assert_ptr_null(websocket_check(&head));
	head.method = "POST";
	ck_assert_ptr_nonnull(websocket_check(&head));
}
END_TEST

TCase *websocket_case(void)
{
	TCase *tcase = tcase_create("websocket");

	tcase_add_test(tcase, accept_is_that_of_the_rfc);
	tcase_add_loop_test(
	    tcase, handshake_is_checked_as_the_table_says, 0, (int)ARRAY_LEN(handshakes));
	tcase_add_test(tcase, handshake_is_a_get_of_http_1_1);
	return tcase;
}
