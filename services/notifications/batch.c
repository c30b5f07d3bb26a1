/* Numbers are given in stream order, so that a user's seq order is the order of publication. */
#include "batch.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/buf.h"
#include "kind.h"

#define NUMBER(NAME) WALLETWIRE__V1__PAYLOAD__BODY_##NAME

void batch_begin(struct batch *batch, size_t events_max, struct arena *arena)
{
	*batch = (struct batch){ .events_cap = events_max };
	batch->events = arena_alloc(arena, events_max * sizeof(*batch->events));
	batch->dead = arena_alloc(arena, events_max * sizeof(*batch->dead));
}

bool batch_add(struct batch *batch, const struct plan *plan)
{
	size_t rows = plan->items_len > plan->users_len ? plan->items_len : plan->users_len;

	if (batch->events_len == batch->events_cap ||
	    (batch->events_len > 0 && batch->rows_planned + rows > BATCH_ROWS_MAX))
		return false;
	batch->rows_planned += rows;
	batch->events[batch->events_len++] = (struct batch_event){ .plan = *plan };
	return true;
}

void batch_add_dead(struct batch *batch, const struct batch_dead *dead)
{
	assert(batch->dead_len < batch->events_cap);
	batch->dead[batch->dead_len++] = *dead;
}

/* --- who and what is concerned --- */

static int by_user_id(const void *a, const void *b)
{
	return strcmp(
	    ((const struct batch_user *)a)->user_id, ((const struct batch_user *)b)->user_id);
}

static void prepare_users(struct batch *batch)
{
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < batch->events_len; i++)
		n += batch->events[i].plan.users_len;
	batch->users = arena_alloc(batch->arena, n * sizeof(*batch->users));
	n = 0;
	for (size_t i = 0; i < batch->events_len; i++) {
		const struct plan *plan = &batch->events[i].plan;

		for (size_t j = 0; j < plan->users_len; j++)
			batch->users[n++].user_id = plan->users[j];
	}
	qsort(batch->users, n, sizeof(*batch->users), by_user_id);
	for (size_t i = 0; i < n; i++) {
		if (kept == 0 || by_user_id(&batch->users[kept - 1], &batch->users[i]) != 0)
			batch->users[kept++] = batch->users[i];
	}
	batch->users_len = kept;
}

static int by_event_key(const void *a, const void *b)
{
	const struct batch_event *one = *(struct batch_event *const *)a;
	const struct batch_event *two = *(struct batch_event *const *)b;
	int order = strcmp(one->plan.key, two->plan.key);

	/* Of equals the earlier one first: it is the one that counts. */
	return order ? order : (one > two) - (one < two);
}

static void prepare_keys(struct batch *batch)
{
	size_t kept = 0;

	batch->by_key = arena_alloc(batch->arena, batch->events_len * sizeof(*batch->by_key));
	for (size_t i = 0; i < batch->events_len; i++) {
		batch->events[i] = (struct batch_event){ .plan = batch->events[i].plan };
		batch->by_key[i] = &batch->events[i];
	}
	qsort(batch->by_key, batch->events_len, sizeof(*batch->by_key), by_event_key);
	for (size_t i = 0; i < batch->events_len; i++) {
		struct batch_event *event = batch->by_key[i];

		event->repeat =
		    kept > 0 && strcmp(batch->by_key[kept - 1]->plan.key, event->plan.key) == 0;
		if (!event->repeat)
			batch->by_key[kept++] = event;
	}
	batch->by_key_len = kept;
}

static int by_state(const void *a, const void *b)
{
	const struct batch_state *one = a, *two = b;
	int order = one->kind - two->kind;

	if (!order)
		order = strcmp(one->user_id, two->user_id);
	return order ? order : strcmp(one->key, two->key);
}

static void prepare_states(struct batch *batch)
{
	size_t max = 0, n = 0, kept = 0;

	for (size_t i = 0; i < batch->events_len; i++)
		max += batch->events[i].plan.state ? batch->events[i].plan.users_len : 0;
	batch->states = arena_alloc(batch->arena, max * sizeof(*batch->states));
	for (size_t i = 0; i < batch->events_len; i++) {
		const struct plan *plan = &batch->events[i].plan;
		int kind = plan->state ? (int)plan->state->body_case : 0;

		/* A read marker is not stored here: ww-chat has it. */
		if (kind == NUMBER(TRANSFER))
			batch->states[n++] = (struct batch_state){
				.kind = kind, .user_id = "", .key = kind_key(plan->state)
			};
		for (size_t j = 0; kind == NUMBER(BALANCE) && j < plan->users_len; j++)
			batch->states[n++] = (struct batch_state){ .kind = kind,
				.user_id = plan->users[j],
				.key = kind_key(plan->state) };
	}
	qsort(batch->states, n, sizeof(*batch->states), by_state);
	for (size_t i = 0; i < n; i++) {
		if (kept == 0 || by_state(&batch->states[kept - 1], &batch->states[i]) != 0)
			batch->states[kept++] = batch->states[i];
	}
	batch->states_len = kept;
}

