/* The outbound queue: order, sharing, conflation, bounds, partial writes. */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "engine/outq.h"
#include "support/support.h"

static const struct outq_limits roomy = { .bytes = 1 << 20, .count = 1024 };

static int near_end, far_end;
static struct outq q;

static void setup(void)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	near_end = pair[0];
	far_end = pair[1];
	q = (struct outq){ 0 };
}

static void teardown(void)
{
	outq_finish(&q);
	(void)close(near_end);
	(void)close(far_end);
}

static struct frame *state(const char *text, const char *key)
{
	struct frame *frame = frame_new(FRAME_STATE, bytes_of_str(text), key);

	frame->kind = 1;
	return frame;
}

static enum outq_result push(struct frame *frame, const char *tail)
{
	enum outq_result result = outq_push(&q, &roomy, frame, bytes_of_str(tail));

	frame_unref(frame);
	return result;
}

static struct frame *keep(const char *text)
{
	return frame_new(FRAME_KEEP, bytes_of_str(text), NULL);
}

/* Everything the far end has received, as a string. */
static const char *received(void)
{
	static char text[1 << 16];
	ssize_t got = read(far_end, text, sizeof(text) - 1);

	text[got > 0 ? got : 0] = '\0';
	return text;
}

START_TEST(packets_leave_in_order_with_header_and_tail)
{
	ck_assert_int_eq(push(keep("one"), "!"), OUTQ_QUEUED);
	ck_assert_int_eq(push(keep("two"), ""), OUTQ_QUEUED);
	ck_assert_int_eq(outq_write(&q, near_end), OUTQ_EMPTY);
	ck_assert_str_eq(received(), "\x81\x04one!\x81\x03two");
	ck_assert_uint_eq(q.bytes, 0);
	ck_assert_uint_eq(q.count, 0);
}
END_TEST

START_TEST(a_newer_state_replaces_a_waiting_one_and_goes_last)
{
	ck_assert_int_eq(push(state("a1", "a"), ""), OUTQ_QUEUED);
	ck_assert_int_eq(push(state("b1", "b"), ""), OUTQ_QUEUED);
	ck_assert_int_eq(push(state("a2", "a"), ""), OUTQ_REPLACED);
	ck_assert_int_eq(outq_write(&q, near_end), OUTQ_EMPTY);
	ck_assert_str_eq(received(), "\x81\x02"
				     "b1"
				     "\x81\x02"
				     "a2");
}
END_TEST

START_TEST(a_full_queue_refuses_what_must_arrive_and_drops_hints)
{
	struct outq_limits tight = { .bytes = 10, .count = 2 };
	struct frame *frame = keep("12345678");
	struct frame *hint = frame_new(FRAME_HINT, bytes_of_str("h"), NULL);

	ck_assert_int_eq(outq_push(&q, &tight, frame, bytes_of(NULL, 0)), OUTQ_QUEUED);
	ck_assert_int_eq(outq_push(&q, &tight, frame, bytes_of(NULL, 0)), OUTQ_FULL);
	ck_assert_int_eq(outq_push(&q, &tight, hint, bytes_of(NULL, 0)), OUTQ_DROPPED);
	ck_assert_uint_eq(q.count, 1);
	frame_unref(frame);
	frame_unref(hint);
}
END_TEST

static enum outq_result push_within(size_t bytes, unsigned count, struct frame *frame)
{
	struct outq_limits limits = { .bytes = bytes, .count = count };
	enum outq_result result = outq_push(&q, &limits, frame, BYTES_LITERAL("!!"));

	frame_unref(frame);
	return result;
}

/* Two bytes of header, three of the packet, two of the tail. */
START_TEST(headers_and_tails_count)
{
	ck_assert_int_eq(push_within(6, 9, keep("abc")), OUTQ_FULL);
	ck_assert_uint_eq(q.count, 0);
	ck_assert_int_eq(push_within(7, 9, keep("abc")), OUTQ_QUEUED);
	ck_assert_uint_eq(q.bytes, 7);
	ck_assert_int_eq(push_within(13, 9, keep("abc")), OUTQ_FULL);
	ck_assert_int_eq(push_within(14, 9, keep("abc")), OUTQ_QUEUED);
	ck_assert_int_eq(push_within(99, 2, keep("abc")), OUTQ_FULL);
}
END_TEST

START_TEST(a_newer_state_needs_only_the_room_that_the_older_one_leaves)
{
	ck_assert_int_eq(push_within(7, 1, state("one", "k")), OUTQ_QUEUED);
	ck_assert_int_eq(push_within(7, 1, state("two", "k")), OUTQ_REPLACED);
	ck_assert_int_eq(push_within(7, 1, state("four", "k")), OUTQ_FULL);
	ck_assert_uint_eq(q.count, 1); /* what was not replaced still waits */
	ck_assert_int_eq(push_within(7, 1, state("two", "other")), OUTQ_FULL);
}
END_TEST

