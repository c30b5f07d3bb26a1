/*
 * friends: who is whose friend in the bench of presence, what each of them is, and what everybody
 * believes of their friends by what they were told.
 *
 * User 0 has friends of their own, users 1 to `star`; all others stand in a ring and have `each`
 * friends far away on it, so that friends meet at every edge.
 *
 * Threads: none of its own. A user's beliefs belong to whoever serves the user's socket.
 */
#ifndef BENCH_FRIENDS_H
#define BENCH_FRIENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "walletwire/v1/presence.pb-c.h"

typedef Walletwire__V1__PresenceStatus PresenceStatus;
#define PRESENCE(NAME) WALLETWIRE__V1__PRESENCE_STATUS__PRESENCE_STATUS_##NAME

#define FRIENDS_PREFIX "user-"
enum { FRIENDS_ID_SIZE = sizeof(FRIENDS_PREFIX) + 7 }; /* "user-0012345", in the order of numbers */

struct friends {
	size_t users, pairs; /* a friendship is two pairs */
	char (*ids)[FRIENDS_ID_SIZE];
	size_t *first;            /* of each user's pairs; one more at the end */
	uint32_t *of;             /* the friend of a pair, in order for each user */
	uint8_t *believed;        /* a pair's status, as its user was told */
	uint8_t *is;              /* each user's status in truth */
	bool *watches;            /* has a socket, which ought to know */
	_Atomic size_t strangers; /* words about people who are no friends */
};

void friends_init(struct friends *friends, size_t users, size_t star, size_t each);
void friends_finish(struct friends *friends);

/* Writes all pairs into the database of ww-presence; ends the program if it can't. */
void friends_store(const struct friends *friends, const char *dsn);

/* The number of a user by the id; false if there is none. */
bool friends_number(const struct friends *friends, const char *id, size_t len, uint32_t *ret_user);

/* A new socket of the user knows of nobody, and so does whoever is sent a new list. */
void friends_forget(struct friends *friends, uint32_t user);
void friends_believe(
    struct friends *friends, uint32_t user, uint32_t friend_of, PresenceStatus status);

/* Pairs of everybody with a socket; in how many of them belief and truth differ. */
struct friends_difference {
	size_t watchers, pairs, wrong;
};
struct friends_difference friends_compare(const struct friends *friends);

#endif
