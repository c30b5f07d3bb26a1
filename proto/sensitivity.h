/*
 * What fields hold, as sensitivity.proto and the fields' declarations say. The table is made at
 * build time by proto/gen/sensitivity.c.
 *
 * Threads: read-only.
 */
#ifndef SENSITIVITY_H
#define SENSITIVITY_H

#include "walletwire/v1/sensitivity.pb-c.h"

typedef Walletwire__V1__Sensitivity__Kind sensitivity;

struct sensitivity_row {
	const char *message; /* its full name */
	const char *field;
	sensitivity kind; /* never OPEN */
};

/* In the order of messages' names, then of fields'. */
extern const struct sensitivity_row sensitivity_rows[];
extern const size_t sensitivity_rows_len;

/* OPEN for what is not declared: a build lets no text, bytes or amount go undeclared. */
sensitivity sensitivity_of(
    const ProtobufCMessageDescriptor *message, const ProtobufCFieldDescriptor *field);

/* "text": as in docs/sensitivity.md. */
const char *sensitivity_word(sensitivity kind);

#endif
