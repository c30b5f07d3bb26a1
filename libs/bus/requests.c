/*
 * Questions without an answer yet: one inbox subscription for all of them, a table of slots, and a
 * heap of deadlines. nats.c's own request call would hold a thread for each question.
 *
 * A reply's subject ends in "<slot>-<generation>"; a reply that comes too late names a generation
 * that is gone. Replies are told on the delivery thread, in order with all other messages; what was
 * not answered is told by a thread that never waits for nats.c's connection lock, so that deadlines
 * hold while a reconnect blocks everything else.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "bus/internal.h"

enum {
	INBOX_PENDING_BYTES = 64 << 20,
	FIRST_SLOTS = 64,
};

struct slot {
	bool used;
	uint32_t generation;
	uint32_t next_free; /* slot number + 1, 0: none */
	size_t heap_at;     /* where its deadline is */
	int64_t deadline_ms;
	enum status at_deadline; /* what is told then */
	bus_reply_fn fn;
	void *arg;
	struct request_group *group;
};

struct requests {
	struct bus *bus;
	natsSubscription *inbox;
	char prefix[INBOX_SIZE]; /* "_INBOX.<user>.<random>." */
	struct gate *gate;       /* to take_reply() */
	pthread_t thread;        /* of deadlines */

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t wake;  /* an earlier deadline, or stopping */
	pthread_cond_t told;  /* a group became empty */
	bool stopping;
	struct slot *slots;
	uint32_t slots_len;
	uint32_t free_slot; /* slot number + 1, 0: none */
	uint32_t *heap;     /* slot numbers, the earliest deadline first; as large as slots */
	size_t heap_len;
};

static void heap_put(struct requests *r, size_t at, uint32_t n)
{
	r->heap[at] = n;
	r->slots[n].heap_at = at;
}

static int64_t heap_deadline(const struct requests *r, size_t at)
{
	return r->slots[r->heap[at]].deadline_ms;
}

static void heap_up(struct requests *r, size_t at)
{
	uint32_t n = r->heap[at];
	int64_t deadline = r->slots[n].deadline_ms;

	while (at > 0 && heap_deadline(r, (at - 1) / 2) > deadline) {
		heap_put(r, at, r->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	heap_put(r, at, n);
}

static void heap_down(struct requests *r, size_t at)
{
	uint32_t n = r->heap[at];
	int64_t deadline = r->slots[n].deadline_ms;

	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < r->heap_len &&
		    heap_deadline(r, child + 1) < heap_deadline(r, child))
			child++;
		if (child >= r->heap_len || heap_deadline(r, child) >= deadline)
			break;
		heap_put(r, at, r->heap[child]);
		at = child;
	}
	heap_put(r, at, n);
}

static void heap_remove(struct requests *r, size_t at)
{
	uint32_t last = r->heap[--r->heap_len];

	if (at == r->heap_len)
		return;
	heap_put(r, at, last);
	heap_up(r, at);
	heap_down(r, r->slots[last].heap_at);
}

static uint32_t slot_take(struct requests *r)
{
	uint32_t n;

	if (r->free_slot == 0) {
		uint32_t len = r->slots_len ? 2 * r->slots_len : FIRST_SLOTS;

		r->slots = xrealloc(r->slots, len * sizeof(*r->slots));
		r->heap = xrealloc(r->heap, len * sizeof(*r->heap));
		for (uint32_t i = len; i > r->slots_len; i--) {
			r->slots[i - 1] = (struct slot){ .next_free = r->free_slot };
			r->free_slot = i;
		}
		r->slots_len = len;
	}
	n = r->free_slot - 1;
	r->free_slot = r->slots[n].next_free;
	return n;
}

static bool slot_is(const struct requests *r, uint64_t id)
{
	const struct slot *slot = &r->slots[(uint32_t)id];

	return slot->used && slot->generation == (uint32_t)(id >> 32);
}

/* The slot is free from now on; what it knew is returned. */
static struct slot slot_release(struct requests *r, uint32_t n)
{
	struct slot was = r->slots[n];

	heap_remove(r, was.heap_at);
	r->slots[n].used = false;
	r->slots[n].generation++;
	r->slots[n].next_free = r->free_slot;
	r->free_slot = n + 1;
	return was;
}

