/* metrics: what ww-edge counts; rendered on its admin port. */
#ifndef EDGE_METRICS_H
#define EDGE_METRICS_H

#include "edge.h"
#include "outq.h"

void edge_metrics_register(struct edge *edge);

void count_handshake(void);
void count_handshake_refused(void);
void count_connect(void);                       /* a CONNECT that was answered */
void count_refusal(enum token_verdict verdict); /* a CONNECT that was refused */
void count_close(enum close_reason reason);
void count_event_in(void);
void count_call(enum status status);
void count_push(enum frame_class class, enum outq_result result);
void count_hole(void);        /* found in a mailbox */
void count_hole_filled(void); /* by the late doorbell itself */
void count_since(size_t items);
void count_snapshot(void);
void count_sweep(size_t users);
void count_sweep_finding(void); /* somebody was behind and nothing had followed */
void observe_latency(int64_t applied_us);

/* The WebSocket close code of a reason (proto/close.def). */
int close_reason_code(enum close_reason reason);

#endif
