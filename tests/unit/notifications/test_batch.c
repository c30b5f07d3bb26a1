/* Numbers, versions and deliveries of a batch, without a database. */
#include <stdio.h>

#include "batch.h"
#include "kind.h"
#include "ring.h"
#include "store_rows.h"
#include "support/support.h"

static struct arena arena, work;
static struct batch batch;

static void setup(void)
{
	arena_init(&arena, SIZE_MAX);
	arena_init(&work, SIZE_MAX);
	batch_begin(&batch, BATCH_EVENTS_MAX, &arena);
}

static void teardown(void)
{
	arena_finish(&arena);
	arena_finish(&work);
}

static bool add(Event *event)
{
	struct plan plan;
	struct err err = ERR_INIT;

	ck_assert_ok(plan_event(event, 1000000, &arena, &plan, &err), err);
	return batch_add(&batch, &plan);
}

static Event *event_new(const char *id, const char *user)
{
	Event *event = MESSAGE_NEW(&arena, event);

	event->id = arena_strdup(&arena, id);
	event->user_ids = arena_alloc(&arena, sizeof(char *));
	event->user_ids[event->n_user_ids++] = arena_strdup(&arena, user);
	return event;
}

static bool add_kyc(const char *id, const char *user)
{
	Event *event = event_new(id, user);

	event->body_case = WALLETWIRE__V1__EVENT__BODY_KYC;
	event->kyc = MESSAGE_NEW(&arena, kyc_event);
	return add(event);
}

static void add_balance(const char *id, const char *user, uint64_t version)
{
	Event *event = event_new(id, user);

	event->body_case = WALLETWIRE__V1__EVENT__BODY_BALANCE;
	event->balance = MESSAGE_NEW(&arena, balance_event);
	event->balance->wallet_id = arena_strdup(&arena, "w");
	event->balance->available_balance = MESSAGE_NEW(&arena, decimal);
	event->balance->available_balance->units = (int64_t)version;
	event->balance->currency = arena_strdup(&arena, "USD");
	event->balance->version = version;
	ck_assert(add(event));
}

static void add_transfer(const char *id, const char *user, uint64_t version, bool final)
{
	Event *event = event_new(id, user);

	event->body_case = WALLETWIRE__V1__EVENT__BODY_TRANSFER;
	event->transfer = MESSAGE_NEW(&arena, transfer_event);
	event->transfer->transfer_id = arena_strdup(&arena, "x");
	event->transfer->state = final ? WALLETWIRE__V1__TRANSFER_STATE__TRANSFER_STATE_COMPLETED
				       : WALLETWIRE__V1__TRANSFER_STATE__TRANSFER_STATE_PROCESSING;
	event->transfer->version = version;
	ck_assert(add(event));
}

/* Prepared, with every user standing at seq 10, rev 5, and numbered. */
static void number(void)
{
	batch_prepare(&batch, &work);
	for (size_t i = 0; i < batch.users_len; i++)
		batch_set_user(&batch, batch.users[i].user_id, 10, 5, NULL, 0);
	batch_number(&batch, 4096, 2000000);
}

START_TEST(numbers_are_gapless_per_user_in_stream_order)
{
	static const char *const users[] = { "b", "a", "b", "c", "a", "b" };
	static const int64_t seqs[] = { 11, 11, 12, 11, 12, 13 };
	char id[8];

	for (size_t i = 0; i < ARRAY_LEN(users); i++) {
		(void)snprintf(id, sizeof(id), "e%zu", i);
		ck_assert(add_kyc(id, users[i]));
	}
	number();
	ck_assert_uint_eq(batch.users_len, 3);
	ck_assert_str_eq(batch.users[0].user_id, "a");
	ck_assert_str_eq(batch.users[2].user_id, "c");
	ck_assert_uint_eq(batch.mailbox.len, ARRAY_LEN(users));
	for (size_t i = 0; i < ARRAY_LEN(users); i++) {
		ck_assert_str_eq(batch.mailbox.user_id[i], users[i]);
		ck_assert_int_eq(batch.mailbox.seq[i], seqs[i]);
		ck_assert_int_eq(batch.mailbox.body_id[i], 4096 + (int64_t)i);
	}
	ck_assert_int_eq(batch.users[1].seq, 13);
	ck_assert_int_eq(batch.users[1].rev_before, 5);
	ck_assert_int_eq(batch.users[1].rev, 6); /* one for the commit, not one for each */
	ck_assert_uint_eq(batch.users[1].items_len, 3);
	ck_assert_uint_eq(batch.users[1].items[2]->seq, 13);
}
END_TEST