START_TEST(hints_make_room_but_one_that_is_half_written)
{
	struct frame *hint = frame_new(FRAME_HINT, BYTES_LITERAL("h"), NULL);

	(void)push(frame_ref(hint), "");
	(void)push(keep("a"), "");
	(void)push(frame_ref(hint), "");
	(void)push(state("b", "k"), "");
	(void)push(hint, "");
	q.written = 1;
	ck_assert_uint_eq(outq_drop_hints(&q), 2);
	ck_assert_uint_eq(outq_drop_hints(&q), 0);
	ck_assert_uint_eq(q.bytes, 9);
	ck_assert_int_eq(push(state("c", "k"), ""), OUTQ_REPLACED);
	ck_assert_int_eq(outq_write(&q, near_end), OUTQ_EMPTY);
	ck_assert_str_eq(received(), "\x01"
				     "h\x81\x01"
				     "a\x81\x01"
				     "c");
}
END_TEST

START_TEST(states_of_a_kind_go_but_one_that_is_half_written)
{
	struct frame *other = frame_new(FRAME_STATE, BYTES_LITERAL("o"), "k1");

	other->kind = 2;
	(void)push(state("a", "k1"), "");
	(void)push(keep("b"), "");
	(void)push(state("c", "k2"), "");
	(void)push(other, "");
	(void)push(state("d", "k3"), "");
	q.written = 1;
	ck_assert_uint_eq(outq_drop_states(&q, 1), 2);
	ck_assert_uint_eq(outq_drop_states(&q, 1), 0);
	ck_assert_uint_eq(q.count, 3);
	ck_assert_uint_eq(q.bytes, 9);
	ck_assert_int_eq(outq_write(&q, near_end), OUTQ_EMPTY);
	ck_assert_str_eq(received(), "\x01"
				     "a\x81\x01"
				     "b\x81\x01"
				     "o");
}
END_TEST

START_TEST(what_has_left_is_counted_also_in_parts)
{
	(void)push(keep("abc"), "");
	(void)push(keep("4def"), "");
	ck_assert(!outq_is_half_full(&q, &(struct outq_limits){ 22, 4 }));
	ck_assert(outq_is_half_full(&q, &(struct outq_limits){ 21, 4 }));
	ck_assert(outq_is_half_full(&q, &(struct outq_limits){ 22, 3 }));
	ck_assert_int_eq(outq_write(&q, near_end), OUTQ_EMPTY);
	ck_assert_uint_eq(q.taken, 11);
}
END_TEST

START_TEST(what_is_half_written_is_neither_replaced_nor_repeated)
{
	enum { BIG = 1 << 20 };
	struct outq_limits wide = { .bytes = 4 * BIG, .count = 16 };
	char *text = malloc(BIG);
	struct frame *big;
	struct buf all = BUF_INIT;
	char chunk[4096];
	ssize_t got;

	memset(text, 'x', BIG);
	big = frame_new(FRAME_STATE, bytes_of(text, BIG), "k");
	big->kind = 1;
	ck_assert_int_eq(outq_push(&q, &wide, big, bytes_of(NULL, 0)), OUTQ_QUEUED);
	ck_assert_int_eq(outq_write(&q, near_end), OUTQ_BLOCKED);
	ck_assert_int_eq(outq_push(&q, &wide, big, bytes_of(NULL, 0)), OUTQ_QUEUED);
	while (q.packets) {
		while ((got = read(far_end, chunk, sizeof(chunk))) > 0)
			buf_append(&all, chunk, (size_t)got);
		ck_assert_int_ne(outq_write(&q, near_end), OUTQ_BROKEN);
	}
	while ((got = read(far_end, chunk, sizeof(chunk))) > 0)
		buf_append(&all, chunk, (size_t)got);
	ck_assert_uint_eq(all.len, 2 * (BIG + 10));
	ck_assert_mem_eq(all.data + 10, text, BIG);
	ck_assert_int_eq(all.data[BIG + 10], 0x81);
	buf_finish(&all);
	frame_unref(big);
	free(text);
}
END_TEST

START_TEST(a_gone_peer_is_told)
{
	(void)close(far_end);
	ck_assert_int_eq(push(keep("x"), ""), OUTQ_QUEUED);
	ck_assert_int_eq(outq_write(&q, near_end), OUTQ_BROKEN);
	far_end = dup(near_end);
}
END_TEST

