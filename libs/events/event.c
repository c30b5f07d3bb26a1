/* Events from JSON, and the rules that the applier has as well. */
#include "events/event.h"

#include <assert.h>
#include <stdio.h>

#include "base/id.h"
#include "base/subject.h"
#include "base/text.h"
#include "codec/json.h"
#include "codec/reflect.h"

enum { PATH_SIZE = 160, CURRENCY_MAX = 12, LAST4_MAX = 4, PROGRESS_MAX = 100 };

#define EVENT_DESCRIPTOR (&walletwire__v1__event__descriptor)

/* --- kinds --- */

/* Members of `oneof body`, but for chat's, which ww-chat alone may publish. */
bool event_field_is_kind(const ProtobufCFieldDescriptor *field)
{
	return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
	       field->id != WALLETWIRE__V1__EVENT__BODY_CHAT;
}

const ProtobufCFieldDescriptor *event_find_kind(const char *kind)
{
	const ProtobufCFieldDescriptor *field =
	    protobuf_c_message_descriptor_get_field_by_name(EVENT_DESCRIPTOR, kind);

	return field && event_field_is_kind(field) ? field : NULL;
}

void event_append_kinds(struct buf *out)
{
	const char *separator = "";

	for (unsigned i = 0; i < EVENT_DESCRIPTOR->n_fields; i++) {
		if (!event_field_is_kind(&EVENT_DESCRIPTOR->fields[i]))
			continue;
		buf_appendf(out, "%s%s", separator, EVENT_DESCRIPTOR->fields[i].name);
		separator = ", ";
	}
}

const char *event_kind(const Walletwire__V1__Event *event)
{
	ProtobufCMessage *body;

	return reflect_oneof_member(&event->base, &body)->name;
}

/* --- rules: what the applier refuses too, said while somebody is there to hear it --- */

static enum status check_id(const char *field, const char *id, struct err *err)
{
	size_t len = strlen(id);

	if (len == 0 || len > SUBJECT_ID_MAX)
		return err_invalid(
		    err, field, "an id has 1 to %d bytes, this one %zu", SUBJECT_ID_MAX, len);
	/* It becomes a header and part of log lines and subjects. */
	for (const char *p = id; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return err_invalid(err, field, "an id has no control characters");
	}
	return STATUS_OK;
}

static enum status check_users(const Walletwire__V1__Event *event, struct err *err)
{
	enum status s = STATUS_OK;

	if (event->n_user_ids > EVENT_USERS_MAX)
		return err_invalid(err, "userIds", "names more than %d users", EVENT_USERS_MAX);
	for (size_t i = 0; i < event->n_user_ids && s == STATUS_OK; i++)
		s = check_id("userIds", event->user_ids[i], err);
	return s;
}

/* All kinds but a transaction, which names its parties, and an announcement, which is for
 * everybody. */
static enum status check_somebody(const Walletwire__V1__Event *event, struct err *err)
{
	if (event->n_user_ids == 0)
		return err_invalid(err, "userIds", "an event concerns at least one user");
	return STATUS_OK;
}

static bool is_party(const Walletwire__V1__Party *party, const char *user_id)
{
	return party && strcmp(party->user_id, user_id) == 0;
}

static enum status check_party(
    const Walletwire__V1__Party *party, const char *field, struct err *err)
{
	return party && party->user_id[0] ? check_id(field, party->user_id, err) : STATUS_OK;
}

static enum status check_transaction(const Walletwire__V1__Event *event, struct err *err)
{
	const Walletwire__V1__TransactionEvent *tx = event->transaction;
	enum status s = check_id("transaction.transactionId", tx->transaction_id, err);

	if (s == STATUS_OK)
		s = check_party(tx->sender, "transaction.sender.userId", err);
	if (s == STATUS_OK)
		s = check_party(tx->recipient, "transaction.recipient.userId", err);
	if (s)
		return s;
	if (!(tx->sender && tx->sender->user_id[0]) &&
	    !(tx->recipient && tx->recipient->user_id[0]))
		return err_invalid(err, "transaction", "names neither a sender nor a recipient");
	for (size_t i = 0; i < event->n_user_ids; i++) {
		if (!is_party(tx->sender, event->user_ids[i]) &&
		    !is_party(tx->recipient, event->user_ids[i]))
			return err_invalid(
			    err, "userIds", "may only name the sender and the recipient");
	}
	return STATUS_OK;
}

static enum status check_transfer(const Walletwire__V1__Event *event, struct err *err)
{
	enum status s = check_somebody(event, err);

	if (s == STATUS_OK)
		s = check_id("transfer.transferId", event->transfer->transfer_id, err);
	if (s)
		return s;
	if (!event->transfer->state)
		return err_invalid(err, "transfer.state", "is missing");
	if (event->transfer->progress > PROGRESS_MAX)
		return err_invalid(err, "transfer.progress", "is above %d", PROGRESS_MAX);
	return STATUS_OK;
}

