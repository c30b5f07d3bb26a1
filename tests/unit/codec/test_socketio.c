/* socketio: every form of header that stock clients send, and none that they don't. */
#include <string.h>

#include "codec/json.h"
#include "codec/socketio.h"
#include "support/support.h"

START_TEST(headers_are_taken_apart)
{
	static const struct {
		const char *text;
		enum socketio_type type;
		bool has_id;
		const char *nsp;
		uint64_t id;
		const char *json;
		unsigned attachments;
	} cases[] = {
		{ "0", SOCKETIO_CONNECT, false, "/", 0, "", 0 },
		{ "0{\"token\":\"x\"}", SOCKETIO_CONNECT, false, "/", 0, "{\"token\":\"x\"}", 0 },
		{ "0/admin,", SOCKETIO_CONNECT, false, "/admin", 0, "", 0 },
		{ "0/custom", SOCKETIO_CONNECT, false, "/custom", 0, "", 0 },
		{ "0/admin,{}", SOCKETIO_CONNECT, false, "/admin", 0, "{}", 0 },
		{ "0/,{}", SOCKETIO_CONNECT, false, "/", 0, "{}", 0 },
		{ "0/a?x=1,", SOCKETIO_CONNECT, false, "/a?x=1", 0, "", 0 },
		{ "1", SOCKETIO_DISCONNECT, false, "/", 0, "", 0 },
		{ "1/admin,", SOCKETIO_DISCONNECT, false, "/admin", 0, "", 0 },
		{ "2[\"a\"]", SOCKETIO_EVENT, false, "/", 0, "[\"a\"]", 0 },
		{ "20[\"a\"]", SOCKETIO_EVENT, true, "/", 0, "[\"a\"]", 0 },
		{ "212[\"a\"]", SOCKETIO_EVENT, true, "/", 12, "[\"a\"]", 0 },
		{ "2/admin,456[\"a\",1]", SOCKETIO_EVENT, true, "/admin", 456, "[\"a\",1]", 0 },
		{ "2007[]", SOCKETIO_EVENT, true, "/", 7, "[]", 0 },
		{ "2999999999999999[]", SOCKETIO_EVENT, true, "/", UINT64_C(999999999999999), "[]",
		    0 },
		{ "2", SOCKETIO_EVENT, false, "/", 0, "", 0 },
		{ "313[]", SOCKETIO_ACK, true, "/", 13, "[]", 0 },
		{ "3/admin,0[{}]", SOCKETIO_ACK, true, "/admin", 0, "[{}]", 0 },
		{ "4{\"message\":\"no\"}", SOCKETIO_CONNECT_ERROR, false, "/", 0,
		    "{\"message\":\"no\"}", 0 },
		{ "51-[\"a\"]", SOCKETIO_BINARY_EVENT, false, "/", 0, "[\"a\"]", 1 },
		{ "510-/admin,7[\"a\"]", SOCKETIO_BINARY_EVENT, true, "/admin", 7, "[\"a\"]", 10 },
		{ "61-3[]", SOCKETIO_BINARY_ACK, true, "/", 3, "[]", 1 },
		{ "5999-[]", SOCKETIO_BINARY_EVENT, false, "/", 0, "[]", 999 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct socketio_packet packet;
		struct err err = ERR_INIT;

		ck_assert_ok(socketio_parse(bytes_of_str(cases[i].text), &packet, &err), err);
		ck_assert_int_eq(packet.type, cases[i].type);
		ck_assert_msg(bytes_equal_str(packet.nsp, cases[i].nsp), "%s", cases[i].text);
		ck_assert_int_eq(packet.has_id, cases[i].has_id);
		ck_assert_uint_eq(packet.id, cases[i].id);
		ck_assert_msg(bytes_equal_str(packet.json, cases[i].json), "%s", cases[i].text);
		ck_assert_uint_eq(packet.attachments, cases[i].attachments);
	}
}
END_TEST

START_TEST(bad_headers_are_refused)
{
	static const char *const cases[] = { "", "7", "9[]", "a", "-1", " 2[]", "{\"a\":1}",
		"21234567890123456[]", /* 16 digits */
		"5[]", "5-[]", "50-[]", "5000-[]", "51[]", "5a-[]", "51000-[]", "5", "51", "6[]",
		"60-1[]", "3[]", "3/admin,[]", "61-[]", /* an ack of nothing */
		"00{}", "05", "112", "41{}" };          /* an id where none belongs */

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct socketio_packet packet;

		ck_assert_msg(
		    socketio_parse(bytes_of_str(cases[i]), &packet, NULL) == STATUS_INVALID,
		    "%s was taken", cases[i]);
	}
}
END_TEST

START_TEST(a_namespace_has_at_most_256_bytes)
{
	char text[300];
	struct socketio_packet packet;

	memset(text, 'n', sizeof(text));
	text[0] = '0';
	text[1] = '/';
	text[257] = ',';
	ck_assert_int_eq(socketio_parse(bytes_of(text, 258), &packet, NULL), STATUS_OK);
	ck_assert_uint_eq(packet.nsp.len, 256);
	ck_assert_int_eq(socketio_parse(bytes_of(text, 257), &packet, NULL), STATUS_OK);
	text[257] = 'n';
	ck_assert_int_eq(socketio_parse(bytes_of(text, 258), &packet, NULL), STATUS_INVALID);
	ck_assert_int_eq(socketio_parse(bytes_of(text, 300), &packet, NULL), STATUS_INVALID);
}
END_TEST

