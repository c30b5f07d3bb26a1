/* Adopted WebSockets: handshake, frames in and out, the probe of an upgrade, the end. */
#include "engine/wsconn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "base/xalloc.h"
#include "engine/metrics.h"
#include "engine/session.h"

enum {
	LINGER_MS = 1000,
	/* What the kernel holds can't be overtaken, replaced or counted: it takes no more than
	 * keeps the connection busy until the loop looks at it again. */
	KERNEL_UNSENT_MAX = 64 << 10,
	MAX_FRAGMENTS = 1024,
	CLOSE_PAYLOAD = 2,
	FRAME_EXTRA = 8,
};

static bool is_ended(const struct wsconn *ws)
{
	return ws->state == WS_DEAD;
}

static struct outq *queue_of(struct wsconn *ws)
{
	return ws->session && ws->session->ws == ws ? &ws->session->out : &ws->out;
}

static void mark_dirty(struct wsconn *ws)
{
	if (ws->session && ws->session->ws == ws) {
		session_mark_dirty(ws->session);
		return;
	}
	if (ws->is_dirty)
		return;
	ws->is_dirty = true;
	ws->next_dirty = ws->el->dirty_ws;
	ws->el->dirty_ws = ws;
}

static void handoff_free(struct ws_handoff *handoff)
{
	if (!handoff)
		return;
	buf_finish(&handoff->headers);
	free(handoff);
}

static void wsconn_free(void *thing)
{
	struct wsconn *ws = thing;

	ws_decoder_finish(&ws->decoder);
	buf_finish(&ws->held);
	outq_finish(&ws->out);
	handoff_free(ws->handoff);
	free(ws);
}

/* The connection is over. Who it belonged to has been told, or has ended it. */
static void end(struct wsconn *ws)
{
	struct engine_loop *el = ws->el;

	if (is_ended(ws))
		return;
	ws->state = WS_DEAD;
	if (ws->session && ws->session->ws == ws)
		ws->session->ws = NULL;
	else if (ws->session)
		session_end_probe(ws->session);
	ws->session = NULL;
	if (ws->relay)
		el->engine->cfg.relay->on_gone(ws);
	loop_timer_disarm(el->loop, &ws->deadline);
	loop_fd_close(ws->lfd);
	DL_DELETE(el->wsconns, ws);
	engine_bury(el, wsconn_free, ws);
}

void wsconn_drop(struct wsconn *ws)
{
	end(ws);
}

/* The peer is gone, or has said all it will. */
static void on_gone(struct wsconn *ws)
{
	struct session *session = ws->session && ws->session->ws == ws ? ws->session : NULL;

	end(ws);
	if (session)
		session_on_ws_gone(session);
}

static void linger_over(void *arg)
{
	on_gone(arg);
}

/*
 * Nothing may follow a close frame, so it stands behind what waits: a refusal, a last event. A
 * client that does not read would never come to it; what it is not sent it recovers.
 */
static bool has_stopped_reading(enum close_reason reason)
{
	return reason == CLOSE_SLOW_CONSUMER || reason == CLOSE_PING_TIMEOUT;
}

void wsconn_close(struct wsconn *ws, enum close_reason reason)
{
	/* A client that said why it goes is told the same. */
	int code = reason == CLOSE_CLIENT ? ws->peer_code : close_reason_code(reason);
	uint8_t payload[CLOSE_PAYLOAD] = { (uint8_t)(code >> 8), (uint8_t)code };

	if (ws->state == WS_ENDING || is_ended(ws))
		return;
	if (code < 0 || ws->handoff) { /* nothing to say, or nothing was said yet */
		end(ws);
		return;
	}
	ws->state = WS_ENDING;
	if (has_stopped_reading(reason))
		outq_clear(queue_of(ws));
	outq_push_close(queue_of(ws), bytes_of(payload, code ? CLOSE_PAYLOAD : 0));
	mark_dirty(ws);
	loop_timer_arm(
	    ws->el->loop, &ws->deadline, loop_now_ms(ws->el->loop) + LINGER_MS, linger_over, ws);
}

