/*
 * One table of texts by kind and variant. `{name}` is the payload's field of that name; a part in
 * brackets is left out if a field in it is empty, so that no sentence ends in "to .".
 */
#include "template.h"

#include <stdio.h>

#include "base/decimal.h"
#include "codec/reflect.h"
#include "kind.h"

#define NUMBER(NAME) WALLETWIRE__V1__PAYLOAD__BODY_##NAME

struct template
{
	int kind;
	const char *variant; /* "": any other */
	const char *title, *text;
};

static const struct template english[] = {
	{ NUMBER(TRANSACTION), "outgoing.completed", "Money sent",
	    "You sent {amount} {currency}[ to {counterparty}]." },
	{ NUMBER(TRANSACTION), "incoming.completed", "Money received",
	    "You received {amount} {currency}[ from {counterparty}]." },
	{ NUMBER(TRANSACTION), "outgoing.pending", "Money on its way",
	    "Your {amount} {currency}[ to {counterparty}] is on its way." },
	{ NUMBER(TRANSACTION), "incoming.pending", "Money on its way",
	    "{amount} {currency}[ from {counterparty}] is on its way to you." },
	{ NUMBER(TRANSACTION), "outgoing.failed", "Transaction failed",
	    "Your {amount} {currency}[ to {counterparty}] could not be sent." },
	{ NUMBER(TRANSACTION), "incoming.failed", "Transaction failed",
	    "{amount} {currency}[ from {counterparty}] will not arrive." },
	{ NUMBER(TRANSACTION), "", "Transaction", "{amount} {currency}[, {counterparty}]" },
	{ NUMBER(TRANSFER), "completed", "Transfer completed",
	    "Your transfer[ of {amount} {currency}] is complete." },
	{ NUMBER(TRANSFER), "failed", "Transfer failed",
	    "Your transfer[ of {amount} {currency}] failed.[ {message}]" },
	{ NUMBER(TRANSFER), "", "Transfer cancelled",
	    "Your transfer[ of {amount} {currency}] was cancelled.[ {message}]" },
	{ NUMBER(PAYMENT), "completed", "Payment completed",
	    "Your payment of {amount} {currency} is complete." },
	{ NUMBER(PAYMENT), "failed", "Payment failed",
	    "Your payment of {amount} {currency} failed.[ {message}]" },
	{ NUMBER(PAYMENT), "", "Payment pending",
	    "Your payment of {amount} {currency} is being processed." },
	{ NUMBER(DEPOSIT), "completed", "Deposit received",
	    "{amount} {currency} was added to your wallet." },
	{ NUMBER(DEPOSIT), "failed", "Deposit failed",
	    "Your deposit of {amount} {currency} failed.[ {message}]" },
	{ NUMBER(DEPOSIT), "", "Deposit pending",
	    "Your deposit of {amount} {currency} is being processed." },
	{ NUMBER(WITHDRAWAL), "completed", "Withdrawal completed",
	    "{amount} {currency} left your wallet." },
	{ NUMBER(WITHDRAWAL), "failed", "Withdrawal failed",
	    "Your withdrawal of {amount} {currency} failed.[ {message}]" },
	{ NUMBER(WITHDRAWAL), "", "Withdrawal pending",
	    "Your withdrawal of {amount} {currency} is being processed." },
	{ NUMBER(SECURITY), "", "Security alert", "[{message}][ {action}]" },
	{ NUMBER(LIMIT), "", "Limit exceeded",
	    "Your[ {period}][ {limit}] limit was exceeded[: {used} of {max} {currency}].[ "
	    "{message}]" },
	{ NUMBER(KYC), "", "Identity verification",
	    "Your verification is now {status}[ ({level})].[ {message}]" },
	{ NUMBER(CARD), "", "Card activity",
	    "Card[ ending in {last4}][: {type}][ of {amount} {currency}][ at {merchant}].[ "
	    "{message}]" },
};

