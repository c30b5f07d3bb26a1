/* engineio: one character of type, and the open packet to the letter. */
#include "codec/engineio.h"
#include "support/support.h"

START_TEST(the_type_is_the_first_character)
{
	for (int type = '0'; type <= '6'; type++) {
		struct engineio_packet packet;
		struct err err = ERR_INIT;
		char text[] = { (char)type, 'a', 'b' };

		ck_assert_ok(engineio_parse(bytes_of(text, 3), &packet, &err), err);
		ck_assert_int_eq(packet.type, type);
		ck_assert_ptr_eq(packet.data.data, text + 1);
		ck_assert_uint_eq(packet.data.len, 2);
		ck_assert_ok(engineio_parse(bytes_of(text, 1), &packet, &err), err);
		ck_assert_uint_eq(packet.data.len, 0);
	}
}
END_TEST

START_TEST(a_binary_message_is_lent_as_its_base64)
{
	struct engineio_packet packet;
	struct err err = ERR_INIT;

	ck_assert_ok(engineio_parse(BYTES_LITERAL("bAQID"), &packet, &err), err);
	ck_assert_int_eq(packet.type, ENGINEIO_BINARY);
	ck_assert(bytes_equal_str(packet.data, "AQID"));
	ck_assert_ok(engineio_parse(BYTES_LITERAL("b"), &packet, &err), err);
	ck_assert_uint_eq(packet.data.len, 0);
}
END_TEST

START_TEST(empty_and_unknown_packets_are_refused)
{
	static const char *const cases[] = { "", "7", "9", "a", "c", "B", " 4", "/", ":", "\xff" };
	struct engineio_packet packet;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ck_assert_int_eq(
		    engineio_parse(bytes_of_str(cases[i]), &packet, NULL), STATUS_INVALID);
	ck_assert_int_eq(engineio_parse(bytes_of("\0", 1), &packet, NULL), STATUS_INVALID);
}
END_TEST

START_TEST(a_payload_is_split_at_each_separator)
{
	/* What comes out, each packet in angle brackets. */
	static const struct {
		const char *payload, *packets;
	} cases[] = {
		{ "", "<>" },
		{ "2", "<2>" },
		{ "42[\"a\"]\x1e"
		  "3",
		    "<42[\"a\"]><3>" },
		{ "4x\x1e"
		  "bAQID\x1e"
		  "1",
		    "<4x><bAQID><1>" },
		{ "a\x1e", "<a><>" },
		{ "\x1e"
		  "a",
		    "<><a>" },
		{ "a\x1e\x1e"
		  "b",
		    "<a><><b>" },
		{ "\x1e", "<><>" },
		{ "\x1e\x1e", "<><><>" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct engineio_reader reader = { .left = bytes_of_str(cases[i].payload) };
		struct bytes packet;
		struct buf buf = BUF_INIT;

		while (engineio_payload_next(&reader, &packet)) {
			buf_append_char(&buf, '<');
			buf_append_bytes(&buf, packet);
			buf_append_char(&buf, '>');
		}
		ck_assert_str_eq(buf_str(&buf), cases[i].packets);
		ck_assert(!engineio_payload_next(&reader, &packet));
		buf_finish(&buf);
	}
}
END_TEST

START_TEST(a_payload_of_nothing_is_one_empty_packet)
{
	struct engineio_reader reader = { 0 };
	struct bytes packet = BYTES_LITERAL("untouched");
	struct engineio_packet parsed;

	ck_assert(engineio_payload_next(&reader, &packet));
	ck_assert_int_eq(engineio_parse(packet, &parsed, NULL), STATUS_INVALID);
	packet = BYTES_LITERAL("untouched");
	ck_assert(!engineio_payload_next(&reader, &packet));
	ck_assert(bytes_equal_str(packet, "untouched"));
}
END_TEST

START_TEST(the_open_packet_has_exactly_the_five_keys)
{
	struct engineio_open open = { .sid = "abc_-123",
		.can_upgrade = true,
		.ping_interval_ms = 25000,
		.ping_timeout_ms = 20000,
		.max_payload = 1000000 };
	struct buf buf = BUF_INIT;

	engineio_append_open(&buf, &open);
	ck_assert_str_eq(buf_str(&buf), "0{\"sid\":\"abc_-123\",\"upgrades\":[\"websocket\"],"
					"\"pingInterval\":25000,\"pingTimeout\":20000,"
					"\"maxPayload\":1000000}");
	buf_finish(&buf);
	open.can_upgrade = false;
	engineio_append_open(&buf, &open);
	ck_assert_str_eq(buf_str(&buf),
	    "0{\"sid\":\"abc_-123\",\"upgrades\":[],\"pingInterval\":25000,"
	    "\"pingTimeout\":20000,\"maxPayload\":1000000}");
	buf_finish(&buf);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("engineio");
	TCase *tcase = tcase_create("engineio");

	tcase_add_test(tcase, the_type_is_the_first_character);
	tcase_add_test(tcase, a_binary_message_is_lent_as_its_base64);
	tcase_add_test(tcase, empty_and_unknown_packets_are_refused);
	tcase_add_test(tcase, a_payload_is_split_at_each_separator);
	tcase_add_test(tcase, a_payload_of_nothing_is_one_empty_packet);
	tcase_add_test(tcase, the_open_packet_has_exactly_the_five_keys);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
