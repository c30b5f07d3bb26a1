/* The Engine.IO session: handshake, heartbeat, input and output of one WebSocket. */
#include "session.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "codec/engineio.h"
#include "metrics.h"
#include "socket.h"

enum {
	LINGER_MS = 1000,
	MAX_FRAGMENTS = 1024,
	CLOSE_PAYLOAD = 2,
};

static void mark_dirty(struct session *session)
{
	if (session->is_dirty)
		return;
	session->is_dirty = true;
	session->next_dirty = session->el->dirty;
	session->el->dirty = session;
}

static void die(struct session *session)
{
	struct edge_loop *el = session->el;

	session->state = SESSION_DEAD;
	loop_timer_disarm(el->loop, &session->heartbeat);
	loop_timer_disarm(el->loop, &session->connect_deadline);
	loop_fd_close(session->lfd);
	HASH_DEL(el->sessions, session);
	session->next_dead = el->dead;
	el->dead = session;
	atomic_fetch_sub(&el->edge->sockets, 1);
}

static void linger_over(void *arg)
{
	die(arg);
}

void session_close(struct session *session, enum close_reason reason)
{
	int code = close_reason_code(reason);
	uint8_t payload[CLOSE_PAYLOAD];

	if (session->state != SESSION_OPEN)
		return;
	session->state = SESSION_CLOSING;
	count_close(reason);
	if (session->socket)
		socket_leave(session->socket);
	loop_timer_disarm(session->el->loop, &session->connect_deadline);
	if (code < 0) {
		die(session);
		return;
	}
	payload[0] = (uint8_t)(code >> 8);
	payload[1] = (uint8_t)code;
	outq_push_control(&session->out, WS_CLOSE, bytes_of(payload, code ? CLOSE_PAYLOAD : 0));
	mark_dirty(session);
	loop_timer_arm(session->el->loop, &session->heartbeat,
	    loop_now_ms(session->el->loop) + LINGER_MS, linger_over, session);
}

void session_push(struct session *session, struct frame *frame, struct bytes tail)
{
	const struct outq_limits *limits = &session->el->edge->queue_limits;
	enum outq_result result;

	if (session->state != SESSION_OPEN || session->is_slow)
		return;
	result = outq_push(&session->out, limits, frame, tail);
	/* A turn may bring more than the queue holds, to a client that reads all of it. */
	if (result == OUTQ_FULL &&
	    outq_write(&session->out, loop_fd_number(session->lfd)) != OUTQ_BROKEN)
		result = outq_push(&session->out, limits, frame, tail);
	count_push(frame->class, result);
	session->is_slow = result == OUTQ_FULL;
	mark_dirty(session);
}

void session_push_text(struct session *session, struct bytes text)
{
	struct frame *frame = frame_new(FRAME_CONTROL, text, NULL);

	session_push(session, frame, bytes_of(NULL, 0));
	frame_unref(frame);
}

/* --- heartbeat: a ping `ping_interval` after the last pong, a pong within `ping_timeout` --- */

static void pong_overdue(void *arg)
{
	struct session *session = arg;
	struct edge_loop *el = session->el;
	int64_t alive_until = session->last_input_ms + el->edge->cfg.ping_timeout_ms;

	/* A client that is busy sending is alive, even if its pong waits behind its data. */
	if (alive_until > loop_now_ms(el->loop))
		loop_timer_arm(el->loop, &session->heartbeat, alive_until, pong_overdue, session);
	else
		session_close(session, CLOSE_PING_TIMEOUT);
}

static void send_ping(void *arg)
{
	struct session *session = arg;
	const struct edge_config *cfg = &session->el->edge->cfg;

	session->ping_due = true;
	session_push_text(session, BYTES_LITERAL("2"));
	loop_timer_arm(session->el->loop, &session->heartbeat,
	    loop_now_ms(session->el->loop) + cfg->ping_timeout_ms, pong_overdue, session);
}

static void expect_next_ping(struct session *session)
{
	struct edge_loop *el = session->el;

	session->ping_due = false;
	loop_timer_arm(el->loop, &session->heartbeat,
	    loop_now_ms(el->loop) + el->edge->cfg.ping_interval_ms, send_ping, session);
}

static void connect_overdue(void *arg)
{
	session_close(arg, CLOSE_CONNECT_TIMEOUT);
}

void session_expect_connect(struct session *session, int64_t at_least_ms)
{
	struct edge_loop *el = session->el;
	int64_t wait_ms = el->edge->cfg.connect_timeout_ms;

	if (wait_ms < at_least_ms)
		wait_ms = at_least_ms;
	if (session->state == SESSION_OPEN)
		loop_timer_arm(el->loop, &session->connect_deadline,
		    loop_now_ms(el->loop) + wait_ms, connect_overdue, session);
}

/* --- input --- */

static void on_text(struct session *session, struct bytes text)
{
	struct engineio_packet packet;

	if (engineio_parse(text, &packet, NULL)) {
		session_close(session, CLOSE_PARSE_ERROR);
		return;
	}
	switch (packet.type) {
	case ENGINEIO_MESSAGE:
		socket_on_message(session, packet.data);
		break;
	case ENGINEIO_PONG:
		if (session->ping_due)
			expect_next_ping(session);
		break;
	case ENGINEIO_CLOSE:
		session_close(session, CLOSE_CLIENT);
		break;
	case ENGINEIO_PING:   /* only servers ping in protocol 4 */
	case ENGINEIO_BINARY: /* nothing here takes attachments */
		session_close(session, CLOSE_PARSE_ERROR);
		break;
	case ENGINEIO_OPEN:
	case ENGINEIO_UPGRADE:
	case ENGINEIO_NOOP: /* some clients flush a stray one; it means nothing here */
		break;
	}
}

