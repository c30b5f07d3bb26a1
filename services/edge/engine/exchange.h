/*
 * exchange: one HTTP request that was adopted before it was answered, and its answer.
 *
 *   READING ──► WAITING ──► WRITING ──► gone
 *
 * READING: its body is not whole. WAITING: a poll without an answer, or a relay's question. After
 * the answer the connection is closed (docs/adr/0001-adoption.md). One whose answer is known begins
 * with WRITING.
 *
 * Threads: belongs to its loop.
 */
#ifndef ENGINE_EXCHANGE_H
#define ENGINE_EXCHANGE_H

#include "engine/engine.h"
#include "engine/session.h"
#include "http/body.h"

enum exchange_kind {
	EXCHANGE_HANDSHAKE,
	EXCHANGE_POLL,
	EXCHANGE_POST,
	EXCHANGE_REFUSED,
	EXCHANGE_ANSWERED, /* names no session: its head is in `out`, its body lent */
};
enum exchange_state { EXCHANGE_READING, EXCHANGE_WAITING, EXCHANGE_WRITING, EXCHANGE_DEAD };

struct exchange {
	struct engine_loop *el;
	struct exchange *prev, *next; /* of the loop */
	const struct engine_app *app;
	enum exchange_kind kind;
	enum exchange_state state;
	unsigned flags; /* of a handshake */
	bool is_ours;   /* the session is this server's */
	bool is_octets; /* a POST that says it is binary: payloads are text */
	int fd;
	struct loop_fd *lfd;
	struct http_body body;
	size_t body_bytes;  /* counted in engine.body_bytes */
	struct buf early;   /* what of the body came with the head */
	struct buf headers; /* for the answer: whole lines */
	struct buf out;
	struct bytes lent; /* goes behind `out` */
	size_t written;    /* of both */
	struct loop_timer deadline;
	struct poll poll;
	uint64_t posting; /* number of the session whose POST is being read, 0: none */
	void *relay;      /* the relay's own */
	char sid[ENGINE_SID_SIZE];
};

/* On the loop: takes the adopted request, or one that is ANSWERED already. */
void exchange_adopt(void *exchange);
void exchange_adopt_answered(void *exchange);

/* Answer and end. `type` may be NULL if there is no body. */
void exchange_answer(struct exchange *x, int status, const char *type, struct bytes body);
void exchange_answer_error(struct exchange *x, enum engine_error error);
/* The answer to a poll: text of 200, an error's JSON otherwise. */
void exchange_answer_poll(struct exchange *x, int status, struct bytes body);
void exchange_answer_post(struct exchange *x, bool is_ok);

/* End without an answer. */
void exchange_drop(struct exchange *x);

#endif
