/*
 * user: the sockets of one user on one loop, and the order of the mailbox.
 *
 * Every socket has a position: the last mailbox number handled for it, and the last revision of the
 * user's state. Deliveries, answers to `since` and snapshots all pass through here, and each moves
 * a position only forward and only without a gap:
 *   - an item at or below the position is dropped, the next one is handled, one beyond is a hole;
 *   - a delivery whose rev_before is the socket's rev or below brings its states up to its rev; one
 *     from beyond means that a state was missed;
 *   - what can't be handled yet is held (64 items at most, more is fetched again), while the late
 *     doorbell has `hole-wait` to arrive; then `since` is asked for the items, `open` for the
 * states. So every key's newest version arrives in order, without remembering versions by key.
 *
 * Threads: belongs to its loop.
 */
#ifndef EDGE_USER_H
#define EDGE_USER_H

#include "base/rate.h"
#include "delivery.h"
#include "edge.h"

struct socket;

struct held {
	struct held *next;
	struct shared *ref;
};

struct user {
	struct edge_loop *el;
	UT_hash_handle hh;
	struct user *prev, *next;             /* in one of the sweep's lists */
	bool in_ring;                         /* in which one */
	struct user *prev_queue, *next_queue; /* of those that wait for a `since` */
	struct socket *sockets;
	char epoch[ID_SIZE];
	uint64_t target_seq, target_rev; /* known to exist */
	struct rate_bucket statuses;     /* of what all friends are told of */
	struct wanting {
		struct user *prev, *next; /* of those who want their friends; NULL: it does not */
		int64_t told_ms;          /* when ww-presence was told so */
	} wanting;
	struct held *held; /* oldest first */
	size_t held_items, held_bytes;
	bool has_hole, since_queued, since_asked, snapshot_asked;
	struct loop_timer hole_timer;
	Walletwire__V1__State *counters; /* of the inbox, the newest; NULL: not known yet */
	Walletwire__V1__Marks *marks;    /* of the announcements, likewise */
	uint64_t marks_rev;
	int64_t fresh_until_ms; /* when its head is compared for the first time */
	char *token;            /* the encoded id */
	char id[];
};

/* The user of a fresh socket, made if need be. NULL if the id can't be encoded (empty, too long).
 */
struct user *user_join(struct edge_loop *el, const char *id, struct socket *socket) MUST_CHECK;
void user_leave(struct socket *socket);
struct user *user_find(struct edge_loop *el, const char *id);

/* A doorbell for this user. Takes its own reference to keep it. */
void user_on_delivery(struct edge_loop *el, struct shared *ref, const struct delivery *delivery);

/* The highest position of any of the user's live sockets. */
uint64_t user_position(const struct user *user);

/*
 * `heads` says how far the mailbox and the state go; `asked_at` was user_position() when it was
 * asked. Returns whether the user was behind.
 */
bool user_on_head(
    struct user *user, const char *epoch, uint64_t seq, uint64_t rev, uint64_t asked_at);

/*
 * What `open` said of the history and its heads, before a socket becomes live. False if the user's
 * other sockets live in another history: then every socket of the user was closed, this one too.
 */
bool user_accept_epoch(struct user *user, const char *epoch, uint64_t seq, uint64_t rev);

/* A socket became live: deliver what was held while it opened; what it lacks is asked for after
 * wait_ms. */
void user_on_live(struct user *user, int64_t wait_ms);

#endif
