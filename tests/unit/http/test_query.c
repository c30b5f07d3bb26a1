/* Query parameters, well-formed and not. */
#include <string.h>

#include "base/attrs.h"
#include "test_http.h"

static const struct {
	const char *query, *name, *value; /* NULL: refused or absent */
} queries[] = {
	{ "EIO=4&transport=websocket", "EIO", "4" },
	{ "EIO=4&transport=websocket", "transport", "websocket" },
	{ "EIO=4&transport=websocket", "sid", NULL },
	{ "EIO=4&transport=websocket", "eio", NULL },
	{ "EIO=4&transport=websocket", "EI", NULL },
	{ "EIO=4&transport=websocket", "port", NULL },
	{ "", "EIO", NULL },
	{ "EIO", "EIO", NULL },
	{ "EIO=", "EIO", "" },
	{ "&&EIO=4&&", "EIO", "4" },
	{ "a=1=2", "a", "1=2" },
	{ "a=1&b=2&a=3", "a", NULL }, /* twice */
	{ "a=1&b=2&a=3", "b", "2" },
	{ "a=%41%6a%6A", "a", "Ajj" },
	{ "a=x+y%20z", "a", "x y z" },
	{ "a=%2B%26%3D%25", "a", "+&=%" },
	{ "a=%C3%A4", "a", "\xC3\xA4" },
	{ "%61=1", "a", "1" },
	{ "%61b=1", "a", NULL },
	{ "%=1&a=2", "a", "2" },
	{ "a=%", "a", NULL },
	{ "a=%4", "a", NULL },
	{ "a=%4&b=1", "a", NULL },
	{ "a=%&b=1", "a", NULL },
	{ "a=%4&b=1", "b", "1" },
	{ "a=%4g", "a", NULL },
	{ "a=%g4", "a", NULL },
	{ "a=% 4", "a", NULL },
	{ "a=1%002", "a", NULL }, /* a NUL would cut it */
	{ "a=1234567", "a", "1234567" },
	{ "a=12345678", "a", "12345678" },
	{ "a=%31%32%33%34%35%36%37%38", "a", "12345678" },
	{ "a=1234567812345678", "a", NULL }, /* 15 characters and a NUL fit */
	{ "a=123456781234567", "a", "123456781234567" },
};

START_TEST(parameter_reads_as_the_table_says)
{
	char value[16];
	bool found = query_param(queries[_i].query, queries[_i].name, value, sizeof(value));

	ck_assert_msg(
	    found == (queries[_i].value != NULL), "%s in %s", queries[_i].name, queries[_i].query);
	if (found)
		ck_assert_str_eq(value, queries[_i].value);
}
END_TEST

START_TEST(value_never_exceeds_its_buffer)
{
	for (size_t size = 0; size <= 4; size++) {
		char value[8];

		(void)memset(value, 'x', sizeof(value));
		ck_assert_int_eq(query_param("a=123", "a", value, size), size == 4);
		for (size_t i = size; i < sizeof(value); i++)
			ck_assert_int_eq(value[i], 'x');
	}
}
END_TEST

START_TEST(a_parameter_is_found_by_its_whole_name)
{
	ck_assert(query_has("a=1&sid=x", "sid"));
	ck_assert(query_has("sid", "sid"));
	ck_assert(query_has("sid=", "sid"));
	ck_assert(!query_has("ssid=1&sid2=3&a=sid", "sid"));
	ck_assert(!query_has("", "sid"));
}
END_TEST

TCase *query_case(void)
{
	TCase *tcase = tcase_create("query");

	tcase_add_loop_test(tcase, parameter_reads_as_the_table_says, 0, (int)ARRAY_LEN(queries));
	tcase_add_test(tcase, value_never_exceeds_its_buffer);
	tcase_add_test(tcase, a_parameter_is_found_by_its_whole_name);
	return tcase;
}
