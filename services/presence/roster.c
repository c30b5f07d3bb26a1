/* Hashes of users and edges; lists for whatever is next. */
#include "roster.h"

#include <assert.h>
#include <stdlib.h>
#include <uthash.h>
#include <utlist.h>

#include "base/subject.h"
#include "base/xalloc.h"

enum {
	ASK_AGAIN_MS = 1000,
	LOOPS_MAX = 64, /* of an edge; what is said of more is not believed */
};

struct device {
	struct user *user;
	struct stream *stream;
	struct device *prev, *next;               /* of the user */
	struct device *stream_prev, *stream_next; /* of the stream */
	struct device *wish_prev, *wish_next;     /* of those with a wish */
	uint32_t sockets;
	uint32_t mark; /* the whole table that named it last */
	PresenceStatus status;
	bool has_wish;
	uint64_t wished_in; /* the number of the report that said so last */
};

struct stream {
	struct stream *next; /* of the edge */
	struct edge *edge;
	struct device *devices;
	uint32_t loop;
	uint32_t mark;     /* counts whole tables */
	uint64_t number;   /* the last one heard */
	bool is_complete;  /* a whole table has come, and nothing was missed since */
	bool is_receiving; /* parts of one are coming */
};

struct edge {
	UT_hash_handle hh;
	struct roster_edge shown;
	struct stream *streams;
	int64_t heard_at;
	int64_t asked_at;
	char id[];
};

struct user {
	UT_hash_handle hh;
	struct device *devices;
	struct user *prev, *next;                 /* of `leaving` or `gone` */
	struct user *changed_prev, *changed_next; /* of `changed` */
	int64_t left_at;                          /* the last device went */
	int64_t seen_us;                          /* the same by the wall clock */
	int64_t changed_at;                       /* the status did */
	PresenceStatus status;
	PresenceStatus told; /* UNSPECIFIED: nothing is known of that */
	bool is_changed;     /* it is in `changed` */
	bool is_leaving;     /* it is in `leaving`: without devices, in its grace */
	bool is_gone;        /* it is in `gone` */
	char id[];
};

/* A device that has had too many sockets since then; it may be gone by now. */
struct excess {
	struct excess *next;
	int64_t due;
	uint32_t loop;
	char *user_id, *edge;
};

struct roster {
	struct roster_config cfg;
	struct edge *edges;
	struct user *users;
	struct user *changed;
	struct user *leaving, *gone; /* the one that went first is first */
	struct device *wishes;
	struct excess *excess; /* likewise */
	size_t devices_len;
};

struct roster *roster_new(const struct roster_config *cfg)
{
	struct roster *roster = xcalloc(1, sizeof(*roster));

	roster->cfg = *cfg;
	return roster;
}

/* --- users --- */

static struct user *find_user(const struct roster *roster, const char *id)
{
	struct user *user;

	HASH_FIND_STR(roster->users, id, user);
	return user;
}

static struct user *find_or_add_user(struct roster *roster, const char *id)
{
	struct user *user = find_user(roster, id);
	size_t size = strlen(id) + 1;

	if (user)
		return user;
	user = xcalloc(1, sizeof(*user) + size);
	memcpy(user->id, id, size);
	user->status = user->told = PRESENCE(OFFLINE);
	HASH_ADD_STR(roster->users, id, user);
	return user;
}

static void forget_change(struct roster *roster, struct user *user)
{
	if (!user->is_changed)
		return;
	DL_DELETE2(roster->changed, user, changed_prev, changed_next);
	user->is_changed = false;
}

static void note_change(struct roster *roster, struct user *user)
{
	if (user->is_changed)
		return;
	DL_APPEND2(roster->changed, user, changed_prev, changed_next);
	user->is_changed = true;
}

/* Out of the list of those without devices. */
static void stay(struct roster *roster, struct user *user)
{
	if (user->is_leaving) /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it is in it */
		DL_DELETE(roster->leaving, user);
	if (user->is_gone) /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it is in it */
		DL_DELETE(roster->gone, user);
	user->is_leaving = user->is_gone = false;
}

static void free_user(struct roster *roster, struct user *user)
{
	assert(!user->devices);
	forget_change(roster, user);
	stay(roster, user);
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): unlinked before it is freed */
	HASH_DEL(roster->users, user);
	free(user);
}

