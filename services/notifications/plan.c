/* From an event to its plan: one builder per member of Event, and what all of them share. */
#include "plan.h"

#include "base/subject.h"
#include "base/text.h"
#include "events/event.h"
#include "kind.h"
#include "template.h"

#define NUMBER(NAME) WALLETWIRE__V1__PAYLOAD__BODY_##NAME
#define EVENT(NAME) WALLETWIRE__V1__EVENT__BODY_##NAME

enum { CURRENCY_MAX = 12, LAST4_MAX = 4, PROGRESS_MAX = 100 };

static const uint64_t VERSION_LIMIT = UINT64_C(1) << 53;  /* what a client's number can hold */
static const int64_t SECONDS_MAX = INT64_C(253402300799); /* the end of the year 9999 */

/* What a builder works with. */
struct planner {
	const Event *event;
	struct arena *arena;
	struct plan *plan;
	struct err *err;
};

const char *plan_event_kind(const Event *event)
{
	const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(
	    &walletwire__v1__event__descriptor, (unsigned)event->body_case);

	return field && event->body_case ? field->name : NULL;
}

/* --- what is checked --- */

static enum status check_time(
    const Timestamp *ts, const char *field, int64_t *ret_us, struct err *err)
{
	if (!ts)
		return STATUS_OK;
	if (ts->seconds < 0 || ts->seconds > SECONDS_MAX || ts->nanos < 0 || ts->nanos > 999999999)
		return err_invalid(err, field, "is no time between 1970 and 9999");
	*ret_us = message_time_us(ts);
	return STATUS_OK;
}

static enum status check_currency(const char *currency, const char *field, struct err *err)
{
	size_t len = strspn(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

	if (len == 0 || len > CURRENCY_MAX || currency[len])
		return err_invalid(err, field, "must be 1 to %d of A-Z and 0-9", CURRENCY_MAX);
	return STATUS_OK;
}

static enum status check_money(const Walletwire__V1__Decimal *amount, const char *currency,
    const char *amount_field, const char *currency_field, struct err *err)
{
	if (!amount)
		return err_invalid(err, amount_field, "is missing");
	return check_currency(currency, currency_field, err);
}

static enum status check_version(uint64_t version, const char *field, struct err *err)
{
	if (version >= VERSION_LIMIT)
		return err_invalid(err, field, "must be below 2^53");
	return STATUS_OK;
}

/*
 * A text fit to be stored and shown. What does not belong into it is dropped, not refused: the memo
 * of a stranger must not be able to suppress the notification it came with.
 */
static char *clean(const struct planner *p, const char *text, size_t max_points)
{
	size_t len = strlen(text);
	char *out, *end;
	size_t points = 0;

	if (len <= max_points && text_is_clean(bytes_of(text, len)))
		return arena_strndup(p->arena, text, len);
	out = end = arena_alloc(p->arena, len + 1);
	for (size_t i = 0, n; i < len && points < max_points; i += n) {
		for (n = 1; ((uint8_t)text[i + n] & 0xc0) == 0x80;)
			n++;
		if (!text_is_clean(bytes_of(text + i, n)))
			continue;
		memcpy(end, text + i, n);
		end += n;
		points++;
	}
	*end = '\0';
	return out;
}

/* --- what builders call --- */

static bool has_user(const struct plan *plan, const char *user_id)
{
	for (size_t i = 0; i < plan->users_len; i++) {
		if (strcmp(plan->users[i], user_id) == 0)
			return true;
	}
	return false;
}

static enum status add_user(struct planner *p, const char *user_id, const char *field)
{
	enum status s = subject_check_id(field, user_id, p->err);

	if (s == STATUS_OK && !has_user(p->plan, user_id))
		p->plan->users[p->plan->users_len++] = user_id;
	return s;
}

/* The event's own list: somebody must be concerned. */
static enum status add_event_users(struct planner *p)
{
	enum status s = STATUS_OK;

