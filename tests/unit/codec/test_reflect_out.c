/* reflect, outwards: what clients see, to the letter; and the names both directions share. */
#include <string.h>

#include "codec/reflect.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "on_stack.h"
#include "sample.pb-c.h"
#include "support/support.h"
#include "walletwire/v1/client.pb-c.h"
#include "walletwire/v1/notifications.pb-c.h"

static void expect_json(const ProtobufCMessage *message, const char *json)
{
	struct buf buf = BUF_INIT;

	reflect_append_json(&buf, message);
	ck_assert_str_eq(buf_str(&buf), json);
	buf_finish(&buf);
}

static Walletwire__V1__Decimal decimal(int64_t units, uint32_t scale)
{
	MESSAGE(Walletwire__V1__Decimal, value, walletwire__v1__decimal__init);

	value.units = units;
	value.scale = scale;
	return value;
}

static Google__Protobuf__Timestamp timestamp(int64_t seconds, int32_t nanos)
{
	MESSAGE(Google__Protobuf__Timestamp, value, google__protobuf__timestamp__init);

	value.seconds = seconds;
	value.nanos = nanos;
	return value;
}

START_TEST(a_transaction_reads_as_documented)
{
	MESSAGE(Walletwire__V1__Transaction, transaction, walletwire__v1__transaction__init);
	Walletwire__V1__Decimal amount = decimal(123456, 2);
	MESSAGE(Walletwire__V1__Party, party, walletwire__v1__party__init);
	Google__Protobuf__Timestamp at = timestamp(1737628245, 123999999);

	party.user_id = "bob";
	party.name = "Bob \"the\" <b>";
	transaction.id = "tx1";
	transaction.type =
	    WALLETWIRE__V1__CLIENT_TRANSACTION_TYPE__CLIENT_TRANSACTION_TYPE_P2P_SEND;
	transaction.amount = &amount;
	transaction.currency = "EUR";
	transaction.direction = WALLETWIRE__V1__DIRECTION__DIRECTION_OUTGOING;
	transaction.status = WALLETWIRE__V1__TRANSACTION_STATUS__TRANSACTION_STATUS_COMPLETED;
	transaction.counterparty = &party;
	transaction.message = "thanks\n";
	transaction.timestamp = &at;
	expect_json(&transaction.base,
	    "{\"id\":\"tx1\",\"type\":\"p2p_send\",\"amount\":1234.56,\"currency\":\"EUR\","
	    "\"direction\":\"outgoing\",\"status\":\"completed\","
	    "\"counterparty\":{\"userId\":\"bob\",\"name\":\"Bob \\\"the\\\" <b>\"},"
	    "\"message\":\"thanks\\n\",\"timestamp\":\"2025-01-23T10:30:45.123Z\"}");
}
END_TEST

START_TEST(zero_scalars_stand_and_absent_messages_do_not)
{
	MESSAGE(Walletwire__V1__Transaction, transaction, walletwire__v1__transaction__init);
	MESSAGE(Walletwire__V1__TransferUpdate, transfer, walletwire__v1__transfer_update__init);

	expect_json(&transaction.base,
	    "{\"id\":\"\",\"type\":\"\",\"currency\":\"\",\"direction\":\"\","
	    "\"status\":\"\",\"message\":\"\"}");
	expect_json(&transfer.base,
	    "{\"transferId\":\"\",\"state\":\"\",\"progress\":0,\"currency\":\"\","
	    "\"final\":false,\"message\":\"\",\"version\":0}");
}
END_TEST

START_TEST(the_two_balances_keep_their_names)
{
	MESSAGE(Walletwire__V1__BalanceUpdate, balance, walletwire__v1__balance_update__init);
	Walletwire__V1__Decimal available = decimal(10000, 2), pending = decimal(-5, 2);

	balance.wallet_id = "w1";
	balance.available_balance = &available;
	balance.pending_balance = &pending;
	balance.currency = "EUR";
	balance.version = 9007199254740991;
	expect_json(&balance.base, "{\"walletId\":\"w1\",\"available_balance\":100.00,"
				   "\"pending_balance\":-0.05,\"currency\":\"EUR\","
				   "\"version\":9007199254740991}");
}
END_TEST

