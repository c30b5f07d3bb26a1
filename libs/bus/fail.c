/* The one place where nats.c's and JetStream's codes become ours. */
#include <stdarg.h>
#include <stdio.h>

#include "bus/internal.h"

enum status bus_status_of(natsStatus ns)
{
	switch (ns) {
	case NATS_OK:
		return STATUS_OK;
	case NATS_TIMEOUT:
		return STATUS_TIMEOUT;
	case NATS_NO_RESPONDERS:
	case NATS_CONNECTION_CLOSED:
	case NATS_CONNECTION_DISCONNECTED:
	case NATS_NO_SERVER:
	case NATS_STALE_CONNECTION:
	case NATS_IO_ERROR:
	case NATS_NOT_YET_CONNECTED:
	case NATS_DRAINING:
	/* With a reconnect buffer of 0 this is what a publish says while disconnected. */
	case NATS_INSUFFICIENT_BUFFER:
		return STATUS_UNAVAILABLE;
	case NATS_MAX_PAYLOAD:
		return STATUS_TOO_LARGE;
	case NATS_NOT_FOUND:
		return STATUS_NOT_FOUND;
	case NATS_NOT_PERMITTED:
		return STATUS_FORBIDDEN;
	case NATS_CONNECTION_AUTH_FAILED:
		return STATUS_UNAUTHORIZED;
	default:
		return STATUS_INTERNAL;
	}
}

/* What JetStream says, and what that is to us. */
static const struct js_meaning {
	jsErrCode code;
	enum status status;
	const char *text;
} js_meanings[] = {
	{ JSStreamNotFoundErr, STATUS_NOT_FOUND, "no such stream" },
	{ JSConsumerNotFoundErr, STATUS_NOT_FOUND, "no such consumer" },
	{ JSNoMessageFoundErr, STATUS_NOT_FOUND, "no such message" },
	{ JSSequenceNotFoundErr, STATUS_NOT_FOUND, "no such message" }, /* to delete */
	{ JSStreamWrongLastSequenceErr, STATUS_CONFLICT, "changed meanwhile" },
	{ JSStreamWrongLastMsgIDErr, STATUS_CONFLICT, "changed meanwhile" },
	{ JSStreamMessageExceedsMaximumErr, STATUS_TOO_LARGE, "too large" },
	/* Later is better. */
	{ JSStreamStoreFailedErr, STATUS_UNAVAILABLE, "the stream is full" },
	{ JSInsufficientResourcesErr, STATUS_UNAVAILABLE, "the server is short of resources" },
	{ JSMemoryResourcesExceededErr, STATUS_UNAVAILABLE, "the server's memory is used up" },
	{ JSStorageResourcesExceededErr, STATUS_UNAVAILABLE, "the server's storage is used up" },
	{ JSClusterNotAvailErr, STATUS_UNAVAILABLE, "the cluster is not complete" },
	{ JSClusterNotLeaderErr, STATUS_UNAVAILABLE, "the cluster elects a leader" },
	{ JSStreamOfflineErr, STATUS_UNAVAILABLE, "the stream is offline" },
	{ JSConsumerOfflineErr, STATUS_UNAVAILABLE, "the consumer is offline" },
	{ JSNotEnabledErr, STATUS_UNAVAILABLE, "JetStream is not running" },
};

static struct js_meaning meaning_of_js(jsErrCode code, enum status otherwise)
{
	for (size_t i = 0; i < ARRAY_LEN(js_meanings); i++) {
		if (js_meanings[i].code == code)
			return js_meanings[i];
	}
	return (struct js_meaning){ code, otherwise, natsStatus_GetText(NATS_ERR) };
}

enum status bus_fail(struct err *err, natsStatus ns, const char *fmt, ...)
{
	char what[256];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	return err_set(err, bus_status_of(ns), "%s: %s", what, natsStatus_GetText(ns));
}

enum status bus_fail_js(struct err *err, natsStatus ns, jsErrCode code, const char *fmt, ...)
{
	struct js_meaning meaning = meaning_of_js(code, bus_status_of(ns));
	char what[256];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	if (code == 0)
		return err_set(err, meaning.status, "%s: %s", what, natsStatus_GetText(ns));
	return err_set(
	    err, meaning.status, "%s: %s (JetStream error %d)", what, meaning.text, (int)code);
}
