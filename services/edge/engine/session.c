/* A session's life, heartbeat and packets, on whatever transport it has. */
#include "engine/session.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/xalloc.h"
#include "codec/base64.h"
#include "codec/engineio.h"
#include "engine/metrics.h"
#include "engine/tomb.h"
#include "engine/wsconn.h"

enum {
	/* On polling, until a GET comes that can be told that it is over. */
	POLL_LINGER_MS = 10000,
	/* Some clients refuse a payload of more (python-engineio). */
	PAYLOAD_PACKETS_MAX = 16,
};

/* --- life --- */

void session_make_sid(const struct engine *engine, char ret_sid[static ENGINE_SID_SIZE])
{
	char random[ID_SIZE];

	id_random(random);
	(void)snprintf(ret_sid, ENGINE_SID_SIZE, "%.*s.%s", ENGINE_ID_MAX, engine->cfg.id, random);
}

struct session *session_find(struct engine_loop *el, uint64_t number)
{
	struct session *session;

	HASH_FIND(hh, el->sessions, &number, sizeof(number), session);
	return session;
}

struct session *session_find_sid(struct engine_loop *el, const char *sid)
{
	struct session *session;

	HASH_FIND(hh_sid, el->by_sid, sid, strlen(sid), session);
	return session;
}

void session_mark_dirty(struct session *session)
{
	if (session->is_dirty)
		return;
	session->is_dirty = true;
	session->next_dirty = session->el->dirty;
	session->el->dirty = session;
}

static void session_free(void *thing)
{
	struct session *session = thing;

	outq_finish(&session->out);
	free(session->remote_probe);
	free(session);
}

/* Nobody waits for it any more. */
static void die(struct session *session)
{
	struct engine_loop *el = session->el;

	assert(session->state != SESSION_DEAD && !session->poll && !session->ws && !session->probe);
	session->state = SESSION_DEAD;
	loop_timer_disarm(el->loop, &session->heartbeat);
	loop_timer_disarm(el->loop, &session->probe_deadline);
	loop_timer_disarm(el->loop, &session->drain);
	loop_timer_disarm(el->loop, &session->stall);
	HASH_DELETE(hh, el->sessions, session);
	HASH_DELETE(hh_sid, el->by_sid, session);
	engine_bury(el, session_free, session);
	atomic_fetch_sub(&el->engine->sessions, 1);
	count_session(session);
}

static void linger_over(void *arg)
{
	die(arg);
}

static void answer_poll(struct session *session, int status, struct bytes body)
{
	struct poll *poll = session->poll;

	session->poll = NULL;
	poll->session = NULL;
	poll->answer(poll, status, body);
}

/* On polling, without waiting for anybody: the GET that waits is told that this was all. */
static void end_polling(struct session *session)
{
	if (session->poll)
		answer_poll(session, 200, BYTES_LITERAL("1"));
	die(session);
}

/* What waits, if anything does, to a client that asks for no more. */
static void answer_rest(struct session *session)
{
	struct buf payload = BUF_INIT;

	outq_take_payload(&session->out, PAYLOAD_PACKETS_MAX, session->poll->max_bytes, &payload);
	if (!payload.len)
		buf_append_char(&payload, ENGINEIO_NOOP);
	answer_poll(session, 200, buf_bytes(&payload));
	buf_finish(&payload);
}

/* The probing WebSocket goes alone. */
static void drop_probe(struct session *session)
{
	struct wsconn *probe = session->probe;

	session_end_probe(session);
	if (probe) {
		probe->session = NULL;
		wsconn_close(probe, CLOSE_CLIENT);
	}
}

/* What remains to be done depends on who still has to be told. */
static void begin_closing(struct session *session, enum close_reason reason)
{
	struct engine_loop *el = session->el;

	if (session->ws) {
		wsconn_close(session->ws, reason);
		if (session->state == SESSION_CLOSING && !session->ws)
			die(session);
	} else if (close_reason_code(reason) < 0) {
		end_polling(session);
	} else if (reason == CLOSE_CLIENT) {
		/* It said so itself: its GET is let go, or will be when it arrives. */
		if (session->poll)
			answer_rest(session);
		else
			tomb_add(el, session->sid, TOMB_CLOSED);
		die(session);
	} else {
		session_mark_dirty(session);
		loop_timer_arm(el->loop, &session->heartbeat,
		    loop_now_ms(el->loop) + POLL_LINGER_MS, linger_over, session);
	}
}

void session_close(struct session *session, enum close_reason reason)
{
	if (session->state != SESSION_OPEN)
		return;
	session->state = SESSION_CLOSING;
	count_close(reason);
	session->app->on_close(session);
	loop_timer_disarm(session->el->loop, &session->heartbeat);
	loop_timer_disarm(session->el->loop, &session->stall);
	drop_probe(session);
	begin_closing(session, reason);
}