static void variant_of(const Payload *payload, char *variant, size_t size)
{
	const Walletwire__V1__Transaction *transaction = payload->transaction;
	char direction[64];
	char word[64];

	variant[0] = '\0';
	switch (payload->body_case) {
	case NUMBER(TRANSACTION):
		reflect_enum_word(
		    &walletwire__v1__direction__descriptor, (int)transaction->direction, direction);
		reflect_enum_word(&walletwire__v1__transaction_status__descriptor,
		    (int)transaction->status, word);
		(void)snprintf(variant, size, "%s.%s", direction, word);
		break;
	case NUMBER(TRANSFER):
		reflect_enum_word(&walletwire__v1__transfer_state__descriptor,
		    (int)payload->transfer->state, word);
		(void)snprintf(variant, size, "%s", word);
		break;
	case NUMBER(PAYMENT):
	case NUMBER(DEPOSIT):
	case NUMBER(WITHDRAWAL):
		reflect_enum_word(&walletwire__v1__transaction_status__descriptor,
		    (int)payload->payment->status, word);
		(void)snprintf(variant, size, "%s", word);
		break;
	default:
		break;
	}
}

static const struct template *find(const Payload *payload)
{
	char variant[132];

	variant_of(payload, variant, sizeof(variant));
	for (size_t i = 0; i < ARRAY_LEN(english); i++) {
		const struct template *t = &english[i];

		if (t->kind == (int)payload->body_case &&
		    (!t->variant[0] || strcmp(t->variant, variant) == 0))
			return t;
	}
	return NULL;
}

static void append_message(struct buf *out, const ProtobufCMessage *message)
{
	if (!message)
		return;
	if (message->descriptor == &walletwire__v1__decimal__descriptor) {
		const Walletwire__V1__Decimal *decimal = (const void *)message;

		decimal_append(out, decimal->units, decimal->scale);
	} else if (message->descriptor == &walletwire__v1__party__descriptor) {
		const Walletwire__V1__Party *party = (const void *)message;

		buf_append_str(out, party->name[0] ? party->name : party->user_id);
	}
}

/* The field as words; nothing if it is empty. */
static void append_field(struct buf *out, const ProtobufCMessage *body, const char *name)
{
	const ProtobufCFieldDescriptor *field =
	    protobuf_c_message_descriptor_get_field_by_name(body->descriptor, name);
	const void *value = field ? (const char *)body + field->offset : NULL;
	char word[64];

	if (!field)
		return;
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		buf_append_str(out, *(const char *const *)value);
		break;
	case PROTOBUF_C_TYPE_ENUM:
		reflect_enum_word(field->descriptor, *(const int *)value, word);
		buf_append_str(out, word);
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		append_message(out, *(const ProtobufCMessage *const *)value);
		break;
	default:
		break;
	}
}

static void render(struct buf *out, const char *text, const ProtobufCMessage *body)
{
	size_t part = 0;    /* where the bracketed part began */
	bool empty = false; /* a field of it was */

	for (const char *p = text; *p; p++) {
		if (*p == '[') {
			part = out->len;
			empty = false;
		} else if (*p == ']') {
			if (empty)
				out->len = part;
		} else if (*p == '{') {
			size_t len = strcspn(p + 1, "}");
			size_t before = out->len;
			char name[32];

			(void)snprintf(name, sizeof(name), "%.*s", (int)len, p + 1);
			append_field(out, body, name);
			empty = empty || out->len == before;
			p += len + 1;
		} else {
			buf_append_char(out, *p);
		}
	}
}

void template_render(
    const Payload *payload, struct arena *arena, const char **ret_title, const char **ret_text)
{
	const struct template *t = find(payload);
	ProtobufCMessage *body = NULL;
	struct buf text = BUF_INIT;

	(void)reflect_oneof_member(&payload->base, &body);
	if (t && body)
		render(&text, t->text, body);
	*ret_title = t ? t->title : "";
	*ret_text = arena_strndup(arena, text.data, text.len);
	buf_finish(&text);
}
