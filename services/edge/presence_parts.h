/*
 * presence_parts: words about users as one report, or as several where one would be longer than
 * PRESENCE_PART_MAX.
 *
 * Pure: whoever uses it numbers and sends the reports, each lent for the call.
 */
#ifndef EDGE_PRESENCE_PARTS_H
#define EDGE_PRESENCE_PARTS_H

#include <stddef.h>

#include "walletwire/v1/presence.pb-c.h"

enum { PRESENCE_PART_MAX = 256 << 10 };

struct presence_parts {
	Walletwire__V1__PresenceReport report; /* the one that is being filled */
	Walletwire__V1__PresenceReportUser *words;
	size_t bytes;
	void (*send)(void *arg, Walletwire__V1__PresenceReport *report);
	void *arg;
};

/* `report`: what all parts have in common. At most `words_max` words will be added. */
void presence_parts_begin(struct presence_parts *parts,
    const Walletwire__V1__PresenceReport *report, size_t words_max,
    void (*send)(void *arg, Walletwire__V1__PresenceReport *report), void *arg);
/* The word's text is borrowed until the end. */
void presence_parts_add(
    struct presence_parts *parts, const Walletwire__V1__PresenceReportUser *word);
/* Sends what is left, though it be nothing. */
void presence_parts_end(struct presence_parts *parts);

#endif
