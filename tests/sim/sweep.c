/*
 * The sweep: each edge asks for the heads of all its users once a minute, by 500, from a moment of
 * its own; and within five seconds after NATS was away, which is the same moment for all.
 */
#include <string.h>

#include "base/attrs.h"
#include "measured.h"
#include "sim.h"

enum {
	BIN_MS = 100,
	MINUTE_MS = 60000,
	SOON_MS = 5000,
	BINS = MINUTE_MS / BIN_MS,
	REQUESTS = EDGE_SOCKETS / HEADS_USERS, /* of an edge */
};

/* The most requests of any tenth of a second, as a rate. */
static uint64_t worst_rate(uint64_t edges, uint64_t over_ms)
{
	struct sim_random random = { 1 };
	uint64_t bins[BINS] = { 0 }, worst = 0;
	uint64_t pause_ms = over_ms / REQUESTS;

	for (uint64_t edge = 0; edge < edges; edge++) {
		uint64_t first_ms = sim_below(&random, pause_ms);

		for (uint64_t i = 0; i < REQUESTS; i++)
			bins[(first_ms + i * pause_ms) / BIN_MS]++;
	}
	for (size_t i = 0; i < BINS; i++) {
		if (bins[i] > worst)
			worst = bins[i];
	}
	return worst * (1000 / BIN_MS);
}

static double cores_of(uint64_t requests)
{
	return (double)requests * HEADS_US / 1e6;
}

void sim_sweep(struct buf *out)
{
	static const uint64_t edges[] = { 56, 556, 2778 };

	buf_append_str(out,
	    "| edges of 18,000 | requests a second | worst tenth of a second | PostgreSQL |"
	    " after NATS was away | PostgreSQL for 5 s |\n"
	    "| --- | --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < ARRAY_LEN(edges); i++) {
		uint64_t rest = edges[i] * REQUESTS * 1000 / MINUTE_MS;
		uint64_t soon = edges[i] * REQUESTS * 1000 / SOON_MS;
		char n[32], at_rest[32], worst[32], at_once[32];

		buf_appendf(out, "| %s | %s | %s | %.2f cores | %s | %.1f cores |\n",
		    sim_count(edges[i], n), sim_count(rest, at_rest),
		    sim_count(worst_rate(edges[i], MINUTE_MS), worst), cores_of(rest),
		    sim_count(soon, at_once), cores_of(soon));
	}
}
