/* Two lists of users and a tick. */
#include "sweep.h"

#include <stdlib.h>
#include <utlist.h>

#include "announcements.h"
#include "base/xalloc.h"
#include "calls.h"
#include "metrics.h"
#include "presence_report.h"
#include "socket.h"
#include "walletwire/v1/notifications.pb-c.h"

enum {
	TICK_MS = 250,
	FRESH_MS = 2000,
	HURRY_MS = 4000, /* a quick sweep is over within five seconds */
	BATCH_MAX = 500,
	ANSWER_ARENA_MAX = 4 << 20,
};

struct asked {
	struct asked_user {
		char *id;
		uint64_t position; /* when it was asked: a head below it is another history */
	} users[BATCH_MAX];
	size_t len;
};

static void asked_free(struct asked *asked)
{
	for (size_t i = 0; i < asked->len; i++)
		free(asked->users[i].id);
	free(asked);
}

static void compare(
    struct edge_loop *el, const struct asked *asked, const Walletwire__V1__HeadsReply *reply)
{
	for (size_t i = 0; i < reply->n_heads && i < asked->len; i++) {
		const Walletwire__V1__Head *head = reply->heads[i];
		struct user *user = user_find(el, head->user_id);

		/* answers stand in the order of the question */
		if (user && strcmp(asked->users[i].id, head->user_id) == 0 &&
		    user_on_head(
			user, reply->epoch, head->seq, head->rev, asked->users[i].position))
			count_sweep_finding();
	}
	announcements_learn(el, reply->announcement_seq);
}

/* Nobody answered: these users' turn comes again soon, not with the next round. */
static void ask_again(struct edge_loop *el, const struct asked *asked)
{
	for (size_t i = 0; i < asked->len; i++) {
		struct user *user = user_find(el, asked->users[i].id);

		if (!user)
			continue;
		sweep_remove(user);
		sweep_add(user);
	}
}

static void on_heads(struct edge_loop *el, void *arg, enum status s, struct bytes data)
{
	struct asked *asked = arg;
	Walletwire__V1__HeadsReply *reply;
	struct arena arena;

	arena_init(&arena, ANSWER_ARENA_MAX);
	reply = call_unpack(&arena, &walletwire__v1__heads_reply__descriptor, s, data);
	if (reply && !reply->error)
		compare(el, asked, reply);
	else
		ask_again(el, asked);
	arena_finish(&arena);
	asked_free(asked);
}

static void ask(struct edge_loop *el, struct asked *asked)
{
	Walletwire__V1__HeadsRequest request = WALLETWIRE__V1__HEADS_REQUEST__INIT;
	char *ids[BATCH_MAX];

	for (size_t i = 0; i < asked->len; i++)
		ids[i] = asked->users[i].id;
	request.user_ids = ids;
	request.n_user_ids = asked->len;
	count_sweep(asked->len);
	call_service(el, "ww.svc.notifications.heads", &request.base, on_heads, asked);
}

/* The next user whose turn it is: a fresh one that is due, else the head of the ring. */
static struct user *next_due(struct sweep *sweep, int64_t now_ms, size_t *quota)
{
	if (sweep->fresh && sweep->fresh->fresh_until_ms <= now_ms)
		return sweep->fresh;
	if (*quota == 0 || !sweep->ring)
		return NULL;
	(*quota)--;
	return sweep->ring;
}

static void to_ring_tail(struct user *user)
{
	struct socket *socket;

	DL_FOREACH (user->sockets, socket) {
		if (socket->state == SOCKET_LIVE)
			announcements_catch_up(socket); /* if an earlier question failed */
	}
	sweep_remove(user);
	DL_APPEND(user->el->sweep.ring, user);
	user->in_ring = true;
	user->el->sweep.ring_len++;
}

/* How much of the ring this tick asks, so that all of it is asked within its time. */
static size_t ring_quota(struct edge_loop *el, int64_t now_ms)
{
	struct sweep *sweep = &el->sweep;
	unsigned hurries = atomic_load(&el->edge->hurries);
	size_t within_ms, quota;

	if (hurries != sweep->hurries_seen) {
		sweep->hurries_seen = hurries;
		sweep->hurry_until_ms = now_ms + HURRY_MS;
		presence_report_whole(el); /* others may have missed something, too */
	}
	within_ms =
	    now_ms < sweep->hurry_until_ms ? HURRY_MS : (size_t)el->edge->cfg.sweep_interval_ms;
	/* what a tick can't ask for in whole users is carried over to the next */
	sweep->credit += sweep->ring_len * TICK_MS;
	quota = sweep->credit / within_ms;
	sweep->credit %= within_ms;
	return quota < sweep->ring_len ? quota : sweep->ring_len;
}

static void tick(void *arg)
{
	struct edge_loop *el = arg;
	int64_t now_ms = loop_now_ms(el->loop);
	size_t quota = ring_quota(el, now_ms);
	struct user *user = next_due(&el->sweep, now_ms, &quota);

	while (user) {
		struct asked *asked = xcalloc(1, sizeof(*asked));

		while (user && asked->len < BATCH_MAX) {
			asked->users[asked->len++] =
			    (struct asked_user){ xstrdup(user->id), user_position(user) };
			to_ring_tail(user);
			user = next_due(&el->sweep, now_ms, &quota);
		}
		ask(el, asked);
	}
	loop_timer_arm(el->loop, &el->sweep.timer, now_ms + TICK_MS, tick, el);
}

void sweep_start(struct edge_loop *el)
{
	loop_timer_arm(el->loop, &el->sweep.timer, loop_now_ms(el->loop) + TICK_MS, tick, el);
}

void sweep_stop(struct edge_loop *el)
{
	loop_timer_disarm(el->loop, &el->sweep.timer);
}

void sweep_add(struct user *user)
{
	struct edge_loop *el = user->el;

	user->fresh_until_ms = loop_now_ms(el->loop) + FRESH_MS;
	user->in_ring = false;
	DL_APPEND(el->sweep.fresh, user);
}

void sweep_remove(struct user *user)
{
	struct sweep *sweep = &user->el->sweep;

	if (user->in_ring) {
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it is in the list */
		DL_DELETE(sweep->ring, user);
		sweep->ring_len--;
	} else {
		DL_DELETE(sweep->fresh, user);
	}
}
