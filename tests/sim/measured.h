/*
 * measured: what docs/performance.md says of this system on two cores, as the simulation needs it.
 * A figure that is measured anew is changed there and here.
 */
#ifndef SIM_MEASURED_H
#define SIM_MEASURED_H

enum {
	/* A full edge, and its death: 17.6 s of CPU for 18,000 recoveries, by its shares. */
	EDGE_SOCKETS = 18000,
	RECOVERY_US = 978,
	RECOVERY_EDGE_US = 352,
	RECOVERY_POSTGRES_US = 235,
	RECOVERY_NATS_US = 166,
	RECOVERY_SERVICE_US = 117,

	/* Stored events a second: PostgreSQL's part of 1,000 events is 39 ms. */
	EVENT_POSTGRES_US = 39,
	APPLIED_PER_S = 16500, /* by one replica, with everything on two cores */

	/* More and more rows: `heads` of 500 users, nearly all of it PostgreSQL. */
	HEADS_USERS = 500,
	HEADS_US = 2000,

	/* Interest, a million of them: memory of nats-server for each, its CPU for a doorbell. */
	INTEREST_BYTES = 2186,
	BELL_CENTI_US = 1060,

	/* Room: what a payment leaves in mailbox, inbox, bodies and applied, with indexes. */
	EVENT_ROWS = 4,
	EVENT_BYTES = 831,
};

#endif
