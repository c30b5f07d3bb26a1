/*
 * roster: who is there, as edges tell it.
 *
 *   edge ──► stream (one per loop) ──► device ◄── user
 *
 * A device is what one loop says of one user: how many sockets, and the best of their statuses. A
 * user's status is the best of the devices; without any it stays what it was for the grace, and is
 * offline then. What a loop says is numbered and about its own sockets alone, so words that come
 * late can't be about anybody else's.
 *
 * Nothing here asks or sends. Times are milliseconds of the monotonic clock, but for `seen_us`.
 *
 * Threads: none of its own; whoever shares it locks it.
 */
#ifndef PRESENCE_ROSTER_H
#define PRESENCE_ROSTER_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attrs.h"
#include "walletwire/v1/presence.pb-c.h"

typedef Walletwire__V1__PresenceStatus PresenceStatus;
#define PRESENCE(NAME) WALLETWIRE__V1__PRESENCE_STATUS__PRESENCE_STATUS_##NAME

struct roster_config {
	int64_t silence;      /* an edge that was not heard for so long has no sockets */
	int64_t grace;        /* a user without sockets is offline after so long */
	int64_t keep;         /* who went offline is remembered for so long, for roster_doubt() */
	int64_t settle;       /* too many sockets have to stay so for so long */
	uint32_t sockets_max; /* of a user, over all edges */
};

struct roster;

struct roster *roster_new(const struct roster_config *cfg);
void roster_free(struct roster *roster); /* NULL is fine */

/*
 * What a loop says. False: something before it was missed, and its edge should be asked for its
 * whole table; at most once a second for an edge.
 */
bool roster_hear(struct roster *roster, const Walletwire__V1__PresenceReport *report, int64_t now,
    int64_t wall_us) MUST_CHECK;
/* What follows from the time: edges that are silent, graces that are over. */
void roster_tick(struct roster *roster, int64_t now, int64_t wall_us);
/* Nothing could be heard until now: nobody's silence counts. */
void roster_excuse(struct roster *roster, int64_t now);

/* Offline for whoever is not known. `*ret_seen_us` (since 1970): when the last socket went, of one
 * who is offline; 0: not known here. */
PresenceStatus roster_status(
    const struct roster *roster, const char *user_id, int64_t *ret_seen_us);

size_t roster_users(const struct roster *roster);
size_t roster_devices(const struct roster *roster);

/* --- for the replica that speaks --- */
/* Whose status may be another than was told, oldest change first; each is taken once. */
size_t roster_take_changed(
    struct roster *roster, struct arena *arena, size_t max, const char **ret_users);
/* Whose sockets want to know of their friends, where they are, and the number of the report that
 * said so last; likewise. */
struct roster_wish {
	const char *user_id, *edge;
	uint32_t loop;
	uint64_t report;
};
size_t roster_take_wishes(
    struct roster *roster, struct arena *arena, size_t max, struct roster_wish *ret_wishes);
/* Who has had too many sockets for a while: so many of this loop's are to go. */
struct roster_excess {
	const char *user_id, *edge;
	uint32_t loop, sockets;
};
size_t roster_take_excess(struct roster *roster, struct arena *arena, int64_t now, size_t max,
    struct roster_excess *ret_excess);
/* What was taken could not be told: it is there again. */
void roster_give_back(struct roster *roster, const char *const *users, size_t users_len,
    const struct roster_wish *wishes, size_t wishes_len);
/* Somebody else tells: what there is to take is forgotten. */
void roster_forget(struct roster *roster);
/* Whoever changed since `since` is to be told again, whatever was told before. */
void roster_doubt(struct roster *roster, int64_t since);
/* Whoever has too many sockets is looked at again. */
void roster_recount(struct roster *roster, int64_t now);

/* Notes what is told of the user now. False: that is what was told last, so there is nothing to. */
bool roster_tell(struct roster *roster, const char *user_id, PresenceStatus status) MUST_CHECK;

/* Somebody was told of the user out of turn: if that is not what was told last, all are told again.
 */
void roster_tell_some(struct roster *roster, const char *user_id, PresenceStatus status);

/* An edge that is heard; what follows its id is the caller's. */
struct roster_edge {
	const char *id;
	bool was_there;  /* when this generation began */
	uint64_t number; /* of the last batch it was sent; 0: none yet */
	int64_t told_at; /* when that was */
	void *out;       /* what it will be sent; NULL when it begins */
};
/* Calls `fn` for each edge; for each at which the user has sockets, once. */
typedef void (*roster_edge_fn)(void *arg, struct roster_edge *edge);
void roster_each_edge(struct roster *roster, roster_edge_fn fn, void *arg);
void roster_each_edge_of(struct roster *roster, const char *user_id, roster_edge_fn fn, void *arg);
/* That edge, if the user has sockets there; else NULL. */
struct roster_edge *roster_edge_of(struct roster *roster, const char *user_id, const char *edge_id);

#endif
