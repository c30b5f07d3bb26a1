/* Questions to all at once, and a frame that every watcher shares when the last one has ended. */
#include "ops_gather.h"

#include <stdlib.h>
#include <string.h>

#include "base/attrs.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/xalloc.h"
#include "bus/provision.h"
#include "calls.h"
#include "codec/reflect.h"
#include "leases.h"
#include "ops.h"
#include "ops_stats.h"
#include "relay.h"

enum {
	EVERY_MS = 1000,
	ANSWER_MS = 900,
	EDGES_MAX = 256,
	ARENA_MAX = 8 << 20,
	ANSWER_ARENA_MAX = 2 << 20, /* what one answer may become */
};

static const struct {
	const char *name, *subject;
} services[] = {
	{ "notifications", "ww.svc.notifications.stats" },
	{ "presence", "ww.svc.presence.stats" },
	{ "chat", "ww.svc.chat.stats" },
	{ "audit", "ww.svc.audit.stats" },
};

static const struct {
	const char *name, *consumer;
} streams[] = {
	{ STREAM_EVENTS, CONSUMER_NOTIFICATIONS },
	{ STREAM_AUDIT, CONSUMER_AUDIT },
};

struct gathering {
	struct edge_loop *el;
	struct arena arena;
	int64_t began_ms; /* on the loop's clock */
	size_t open;      /* questions */
	Walletwire__V1__OpsStats stats;
};

/* What an answer is about. */
struct question {
	struct gathering *gathering;
	void *about; /* OpsEdge, OpsService, or the name of a stream */
};

static void begin(void *first_loop);

/* --- the end of it --- */

struct showing {
	struct edge_loop *el;
	struct frame *frame;
};

static void show_on_loop(void *arg)
{
	struct showing *showing = arg;

	ops_show(showing->el, showing->frame);
	frame_unref(showing->frame);
	free(showing);
}

static void show(const struct gathering *gathering)
{
	struct edge *edge = gathering->el->edge;
	struct frame *frame = ops_encode("ops:stats", &gathering->stats.base);

	for (size_t i = 0; i < edge->loops_len; i++) {
		struct showing *showing = xmalloc(sizeof(*showing));

		*showing = (struct showing){ &edge->loops[i], frame_ref(frame) };
		loop_post(edge->loops[i].loop, show_on_loop, showing);
	}
	frame_unref(frame);
}

static void end(struct gathering *gathering)
{
	struct edge_loop *el = gathering->el;
	struct ops_gather *gather = &el->edge->ops_gather;

	gather->is_asking = false;
	if (gather->watching && !el->closed) {
		show(gathering);
		loop_timer_arm(el->loop, &gather->timer, gathering->began_ms + EVERY_MS, begin, el);
	}
	arena_finish(&gathering->arena);
	free(gathering);
}

static void answered(struct question *question)
{
	struct gathering *gathering = question->gathering;

	free(question);
	if (--gathering->open == 0)
		end(gathering);
}

/* --- answers --- */

static struct question *question_new(struct gathering *gathering, void *about)
{
	struct question *question = xmalloc(sizeof(*question));

	*question = (struct question){ gathering, about };
	gathering->open++;
	return question;
}

/* NULL if there is none, or it is not one. */
static void *unpack(const ProtobufCMessageDescriptor *type, enum status s, struct bytes reply,
    struct arena *answer_arena)
{
	ProtobufCMessage *message = NULL;

	if (s || reflect_unpack(type, reply, answer_arena, &message, NULL))
		return NULL;
	return message;
}

/* What an edge says that is not like its lease is not believed. */
static void on_edge(struct edge_loop *el, void *arg, enum status s, struct bytes reply)
{
	struct question *question = arg;
	Walletwire__V1__OpsEdge *edge = question->about;
	const Walletwire__V1__EdgeStats *told;
	struct arena arena;

	(void)el;
	arena_init(&arena, ANSWER_ARENA_MAX);
	told = unpack(&walletwire__v1__edge_stats__descriptor, s, reply, &arena);
	if (told && !told->error && strcmp(told->id, edge->id) == 0)
		ops_edge_fill(edge, told, &question->gathering->arena);
	arena_finish(&arena);
	answered(question);
}

static void on_service(struct edge_loop *el, void *arg, enum status s, struct bytes reply)
{
	struct question *question = arg;
	const Walletwire__V1__ServiceStatsReply *told;
	struct arena arena;

	(void)el;
	arena_init(&arena, ANSWER_ARENA_MAX);
	told = unpack(&walletwire__v1__service_stats_reply__descriptor, s, reply, &arena);
	if (told)
		ops_service_fill(question->about, told, &question->gathering->arena);
	arena_finish(&arena);
	answered(question);
}