void batch_prepare(struct batch *batch, struct arena *arena)
{
	batch->arena = arena;
	prepare_users(batch);
	prepare_keys(batch);
	prepare_states(batch);
}

/* --- what the caller read --- */

struct batch_user *batch_find_user(struct batch *batch, const char *user_id)
{
	struct batch_user key = { .user_id = user_id };

	return bsearch(&key, batch->users, batch->users_len, sizeof(key), by_user_id);
}

void batch_set_user(struct batch *batch, const char *user_id, int64_t seq, int64_t rev,
    const int32_t *counters, size_t counters_len)
{
	struct batch_user *user = batch_find_user(batch, user_id);

	assert(user);
	*user = (struct batch_user){ .user_id = user->user_id,
		.seq = seq,
		.rev_before = rev,
		.rev = rev,
		.counters = counters,
		.counters_len = counters_len };
}

struct batch_event *batch_find(struct batch *batch, const char *event_key)
{
	size_t low = 0, high = batch->by_key_len;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(event_key, batch->by_key[middle]->plan.key);

		if (order == 0)
			return batch->by_key[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static struct batch_state *find_state(
    struct batch *batch, int kind, const char *user_id, const char *key)
{
	struct batch_state wanted = { .kind = kind, .user_id = user_id, .key = key };

	return bsearch(&wanted, batch->states, batch->states_len, sizeof(wanted), by_state);
}

void batch_set_version(
    struct batch *batch, int kind, const char *user_id, const char *key, int64_t version)
{
	struct batch_state *state = find_state(batch, kind, user_id, key);

	assert(state);
	state->version = version;
}

/* --- numbers --- */

Item *batch_item(
    const struct plan *plan, size_t body, int64_t seq, int64_t applied_us, struct arena *arena)
{
	const struct plan_body *said = &plan->bodies[body];
	const struct kind *kind = kind_find((int)said->payload->body_case);
	Item *item = MESSAGE_NEW(arena, item);

	item->seq = (uint64_t)seq;
	item->payload = said->payload;
	item->applied_us = applied_us;
	if (plan->traceparent)
		item->traceparent = plan->traceparent;
	item->critical =
	    kind->critical ||
	    (said->title && plan->priority == WALLETWIRE__V1__PRIORITY__PRIORITY_CRITICAL);
	kind_channels(
	    said->payload, /* as_item= */ true, arena, &item->n_channels, &item->channels);
	if (said->title) {
		Notification *n = MESSAGE_NEW(arena, notification);

		n->id = arena_strdup(arena, plan->event_id);
		n->seq = (uint64_t)seq;
		n->type = arena_strdup(arena, kind_name((int)said->payload->body_case));
		n->priority = (Walletwire__V1__Priority)plan->priority;
		n->title = arena_strdup(arena, said->title);
		n->text = arena_strdup(arena, said->text);
		n->created_at = message_timestamp(plan->created_us, arena);
		if (plan->expires_us != TIME_NONE)
			n->expires_at = message_timestamp(plan->expires_us, arena);
		item->notification = n;
	}
	return item;
}

State *batch_user_add_state(
    struct batch *batch, struct batch_user *user, Payload *payload, int64_t version)
{
	const char *key = kind_key(payload);
	State *state;

	/* The last word on a transfer is an item, and is told once: as that. */
	if (payload->body_case == NUMBER(TRANSFER) && payload->transfer->final)
		return NULL;
	for (size_t i = 0; i < user->states_len; i++) {
		state = user->states[i];
		if (state->payload->body_case != payload->body_case || strcmp(state->key, key) != 0)
			continue;
		if ((int64_t)state->version > version)
			return NULL;
		state->payload = payload;
		state->version = (uint64_t)version;
		return state;
	}
	if (user->states_len == user->states_cap) {
		State **old = user->states;

		user->states_cap = user->states_cap ? user->states_cap * 2 : 4;
		user->states = arena_alloc(batch->arena, user->states_cap * sizeof(State *));
		if (old)
			memcpy(user->states, old, user->states_len * sizeof(State *));
	}
	state = kind_state(payload, version, batch->arena);
	user->states[user->states_len++] = state;
	return state;
}

/* The version that an event makes of a state; 0 if it is not newer than what is there. */
static int64_t next_version(const struct batch_state *state, uint64_t wanted)
{
	if (wanted == 0)
		return state->version + 1;
	return (int64_t)wanted > state->version ? (int64_t)wanted : 0;
}

static void take_state(
    struct batch_state *state, const struct plan *plan, Payload *payload, int64_t version)
{
	state->version = version;
	state->changed = true;
	state->payload = payload;
	state->plan = plan;
}

static void tell_state(struct batch *batch, const struct plan *plan, struct batch_user *user,
    Payload *payload, int64_t version)
{
	State *state = batch_user_add_state(batch, user, payload, version);

	user->state_changed = true;
	if (state && plan->traceparent)
		state->traceparent = plan->traceparent;
}

/* Every user has versions of their own, so each gets a copy. */
static void number_balance(struct batch *batch, struct batch_event *event)
{
	const struct plan *plan = &event->plan;

	for (size_t i = 0; i < plan->users_len; i++) {
		struct batch_state *state =
		    find_state(batch, NUMBER(BALANCE), plan->users[i], kind_key(plan->state));
		int64_t version = next_version(state, plan->state->balance->version);
		Payload *payload;

		if (!version)
			continue;
		payload = arena_memdup(batch->arena, plan->state, sizeof(*payload));
		payload->balance =
		    arena_memdup(batch->arena, plan->state->balance, sizeof(*payload->balance));
		payload->balance->version = (uint64_t)version;
		event->versions[i] = version;
		take_state(state, plan, payload, version);
		tell_state(batch, plan, batch_find_user(batch, plan->users[i]), payload, version);
	}
}

/* An older version than the stored one changes nothing, not even as an item: it is not true any
 * more. */
static void number_transfer(struct batch *batch, struct batch_event *event)
{
	struct plan *plan = &event->plan;
	struct batch_state *state = find_state(batch, NUMBER(TRANSFER), "", kind_key(plan->state));
	int64_t version = next_version(state, plan->state->transfer->version);
	Payload *payload;

	event->stale = version == 0;
	if (event->stale)
		return;
	payload = arena_memdup(batch->arena, plan->state, sizeof(*payload));
	payload->transfer =
	    arena_memdup(batch->arena, plan->state->transfer, sizeof(*payload->transfer));
	payload->transfer->version = (uint64_t)version;
	if (plan->bodies_len > 0)
		plan->bodies[0].payload = payload;
	take_state(state, plan, payload, version);
	for (size_t i = 0; i < plan->users_len; i++) {
		event->versions[i] = version;
		tell_state(batch, plan, batch_find_user(batch, plan->users[i]), payload, version);
	}
}

static void number_chat_read(struct batch *batch, const struct plan *plan)
{
	for (size_t i = 0; i < plan->users_len; i++)
		tell_state(batch, plan, batch_find_user(batch, plan->users[i]), plan->state,
		    (int64_t)plan->state->chat_read->seq);
}

static int64_t *versions_of_users(struct batch *batch, const struct batch_event *event)
{
	return arena_alloc(batch->arena, event->plan.users_len * sizeof(int64_t));
}

static void number_states(struct batch *batch, struct batch_event *event)
{
	switch (event->plan.state ? (int)event->plan.state->body_case : 0) {
	case NUMBER(BALANCE):
		event->versions = versions_of_users(batch, event);
		number_balance(batch, event);
		break;
	case NUMBER(TRANSFER):
		event->versions = versions_of_users(batch, event);
		number_transfer(batch, event);
		break;
	case NUMBER(CHAT_READ):
		number_chat_read(batch, &event->plan);
		break;
	default:
		break;
	}
}

static void add_body_row(
    struct batch *batch, const struct plan *plan, const struct plan_body *body, int64_t body_id)
{
	struct body_rows *rows = &batch->bodies;

	rows->body_id[rows->len] = body_id;
	rows->event_key[rows->len] = plan->key;
	rows->payload[rows->len] = message_pack(&body->payload->base, batch->arena);
	rows->keep[rows->len] = body->title != NULL;
	rows->holders[rows->len] = 0;
	rows->sender[rows->len] = kind_sender(body->payload);
	rows->len++;
}

static void add_inbox_row(struct batch *batch, const struct plan *plan,
    const struct plan_body *body, const char *user_id, int64_t seq, int64_t body_id)
{
	struct inbox_rows *rows = &batch->inbox;
	size_t at = rows->len++;

	rows->user_id[at] = user_id;
	rows->seq[at] = seq;
	rows->body_id[at] = body_id;
	rows->event_id[at] = plan->event_id;
	rows->type[at] = (int16_t)body->payload->body_case;
	rows->priority[at] = (int16_t)plan->priority;
	rows->title[at] = body->title;
	rows->text[at] = body->text;
	rows->created_us[at] = plan->created_us;
	rows->expires_us[at] = plan->expires_us;
}

/* The users of its mailbox rows, or if there are none those it concerns. */
static void add_applied_row(struct batch *batch, const struct batch_event *event)
{
	struct applied_rows *rows = &batch->applied;
	const struct mailbox_rows *mailbox = &batch->mailbox;
	const struct plan *plan = &event->plan;
	size_t at = rows->len++, n = mailbox->len - event->first_row;

	rows->event_key[at] = plan->key;
	rows->users_len[at] = n > 0 ? n : plan->users_len;
	rows->users[at] = n > 0 ? mailbox->user_id + event->first_row : plan->users;
	rows->seqs[at] = n > 0 ? mailbox->seq + event->first_row
			       : arena_alloc(batch->arena, plan->users_len * sizeof(int64_t));
}

static void number_items(struct batch *batch, struct batch_event *event, int64_t first_body_id)
{
	const struct plan *plan = &event->plan;
	struct mailbox_rows *rows = &batch->mailbox;
	int32_t *holders = &batch->bodies.holders[batch->bodies.len];

	event->first_row = rows->len;
	if (event->stale)
		return;
	for (size_t i = 0; i < plan->bodies_len; i++)
		add_body_row(batch, plan, &plan->bodies[i], first_body_id + (int64_t)i);
	for (size_t i = 0; i < plan->items_len; i++) {
		const struct plan_item *item = &plan->items[i];
		const struct plan_body *body = &plan->bodies[item->body];
		struct batch_user *user = batch_find_user(batch, item->user_id);
		int64_t body_id = first_body_id + (int64_t)item->body;

		rows->user_id[rows->len] = user->user_id;
		rows->seq[rows->len] = ++user->seq;
		rows->body_id[rows->len] = body_id;
		rows->len++;
		holders[item->body]++;
		user->items_len++;
		if (body->title) {
			user->state_changed = true; /* the counters */
			add_inbox_row(batch, plan, body, user->user_id, user->seq, body_id);
		}
	}
}

static void allocate_rows(struct batch *batch)
{
	struct arena *arena = batch->arena;
	size_t rows = batch->rows_planned, bodies = 0, events = batch->events_len;

#define COLUMN(table, column, n) \
	batch->table.column = arena_alloc(arena, (n) * sizeof(*batch->table.column))
	for (size_t i = 0; i < events; i++)
		bodies += batch->events[i].plan.bodies_len;
	batch->mailbox.len = batch->inbox.len = batch->bodies.len = batch->applied.len = 0;
	batch->new_events = batch->announcements = 0;
	COLUMN(mailbox, user_id, rows);
	COLUMN(mailbox, seq, rows);
	COLUMN(mailbox, body_id, rows);
	COLUMN(inbox, user_id, rows);
	COLUMN(inbox, event_id, rows);
	COLUMN(inbox, title, rows);
	COLUMN(inbox, text, rows);
	COLUMN(inbox, seq, rows);
	COLUMN(inbox, body_id, rows);
	COLUMN(inbox, created_us, rows);
	COLUMN(inbox, expires_us, rows);
	COLUMN(inbox, type, rows);
	COLUMN(inbox, priority, rows);
	COLUMN(bodies, body_id, bodies);
	COLUMN(bodies, event_key, bodies);
	COLUMN(bodies, payload, bodies);
	COLUMN(bodies, keep, bodies);
	COLUMN(bodies, holders, bodies);
	COLUMN(bodies, sender, bodies);
	COLUMN(applied, event_key, events);
	COLUMN(applied, users, events);
	COLUMN(applied, seqs, events);
	COLUMN(applied, users_len, events);
#undef COLUMN
}

/* Sorted copies of the inbox rows, counted: the increments of the counters. */
static int by_counter(const void *a, const void *b, void *arg)
{
	const struct inbox_rows *rows = arg;
	size_t one = *(const size_t *)a, two = *(const size_t *)b;
	int order = strcmp(rows->user_id[one], rows->user_id[two]);

	if (!order)
		order = rows->type[one] - rows->type[two];
	return order ? order : rows->priority[one] - rows->priority[two];
}

static void count_unread(struct batch *batch)
{
	struct inbox_rows *inbox = &batch->inbox;
	struct unread_rows *unread = &batch->unread;
	size_t *order = arena_alloc(batch->arena, inbox->len * sizeof(*order));

	unread->len = 0;
	unread->user_id = arena_alloc(batch->arena, inbox->len * sizeof(*unread->user_id));
	unread->type = arena_alloc(batch->arena, inbox->len * sizeof(*unread->type));
	unread->priority = arena_alloc(batch->arena, inbox->len * sizeof(*unread->priority));
	unread->n = arena_alloc(batch->arena, inbox->len * sizeof(*unread->n));
	for (size_t i = 0; i < inbox->len; i++)
		order[i] = i;
	qsort_r(order, inbox->len, sizeof(*order), by_counter, inbox);
	for (size_t i = 0; i < inbox->len; i++) {
		size_t row = order[i];

		if (i == 0 || by_counter(&order[i - 1], &order[i], inbox) != 0) {
			unread->user_id[unread->len] = inbox->user_id[row];
			unread->type[unread->len] = inbox->type[row];
			unread->priority[unread->len] = inbox->priority[row];
			unread->len++;
		}
		unread->n[unread->len - 1]++;
	}
}

/* The same order as in the arrays. */
static int compare_counter(const struct unread_rows *rows, size_t row, const int32_t *counter)
{
	int order = rows->type[row] - counter[0];

	return order ? order : rows->priority[row] - counter[1];
}

/* The user's counters with the rows [from, to) added; both are sorted. */
static void add_to_counters(struct batch_user *user, const struct unread_rows *rows, size_t from,
    size_t to, struct arena *arena)
{
	int32_t *sum = arena_alloc(arena, (user->counters_len + 3 * (to - from)) * sizeof(*sum));
	size_t len = 0, at = 0;

	while (from < to || at < user->counters_len) {
		const int32_t *old = at < user->counters_len ? &user->counters[at] : NULL;
		int order = !old ? -1 : from < to ? compare_counter(rows, from, old) : 1;
		int32_t n = (order >= 0 ? old[2] : 0) + (order <= 0 ? rows->n[from] : 0);

		sum[len++] = order < 0 ? rows->type[from] : old[0];
		sum[len++] = order < 0 ? rows->priority[from] : old[1];
		sum[len++] = n;
		at += order >= 0 ? 3 : 0;
		from += order <= 0;
	}
	user->counters = sum;
	user->counters_len = len;
	user->counters_changed = true;
}

static void move_counters(struct batch *batch)
{
	const struct unread_rows *rows = &batch->unread;

	for (size_t from = 0, to; from < rows->len; from = to) {
		for (to = from + 1; to < rows->len; to++) {
			if (strcmp(rows->user_id[to], rows->user_id[from]) != 0)
				break;
		}
		add_to_counters(
		    batch_find_user(batch, rows->user_id[from]), rows, from, to, batch->arena);
	}
}

/* The items to be rung, by user, from the mailbox rows. */
static void make_items(struct batch *batch, int64_t applied_us)
{
	for (size_t i = 0; i < batch->users_len; i++) {
		struct batch_user *user = &batch->users[i];

		user->items = arena_alloc(batch->arena, user->items_len * sizeof(Item *));
		user->items_len = 0;
	}
	for (size_t i = 0; i < batch->events_len; i++) {
		const struct batch_event *event = &batch->events[i];

		if (!batch_is_new(event) || event->stale)
			continue;
		for (size_t j = 0; j < event->plan.items_len; j++) {
			struct batch_user *user =
			    batch_find_user(batch, event->plan.items[j].user_id);

			user->items[user->items_len++] =
			    batch_item(&event->plan, event->plan.items[j].body,
				batch->mailbox.seq[event->first_row + j], applied_us, batch->arena);
		}
	}
}

void batch_number(struct batch *batch, int64_t first_body_id, int64_t applied_us)
{
	allocate_rows(batch);
	for (size_t i = 0; i < batch->events_len; i++) {
		struct batch_event *event = &batch->events[i];

		if (!batch_is_new(event))
			continue;
		batch->new_events++;
		batch->announcements += event->plan.announcement != NULL;
		number_states(batch, event);
		number_items(batch, event, first_body_id + (int64_t)batch->bodies.len);
		add_applied_row(batch, event);
	}
	for (size_t i = 0; i < batch->users_len; i++)
		batch->users[i].rev += batch->users[i].state_changed;
	count_unread(batch);
	move_counters(batch);
	make_items(batch, applied_us);
}