START_TEST(counters_are_summed_by_user_type_and_priority)
{
	ck_assert(add_kyc("1", "b"));
	ck_assert(add_kyc("2", "a"));
	ck_assert(add_kyc("3", "b"));
	add_transfer("4", "b", 0, /* final= */ true);
	number();
	ck_assert_uint_eq(batch.unread.len, 3);
	ck_assert_str_eq(batch.unread.user_id[0], "a");
	ck_assert_int_eq(batch.unread.n[0], 1);
	ck_assert_str_eq(batch.unread.user_id[1], "b");
	ck_assert_int_eq(batch.unread.type[1], WALLETWIRE__V1__PAYLOAD__BODY_TRANSFER);
	ck_assert_int_eq(batch.unread.n[1], 1);
	ck_assert_int_eq(batch.unread.type[2], WALLETWIRE__V1__PAYLOAD__BODY_KYC);
	ck_assert_int_eq(batch.unread.n[2], 2);
}
END_TEST

/* With the counters given as they were, one KYC change and one final transfer of "a" are added. */
static void check_counters(
    const int32_t *before, size_t before_len, const int32_t *after, size_t after_len)
{
	setup();
	ck_assert(add_kyc("1", "a"));
	add_transfer("2", "a", 0, /* final= */ true);
	batch_prepare(&batch, &work);
	batch_set_user(&batch, "a", 10, 5, before, before_len);
	batch_number(&batch, 4096, 1);
	ck_assert_uint_eq(batch.users[0].counters_len, after_len);
	ck_assert_mem_eq(batch.users[0].counters, after, after_len * sizeof(*after));
	teardown();
}

START_TEST(counters_are_added_to_those_that_were)
{
	enum {
		TRANSFER = WALLETWIRE__V1__PAYLOAD__BODY_TRANSFER,
		KYC = WALLETWIRE__V1__PAYLOAD__BODY_KYC,
		NORMAL = WALLETWIRE__V1__PRIORITY__PRIORITY_NORMAL,
		HIGH = WALLETWIRE__V1__PRIORITY__PRIORITY_HIGH,
		CRITICAL = WALLETWIRE__V1__PRIORITY__PRIORITY_CRITICAL
	};
	static const int32_t none[] = { TRANSFER, NORMAL, 1, KYC, HIGH, 1 },
			     both[] = { TRANSFER, NORMAL, 7, KYC, HIGH, 4 },
			     both_after[] = { TRANSFER, NORMAL, 8, KYC, HIGH, 5 },
			     around[] = { 1, NORMAL, 2, TRANSFER, CRITICAL, 3, 99, NORMAL, 4 },
			     around_after[] = { 1, NORMAL, 2, TRANSFER, NORMAL, 1, TRANSFER,
				     CRITICAL, 3, KYC, HIGH, 1, 99, NORMAL, 4 };

	teardown();
	check_counters(NULL, 0, none, ARRAY_LEN(none));
	check_counters(both, ARRAY_LEN(both), both_after, ARRAY_LEN(both_after));
	check_counters(around, ARRAY_LEN(around), around_after, ARRAY_LEN(around_after));
	setup();
}
END_TEST

START_TEST(an_event_twice_in_a_batch_counts_once)
{
	ck_assert(add_kyc("1", "a"));
	ck_assert(add_kyc("1", "a"));
	number();
	ck_assert_uint_eq(batch.new_events, 1);
	ck_assert_uint_eq(batch.mailbox.len, 1);
	ck_assert(!batch.events[0].repeat);
	ck_assert(batch.events[1].repeat);
}
END_TEST

