/* reflect, for logs: what must not be told is not, in whatever message it stands. */
#include <string.h>

#include "codec/reflect.h"
#include "on_stack.h"
#include "sensitivity.h"
#include "support/support.h"
#include "walletwire/v1/chat.pb-c.h"
#include "walletwire/v1/delivery.pb-c.h"
#include "walletwire/v1/edge.pb-c.h"
#include "walletwire/v1/event.pb-c.h"
#include "walletwire/v1/notifications.pb-c.h"

static void expect_masked(const ProtobufCMessage *message, const char *json)
{
	struct buf buf = BUF_INIT;

	reflect_append_masked(&buf, message);
	ck_assert_str_eq(buf_str(&buf), json);
	buf_finish(&buf);
}

START_TEST(an_event_keeps_its_ids_and_its_kind)
{
	MESSAGE(Walletwire__V1__Event, event, walletwire__v1__event__init);
	MESSAGE(Walletwire__V1__MoneyEvent, payment, walletwire__v1__money_event__init);
	MESSAGE(Walletwire__V1__Decimal, amount, walletwire__v1__decimal__init);
	char *users[] = { (char[]){ "alice" }, (char[]){ "bob" } };

	amount.units = 98765432;
	amount.scale = 2;
	payment.amount = &amount;
	payment.currency = (char[]){ "EUR" };
	payment.message = (char[]){ "rent for May" };
	event.id = (char[]){ "evt-1" };
	event.title = (char[]){ "You paid" };
	event.user_ids = users;
	event.n_user_ids = 2;
	event.body_case = WALLETWIRE__V1__EVENT__BODY_PAYMENT;
	event.payment = &payment;
	expect_masked(&event.base,
	    "{\"id\":\"evt-1\",\"userIds\":[\"alice\",\"bob\"],\"priority\":\"\",\"title\":\"***\","
	    "\"payment\":{\"status\":\"\",\"amount\":\"***\",\"currency\":\"EUR\",\"message\":\"***"
	    "\"}}");
}
END_TEST

START_TEST(a_request_keeps_its_caller)
{
	MESSAGE(Walletwire__V1__ChatSendRequest, send, walletwire__v1__chat_send_request__init);
	MESSAGE(Walletwire__V1__Caller, caller, walletwire__v1__caller__init);

	caller.user_id = (char[]){ "alice" };
	send.caller = &caller;
	send.to_case = WALLETWIRE__V1__CHAT_SEND_REQUEST__TO_ROOM_ID;
	send.room_id = (char[]){ "r1" };
	send.text = (char[]){ "meet me at six" };
	send.client_id = (char[]){ "c-1" };
	expect_masked(&send.base, "{\"caller\":{\"userId\":\"alice\"},\"roomId\":\"r1\",\"text\":"
				  "\"***\",\"clientId\":\"c-1\"}");
}
END_TEST

START_TEST(lists_of_messages_are_walked)
{
	MESSAGE(Walletwire__V1__Delivery, delivery, walletwire__v1__delivery__init);
	MESSAGE(Walletwire__V1__Item, item, walletwire__v1__item__init);
	MESSAGE(Walletwire__V1__Payload, payload, walletwire__v1__payload__init);
	MESSAGE(Walletwire__V1__ChatMessage, message, walletwire__v1__chat_message__init);
	Walletwire__V1__Item *items[] = { &item };

	message.id = (char[]){ "m1" };
	message.text = (char[]){ "hello" };
	payload.body_case = WALLETWIRE__V1__PAYLOAD__BODY_CHAT_MESSAGE;
	payload.chat_message = &message;
	item.seq = 7;
	item.payload = &payload;
	delivery.user_id = (char[]){ "alice" };
	delivery.items = items;
	delivery.n_items = 1;
	expect_masked(&delivery.base,
	    "{\"userId\":\"alice\",\"revBefore\":0,\"rev\":0,\"items\":[{\"seq\":7,\"payload\":{"
	    "\"chatMessage\":"
	    "{\"id\":\"m1\",\"seq\":0,\"text\":\"***\",\"deleted\":false}},\"critical\":false,"
	    "\"blanked\":false,\"appliedUs\":0}]}");
}
END_TEST