START_TEST(what_keeps_a_connection_alive_goes_before_messages)
{
	outq_push_urgent(&q, 0, BYTES_LITERAL("HTTP"));
	ck_assert_int_eq(push(keep("x"), ""), OUTQ_QUEUED);
	outq_push_urgent(&q, WS_PONG, BYTES_LITERAL("p"));
	ck_assert_int_eq(push(keep("y"), ""), OUTQ_QUEUED);
	outq_push_urgent(&q, WS_TEXT, BYTES_LITERAL("2"));
	outq_push_close(&q, bytes_of(NULL, 0));
	ck_assert_uint_eq(q.count, 6);
	ck_assert_int_eq(outq_write(&q, near_end), OUTQ_EMPTY);
	ck_assert_mem_eq(received(),
	    "HTTP\x8a\x01p\x81\x01"
	    "2\x81\x01x\x81\x01y\x88\x00",
	    18);
	ck_assert_uint_eq(q.bytes, 0);
}
END_TEST

START_TEST(nothing_gets_into_a_packet_that_is_half_written)
{
	(void)push(keep("abc"), "");
	(void)push(keep("def"), "");
	q.written = 3; /* two bytes of header and the "a" have gone */
	outq_push_urgent(&q, WS_TEXT, BYTES_LITERAL("2"));
	outq_push_urgent(&q, WS_PONG, bytes_of(NULL, 0));
	ck_assert_int_eq(outq_write(&q, near_end), OUTQ_EMPTY);
	ck_assert_mem_eq(received(),
	    "bc\x81\x01"
	    "2\x8a\x00\x81\x03"
	    "def",
	    12);
}
END_TEST

START_TEST(what_is_urgent_again_is_before_messages_again)
{
	outq_push_urgent(&q, WS_TEXT, BYTES_LITERAL("2"));
	(void)push(keep("a"), "");
	ck_assert_int_eq(outq_write(&q, near_end), OUTQ_EMPTY);
	(void)received();
	(void)push(keep("b"), "");
	outq_push_urgent(&q, WS_TEXT, BYTES_LITERAL("2"));
	ck_assert_int_eq(outq_write(&q, near_end), OUTQ_EMPTY);
	ck_assert_str_eq(received(), "\x81\x01"
				     "2\x81\x01"
				     "b");
}
END_TEST

START_TEST(a_cleared_queue_keeps_what_is_half_written)
{
	(void)push(keep("abc"), "");
	(void)push(keep("def"), "");
	q.written = 4;
	outq_push_urgent(&q, WS_TEXT, BYTES_LITERAL("2"));
	outq_clear(&q);
	outq_push_close(&q, bytes_of(NULL, 0));
	ck_assert_uint_eq(q.count, 2);
	ck_assert_int_eq(outq_write(&q, near_end), OUTQ_EMPTY);
	ck_assert_mem_eq(received(), "c\x88\x00", 3);
}
END_TEST

static struct frame *binary(const char *bytes)
{
	struct frame *frame = keep(bytes);

	frame->is_binary = true;
	return frame;
}

static const char *take_payload(unsigned max_packets, size_t max_bytes)
{
	static char text[256];
	struct buf payload = BUF_INIT;

	outq_take_payload(&q, max_packets, max_bytes, &payload);
	ck_assert_uint_lt(payload.len, sizeof(text));
	memcpy(text, buf_str(&payload), payload.len + 1);
	buf_finish(&payload);
	return text;
}

START_TEST(a_poll_takes_packets_joined_and_binary_as_base64)
{
	(void)push(keep("4a"), "!");
	(void)push(binary("\x01\x02"), "\x03");
	(void)push(keep("4c"), "");
	ck_assert_str_eq(take_payload(16, 1000), "4a!\x1e"
						 "bAQID\x1e"
						 "4c");
	ck_assert_uint_eq(q.count, 0);
	ck_assert_uint_eq(q.bytes, 0);
	ck_assert_str_eq(take_payload(16, 1000), "");
}
END_TEST

START_TEST(a_poll_takes_the_ping_first)
{
	(void)push(keep("4a"), "");
	outq_push_urgent(&q, WS_TEXT, BYTES_LITERAL("2"));
	ck_assert_str_eq(take_payload(1, 1000), "2");
	ck_assert_str_eq(take_payload(1, 1000), "4a");
}
END_TEST

START_TEST(a_poll_takes_no_more_packets_and_bytes_than_it_may_but_always_one)
{
	for (int i = 0; i < 4; i++)
		(void)push(keep("4aaaaaaaaa"), "");
	ck_assert_str_eq(take_payload(16, 5), "4aaaaaaaaa");
	ck_assert_str_eq(take_payload(2, 1000), "4aaaaaaaaa\x1e"
						"4aaaaaaaaa");
	ck_assert_uint_eq(q.count, 1);
}
END_TEST