START_TEST(an_applied_event_gets_no_numbers)
{
	ck_assert(add_kyc("1", "a"));
	ck_assert(add_kyc("2", "a"));
	batch_prepare(&batch, &work);
	batch_find(&batch, "kyc/1")->applied = true;
	batch_set_user(&batch, "a", 10, 5, NULL, 0);
	batch_number(&batch, 4096, 1);
	ck_assert_uint_eq(batch.mailbox.len, 1);
	ck_assert_str_eq(batch.inbox.event_id[0], "2");
	ck_assert_int_eq(batch.mailbox.seq[0], 11);
	ck_assert_uint_eq(batch.applied.len, 1);
	ck_assert_ptr_null(batch_find(&batch, "kyc/3"));
}
END_TEST

START_TEST(numbers_are_kept_with_whom_they_went_to)
{
	Event *event = event_new("1", "a\"b\\c");

	event->user_ids = arena_alloc(&arena, 2 * sizeof(char *));
	event->user_ids[0] = arena_strdup(&arena, "a\"b\\c");
	event->user_ids[1] = arena_strdup(&arena, "NULL");
	event->n_user_ids = 2;
	event->body_case = WALLETWIRE__V1__EVENT__BODY_KYC;
	event->kyc = MESSAGE_NEW(&arena, kyc_event);
	ck_assert(add(event));
	number();
	ck_assert_str_eq(batch.applied.event_key[0], "kyc/1");
	ck_assert_uint_eq(batch.applied.users_len[0], 2);
	ck_assert_str_eq(batch.applied.users[0][0], "a\"b\\c");
	ck_assert_str_eq(batch.applied.users[0][1], "NULL");
	ck_assert_int_eq(batch.applied.seqs[0][0], 11);
	ck_assert_int_eq(batch.applied.seqs[0][1], 11);
}
END_TEST

START_TEST(a_batch_can_be_numbered_again)
{
	add_transfer("1", "a", 0, /* final= */ true);
	ck_assert(add_kyc("2", "a"));
	for (int i = 0; i < 3; i++) {
		arena_reset(&work);
		number();
		ck_assert_uint_eq(batch.mailbox.len, 2);
		ck_assert_int_eq(batch.users[0].seq, 12);
		ck_assert_int_eq(batch.users[0].rev, 6);
		ck_assert_int_eq(batch.states[0].version, 1);
		ck_assert_uint_eq(batch.users[0].items[0]->payload->transfer->version, 1);
	}
}
END_TEST

START_TEST(versions_decide_which_balance_stays)
{
	add_balance("1", "a", 7);
	add_balance("2", "a", 6); /* older: nothing */
	add_balance("3", "a", 0); /* the next one */
	number();
	ck_assert_uint_eq(batch.states_len, 1);
	ck_assert_int_eq(batch.states[0].version, 8);
	ck_assert_uint_eq(batch.states[0].payload->balance->version, 8);
	ck_assert_uint_eq(batch.users[0].states_len, 1);
	ck_assert_uint_eq(batch.users[0].states[0]->version, 8);
	ck_assert_str_eq(batch.users[0].states[0]->key, "w");
	ck_assert_int_eq(batch.users[0].rev, 6);
	ck_assert_uint_eq(batch.applied.len, 3);
	ck_assert_uint_eq(batch.applied.users_len[0], 1);
	ck_assert_str_eq(batch.applied.users[0][0], "a");
	ck_assert_int_eq(batch.applied.seqs[0][0], 0);
}
END_TEST

START_TEST(a_stored_version_holds_against_an_older_event)
{
	add_balance("1", "a", 7);
	batch_prepare(&batch, &work);
	batch_set_user(&batch, "a", 10, 5, NULL, 0);
	batch_set_version(&batch, WALLETWIRE__V1__PAYLOAD__BODY_BALANCE, "a", "w", 7);
	batch_number(&batch, 4096, 1);
	ck_assert(!batch.states[0].changed);
	ck_assert_int_eq(batch.users[0].rev, 5);
	ck_assert_uint_eq(batch.users[0].states_len, 0);
}
END_TEST

START_TEST(a_late_final_state_is_no_item)
{
	add_transfer("1", "a", 4, /* final= */ false);
	add_transfer("2", "a", 3, /* final= */ true);
	number();
	ck_assert(batch.events[1].stale);
	ck_assert_uint_eq(batch.mailbox.len, 0);
	ck_assert_uint_eq(batch.applied.len, 2);
}
END_TEST

