/*
 * The streams, consumers and buckets, as tables, and the job that makes them. What exists is
 * compared and reported, never edited: on nats-server 2.9 a changed filter or limit of a live
 * stream loses messages.
 */
#include "bus/provision.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bus/internal.h"

#define SECONDS(n) ((n)*1000000000LL)
#define HOURS(n) SECONDS((n)*3600LL)

enum {
	KV_HISTORY = 1,
	MSG_MAX = STREAM_DATA_MAX + 4096, /* with its headers */
	HEAD_MSG_MAX = 4096,
	HEADS_BYTES = 512 << 20,
};

struct job {
	struct bus *bus;
	const struct provision_config *cfg;
	void (*on_line)(void *arg, const char *line);
	void *arg;
};

struct stream_row {
	const char *name, *subject;
	jsRetentionPolicy retention;
	jsDiscardPolicy discard;
	int64_t max_bytes, max_age_ns, duplicates_ns;
	int32_t max_msg_size; /* headers included; -1: what the server allows */
};

static const struct consumer_row {
	const char *stream, *name, *filter;
} consumer_rows[] = {
	{ STREAM_EVENTS, CONSUMER_NOTIFICATIONS, "ww.event.>" },
	{ STREAM_AUDIT, CONSUMER_AUDIT, "ww.audit.>" },
};

static const struct bucket_row {
	const char *name;
	int64_t ttl_ns;
} bucket_rows[] = {
	{ BUCKET_EDGES, SECONDS(15) }, /* leases: renewed every 5 s */
	{ BUCKET_REVOKED, 0 },
	{ BUCKET_TRACKING, HOURS(24) },
};

static PRINTF_LIKE(2, 3) void report(struct job *job, const char *fmt, ...)
{
	char line[512];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (job->on_line)
		job->on_line(job->arg, line);
}

/* Reports one setting that differs; true if it does. */
static bool differs(struct job *job, const char *what, const char *name, const char *setting,
    int64_t is, int64_t wanted)
{
	if (is == wanted)
		return false;
	report(job, "%s %s: %s is %lld, wanted %lld: left as it is", what, name, setting,
	    (long long)is, (long long)wanted);
	return true;
}

static bool stream_differs(struct job *job, const char *what, const char *name,
    const jsStreamConfig *is, const jsStreamConfig *wanted)
{
	bool d = false;

	if (is->SubjectsLen != 1 || strcmp(is->Subjects[0], wanted->Subjects[0]) != 0) {
		report(job, "%s %s: subjects are not %s: left as it is", what, name,
		    wanted->Subjects[0]);
		d = true;
	}
	d |= differs(job, what, name, "retention", (int)is->Retention, (int)wanted->Retention);
	d |= differs(job, what, name, "discard", (int)is->Discard, (int)wanted->Discard);
	d |= differs(job, what, name, "storage", (int)is->Storage, (int)wanted->Storage);
	d |= differs(job, what, name, "max_bytes", is->MaxBytes, wanted->MaxBytes);
	d |= differs(job, what, name, "max_age", is->MaxAge, wanted->MaxAge);
	d |= differs(job, what, name, "max_msg_size", is->MaxMsgSize, wanted->MaxMsgSize);
	d |= differs(job, what, name, "duplicates", is->Duplicates, wanted->Duplicates);
	d |= differs(job, what, name, "replicas", is->Replicas, wanted->Replicas);
	return d;
}

static enum status provision_stream(struct job *job, const struct stream_row *row, struct err *err)
{
	const char *stream_subjects[] = { row->subject };
	jsStreamInfo *info = NULL;
	jsErrCode code = 0;
	jsStreamConfig cfg;
	natsStatus ns;

	(void)jsStreamConfig_Init(&cfg);
	cfg.Name = row->name;
	cfg.Subjects = stream_subjects;
	cfg.SubjectsLen = 1;
	cfg.Retention = row->retention;
	cfg.Discard = row->discard;
	cfg.Storage = js_FileStorage;
	cfg.MaxBytes = row->max_bytes;
	cfg.MaxAge = row->max_age_ns;
	cfg.MaxMsgSize = row->max_msg_size;
	cfg.Duplicates = row->duplicates_ns;
	cfg.Replicas = job->cfg->replicas;

	ns = js_GetStreamInfo(&info, job->bus->js, row->name, NULL, &code);
	if (ns == NATS_OK) {
		if (!stream_differs(job, "stream", row->name, info->Config, &cfg))
			report(job, "stream %s: exists", row->name);
		jsStreamInfo_Destroy(info);
		return STATUS_OK;
	}
	if (code != JSStreamNotFoundErr && ns != NATS_NOT_FOUND)
		return bus_fail_js(err, ns, code, "stream %s", row->name);
	ns = js_AddStream(NULL, job->bus->js, &cfg, NULL, &code);
	if (ns)
		return bus_fail_js(err, ns, code, "create stream %s", row->name);
	report(job, "stream %s: created", row->name);
	return STATUS_OK;
}

static enum status provision_streams(struct job *job, struct err *err)
{
	/* Work queues that refuse when full, so that a publisher hears of it and tries again. */
	const struct stream_row rows[] = {
		{ STREAM_EVENTS, "ww.event.>", js_WorkQueuePolicy, js_DiscardNew,
		    job->cfg->events_max_bytes, 0, SECONDS(600), MSG_MAX },
		{ STREAM_AUDIT, "ww.audit.>", js_WorkQueuePolicy, js_DiscardNew,
		    job->cfg->audit_max_bytes, 0, SECONDS(600), MSG_MAX },
		/* A line of text a minute at most: room for more than two years. */
		{ STREAM_AUDIT_HEADS, "ww.heads.audit", js_LimitsPolicy, js_DiscardOld, HEADS_BYTES,
		    0, SECONDS(600), HEAD_MSG_MAX },
		{ STREAM_DLQ, "ww.dlq.event", js_LimitsPolicy, js_DiscardOld, -1, HOURS(30 * 24LL),
		    SECONDS(600), -1 },
	};
	enum status s = STATUS_OK;

