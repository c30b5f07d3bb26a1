/*
 * audit_outbox: the outbox (outbox.h) in which a service's audit records wait for their relay
 * (audit_relay.h): the table `audit_outbox` in the service's own schema.
 */
#ifndef SERVICE_AUDIT_OUTBOX_H
#define SERVICE_AUDIT_OUTBOX_H

#include "service/outbox.h"

struct audit_outbox {
	const char *service; /* "notifications": its schema, and what records say */
	size_t insert;       /* as outbox.h says */
};

/* In the service's table of statements: AUDIT_STATEMENTS(S, "presence", "123"), the last being the
 * number of an advisory lock that nobody else uses. */
#define AUDIT_STATEMENTS(S, schema, lock_key) \
	OUTBOX_STATEMENTS(S, AUDIT, schema ".audit_outbox", lock_key)
/* Where they are, if the service numbers its statements STORE_<name>. */
#define AUDIT_OUTBOX(schema)               \
	{                                  \
		schema, STORE_AUDIT_INSERT \
	}

#endif
