/*
 * cause: what keeps a service from its work, as one closed table (proto/cause.def).
 *
 * It travels in struct err from where a library is wrapped to readiness and metrics. Nothing is
 * decided by it: that is what the status is for.
 */
#ifndef BASE_CAUSE_H
#define BASE_CAUSE_H

enum cause {
#define X(name, label, text) CAUSE_##name,
#include "cause.def"
#undef X
	CAUSE_COUNT
};

/* For people: "PostgreSQL's disk is full". Labels are for the tables of metrics. */
const char *cause_text(enum cause cause);

#endif
