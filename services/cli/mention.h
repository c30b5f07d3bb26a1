/*
 * mention: whom an event names: those it is for, the parties of a transaction, and in chat who
 * wrote, read, joined or is a member. Pure.
 */
#ifndef CLI_MENTION_H
#define CLI_MENTION_H

#include "walletwire/v1/event.pb-c.h"

enum mention {
	MENTION_NONE,   /* the event does not name the user */
	MENTION_SHARED, /* it was for others too: what is left of it is theirs */
	MENTION_WHOLE,  /* nobody else is concerned, or all that it says is about the user */
};

/* What the event says of a user. */
enum mention mention_of(const Walletwire__V1__Event *event, const char *user);

/* Takes the user out of a shared event, in place. */
void mention_remove(Walletwire__V1__Event *event, const char *user);

#endif
