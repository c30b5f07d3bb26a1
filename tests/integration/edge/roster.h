/*
 * roster: a stand-in for ww-presence in the edge's tests, over the real NATS.
 *
 * It keeps what edges report, as a replica does, and sends them what the test decides.
 */
#ifndef TEST_ROSTER_H
#define TEST_ROSTER_H

#include "bus/bus.h"
#include "walletwire/v1/presence.pb-c.h"

struct roster;

struct roster *roster_start(const char *nats_url);
void roster_stop(struct roster *roster);

/* A user at an edge, over its loops. */
struct roster_user {
	unsigned sockets;
	Walletwire__V1__PresenceStatus status; /* the best; 0 without a socket */
	bool wants_friends;                    /* as it was told last */
	unsigned told;                         /* how often, also for want of something else */
};
struct roster_user roster_user(struct roster *roster, const char *edge, const char *user);
/* Waits for it, whatever it wants. */
void roster_expect(struct roster *roster, const char *edge, const char *user, unsigned sockets,
    Walletwire__V1__PresenceStatus status);
/* Waits until it wants its friends, or does not. */
void roster_expect_wants(struct roster *roster, const char *edge, const char *user, bool wants);

/* The number of the newest report of a loop. */
uint64_t roster_report(struct roster *roster, const char *edge, uint32_t loop);

/* What came from an edge, over its loops. */
struct roster_counts {
	unsigned changes, tables, heartbeats, leaving;
	unsigned gaps; /* numbers that were not the next */
};
struct roster_counts roster_counts(struct roster *roster, const char *edge);

/* As it is, generation and number too. */
void roster_send(
    struct roster *roster, const char *edge, const Walletwire__V1__PresenceBatch *batch);
void roster_send_raw(struct roster *roster, const char *edge, struct bytes data);
/* Asks both loops for their tables, and waits for some that were made after this was called. */
void roster_ask_tables(struct roster *roster, const char *edge);

#endif