START_TEST(a_payload_is_its_member_without_a_key)
{
	MESSAGE(Walletwire__V1__Payload, payload, walletwire__v1__payload__init);
	MESSAGE(Walletwire__V1__ChatTyping, typing, walletwire__v1__chat_typing__init);
	struct buf buf = BUF_INIT;

	expect_json(&payload.base, "{}");
	ck_assert(!reflect_append_json_members(&buf, &payload.base));
	ck_assert_uint_eq(buf.len, 0);
	typing.room_id = "r";
	typing.typing = true;
	payload.body_case = WALLETWIRE__V1__PAYLOAD__BODY_CHAT_TYPING;
	payload.chat_typing = &typing;
	expect_json(&payload.base, "{\"roomId\":\"r\",\"userId\":\"\",\"typing\":true}");
	ck_assert(reflect_append_json_members(&buf, &payload.base));
	ck_assert_str_eq(buf_str(&buf), "\"roomId\":\"r\",\"userId\":\"\",\"typing\":true");
	buf_finish(&buf);
}
END_TEST

START_TEST(oneof_members_stand_only_when_set_even_if_zero)
{
	MESSAGE(Walletwire__V1__Changed, changed, walletwire__v1__changed__init);
	MESSAGE(Walletwire__V1__StringList, ids, walletwire__v1__string_list__init);
	char *values[] = { "e1", "e2" };

	changed.action = WALLETWIRE__V1__CHANGE_ACTION__CHANGE_ACTION_READ;
	expect_json(&changed.base, "{\"action\":\"read\",\"version\":0}");
	changed.selection_case = WALLETWIRE__V1__CHANGED__SELECTION_UP_TO;
	expect_json(&changed.base, "{\"action\":\"read\",\"upTo\":0,\"version\":0}");
	changed.selection_case = WALLETWIRE__V1__CHANGED__SELECTION_ALL;
	changed.all = true;
	expect_json(&changed.base, "{\"action\":\"read\",\"all\":true,\"version\":0}");
	changed.selection_case = WALLETWIRE__V1__CHANGED__SELECTION_IDS;
	changed.ids = &ids;
	expect_json(&changed.base, "{\"action\":\"read\",\"ids\":[],\"version\":0}");
	ids.n_values = 2;
	ids.values = values;
	expect_json(&changed.base, "{\"action\":\"read\",\"ids\":[\"e1\",\"e2\"],\"version\":0}");
	expect_json(&ids.base, "[\"e1\",\"e2\"]");
}
END_TEST

START_TEST(maps_are_objects)
{
	MESSAGE(Walletwire__V1__Unread, unread, walletwire__v1__unread__init);
	MESSAGE(
	    Walletwire__V1__Unread__ByTypeEntry, a, walletwire__v1__unread__by_type_entry__init);
	MESSAGE(
	    Walletwire__V1__Unread__ByTypeEntry, b, walletwire__v1__unread__by_type_entry__init);
	Walletwire__V1__Unread__ByTypeEntry *entries[] = { &a, &b };

	expect_json(&unread.base, "{\"total\":0,\"byType\":{},\"byPriority\":{},\"version\":0}");
	a.key = "transaction";
	a.value = 2;
	b.key = "a\"b";
	unread.n_by_type = 2;
	unread.by_type = entries;
	unread.total = 2;
	expect_json(&unread.base, "{\"total\":2,\"byType\":{\"transaction\":2,\"a\\\"b\":0},"
				  "\"byPriority\":{},\"version\":0}");
}
END_TEST