	if (p->event->n_user_ids == 0)
		return err_invalid(p->err, "userIds", "must name 1 to %d users", PLAN_USERS_MAX);
	for (size_t i = 0; i < p->event->n_user_ids && s == STATUS_OK; i++)
		s = add_user(p, p->event->user_ids[i], "userIds");
	return s;
}

static Payload *new_payload(struct planner *p, int kind)
{
	Payload *payload = MESSAGE_NEW(p->arena, payload);

	payload->body_case = (Walletwire__V1__Payload__BodyCase)kind;
	return payload;
}

static Timestamp *timestamp(struct planner *p)
{
	return message_timestamp(p->plan->created_us, p->arena);
}

static size_t add_body(struct planner *p, Payload *payload)
{
	struct plan_body *body = &p->plan->bodies[p->plan->bodies_len];

	body->payload = payload;
	if (kind_find((int)payload->body_case)->inbox) {
		template_render(payload, p->arena, &body->title, &body->text);
		if (p->event->title[0])
			body->title = clean(p, p->event->title, PLAN_TITLE_MAX);
		if (p->event->text[0])
			body->text = clean(p, p->event->text, PLAN_TEXT_MAX);
	}
	return p->plan->bodies_len++;
}

static void add_item(struct planner *p, const char *user_id, size_t body)
{
	p->plan->items[p->plan->items_len++] = (struct plan_item){ user_id, body };
}

/* The same item for everybody it concerns. */
static enum status tell_all(struct planner *p, Payload *payload)
{
	size_t body = add_body(p, payload);

	for (size_t i = 0; i < p->plan->users_len; i++)
		add_item(p, p->plan->users[i], body);
	return STATUS_OK;
}

/* --- one builder per member of Event --- */

enum status plan_balance(const Walletwire__V1__BalanceEvent *in, int64_t at_us, struct arena *arena,
    Payload **ret_payload, struct err *err)
{
	Walletwire__V1__BalanceUpdate *out = MESSAGE_NEW(arena, balance_update);
	Payload *payload = MESSAGE_NEW(arena, payload);
	enum status s;

	if ((s = subject_check_id("balance.walletId", in->wallet_id, err)) ||
	    (s = check_money(in->available_balance, in->currency, "balance.available_balance",
		 "balance.currency", err)) ||
	    (s = check_version(in->version, "balance.version", err)))
		return s;
	out->wallet_id = in->wallet_id;
	out->available_balance = in->available_balance;
	out->pending_balance = in->pending_balance;
	out->currency = in->currency;
	out->timestamp = message_timestamp(at_us, arena);
	out->version = in->version;
	payload->body_case = NUMBER(BALANCE);
	payload->balance = out;
	*ret_payload = payload;
	return STATUS_OK;
}

static enum status build_balance(struct planner *p)
{
	enum status s = add_event_users(p);

	return s ? s
		 : plan_balance(
		       p->event->balance, p->plan->created_us, p->arena, &p->plan->state, p->err);
}

static Walletwire__V1__ClientTransactionType client_type(
    Walletwire__V1__TransactionType type, bool sends)
{
	switch (type) {
	case WALLETWIRE__V1__TRANSACTION_TYPE__TRANSACTION_TYPE_P2P:
		return sends
			   ? WALLETWIRE__V1__CLIENT_TRANSACTION_TYPE__CLIENT_TRANSACTION_TYPE_P2P_SEND
			   : WALLETWIRE__V1__CLIENT_TRANSACTION_TYPE__CLIENT_TRANSACTION_TYPE_P2P_RECEIVE;
	case WALLETWIRE__V1__TRANSACTION_TYPE__TRANSACTION_TYPE_DEPOSIT:
		return WALLETWIRE__V1__CLIENT_TRANSACTION_TYPE__CLIENT_TRANSACTION_TYPE_DEPOSIT;
	case WALLETWIRE__V1__TRANSACTION_TYPE__TRANSACTION_TYPE_WITHDRAWAL:
		return WALLETWIRE__V1__CLIENT_TRANSACTION_TYPE__CLIENT_TRANSACTION_TYPE_WITHDRAWAL;
	case WALLETWIRE__V1__TRANSACTION_TYPE__TRANSACTION_TYPE_PAYMENT:
		return WALLETWIRE__V1__CLIENT_TRANSACTION_TYPE__CLIENT_TRANSACTION_TYPE_PAYMENT;
	default:
		return WALLETWIRE__V1__CLIENT_TRANSACTION_TYPE__CLIENT_TRANSACTION_TYPE_UNSPECIFIED;
	}
}

/* What one side of a transaction is told; nothing if nobody of ours is there. */
static enum status build_side(struct planner *p, bool sends)
{
	const Walletwire__V1__TransactionEvent *in = p->event->transaction;
	const Walletwire__V1__Party *self = sends ? in->sender : in->recipient;
	const Walletwire__V1__Party *other = sends ? in->recipient : in->sender;
	Walletwire__V1__Transaction *out;
	Payload *payload;
	enum status s;

