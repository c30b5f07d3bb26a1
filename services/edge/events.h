/* events: the rows of proto/events.def. */
#ifndef EDGE_EVENTS_H
#define EDGE_EVENTS_H

struct event_kind {
	const char *kind;  /* the member of Payload: "balance" */
	const char *event; /* what clients listen to: "balance:update" */
};

/* NULL if there is no such kind. */
const struct event_kind *event_kind_of(const char *kind);

#endif