START_TEST(caller_and_error_are_never_shown)
{
	MESSAGE(Walletwire__V1__SelectReply, reply, walletwire__v1__select_reply__init);
	MESSAGE(Walletwire__V1__Error, error, walletwire__v1__error__init);
	MESSAGE(Walletwire__V1__UnreadRequest, request, walletwire__v1__unread_request__init);
	MESSAGE(Walletwire__V1__Caller, caller, walletwire__v1__caller__init);
	struct buf buf = BUF_INIT;

	reply.error = &error;
	expect_json(&reply.base, "{\"changed\":0,\"unread\":0}");
	request.caller = &caller;
	expect_json(&request.base, "{}");
	ck_assert(!reflect_append_json_members(&buf, &request.base));
	buf_finish(&buf);
}
END_TEST

START_TEST(a_page_of_the_inbox_holds_whole_messages)
{
	MESSAGE(Walletwire__V1__ListReply, reply, walletwire__v1__list_reply__init);
	MESSAGE(Walletwire__V1__ListItem, item, walletwire__v1__list_item__init);
	Walletwire__V1__ListItem *items[] = { &item };
	MESSAGE(Walletwire__V1__Payload, payload, walletwire__v1__payload__init);
	MESSAGE(Walletwire__V1__KycUpdate, kyc, walletwire__v1__kyc_update__init);
	MESSAGE(Walletwire__V1__Notification, notification, walletwire__v1__notification__init);
	Google__Protobuf__Timestamp at = timestamp(0, 0);

	kyc.status = "approved";
	payload.body_case = WALLETWIRE__V1__PAYLOAD__BODY_KYC;
	payload.kyc = &kyc;
	notification.id = "n";
	notification.seq = 7;
	notification.priority = WALLETWIRE__V1__PRIORITY__PRIORITY_HIGH;
	notification.created_at = &at;
	item.event = "kyc:update";
	item.data = &payload;
	item.notification = &notification;
	item.state = WALLETWIRE__V1__INBOX_STATE__INBOX_STATE_UNREAD;
	reply.n_items = 1;
	reply.items = items;
	expect_json(&reply.base,
	    "{\"items\":[{\"event\":\"kyc:update\",\"data\":{\"status\":\"approved\",\"level\":"
	    "\"\","
	    "\"message\":\"\"},\"notification\":{\"id\":\"n\",\"seq\":7,\"type\":\"\","
	    "\"priority\":\"high\",\"title\":\"\",\"text\":\"\","
	    "\"createdAt\":\"1970-01-01T00:00:00.000Z\",\"unread\":0},\"state\":\"unread\"}],"
	    "\"next\":\"\"}");
}
END_TEST

START_TEST(times_before_1970_and_fractions_are_cut_to_the_millisecond)
{
	Google__Protobuf__Timestamp at = timestamp(-1, 999999999);

	expect_json(&at.base, "\"1969-12-31T23:59:59.999Z\"");
	at = timestamp(INT64_C(253402300799), 999000000);
	expect_json(&at.base, "\"9999-12-31T23:59:59.999Z\"");
}
END_TEST