START_TEST(a_client_that_takes_no_binary_gets_base64_text)
{
	(void)push(binary("\x01\x02\x03"), "");
	outq_use_base64(&q);
	(void)push(binary("\x04"), "");
	ck_assert_int_eq(outq_write(&q, near_end), OUTQ_EMPTY);
	ck_assert_str_eq(received(), "\x81\x05"
				     "bAQID\x81\x05"
				     "bBA==");
}
END_TEST

START_TEST(a_state_as_base64_is_replaced_as_well)
{
	for (int i = 0; i < 3; i++) {
		struct frame *frame = state("\x01\x02\x03", "k");

		frame->is_binary = true;
		ck_assert_int_eq(push(frame, ""), i ? OUTQ_REPLACED : OUTQ_QUEUED);
		outq_use_base64(&q); /* one that waits, and one that comes */
	}
	ck_assert_uint_eq(q.count, 1);
	ck_assert_uint_eq(q.bytes, 7);
}
END_TEST

START_TEST(what_a_websocket_has_half_written_stays_in_front_of_what_waited_for_it)
{
	struct outq first = { 0 };
	struct frame *frame = keep("3probe");

	ck_assert_int_eq(outq_push(&first, &roomy, frame, bytes_of(NULL, 0)), OUTQ_QUEUED);
	frame_unref(frame);
	first.written = 3; /* two bytes of header and the "3" have gone */
	(void)push(keep("4a"), "");
	outq_put_first(&q, &first);
	ck_assert_uint_eq(first.count, 0);
	ck_assert_uint_eq(q.count, 2);
	outq_push_urgent(&q, WS_TEXT, BYTES_LITERAL("2"));
	ck_assert_int_eq(outq_write(&q, near_end), OUTQ_EMPTY);
	ck_assert_str_eq(received(), "probe\x81\x01"
				     "2\x81\x02"
				     "4a");
}
END_TEST

static void note(void *arg, bool is_binary, struct bytes message)
{
	buf_appendf(arg, "%s:%.*s ", is_binary ? "binary" : "text", (int)message.len,
	    (const char *)message.data);
}

START_TEST(messages_can_be_moved_control_frames_stay)
{
	struct buf seen = BUF_INIT;

	(void)push(keep("4a"), "b");
	outq_push_urgent(&q, WS_PONG, BYTES_LITERAL("p"));
	(void)push(binary("c"), "");
	outq_each(&q, note, &seen);
	ck_assert_str_eq(buf_str(&seen), "text:4ab binary:c ");
	buf_finish(&seen);
}
END_TEST

static struct frame *shout(const struct frame *frame)
{
	return frame_new(frame->class, BYTES_LITERAL("LOUD"), NULL);
}

START_TEST(the_other_encoding_of_a_frame_is_made_once)
{
	struct frame *frame = keep("quiet");
	struct frame *packed = frame_packed(frame, shout);

	ck_assert_mem_eq(packed->data, "LOUD", 4);
	ck_assert_ptr_eq(frame_packed(frame, shout), packed);
	frame_unref(frame);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("edge outq");
	TCase *tc = tcase_create("outq");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, packets_leave_in_order_with_header_and_tail);
	tcase_add_test(tc, a_newer_state_replaces_a_waiting_one_and_goes_last);
	tcase_add_test(tc, a_full_queue_refuses_what_must_arrive_and_drops_hints);
	tcase_add_test(tc, headers_and_tails_count);
	tcase_add_test(tc, a_newer_state_needs_only_the_room_that_the_older_one_leaves);
	tcase_add_test(tc, hints_make_room_but_one_that_is_half_written);
	tcase_add_test(tc, states_of_a_kind_go_but_one_that_is_half_written);
	tcase_add_test(tc, what_has_left_is_counted_also_in_parts);
	tcase_add_test(tc, a_state_as_base64_is_replaced_as_well);
	tcase_add_test(tc, what_is_half_written_is_neither_replaced_nor_repeated);
	tcase_add_test(tc, a_gone_peer_is_told);
	tcase_add_test(tc, what_keeps_a_connection_alive_goes_before_messages);
	tcase_add_test(tc, nothing_gets_into_a_packet_that_is_half_written);
	tcase_add_test(tc, what_is_urgent_again_is_before_messages_again);
	tcase_add_test(tc, a_cleared_queue_keeps_what_is_half_written);
	tcase_add_test(tc, a_poll_takes_the_ping_first);
	tcase_add_test(tc, a_poll_takes_packets_joined_and_binary_as_base64);
	tcase_add_test(tc, a_poll_takes_no_more_packets_and_bytes_than_it_may_but_always_one);
	tcase_add_test(tc, a_client_that_takes_no_binary_gets_base64_text);
	tcase_add_test(tc, what_a_websocket_has_half_written_stays_in_front_of_what_waited_for_it);
	tcase_add_test(tc, messages_can_be_moved_control_frames_stay);
	tcase_add_test(tc, the_other_encoding_of_a_frame_is_made_once);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
