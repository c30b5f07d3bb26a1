/* A hash of subjects to bit masks of loops and, of users, lists of sockets. */
#include "hub.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#include "announcements.h"
#include "base/subject.h"
#include "base/xalloc.h"
#include "delivery.h"
#include "presence_batch.h"
#include "presence_show.h"
#include "rooms.h"
#include "user.h"

/* A loop that is so far behind is told to look for what it missed instead. */
enum { POSTED_MAX = 100000 };

#define ALL_SUBJECT "ww.rt.all"

static const char *const prefixes[] = {
	[HUB_USER] = "ww.rt.user.",
	[HUB_ROOM] = "ww.rt.room.",
};

/* The sockets of one id. */
struct seat {
	struct seat *next;
	unsigned sockets;
	char sid[ID_SIZE];
};

struct interest {
	UT_hash_handle hh;
	uint64_t loops; /* one bit each */
	struct seat *seats;
	int64_t seats_len;
	char subject[];
};

struct hub {
	struct edge *edge;
	pthread_mutex_t lock;
	struct interest *table; /* guarded by lock */
};

struct crossing {
	struct edge_loop *el;
	struct shared *msg;
	void (*take)(struct edge_loop *el, struct shared *msg);
};

struct hub *hub_new(struct edge *edge)
{
	struct hub *hub = xcalloc(1, sizeof(*hub));

	hub->edge = edge;
	(void)pthread_mutex_init(&hub->lock, NULL);
	return hub;
}

static void subject_of(
    enum hub_topic topic, const char *token, char ret_subject[static SUBJECT_SIZE])
{
	(void)snprintf(ret_subject, SUBJECT_SIZE, "%s%s", prefixes[topic], token);
}

static struct interest *find(const struct hub *hub, const char *subject)
{
	struct interest *interest;

	HASH_FIND_STR(hub->table, subject, interest);
	return interest;
}

static struct interest *find_user(const struct hub *hub, const char *token)
{
	char subject[SUBJECT_SIZE];

	subject_of(HUB_USER, token, subject);
	return find(hub, subject);
}

static struct interest *find_or_add(struct hub *hub, const char *subject)
{
	struct interest *interest = find(hub, subject);
	size_t size = strlen(subject) + 1;

	if (interest)
		return interest;
	interest = xcalloc(1, sizeof(*interest) + size);
	memcpy(interest->subject, subject, size);
	HASH_ADD_STR(hub->table, subject, interest);
	return interest;
}

static void drop_if_unused(struct hub *hub, struct interest *interest)
{
	if (interest->loops || interest->seats)
		return;
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): unlinked before it is freed */
	HASH_DEL(hub->table, interest);
	free(interest);
}

/* After the loops have ended: nobody wants anything any more. */
void hub_free(struct hub *hub)
{
	if (!hub)
		return;
	assert(!hub->table);
	(void)pthread_mutex_destroy(&hub->lock);
	free(hub);
}

void hub_want(struct hub *hub, enum hub_topic topic, const char *token, size_t loop_index)
{
	char subject[SUBJECT_SIZE];

	subject_of(topic, token, subject);
	(void)pthread_mutex_lock(&hub->lock);
	find_or_add(hub, subject)->loops |= UINT64_C(1) << loop_index;
	(void)pthread_mutex_unlock(&hub->lock);
	bus_port_want(hub->edge->port, subject);
}

void hub_unwant(struct hub *hub, enum hub_topic topic, const char *token, size_t loop_index)
{
	char subject[SUBJECT_SIZE];
	struct interest *interest;

	subject_of(topic, token, subject);
	(void)pthread_mutex_lock(&hub->lock);
	interest = find(hub, subject);
	if (interest) {
		interest->loops &= ~(UINT64_C(1) << loop_index);
		drop_if_unused(hub, interest);
	}
	(void)pthread_mutex_unlock(&hub->lock);
	bus_port_unwant(hub->edge->port, subject);
}

static struct seat *seat_of(const struct interest *interest, const char *sid)
{
	struct seat *seat;

	LL_FOREACH (interest->seats, seat) {
		if (strcmp(seat->sid, sid) == 0)
			return seat;
	}
	return NULL;
}