	if (!self || !self->user_id[0])
		return STATUS_OK;
	s = add_user(
	    p, self->user_id, sends ? "transaction.sender.userId" : "transaction.recipient.userId");
	if (s)
		return s;
	out = MESSAGE_NEW(p->arena, transaction);
	out->id = in->transaction_id;
	out->type = client_type(in->type, sends);
	out->amount = in->amount;
	out->currency = in->currency;
	out->direction = sends ? WALLETWIRE__V1__DIRECTION__DIRECTION_OUTGOING
			       : WALLETWIRE__V1__DIRECTION__DIRECTION_INCOMING;
	out->status = in->status;
	if (other && (other->user_id[0] || other->name[0])) {
		out->counterparty = MESSAGE_NEW(p->arena, party);
		out->counterparty->user_id = other->user_id;
		out->counterparty->name = clean(p, other->name, PLAN_TITLE_MAX);
	}
	out->message = clean(p, in->message, PLAN_TEXT_MAX);
	out->timestamp = timestamp(p);
	payload = new_payload(p, NUMBER(TRANSACTION));
	payload->transaction = out;
	add_item(p, self->user_id, add_body(p, payload));
	return STATUS_OK;
}

static enum status build_transaction(struct planner *p)
{
	const Walletwire__V1__TransactionEvent *in = p->event->transaction;
	enum status s;

	if ((s = subject_check_id("transaction.transactionId", in->transaction_id, p->err)) ||
	    (s = check_money(
		 in->amount, in->currency, "transaction.amount", "transaction.currency", p->err)) ||
	    (s = build_side(p, /* sends= */ true)) || (s = build_side(p, /* sends= */ false)))
		return s;
	if (p->plan->items_len == 0)
		return err_invalid(p->err, "transaction", "names neither a sender nor a recipient");
	for (size_t i = 0; i < p->event->n_user_ids; i++) {
		/* A third person has no direction, so there is nothing that could be told. */
		if (!has_user(p->plan, p->event->user_ids[i]))
			return err_invalid(
			    p->err, "userIds", "may only name the sender and the recipient");
	}
	return STATUS_OK;
}

static bool transfer_is_final(Walletwire__V1__TransferState state)
{
	return state == WALLETWIRE__V1__TRANSFER_STATE__TRANSFER_STATE_COMPLETED ||
	       state == WALLETWIRE__V1__TRANSFER_STATE__TRANSFER_STATE_FAILED ||
	       state == WALLETWIRE__V1__TRANSFER_STATE__TRANSFER_STATE_CANCELLED;
}

static enum status build_transfer(struct planner *p)
{
	const Walletwire__V1__TransferEvent *in = p->event->transfer;
	Walletwire__V1__TransferUpdate *out = MESSAGE_NEW(p->arena, transfer_update);
	enum status s;

	if ((s = add_event_users(p)) ||
	    (s = subject_check_id("transfer.transferId", in->transfer_id, p->err)) ||
	    (s = check_version(in->version, "transfer.version", p->err)))
		return s;
	if (!in->state)
		return err_invalid(p->err, "transfer.state", "is missing");
	if (in->progress > PROGRESS_MAX)
		return err_invalid(p->err, "transfer.progress", "is above %d", PROGRESS_MAX);
	if (in->amount || in->currency[0]) {
		s = check_money(
		    in->amount, in->currency, "transfer.amount", "transfer.currency", p->err);
		if (s)
			return s;
	}
	out->transfer_id = in->transfer_id;
	out->state = in->state;
	out->progress = in->progress;
	out->amount = in->amount;
	out->currency = in->currency;
	out->final = transfer_is_final(in->state);
	out->message = clean(p, in->message, PLAN_TEXT_MAX);
	out->timestamp = timestamp(p);
	out->version = in->version;
	p->plan->state = new_payload(p, NUMBER(TRANSFER));
	p->plan->state->transfer = out;
	return out->final ? tell_all(p, p->plan->state) : STATUS_OK;
}

/* A payment, deposit or withdrawal. */
static enum status build_money(struct planner *p)
{
	const Walletwire__V1__MoneyEvent *in = p->event->payment;
	Walletwire__V1__Money *out = MESSAGE_NEW(p->arena, money);
	const char *kind = plan_event_kind(p->event);
	Payload *payload = new_payload(p, kind_number(kind));
	const char *amount = arena_printf(p->arena, "%s.amount", kind);
	const char *currency = arena_printf(p->arena, "%s.currency", kind);
	const char *reference = arena_printf(p->arena, "%s.referenceId", kind);
	enum status s;

