/*
 * ops_gather: the picture of the fleet that operators are shown (ops:stats, ops.proto).
 *
 * Gathered by the edge that somebody watches it at, once a second, however many they are, and not
 * at all while nobody does: a question to every edge that has a lease, to each service and about
 * each stream, all at once. Who does not answer within 0.9 s is silent, and nobody waits longer for
 * it. At most 256 edges are shown.
 *
 * Threads: everything of it belongs to the first loop.
 */
#ifndef EDGE_OPS_GATHER_H
#define EDGE_OPS_GATHER_H

#include "edge.h"

/* One more watches (+1), or one less (-1). On any loop. */
void ops_gather_watch(struct edge *edge, int by);

/* On each loop, before it is closed. */
void ops_gather_stop(struct edge_loop *el);

#endif