static enum status check_card(const Walletwire__V1__Event *event, struct err *err)
{
	enum status s = check_somebody(event, err);

	if (s)
		return s;
	/* A whole card number must not be stored by way of this field. */
	if (strlen(event->card->last4) > LAST4_MAX)
		return err_invalid(err, "card.last4", "is longer than %d", LAST4_MAX);
	return event->card->card_id[0] ? check_id("card.cardId", event->card->card_id, err)
				       : STATUS_OK;
}

/* A payment, deposit or withdrawal: one message type under three names. */
static enum status check_reference(const Walletwire__V1__Event *event, struct err *err)
{
	const char *reference = event->payment->reference_id;
	enum status s = check_somebody(event, err);
	char path[PATH_SIZE];

	if (s || !reference[0])
		return s;
	(void)snprintf(path, sizeof(path), "%s.referenceId", event_kind(event));
	return check_id(path, reference, err);
}

static enum status check_time(
    const Google__Protobuf__Timestamp *time, const char *field, struct err *err)
{
	if (time && time->seconds < 0)
		return err_invalid(err, field, "is before 1970");
	return STATUS_OK;
}

static enum status check_times(const Walletwire__V1__Event *event, struct err *err)
{
	enum status s = check_time(event->occurred_at, "occurredAt", err);

	return s ? s : check_time(event->expires_at, "expiresAt", err);
}

static enum status check_values(const char *field, char *const *values, size_t len, struct err *err)
{
	if (len > EVENT_SEGMENT_VALUES_MAX)
		return err_invalid(err, field, "has more than %d values", EVENT_SEGMENT_VALUES_MAX);
	for (size_t i = 0; i < len; i++) {
		if (!values[i][0] || strlen(values[i]) > EVENT_CLAIM_MAX)
			return err_invalid(err, field, "has a value that is not 1 to %d bytes long",
			    EVENT_CLAIM_MAX);
	}
	return STATUS_OK;
}

enum status event_check_segment(const Walletwire__V1__Segment *segment, struct err *err)
{
	enum status s;

	if (!segment)
		return STATUS_OK;
	s = check_values(
	    "announcement.segment.countries", segment->countries, segment->n_countries, err);

	if (!s)
		s = check_values("announcement.segment.languages", segment->languages,
		    segment->n_languages, err);
	if (!s)
		s = check_values(
		    "announcement.segment.tiers", segment->tiers, segment->n_tiers, err);
	return s;
}

static enum status check_announcement(const Walletwire__V1__Event *event, struct err *err)
{
	enum status s;

	if (event->n_user_ids > 0)
		return err_invalid(
		    err, "userIds", "an announcement is for everybody and names no user");
	s = check_time(event->announcement->starts_at, "announcement.startsAt", err);
	return s ? s : event_check_segment(event->announcement->segment, err);
}

static enum status check_body(const Walletwire__V1__Event *event, struct err *err)
{
	enum status s;

	switch (event->body_case) {
	case WALLETWIRE__V1__EVENT__BODY_CHAT:
		return err_invalid(err, "chat", "is published by the chat service alone");
	case WALLETWIRE__V1__EVENT__BODY_TRANSACTION:
		return check_transaction(event, err);
	case WALLETWIRE__V1__EVENT__BODY_TRANSFER:
		return check_transfer(event, err);
	case WALLETWIRE__V1__EVENT__BODY_CARD:
		return check_card(event, err);
	case WALLETWIRE__V1__EVENT__BODY_ANNOUNCEMENT:
		return check_announcement(event, err);
	case WALLETWIRE__V1__EVENT__BODY_PAYMENT:
	case WALLETWIRE__V1__EVENT__BODY_DEPOSIT:
	case WALLETWIRE__V1__EVENT__BODY_WITHDRAWAL:
		return check_reference(event, err);
	case WALLETWIRE__V1__EVENT__BODY_BALANCE:
		s = check_somebody(event, err);
		return s ? s : check_id("balance.walletId", event->balance->wallet_id, err);
	default:
		return check_somebody(event, err);
	}
}

/* Kinds that are nothing without an amount; the others may have one. */
static const struct money_rule {
	const char *amount;
	Walletwire__V1__Event__BodyCase body;
	bool required;
} money_rules[] = {
	{ "available_balance", WALLETWIRE__V1__EVENT__BODY_BALANCE, true },
	{ "amount", WALLETWIRE__V1__EVENT__BODY_TRANSACTION, true },
	{ "amount", WALLETWIRE__V1__EVENT__BODY_PAYMENT, true },
	{ "amount", WALLETWIRE__V1__EVENT__BODY_DEPOSIT, true },
	{ "amount", WALLETWIRE__V1__EVENT__BODY_WITHDRAWAL, true },
	{ "amount", WALLETWIRE__V1__EVENT__BODY_TRANSFER, false },
	{ "amount", WALLETWIRE__V1__EVENT__BODY_CARD, false },
	{ NULL, WALLETWIRE__V1__EVENT__BODY_LIMIT, false },
};