	if ((s = add_event_users(p)) ||
	    (s = check_money(in->amount, in->currency, amount, currency, p->err)))
		return s;
	if (in->reference_id[0] && (s = subject_check_id(reference, in->reference_id, p->err)))
		return s;
	out->id = in->reference_id[0] ? in->reference_id : p->event->id;
	out->status = in->status;
	out->amount = in->amount;
	out->currency = in->currency;
	out->message = clean(p, in->message, PLAN_TEXT_MAX);
	out->timestamp = timestamp(p);
	payload->payment = out;
	return tell_all(p, payload);
}

static enum status build_security(struct planner *p)
{
	const Walletwire__V1__SecurityEvent *in = p->event->security;
	Walletwire__V1__SecurityAlert *out = MESSAGE_NEW(p->arena, security_alert);
	Payload *payload = new_payload(p, NUMBER(SECURITY));
	enum status s = add_event_users(p);

	if (s)
		return s;
	out->severity = in->severity;
	out->message = clean(p, in->message, PLAN_TEXT_MAX);
	out->action = clean(p, in->action, PLAN_TEXT_MAX);
	out->timestamp = timestamp(p);
	payload->security = out;
	return tell_all(p, payload);
}

static enum status build_limit(struct planner *p)
{
	const Walletwire__V1__LimitEvent *in = p->event->limit;
	Walletwire__V1__LimitExceeded *out = MESSAGE_NEW(p->arena, limit_exceeded);
	Payload *payload = new_payload(p, NUMBER(LIMIT));
	enum status s = add_event_users(p);

	if (s)
		return s;
	if (in->currency[0] && (s = check_currency(in->currency, "limit.currency", p->err)))
		return s;
	out->limit = clean(p, in->limit, PLAN_TITLE_MAX);
	out->period = clean(p, in->period, PLAN_TITLE_MAX);
	out->used = in->used;
	out->max = in->max;
	out->currency = in->currency;
	out->message = clean(p, in->message, PLAN_TEXT_MAX);
	out->timestamp = timestamp(p);
	payload->limit = out;
	return tell_all(p, payload);
}

static enum status build_kyc(struct planner *p)
{
	const Walletwire__V1__KycEvent *in = p->event->kyc;
	Walletwire__V1__KycUpdate *out = MESSAGE_NEW(p->arena, kyc_update);
	Payload *payload = new_payload(p, NUMBER(KYC));
	enum status s = add_event_users(p);

	if (s)
		return s;
	out->status = clean(p, in->status, PLAN_TITLE_MAX);
	out->level = clean(p, in->level, PLAN_TITLE_MAX);
	out->message = clean(p, in->message, PLAN_TEXT_MAX);
	out->timestamp = timestamp(p);
	payload->kyc = out;
	return tell_all(p, payload);
}

static enum status build_card(struct planner *p)
{
	const Walletwire__V1__CardEvent *in = p->event->card;
	Walletwire__V1__CardActivity *out = MESSAGE_NEW(p->arena, card_activity);
	Payload *payload = new_payload(p, NUMBER(CARD));
	enum status s = add_event_users(p);

	if (s)
		return s;
	/* A whole card number must not slip into storage by this field. */
	if (strlen(in->last4) > LAST4_MAX)
		return err_invalid(p->err, "card.last4", "is longer than %d", LAST4_MAX);
	if (in->card_id[0] && (s = subject_check_id("card.cardId", in->card_id, p->err)))
		return s;
	if (in->amount || in->currency[0]) {
		s = check_money(in->amount, in->currency, "card.amount", "card.currency", p->err);
		if (s)
			return s;
	}
	out->card_id = in->card_id;
	out->last4 = in->last4;
	out->type = clean(p, in->type, PLAN_TITLE_MAX);
	out->merchant = clean(p, in->merchant, PLAN_TITLE_MAX);
	out->amount = in->amount;
	out->currency = in->currency;
	out->message = clean(p, in->message, PLAN_TEXT_MAX);
	out->timestamp = timestamp(p);
	payload->card = out;
	return tell_all(p, payload);
}

static enum status build_announcement(struct planner *p)
{
	Announcement *out = MESSAGE_NEW(p->arena, announcement);
	LogEntry *entry = MESSAGE_NEW(p->arena, log_entry);
	enum status s;

	/* It goes to everybody: whoever names users means something else. */
	if (p->event->n_user_ids > 0)
		return err_invalid(p->err, "userIds", "an announcement is for everybody");
	s = check_time(p->event->announcement->starts_at, "announcement.startsAt",
	    &p->plan->starts_us, p->err);
	if (!s)
		s = event_check_segment(p->event->announcement->segment, p->err);
	if (s)
		return s;
	out->id = p->event->id;
	out->title = clean(p, p->event->title, PLAN_TITLE_MAX);
	out->text = clean(p, p->event->text, PLAN_TEXT_MAX);
	out->priority = (Walletwire__V1__Priority)p->plan->priority;
	if (p->plan->expires_us != TIME_NONE)
		out->expires_at = message_timestamp(p->plan->expires_us, p->arena);
	entry->change_case = WALLETWIRE__V1__LOG_ENTRY__CHANGE_ANNOUNCED;
	entry->announced = out;
	entry->segment = p->event->announcement->segment;
	p->plan->announcement = entry;
	return STATUS_OK;
}

/* ww-chat has checked its members and texts: what it says is passed on as it is. */
static enum status build_chat(struct planner *p)
{
	const Walletwire__V1__ChatEvent *in = p->event->chat;
	enum status s = add_event_users(p);
	Payload *payload;

