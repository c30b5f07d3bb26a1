/*
 * Key-value buckets. A watch is a thread that reads an ordered consumer; it starts over after every
 * reconnect and every minute, because a watcher is told nothing of a key that expired and an
 * ordered consumer that the server lost can go silent.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "bus/internal.h"

enum {
	WATCH_POLL_MS = 100,  /* how late an unwatch or a reconnect is noticed */
	WATCH_RETRY_MS = 250, /* between attempts while there is no server or no bucket */
	WATCH_START_OVER_MS = 60000,
	KV_SUBJECT_MAX = 640,
};

struct bus_kv_watch {
	struct bus *bus;
	char *bucket;
	bus_kv_fn fn;
	void *arg;
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t stop_now;
	bool stopping;
};

static bool is_stopping(struct bus_kv_watch *watch)
{
	bool stopping;

	(void)pthread_mutex_lock(&watch->lock);
	stopping = watch->stopping;
	(void)pthread_mutex_unlock(&watch->lock);
	return stopping;
}

/* False when told to stop. */
static bool pause_ms(struct bus_kv_watch *watch, int ms)
{
	int64_t until = clock_mono_ms() + ms;
	bool stopping;

	(void)pthread_mutex_lock(&watch->lock);
	while (!watch->stopping && wait_until(&watch->stop_now, &watch->lock, until)) {}
	stopping = watch->stopping;
	(void)pthread_mutex_unlock(&watch->lock);
	return !stopping;
}

static void tell(struct bus_kv_watch *watch, kvEntry *entry)
{
	const char *key = entry ? kvEntry_Key(entry) : NULL;
	struct bytes value = { 0 };

	/* An empty value is a value: its data is not NULL. */
	if (entry && kvEntry_Operation(entry) == kvOp_Put) {
		value.len = (size_t)kvEntry_ValueLen(entry);
		value.data = value.len ? kvEntry_Value(entry) : (const uint8_t *)"";
	}
	watch->fn(watch->arg, key, value);
	kvEntry_Destroy(entry);
}

/* Reads until it is time to start over, or to stop. */
static void follow(struct bus_kv_watch *watch, kvWatcher *watcher, unsigned epoch)
{
	int64_t until = clock_mono_ms() + WATCH_START_OVER_MS;
	bool complete = false;

	while (!is_stopping(watch) && atomic_load(&watch->bus->epoch) == epoch) {
		kvEntry *entry = NULL;
		natsStatus ns = kvWatcher_Next(&entry, watcher, WATCH_POLL_MS);

		if (ns == NATS_OK) {
			complete = complete || !entry;
			tell(watch, entry);
		} else if (ns != NATS_TIMEOUT) {
			return;
		}
		/* Not while the first pass is on: a bucket that takes a minute would never be read.
		 */
		if (complete && clock_mono_ms() >= until)
			return;
	}
}

static natsStatus open_watcher(
    struct bus_kv_watch *watch, kvStore **ret_kv, kvWatcher **ret_watcher)
{
	natsStatus ns = js_KeyValue(ret_kv, watch->bus->js, watch->bucket);

	IFOK(ns, kvStore_WatchAll(ret_watcher, *ret_kv, NULL));
	return ns;
}

static void *watch_run(void *arg)
{
	struct bus_kv_watch *watch = arg;

	while (!is_stopping(watch)) {
		unsigned epoch = atomic_load(&watch->bus->epoch);
		kvStore *kv = NULL;
		kvWatcher *watcher = NULL;

		if (bus_is_connected(watch->bus) && open_watcher(watch, &kv, &watcher) == NATS_OK) {
			follow(watch, watcher, epoch);
			reaper_bury_watcher(watch->bus->reaper, watcher);
		} else {
			(void)pause_ms(watch, WATCH_RETRY_MS);
		}
		kvStore_Destroy(kv);
	}
	return NULL;
}

enum status bus_kv_watch(struct bus *bus, const char *bucket, bus_kv_fn fn, void *arg,
    struct bus_kv_watch **ret_watch, struct err *err)
{
	struct bus_kv_watch *watch;

	if (!bus_name_is_valid(bucket))
		return err_set(err, STATUS_INVALID, "bucket name \"%s\" is malformed", bucket);
	watch = xcalloc(1, sizeof(*watch));
	watch->bus = bus;
	watch->bucket = xstrdup(bucket);
	watch->fn = fn;
	watch->arg = arg;
	(void)pthread_mutex_init(&watch->lock, NULL);
	wait_init(&watch->stop_now);
	if (pthread_create(&watch->thread, NULL, watch_run, watch) != 0)
		abort(); /* like memory: a process without threads can't go on */
	*ret_watch = watch;
	return STATUS_OK;
}

void bus_kv_unwatch(struct bus_kv_watch *watch)
{
	if (!watch)
		return;
	(void)pthread_mutex_lock(&watch->lock);
	watch->stopping = true;
	(void)pthread_cond_signal(&watch->stop_now);
	(void)pthread_mutex_unlock(&watch->lock);
	(void)pthread_join(watch->thread, NULL);
	(void)pthread_cond_destroy(&watch->stop_now);
	(void)pthread_mutex_destroy(&watch->lock);
	free(watch->bucket);
	free(watch);
}

/* A put is a message stored under the key's subject; asking the server for the bucket first adds
 * nothing. */
enum status bus_kv_put(
    struct bus *bus, const char *bucket, const char *key, struct bytes value, struct err *err)
{
	char subject[KV_SUBJECT_MAX];
	struct bus_ack ack;

	assert(bus_name_is_valid(bucket) && bus_kv_key_is_valid(key));
	(void)snprintf(subject, sizeof(subject), "$KV.%s.%s", bucket, key);
	return bus_store(bus, subject, NULL, value, NULL, &ack, err);
}
