/*
 * Pull consumers, asked by requests of our own. natsSubscription_Fetch() of nats.c 3.4.1 is not
 * used: when messages of an earlier fetch come late, it writes beyond the end of its array (seen in
 * ordinary use: "malloc(): corrupted top size"). Here a fetch takes what there is at once, and only
 * if that is nothing waits for one message.
 */
#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "bus/internal.h"

enum {
	EARLY_END_PAUSE_MS = 10,
	EXPIRE_EARLIER_MS =
	    5,            /* the server gives up before we do, so that nothing is sent to nobody */
	ANSWER_MS = 2000, /* for what there is at once */
};

struct bus_pull {
	struct bus *bus;
	natsSubscription *sub; /* of "<inbox>.*" */
	char *name;            /* "<stream>/<consumer>", for messages */
	char *next;            /* where more is asked for */
	char inbox[INBOX_SIZE];
	uint64_t pending; /* in the stream for it when it was opened */
	uint64_t asked;   /* requests so far: the last token of each one's reply subject */
};

static natsStatus open_inbox(struct bus_pull *pull)
{
	char subject[INBOX_SIZE + 2], id[ID_SIZE];
	natsStatus ns;

	id_random(id);
	(void)snprintf(pull->inbox, sizeof(pull->inbox), "%s.%s", pull->bus->inbox_prefix, id);
	(void)snprintf(subject, sizeof(subject), "%s.*", pull->inbox);
	ns = natsConnection_SubscribeSync(&pull->sub, pull->bus->nc, subject);
	/* Bounded by what is asked for. */
	IFOK(ns, natsSubscription_SetPendingLimits(pull->sub, -1, -1));
	return ns;
}

/* Takes info. */
static enum status open_consumer(
    struct bus *bus, jsConsumerInfo *info, struct bus_pull **ret_pull, struct err *err)
{
	struct bus_pull *pull = xcalloc(1, sizeof(*pull));
	natsStatus ns;

	pull->bus = bus;
	pull->name = xasprintf("%s/%s", info->Stream, info->Name);
	pull->next = xasprintf("$JS.API.CONSUMER.MSG.NEXT.%s.%s", info->Stream, info->Name);
	pull->pending = info->NumPending;
	jsConsumerInfo_Destroy(info);
	ns = open_inbox(pull);
	if (ns) {
		(void)bus_fail(err, ns, "inbox of consumer %s", pull->name);
		bus_pull_close(pull);
		return err->status;
	}
	*ret_pull = pull;
	return STATUS_OK;
}

static enum status read_info(struct bus *bus, const char *stream, const char *consumer,
    jsConsumerInfo **ret_info, struct err *err)
{
	jsErrCode code = 0;
	natsStatus ns;

	assert(bus_name_is_valid(stream) && bus_name_is_valid(consumer));
	ns = js_GetConsumerInfo(ret_info, bus->js, stream, consumer, NULL, &code);
	if (ns)
		return bus_fail_js(err, ns, code, "bind to consumer %s of %s", consumer, stream);
	return STATUS_OK;
}

enum status bus_consumer_read(struct bus *bus, const char *stream, const char *consumer,
    struct bus_consumer *ret_state, struct err *err)
{
	jsConsumerInfo *info = NULL;
	enum status s = read_info(bus, stream, consumer, &info, err);

	if (s)
		return s;
	/* What was not delivered yet follows what was, without gaps. */
	*ret_state = (struct bus_consumer){ info->Delivered.Stream + info->NumPending,
		info->AckFloor.Stream, info->NumPending + (uint64_t)info->NumAckPending };
	jsConsumerInfo_Destroy(info);
	return STATUS_OK;
}

enum status bus_pull_open(struct bus *bus, const char *stream, const char *consumer,
    struct bus_pull **ret_pull, struct err *err)
{
	jsConsumerInfo *info = NULL;
	enum status s = read_info(bus, stream, consumer, &info, err);

	return s ? s : open_consumer(bus, info, ret_pull, err);
}

enum status bus_pull_open_from(
    struct bus *bus, const char *stream, uint64_t from, struct bus_pull **ret_pull, struct err *err)
{
	jsConsumerInfo *info = NULL;
	jsConsumerConfig cfg;
	jsErrCode code = 0;
	natsStatus ns;

	assert(bus_name_is_valid(stream) && from > 0);
	/* Without a name: the server drops it when nobody has asked it for five seconds. */
	(void)jsConsumerConfig_Init(&cfg);
	cfg.AckPolicy = js_AckNone;
	cfg.DeliverPolicy = js_DeliverByStartSequence;
	cfg.OptStartSeq = from;
	ns = js_AddConsumer(&info, bus->js, stream, &cfg, NULL, &code);
	if (ns)
		return bus_fail_js(err, ns, code, "read stream %s", stream);
	return open_consumer(bus, info, ret_pull, err);
}

uint64_t bus_pull_pending(const struct bus_pull *pull)
{
	return pull->pending;
}

void bus_pull_close(struct bus_pull *pull)
{
	if (!pull)
		return;
	if (pull->sub)
		reaper_bury_sub(pull->bus->reaper, pull->sub);
	free(pull->name);
	free(pull->next);
	free(pull);
}

static struct bus_msg *wrap_pulled(struct bus *bus, natsMsg *nats_msg)
{
	struct bus_msg *msg = bus_msg_wrap(bus, nats_msg);
	jsMsgMetaData *meta = NULL;

	if (natsMsg_GetMetaData(&meta, nats_msg) == NATS_OK)
		bus_msg_set_meta(msg, meta);
	jsMsgMetaData_Destroy(meta);
	return msg;
}

