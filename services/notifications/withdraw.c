/* The order is that of every writer: lock the users, change the rows, then their numbers. */
#include "withdraw.h"

#include "changed.h"
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

static Changed *recalled(char *event_id, struct arena *arena)
{
	Changed *changed = MESSAGE_NEW(arena, changed);

	changed->action = WALLETWIRE__V1__CHANGE_ACTION__CHANGE_ACTION_RECALLED;
	changed->selection_case = WALLETWIRE__V1__CHANGED__SELECTION_IDS;
	changed->ids = MESSAGE_NEW(arena, string_list);
	changed->ids->values = arena_alloc(arena, sizeof(char *));
	changed->ids->values[changed->ids->n_values++] = event_id;
	return changed;
}

/* Everybody who lost something is told in the mailbox. */
static enum status append_changed(
    struct withdrawal *w, struct db *db, struct arena *arena, struct err *err)
{
	struct changed changed = { &w->users, arena_alloc(arena, w->users.len * sizeof(Changed *)),
		NULL };
	enum status s;

	for (size_t i = 0; i < w->users.len; i++)
		changed.said[i] = recalled(w->event_id, arena);
	s = changed_append(&changed, db, arena, err);
	w->changed = changed.items;
	return s;
}

/* A recall told each of the users in the mailbox; both lists are sorted by user. */
static void audit_withdrawal(struct audit *audit, const struct withdrawal *w)
{
	bool is_recall = w->event_id != NULL;
	AuditRecord *record = audit_record(audit,
	    is_recall ? AUDIT_ACTION(ITEM_RECALLED) : AUDIT_ACTION(ITEM_EXPIRED), w->gone.len);

	for (size_t i = 0, at = 0; i < w->gone.len; i++) {
		AuditUser *user = audit_record_user(record, w->gone.user_id[i]);

		while (strcmp(w->users.user_id[at], user->user_id) != 0)
			at++;
		user->item = (uint64_t)w->gone.seq[i];
		user->seq = is_recall ? (uint64_t)w->users.seq[at] : 0;
	}
	if (is_recall)
		audit_record_event(record, w->event_key);
	record->n = w->gone.len;
	audit_add(audit, record);
}

enum status withdraw_items(
    struct withdrawal *w, struct db *db, struct arena *arena, struct audit *audit, struct err *err)
{
	struct unread_rows left = { 0 };
	enum status s;

	w->gone.len = 0;
	w->changed = NULL;
	s = store_lock_some(db, w->items.user_id, w->items.len, arena, &w->users, err);
	if (!s)
		s = store_withdraw(db, w->state, &w->items, arena, &left, &w->gone, err);
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
	if (!s)
		audit_withdrawal(audit, w);
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