/* An active one ends with its session, which knows the reason; a probe ends alone. */
static void fail(struct wsconn *ws, enum close_reason reason)
{
	if (ws->session && ws->session->ws == ws)
		session_close(ws->session, reason);
	else
		wsconn_close(ws, reason);
}

/* --- input --- */

static void switch_here(struct wsconn *ws)
{
	ws->state = WS_ACTIVE;
	loop_timer_disarm(ws->el->loop, &ws->deadline);
	session_switch(ws->session, ws);
}

static void answer_probe(struct wsconn *ws)
{
	struct frame *frame = frame_new(FRAME_CONTROL, BYTES_LITERAL("3probe"), NULL);

	(void)outq_push(&ws->out, &ws->el->engine->cfg.queue, frame, bytes_of(NULL, 0));
	frame_unref(frame);
	mark_dirty(ws);
}

/*
 * Before it is anybody's transport only two packets mean something; anything else ends this
 * WebSocket, and the session stays where it is.
 */
static void on_probing_text(struct wsconn *ws, struct bytes text)
{
	const struct engine_relay *relay = ws->el->engine->cfg.relay;

	if (bytes_equal_str(text, "2probe")) {
		if (ws->session) {
			session_on_probed(ws->session);
			answer_probe(ws);
		} else {
			ws->is_paused = true;
			relay->on_probe(ws);
		}
	} else if (bytes_equal_str(text, "5")) {
		if (ws->session) {
			switch_here(ws);
		} else {
			ws->is_paused = true;
			relay->on_switch(ws);
		}
	} else {
		wsconn_close(ws, CLOSE_PARSE_ERROR);
	}
}

/* Whoever pings without reading is a slow consumer like any other. */
static void push_pong(struct wsconn *ws, struct bytes payload)
{
	struct outq *out = queue_of(ws);

	if (out->count < ws->el->engine->cfg.queue.count) {
		outq_push_urgent(out, WS_PONG, payload);
	} else if (ws->state == WS_ACTIVE) {
		count_push(FRAME_CONTROL, OUTQ_FULL);
		session_doom(ws->session, CLOSE_SLOW_CONSUMER);
	}
	mark_dirty(ws);
}

/* Pings cost an answer each, and pongs that nobody asked for are no better. */
static bool is_bearable(struct wsconn *ws)
{
	struct engine_loop *el = ws->el;
	int64_t now_us = loop_now_ms(el->loop) * 1000;

	if (!rate_take(&el->engine->cfg.strikes, &ws->strikes, now_us))
		return true;
	fail(ws, CLOSE_RATE_LIMITED);
	return false;
}

static void on_frame(struct wsconn *ws, const struct ws_frame *frame)
{
	switch (frame->opcode) {
	case WS_TEXT:
		if (ws->state == WS_PROBING)
			on_probing_text(ws, frame->payload);
		else
			(void)session_on_text(ws->session, frame->payload);
		break;
	case WS_BINARY:
		if (ws->state == WS_PROBING)
			wsconn_close(ws, CLOSE_PARSE_ERROR);
		else
			(void)session_on_binary(ws->session, frame->payload);
		break;
	case WS_PING:
		if (is_bearable(ws))
			push_pong(ws, frame->payload);
		break;
	case WS_CLOSE:
		ws->peer_code = frame->payload.len ? ws_close_code_of(frame->payload) : 0;
		fail(ws, CLOSE_CLIENT);
		break;
	case WS_PONG:
		(void)is_bearable(ws);
		break;
	case WS_CONTINUATION:
		break;
	}
}

static enum close_reason reason_of(enum ws_close_code code)
{
	switch (code) {
	case WS_CLOSE_UTF8:
		return CLOSE_WS_UTF8;
	case WS_CLOSE_TOO_LARGE:
		return CLOSE_TOO_LARGE;
	case WS_CLOSE_NORMAL:
	case WS_CLOSE_PROTOCOL:
		break;
	}
	return CLOSE_WS_PROTOCOL;
}

