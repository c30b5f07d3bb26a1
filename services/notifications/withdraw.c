/* The order is that of every writer: lock the users, change the rows, then their numbers. */
#include "withdraw.h"

#include "base/clock.h"
#include "kind.h"
#include "ring.h"

#define PAYLOAD(NAME) WALLETWIRE__V1__PAYLOAD__BODY_##NAME

/* Keeps those users who lost something; both are sorted by id. */
static void keep_affected(struct store_users *users, const struct unread_rows *left)
{
	size_t kept = 0;

	for (size_t i = 0, at = 0; i < users->len; i++) {
		while (at < left->len && strcmp(left->user_id[at], users->user_id[i]) < 0)
			at++;
		if (at == left->len || strcmp(left->user_id[at], users->user_id[i]) != 0)
			continue;
		users->user_id[kept] = users->user_id[i];
		users->seq[kept] = users->seq[i];
		users->rev[kept++] = users->rev[i] + 1;
	}
	users->len = kept;
}

static Payload *recalled(const char *event_id, int64_t rev, struct arena *arena)
{
	Payload *payload = MESSAGE_NEW(arena, payload);
	Changed *changed = MESSAGE_NEW(arena, changed);

	payload->body_case = PAYLOAD(CHANGED);
	payload->changed = changed;
	changed->action = WALLETWIRE__V1__CHANGE_ACTION__CHANGE_ACTION_RECALLED;
	changed->selection_case = WALLETWIRE__V1__CHANGED__SELECTION_IDS;
	changed->ids = MESSAGE_NEW(arena, string_list);
	changed->ids->values = arena_alloc(arena, sizeof(char *));
	changed->ids->values[changed->ids->n_values++] = arena_strdup(arena, event_id);
	changed->version = (uint64_t)rev;
	return payload;
}

static Item *changed_item(Payload *payload, int64_t seq, int64_t now_us, struct arena *arena)
{
	Item *item = MESSAGE_NEW(arena, item);

	item->seq = (uint64_t)seq;
	item->payload = payload;
	item->applied_us = now_us;
	kind_channels(payload, /* as_item= */ true, arena, &item->n_channels, &item->channels);
	return item;
}

/* Everybody who lost something is told in the mailbox, each with a body of their own. */
static enum status append_changed(
    struct withdrawal *w, struct db *db, struct arena *arena, struct err *err)
{
	size_t len = w->users.len;
	int64_t now_us = clock_wall_us(), first = 0;
	struct body_rows bodies = { len, arena_alloc(arena, len * sizeof(int64_t)),
		arena_alloc(arena, len * sizeof(char *)),
		arena_alloc(arena, len * sizeof(struct bytes)),
		arena_alloc(arena, len * sizeof(bool)) };
	struct mailbox_rows rows = { len, w->users.user_id, w->users.seq, bodies.body_id };
	enum status s = store_draw_body_ids(db, &first, err);

	w->changed = arena_alloc(arena, len * sizeof(Item *));
	for (size_t i = 0; i < len; i++) {
		Payload *payload = recalled(w->event_id, w->users.rev[i], arena);

		bodies.body_id[i] = first + (int64_t)i;
		bodies.event_key[i] = "changed";
		bodies.payload[i] = message_pack(&payload->base, arena);
		w->changed[i] = changed_item(payload, ++w->users.seq[i], now_us, arena);
	}
	if (!s)
		s = store_insert_bodies(db, &bodies, now_us, err);
	return s ? s : store_insert_mailbox(db, &rows, now_us, err);
}

enum status withdraw_items(
    struct withdrawal *w, struct db *db, struct arena *arena, struct err *err)
{
	struct unread_rows left = { 0 };
	enum status s;

	w->n = 0;
	w->changed = NULL;
	s = store_lock_some(db, w->items.user_id, w->items.len, arena, &w->users, err);
	if (!s)
		s = store_withdraw(db, w->state, &w->items, arena, &left, &w->n, err);
	keep_affected(&w->users, &left);
	if (s || w->users.len == 0)
		return s;
	w->unread = arena_alloc(arena, w->users.len * sizeof(Unread *));
	s = store_take_unread(db, &left, err);
	if (!s && w->event_id)
		s = append_changed(w, db, arena, err);
	if (!s)
		s = store_set_some(db, &w->users, err);
	if (!s)
		s = store_unread_of(db, w->users.user_id, w->users.len, arena, w->unread, err);
	return s;
}

enum status withdraw_ring(const struct withdrawal *w, struct bus *bus, const char *epoch,
    struct arena *arena, struct err *err)
{
	enum status s = STATUS_OK;

	for (size_t i = 0; i < w->users.len && !s; i++) {
		Payload *payload = MESSAGE_NEW(arena, payload);
		int64_t rev = w->users.rev[i];
		State *state;
		struct ring ring = { epoch, w->users.user_id[i], rev - 1, rev,
			w->changed ? &w->changed[i] : NULL, w->changed ? 1 : 0, &state, 1, NULL };

		payload->body_case = PAYLOAD(UNREAD);
		payload->unread = w->unread[i];
		payload->unread->version = (uint64_t)rev;
		state = kind_state(payload, rev, arena);
		s = ring_user(bus, &ring, arena, err);
	}
	return s;
}