/* Called and returning with the lock held, which is not held while telling. */
static void tell(
    struct requests *r, const struct slot *slot, enum status status, struct bus_msg *reply)
{
	(void)pthread_mutex_unlock(&r->lock);
	slot->fn(slot->arg, status, reply);
	(void)pthread_mutex_lock(&r->lock);
	if (slot->group && --slot->group->open == 0)
		(void)pthread_cond_broadcast(&r->told);
}

static void *deadline_run(void *arg)
{
	struct requests *r = arg;

	(void)pthread_mutex_lock(&r->lock);
	while (!r->stopping || r->heap_len > 0) {
		if (r->heap_len == 0) {
			(void)pthread_cond_wait(&r->wake, &r->lock);
		} else if (r->stopping || clock_mono_ms() >= heap_deadline(r, 0)) {
			struct slot slot = slot_release(r, r->heap[0]);

			tell(r, &slot, r->stopping ? STATUS_UNAVAILABLE : slot.at_deadline, NULL);
		} else {
			(void)wait_until(&r->wake, &r->lock, heap_deadline(r, 0));
		}
	}
	(void)pthread_mutex_unlock(&r->lock);
	return NULL;
}

static bool parse_number(const char **text, char end, uint32_t *ret_n)
{
	char *rest;
	unsigned long long n;

	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	n = strtoull(*text, &rest, 10);
	if (errno || n > UINT32_MAX || *rest != end)
		return false;
	*text = rest + (end != '\0');
	*ret_n = (uint32_t)n;
	return true;
}

/* A reply that nobody waits for any more, or that names no slot, is dropped. */
static void take_reply(void *arg, struct bus_msg *reply)
{
	struct requests *r = arg;
	const char *name = bus_msg_subject(reply) + strlen(r->prefix);
	bool nobody = bus_msg_is_no_responders(reply);
	uint32_t n, generation;

	if (!parse_number(&name, '-', &n) || !parse_number(&name, '\0', &generation))
		return;
	(void)pthread_mutex_lock(&r->lock);
	if (n < r->slots_len && slot_is(r, (uint64_t)generation << 32 | n)) {
		struct slot slot = slot_release(r, n);

		tell(r, &slot, nobody ? STATUS_UNAVAILABLE : STATUS_OK, nobody ? NULL : reply);
	}
	(void)pthread_mutex_unlock(&r->lock);
}

enum status requests_new(struct bus *bus, struct requests **ret_requests, struct err *err)
{
	struct requests *r = xcalloc(1, sizeof(*r));
	char subject[INBOX_SIZE + 1];
	char random[ID_SIZE];
	natsStatus ns;

	id_random(random); /* nats.c's own names come from rand() */
	(void)snprintf(r->prefix, sizeof(r->prefix), "%s.%s.", bus->inbox_prefix, random);
	(void)snprintf(subject, sizeof(subject), "%s*", r->prefix);
	r->bus = bus;
	(void)pthread_mutex_init(&r->lock, NULL);
	wait_init(&r->wake);
	(void)pthread_cond_init(&r->told, NULL);
	r->gate = gate_new(bus, take_reply, r);
	ns = gate_subscribe(r->gate, subject, NULL, &r->inbox);
	if (ns) {
		gate_close(r->gate);
		free(r);
		return bus_fail(err, ns, "subscribe %s", subject);
	}
	/* A reply lost here is a request that times out: the bound is memory, not a count. */
	(void)natsSubscription_SetPendingLimits(r->inbox, -1, INBOX_PENDING_BYTES);
	if (pthread_create(&r->thread, NULL, deadline_run, r) != 0)
		abort(); /* like memory: a process without threads can't go on */
	*ret_requests = r;
	return STATUS_OK;
}

void requests_free(struct requests *r)
{
	if (!r)
		return;
	gate_close(r->gate);
	(void)pthread_mutex_lock(&r->lock);
	r->stopping = true;
	(void)pthread_cond_signal(&r->wake);
	(void)pthread_mutex_unlock(&r->lock);
	(void)pthread_join(r->thread, NULL);
	natsSubscription_Destroy(r->inbox);
	(void)pthread_cond_destroy(&r->told);
	(void)pthread_cond_destroy(&r->wake);
	(void)pthread_mutex_destroy(&r->lock);
	free(r->heap);
	free(r->slots);
	free(r);
}