static void drain_due(void *arg)
{
	session_close(arg, CLOSE_DRAIN);
}

void session_drain_at(struct session *session, int64_t deadline_ms)
{
	loop_timer_arm(session->el->loop, &session->drain, deadline_ms, drain_due, session);
}

void session_reject(struct session *session, enum close_reason reason)
{
	session_close(session, reason);
	if (session->state == SESSION_CLOSING && !session->ws)
		end_polling(session);
}

void session_drop(struct session *session)
{
	if (session->state == SESSION_OPEN) {
		session->state = SESSION_CLOSING;
		session->app->on_close(session);
	}
	die(session);
}

void session_forget(struct session *session)
{
	assert(session->state == SESSION_OPEN && !session->ws && !session->probe);
	session->state = SESSION_CLOSING;
	session->app->on_close(session);
	tomb_add(session->el, session->sid, TOMB_MOVED);
	if (session->poll)
		answer_poll(session, 200, BYTES_LITERAL("6"));
	die(session);
}

/* --- heartbeat: a ping `ping_interval` after the last pong, a pong within `ping_timeout` --- */

static void pong_overdue(void *arg)
{
	struct session *session = arg;
	struct engine_loop *el = session->el;
	int64_t alive_until = session->last_input_ms + el->engine->cfg.ping_timeout_ms;

	/* A client that is busy sending is alive, even if its pong waits behind its data. */
	if (alive_until > loop_now_ms(el->loop))
		loop_timer_arm(el->loop, &session->heartbeat, alive_until, pong_overdue, session);
	else
		session_reject(session, CLOSE_PING_TIMEOUT);
}

static void send_ping(void *arg)
{
	struct session *session = arg;
	struct engine_loop *el = session->el;

	session->ping_due = true;
	outq_push_urgent(&session->out, WS_TEXT, BYTES_LITERAL("2"));
	count_push(FRAME_CONTROL, OUTQ_QUEUED);
	session_mark_dirty(session);
	loop_timer_arm(el->loop, &session->heartbeat,
	    loop_now_ms(el->loop) + el->engine->cfg.ping_timeout_ms, pong_overdue, session);
}

static void expect_next_ping(struct session *session)
{
	struct engine_loop *el = session->el;

	session->ping_due = false;
	loop_timer_arm(el->loop, &session->heartbeat,
	    loop_now_ms(el->loop) + el->engine->cfg.ping_interval_ms, send_ping, session);
}

void session_ping(struct session *session)
{
	send_ping(session);
}

void session_touch(struct session *session)
{
	session->last_input_ms = loop_now_ms(session->el->loop);
}

/* --- birth --- */

struct session *session_new(
    struct engine_loop *el, const struct engine_app *app, const char *sid, unsigned flags)
{
	size_t size = strlen(sid) + 1;
	struct session *session = xcalloc(1, sizeof(*session) + size);

	session->el = el;
	session->app = app;
	session->flags = flags;
	session->number = ++el->next_number;
	memcpy(session->sid, sid, size);
	session_touch(session);
	HASH_ADD(hh, el->sessions, number, sizeof(session->number), session);
	HASH_ADD_KEYPTR(hh_sid, el->by_sid, session->sid, size - 1, session);
	atomic_fetch_add(&el->engine->sessions, 1);
	expect_next_ping(session);
	return session;
}

static void push_open(struct session *session, bool can_upgrade)
{
	const struct engine_config *cfg = &session->el->engine->cfg;
	struct engineio_open open = {
		.sid = session->sid,
		.can_upgrade = can_upgrade,
		.ping_interval_ms = (int)cfg->ping_interval_ms,
		.ping_timeout_ms = (int)cfg->ping_timeout_ms,
		.max_payload = (int)cfg->max_payload,
	};
	struct buf text = BUF_INIT;

	engineio_append_open(&text, &open);
	session_push_text(session, buf_bytes(&text));
	buf_finish(&text);
}

void session_open(struct session *session, bool can_upgrade)
{
	push_open(session, can_upgrade);
	session->app->on_open(session);
}

/* --- output --- */

void session_doom(struct session *session, enum close_reason reason)
{
	if (session->state != SESSION_OPEN || session->is_doomed)
		return;
	session->is_doomed = true;
	session->doom = reason;
	session_mark_dirty(session);
}

bool session_strike(struct session *session)
{
	struct engine_loop *el = session->el;
	int64_t now_us = loop_now_ms(el->loop) * 1000;

	if (rate_take(&el->engine->cfg.strikes, &session->strikes, now_us))
		session_close(session, CLOSE_RATE_LIMITED);
	return session->state == SESSION_OPEN;
}