static void set_status(struct roster *roster, struct user *user, PresenceStatus status, int64_t now)
{
	if (user->status == status)
		return;
	user->status = status;
	user->changed_at = now;
	note_change(roster, user);
}

/* Lower is better. */
static PresenceStatus best_of(const struct user *user)
{
	const struct device *device;
	PresenceStatus best = PRESENCE(OFFLINE);

	DL_FOREACH (user->devices, device) {
		if (device->status < best)
			best = device->status;
	}
	return best;
}

/* After anything about the user's devices has changed. */
static void settle(struct roster *roster, struct user *user, int64_t now, int64_t wall_us)
{
	if (user->devices) {
		stay(roster, user);
		set_status(roster, user, best_of(user), now);
		return;
	}
	if (user->is_leaving || user->is_gone)
		return;
	user->left_at = now;
	user->seen_us = wall_us;
	user->is_leaving = true;
	DL_APPEND(roster->leaving, user);
}

/* --- devices --- */

static struct device *find_device(const struct user *user, const struct stream *stream)
{
	struct device *device;

	DL_FOREACH (user->devices, device) {
		if (device->stream == stream)
			return device;
	}
	return NULL;
}

static void set_wish(struct roster *roster, struct device *device, bool has_wish)
{
	if (device->has_wish == has_wish)
		return;
	device->has_wish = has_wish;
	if (has_wish)
		DL_APPEND2(roster->wishes, device, wish_prev, wish_next);
	else
		DL_DELETE2(roster->wishes, device, wish_prev, wish_next);
}

/* The user may have none left: settle(). */
static struct user *remove_device(struct roster *roster, struct device *device)
{
	struct user *user = device->user;

	set_wish(roster, device, false);
	DL_DELETE2(device->stream->devices, device, stream_prev, stream_next);
	DL_DELETE(user->devices, device);
	roster->devices_len--;
	free(device);
	return user;
}

static struct device *add_device(struct roster *roster, struct user *user, struct stream *stream)
{
	struct device *device = xcalloc(1, sizeof(*device));

	device->user = user;
	device->stream = stream;
	DL_APPEND(user->devices, device);
	DL_APPEND2(stream->devices, device, stream_prev, stream_next);
	roster->devices_len++;
	return device;
}

static bool is_at(const struct device *device, const char *edge, uint32_t loop)
{
	return device->stream->loop == loop && strcmp(device->stream->edge->id, edge) == 0;
}

/* --- too many sockets --- */

static uint32_t sockets_of(const struct user *user)
{
	const struct device *device;
	uint32_t n = 0;

	DL_FOREACH (user->devices, device)
		n += device->sockets;
	return n;
}

/* One that recovers has two sockets for a moment, so it is looked at again a little later. */
static void note_excess(struct roster *roster, const struct device *device, int64_t now)
{
	struct excess *excess;

	if (sockets_of(device->user) <= roster->cfg.sockets_max)
		return;
	/* One for each user: the newest loop's. */
	LL_FOREACH (roster->excess, excess) {
		if (strcmp(excess->user_id, device->user->id) == 0)
			break;
	}
	if (excess) {
		free(excess->edge);
		excess->edge = xstrdup(device->stream->edge->id);
		excess->loop = device->stream->loop;
		return;
	}
	excess = xcalloc(1, sizeof(*excess));
	excess->due = now + roster->cfg.settle;
	excess->loop = device->stream->loop;
	excess->user_id = xstrdup(device->user->id);
	excess->edge = xstrdup(device->stream->edge->id);
	LL_APPEND(roster->excess, excess);
}

static void drop_excess(struct roster *roster)
{
	struct excess *first = roster->excess;

	LL_DELETE(roster->excess, first);
	free(first->user_id);
	free(first->edge);
	free(first);
}

/* --- edges and their streams --- */

static struct edge *find_or_add_edge(struct roster *roster, const char *id)
{
	struct edge *edge;
	size_t size = strlen(id) + 1;

	HASH_FIND_STR(roster->edges, id, edge);
	if (edge)
		return edge;
	edge = xcalloc(1, sizeof(*edge) + size);
	memcpy(edge->id, id, size);
	edge->shown.id = edge->id;
	edge->asked_at = INT64_MIN / 2;
	HASH_ADD_STR(roster->edges, id, edge);
	return edge;
}

