/* Runs the unit tests of libs/http. */
#include "test_http.h"

#include <stdio.h>
#include <string.h>

struct http_head head_of(const char *text)
{
	static char buffer[8192];
	struct http_head head = { .method = "GET", .path = "/", .query = "", .version = "1.1" };
	char *at = buffer;

	(void)snprintf(buffer, sizeof(buffer), "%s", text);
	while (*at) {
		char *end = at + strcspn(at, "|");
		char *colon = strchr(at, ':');
		char *next = *end ? end + 1 : end;

		ck_assert(colon && colon < end && head.lines_len < HEAD_LINES_CAP);
		*colon = '\0';
		*end = '\0';
		head.lines[head.lines_len].name = at;
		head.lines[head.lines_len++].value = colon + 1 + (colon[1] == ' ');
		at = next;
	}
	return head;
}

int main(void)
{
	Suite *suite = suite_create("http");

	suite_add_tcase(suite, body_case());
	suite_add_tcase(suite, cached_case());
	suite_add_tcase(suite, client_address_case());
	suite_add_tcase(suite, cors_case());
	suite_add_tcase(suite, gate_case());
	suite_add_tcase(suite, query_case());
	suite_add_tcase(suite, response_case());
	suite_add_tcase(suite, visitors_case());
	suite_add_tcase(suite, websocket_case());
	return support_run(suite);
}