START_TEST(what_a_client_names_is_not_told)
{
	MESSAGE(Walletwire__V1__SelectRequest, read, walletwire__v1__select_request__init);
	MESSAGE(Walletwire__V1__StringList, ids, walletwire__v1__string_list__init);
	char *values[] = { (char[]){ "a text where an id should be" } };

	ids.values = values;
	ids.n_values = 1;
	read.selection_case = WALLETWIRE__V1__SELECT_REQUEST__SELECTION_IDS;
	read.ids = &ids;
	expect_masked(
	    &read.base, "{\"ids\":{\"values\":\"***\"},\"position\":0,\"announcementPosition\":0}");
}
END_TEST

START_TEST(numbers_and_bytes_may_be_secrets)
{
	MESSAGE(Walletwire__V1__MovedSocket, socket, walletwire__v1__moved_socket__init);
	struct buf buf = BUF_INIT;

	socket.sid = (char[]){ "s3cr3t" };
	socket.pid = (char[]){ "pr1v4te" };
	socket.key_print = 123456789;
	reflect_append_masked(&buf, &socket.base);
	ck_assert_ptr_null(strstr(buf_str(&buf), "s3cr3t"));
	ck_assert_ptr_null(strstr(buf_str(&buf), "pr1v4te"));
	ck_assert_ptr_null(strstr(buf_str(&buf), "123456789"));
	ck_assert_ptr_nonnull(strstr(buf_str(&buf), "\"keyPrint\":\"***\""));
	buf_finish(&buf);
}
END_TEST

/* What a reader of docs/security.md relies on: written down here, and not read from the
 * declarations. */
START_TEST(what_must_be_declared_is)
{
	static const struct {
		const ProtobufCMessageDescriptor *message;
		const char *field;
		sensitivity kind;
	} rows[] = {
#define ROW(message, field, kind)                          \
	{ &walletwire__v1__##message##__descriptor, field, \
		WALLETWIRE__V1__SENSITIVITY__KIND__##kind }
		ROW(balance_event, "available_balance", AMOUNT),
		ROW(balance_update, "pending_balance", AMOUNT),
		ROW(transaction_event, "amount", AMOUNT),
		ROW(limit_event, "max", AMOUNT),
		ROW(card_event, "merchant", PERSONAL),
		ROW(card_activity, "last4", PERSONAL),
		ROW(kyc_update, "status", PERSONAL),
		ROW(party, "name", PERSONAL),
		ROW(claims, "country", PERSONAL),
		ROW(chat_message, "text", TEXT),
		ROW(chat_room, "name", TEXT),
		ROW(chat_report, "reason", TEXT),
		ROW(event, "title", TEXT),
		ROW(notification, "text", TEXT),
		ROW(relay_post, "body", TEXT),
		ROW(relay_request, "sid", SECRET),
		ROW(moved_socket, "pid", SECRET),
		ROW(caller, "session_id", SECRET),
		ROW(event, "id", OPEN),
		ROW(caller, "user_id", OPEN),
#undef ROW
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const ProtobufCFieldDescriptor *field =
		    protobuf_c_message_descriptor_get_field_by_name(rows[i].message, rows[i].field);

		ck_assert_msg(field != NULL, "%s.%s", rows[i].message->name, rows[i].field);
		ck_assert_msg(sensitivity_of(rows[i].message, field) == rows[i].kind, "%s.%s",
		    rows[i].message->name, rows[i].field);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("codec/reflect_masked");
	TCase *masked = tcase_create("masked");

	tcase_add_test(masked, an_event_keeps_its_ids_and_its_kind);
	tcase_add_test(masked, a_request_keeps_its_caller);
	tcase_add_test(masked, lists_of_messages_are_walked);
	tcase_add_test(masked, what_a_client_names_is_not_told);
	tcase_add_test(masked, numbers_and_bytes_may_be_secrets);
	tcase_add_test(masked, what_must_be_declared_is);
	suite_add_tcase(suite, masked);
	return support_run(suite);
}