static void on_stream(struct edge_loop *el, void *arg, enum status s, struct bytes reply)
{
	struct question *question = arg;
	struct gathering *gathering = question->gathering;
	Walletwire__V1__OpsStream *stream;
	uint64_t waiting;

	(void)el;
	if (!s && bus_waiting_of(reply, &waiting)) {
		stream = arena_alloc(&gathering->arena, sizeof(*stream));
		walletwire__v1__ops_stream__init(stream);
		stream->name = question->about;
		stream->waiting = (int64_t)waiting;
		gathering->stats.streams[gathering->stats.n_streams++] = stream;
	}
	answered(question);
}

/* --- questions --- */

static void add_edge(void *arg, const Walletwire__V1__EdgeLease *lease)
{
	struct gathering *gathering = arg;
	Walletwire__V1__OpsStats *stats = &gathering->stats;

	if (stats->n_edges == EDGES_MAX)
		stats->edges_left_out++;
	else
		stats->edges[stats->n_edges++] = ops_edge_new(lease, &gathering->arena);
}

static int by_id(const void *a, const void *b)
{
	const Walletwire__V1__OpsEdge *const *left = a, *const *right = b;

	return strcmp((*left)->id, (*right)->id);
}

static void ask_edges(struct gathering *gathering)
{
	static const Walletwire__V1__StatsRequest request = WALLETWIRE__V1__STATS_REQUEST__INIT;
	Walletwire__V1__OpsStats *stats = &gathering->stats;
	struct edge_loop *el = gathering->el;

	stats->edges = arena_alloc(&gathering->arena, EDGES_MAX * sizeof(void *));
	leases_each(el->edge->leases, add_edge, gathering);
	if (stats->n_edges)
		qsort(stats->edges, stats->n_edges, sizeof(*stats->edges), by_id);
	for (size_t i = 0; i < stats->n_edges; i++) {
		char subject[RELAY_SUBJECT_SIZE];

		if (relay_subject(stats->edges[i]->id, "stats", subject))
			call_within(el, subject, &request.base, ANSWER_MS, on_edge,
			    question_new(gathering, stats->edges[i]));
	}
}

static void ask_services(struct gathering *gathering)
{
	static const Walletwire__V1__ServiceStatsRequest request =
	    WALLETWIRE__V1__SERVICE_STATS_REQUEST__INIT;
	Walletwire__V1__OpsStats *stats = &gathering->stats;

	stats->services = arena_alloc(&gathering->arena, sizeof(services));
	for (size_t i = 0; i < ARRAY_LEN(services); i++) {
		Walletwire__V1__OpsService *service =
		    ops_service_new(services[i].name, &gathering->arena);

		stats->services[stats->n_services++] = service;
		call_within(gathering->el, services[i].subject, &request.base, ANSWER_MS,
		    on_service, question_new(gathering, service));
	}
}

static void ask_about_streams(struct gathering *gathering)
{
	gathering->stats.streams = arena_alloc(&gathering->arena, sizeof(streams));
	for (size_t i = 0; i < ARRAY_LEN(streams); i++)
		call_consumer_ask(gathering->el, streams[i].name, streams[i].consumer, ANSWER_MS,
		    on_stream, question_new(gathering, (void *)(uintptr_t)streams[i].name));
}

static void begin(void *first_loop)
{
	struct edge_loop *el = first_loop;
	struct gathering *gathering = xcalloc(1, sizeof(*gathering));

	gathering->el = el;
	gathering->began_ms = loop_now_ms(el->loop);
	arena_init(&gathering->arena, ARENA_MAX);
	walletwire__v1__ops_stats__init(&gathering->stats);
	gathering->stats.at = message_timestamp(clock_wall_us(), &gathering->arena);
	el->edge->ops_gather.is_asking = true;
	/* Answers come in later turns, so none of them is the last before all were asked. */
	ask_edges(gathering);
	ask_services(gathering);
	ask_about_streams(gathering);
}

/* --- who watches --- */

struct watch {
	struct edge_loop *el;
	int by;
};

static void on_watch(void *arg)
{
	struct watch *watch = arg;
	struct edge_loop *el = watch->el;
	struct ops_gather *gather = &el->edge->ops_gather;

	gather->watching += (size_t)watch->by;
	free(watch);
	if (!gather->watching)
		loop_timer_disarm(el->loop, &gather->timer);
	else if (!gather->is_asking && !loop_timer_is_armed(&gather->timer) && !el->closed)
		begin(el);
}

void ops_gather_watch(struct edge *edge, int by)
{
	struct watch *watch = xmalloc(sizeof(*watch));

	*watch = (struct watch){ &edge->loops[0], by };
	loop_post(watch->el->loop, on_watch, watch);
}

void ops_gather_stop(struct edge_loop *el)
{
	if (el->index == 0)
		loop_timer_disarm(el->loop, &el->edge->ops_gather.timer);
}
