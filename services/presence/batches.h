/*
 * batches: what is to be told, sorted by edge: numbered PresenceBatch messages of bounded size.
 *
 * Made under the lock of the roster, whose edges it numbers; sent after it.
 */
#ifndef PRESENCE_BATCHES_H
#define PRESENCE_BATCHES_H

#include "base/bytes.h"
#include "presence.h"

enum { BATCHES_BYTES_MAX = 256 * 1024 }; /* of one message, unless one list alone is larger */

struct batches {
	struct arena *arena;
	struct roster *roster;
	uint64_t generation;
	uint64_t *highest; /* number of this generation: an edge that is new, or comes back, starts
			      above */
	bool anew;         /* the first batch of an edge says so */
	int64_t now;
	struct batch_out *outs;
	struct batch_message {
		struct batch_message *prev, *next;
		const char *edge;
		struct bytes data;
	} * messages; /* after batches_end(), in order */
	size_t messages_len;
};

void batches_begin(struct batches *batches);
/* All of a user's friends who are not offline, to one edge; nothing if that is gone. */
void batches_friends(
    struct batches *batches, const struct roster_wish *wish, PresenceUpdate **users, size_t len);
/* One user's status to a watcher, wherever that one has sockets. Several watchers of one update
 * should come one after the other. */
void batches_change(struct batches *batches, PresenceUpdate *update, const char *watcher);
void batches_excess(struct batches *batches, const struct roster_excess *excess);
/* Packs and numbers all of it, and heartbeats for edges that were told nothing for `heartbeat`. */
void batches_end(struct batches *batches, int64_t heartbeat);

#endif