static bool takes_input(const struct wsconn *ws)
{
	return ws->state == WS_PROBING || ws->state == WS_ACTIVE;
}

static void on_input(struct wsconn *ws, uint8_t *input, size_t len)
{
	struct ws_frame frame;
	enum ws_close_code code;

	if (ws->session)
		session_touch(ws->session);
	while (takes_input(ws)) {
		enum ws_event event = ws_decode(&ws->decoder, &input, &len, &frame, &code);

		if (event == WS_MORE)
			return;
		if (event == WS_ERROR) {
			fail(ws, reason_of(code));
			return;
		}
		on_frame(ws, &frame);
		if (ws->is_paused) {
			buf_append(&ws->held, input, len);
			mark_dirty(ws); /* which stops reading */
			return;
		}
	}
}

/* Goes on where it was paused. */
static void resume(struct wsconn *ws)
{
	struct buf held = ws->held;

	ws->held = (struct buf)BUF_INIT;
	ws->is_paused = false;
	mark_dirty(ws); /* which reads again */
	if (held.len)
		on_input(ws, held.data, held.len);
	buf_finish(&held);
}

void wsconn_answer_probe(struct wsconn *ws)
{
	answer_probe(ws);
	resume(ws);
}

static void on_readable(struct wsconn *ws)
{
	ssize_t got = recv(loop_fd_number(ws->lfd), ws->el->input, ENGINE_INPUT_SIZE, 0);

	if (got > 0) {
		count_bytes_in((size_t)got);
		on_input(ws, ws->el->input, (size_t)got);
	} else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
		on_gone(ws);
	}
}

static void on_ready(void *arg, int events)
{
	struct wsconn *ws = arg;

	if (events & LOOP_WRITABLE)
		mark_dirty(ws);
	if (events & LOOP_READABLE && !is_ended(ws) && !ws->is_paused)
		on_readable(ws);
}

/* --- output --- */

static enum outq_progress write_queue(struct wsconn *ws)
{
	struct outq *q = queue_of(ws);
	uint64_t before = q->taken;
	enum outq_progress progress = outq_write(q, loop_fd_number(ws->lfd));

	count_bytes_out((size_t)(q->taken - before));
	return progress;
}

void wsconn_write(struct wsconn *ws)
{
	if (!is_ended(ws))
		(void)write_queue(ws);
}

void wsconn_flush(struct wsconn *ws)
{
	int reading = ws->is_paused ? 0 : LOOP_READABLE;
	int fd;

	if (is_ended(ws))
		return;
	fd = loop_fd_number(ws->lfd);
	switch (write_queue(ws)) {
	case OUTQ_EMPTY:
		loop_fd_want(ws->lfd, reading);
		if (ws->state == WS_ENDING)
			(void)shutdown(fd, SHUT_WR); /* the peer answers with its own end */
		break;
	case OUTQ_BLOCKED:
		loop_fd_want(ws->lfd, reading | LOOP_WRITABLE);
		break;
	case OUTQ_BROKEN:
		on_gone(ws);
		break;
	}
}

void wsconn_flush_all(struct engine_loop *el)
{
	while (el->dirty_ws) {
		struct wsconn *ws = el->dirty_ws;

		el->dirty_ws = ws->next_dirty;
		ws->is_dirty = false;
		wsconn_flush(ws);
	}
}

/* --- birth --- */

void wsconn_accept(struct wsconn *ws)
{
	struct ws_handoff *handoff = ws->handoff;
	struct buf text = BUF_INIT;

	buf_appendf(&text,
	    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: %s\r\n",
	    handoff->accept);
	if (handoff->subprotocol[0])
		buf_appendf(&text, "Sec-WebSocket-Protocol: %s\r\n", handoff->subprotocol);
	buf_append_bytes(&text, buf_bytes(&handoff->headers));
	buf_append_str(&text, "\r\n");
	outq_push_urgent(queue_of(ws), 0, buf_bytes(&text));
	buf_finish(&text);
	handoff_free(handoff);
	ws->handoff = NULL;
	loop_fd_want(ws->lfd, LOOP_READABLE);
	mark_dirty(ws);
}

