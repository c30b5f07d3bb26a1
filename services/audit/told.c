/* The first to acknowledge an item is the one who is named. */
#include "told.h"

#include <string.h>

#include "base/message.h"

const int32_t told_item_actions[TOLD_ITEM_ACTIONS] = { AUDIT_ACTION(ITEM_CREATED),
	AUDIT_ACTION(TRANSFER_APPLIED) };
const int32_t told_mark_actions[TOLD_MARK_ACTIONS] = { AUDIT_ACTION(ITEM_SEEN),
	AUDIT_ACTION(ITEM_READ), AUDIT_ACTION(ITEM_RECALLED), AUDIT_ACTION(ITEM_EXPIRED) };

void told_begin(struct told *told, const char *user_id, size_t max, struct arena *arena)
{
	*told = (struct told){ user_id, arena, arena_alloc(arena, max * sizeof(ToldItem *)), 0, 0 };
}

static const AuditUser *find_user(const AuditRecord *record, const char *user_id)
{
	for (size_t i = 0; i < record->n_users; i++) {
		if (strcmp(record->users[i]->user_id, user_id) == 0)
			return record->users[i];
	}
	return NULL;
}

/* A transfer that has not ended tells a state, and has no number. */
void told_item(struct told *told, const struct store_record *record)
{
	const AuditRecord *said = ledger_record_unpack(record->packed, told->arena);
	const AuditUser *user = said ? find_user(said, told->user_id) : NULL;
	ToldItem *item;

	if (!user || user->seq == 0)
		return;
	item = MESSAGE_NEW(told->arena, told_item);
	item->seq = user->seq;
	item->event_key = said->event_key;
	item->told_at = message_timestamp(said->at_us, told->arena);
	item->shard = (uint32_t)record->place.shard;
	item->number = (uint64_t)record->place.number;
	told->items[told->len++] = item;
	told->unread++;
}

/* "payment/p1" is "p1" to the user. */
static bool is_chosen(const AuditRecord *mark, const ToldItem *item)
{
	const char *slash = strchr(item->event_key, '/');

	if (mark->up_to > 0)
		return item->seq <= mark->up_to;
	for (size_t i = 0; i < mark->n_ids && slash; i++) {
		if (strcmp(mark->ids[i], slash + 1) == 0)
			return true;
	}
	return false;
}

struct mark {
	const AuditRecord *record;
	const AuditUser *user;
	Google__Protobuf__Timestamp *at;
	char *session_id;
};

static void acknowledge(const struct mark *mark, Google__Protobuf__Timestamp **at, char **session)
{
	if (*at)
		return;
	*at = mark->at;
	*session = mark->session_id;
}

static void mark_item(struct told *told, ToldItem *item, const struct mark *mark)
{
	bool is_withdrawn = mark->user && mark->user->item == item->seq;

	if (message_time_us(item->told_at) > mark->record->at_us)
		return;
	switch ((int)mark->record->action) {
	case AUDIT_ACTION(ITEM_SEEN):
		if (is_chosen(mark->record, item))
			acknowledge(mark, &item->seen_at, &item->seen_session_id);
		break;
	case AUDIT_ACTION(ITEM_READ):
		if (!is_chosen(mark->record, item))
			break;
		told->unread -= !item->read_at;
		acknowledge(mark, &item->read_at, &item->read_session_id);
		break;
	case AUDIT_ACTION(ITEM_RECALLED):
		if (is_withdrawn && !item->recalled_at)
			item->recalled_at = mark->at;
		break;
	default:
		if (is_withdrawn && !item->expired_at)
			item->expired_at = mark->at;
		break;
	}
}

void told_mark(struct told *told, const struct store_record *record)
{
	const AuditRecord *said = ledger_record_unpack(record->packed, told->arena);
	struct mark mark = { .record = said };

	if (!said)
		return;
	mark.user = find_user(said, told->user_id);
	mark.at = message_timestamp(said->at_us, told->arena);
	mark.session_id = said->actor ? said->actor->session_id : arena_strdup(told->arena, "");
	for (size_t i = 0; i < told->len; i++)
		mark_item(told, told->items[i], &mark);
}