static struct stream *find_or_add_stream(struct edge *edge, uint32_t loop)
{
	struct stream *stream;

	LL_SEARCH_SCALAR(edge->streams, stream, loop, loop);
	if (stream)
		return stream;
	stream = xcalloc(1, sizeof(*stream));
	stream->edge = edge;
	stream->loop = loop;
	LL_PREPEND(edge->streams, stream);
	return stream;
}

/* Devices that the newest whole table did not name; all of them with `all`. */
static void sweep_stream(
    struct roster *roster, struct stream *stream, bool all, int64_t now, int64_t wall_us)
{
	struct device *device, *next;

	DL_FOREACH_SAFE2(stream->devices, device, next, stream_next)
	{
		if (all || device->mark != stream->mark)
			settle(roster, remove_device(roster, device), now, wall_us);
	}
}

static void free_edge(struct roster *roster, struct edge *edge, int64_t now, int64_t wall_us)
{
	struct stream *stream, *next;

	LL_FOREACH_SAFE (edge->streams, stream, next) {
		sweep_stream(roster, stream, true, now, wall_us);
		free(stream);
	}
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): unlinked before it is freed */
	HASH_DEL(roster->edges, edge);
	free(edge);
}

/* --- what is heard --- */

static bool is_status(PresenceStatus status)
{
	return status == PRESENCE(ONLINE) || status == PRESENCE(AWAY);
}

/* The last socket has gone, of somebody who may be unknown. */
static void hear_last(struct roster *roster, const struct stream *stream, const char *user_id,
    int64_t now, int64_t wall_us)
{
	const struct user *user = find_user(roster, user_id);
	struct device *device = user ? find_device(user, stream) : NULL;

	if (device)
		settle(roster, remove_device(roster, device), now, wall_us);
}

static void hear_sockets(struct roster *roster, struct stream *stream,
    const Walletwire__V1__PresenceReportUser *said, int64_t now, int64_t wall_us)
{
	struct user *user = find_or_add_user(roster, said->user_id);
	struct device *device = find_device(user, stream);
	uint32_t before;

	if (!device)
		device = add_device(roster, user, stream);
	before = device->sockets;
	device->sockets = said->sockets;
	device->status = said->status;
	device->mark = stream->mark;
	if (said->wants_friends) {
		set_wish(roster, device, true);
		device->wished_in = stream->number;
	}
	settle(roster, user, now, wall_us);
	if (device->sockets > before)
		note_excess(roster, device, now);
}

static void hear_user(struct roster *roster, struct stream *stream,
    const Walletwire__V1__PresenceReportUser *said, int64_t now, int64_t wall_us)
{
	size_t len = strlen(said->user_id);

	if (len == 0 || len > SUBJECT_ID_MAX)
		return;
	if (said->sockets == 0)
		hear_last(roster, stream, said->user_id, now, wall_us);
	else if (is_status(said->status))
		hear_sockets(roster, stream, said, now, wall_us);
}

/* Does the report follow the one before? Repeated numbers are heartbeats. */
static bool follows(const struct stream *stream, const Walletwire__V1__PresenceReport *report)
{
	if (report->whole && report->first)
		return true;
	if (report->n_users == 0 && !report->whole)
		return report->number == stream->number;
	return report->number == stream->number + 1;
}

static void note_number(struct stream *stream, const Walletwire__V1__PresenceReport *report)
{
	if (!follows(stream, report))
		stream->is_complete = stream->is_receiving = false;
	stream->number = report->number;
	if (report->whole && report->first) {
		stream->mark++;
		stream->is_receiving = true;
	}
}

static void note_end(struct roster *roster, struct stream *stream,
    const Walletwire__V1__PresenceReport *report, int64_t now, int64_t wall_us)
{
	if (!report->whole || !report->last || !stream->is_receiving)
		return;
	sweep_stream(roster, stream, false, now, wall_us);
	stream->is_receiving = false;
	stream->is_complete = true;
}

static bool is_in_order(struct edge *edge, const struct stream *stream, int64_t now)
{
	if (stream->is_complete || stream->is_receiving || now - edge->asked_at < ASK_AGAIN_MS)
		return true;
	edge->asked_at = now;
	return false;
}

