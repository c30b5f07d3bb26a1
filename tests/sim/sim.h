/*
 * sim: what the figures of one machine come to in large. Each function writes one table of
 * docs/scaling.md, always the same one: chance comes from a generator that begins at the same
 * place.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <stdint.h>

#include "base/buf.h"

struct sim_table {
	const char *name;
	void (*write)(struct buf *out);
};
extern const struct sim_table sim_tables[];
extern const size_t sim_tables_len;

void sim_storm(struct buf *out);    /* edges die, and their clients come back */
void sim_interest(struct buf *out); /* who wants whose doorbells, in one NATS cluster or several */
void sim_partitions(struct buf *out); /* the same by subjects that users share */
void sim_sweep(struct buf *out);      /* the questions that find what nothing followed */
void sim_apply(struct buf *out);      /* events a second, and what they fill */

/* --- what tables are made of --- */
/* 1234567 becomes "1,234,567". */
const char *sim_count(uint64_t n, char ret[static 32]);

/* A generator of its own, since base's can't be started anywhere. */
struct sim_random {
	uint64_t state;
};
uint64_t sim_below(struct sim_random *random, uint64_t below);

#endif