/* An end before its time must not become a busy loop of our caller's. */
static void pause_if_early(int64_t started_ms)
{
	struct timespec pause = { .tv_nsec = EARLY_END_PAUSE_MS * 1000000L };

	if (clock_mono_ms() - started_ms < EARLY_END_PAUSE_MS)
		(void)nanosleep(&pause, NULL);
}

/* What one fetch collects. */
struct fetch {
	struct bus_pull *pull;
	struct bus_msg **msgs;
	size_t len, max;
	int64_t deadline_ms;
	struct err *err;
};

/* expires_ms 0: only what is there now. */
static natsStatus ask_for(struct bus_pull *pull, size_t batch, int64_t expires_ms)
{
	char body[96], reply[INBOX_SIZE + 24];
	int len;

	if (expires_ms > 0)
		len = snprintf(body, sizeof(body), "{\"batch\":%zu,\"expires\":%lld}", batch,
		    (long long)expires_ms * 1000000);
	else
		len = snprintf(body, sizeof(body), "{\"batch\":%zu,\"no_wait\":true}", batch);
	pull->asked++;
	(void)snprintf(
	    reply, sizeof(reply), "%s.%llu", pull->inbox, (unsigned long long)pull->asked);
	return natsConnection_PublishRequest(pull->bus->nc, pull->next, reply, body, len);
}

/* Does the message belong to the last request? Ends of earlier ones mean nothing any more. */
static bool answers_last(const struct bus_pull *pull, natsMsg *msg)
{
	const char *token = strrchr(natsMsg_GetSubject(msg), '.');

	return token && strtoull(token + 1, NULL, 10) == pull->asked;
}

/* A message of the server's own: how a request ended. 404 and 408 are "no more". */
static enum status end_of_request(struct fetch *fetch, natsMsg *msg)
{
	const char *code = NULL, *text = NULL;

	if (natsMsgHeader_Get(msg, "Status", &code) || strcmp(code, "404") == 0 ||
	    strcmp(code, "408") == 0)
		return STATUS_OK;
	if (natsMsgHeader_Get(msg, "Description", &text))
		text = natsMsg_IsNoResponders(msg) ? "JetStream does not answer" : "";
	return err_set(
	    fetch->err, STATUS_UNAVAILABLE, "fetch from %s: %s %s", fetch->pull->name, code, text);
}

/*
 * Takes messages until `enough` were collected, the last request has ended, or until_ms. Messages
 * of earlier requests that come late are as good as any.
 */
static enum status collect(struct fetch *fetch, size_t enough, int64_t until_ms)
{
	while (fetch->len < enough) {
		int64_t left_ms = until_ms - clock_mono_ms();
		natsMsg *msg = NULL;
		natsStatus ns;
		bool last;
		enum status s;

		ns = natsSubscription_NextMsg(&msg, fetch->pull->sub, left_ms > 0 ? left_ms : 0);
		if (ns == NATS_TIMEOUT)
			return STATUS_OK;
		if (ns)
			return bus_fail(fetch->err, ns, "fetch from %s", fetch->pull->name);
		if (natsMsg_GetReply(msg)) {
			fetch->msgs[fetch->len++] = wrap_pulled(fetch->pull->bus, msg);
			continue;
		}
		last = answers_last(fetch->pull, msg);
		s = last ? end_of_request(fetch, msg) : STATUS_OK;
		natsMsg_Destroy(msg);
		if (last)
			return s;
	}
	return STATUS_OK;
}

/* What there is now, without waiting for more. */
static enum status sweep(struct fetch *fetch)
{
	int64_t until = clock_mono_ms() + ANSWER_MS;
	enum status s = collect(fetch, fetch->max, 0);
	natsStatus ns;

	if (s || fetch->len == fetch->max)
		return s;
	ns = ask_for(fetch->pull, fetch->max - fetch->len, 0);
	if (ns)
		return bus_fail(fetch->err, ns, "fetch from %s", fetch->pull->name);
	return collect(fetch, fetch->max, until < fetch->deadline_ms ? until : fetch->deadline_ms);
}

/* The next one, until the deadline. */
static enum status wait_for_one(struct fetch *fetch)
{
	int64_t left_ms = fetch->deadline_ms - clock_mono_ms() - EXPIRE_EARLIER_MS;
	natsStatus ns;

	if (left_ms <= 0)
		return STATUS_OK;
	ns = ask_for(fetch->pull, 1, left_ms);
	if (ns)
		return bus_fail(fetch->err, ns, "fetch from %s", fetch->pull->name);
	return collect(fetch, 1, fetch->deadline_ms);
}

enum status bus_pull_fetch(struct bus_pull *pull, struct bus_msg **ret_msgs, size_t max,
    int timeout_ms, size_t *ret_n, struct err *err)
{
	int64_t started = clock_mono_ms();
	struct err why = ERR_INIT;
	struct fetch fetch = { pull, ret_msgs, 0, max, started + timeout_ms, &why };
	enum status s;

	assert(max > 0 && max <= INT_MAX && timeout_ms > 0);
	*ret_n = 0;
	s = bus_wait_connected(pull->bus, timeout_ms, err);
	if (s)
		return err_prefix(err, "fetch from %s", pull->name);
	s = sweep(&fetch);
	if (s == STATUS_OK && fetch.len == 0) {
		s = wait_for_one(&fetch);
		if (s == STATUS_OK && fetch.len > 0)
			s = sweep(&fetch); /* with the one come others */
	}
	*ret_n = fetch.len;
	if (s == STATUS_OK || fetch.len > 0) {
		if (fetch.len == 0)
			pause_if_early(started);
		return STATUS_OK; /* what ended it will be met by the next fetch */
	}
	pause_if_early(started);
	return err_set(err, s, "%s", why.msg);
}