/* What must arrive makes room for itself before it is given up. */
static enum outq_result push_hard(struct session *session, struct frame *frame, struct bytes tail)
{
	const struct outq_limits *limits = &session->el->engine->cfg.queue;
	enum outq_result result = outq_push(&session->out, limits, frame, tail);
	unsigned hints;

	/* A turn may bring more than the queue holds, to a client that reads all of it. */
	if (result == OUTQ_FULL && session->ws) {
		wsconn_write(session->ws);
		result = outq_push(&session->out, limits, frame, tail);
	}
	if (result == OUTQ_FULL) {
		hints = outq_drop_hints(&session->out);
		count_hints_evicted(hints);
		if (hints)
			result = outq_push(&session->out, limits, frame, tail);
	}
	return result;
}

void session_push(struct session *session, struct frame *frame, struct bytes tail)
{
	enum outq_result result;

	if (session->state != SESSION_OPEN || session->is_doomed)
		return;
	result = push_hard(session, frame, tail);
	count_push(frame->class, result);
	if (result == OUTQ_FULL)
		session_doom(session, CLOSE_SLOW_CONSUMER);
	session_mark_dirty(session);
}

static void push_own(struct session *session, struct bytes data, bool is_binary)
{
	struct frame *frame = frame_new(FRAME_CONTROL, data, NULL);

	frame->is_binary = is_binary;
	session_push(session, frame, bytes_of(NULL, 0));
	frame_unref(frame);
}

void session_push_text(struct session *session, struct bytes text)
{
	push_own(session, text, /* is_binary= */ false);
}

void session_push_binary(struct session *session, struct bytes data)
{
	push_own(session, data, /* is_binary= */ true);
}

/*
 * What waits goes into the GET that waits, or this GET is let go. That it is over is said by an
 * answer of its own: stock clients disconnect before they have looked at what comes with it, keep
 * that until they are back, without having told that they have it, and so show it twice.
 */
static void flush_poll(struct session *session)
{
	if (!session->poll)
		return;
	if (session->out.count || (session->is_probed && session->state == SESSION_OPEN))
		answer_rest(session);
	else if (session->state == SESSION_CLOSING)
		end_polling(session);
}

static void stalled(void *arg)
{
	count_stalled();
	session_close(arg, CLOSE_SLOW_CONSUMER);
}

bool session_is_congested(const struct session *session)
{
	return outq_is_half_full(&session->out, &session->el->engine->cfg.queue);
}

/*
 * A client may take its time with a queue that is more than half full (it recovers, or its line is
 * slow) as long as it takes something of it. The heartbeat does not see one that takes nothing but
 * sends.
 */
static void watch_for_stall(struct session *session)
{
	const struct engine_config *cfg = &session->el->engine->cfg;
	struct loop *loop = session->el->loop;

	if (!session_is_congested(session)) {
		loop_timer_disarm(loop, &session->stall);
	} else if (!loop_timer_is_armed(&session->stall) ||
		   session->taken_seen != session->out.taken) {
		session->taken_seen = session->out.taken;
		loop_timer_arm(loop, &session->stall, loop_now_ms(loop) + cfg->slow_timeout_ms,
		    stalled, session);
	}
}

void session_flush_all(struct engine_loop *el)
{
	while (el->dirty) {
		struct session *session = el->dirty;

		el->dirty = session->next_dirty;
		session->is_dirty = false;
		if (session->is_doomed)
			session_close(session, session->doom);
		if (session->state == SESSION_DEAD)
			continue;
		if (session->ws)
			wsconn_flush(session->ws);
		else
			flush_poll(session);
		count_session(session);
		if (session->state == SESSION_OPEN)
			watch_for_stall(session);
	}
}

/* --- input --- */

static bool malformed(struct session *session)
{
	session_reject(session, CLOSE_PARSE_ERROR);
	return false;
}

static bool is_too_large(struct session *session, size_t len)
{
	if (len <= session->el->engine->cfg.max_message)
		return false;
	session_reject(session, CLOSE_TOO_LARGE);
	return true;
}

bool session_on_binary(struct session *session, struct bytes data)
{
	if (is_too_large(session, data.len))
		return false;
	session->app->on_message(session, /* is_binary= */ true, data);
	return true;
}

/* Clients that leave the padding out are understood. */
static bool on_base64(struct session *session, struct bytes text)
{
	struct buf padded = BUF_INIT;
	uint8_t *data = xmalloc(base64_decoded_max(text.len + 3) + 1);
	size_t len = 0;
	bool ok;

	buf_append_bytes(&padded, text);
	while (padded.len % 4 > 1)
		buf_append_char(&padded, '=');
	ok = base64_decode(buf_bytes(&padded), data, &len)
		 ? session_on_binary(session, bytes_of(data, len))
		 : malformed(session);
	buf_finish(&padded);
	free(data);
	return ok;
}

