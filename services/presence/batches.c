/* One batch under construction for each edge. */
#include "batches.h"

#include <utlist.h>

#include "base/message.h"

typedef Walletwire__V1__PresenceBatch Batch;
typedef Walletwire__V1__PresenceChange Change;

struct batch_out {
	struct batch_out *next;
	struct roster_edge *edge;
	Batch *batch;
	size_t bytes;
	size_t friends_room, changes_room, excess_room, watchers_room;
};

void batches_begin(struct batches *batches)
{
	batches->outs = NULL;
	batches->messages = NULL;
	batches->messages_len = 0;
}

/* A list of pointers with room for one more. */
static void *grown(struct arena *arena, void *list, size_t len, size_t *room)
{
	void **more;

	if (len < *room)
		return list;
	*room = *room ? *room * 2 : 8;
	more = arena_alloc(arena, *room * sizeof(*more));
	if (len > 0)
		memcpy(more, list, len * sizeof(*more));
	return more;
}

static void begin_batch(struct batches *batches, struct batch_out *out)
{
	out->batch = MESSAGE_NEW(batches->arena, presence_batch);
	out->bytes = 0;
	out->friends_room = out->changes_room = out->excess_room = out->watchers_room = 0;
}

static bool is_empty(const Batch *batch)
{
	return batch->n_friends + batch->n_changes + batch->n_excess == 0;
}

/* A heartbeat repeats the number of the batch before it. */
static void end_batch(struct batches *batches, struct batch_out *out, bool is_first)
{
	struct batch_message *message = arena_alloc(batches->arena, sizeof(*message));
	Batch *batch = out->batch;

	/* One that is back after a silence remembers numbers of this generation: it has to see a
	 * gap. */
	if (is_first && !out->edge->was_there)
		out->edge->number = *batches->highest;
	if (is_first || !is_empty(batch))
		out->edge->number++;
	if (out->edge->number > *batches->highest)
		*batches->highest = out->edge->number;
	batch->generation = batches->generation;
	batch->number = out->edge->number;
	batch->anew = batches->anew && is_first;
	message->edge = arena_strdup(batches->arena, out->edge->id);
	message->data = message_pack(&batch->base, batches->arena);
	message->next = NULL;
	LL_PREPEND(batches->messages, message);
	batches->messages_len++;
	out->edge->told_at = batches->now;
}

static struct batch_out *out_of(struct batches *batches, struct roster_edge *edge)
{
	struct batch_out *out = edge->out;

	if (out)
		return out;
	out = arena_alloc(batches->arena, sizeof(*out));
	out->edge = edge;
	begin_batch(batches, out);
	LL_PREPEND(batches->outs, out);
	edge->out = out;
	/* A generation begins with an empty batch: of one with words in it an edge could not tell
	 * a heartbeat that repeats its number from the batch itself. */
	if (edge->number == 0) {
		end_batch(batches, out, /* is_first= */ true);
		begin_batch(batches, out);
	}
	return out;
}

static void make_room(struct batches *batches, struct batch_out *out, size_t bytes)
{
	if (out->bytes > 0 && out->bytes + bytes > BATCHES_BYTES_MAX) {
		end_batch(batches, out, /* is_first= */ false);
		begin_batch(batches, out);
	}
	out->bytes += bytes;
}

/* --- lists of friends --- */

struct delivery {
	struct batches *batches;
	const char *edge; /* the only one it is for */
	Walletwire__V1__PresenceFriends *friends;
	size_t bytes;
	PresenceUpdate *update;
	const char *watcher;
	Walletwire__V1__PresenceExcess *excess;
};

static void add_friends(void *arg, struct roster_edge *edge)
{
	const struct delivery *d = arg;
	struct batch_out *out;

	if (strcmp(edge->id, d->edge) != 0)
		return;
	out = out_of(d->batches, edge);
	make_room(d->batches, out, d->bytes);
	out->batch->friends = grown(d->batches->arena, (void *)out->batch->friends,
	    out->batch->n_friends, &out->friends_room);
	out->batch->friends[out->batch->n_friends++] = d->friends;
}