START_TEST(the_last_word_on_a_transfer_is_an_item_and_no_state)
{
	add_transfer("1", "a", 0, /* final= */ false);
	add_transfer("2", "a", 0, /* final= */ true);
	number();
	ck_assert_uint_eq(batch.users[0].items_len, 1);
	ck_assert_uint_eq(batch.users[0].items[0]->payload->transfer->version, 2);
	ck_assert_uint_eq(batch.users[0].items[0]->n_channels, 2);
	ck_assert_uint_eq(batch.users[0].states_len, 1);
	ck_assert_uint_eq(batch.users[0].states[0]->version, 1);
	ck_assert_int_eq(batch.states[0].version, 2);
}
END_TEST

static void add_chat(const char *id, const char *user, const char *sender)
{
	Event *event = event_new(id, user);

	event->body_case = WALLETWIRE__V1__EVENT__BODY_CHAT;
	event->chat = MESSAGE_NEW(&arena, chat_event);
	event->chat->change_case = WALLETWIRE__V1__CHAT_EVENT__CHANGE_MESSAGE;
	event->chat->message = MESSAGE_NEW(&arena, chat_message);
	event->chat->message->sender_id = arena_strdup(&arena, sender);
	ck_assert(add(event));
}

/* What erasure goes by. */
START_TEST(a_body_says_how_many_were_told_it_and_who_wrote_it)
{
	Event *event = event_new("1", "a");

	event->user_ids = (char *[]){ "a", "b", "c" };
	event->n_user_ids = 3;
	event->body_case = WALLETWIRE__V1__EVENT__BODY_KYC;
	event->kyc = MESSAGE_NEW(&arena, kyc_event);
	ck_assert(add(event));
	add_chat("2", "b", "a");
	add_chat("3", "b", "");
	number();
	ck_assert_uint_eq(batch.bodies.len, 3);
	ck_assert_int_eq(batch.bodies.holders[0], 3);
	ck_assert_int_eq(batch.bodies.holders[1], 1);
	ck_assert_ptr_null(batch.bodies.sender[0]);
	ck_assert_str_eq(batch.bodies.sender[1], "a");
	ck_assert_ptr_null(batch.bodies.sender[2]);
}
END_TEST

START_TEST(a_batch_ends_at_2000_rows)
{
	char id[16];
	size_t taken = 0;

	for (int i = 0; i < BATCH_EVENTS_MAX; i++) {
		Event *event = MESSAGE_NEW(&arena, event);

		(void)snprintf(id, sizeof(id), "%d", i);
		event->id = arena_strdup(&arena, id);
		event->user_ids = arena_alloc(&arena, 30 * sizeof(char *));
		for (int j = 0; j < 30; j++)
			event->user_ids[event->n_user_ids++] = arena_printf(&arena, "u%d", j);
		event->body_case = WALLETWIRE__V1__EVENT__BODY_KYC;
		event->kyc = MESSAGE_NEW(&arena, kyc_event);
		if (!add(event))
			break;
		taken++;
	}
	ck_assert_uint_eq(taken, BATCH_ROWS_MAX / 30);
}
END_TEST

START_TEST(a_batch_ends_at_500_events)
{
	char id[16];

	for (int i = 0; i < BATCH_EVENTS_MAX; i++) {
		(void)snprintf(id, sizeof(id), "%d", i);
		ck_assert(add_kyc(id, "a"));
	}
	ck_assert(!add_kyc("one more", "a"));
}
END_TEST

/* --- deliveries --- */

static Item **big_items(size_t n, size_t size)
{
	Item **items = arena_alloc(&arena, n * sizeof(*items));

	for (size_t i = 0; i < n; i++) {
		Payload *payload = MESSAGE_NEW(&arena, payload);

		payload->body_case = WALLETWIRE__V1__PAYLOAD__BODY_KYC;
		payload->kyc = MESSAGE_NEW(&arena, kyc_update);
		payload->kyc->message = arena_alloc(&arena, size + 1);
		memset(payload->kyc->message, 'x', size);
		items[i] = MESSAGE_NEW(&arena, item);
		items[i]->seq = i + 1;
		items[i]->payload = payload;
	}
	return items;
}

