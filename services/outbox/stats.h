/* stats: what this program counts beside what its relay does, for /metrics. Any thread. */
#ifndef OUTBOX_STATS_H
#define OUTBOX_STATS_H

#include "service/relay.h"

void stats_register(void); /* once, before threads exist */
const struct relay_metrics *stats_relay(void);
void stats_set_aside(int64_t n); /* rows that can't be published */
void stats_dead(int64_t n);      /* rows that were set aside and are still there */

#endif