bool session_on_text(struct session *session, struct bytes text)
{
	struct engineio_packet packet;

	if (engineio_parse(text, &packet, NULL))
		return malformed(session);
	switch (packet.type) {
	case ENGINEIO_MESSAGE:
		if (is_too_large(session, text.len))
			return false;
		session->app->on_message(session, /* is_binary= */ false, packet.data);
		return true;
	case ENGINEIO_BINARY:
		return on_base64(session, packet.data);
	case ENGINEIO_PONG:
		if (session->ping_due)
			expect_next_ping(session);
		else
			(void)session_strike(session);
		return true;
	case ENGINEIO_CLOSE:
		session_close(session, CLOSE_CLIENT);
		return true;
	case ENGINEIO_PING: /* only servers ping in protocol 4 */
		return malformed(session);
	case ENGINEIO_OPEN:
	case ENGINEIO_UPGRADE:
	case ENGINEIO_NOOP: /* some clients flush a stray one; it means nothing here */
		(void)session_strike(session);
		break;
	}
	return true;
}

bool session_on_payload(struct session *session, struct bytes payload)
{
	struct engineio_reader reader = { .left = payload };
	struct bytes packet;

	session_touch(session);
	if (!payload.len)
		(void)session_strike(session);
	while (session->state == SESSION_OPEN && engineio_payload_next(&reader, &packet)) {
		if (!session_on_text(session, packet))
			return false;
	}
	return true;
}

/* --- polling --- */

struct session *session_on_polling(struct engine_loop *el, const struct engine_app *app,
    const char *sid, bool is_get, enum engine_error *ret_error)
{
	struct session *session = session_find_sid(el, sid);

	*ret_error = ERROR_UNKNOWN_SID;
	if (session && session->app != app)
		return NULL; /* of another path */
	if (session && !session->ws && session->state != SESSION_DEAD)
		return session;
	if (session) {
		*ret_error = ERROR_BAD_REQUEST;
		return NULL;
	}
	switch (tomb_take(el, sid, is_get)) {
	case TOMB_CLOSED:
		if (is_get)
			*ret_error = ERROR_NONE;
		break;
	case TOMB_MOVED:
		*ret_error = ERROR_BAD_REQUEST;
		break;
	case TOMB_NONE:
		break;
	}
	return NULL;
}

void session_take_poll(struct session *session, struct poll *poll)
{
	session_touch(session);
	/* A client polls once at a time: this is another one, or a broken one. */
	if (session->poll) {
		session_close(session, CLOSE_DUPLICATE_POLL);
		poll->answer(poll, 400, bytes_of(NULL, 0));
		return;
	}
	session->poll = poll;
	poll->session = session;
	/* What waits is there before anything else of this turn. */
	flush_poll(session);
	count_session(session);
}

void session_on_poll_gone(struct session *session)
{
	session->poll->session = NULL;
	session->poll = NULL;
	if (session->state == SESSION_OPEN)
		session_close(session, CLOSE_CLIENT_GONE);
}

/* --- upgrade --- */

bool session_can_probe(const struct session *session)
{
	return session->state == SESSION_OPEN && !session->ws && !session->is_probing;
}

static void probe_overdue(void *arg)
{
	count_upgrade_late();
	drop_probe(arg);
}

void session_begin_probe(struct session *session, struct wsconn *probe, const char *remote)
{
	struct engine_loop *el = session->el;

	session->is_probing = true;
	session->probe = probe;
	session->remote_probe = remote ? xstrdup(remote) : NULL;
	loop_timer_arm(el->loop, &session->probe_deadline,
	    loop_now_ms(el->loop) + el->engine->cfg.upgrade_timeout_ms, probe_overdue, session);
}

/* From here on every GET is answered at once: the client waits for that before it switches. */
void session_on_probed(struct session *session)
{
	session->is_probed = true;
	session_mark_dirty(session);
}

void session_end_probe(struct session *session)
{
	session->probe = NULL;
	free(session->remote_probe);
	session->remote_probe = NULL;
	session->is_probing = session->is_probed = false;
	loop_timer_disarm(session->el->loop, &session->probe_deadline);
}

void session_switch(struct session *session, struct wsconn *ws)
{
	session_end_probe(session);
	if (session->poll)
		answer_poll(session, 200, BYTES_LITERAL("6"));
	session->ws = ws;
	if (ws->is_b64)
		outq_use_base64(&session->out);
	outq_put_first(&session->out, &ws->out);
	session_mark_dirty(session);
	count_upgrade();
}

void session_on_ws_gone(struct session *session)
{
	session->ws = NULL;
	if (session->state == SESSION_OPEN)
		session_close(session, CLOSE_CLIENT_GONE);
	else if (session->state == SESSION_CLOSING)
		die(session);
}