/* Whoever pings without reading is a slow consumer like any other. */
static void push_pong(struct session *session, struct bytes payload)
{
	if (session->out.count >= session->el->edge->queue_limits.count)
		session->is_slow = true;
	else
		outq_push_control(&session->out, WS_PONG, payload);
	mark_dirty(session);
}

static void on_frame(struct session *session, const struct ws_frame *frame)
{
	switch (frame->opcode) {
	case WS_TEXT:
		on_text(session, frame->payload);
		break;
	case WS_PING:
		push_pong(session, frame->payload);
		break;
	case WS_CLOSE:
		session_close(session, CLOSE_CLIENT);
		break;
	case WS_BINARY: /* no attachment is ever announced by what this edge accepts */
		session_close(session, CLOSE_PARSE_ERROR);
		break;
	case WS_PONG:
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

static void on_input(struct session *session, uint8_t *input, size_t len)
{
	struct ws_frame frame;
	enum ws_close_code code;

	session->last_input_ms = loop_now_ms(session->el->loop);
	while (session->state == SESSION_OPEN) {
		enum ws_event event = ws_decode(&session->decoder, &input, &len, &frame, &code);

		if (event == WS_MORE)
			return;
		if (event == WS_ERROR) {
			session_close(session, reason_of(code));
			return;
		}
		on_frame(session, &frame);
	}
}

static void on_readable(struct session *session)
{
	ssize_t got = recv(loop_fd_number(session->lfd), session->el->input, EDGE_INPUT_SIZE, 0);

	if (got > 0) {
		on_input(session, session->el->input, (size_t)got);
	} else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
		if (session->state == SESSION_CLOSING)
			die(session);
		else
			session_close(session, CLOSE_CLIENT_GONE);
	}
}

static void on_ready(void *arg, int events)
{
	struct session *session = arg;

	if (events & LOOP_WRITABLE)
		mark_dirty(session);
	if (events & LOOP_READABLE)
		on_readable(session);
}

/* --- output --- */

static void flush(struct session *session)
{
	int fd = loop_fd_number(session->lfd);

	if (session->is_slow)
		session_close(session, CLOSE_SLOW_CONSUMER);
	switch (outq_write(&session->out, fd)) {
	case OUTQ_EMPTY:
		loop_fd_want(session->lfd, LOOP_READABLE);
		if (session->state == SESSION_CLOSING)
			(void)shutdown(fd, SHUT_WR); /* the peer answers with its own end */
		break;
	case OUTQ_BLOCKED:
		loop_fd_want(session->lfd, LOOP_READABLE | LOOP_WRITABLE);
		break;
	case OUTQ_BROKEN:
		if (session->state == SESSION_OPEN)
			session_close(session, CLOSE_CLIENT_GONE);
		else
			die(session);
		break;
	}
}

void session_flush_all(void *arg)
{
	struct edge_loop *el = arg;

	while (el->dirty) {
		struct session *session = el->dirty;

		el->dirty = session->next_dirty;
		session->is_dirty = false;
		if (session->state != SESSION_DEAD)
			flush(session);
	}
	while (el->dead) {
		struct session *session = el->dead;

		el->dead = session->next_dead;
		ws_decoder_finish(&session->decoder);
		outq_finish(&session->out);
		free(session);
	}
}

/* --- birth --- */

static void push_handshake(struct session *session, const struct handoff *handoff)
{
	const struct edge *edge = session->el->edge;
	struct engineio_open open = {
		.ping_interval_ms = (int)edge->cfg.ping_interval_ms,
		.ping_timeout_ms = (int)edge->cfg.ping_timeout_ms,
		.max_payload = (int)edge->cfg.max_payload,
	};
	char random[ID_SIZE];
	struct buf text = BUF_INIT;
	struct buf sid = BUF_INIT;

	buf_appendf(&text,
	    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: %s\r\n",
	    handoff->accept);
	if (handoff->subprotocol[0])
		buf_appendf(&text, "Sec-WebSocket-Protocol: %s\r\n", handoff->subprotocol);
	buf_append_str(&text, "\r\n");
	outq_push_control(&session->out, 0, buf_bytes(&text));

	id_random(random);
	buf_appendf(&sid, "%s.%s", edge->id, random);
	open.sid = buf_str(&sid);
	text.len = 0;
	engineio_append_open(&text, &open);
	session_push_text(session, buf_bytes(&text));
	buf_finish(&sid);
	buf_finish(&text);
}

void session_adopt(void *arg)
{
	struct handoff *handoff = arg;
	struct edge_loop *el = handoff->el;
	struct session *session;

	if (el->closed) { /* it came while the edge was closing */
		(void)close(handoff->fd);
		atomic_fetch_sub(&el->edge->sockets, 1);
		free(handoff);
		return;
	}
	session = xcalloc(1, sizeof(*session));
	session->el = el;
	session->number = ++el->next_number;
	session->token_in_query = handoff->token_in_query;
	session->last_input_ms = loop_now_ms(el->loop);
	HASH_ADD(hh, el->sessions, number, sizeof(session->number), session);
	session->lfd = loop_fd_open(el->loop, handoff->fd, on_ready, session);
	ws_decoder_init(&session->decoder, (size_t)el->edge->cfg.max_packet, MAX_FRAGMENTS);
	loop_fd_want(session->lfd, LOOP_READABLE);
	push_handshake(session, handoff);
	expect_next_ping(session);
	session_expect_connect(session, 0);
	free(handoff);
}

struct session *session_find(struct edge_loop *el, uint64_t number)
{
	struct session *session;

	HASH_FIND(hh, el->sessions, &number, sizeof(number), session);
	return session;
}