START_TEST(reserved_event_names_are_known)
{
	static const char *const reserved[] = { "connect", "connect_error", "disconnect",
		"disconnecting", "newListener", "removeListener" };
	static const char *const fine[] = { "", "Connect", "connected", "connec", "message",
		"newlistener" };

	for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
		ck_assert(socketio_event_is_reserved(bytes_of_str(reserved[i])));
	for (size_t i = 0; i < ARRAY_LEN(fine); i++)
		ck_assert(!socketio_event_is_reserved(bytes_of_str(fine[i])));
}
END_TEST

START_TEST(headers_are_written_as_clients_read_them)
{
	static const uint64_t id = 12;
	static const struct {
		enum socketio_type type;
		const char *nsp;
		const uint64_t *id;
		const char *text;
	} cases[] = {
		{ SOCKETIO_CONNECT, "/", NULL, "40" },
		{ SOCKETIO_CONNECT, "/ops", NULL, "40/ops," },
		{ SOCKETIO_EVENT, "/", NULL, "42" },
		{ SOCKETIO_EVENT, "/", &id, "4212" },
		{ SOCKETIO_ACK, "/ops", &id, "43/ops,12" },
		{ SOCKETIO_CONNECT_ERROR, "/x", NULL, "44/x," },
		{ SOCKETIO_DISCONNECT, "/x", NULL, "41/x," },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf buf = BUF_INIT;

		socketio_append_header(&buf, cases[i].type, cases[i].nsp, cases[i].id);
		ck_assert_str_eq(buf_str(&buf), cases[i].text);
		buf_finish(&buf);
	}
}
END_TEST

START_TEST(binary_headers_count_their_attachments)
{
	static const uint64_t id = 7;
	static const struct {
		enum socketio_type type;
		unsigned attachments;
		const char *nsp;
		const uint64_t *id;
		const char *text;
	} cases[] = {
		{ SOCKETIO_BINARY_EVENT, 1, "/", NULL, "451-" },
		{ SOCKETIO_BINARY_EVENT, 1, "/", &id, "451-7" },
		{ SOCKETIO_BINARY_EVENT, 10, "/ops", NULL, "4510-/ops," },
		{ SOCKETIO_BINARY_ACK, 2, "/ops", &id, "462-/ops,7" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf buf = BUF_INIT;

		socketio_append_binary_header(
		    &buf, cases[i].type, cases[i].attachments, cases[i].nsp, cases[i].id);
		ck_assert_str_eq(buf_str(&buf), cases[i].text);
		buf_finish(&buf);
	}
}
END_TEST

START_TEST(placeholders_name_attachments_that_there_are)
{
	static const struct {
		const char *json;
		size_t attachments;
		bool ok;
	} cases[] = {
		{ "[]", 0, true },
		{ "[\"x\",1,null,true,{\"a\":[{}]}]", 0, true },
		{ "[\"x\"]", 3, true }, /* nobody names them */
		{ "{\"_placeholder\":true,\"num\":0}", 1, true },
		{ "[\"x\",{\"_placeholder\":true,\"num\":0}]", 1, true },
		{ "[\"x\",{\"num\":1,\"_placeholder\":true}]", 2, true },
		{ "[{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":0}]", 1,
		    true },
		{ "[{\"a\":{\"b\":[{\"_placeholder\":true,\"num\":9}]}}]", 10, true },
		{ "[\"x\",{\"_placeholder\":false,\"num\":5}]", 0, true },
		{ "[\"x\",{\"_placeholder\":1}]", 0, true },
		{ "[\"_placeholder\",true]", 0, true },
		{ "[{\"_placeholder\":true,\"num\":0}]", 0, false },
		{ "[{\"_placeholder\":true,\"num\":1}]", 1, false },
		{ "[{\"_placeholder\":true,\"num\":-1}]", 1, false },
		{ "[{\"_placeholder\":true,\"num\":4294967296}]", 1, false },
		{ "[{\"_placeholder\":true,\"num\":9223372036854775807}]", 1, false },
		{ "[{\"_placeholder\":true,\"num\":0.0}]", 1, false },
		{ "[{\"_placeholder\":true,\"num\":\"0\"}]", 1, false },
		{ "[{\"_placeholder\":true,\"num\":null}]", 1, false },
		{ "[{\"_placeholder\":true,\"nun\":0}]", 1, false },
		{ "[{\"_placeholder\":true}]", 1, false },
		{ "[{\"_placeholder\":true,\"num\":0,\"x\":1}]", 1, false },
		{ "{\"a\":{\"b\":[[{\"_placeholder\":true,\"num\":1}],2]},\"c\":3}", 1, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct json *root;
		struct err err = ERR_INIT;

		ck_assert_ok(json_parse(bytes_of_str(cases[i].json), &root, &err), err);
		ck_assert_msg(socketio_placeholders_ok(root, cases[i].attachments) == cases[i].ok,
		    "%s", cases[i].json);
		json_free(root);
	}
	ck_assert(socketio_placeholders_ok(NULL, 0));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("socketio");
	TCase *tcase = tcase_create("socketio");

	tcase_add_test(tcase, headers_are_taken_apart);
	tcase_add_test(tcase, bad_headers_are_refused);
	tcase_add_test(tcase, a_namespace_has_at_most_256_bytes);
	tcase_add_test(tcase, reserved_event_names_are_known);
	tcase_add_test(tcase, headers_are_written_as_clients_read_them);
	tcase_add_test(tcase, binary_headers_count_their_attachments);
	tcase_add_test(tcase, placeholders_name_attachments_that_there_are);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