void batches_friends(
    struct batches *batches, const struct roster_wish *wish, PresenceUpdate **users, size_t len)
{
	struct delivery d = { .batches = batches, .edge = wish->edge };

	d.friends = MESSAGE_NEW(batches->arena, presence_friends);
	d.friends->user_id = arena_strdup(batches->arena, wish->user_id);
	d.friends->users = users;
	d.friends->n_users = len;
	d.bytes = protobuf_c_message_get_packed_size(&d.friends->base);
	roster_each_edge_of(batches->roster, wish->user_id, add_friends, &d);
}

/* --- changes --- */

static Change *change_of(struct delivery *d, struct batch_out *out)
{
	Batch *batch = out->batch;
	Change *last = batch->n_changes > 0 ? batch->changes[batch->n_changes - 1] : NULL;

	if (last && last->update == d->update)
		return last;
	last = MESSAGE_NEW(d->batches->arena, presence_change);
	last->update = d->update;
	out->bytes += d->bytes;
	out->watchers_room = 0;
	batch->changes =
	    grown(d->batches->arena, (void *)batch->changes, batch->n_changes, &out->changes_room);
	batch->changes[batch->n_changes++] = last;
	return last;
}

static void add_change(void *arg, struct roster_edge *edge)
{
	struct delivery *d = arg;
	struct batch_out *out = out_of(d->batches, edge);
	Change *change;

	make_room(d->batches, out, strlen(d->watcher) + 4);
	change = change_of(d, out);
	change->watchers = grown(
	    d->batches->arena, (void *)change->watchers, change->n_watchers, &out->watchers_room);
	change->watchers[change->n_watchers++] = arena_strdup(d->batches->arena, d->watcher);
}

void batches_change(struct batches *batches, PresenceUpdate *update, const char *watcher)
{
	struct delivery d = { .batches = batches, .update = update, .watcher = watcher };

	d.bytes = protobuf_c_message_get_packed_size(&update->base) + 8;
	roster_each_edge_of(batches->roster, watcher, add_change, &d);
}

/* --- too many sockets --- */

static void add_excess(void *arg, struct roster_edge *edge)
{
	const struct delivery *d = arg;
	struct batch_out *out;

	if (strcmp(edge->id, d->edge) != 0)
		return;
	out = out_of(d->batches, edge);
	make_room(d->batches, out, d->bytes);
	out->batch->excess = grown(
	    d->batches->arena, (void *)out->batch->excess, out->batch->n_excess, &out->excess_room);
	out->batch->excess[out->batch->n_excess++] = d->excess;
}

void batches_excess(struct batches *batches, const struct roster_excess *excess)
{
	struct delivery d = { .batches = batches, .edge = excess->edge };

	d.excess = MESSAGE_NEW(batches->arena, presence_excess);
	d.excess->user_id = arena_strdup(batches->arena, excess->user_id);
	d.excess->loop = excess->loop;
	d.excess->sockets = excess->sockets;
	d.bytes = protobuf_c_message_get_packed_size(&d.excess->base) + 8;
	roster_each_edge_of(batches->roster, excess->user_id, add_excess, &d);
}

/* --- the end --- */

struct heartbeats {
	struct batches *batches;
	int64_t before;
};

static void add_heartbeat(void *arg, struct roster_edge *edge)
{
	struct heartbeats *heartbeats = arg;

	if (!edge->out && (edge->number == 0 || edge->told_at <= heartbeats->before))
		(void)out_of(heartbeats->batches, edge);
}

void batches_end(struct batches *batches, int64_t heartbeat)
{
	struct heartbeats heartbeats = { batches, batches->now - heartbeat };
	struct batch_message *reversed = NULL, *message, *next;
	struct batch_out *out;

	roster_each_edge(batches->roster, add_heartbeat, &heartbeats);
	LL_FOREACH (batches->outs, out) {
		/* A first batch of now is a sign of life, too. */
		if (!is_empty(out->batch) || out->edge->told_at < batches->now)
			end_batch(batches, out, /* is_first= */ false);
		out->edge->out = NULL;
	}
	LL_FOREACH_SAFE (batches->messages, message, next)
		LL_PREPEND(reversed, message);
	batches->messages = reversed;
}
