/* Threads, ids, and the end of a turn. */
#include "engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

#include "base/id.h"
#include "base/xalloc.h"
#include "engine/exchange.h"
#include "engine/session.h"
#include "engine/tomb.h"
#include "engine/wsconn.h"
#include "http/cors.h"

enum { LOOPS_MAX = 64 };

/* --- ids --- */

bool engine_server_of(const char *sid, char ret_id[static ENGINE_ID_MAX + 1])
{
	size_t len = strspn(sid, ID_ALPHABET);

	if (len == 0 || len > ENGINE_ID_MAX || sid[len] != '.' || strlen(sid + len + 1) != ID_LEN ||
	    strspn(sid + len + 1, ID_ALPHABET) != ID_LEN)
		return false;
	memcpy(ret_id, sid, len);
	ret_id[len] = '\0';
	return true;
}

bool engine_owns(const struct engine *engine, const char *sid)
{
	char id[ENGINE_ID_MAX + 1];

	return engine_server_of(sid, id) && strcmp(id, engine->cfg.id) == 0;
}

struct engine_loop *engine_loop_of(struct engine *engine, const char *sid)
{
	uint32_t hash = 2166136261u; /* FNV-1a, of the random part */

	for (const char *at = strrchr(sid, '.'); at && *at; at++)
		hash = (hash ^ (uint8_t)*at) * 16777619u;
	return &engine->loops[hash % engine->loops_len];
}

/* --- the end of a turn --- */

struct grave {
	struct grave *next;
	void (*fn)(void *thing);
	void *thing;
};

void engine_bury(struct engine_loop *el, void (*fn)(void *thing), void *thing)
{
	struct grave *grave = xmalloc(sizeof(*grave));

	*grave = (struct grave){ .next = el->graves, .fn = fn, .thing = thing };
	el->graves = grave;
}

static void on_turn_end(void *arg)
{
	struct engine_loop *el = arg;

	do { /* whoever is found gone may let others go on */
		session_flush_all(el);
		wsconn_flush_all(el);
	} while (el->dirty || el->dirty_ws);
	while (el->graves) {
		struct grave *grave = el->graves;

		el->graves = grave->next;
		grave->fn(grave->thing);
		free(grave);
	}
}

/* --- life --- */

static size_t count_loops(const struct engine_config *cfg)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (cfg->loops)
		return cfg->loops;
	return cores > LOOPS_MAX ? LOOPS_MAX : cores > 0 ? (size_t)cores : 1;
}

enum status engine_init(struct engine *engine, const struct engine_config *cfg, struct err *err)
{
	enum status s;

	engine->cfg = *cfg;
	engine->loops_len = count_loops(cfg);
	engine->loops = xcalloc(engine->loops_len, sizeof(*engine->loops));
	for (size_t i = 0; i < engine->loops_len; i++) {
		struct engine_loop *el = &engine->loops[i];
		char name[16];

		(void)snprintf(name, sizeof(name), "loop-%u", (unsigned)i & 63u);
		*el = (struct engine_loop){ .engine = engine, .index = i };
		el->loop = loop_new(name);
		el->input = xmalloc(ENGINE_INPUT_SIZE);
		loop_on_turn_end(el->loop, on_turn_end, el);
	}
	s = http_cors_new(cfg->origins, &engine->cors, err);
	return s ? s : admission_new(&cfg->admission, &engine->admission, err);
}

enum status engine_start(struct engine *engine, struct err *err)
{
	for (size_t i = 0; i < engine->loops_len; i++) {
		enum status s = loop_start(engine->loops[i].loop, err);

		if (s)
			return s;
		engine->loops_started++;
	}
	return STATUS_OK;
}

struct closing {
	struct engine_loop *el;
	void (*on_loop)(struct engine_loop *el);
};

/* On each loop: clients are told to go elsewhere. */
static void close_loop(void *arg)
{
	struct closing *closing = arg;
	struct engine_loop *el = closing->el;
	struct session *session, *next;
	struct exchange *x, *next_x;
	struct wsconn *ws, *next_ws;
	struct engine *engine = el->engine;

	HASH_ITER (hh, el->sessions, session, next)
		session_close(session, CLOSE_DRAIN);
	DL_FOREACH_SAFE (el->exchanges, x, next_x) {
		if (x->relay)
			engine->cfg.relay->on_drain(x);
		else if (!x->poll.session)
			exchange_answer(x, 503, NULL, bytes_of(NULL, 0));
	}
	DL_FOREACH_SAFE (el->wsconns, ws, next_ws)
		wsconn_close(ws, CLOSE_DRAIN);
	session_flush_all(el); /* what goes through other servers needs the embedder */
	if (closing->on_loop)
		closing->on_loop(el);
	free(closing);
	atomic_store(&el->closed, true);
}

void engine_refuse_new(struct engine *engine)
{
	atomic_store(&engine->draining, true);
}

void engine_drain(struct engine *engine, void (*on_loop)(struct engine_loop *el))
{
	struct timespec pause = { .tv_nsec = 20 * 1000000L };

	engine_refuse_new(engine);
	if (engine->front)
		http_front_stop_accepting(engine->front);
	for (size_t i = 0; i < engine->loops_started; i++) {
		struct closing *closing = xmalloc(sizeof(*closing));

		*closing = (struct closing){ &engine->loops[i], on_loop };
		loop_post(engine->loops[i].loop, close_loop, closing);
	}
	/* Until every loop has let go of what it uses of its embedder's, without a bound. */
	for (size_t i = 0; i < engine->loops_started; i++) {
		while (!atomic_load(&engine->loops[i].closed))
			(void)nanosleep(&pause, NULL);
	}
	/* Every WebSocket ends a second after its close frame at the latest, and what was asked of
	 * other servers is answered by then. */
	for (int i = 0;
	     i < 100 && atomic_load(&engine->sessions) + atomic_load(&engine->exchanges) > 0; i++)
		(void)nanosleep(&pause, NULL);
}

/* What is left of a loop whose thread has ended: sessions whose clients never polled again. */
static void finish_loop(struct engine_loop *el)
{
	struct session *session, *next;
	struct exchange *x, *next_x;
	struct wsconn *ws, *next_ws;

	DL_FOREACH_SAFE (el->wsconns, ws, next_ws)
		wsconn_drop(ws);
	DL_FOREACH_SAFE (el->exchanges, x, next_x) {
		if (x->relay)
			el->engine->cfg.relay->on_exchange_gone(x);
		exchange_drop(x);
	}
	HASH_ITER (hh, el->sessions, session, next)
		session_drop(session);
	on_turn_end(el);
	tomb_finish(el);
	loop_free(el->loop);
	free(el->input);
}

void engine_finish(struct engine *engine)
{
	http_front_free(engine->front);
	for (size_t i = 0; i < engine->loops_started; i++) {
		loop_stop(engine->loops[i].loop);
		loop_join(engine->loops[i].loop);
	}
	for (size_t i = 0; i < engine->loops_len; i++)
		finish_loop(&engine->loops[i]);
	free(engine->loops);
	http_cors_free(engine->cors);
	admission_free(engine->admission);
}