	for (size_t i = 0; i < ARRAY_LEN(rows) && !s; i++)
		s = provision_stream(job, &rows[i], err);
	return s;
}

static bool consumer_differs(
    struct job *job, const jsConsumerConfig *is, const jsConsumerConfig *wanted)
{
	const char *name = wanted->Durable;
	bool d = false;

	if (!is->FilterSubject || strcmp(is->FilterSubject, wanted->FilterSubject) != 0) {
		report(job, "consumer %s: filter is not %s: left as it is", name,
		    wanted->FilterSubject);
		d = true;
	}
	d |= differs(
	    job, "consumer", name, "ack_policy", (int)is->AckPolicy, (int)wanted->AckPolicy);
	d |= differs(job, "consumer", name, "ack_wait", is->AckWait, wanted->AckWait);
	d |= differs(job, "consumer", name, "max_deliver", is->MaxDeliver, wanted->MaxDeliver);
	d |= differs(
	    job, "consumer", name, "max_ack_pending", is->MaxAckPending, wanted->MaxAckPending);
	return d;
}

static enum status provision_consumer(
    struct job *job, const struct consumer_row *row, struct err *err)
{
	jsConsumerInfo *info = NULL;
	jsConsumerConfig cfg;
	jsErrCode code = 0;
	natsStatus ns;

	(void)jsConsumerConfig_Init(&cfg);
	cfg.Durable = row->name;
	cfg.FilterSubject = row->filter;
	cfg.DeliverPolicy = js_DeliverAll;
	cfg.AckPolicy = js_AckExplicit;
	cfg.AckWait = SECONDS(5);
	cfg.MaxDeliver = -1; /* delivery counts rise in every outage: they decide nothing */
	cfg.MaxAckPending = 4000;

	ns = js_GetConsumerInfo(&info, job->bus->js, row->stream, row->name, NULL, &code);
	if (ns == NATS_OK) {
		if (!consumer_differs(job, info->Config, &cfg))
			report(job, "consumer %s of %s: exists", row->name, row->stream);
		jsConsumerInfo_Destroy(info);
		return STATUS_OK;
	}
	if (code != JSConsumerNotFoundErr && ns != NATS_NOT_FOUND)
		return bus_fail_js(err, ns, code, "consumer %s", row->name);
	ns = js_AddConsumer(NULL, job->bus->js, row->stream, &cfg, NULL, &code);
	if (ns)
		return bus_fail_js(
		    err, ns, code, "create consumer %s of %s", row->name, row->stream);
	report(job, "consumer %s of %s: created", row->name, row->stream);
	return STATUS_OK;
}

static bool bucket_differs(struct job *job, const struct bucket_row *row, const jsStreamConfig *is)
{
	const char *name = row->name;
	bool d = false;

	d |= differs(job, "bucket", name, "storage", (int)is->Storage, (int)js_FileStorage);
	d |= differs(job, "bucket", name, "ttl", is->MaxAge, row->ttl_ns);
	d |= differs(job, "bucket", name, "history", is->MaxMsgsPerSubject, KV_HISTORY);
	d |= differs(job, "bucket", name, "replicas", is->Replicas, job->cfg->replicas);
	return d;
}

static enum status provision_bucket(struct job *job, const struct bucket_row *row, struct err *err)
{
	jsStreamInfo *info = NULL;
	kvStore *kv = NULL;
	jsErrCode code = 0;
	char stream[80];
	kvConfig cfg;
	natsStatus ns;

	(void)snprintf(stream, sizeof(stream), "KV_%s", row->name);
	ns = js_GetStreamInfo(&info, job->bus->js, stream, NULL, &code);
	if (ns == NATS_OK) {
		if (!bucket_differs(job, row, info->Config))
			report(job, "bucket %s: exists", row->name);
		jsStreamInfo_Destroy(info);
		return STATUS_OK;
	}
	if (code != JSStreamNotFoundErr && ns != NATS_NOT_FOUND)
		return bus_fail_js(err, ns, code, "bucket %s", row->name);
	(void)kvConfig_Init(&cfg);
	cfg.Bucket = row->name;
	cfg.History = KV_HISTORY;
	cfg.TTL = row->ttl_ns;
	/* In memory the bucket itself would be gone with its server. */
	cfg.StorageType = js_FileStorage;
	cfg.Replicas = job->cfg->replicas;
	ns = js_CreateKeyValue(&kv, job->bus->js, &cfg);
	kvStore_Destroy(kv);
	if (ns)
		return bus_fail(err, ns, "create bucket %s", row->name);
	report(job, "bucket %s: created", row->name);
	return STATUS_OK;
}

enum status bus_provision(struct bus *bus, const struct provision_config *cfg,
    void (*on_line)(void *arg, const char *line), void *arg, struct err *err)
{
	struct job job = { bus, cfg, on_line, arg };
	enum status s = provision_streams(&job, err);

	for (size_t i = 0; i < ARRAY_LEN(consumer_rows) && !s; i++)
		s = provision_consumer(&job, &consumer_rows[i], err);
	for (size_t i = 0; i < ARRAY_LEN(bucket_rows) && !s; i++)
		s = provision_bucket(&job, &bucket_rows[i], err);
	return s;
}