START_TEST(a_large_ring_is_cut_and_only_its_start_claims_the_revs)
{
	State *state = MESSAGE_NEW(&arena, state);
	struct ring ring = { "epoch", "alice", 4, 5, big_items(40, 20000), 40, &state, 1, NULL };
	Delivery **deliveries;
	uint64_t seq = 0;
	size_t n;

	deliveries = ring_deliveries(&ring, &arena, &n);
	ck_assert_uint_eq(n, 4);
	ck_assert_uint_eq(deliveries[0]->n_states, 1);
	ck_assert_uint_eq(deliveries[0]->rev_before, 4);
	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_le(
		    walletwire__v1__delivery__get_packed_size(deliveries[i]), RING_BYTES_MAX + 256);
		ck_assert_uint_eq(deliveries[i]->rev, 5);
		ck_assert(i == 0 || deliveries[i]->rev_before == 5);
		for (size_t j = 0; j < deliveries[i]->n_items; j++)
			ck_assert_uint_eq(deliveries[i]->items[j]->seq, ++seq);
	}
	ck_assert_uint_eq(seq, 40);
}
END_TEST

START_TEST(states_that_do_not_fit_claim_nothing)
{
	Item **items = big_items(40, 20000);
	State **states = arena_alloc(&arena, 40 * sizeof(*states));
	struct ring ring = { "epoch", "alice", 4, 5, NULL, 0, states, 40, NULL };
	Delivery **deliveries;
	size_t n;

	for (size_t i = 0; i < 40; i++) {
		states[i] = MESSAGE_NEW(&arena, state);
		states[i]->payload = items[i]->payload;
	}
	deliveries = ring_deliveries(&ring, &arena, &n);
	ck_assert_uint_eq(n, 4);
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_eq(deliveries[i]->rev_before, 5);
}
END_TEST

/* Rows of the counters come in the order in which the database keeps them. */
START_TEST(counters_add_up_by_kind_in_any_order)
{
	Unread unread;

	walletwire__v1__unread__init(&unread);
	for (int priority = 1; priority <= 4; priority++) {
		for (int kind = 2; kind <= 10; kind++)
			unread_add(&unread, kind, priority, 1, &arena);
	}
	ck_assert_uint_eq(unread.total, 36);
	ck_assert_uint_eq(unread.n_by_type, 9);
	for (size_t i = 0; i < unread.n_by_type; i++)
		ck_assert_uint_eq(unread.by_type[i]->value, 4);
	ck_assert_uint_eq(unread.n_by_priority, 4);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notifications_batch");
	TCase *tcase = tcase_create("batch");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_body_says_how_many_were_told_it_and_who_wrote_it);
	tcase_add_test(tcase, numbers_are_gapless_per_user_in_stream_order);
	tcase_add_test(tcase, counters_are_summed_by_user_type_and_priority);
	tcase_add_test(tcase, counters_are_added_to_those_that_were);
	tcase_add_test(tcase, an_event_twice_in_a_batch_counts_once);
	tcase_add_test(tcase, an_applied_event_gets_no_numbers);
	tcase_add_test(tcase, numbers_are_kept_with_whom_they_went_to);
	tcase_add_test(tcase, a_batch_can_be_numbered_again);
	tcase_add_test(tcase, versions_decide_which_balance_stays);
	tcase_add_test(tcase, a_stored_version_holds_against_an_older_event);
	tcase_add_test(tcase, a_late_final_state_is_no_item);
	tcase_add_test(tcase, the_last_word_on_a_transfer_is_an_item_and_no_state);
	tcase_add_test(tcase, a_batch_ends_at_2000_rows);
	tcase_add_test(tcase, a_batch_ends_at_500_events);
	tcase_add_test(tcase, a_large_ring_is_cut_and_only_its_start_claims_the_revs);
	tcase_add_test(tcase, states_that_do_not_fit_claim_nothing);
	tcase_add_test(tcase, counters_add_up_by_kind_in_any_order);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