START_TEST(every_kind_of_field_has_its_text)
{
	MESSAGE(Walletwire__Test__Sample, sample, walletwire__test__sample__init);
	MESSAGE(Walletwire__Test__Inner, inner, walletwire__test__inner__init);
	Walletwire__Test__Inner *inners[] = { &inner, &inner };
	Walletwire__V1__Decimal amount = decimal(5, 1);
	Walletwire__V1__Decimal *amounts[] = { &amount };
	MESSAGE(Walletwire__Test__Sample__DetailsEntry, detail,
	    walletwire__test__sample__details_entry__init);
	MESSAGE(Walletwire__Test__Sample__DetailsEntry, empty,
	    walletwire__test__sample__details_entry__init);
	Walletwire__Test__Sample__DetailsEntry *details[] = { &detail, &empty };
	uint32_t numbers[] = { 0, UINT32_MAX };
	int64_t longs[] = { -9007199254740991, 9007199254740991 };
	protobuf_c_boolean flags[] = { 0, 1 };
	Walletwire__Test__SampleKind kinds[] = { 0, 1, 2, -3, 99 };
	char *names[] = { "x" };
	ProtobufCBinaryData blobs[] = { { 3, (uint8_t *)"foo" }, { 0, NULL } };

	inner.name = "i";
	detail.key = "d";
	detail.value = &inner;
	sample.a_int32 = INT32_MIN;
	sample.a_sint32 = -1;
	sample.a_sfixed32 = INT32_MAX;
	sample.a_uint32 = UINT32_MAX;
	sample.a_fixed32 = 5;
	sample.a_int64 = -9007199254740991;
	sample.a_sint64 = -6;
	sample.a_sfixed64 = 7;
	sample.a_uint64 = 9007199254740991;
	sample.a_fixed64 = 8;
	sample.a_bool = 1;
	sample.a_kind = WALLETWIRE__TEST__SAMPLE_KIND__SAMPLE_KIND_TWO_B;
	sample.a_bytes = (ProtobufCBinaryData){ 1, (uint8_t *)"f" };
	sample.inner = &inner;
	sample.n_numbers = 2;
	sample.numbers = numbers;
	sample.n_longs = 2;
	sample.longs = longs;
	sample.n_flags = 2;
	sample.flags = flags;
	sample.n_kinds = 5;
	sample.kinds = kinds;
	sample.n_names = 1;
	sample.names = names;
	sample.n_blobs = 2;
	sample.blobs = blobs;
	sample.n_inners = 2;
	sample.inners = inners;
	sample.n_amounts = 1;
	sample.amounts = amounts;
	sample.n_details = 2;
	sample.details = details;
	sample.choice_case = WALLETWIRE__TEST__SAMPLE__CHOICE_BY_KIND;
	sample.by_kind = 1;
	expect_json(&sample.base,
	    "{\"aInt32\":-2147483648,\"aSint32\":-1,\"aSfixed32\":2147483647,\"aUint32\":"
	    "4294967295,"
	    "\"aFixed32\":5,\"aInt64\":-9007199254740991,\"aSint64\":-6,\"aSfixed64\":7,"
	    "\"aUint64\":9007199254740991,\"aFixed64\":8,\"aBool\":true,\"aKind\":\"two_b\","
	    "\"aString\":\"\",\"aBytes\":\"Zg==\",\"inner\":{\"name\":\"i\",\"count\":0},"
	    "\"numbers\":[0,4294967295],\"longs\":[-9007199254740991,9007199254740991],"
	    "\"flags\":[false,true],\"kinds\":[\"\",\"one\",\"two_b\",\"other_prefix\",\"\"],"
	    "\"names\":[\"x\"],\"blobs\":[\"Zm9v\",\"\"],"
	    "\"inners\":[{\"name\":\"i\",\"count\":0},{\"name\":\"i\",\"count\":0}],"
	    "\"amounts\":[0.5],\"totals\":{},\"details\":{\"d\":{\"name\":\"i\",\"count\":0},\"\":"
	    "null},"
	    "\"byKind\":\"one\"}");
}
END_TEST

START_TEST(field_names_follow_proto3)
{
	static const char *const cases[][2] = { { "id", "id" }, { "wallet_id", "walletId" },
		{ "last4", "last4" }, { "retry_after_ms", "retryAfterMs" }, { "a_1b", "a1b" },
		{ "available_balance", "available_balance" },
		{ "pending_balance", "pending_balance" },
		{ "pending_balance_at", "pendingBalanceAt" }, { "trailing_", "trailing" } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char name[64];

		reflect_json_name(cases[i][0], name);
		ck_assert_str_eq(name, cases[i][1]);
	}
}
END_TEST

static const ProtobufCEnumDescriptor *const enums[] = { &walletwire__v1__priority__descriptor,
	&walletwire__v1__client_transaction_type__descriptor,
	&walletwire__v1__direction__descriptor, &walletwire__v1__transaction_status__descriptor,
	&walletwire__v1__transfer_state__descriptor, &walletwire__v1__severity__descriptor,
	&walletwire__v1__change_action__descriptor, &walletwire__v1__presence_status__descriptor,
	&walletwire__v1__inbox_state__descriptor, &walletwire__v1__room_type__descriptor,
	&walletwire__v1__room_change__descriptor, &walletwire__test__sample_kind__descriptor };

