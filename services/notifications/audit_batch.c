/* One record an event, whatever it gave to how many. */
#include "audit_batch.h"

#include <string.h>

#include "kind.h"

#define NUMBER(NAME) WALLETWIRE__V1__PAYLOAD__BODY_##NAME

AuditActor audit_publisher(const struct plan *plan)
{
	/* ww.event.chat is ww-chat's alone (subjects.def). */
	if (strncmp(plan->key, "chat/", 5) == 0)
		return audit_actor(AUDIT_BY(SERVICE), "chat");
	return audit_actor(AUDIT_BY(BACKEND), "");
}

static Walletwire__V1__AuditAction action_of(const struct plan *plan)
{
	switch (plan->state ? (int)plan->state->body_case : 0) {
	case NUMBER(BALANCE):
		return AUDIT_ACTION(BALANCE_APPLIED);
	case NUMBER(TRANSFER):
		return AUDIT_ACTION(TRANSFER_APPLIED);
	default:
		return AUDIT_ACTION(ITEM_CREATED);
	}
}

static void add_items(
    AuditRecord *record, const struct batch *batch, const struct batch_event *event)
{
	const struct mailbox_rows *rows = &batch->mailbox;
	size_t end = event->first_row + event->plan.items_len;

	for (size_t i = event->first_row; i < end; i++) {
		AuditUser *user = audit_record_user(record, rows->user_id[i]);

		user->seq = (uint64_t)rows->seq[i];
		user->version = event->versions ? (uint64_t)event->versions[0] : 0;
	}
}

/* Those to whom the version is new. */
static void add_states(AuditRecord *record, const struct batch_event *event)
{
	for (size_t i = 0; event->versions && i < event->plan.users_len; i++) {
		if (event->versions[i] > 0)
			audit_record_user(record, event->plan.users[i])->version =
			    (uint64_t)event->versions[i];
	}
}

static void audit_event(
    struct audit *audit, const struct batch *batch, const struct batch_event *event)
{
	const struct plan *plan = &event->plan;
	size_t users_max = plan->items_len > 0 ? plan->items_len : plan->users_len;
	AuditRecord *record = audit_record(audit, action_of(plan), users_max);
	AuditActor by = audit_publisher(plan);

	if (plan->items_len > 0)
		add_items(record, batch, event);
	else
		add_states(record, event);
	if (record->n_users == 0)
		return;
	if (event->versions)
		audit_record_id(record, kind_key(plan->state)); /* the wallet, the transfer */
	record->actor = &by;
	audit_record_event(record, plan->key);
	record->n = record->n_users;
	audit_add(audit, record);
}

void audit_batch(struct audit *audit, const struct batch *batch)
{
	for (size_t i = 0; i < batch->events_len; i++) {
		const struct batch_event *event = &batch->events[i];

		if (batch_is_new(event) && !event->stale)
			audit_event(audit, batch, event);
	}
}