static struct seat *add_seat(struct interest *interest, const char *sid)
{
	struct seat *seat = xcalloc(1, sizeof(*seat));

	(void)snprintf(seat->sid, sizeof(seat->sid), "%s", sid);
	LL_PREPEND(interest->seats, seat);
	interest->seats_len++;
	return seat;
}

bool hub_enter(struct hub *hub, const char *token, const char *sid)
{
	char subject[SUBJECT_SIZE];
	struct interest *interest;
	struct seat *seat;

	subject_of(HUB_USER, token, subject);
	(void)pthread_mutex_lock(&hub->lock);
	interest = find_or_add(hub, subject);
	seat = seat_of(interest, sid);
	if (!seat && interest->seats_len < hub->edge->cfg.max_user_sockets)
		seat = add_seat(interest, sid);
	if (seat)
		seat->sockets++;
	drop_if_unused(hub, interest);
	(void)pthread_mutex_unlock(&hub->lock);
	return seat != NULL;
}

void hub_leave(struct hub *hub, const char *token, const char *sid)
{
	struct interest *interest;
	struct seat *seat;

	(void)pthread_mutex_lock(&hub->lock);
	interest = find_user(hub, token);
	seat = interest ? seat_of(interest, sid) : NULL;
	assert(seat);
	if (--seat->sockets == 0) {
		LL_DELETE(interest->seats, seat);
		interest->seats_len--;
		free(seat);
		drop_if_unused(hub, interest);
	}
	(void)pthread_mutex_unlock(&hub->lock);
}

static bool is_of(const char *subject, const char *prefix)
{
	return strncmp(subject, prefix, strlen(prefix)) == 0;
}

static uint64_t loops_of(struct hub *hub, const char *subject)
{
	struct interest *interest;
	uint64_t loops = 0;

	if (strcmp(subject, ALL_SUBJECT) == 0 || is_of(subject, PRESENCE_SUBJECT))
		return UINT64_MAX;
	(void)pthread_mutex_lock(&hub->lock);
	interest = find(hub, subject);
	if (interest)
		loops = interest->loops;
	(void)pthread_mutex_unlock(&hub->lock);
	return loops;
}

static void take_doorbell(struct edge_loop *el, struct shared *msg)
{
	const struct delivery *delivery = delivery_of(msg);

	if (delivery && delivery->room_id[0])
		rooms_on_delivery(el, delivery);
	else if (delivery && delivery->user_id[0])
		user_on_delivery(el, msg, delivery);
	else if (delivery)
		announcements_on_delivery(el, delivery);
}

static void arrive(void *arg)
{
	struct crossing *crossing = arg;

	crossing->take(crossing->el, crossing->msg);
	shared_unref(crossing->msg);
	atomic_fetch_sub(&crossing->el->posted, 1);
	free(crossing);
}

static void cross(struct edge_loop *el, struct shared *msg,
    void (*take)(struct edge_loop *el, struct shared *msg))
{
	struct crossing *crossing;

	if (atomic_fetch_add(&el->posted, 1) >= POSTED_MAX) {
		atomic_fetch_sub(&el->posted, 1);
		atomic_fetch_add(&el->edge->hurries, 1);
		return;
	}
	crossing = xmalloc(sizeof(*crossing));
	*crossing = (struct crossing){ el, shared_ref(msg), take };
	loop_post(el->loop, arrive, crossing);
}

void hub_on_msg(void *arg, struct bus_msg *msg)
{
	struct hub *hub = arg;
	uint64_t loops = loops_of(hub, bus_msg_subject(msg));
	bool is_batch = is_of(bus_msg_subject(msg), PRESENCE_SUBJECT);
	struct shared *shared;

	if (!loops)
		return;
	shared = is_batch ? presence_batch_new(msg) : delivery_new(msg);
	for (size_t i = 0; i < hub->edge->loops_len; i++) {
		if (loops >> i & 1)
			cross(
			    &hub->edge->loops[i], shared, is_batch ? presence_show : take_doorbell);
	}
	shared_unref(shared);
}
