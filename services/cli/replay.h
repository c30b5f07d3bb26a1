/*
 * replay: dead letters published once more.
 *
 * Reading and removing is the operator's right. Publishing is not: a letter goes back under the
 * name of whoever may publish on its subject, whose password is needed too. It is removed when the
 * stream has taken it; whoever dies in between replays it again, which applies it once all the
 * same.
 */
#ifndef CLI_REPLAY_H
#define CLI_REPLAY_H

#include "connection.h"

struct replay;

/* Both are borrowed. */
struct replay *replay_new(const struct connection_options *connection, struct bus *ops);
void replay_free(struct replay *replay);

/* All that are there now, oldest first. What came from no subject of ours is told and stays. */
enum status replay_all(struct replay *replay, struct err *err) MUST_CHECK;
enum status replay_one(struct replay *replay, uint64_t seq, struct err *err) MUST_CHECK;

/* Letters that could not go back, for a reason of their own. */
size_t replay_skipped(const struct replay *replay);

#endif
