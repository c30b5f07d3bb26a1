/*
 * crowd: everybody in the bench of presence: they come, go, and are away, and friends are told.
 *
 * The first users have a Socket.IO socket each, in turn at two edges; the others are users of load
 * edges (load_edges.h). What a socket is told is what its user believes, and times the change: from
 * when the client did it (said who it is, said so, or the end of the grace after it went; with a
 * load edge from before the report) to when a friend's frame was read.
 *
 * Threads: one, which serves it.
 */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include "client.h"
#include "friends.h"
#include "load_edges.h"

enum { CROWD_SIDES = 2 /* real edges */ };

struct crowd_config {
	int ports[CROWD_SIDES];
	const char *keys_dir;
	size_t sockets;
	int64_t grace_ms;
};

enum crowd_kind {
	CROWD_COMING,
	CROWD_STAR,
	CROWD_SOCKET_HERE,
	CROWD_SOCKET_GONE,
	CROWD_LOAD_HERE,
	CROWD_LOAD_GONE,
	CROWD_KINDS
};

struct crowd {
	struct crowd_config cfg;
	struct friends *friends;
	struct load_edges *load;
	struct crowd_side {
		struct crowd *crowd;
		size_t index;
		struct bench_pool pool;
	} sides[CROWD_SIDES];
	char **tokens;
	bool *is_here;    /* has a socket, or is to have one */
	size_t lost;      /* sockets that somebody else closed */
	int64_t retry_ms; /* when these come again; 0: there are none */
	int64_t *changed_us;
	size_t changes;       /* that friends are to be told of */
	enum crowd_kind kind; /* of what is timed; CROWD_KINDS: by what changes */
	struct crowd_samples {
		int64_t *us;
		size_t len, room;
	} samples[CROWD_KINDS];
	size_t star_heard; /* timed as CROWD_STAR */
};

/* `bus`: a connection as "edge", for load edges. */
void crowd_init(
    struct crowd *crowd, const struct crowd_config *cfg, struct friends *friends, struct bus *bus);
/* Before its bus. */
void crowd_finish(struct crowd *crowd);

bool crowd_has_socket(const struct crowd *crowd, uint32_t user);
void crowd_come(struct crowd *crowd, uint32_t user);
void crowd_go(struct crowd *crowd, uint32_t user);
/* ONLINE or AWAY. Of one with a socket, which has to be ready; without, it comes if need be. */
void crowd_say(struct crowd *crowd, uint32_t user, PresenceStatus status);
bool crowd_is_ready(struct crowd *crowd, uint32_t user);
size_t crowd_ready(const struct crowd *crowd);

/* One round. */
void crowd_serve(struct crowd *crowd);
void crowd_serve_for(struct crowd *crowd, int64_t ms);
/* Too many sockets were lost. */
bool crowd_has_failed(const struct crowd *crowd);

#endif
