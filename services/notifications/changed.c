/* A body for each, since the version stands in it: only the mailbox refers to it. */
#include "changed.h"

#include "base/clock.h"
#include "kind.h"

static Item *item_of(Changed *said, int64_t seq, int64_t now_us, struct arena *arena)
{
	Item *item = MESSAGE_NEW(arena, item);

	item->payload = MESSAGE_NEW(arena, payload);
	item->payload->body_case = WALLETWIRE__V1__PAYLOAD__BODY_CHANGED;
	item->payload->changed = said;
	item->seq = (uint64_t)seq;
	item->applied_us = now_us;
	kind_channels(
	    item->payload, /* as_item= */ true, arena, &item->n_channels, &item->channels);
	return item;
}

enum status changed_append(
    struct changed *changed, struct db *db, struct arena *arena, struct err *err)
{
	struct store_users *users = changed->users;
	size_t len = users->len;
	int64_t now_us = clock_wall_us(), first = 0;
	struct body_rows bodies = { len, arena_alloc(arena, len * sizeof(int64_t)),
		arena_alloc(arena, len * sizeof(char *)),
		arena_alloc(arena, len * sizeof(struct bytes)),
		arena_alloc(arena, len * sizeof(bool)), arena_alloc(arena, len * sizeof(int32_t)),
		arena_alloc(arena, len * sizeof(char *)) };
	struct mailbox_rows rows = { len, users->user_id, users->seq, bodies.body_id };
	enum status s = store_draw_body_ids(db, &first, err);

	changed->items = arena_alloc(arena, len * sizeof(Item *));
	for (size_t i = 0; i < len; i++) {
		changed->said[i]->version = (uint64_t)users->rev[i];
		changed->items[i] = item_of(changed->said[i], ++users->seq[i], now_us, arena);
		bodies.body_id[i] = first + (int64_t)i;
		bodies.event_key[i] = "changed";
		bodies.holders[i] = 1;
		bodies.payload[i] = message_pack(&changed->items[i]->payload->base, arena);
	}
	if (!s)
		s = store_insert_bodies(db, &bodies, now_us, err);
	return s ? s : store_insert_mailbox(db, &rows, now_us, err);
}