uint64_t requests_open(
    struct requests *r, struct request_group *group, int timeout_ms, bus_reply_fn fn, void *arg)
{
	struct slot *slot;
	uint32_t n;
	uint64_t id;

	(void)pthread_mutex_lock(&r->lock);
	n = slot_take(r);
	slot = &r->slots[n];
	slot->used = true;
	slot->deadline_ms = clock_mono_ms() + timeout_ms;
	slot->at_deadline = STATUS_TIMEOUT;
	slot->fn = fn;
	slot->arg = arg;
	slot->group = group;
	if (group)
		group->open++;
	id = (uint64_t)slot->generation << 32 | n;
	r->heap[r->heap_len] = n;
	heap_up(r, r->heap_len++);
	if (r->heap[0] == n)
		(void)pthread_cond_signal(&r->wake);
	(void)pthread_mutex_unlock(&r->lock);
	return id;
}

void requests_inbox(struct requests *r, uint64_t id, char ret_inbox[static INBOX_SIZE])
{
	int len = snprintf(
	    ret_inbox, INBOX_SIZE, "%s%u-%u", r->prefix, (unsigned)id, (unsigned)(id >> 32));

	assert(len < INBOX_SIZE);
	(void)len;
}

bool requests_is_open(struct requests *r, uint64_t id)
{
	bool open;

	(void)pthread_mutex_lock(&r->lock);
	open = slot_is(r, id);
	(void)pthread_mutex_unlock(&r->lock);
	return open;
}

static void end_slot(struct requests *r, uint32_t n, enum status status)
{
	r->slots[n].at_deadline = status;
	r->slots[n].deadline_ms = INT64_MIN;
	heap_up(r, r->slots[n].heap_at);
	(void)pthread_cond_signal(&r->wake);
}

void requests_end(struct requests *r, uint64_t id, enum status status)
{
	(void)pthread_mutex_lock(&r->lock);
	if (slot_is(r, id))
		end_slot(r, (uint32_t)id, status);
	(void)pthread_mutex_unlock(&r->lock);
}

void requests_end_group(struct requests *r, struct request_group *group)
{
	(void)pthread_mutex_lock(&r->lock);
	for (uint32_t n = 0; n < r->slots_len; n++) {
		if (r->slots[n].used && r->slots[n].group == group)
			end_slot(r, n, STATUS_UNAVAILABLE);
	}
	while (group->open > 0)
		(void)pthread_cond_wait(&r->told, &r->lock);
	(void)pthread_mutex_unlock(&r->lock);
}

size_t requests_group_open(struct requests *r, const struct request_group *group)
{
	size_t open;

	(void)pthread_mutex_lock(&r->lock);
	open = group->open;
	(void)pthread_mutex_unlock(&r->lock);
	return open;
}

struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t done;
	bool told;
	enum status status;
	struct bus_msg *reply;
};

static void wake_waiter(void *arg, enum status status, struct bus_msg *reply)
{
	struct waiter *waiter = arg;

	(void)pthread_mutex_lock(&waiter->lock);
	waiter->told = true;
	waiter->status = status;
	waiter->reply = reply ? bus_msg_ref(reply) : NULL;
	(void)pthread_cond_signal(&waiter->done);
	(void)pthread_mutex_unlock(&waiter->lock);
}

enum status requests_ask(struct requests *r, int timeout_ms, request_send_fn send, void *arg,
    natsStatus *ret_sent, struct bus_msg **ret_reply)
{
	struct waiter waiter = { .lock = PTHREAD_MUTEX_INITIALIZER,
		.done = PTHREAD_COND_INITIALIZER };
	char inbox[INBOX_SIZE];
	uint64_t id;

	assert(!gate_is_in_call() && "the thread that would bring the reply waits for it");
	id = requests_open(r, NULL, timeout_ms, wake_waiter, &waiter);
	requests_inbox(r, id, inbox);
	*ret_sent = send(arg, inbox);
	if (*ret_sent)
		requests_end(r, id, bus_status_of(*ret_sent));
	/* Told in any case, at the deadline at the latest: the waiter is on this stack. */
	(void)pthread_mutex_lock(&waiter.lock);
	while (!waiter.told)
		(void)pthread_cond_wait(&waiter.done, &waiter.lock);
	(void)pthread_mutex_unlock(&waiter.lock);
	*ret_reply = waiter.reply;
	return waiter.status;
}