/* A refused upgrade reads the bare message, not JSON. */
void wsconn_refuse(struct wsconn *ws, enum engine_error error)
{
	struct buf text = BUF_INIT;

	count_handshake_refused((enum refusal)error);
	http_append_response(&text, engine_error_status(error), "text/html",
	    bytes_of_str(engine_error_text(error)), NULL);
	outq_push_urgent(&ws->out, 0, buf_bytes(&text));
	buf_finish(&text);
	handoff_free(ws->handoff);
	ws->handoff = NULL;
	ws->session = NULL;
	ws->state = WS_ENDING;
	loop_timer_arm(
	    ws->el->loop, &ws->deadline, loop_now_ms(ws->el->loop) + LINGER_MS, linger_over, ws);
	mark_dirty(ws);
}

void wsconn_attach(struct wsconn *ws, struct session *session)
{
	ws->session = session;
	switch_here(ws);
	resume(ws);
}

static void probe_overdue(void *arg)
{
	count_upgrade_late();
	wsconn_close(arg, CLOSE_CLIENT);
}

/* For a session of this server. */
static void begin_upgrade(struct wsconn *ws)
{
	struct session *session = session_find_sid(ws->el, ws->handoff->sid);

	if (!session || session->state != SESSION_OPEN || session->app != ws->handoff->app) {
		wsconn_refuse(ws, ERROR_UNKNOWN_SID);
		return;
	}
	if (!session_can_probe(session)) {
		wsconn_refuse(ws, ERROR_BAD_REQUEST);
		return;
	}
	ws->session = session;
	session_begin_probe(session, ws, NULL);
	wsconn_accept(ws);
}

static void begin(struct wsconn *ws)
{
	struct engine_loop *el = ws->el;
	struct ws_handoff *handoff = ws->handoff;
	struct session *session;

	if (!handoff->is_new && engine_owns(el->engine, handoff->sid)) {
		begin_upgrade(ws);
	} else if (!handoff->is_new) {
		loop_timer_arm(el->loop, &ws->deadline,
		    loop_now_ms(el->loop) + el->engine->cfg.upgrade_timeout_ms, probe_overdue, ws);
		el->engine->cfg.relay->upgrade(ws);
	} else {
		session = session_new(el, handoff->app, handoff->sid, handoff->flags);
		session->ws = ws;
		session->out.is_b64 = ws->is_b64;
		ws->session = session;
		ws->state = WS_ACTIVE;
		wsconn_accept(ws); /* the 101 stands before the open packet */
		session_open(session, /* can_upgrade= */ false);
	}
}

void wsconn_adopt(void *arg)
{
	struct ws_handoff *handoff = arg;
	struct engine_loop *el = handoff->el;
	int unsent_max = KERNEL_UNSENT_MAX;
	struct wsconn *ws;

	if (el->closed) { /* it came while the server was closing */
		(void)close(handoff->fd);
		handoff_free(handoff);
		return;
	}
	ws = xcalloc(1, sizeof(*ws));
	ws->el = el;
	ws->handoff = handoff;
	ws->is_b64 = handoff->is_b64;
	ws->out.is_b64 = handoff->is_b64;
	ws->lfd = loop_fd_open(el->loop, handoff->fd, on_ready, ws);
	/* Room for the type, and for binary as base64; a message itself is judged by its session.
	 */
	ws_decoder_init(
	    &ws->decoder, el->engine->cfg.max_message / 3 * 4 + FRAME_EXTRA, MAX_FRAGMENTS);
	(void)setsockopt(
	    handoff->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_max, sizeof(unsent_max));
	DL_APPEND(el->wsconns, ws);
	begin(ws);
}