START_TEST(enum_words_lead_back_to_their_values)
{
	for (size_t i = 0; i < ARRAY_LEN(enums); i++) {
		for (unsigned k = 0; k < enums[i]->n_values; k++) {
			char word[64];
			int value = -1;

			reflect_enum_word(enums[i], enums[i]->values[k].value, word);
			ck_assert_int_eq(word[0] == '\0', enums[i]->values[k].value == 0);
			ck_assert_ptr_null(strstr(word, "unspecified"));
			ck_assert(reflect_enum_value(enums[i], bytes_of_str(word), &value));
			ck_assert_int_eq(value, enums[i]->values[k].value);
		}
	}
}
END_TEST

START_TEST(words_that_are_none_are_not_found)
{
	static const char *const cases[] = { "HIGH", "priority_high", "unspecified", "hig", "highh",
		"2" };
	char word[64] = "x";
	int value;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ck_assert(!reflect_enum_value(
		    &walletwire__v1__priority__descriptor, bytes_of_str(cases[i]), &value));
	reflect_enum_word(&walletwire__v1__priority__descriptor, 99, word);
	ck_assert_str_eq(word, "");
	reflect_enum_word(&walletwire__v1__priority__descriptor, 4, word);
	ck_assert_str_eq(word, "critical");
}
END_TEST

START_TEST(the_member_of_a_oneof_is_found)
{
	MESSAGE(Walletwire__V1__Payload, payload, walletwire__v1__payload__init);
	MESSAGE(Walletwire__V1__LogEntry, entry, walletwire__v1__log_entry__init);
	MESSAGE(Walletwire__V1__Money, money, walletwire__v1__money__init);
	const ProtobufCFieldDescriptor *field;
	ProtobufCMessage *member = &money.base;

	ck_assert_ptr_null(reflect_oneof_member(&payload.base, &member));
	ck_assert_ptr_null(member);
	payload.body_case = WALLETWIRE__V1__PAYLOAD__BODY_DEPOSIT;
	payload.deposit = &money;
	field = reflect_oneof_member(&payload.base, &member);
	ck_assert_ptr_nonnull(field);
	ck_assert_str_eq(field->name, "deposit");
	ck_assert_ptr_eq(member, &money.base);
	entry.change_case = WALLETWIRE__V1__LOG_ENTRY__CHANGE_RECALLED;
	entry.recalled = "a1";
	field = reflect_oneof_member(&entry.base, &member);
	ck_assert_ptr_nonnull(field);
	ck_assert_str_eq(field->name, "recalled");
	ck_assert_ptr_null(member);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reflect_out");
	TCase *json = tcase_create("json");
	TCase *names = tcase_create("names");

	tcase_add_test(json, a_transaction_reads_as_documented);
	tcase_add_test(json, zero_scalars_stand_and_absent_messages_do_not);
	tcase_add_test(json, the_two_balances_keep_their_names);
	tcase_add_test(json, a_payload_is_its_member_without_a_key);
	tcase_add_test(json, oneof_members_stand_only_when_set_even_if_zero);
	tcase_add_test(json, maps_are_objects);
	tcase_add_test(json, caller_and_error_are_never_shown);
	tcase_add_test(json, a_page_of_the_inbox_holds_whole_messages);
	tcase_add_test(json, times_before_1970_and_fractions_are_cut_to_the_millisecond);
	tcase_add_test(json, every_kind_of_field_has_its_text);
	suite_add_tcase(suite, json);
	tcase_add_test(names, field_names_follow_proto3);
	tcase_add_test(names, enum_words_lead_back_to_their_values);
	tcase_add_test(names, words_that_are_none_are_not_found);
	tcase_add_test(names, the_member_of_a_oneof_is_found);
	suite_add_tcase(suite, names);
	return support_run(suite);
}
