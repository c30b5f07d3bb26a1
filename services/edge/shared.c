/* A count, a lock for the one who decodes, and the body behind them. */
#include "shared.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/xalloc.h"

struct shared {
	_Atomic unsigned refs;
	const struct shared_type *type;
	struct bus_msg *msg;
	pthread_mutex_t lock; /* guards what is below until `decoded` */
	bool decoded, valid;
	struct arena arena;
	max_align_t body[];
};

struct shared *shared_new(const struct shared_type *type, struct bus_msg *msg)
{
	struct shared *shared = xcalloc(1, sizeof(*shared) + type->size);

	atomic_init(&shared->refs, 1);
	shared->type = type;
	(void)pthread_mutex_init(&shared->lock, NULL);
	arena_init(&shared->arena, type->arena_max);
	shared->msg = bus_msg_ref(msg);
	return shared;
}

struct shared *shared_ref(struct shared *shared)
{
	atomic_fetch_add_explicit(&shared->refs, 1, memory_order_relaxed);
	return shared;
}

void shared_unref(struct shared *shared)
{
	if (!shared || atomic_fetch_sub_explicit(&shared->refs, 1, memory_order_acq_rel) != 1)
		return;
	if (shared->valid)
		shared->type->finish(shared->body);
	arena_finish(&shared->arena);
	bus_msg_unref(shared->msg);
	(void)pthread_mutex_destroy(&shared->lock);
	free(shared);
}

size_t shared_size(const struct shared *shared)
{
	return bus_msg_data(shared->msg).len;
}

const void *shared_body(struct shared *shared)
{
	(void)pthread_mutex_lock(&shared->lock);
	if (!shared->decoded) {
		shared->valid =
		    shared->type->decode(shared->body, bus_msg_data(shared->msg), &shared->arena);
		shared->decoded = true;
	}
	(void)pthread_mutex_unlock(&shared->lock);
	return shared->valid ? shared->body : NULL;
}