	if (s)
		return s;
	switch (in->change_case) {
	case WALLETWIRE__V1__CHAT_EVENT__CHANGE_MESSAGE:
		payload = new_payload(p, NUMBER(CHAT_MESSAGE));
		payload->chat_message = in->message;
		return tell_all(p, payload);
	case WALLETWIRE__V1__CHAT_EVENT__CHANGE_ROOM:
		payload = new_payload(p, NUMBER(CHAT_ROOM));
		payload->chat_room = in->room;
		return tell_all(p, payload);
	case WALLETWIRE__V1__CHAT_EVENT__CHANGE_READ:
		p->plan->state = new_payload(p, NUMBER(CHAT_READ));
		p->plan->state->chat_read = in->read;
		return STATUS_OK;
	default:
		return err_invalid(p->err, "chat", "is empty");
	}
}

static const struct {
	Walletwire__V1__Event__BodyCase event;
	int kind; /* whose priority is the default */
	enum status (*build)(struct planner *p);
} builders[] = {
	{ EVENT(BALANCE), NUMBER(BALANCE), build_balance },
	{ EVENT(TRANSACTION), NUMBER(TRANSACTION), build_transaction },
	{ EVENT(TRANSFER), NUMBER(TRANSFER), build_transfer },
	{ EVENT(PAYMENT), NUMBER(PAYMENT), build_money },
	{ EVENT(DEPOSIT), NUMBER(DEPOSIT), build_money },
	{ EVENT(WITHDRAWAL), NUMBER(WITHDRAWAL), build_money },
	{ EVENT(SECURITY), NUMBER(SECURITY), build_security },
	{ EVENT(LIMIT), NUMBER(LIMIT), build_limit },
	{ EVENT(KYC), NUMBER(KYC), build_kyc },
	{ EVENT(CARD), NUMBER(CARD), build_card },
	{ EVENT(ANNOUNCEMENT), NUMBER(ANNOUNCEMENT), build_announcement },
	{ EVENT(CHAT), NUMBER(CHAT_MESSAGE), build_chat },
};

enum status plan_event(
    const Event *event, int64_t now_us, struct arena *arena, struct plan *ret_plan, struct err *err)
{
	struct planner p = { event, arena, ret_plan, err };
	const char *kind = plan_event_kind(event);
	size_t room = event->n_user_ids + 2; /* and the two sides of a transaction */
	enum status s;

	*ret_plan =
	    (struct plan){ .created_us = now_us, .expires_us = TIME_NONE, .starts_us = TIME_NONE };
	if (!kind)
		return err_invalid(err, "body", "is missing: the event is of no kind");
	if (event->n_user_ids > PLAN_USERS_MAX)
		return err_invalid(err, "userIds", "names more than %d users", PLAN_USERS_MAX);
	if ((s = subject_check_id("id", event->id, err)) ||
	    (s = check_time(event->occurred_at, "occurredAt", &ret_plan->created_us, err)) ||
	    (s = check_time(event->expires_at, "expiresAt", &ret_plan->expires_us, err)))
		return s;
	ret_plan->key = arena_printf(arena, "%s/%s", kind, event->id);
	ret_plan->event_id = event->id;
	ret_plan->users = arena_alloc(arena, room * sizeof(*ret_plan->users));
	ret_plan->items = arena_alloc(arena, room * sizeof(*ret_plan->items));
	for (size_t i = 0; i < ARRAY_LEN(builders); i++) {
		if (builders[i].event != event->body_case)
			continue;
		ret_plan->kind = builders[i].kind;
		ret_plan->priority =
		    event->priority ? (int)event->priority : kind_find(builders[i].kind)->priority;
		s = builders[i].build(&p);
		if (s == STATUS_OK && event->body_case == EVENT(CHAT))
			ret_plan->kind =
			    (int)(ret_plan->state ? ret_plan->state : ret_plan->bodies[0].payload)
				->body_case;
		return s;
	}
	return err_invalid(err, "body", "is of a kind this build does not know");
}
