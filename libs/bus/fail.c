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

static enum status status_of_js(jsErrCode code, enum status otherwise)
{
	switch (code) {
	case JSStreamNotFoundErr:
	case JSConsumerNotFoundErr:
	case JSNoMessageFoundErr:
	case JSSequenceNotFoundErr: /* of a message to delete */
		return STATUS_NOT_FOUND;
	case JSStreamWrongLastSequenceErr:
	case JSStreamWrongLastMsgIDErr:
		return STATUS_CONFLICT;
	case JSStreamMessageExceedsMaximumErr:
		return STATUS_TOO_LARGE;
	/* The stream is full, or the server is starting, electing or short of disk: later is
	 * better. */
	case JSStreamStoreFailedErr:
	case JSInsufficientResourcesErr:
	case JSClusterNotAvailErr:
	case JSClusterNotLeaderErr:
	case JSStreamOfflineErr:
	case JSConsumerOfflineErr:
	case JSNotEnabledErr:
		return STATUS_UNAVAILABLE;
	default:
		return otherwise;
	}
}

static PRINTF_LIKE(5, 0) enum status fail(struct err *err, enum status status, natsStatus ns,
    jsErrCode code, const char *fmt, va_list args)
{
	char what[256];

	(void)vsnprintf(what, sizeof(what), fmt, args);
	if (code)
		return err_set(err, status, "%s: JetStream error %d", what, (int)code);
	return err_set(err, status, "%s: %s", what, natsStatus_GetText(ns));
}

enum status bus_fail(struct err *err, natsStatus ns, const char *fmt, ...)
{
	va_list args;
	enum status s;

	va_start(args, fmt);
	s = fail(err, bus_status_of(ns), ns, 0, fmt, args);
	va_end(args);
	return s;
}

enum status bus_fail_js(struct err *err, natsStatus ns, jsErrCode code, const char *fmt, ...)
{
	va_list args;
	enum status s;

	va_start(args, fmt);
	s = fail(err, status_of_js(code, bus_status_of(ns)), ns, code, fmt, args);
	va_end(args);
	return s;
}