bool roster_hear(struct roster *roster, const Walletwire__V1__PresenceReport *report, int64_t now,
    int64_t wall_us)
{
	struct stream *stream;
	struct edge *edge;

	if (!report->edge[0] || strlen(report->edge) > SUBJECT_ID_MAX || report->loop >= LOOPS_MAX)
		return true;
	edge = find_or_add_edge(roster, report->edge);
	edge->heard_at = now;
	stream = find_or_add_stream(edge, report->loop);
	if (report->leaving) {
		sweep_stream(roster, stream, true, now, wall_us);
		stream->is_complete = true;
		stream->number = report->number;
		return true;
	}
	note_number(stream, report);
	for (size_t i = 0; i < report->n_users; i++)
		hear_user(roster, stream, report->users[i], now, wall_us);
	note_end(roster, stream, report, now, wall_us);
	return is_in_order(edge, stream, now);
}

/* --- what follows from the time --- */

static void end_graces(struct roster *roster, int64_t now)
{
	struct user *user;

	while ((user = roster->leaving) && now - user->left_at >= roster->cfg.grace) {
		DL_DELETE(roster->leaving, user);
		user->is_leaving = false;
		user->is_gone = true;
		DL_APPEND(roster->gone, user);
		set_status(roster, user, PRESENCE(OFFLINE), now);
	}
	/* Whoever is first went first: if that one has to be told yet, the others wait with it. */
	while ((user = roster->gone) && !user->is_changed &&
	       now - user->changed_at >= roster->cfg.keep)
		free_user(roster, user);
}

void roster_tick(struct roster *roster, int64_t now, int64_t wall_us)
{
	struct edge *edge, *next;

	HASH_ITER (hh, roster->edges, edge, next) {
		int64_t silent = now - edge->heard_at;

		/* They were seen when it was heard last; the grace begins now. */
		if (silent >= roster->cfg.silence)
			free_edge(roster, edge, now, wall_us - silent * 1000);
	}
	end_graces(roster, now);
}

void roster_excuse(struct roster *roster, int64_t now)
{
	struct edge *edge, *next;

	HASH_ITER (hh, roster->edges, edge, next)
		edge->heard_at = now;
}

void roster_free(struct roster *roster)
{
	struct edge *edge, *next;
	struct user *user, *next_user;

	if (!roster)
		return;
	HASH_ITER (hh, roster->edges, edge, next)
		free_edge(roster, edge, 0, 0);
	HASH_ITER (hh, roster->users, user, next_user)
		free_user(roster, user);
	while (roster->excess)
		drop_excess(roster);
	free(roster);
}

/* --- what is known --- */

PresenceStatus roster_status(const struct roster *roster, const char *user_id, int64_t *ret_seen_us)
{
	const struct user *user = find_user(roster, user_id);

	*ret_seen_us = user && user->status == PRESENCE(OFFLINE) ? user->seen_us : 0;
	return user ? user->status : PRESENCE(OFFLINE);
}

size_t roster_users(const struct roster *roster)
{
	return HASH_COUNT(roster->users);
}

size_t roster_devices(const struct roster *roster)
{
	return roster->devices_len;
}

/* --- what is to be told --- */

size_t roster_take_changed(
    struct roster *roster, struct arena *arena, size_t max, const char **ret_users)
{
	size_t n = 0;

	while (roster->changed && n < max) {
		struct user *user = roster->changed;

		ret_users[n++] = arena_strdup(arena, user->id);
		forget_change(roster, user);
	}
	return n;
}

size_t roster_take_wishes(
    struct roster *roster, struct arena *arena, size_t max, struct roster_wish *ret_wishes)
{
	size_t n = 0;

	while (roster->wishes && n < max) {
		struct device *device = roster->wishes;

		ret_wishes[n++] = (struct roster_wish){ arena_strdup(arena, device->user->id),
			arena_strdup(arena, device->stream->edge->id), device->stream->loop,
			device->wished_in };
		set_wish(roster, device, false);
	}
	return n;
}

