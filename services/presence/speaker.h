/*
 * speaker: the thread that tells edges, on whichever replica holds the lock for it; on the others
 * it keeps the roster in step with time and waits for its turn.
 */
#ifndef PRESENCE_SPEAKER_H
#define PRESENCE_SPEAKER_H

#include "presence.h"

struct speaker;

/* Sets presence->speaker. `name`: "ww-presence/<instance>". */
enum status speaker_start(
    struct presence *presence, struct bus *bus, const char *name, struct err *err) MUST_CHECK;
/* Lets go: another replica tells what this one did not get to. NULL is fine. */
void speaker_stop(struct speaker *speaker);

/* There is something to tell. Any thread. */
void speaker_wake(struct speaker *speaker);
/* The same for whichever replica it is, after a commit. A message that is lost costs a moment. */
void speaker_nudge(struct bus *bus);

/* NULL, or why it can't do its part. Any thread. */
const char *speaker_trouble(const struct speaker *speaker);

#endif
