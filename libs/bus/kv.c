/*
 * Key-value buckets. A watch is a thread that reads a consumer of the bucket's stream: the newest
 * value of each key, then what changes. It starts over after every reconnect, at a gap and every
 * minute, because it is told nothing of a key that expired and the server may lose the consumer.
 *
 * kvStore_WatchAll() of nats.c 3.4.1 is not used: its ordered consumer is made anew by a thread of
 * the library after a reconnect, which frees the consumer's name while kvWatcher_Stop() reads it
 * (seen under AddressSanitizer). Ours is an ordinary consumer that nobody remakes or removes: the
 * server drops it five seconds after its subscription has gone.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "bus/internal.h"

enum {
	WATCH_POLL_MS = 100,  /* how late an unwatch or a reconnect is noticed */
	WATCH_RETRY_MS = 250, /* between attempts while there is no server or no bucket */
	WATCH_START_OVER_MS = 60000,
};

struct bus_kv_watch {
	struct bus *bus;
	char *bucket;
	char *keys; /* a pattern */
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

/* One reading of the bucket. */
struct reading {
	struct bus_kv_watch *watch;
	natsSubscription *sub;
	uint64_t last; /* number of the newest message */
	bool complete; /* the values that were there are all told */
};

static void tell_complete(struct reading *reading)
{
	reading->complete = true;
	reading->watch->fn(reading->watch->arg, NULL, (struct bytes){ 0 });
}

/* A deletion is a message without a value, marked by a header. */
static bool is_put(natsMsg *msg)
{
	const char *operation;

	return natsMsgHeader_Get(msg, "KV-Operation", &operation) || strcmp(operation, "PUT") == 0;
}

/* False at a gap: a message that was sent has not arrived. */
static bool tell(struct reading *reading, natsMsg *msg)
{
	const char *key =
	    natsMsg_GetSubject(msg) + strlen("$KV.") + strlen(reading->watch->bucket) + 1;
	jsMsgMetaData *meta = NULL;
	struct bytes value = { 0 };
	bool in_order, was_last;

	if (natsMsg_GetMetaData(&meta, msg))
		return false; /* a status of the server's, which an ordinary consumer gets at its
				 end */
	in_order = meta->Sequence.Consumer == ++reading->last;
	was_last = meta->NumPending == 0;
	jsMsgMetaData_Destroy(meta);
	if (!in_order)
		return false;
	/* An empty value is a value: its data is not NULL. */
	if (is_put(msg)) {
		value.len = (size_t)natsMsg_GetDataLength(msg);
		value.data =
		    value.len ? (const uint8_t *)natsMsg_GetData(msg) : (const uint8_t *)"";
	}
	reading->watch->fn(reading->watch->arg, key, value);
	if (was_last && !reading->complete)
		tell_complete(reading);
	return true;
}

/* Reads until it is time to start over, or to stop. */
static void follow(struct reading *reading, unsigned epoch)
{
	struct bus_kv_watch *watch = reading->watch;
	int64_t until = clock_mono_ms() + WATCH_START_OVER_MS;
	bool in_order = true;

	while (in_order && !is_stopping(watch) && atomic_load(&watch->bus->epoch) == epoch) {
		natsMsg *msg = NULL;
		natsStatus ns = natsSubscription_NextMsg(&msg, reading->sub, WATCH_POLL_MS);

		if (ns == NATS_OK)
			in_order = tell(reading, msg);
		natsMsg_Destroy(msg);
		if (ns != NATS_OK && ns != NATS_TIMEOUT)
			return;
		/* Not while the first pass is on: a bucket that takes a minute would never be read.
		 */
		if (reading->complete && clock_mono_ms() >= until)
			return;
	}
}

/* A consumer that sends to `inbox`; tells how many values there are. */
static natsStatus add_consumer(struct bus_kv_watch *watch, const char *inbox, uint64_t *ret_values)
{
	char stream[KV_SUBJECT_SIZE], filter[KV_SUBJECT_SIZE];
	jsConsumerInfo *info = NULL;
	jsConsumerConfig cfg;
	natsStatus ns = jsConsumerConfig_Init(&cfg);

	(void)snprintf(stream, sizeof(stream), "KV_%s", watch->bucket);
	(void)snprintf(filter, sizeof(filter), "$KV.%s.%s", watch->bucket, watch->keys);
	cfg.DeliverSubject = inbox;
	cfg.DeliverPolicy = js_DeliverLastPerSubject;
	cfg.FilterSubject = filter;
	cfg.AckPolicy = js_AckNone;
	IFOK(ns, js_AddConsumer(&info, watch->bus->js, stream, &cfg, NULL, NULL));
	if (ns == NATS_OK)
		*ret_values = info->NumPending + info->Delivered.Consumer;
	jsConsumerInfo_Destroy(info);
	return ns;
}

static natsStatus open_reading(struct reading *reading)
{
	struct bus_kv_watch *watch = reading->watch;
	char inbox[INBOX_SIZE], id[ID_SIZE];
	uint64_t values = 0;
	natsStatus ns;

	id_random(id);
	(void)snprintf(inbox, sizeof(inbox), "%s.%s", watch->bus->inbox_prefix, id);
	ns = natsConnection_SubscribeSync(&reading->sub, watch->bus->nc, inbox);
	/* Bounded by the bucket. */
	IFOK(ns, natsSubscription_SetPendingLimits(reading->sub, -1, -1));
	IFOK(ns, add_consumer(watch, inbox, &values));
	if (ns == NATS_OK && values == 0)
		tell_complete(reading);
	return ns;
}

static void *watch_run(void *arg)
{
	struct bus_kv_watch *watch = arg;

	while (!is_stopping(watch)) {
		unsigned epoch = atomic_load(&watch->bus->epoch);
		struct reading reading = { .watch = watch };

		if (bus_is_connected(watch->bus) && open_reading(&reading) == NATS_OK)
			follow(&reading, epoch);
		else
			(void)pause_ms(watch, WATCH_RETRY_MS);
		if (reading.sub)
			reaper_bury_sub(watch->bus->reaper, reading.sub);
	}
	return NULL;
}

enum status bus_kv_watch(struct bus *bus, const char *bucket, bus_kv_fn fn, void *arg,
    struct bus_kv_watch **ret_watch, struct err *err)
{
	return bus_kv_watch_keys(bus, bucket, ">", fn, arg, ret_watch, err);
}

enum status bus_kv_watch_keys(struct bus *bus, const char *bucket, const char *keys, bus_kv_fn fn,
    void *arg, struct bus_kv_watch **ret_watch, struct err *err)
{
	struct bus_kv_watch *watch;

	if (!bus_name_is_valid(bucket))
		return err_set(err, STATUS_INVALID, "bucket name \"%s\" is malformed", bucket);
	watch = xcalloc(1, sizeof(*watch));
	watch->bus = bus;
	watch->bucket = xstrdup(bucket);
	watch->keys = xstrdup(keys);
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
	free(watch->keys);
	free(watch);
}

void kv_subject(const char *bucket, const char *key, char ret_subject[static KV_SUBJECT_SIZE])
{
	int len;

	assert(bus_name_is_valid(bucket) && bus_kv_key_is_valid(key));
	len = snprintf(ret_subject, KV_SUBJECT_SIZE, "$KV.%s.%s", bucket, key);
	assert(len < KV_SUBJECT_SIZE);
	(void)len;
}

/* A put is a message stored under the key's subject; asking the server for the bucket first adds
 * nothing. */
enum status bus_kv_put(
    struct bus *bus, const char *bucket, const char *key, struct bytes value, struct err *err)
{
	char subject[KV_SUBJECT_SIZE];
	struct bus_ack ack;

	kv_subject(bucket, key, subject);
	return bus_store(bus, subject, NULL, value, NULL, &ack, err);
}

/* The marker of a purge is a message too: the bucket keeps one of a key, so the value goes. */
enum status bus_kv_purge(struct bus *bus, const char *bucket, const char *key, struct err *err)
{
	static const struct bus_header purge[] = { { "KV-Operation", "PURGE" },
		{ "Nats-Rollup", "sub" }, { NULL, NULL } };
	char subject[KV_SUBJECT_SIZE];
	struct bus_ack ack;

	kv_subject(bucket, key, subject);
	return bus_store(bus, subject, NULL, (struct bytes){ 0 }, purge, &ack, err);
}
