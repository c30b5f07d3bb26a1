/*
 * Whether the edges that polls wait for are still there. An edge that is killed says nothing, and
 * its clients would find out by a ping that does not come, 45 s later. While anybody waits for an
 * edge it is asked once a second for a sign of life: one question, however many wait. NATS knows at
 * once that nobody listens there any more; twice in a row, since an edge is also away for a moment
 * when NATS itself was restarted.
 */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "calls.h"
#include "relay.h"

enum {
	ASK_EVERY_MS = 1000,
	MISSES_MAX = 2,
};

struct peer {
	UT_hash_handle hh;
	struct edge_loop *el;
	size_t waiting;
	unsigned misses; /* in a row */
	struct loop_timer timer;
	char sid[ENGINE_SID_SIZE]; /* of some session there: it names the loop that answers */
	char id[ENGINE_ID_MAX + 1];
};

static void ask(void *arg);

static struct peer *peer_find(struct edge_loop *el, const char *id)
{
	struct peer *peer;

	HASH_FIND_STR(el->peers, id, peer);
	return peer;
}

static void ask_soon(struct peer *peer)
{
	struct loop *loop = peer->el->loop;

	loop_timer_arm(loop, &peer->timer, loop_now_ms(loop) + ASK_EVERY_MS, ask, peer);
}

/* A question that could not be asked says nothing about the other edge. */
static void on_sign(struct edge_loop *el, void *arg, enum status s, struct bytes data)
{
	char *id = arg;
	struct peer *peer = peer_find(el, id);
	bool is_miss = s == STATUS_UNAVAILABLE && !edge_doubts_bus(el->edge);

	(void)data;
	if (peer) {
		peer->misses = is_miss ? peer->misses + 1 : 0;
		if (peer->misses < MISSES_MAX)
			ask_soon(peer);
		else
			relay_on_edge_gone(el, id); /* with the last that waits the peer goes */
	}
	free(id);
}

static void ask(void *arg)
{
	struct peer *peer = arg;
	Walletwire__V1__RelayRequest request = WALLETWIRE__V1__RELAY_REQUEST__INIT;
	char subject[RELAY_SUBJECT_SIZE];

	request.sid = peer->sid;
	request.edge = peer->el->edge->id;
	if (!relay_subject(peer->id, "alive", subject))
		abort(); /* the front lets no other id in */
	call_within(peer->el, subject, &request.base, ASK_EVERY_MS, on_sign, xstrdup(peer->id));
}

void relay_watch(struct edge_loop *el, const char *sid)
{
	char id[ENGINE_ID_MAX + 1];
	struct peer *peer;

	(void)engine_server_of(sid, id);
	peer = peer_find(el, id);
	if (!peer) {
		peer = xcalloc(1, sizeof(*peer));
		peer->el = el;
		memcpy(peer->id, id, sizeof(id));
		memcpy(peer->sid, sid, strlen(sid) + 1);
		HASH_ADD_STR(el->peers, id, peer);
		ask_soon(peer);
	}
	peer->waiting++;
}

void relay_unwatch(struct edge_loop *el, const char *sid)
{
	char id[ENGINE_ID_MAX + 1];
	struct peer *peer;

	(void)engine_server_of(sid, id);
	peer = peer_find(el, id);
	if (--peer->waiting > 0)
		return;
	loop_timer_disarm(el->loop, &peer->timer);
	HASH_DEL(el->peers, peer);
	free(peer);
}
