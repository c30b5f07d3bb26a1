/*
 * ops_stats: what operators are shown of an edge or a service, picked out of what it tells.
 *
 * It does no I/O and keeps no clock. Everything is made in the arena it is given.
 */
#ifndef EDGE_OPS_STATS_H
#define EDGE_OPS_STATS_H

#include "base/arena.h"
#include "base/buf.h"
#include "walletwire/v1/edge.pb-c.h"
#include "walletwire/v1/ops.pb-c.h"

/* An edge that has said nothing but its lease: silent, unless it answers. */
Walletwire__V1__OpsEdge *ops_edge_new(const Walletwire__V1__EdgeLease *lease, struct arena *arena);
/* It has answered. */
void ops_edge_fill(
    Walletwire__V1__OpsEdge *edge, const Walletwire__V1__EdgeStats *told, struct arena *arena);

/* A service that has said nothing yet; `name` is borrowed. */
Walletwire__V1__OpsService *ops_service_new(const char *name, struct arena *arena);
void ops_service_fill(Walletwire__V1__OpsService *service,
    const Walletwire__V1__ServiceStatsReply *told, struct arena *arena);

#endif
