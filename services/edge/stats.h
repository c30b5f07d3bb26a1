/* stats: what an edge counts, told to whoever asks over NATS: the same as its /metrics. */
#ifndef EDGE_STATS_H
#define EDGE_STATS_H

/* The verb `stats`; takes a struct relay_call. */
void stats_serve(void *relay_call);

#endif
