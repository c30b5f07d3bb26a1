/* metrics: what the engine counts. */
#ifndef ENGINE_METRICS_H
#define ENGINE_METRICS_H

#include "engine/engine.h"

void engine_metrics_register(struct engine *engine);

void count_handshake(void);
void count_handshake_refused(void);
void count_upgrade(void);
void count_close(enum close_reason reason);
void count_push(enum frame_class class, enum outq_result result);

/* The WebSocket close code of a reason (proto/close.def). */
int close_reason_code(enum close_reason reason);

#endif
