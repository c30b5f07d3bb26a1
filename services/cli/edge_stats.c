/* Requests through a port, which waits for all of them together. */
#include "edge_stats.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"

enum { ASKED_AT_ONCE = 8192, ANSWER_MAX = 1 << 20 };

/* Answers come on a thread of the bus. */
struct asking {
	pthread_mutex_t lock; /* guards what is below, and what was told */
	pthread_cond_t done;
	size_t open;
};

struct asked {
	struct asking *asking;
	struct edge_stats *edge;
};

/* What an edge says that is not like its lease is not believed. */
static Walletwire__V1__EdgeStats *unpack(const struct edge_stats *edge, struct bus_msg *reply)
{
	struct bytes data = bus_msg_data(reply);
	Walletwire__V1__EdgeStats *told =
	    data.len <= ANSWER_MAX ? walletwire__v1__edge_stats__unpack(NULL, data.len, data.data)
				   : NULL;

	if (told && (told->error || strcmp(told->id, edge->id) != 0)) {
		walletwire__v1__edge_stats__free_unpacked(told, NULL);
		return NULL;
	}
	return told;
}

static void on_reply(void *arg, enum status status, struct bus_msg *reply)
{
	struct asked *asked = arg;
	struct asking *asking = asked->asking;

	(void)pthread_mutex_lock(&asking->lock);
	if (status == STATUS_OK)
		asked->edge->told = unpack(asked->edge, reply);
	asking->open--;
	(void)pthread_cond_signal(&asking->done);
	(void)pthread_mutex_unlock(&asking->lock);
	free(asked);
}

static void ignore(void *arg, struct bus_msg *msg)
{
	(void)arg;
	(void)msg;
}

static void ask(
    struct bus_port *port, int timeout_ms, const struct fleet *fleet, struct edge_stats_list *list)
{
	struct asking asking = { .lock = PTHREAD_MUTEX_INITIALIZER,
		.done = PTHREAD_COND_INITIALIZER,
		.open = list->len };

	for (size_t i = 0; i < list->len; i++) {
		struct asked *asked = xmalloc(sizeof(*asked));
		char subject[FLEET_SUBJECT_SIZE];

		*asked = (struct asked){ &asking, &list->edges[i] };
		fleet_subject(fleet->edges[i], "stats", subject);
		bus_port_request(port, subject, bytes_of(NULL, 0), timeout_ms, on_reply, asked);
	}
	/* Each ends in its time, one way or another. */
	(void)pthread_mutex_lock(&asking.lock);
	while (asking.open > 0)
		(void)pthread_cond_wait(&asking.done, &asking.lock);
	(void)pthread_mutex_unlock(&asking.lock);
}

static void list_edges(const struct fleet *fleet, struct edge_stats_list *list)
{
	list->edges = xcalloc(fleet->len + 1, sizeof(*list->edges));
	list->len = fleet->len;
	list->at_ms = clock_mono_ms();
	for (size_t i = 0; i < fleet->len; i++)
		list->edges[i] = (struct edge_stats){ .id = xstrdup(fleet->edges[i]->id),
			.name = xstrdup(fleet->edges[i]->name) };
}

/* Only the one that is meant stays. */
static enum status choose(struct fleet *fleet, const char *id_or_name, struct err *err)
{
	const Walletwire__V1__EdgeLease *edge;
	enum status s = fleet_find(fleet, id_or_name, &edge, err);

	for (size_t i = 0; !s && i < fleet->len; i++) {
		Walletwire__V1__EdgeLease *first = fleet->edges[0];

		if (fleet->edges[i] != edge)
			continue;
		fleet->edges[0] = fleet->edges[i];
		fleet->edges[i] = first;
		while (fleet->len > 1)
			walletwire__v1__edge_lease__free_unpacked(fleet->edges[--fleet->len], NULL);
	}
	return s;
}

enum status edge_stats_ask(struct bus *bus, int timeout_ms, const char *id_or_name,
    struct edge_stats_list *ret_list, struct err *err)
{
	struct bus_port_config cfg = { .queue_max = ASKED_AT_ONCE, .on_msg = ignore };
	struct bus_port *port = NULL;
	struct fleet fleet = { 0 };
	enum status s = fleet_read(bus, timeout_ms, &fleet, err);

	if (!s && id_or_name)
		s = choose(&fleet, id_or_name, err);
	if (!s)
		s = bus_port_new(bus, &cfg, &port, err);
	if (!s) {
		list_edges(&fleet, ret_list);
		ask(port, timeout_ms, &fleet, ret_list);
	}
	bus_port_free(port);
	fleet_finish(&fleet);
	return s;
}

void edge_stats_finish(struct edge_stats_list *list)
{
	for (size_t i = 0; i < list->len; i++) {
		struct edge_stats *edge = &list->edges[i];

		if (edge->told)
			walletwire__v1__edge_stats__free_unpacked(edge->told, NULL);
		free(edge->id);
		free(edge->name);
	}
	free(list->edges);
	*list = (struct edge_stats_list){ 0 };
}

const struct edge_stats *edge_stats_find(const struct edge_stats_list *list, const char *id)
{
	for (size_t i = 0; i < list->len; i++) {
		if (strcmp(list->edges[i].id, id) == 0)
			return &list->edges[i];
	}
	return NULL;
}

size_t edge_stats_missing(const struct edge_stats_list *list)
{
	size_t n = 0;

	for (size_t i = 0; i < list->len; i++)
		n += list->edges[i].told == NULL;
	return n;
}

const char *edge_stats_state(const struct edge_stats *edge)
{
	if (!edge->told)
		return "missing";
	return edge->told->draining ? "draining" : "up";
}

int64_t edge_stats_number(const struct edge_stats *edge, const char *metric, const char *label)
{
	int64_t sum = 0;

	for (size_t i = 0; edge->told && i < edge->told->n_numbers; i++) {
		const Walletwire__V1__EdgeNumber *number = edge->told->numbers[i];

		if (strcmp(number->name, metric) == 0 &&
		    (!label || strcmp(number->label, label) == 0))
			sum += number->value;
	}
	return sum;
}

void edge_stats_add_buckets(const struct edge_stats *edge, const char *metric, int sign,
    int64_t buckets[static HISTOGRAM_BUCKETS + 1])
{
	for (size_t i = 0; edge->told && i < edge->told->n_histograms; i++) {
		const Walletwire__V1__EdgeHistogram *histogram = edge->told->histograms[i];

		if (strcmp(histogram->name, metric) != 0)
			continue;
		for (size_t b = 0; b < histogram->n_buckets && b <= HISTOGRAM_BUCKETS; b++)
			buckets[b] += sign * histogram->buckets[b];
	}
}