static enum status check_currency(const char *kind, const char *currency, struct err *err)
{
	size_t len = strspn(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
	char path[PATH_SIZE];

	if (len > 0 && len <= CURRENCY_MAX && currency[len] == '\0')
		return STATUS_OK;
	(void)snprintf(path, sizeof(path), "%s.currency", kind);
	return err_invalid(err, path, "must be 1 to %d of A-Z and 0-9, like EUR", CURRENCY_MAX);
}

/* The value of a field of the body that is a pointer (a text or a message). */
static const void *body_pointer(const ProtobufCMessage *body, const char *name)
{
	const ProtobufCFieldDescriptor *field =
	    protobuf_c_message_descriptor_get_field_by_name(body->descriptor, name);

	return *(void *const *)(const void *)((const char *)body + field->offset);
}

static enum status check_money(const Walletwire__V1__Event *event, struct err *err)
{
	ProtobufCMessage *body = NULL;
	const char *kind = reflect_oneof_member(&event->base, &body)->name;

	for (size_t i = 0; i < ARRAY_LEN(money_rules); i++) {
		const struct money_rule *rule = &money_rules[i];
		const char *currency;
		const void *amount;
		char path[PATH_SIZE];

		if (rule->body != event->body_case)
			continue;
		currency = body_pointer(body, "currency");
		amount = rule->amount ? body_pointer(body, rule->amount) : NULL;
		(void)snprintf(path, sizeof(path), "%s.%s", kind, rule->amount ? rule->amount : "");
		if (!amount && (rule->required || (rule->amount && currency[0])))
			return err_invalid(err, path, "is missing");
		return amount || currency[0] ? check_currency(kind, currency, err) : STATUS_OK;
	}
	return STATUS_OK;
}

static enum status check(const Walletwire__V1__Event *event, struct err *err)
{
	size_t size;
	enum status s;

	if (event->body_case == WALLETWIRE__V1__EVENT__BODY__NOT_SET) {
		struct buf kinds = BUF_INIT;

		event_append_kinds(&kinds);
		s = err_set(
		    err, STATUS_INVALID, "no body: an event has one of %s", buf_str(&kinds));
		buf_finish(&kinds);
		return s;
	}
	s = check_id("id", event->id, err);
	if (s == STATUS_OK)
		s = check_times(event, err);
	if (s == STATUS_OK)
		s = check_users(event, err);
	if (s == STATUS_OK)
		s = check_body(event, err);
	if (s == STATUS_OK)
		s = check_money(event, err);
	if (s)
		return s;
	size = walletwire__v1__event__get_packed_size(event);
	if (size > EVENT_SIZE_MAX)
		return err_set(err, STATUS_TOO_LARGE,
		    "the event has %zu bytes, at most %d are allowed", size, EVENT_SIZE_MAX);
	return STATUS_OK;
}

/* --- from JSON --- */

static void fill_in(
    Walletwire__V1__Event *event, const struct event_defaults *defaults, struct arena *arena)
{
	int64_t ms = defaults->occurred_ms;

	if (!event->id[0] && defaults->id) {
		event->id = arena_strdup(arena, defaults->id);
	} else if (!event->id[0]) {
		event->id = arena_alloc(arena, ID_SIZE);
		id_random(event->id);
	}
	if (!event->occurred_at) {
		event->occurred_at = arena_alloc(arena, sizeof(*event->occurred_at));
		google__protobuf__timestamp__init(event->occurred_at);
		event->occurred_at->seconds = ms / 1000;
		event->occurred_at->nanos = (int32_t)(ms % 1000 * 1000000);
	}
}

enum status event_from_json(struct bytes text, const struct event_defaults *defaults,
    struct arena *arena, Walletwire__V1__Event **ret_event, struct err *err)
{
	ProtobufCMessage *message = NULL;
	struct json *root = NULL;
	enum status s = json_parse(text, &root, err);

	if (s)
		return s;
	if (!json_is_object(root))
		s = err_set(err, STATUS_INVALID, "an event is a JSON object");
	else
		s = reflect_from_json(EVENT_DESCRIPTOR, root, EVENT_TEXT_MAX, arena, &message, err);
	json_free(root);
	if (s)
		return s;
	assert(message);
	*ret_event = (Walletwire__V1__Event *)(void *)message;
	fill_in(*ret_event, defaults, arena);
	return check(*ret_event, err);
}
