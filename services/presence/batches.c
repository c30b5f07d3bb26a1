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
	DL_APPEND(batches->messages, message);
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

/* --- for one edge --- */

/* Where this many bytes for a user go; NULL: nowhere any more. */
static struct batch_out *out_with_room(
    struct batches *batches, const char *user_id, const char *edge_id, size_t bytes)
{
	struct roster_edge *edge = roster_edge_of(batches->roster, user_id, edge_id);
	struct batch_out *out = edge ? out_of(batches, edge) : NULL;

	if (out)
		make_room(batches, out, bytes);
	return out;
}

void batches_friends(
    struct batches *batches, const struct roster_wish *wish, PresenceUpdate **users, size_t len)
{
	Walletwire__V1__PresenceFriends *friends = MESSAGE_NEW(batches->arena, presence_friends);
	struct batch_out *out;

	friends->user_id = arena_strdup(batches->arena, wish->user_id);
	friends->users = users;
	friends->n_users = len;
	friends->loop = wish->loop;
	friends->report = wish->report;
	out = out_with_room(
	    batches, wish->user_id, wish->edge, protobuf_c_message_get_packed_size(&friends->base));
	if (!out)
		return;
	out->batch->friends = grown(
	    batches->arena, (void *)out->batch->friends, out->batch->n_friends, &out->friends_room);
	out->batch->friends[out->batch->n_friends++] = friends;
}

void batches_excess(struct batches *batches, const struct roster_excess *told)
{
	Walletwire__V1__PresenceExcess *excess = MESSAGE_NEW(batches->arena, presence_excess);
	struct batch_out *out;

	excess->user_id = arena_strdup(batches->arena, told->user_id);
	excess->loop = told->loop;
	excess->sockets = told->sockets;
	out = out_with_room(batches, told->user_id, told->edge,
	    protobuf_c_message_get_packed_size(&excess->base) + 8);
	if (!out)
		return;
	out->batch->excess = grown(
	    batches->arena, (void *)out->batch->excess, out->batch->n_excess, &out->excess_room);
	out->batch->excess[out->batch->n_excess++] = excess;
}

/* --- for every edge of a watcher --- */

struct telling {
	struct batches *batches;
	PresenceUpdate *update;
	size_t bytes; /* of the update */
	const char *watcher;
};

static Change *change_of(struct telling *t, struct batch_out *out)
{
	Batch *batch = out->batch;
	Change *last = batch->n_changes > 0 ? batch->changes[batch->n_changes - 1] : NULL;

	if (last && last->update == t->update)
		return last;
	last = MESSAGE_NEW(t->batches->arena, presence_change);
	last->update = t->update;
	out->bytes += t->bytes;
	out->watchers_room = 0;
	batch->changes =
	    grown(t->batches->arena, (void *)batch->changes, batch->n_changes, &out->changes_room);
	batch->changes[batch->n_changes++] = last;
	return last;
}

static void add_change(void *arg, struct roster_edge *edge)
{
	struct telling *t = arg;
	struct batch_out *out = out_of(t->batches, edge);
	Change *change;

	make_room(t->batches, out, strlen(t->watcher) + 4);
	change = change_of(t, out);
	change->watchers = grown(
	    t->batches->arena, (void *)change->watchers, change->n_watchers, &out->watchers_room);
	change->watchers[change->n_watchers++] = arena_strdup(t->batches->arena, t->watcher);
}

void batches_change(struct batches *batches, PresenceUpdate *update, const char *watcher)
{
	struct telling t = { .batches = batches, .update = update, .watcher = watcher };

	t.bytes = protobuf_c_message_get_packed_size(&update->base) + 8;
	roster_each_edge_of(batches->roster, watcher, add_change, &t);
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
	struct batch_out *out;

	roster_each_edge(batches->roster, add_heartbeat, &heartbeats);
	LL_FOREACH (batches->outs, out) {
		/* A first batch of now is a sign of life, too. */
		if (!is_empty(out->batch) || out->edge->told_at < batches->now)
			end_batch(batches, out, /* is_first= */ false);
		out->edge->out = NULL;
	}
}
