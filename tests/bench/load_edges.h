/*
 * load_edges: edges without sockets, which speak and hear on NATS what an edge does (the numbers of
 * its reports, heartbeats, whole tables, asking again, the order of batches), so that ww-presence
 * has more users than one machine has sockets. They note what their users are told.
 *
 * It counts the batches of all edges, real ones too.
 *
 * Threads: batches come on the bus's delivery thread; everything here locks.
 */
#ifndef BENCH_LOAD_EDGES_H
#define BENCH_LOAD_EDGES_H

#include "bus/bus.h"
#include "friends.h"

struct load_edges;

struct load_counts {
	size_t batches, bytes; /* that say something, and of these */
	size_t heartbeats;
	size_t lists, changes; /* told in batches */
	size_t gaps, excess;   /* only of load edges; there should be none */
	size_t reports;        /* sent by load edges, heartbeats aside */
};

/* `bus`: a connection as "edge". The users are those from `from` on. */
struct load_edges *load_edges_new(struct friends *friends, struct bus *bus, uint32_t from);
/* They stop in order. */
void load_edges_free(struct load_edges *edges);

/* The user's one socket comes, is this now, or goes (OFFLINE). */
void load_edges_set(struct load_edges *edges, uint32_t user, PresenceStatus status);
/* Reports what is due; every few milliseconds. */
void load_edges_tick(struct load_edges *edges, int64_t now_ms);

struct load_counts load_edges_counts(struct load_edges *edges);
struct friends_difference load_edges_compare(struct load_edges *edges);

#endif
