/* metrics: what the engine counts. */
#ifndef ENGINE_METRICS_H
#define ENGINE_METRICS_H

#include "engine/session.h"

/* Why a request became no session and no part of one: the engine's errors, and what else there is.
 */
enum refusal {
	REFUSED_FULL = ERROR_NONE, /* as many sessions or requests as there may be */
	REFUSED_DRAINING,
	REFUSED_ADOPTION, /* the connection could not be taken */
	REFUSED_BODIES,   /* as much memory is in use for bodies as may be */
	REFUSED_BODY_SLOW,
	REFUSED_BODY_LARGE,
	REFUSED_BODY_MALFORMED,
	REFUSALS
};

void engine_metrics_register(struct engine *engine);

void count_handshake(void);
void count_handshake_refused(enum refusal refusal);
void count_upgrade(void);
void count_upgrade_late(void);
void count_close(enum close_reason reason);
void count_push(enum frame_class class, enum outq_result result);
void count_hints_evicted(unsigned hints);
void count_stalled(void);
void count_bytes_in(size_t bytes);  /* read from adopted connections */
void count_bytes_out(size_t bytes); /* written to them */
/*
 * Brings the gauges of transports and queues up to what is true of a session. Called at the end of
 * a turn, so that a queue that fills and empties within one costs nothing, and when it dies.
 */
void count_session(struct session *session);
void count_parser(bool is_packed, int by); /* a session whose encoding is known; +1 or -1 */

/* The WebSocket close code of a reason (proto/close.def). */
int close_reason_code(enum close_reason reason);

#endif
