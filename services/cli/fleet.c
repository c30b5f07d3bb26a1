/* What a reading of the bucket tells, kept in the order of ids. */
#include "fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/id.h"
#include "base/xalloc.h"
#include "bucket.h"
#include "bus/provision.h"

enum { EDGE_ID_MAX = 63, EDGES_MAX = 4096 };

static void drop(struct fleet *fleet, const char *id)
{
	for (size_t i = 0; i < fleet->len; i++) {
		if (strcmp(fleet->edges[i]->id, id) != 0)
			continue;
		walletwire__v1__edge_lease__free_unpacked(fleet->edges[i], NULL);
		fleet->edges[i] = fleet->edges[--fleet->len];
		return;
	}
}

/* The id will stand in a subject, so it has to be one. */
static bool is_edge(const Walletwire__V1__EdgeLease *lease, const char *key)
{
	size_t len = strlen(key);

	return strcmp(lease->id, key) == 0 && len <= EDGE_ID_MAX &&
	       strspn(key, ID_ALPHABET) == len && !lease->gone;
}

static void take(struct fleet *fleet, const char *key, struct bytes value)
{
	Walletwire__V1__EdgeLease *lease =
	    walletwire__v1__edge_lease__unpack(NULL, value.len, value.data);

	if (!lease || !is_edge(lease, key) || fleet->len == EDGES_MAX) {
		if (lease)
			walletwire__v1__edge_lease__free_unpacked(lease, NULL);
		return;
	}
	fleet->edges = xrealloc(fleet->edges, (fleet->len + 1) * sizeof(*fleet->edges));
	fleet->edges[fleet->len++] = lease;
}

static void on_lease(void *arg, const char *key, struct bytes value)
{
	struct fleet *fleet = arg;

	drop(fleet, key); /* put again while it was read */
	if (value.data)
		take(fleet, key, value);
}

static int by_id(const void *a, const void *b)
{
	const Walletwire__V1__EdgeLease *const *left = a, *const *right = b;

	return strcmp((*left)->id, (*right)->id);
}

enum status fleet_read(struct bus *bus, int timeout_ms, struct fleet *ret_fleet, struct err *err)
{
	struct fleet fleet = { 0 };
	enum status s = bucket_read(bus, BUCKET_EDGES, ">", timeout_ms, on_lease, &fleet, err);

	if (s) {
		fleet_finish(&fleet);
		return s;
	}
	if (fleet.len)
		qsort(fleet.edges, fleet.len, sizeof(*fleet.edges), by_id);
	*ret_fleet = fleet;
	return STATUS_OK;
}

void fleet_finish(struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->len; i++)
		walletwire__v1__edge_lease__free_unpacked(fleet->edges[i], NULL);
	free(fleet->edges);
	*fleet = (struct fleet){ 0 };
}

static enum status not_one(
    const struct fleet *fleet, const char *id_or_name, size_t named, struct err *err)
{
	struct buf ids = BUF_INIT;
	enum status s;

	for (size_t i = 0; i < fleet->len; i++) {
		if (named == 0 || strcmp(fleet->edges[i]->name, id_or_name) == 0)
			buf_appendf(&ids, " %s", fleet->edges[i]->id);
	}
	if (named)
		s = err_set(err, STATUS_CONFLICT, "%zu edges are named \"%s\", give an id:%s",
		    named, id_or_name, buf_str(&ids));
	else
		s = err_set(err, STATUS_NOT_FOUND, "there is no edge \"%s\", but%s", id_or_name,
		    fleet->len ? buf_str(&ids) : " none at all");
	buf_finish(&ids);
	return s;
}

enum status fleet_find(const struct fleet *fleet, const char *id_or_name,
    const Walletwire__V1__EdgeLease **ret_edge, struct err *err)
{
	size_t named = 0;

	for (size_t i = 0; i < fleet->len; i++) {
		const Walletwire__V1__EdgeLease *edge = fleet->edges[i];

		if (strcmp(edge->id, id_or_name) == 0) {
			*ret_edge = edge;
			return STATUS_OK;
		}
		if (strcmp(edge->name, id_or_name) != 0)
			continue;
		*ret_edge = edge;
		named++;
	}
	return named == 1 ? STATUS_OK : not_one(fleet, id_or_name, named, err);
}

void fleet_subject(const Walletwire__V1__EdgeLease *edge, const char *verb,
    char ret_subject[static FLEET_SUBJECT_SIZE])
{
	(void)snprintf(ret_subject, FLEET_SUBJECT_SIZE, "ww.edge.%s.%s", edge->id, verb);
}
