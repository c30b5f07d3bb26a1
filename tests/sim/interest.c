/*
 * Doorbells: one NATS subject for each user who has a socket, against partitions that many users
 * share. A server of a cluster knows the interests of all edges, its own and the others'.
 */
#include <stdlib.h>

#include "base/attrs.h"
#include "base/xalloc.h"
#include "measured.h"
#include "sim.h"

enum {
	SERVERS = 3,
	DAY_S = 86400,
	EVENTS_A_DAY = 20, /* of a user who is online */
	PEAK = 5,          /* times the mean */
	SERVER_GIB = 8,    /* that a server may spend on interests */
};

static uint64_t edges_of(uint64_t users)
{
	return (users + EDGE_SOCKETS - 1) / EDGE_SOCKETS;
}

static uint64_t bells_of(uint64_t users)
{
	return users * EVENTS_A_DAY * PEAK / DAY_S;
}

/* Of all servers together: a doorbell is handled where it comes in and, two times of three, where
 * the edge is. */
static double cores_of(uint64_t bells, double copies)
{
	double handled = (double)bells * copies * (1 + (double)(SERVERS - 1) / SERVERS);

	return handled * BELL_CENTI_US / 100 / 1e6;
}

void sim_interest(struct buf *out)
{
	static const uint64_t online[] = { 100000, 1000000, 10000000, 50000000 };

	buf_append_str(out,
	    "| users online | edges | doorbells a second | interests in each server | NATS cores |"
	    " clusters at 8 GiB a server |\n| --- | --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < ARRAY_LEN(online); i++) {
		double gib = (double)online[i] * INTEREST_BYTES / (1 << 30);
		char users[32], edges[32], bells[32];

		buf_appendf(out, "| %s | %s | %s | %.1f GiB | %.2f | %d |\n",
		    sim_count(online[i], users), sim_count(edges_of(online[i]), edges),
		    sim_count(bells_of(online[i]), bells), gib, cores_of(bells_of(online[i]), 1),
		    (int)(gib / SERVER_GIB) + 1);
	}
}

/* How many of so many partitions an edge wants, with its users anywhere. */
static uint64_t wanted_partitions(uint64_t partitions)
{
	struct sim_random random = { 1 };
	bool *wanted = xcalloc(partitions, sizeof(*wanted));
	uint64_t n = 0;

	for (uint64_t i = 0; i < EDGE_SOCKETS; i++) {
		bool *one = &wanted[sim_below(&random, partitions)];

		n += !*one;
		*one = true;
	}
	free(wanted);
	return n;
}

void sim_partitions(struct buf *out)
{
	static const uint64_t users = 10000000;
	static const uint64_t partitions[] = { 256, 4096, 65536, 1048576 };
	char interests[32], bells[32];

	buf_append_str(out,
	    "| subjects | wanted by an edge | interests in each server | copies of a doorbell |"
	    " doorbells into each edge a second | NATS cores |\n"
	    "| --- | --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < ARRAY_LEN(partitions); i++) {
		uint64_t wanted = wanted_partitions(partitions[i]);
		double copies = (double)(edges_of(users) * wanted) / (double)partitions[i];
		char all[32], own[32];

		buf_appendf(out, "| %s partitions | %s | %s | %.1f | %s | %.1f |\n",
		    sim_count(partitions[i], all), sim_count(wanted, own),
		    sim_count(edges_of(users) * wanted, interests), copies,
		    sim_count(
			(uint64_t)((double)bells_of(users) * copies / (double)edges_of(users)),
			bells),
		    cores_of(bells_of(users), copies));
	}
	buf_appendf(out, "| one for each user | %s | %s | 1.0 | %s | %.1f |\n",
	    sim_count(EDGE_SOCKETS, bells), sim_count(users, interests),
	    sim_count(bells_of(users) / edges_of(users), (char[32]){ 0 }),
	    cores_of(bells_of(users), 1));
}
