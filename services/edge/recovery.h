/*
 * recovery: Socket.IO's connection state recovery
 * (https://socket.io/docs/v4/connection-state-recovery) without a store.
 *
 * What a client has to bring is all there is to know: `pid`, which it was given in its CONNECT
 * answer, and `offset`, the last argument of the newest event it has seen.
 *
 *   pid     <socket id>.<epoch>.<seq>.<announcementSeq>.<mac>   positions at CONNECT; the mac binds
 *                                                               them to the user
 *   offset  <tag>.<epoch>.<seq>.<announcementSeq>               positions after that event; the
 * tag, the start of the pid's mac, binds it to the pid
 *
 * Stock clients keep their last offset over sign-out and fresh sessions: one with another tag
 * counts as absent. Pure: no I/O, no clock.
 */
#ifndef EDGE_RECOVERY_H
#define EDGE_RECOVERY_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/id.h"

/* Where a socket stands. */
struct position {
	char epoch[ID_SIZE];
	uint64_t seq, log_seq;
};

enum {
	RECOVERY_PID_SIZE = ID_SIZE + ID_SIZE + 2 * 21 + ID_SIZE,
	RECOVERY_TAG_LEN = 8,
	RECOVERY_OFFSET_SIZE = RECOVERY_TAG_LEN + 1 + ID_SIZE + 2 * 21,
};

/* What came of an attempt; labels of ww_edge_recoveries_total. */
enum recovery {
	RECOVERY_DONE,
	RECOVERY_BAD_PID,  /* malformed, forged, of another user or under a key that is gone */
	RECOVERY_EPOCH,    /* of another history */
	RECOVERY_AHEAD,    /* beyond what the mailbox has: another history as well */
	RECOVERY_TOO_MANY, /* more was missed than is replayed */
	RECOVERY_TOO_OLD,  /* what was missed has left the mailbox */
	RECOVERY_OUTCOMES
};

/* `old` is accepted but not made with, while a key is replaced; empty if there is none. */
struct recovery_keys {
	struct bytes key, old;
};

void recovery_make_pid(const struct recovery_keys *keys, const char *sid, const char *user_id,
    const struct position *at, char ret_pid[static RECOVERY_PID_SIZE]);

/* False if it is not one that was made for this user. */
bool recovery_read_pid(const struct recovery_keys *keys, struct bytes pid, const char *user_id,
    char ret_sid[static ID_SIZE], struct position *ret_at);

/* The offset's start, up to and with the dot behind the epoch; `pid` is one of ours. */
enum { RECOVERY_PREFIX_SIZE = RECOVERY_TAG_LEN + 1 + ID_SIZE + 1 };
void recovery_make_prefix(
    const char *pid, const char *epoch, char ret_prefix[static RECOVERY_PREFIX_SIZE]);

/* False if it does not belong to the pid. */
bool recovery_read_offset(struct bytes offset, struct bytes pid, struct position *ret_at);

#endif
