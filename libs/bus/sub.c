/*
 * Subscriptions with a callback, on the one delivery thread, and the gate that lets their owner go.
 *
 * nats.c may still be calling, or about to call, a subscription's function when Unsubscribe
 * returns. So functions are called through a gate: closed under the lock the call holds, and freed
 * when nats.c has told for each subscription that its last call was made.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "bus/internal.h"

struct gate {
	struct bus *bus;
	bus_msg_fn fn;
	void *arg;
	atomic_size_t refs;   /* the owner, and each subscription */
	pthread_mutex_t lock; /* held during a call; recursive, so that fn may close its own gate */
	bool closed;          /* guarded by it */
};

struct bus_sub {
	struct bus *bus;
	struct gate *gate;
	natsSubscription *sub;
};

/* How deep this thread is in functions of gates: on the delivery thread nothing may wait for
 * messages. */
static _Thread_local unsigned calls;

bool gate_is_in_call(void)
{
	return calls > 0;
}

struct gate *gate_new(struct bus *bus, bus_msg_fn fn, void *arg)
{
	struct gate *gate = xcalloc(1, sizeof(*gate));
	pthread_mutexattr_t attr;

	gate->bus = bus;
	gate->fn = fn;
	gate->arg = arg;
	atomic_init(&gate->refs, 1);
	(void)pthread_mutexattr_init(&attr);
	(void)pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	(void)pthread_mutex_init(&gate->lock, &attr);
	(void)pthread_mutexattr_destroy(&attr);
	return gate;
}

static void gate_unref(void *arg)
{
	struct gate *gate = arg;

	if (atomic_fetch_sub(&gate->refs, 1) != 1)
		return;
	(void)pthread_mutex_destroy(&gate->lock);
	free(gate);
}

void gate_close(struct gate *gate)
{
	(void)pthread_mutex_lock(&gate->lock);
	gate->closed = true;
	(void)pthread_mutex_unlock(&gate->lock);
	gate_unref(gate);
}

/*
 * nats-server lets whoever may make a consumer name any subject for its messages to be delivered
 * to, so a right to watch a bucket would be one to say anything to everybody. Such a message tells
 * itself: it keeps the subject that it was stored under.
 */
static bool is_meant_for(natsSubscription *sub, natsMsg *msg)
{
	const char *pattern = natsSubscription_GetSubject(sub);

	return pattern && bus_subject_fits(pattern, natsMsg_GetSubject(msg));
}

static void gate_call(natsConnection *nc, natsSubscription *sub, natsMsg *nats_msg, void *arg)
{
	struct gate *gate = arg;
	bool meant = is_meant_for(sub, nats_msg);
	struct bus_msg *msg = bus_msg_wrap(gate->bus, nats_msg);

	(void)nc;
	if (!meant)
		(void)atomic_fetch_add(&gate->bus->strays, 1);
	(void)pthread_mutex_lock(&gate->lock);
	calls++;
	if (!gate->closed && meant)
		gate->fn(gate->arg, msg);
	calls--;
	(void)pthread_mutex_unlock(&gate->lock);
	bus_msg_unref(msg);
}

natsStatus gate_subscribe(
    struct gate *gate, const char *subject, const char *queue_or_null, natsSubscription **ret_sub)
{
	natsStatus ns;

	(void)atomic_fetch_add(&gate->refs, 1);
	ns = queue_or_null
		 ? natsConnection_QueueSubscribe(
		       ret_sub, gate->bus->nc, subject, queue_or_null, gate_call, gate)
		 : natsConnection_Subscribe(ret_sub, gate->bus->nc, subject, gate_call, gate);
	if (ns) {
		gate_unref(gate);
		return ns;
	}
	/* Refused only for a subscription that is closed already, which happens while the bus
	 * closes: then the gate is leaked rather than freed under a call. */
	(void)natsSubscription_SetOnCompleteCB(*ret_sub, gate_unref, gate);
	return NATS_OK;
}

enum status bus_subscribe(struct bus *bus, const char *subject, const char *queue_or_null,
    bus_msg_fn fn, void *arg, struct bus_sub **ret_sub, struct err *err)
{
	struct bus_sub *sub;
	natsStatus ns;

	assert(bus_subject_is_pattern(subject));
	assert(!queue_or_null || bus_name_is_valid(queue_or_null));
	sub = xcalloc(1, sizeof(*sub));
	sub->bus = bus;
	sub->gate = gate_new(bus, fn, arg);
	ns = gate_subscribe(sub->gate, subject, queue_or_null, &sub->sub);
	if (ns) {
		gate_close(sub->gate);
		free(sub);
		return bus_fail(err, ns, "subscribe %s", subject);
	}
	*ret_sub = sub;
	return STATUS_OK;
}

void bus_unsubscribe(struct bus_sub *sub)
{
	if (!sub)
		return;
	reaper_bury_sub(sub->bus->reaper, sub->sub);
	gate_close(sub->gate);
	free(sub);
}

/*
 * All of them begin before the first is waited for, so that it takes as long as one. nats.c lets go
 * of its own reference at the end of it; ours stays for the reaper, as after any unsubscribe.
 */
void bus_drain(struct bus_sub *const *subs, size_t len, int timeout_ms)
{
	int64_t deadline_ms = clock_mono_ms() + timeout_ms;

	assert(!gate_is_in_call() && timeout_ms > 0);
	/* Without a connection nothing comes, and nobody would confirm anything. */
	for (size_t i = 0; i < len; i++) {
		if (subs[i] && bus_is_connected(subs[i]->bus))
			(void)natsSubscription_DrainTimeout(subs[i]->sub, timeout_ms);
	}
	for (size_t i = 0; i < len; i++) {
		int64_t left_ms = deadline_ms - clock_mono_ms();

		/* One that is not draining says so at once. */
		if (subs[i])
			(void)natsSubscription_WaitForDrainCompletion(
			    subs[i]->sub, left_ms > 0 ? left_ms : 1);
		bus_unsubscribe(subs[i]);
	}
}