static uint32_t excess_now(const struct roster *roster, const struct excess *excess)
{
	const struct user *user = find_user(roster, excess->user_id);
	const struct device *device;
	uint32_t sockets = user ? sockets_of(user) : 0;
	uint32_t too_many =
	    sockets > roster->cfg.sockets_max ? sockets - roster->cfg.sockets_max : 0;

	if (!too_many)
		return 0;
	DL_FOREACH (user->devices, device) {
		if (is_at(device, excess->edge, excess->loop))
			return too_many < device->sockets ? too_many : device->sockets;
	}
	return 0;
}

size_t roster_take_excess(struct roster *roster, struct arena *arena, int64_t now, size_t max,
    struct roster_excess *ret_excess)
{
	size_t n = 0;

	while (roster->excess && roster->excess->due <= now && n < max) {
		const struct excess *first = roster->excess;
		uint32_t sockets = excess_now(roster, first);

		if (sockets > 0)
			ret_excess[n++] =
			    (struct roster_excess){ arena_strdup(arena, first->user_id),
				    arena_strdup(arena, first->edge), first->loop, sockets };
		drop_excess(roster);
	}
	return n;
}

void roster_give_back(struct roster *roster, const char *const *users, size_t users_len,
    const struct roster_wish *wishes, size_t wishes_len)
{
	for (size_t i = 0; i < users_len; i++) {
		struct user *user = find_user(roster, users[i]);

		if (user)
			note_change(roster, user);
	}
	for (size_t i = 0; i < wishes_len; i++) {
		struct user *user = find_user(roster, wishes[i].user_id);
		struct device *device;

		if (!user)
			continue;
		DL_FOREACH (user->devices, device) {
			if (is_at(device, wishes[i].edge, wishes[i].loop))
				set_wish(roster, device, true);
		}
	}
}

void roster_forget(struct roster *roster)
{
	while (roster->changed) {
		roster->changed->told = roster->changed->status;
		forget_change(roster, roster->changed);
	}
	while (roster->wishes)
		set_wish(roster, roster->wishes, false);
	while (roster->excess)
		drop_excess(roster);
}

void roster_doubt(struct roster *roster, int64_t since)
{
	struct user *user, *next;

	HASH_ITER (hh, roster->users, user, next) {
		if (user->changed_at < since)
			continue;
		user->told = PRESENCE(UNSPECIFIED);
		note_change(roster, user);
	}
}

void roster_recount(struct roster *roster, int64_t now)
{
	struct user *user, *next;

	HASH_ITER (hh, roster->users, user, next) {
		/* The list's head knows its end: the device that came last. */
		if (user->devices)
			note_excess(roster, user->devices->prev, now);
	}
}

bool roster_tell(struct roster *roster, const char *user_id, PresenceStatus status)
{
	struct user *user = find_user(roster, user_id);

	if (!user || user->told == status)
		return false;
	user->told = status;
	return true;
}

void roster_tell_some(struct roster *roster, const char *user_id, PresenceStatus status)
{
	struct user *user = find_user(roster, user_id);

	if (!user || user->told == status)
		return;
	user->told = PRESENCE(UNSPECIFIED);
	note_change(roster, user);
}

void roster_each_edge(struct roster *roster, roster_edge_fn fn, void *arg)
{
	struct edge *edge, *next;

	HASH_ITER (hh, roster->edges, edge, next)
		fn(arg, &edge->shown);
}

/* Is there no device before this one at the same edge? */
static bool is_first_at_edge(const struct user *user, const struct device *device)
{
	const struct device *other;

	DL_FOREACH (user->devices, other) {
		if (other == device)
			return true;
		if (other->stream->edge == device->stream->edge)
			return false;
	}
	return true;
}

void roster_each_edge_of(struct roster *roster, const char *user_id, roster_edge_fn fn, void *arg)
{
	struct user *user = find_user(roster, user_id);
	struct device *device;

	if (!user)
		return;
	DL_FOREACH (user->devices, device) {
		if (is_first_at_edge(user, device))
			fn(arg, &device->stream->edge->shown);
	}
}

struct roster_edge *roster_edge_of(struct roster *roster, const char *user_id, const char *edge_id)
{
	struct user *user = find_user(roster, user_id);
	struct device *device;

	DL_FOREACH (user ? user->devices : NULL, device) {
		if (strcmp(device->stream->edge->id, edge_id) == 0)
			return &device->stream->edge->shown;
	}
	return NULL;
}
