/* Adopted HTTP requests: the rest of the body, the question, the answer, the end. */
#include "engine/exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "base/xalloc.h"
#include "codec/engineio.h"
#include "engine/metrics.h"

enum {
	LINGER_MS = 2000, /* for the client to take the answer and close */
	POLL_BYTES_MAX = 1000000,
	READ_PER_MS = 16, /* who takes a lent body more slowly is cut */
};

static void exchange_free(void *thing)
{
	struct exchange *x = thing;

	http_body_finish(&x->body);
	buf_finish(&x->early);
	buf_finish(&x->headers);
	buf_finish(&x->out);
	free(x);
}

/* Its session reads no POST any more. */
static void end_posting(struct exchange *x)
{
	struct session *session = x->posting ? session_find(x->el, x->posting) : NULL;

	x->posting = 0;
	if (session)
		session->post = NULL;
}

void exchange_drop(struct exchange *x)
{
	struct engine_loop *el = x->el;

	if (x->state == EXCHANGE_DEAD)
		return;
	x->state = EXCHANGE_DEAD;
	end_posting(x);
	atomic_fetch_sub(&el->engine->body_bytes, x->body_bytes);
	loop_timer_disarm(el->loop, &x->deadline);
	loop_fd_close(x->lfd);
	DL_DELETE(el->exchanges, x);
	engine_bury(el, exchange_free, x);
	atomic_fetch_sub(&el->engine->exchanges, 1);
}

static void drop_late(void *arg)
{
	exchange_drop(arg);
}

/* --- the answer --- */

/* What goes next, in one piece. */
static struct bytes rest_of(const struct exchange *x)
{
	size_t of_lent;

	if (x->written < x->out.len)
		return bytes_of(x->out.data + x->written, x->out.len - x->written);
	of_lent = x->written - x->out.len;
	return bytes_of(x->lent.data + of_lent, x->lent.len - of_lent);
}

static void write_out(struct exchange *x)
{
	int fd = loop_fd_number(x->lfd);
	struct bytes rest;

	while ((rest = rest_of(x)).len > 0) {
		bool is_last = x->written >= x->out.len || x->lent.len == 0;
		ssize_t n = send(fd, rest.data, rest.len, MSG_NOSIGNAL | (is_last ? 0 : MSG_MORE));

		if (n >= 0) {
			count_bytes_out((size_t)n);
			x->written += (size_t)n;
		} else if (errno == EAGAIN) {
			loop_fd_want(x->lfd, LOOP_READABLE | LOOP_WRITABLE);
			return;
		} else if (errno != EINTR) {
			exchange_drop(x);
			return;
		}
	}
	/* Closed at once, input that was not read would reset the answer away. */
	(void)shutdown(fd, SHUT_WR);
	loop_fd_want(x->lfd, LOOP_READABLE);
}

void exchange_answer(struct exchange *x, int status, const char *type, struct bytes body)
{
	if (x->state == EXCHANGE_WRITING || x->state == EXCHANGE_DEAD)
		return;
	end_posting(x);
	buf_append_str(&x->headers, "Cache-Control: no-store\r\n");
	http_append_response(&x->out, status, type, body, buf_str(&x->headers));
	x->state = EXCHANGE_WRITING;
	loop_timer_arm(x->el->loop, &x->deadline,
	    loop_now_ms(x->el->loop) + LINGER_MS + x->el->engine->cfg.body_timeout_ms, drop_late,
	    x);
	write_out(x);
}

void exchange_answer_error(struct exchange *x, enum engine_error error)
{
	struct buf body = BUF_INIT;

	engine_append_error(&body, error);
	exchange_answer(x, engine_error_status(error), "application/json", buf_bytes(&body));
	buf_finish(&body);
}

void exchange_answer_poll(struct exchange *x, int status, struct bytes body)
{
	if (status == 200)
		exchange_answer(x, 200, "text/plain; charset=UTF-8", body);
	else
		exchange_answer(x, status, body.len ? "application/json" : NULL, body);
}

void exchange_answer_post(struct exchange *x, bool is_ok)
{
	exchange_answer(x, is_ok ? 200 : 400, is_ok ? "text/html" : NULL,
	    is_ok ? BYTES_LITERAL("ok") : bytes_of(NULL, 0));
}

/* --- what is asked --- */

static void on_poll_answer(struct poll *poll, int status, struct bytes body)
{
	struct exchange *x =
	    (struct exchange *)(void *)((char *)poll - offsetof(struct exchange, poll));

	exchange_answer_poll(x, status, body);
}

static void refuse(struct exchange *x, enum engine_error error)
{
	if (error == ERROR_NONE)
		exchange_answer_poll(x, 200, BYTES_LITERAL("6"));
	else
		exchange_answer_error(x, error);
}

/* The session it names; otherwise it was answered. */
static struct session *session_of(struct exchange *x)
{
	enum engine_error error;
	struct session *session =
	    session_on_polling(x->el, x->app, x->sid, x->kind == EXCHANGE_POLL, &error);

	if (session && x->kind == EXCHANGE_REFUSED) {
		session = NULL;
		error = ERROR_BAD_REQUEST;
	}
	if (!session)
		refuse(x, error);
	return session;
}

static void handshake(struct exchange *x)
{
	struct session *session = session_new(x->el, x->app, x->sid, x->flags);

	session_open(session, /* can_upgrade= */ true);
	session_take_poll(session, &x->poll);
}

static void poll(struct exchange *x)
{
	struct session *session = session_of(x);

	if (session)
		session_take_poll(session, &x->poll);
}

static void post(struct exchange *x)
{
	struct session *session = session_of(x);

	if (!session)
		return;
	end_posting(x);
	if (session->state != SESSION_OPEN) {
		exchange_answer_error(x, ERROR_UNKNOWN_SID);
		return;
	}
	if (x->is_octets)
		session_reject(session, CLOSE_PARSE_ERROR);
	exchange_answer_post(
	    x, !x->is_octets && session_on_payload(session, buf_bytes(&x->body.data)));
}

static void ask(struct exchange *x)
{
	const struct engine_relay *relay = x->el->engine->cfg.relay;

	x->state = EXCHANGE_WAITING;
	loop_timer_disarm(x->el->loop, &x->deadline);
	switch (x->kind) {
	case EXCHANGE_HANDSHAKE:
		handshake(x);
		break;
	case EXCHANGE_POLL:
		if (x->is_ours)
			poll(x);
		else
			relay->poll(x);
		break;
	case EXCHANGE_POST:
		if (x->is_ours)
			post(x);
		else
			relay->post(x);
		break;
	case EXCHANGE_REFUSED:
		if (x->is_ours)
			(void)session_of(x);
		else
			refuse(x, ERROR_BAD_REQUEST);
		break;
	case EXCHANGE_ANSWERED: /* not reached: it asks nothing */
		break;
	}
}

/* --- the body --- */

static void tell_post_lost(struct exchange *x)
{
	if (x->kind == EXCHANGE_POST && x->state == EXCHANGE_READING && !x->is_ours)
		x->el->engine->cfg.relay->on_post_lost(x);
}

static void refuse_body(struct exchange *x, enum refusal refusal, int status)
{
	count_handshake_refused(refusal);
	exchange_answer(x, status, NULL, bytes_of(NULL, 0));
}

static void body_overdue(void *arg)
{
	struct exchange *x = arg;
	struct session *session = x->posting ? session_find(x->el, x->posting) : NULL;

	tell_post_lost(x);
	refuse_body(x, REFUSED_BODY_SLOW, 408);
	if (session)
		session_close(session, CLOSE_CLIENT_GONE);
}

/* All bodies together are bounded, too: no number of slow posts fills the memory. */
static bool has_room(struct exchange *x)
{
	struct engine *engine = x->el->engine;
	size_t more = x->body.data.len - x->body_bytes;

	x->body_bytes += more;
	return !more ||
	       atomic_fetch_add(&engine->body_bytes, more) + more <= engine->cfg.max_body_memory;
}

static void feed(struct exchange *x, struct bytes input)
{
	enum http_body_state state = http_body_feed(&x->body, input);

	if (!has_room(x)) {
		refuse_body(x, REFUSED_BODIES, 503);
		return;
	}
	switch (state) {
	case HTTP_BODY_MORE:
		break;
	case HTTP_BODY_DONE:
		ask(x);
		break;
	case HTTP_BODY_TOO_LARGE: /* the session lives; its client decides what this means to it */
		refuse_body(x, REFUSED_BODY_LARGE, 413);
		break;
	case HTTP_BODY_MALFORMED:
		refuse_body(x, REFUSED_BODY_MALFORMED, 400);
		break;
	}
}

/* The client has closed, or will not be answered any more. */
static void on_gone(struct exchange *x)
{
	struct session *session = x->posting ? session_find(x->el, x->posting) : x->poll.session;
	bool is_poll = x->poll.session != NULL;

	if (x->state == EXCHANGE_WAITING && x->relay)
		x->el->engine->cfg.relay->on_exchange_gone(x);
	tell_post_lost(x);
	exchange_drop(x);
	if (is_poll)
		session_on_poll_gone(session);
	else if (session)
		session_close(session, CLOSE_CLIENT_GONE);
}

/* Whoever is busy sending is alive, long before the body is whole. */
static void touch_poster(const struct exchange *x)
{
	struct session *session = x->posting ? session_find(x->el, x->posting) : NULL;

	if (session)
		session_touch(session);
}

static void on_readable(struct exchange *x)
{
	ssize_t got = recv(loop_fd_number(x->lfd), x->el->input, ENGINE_INPUT_SIZE, 0);

	if (got > 0)
		count_bytes_in((size_t)got);
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
		on_gone(x);
	} else if (got > 0 && x->state == EXCHANGE_READING) {
		touch_poster(x);
		feed(x, bytes_of(x->el->input, (size_t)got));
	}
	/* What comes behind a request is read and forgotten: the answer says that we close. */
}

static void on_ready(void *arg, int events)
{
	struct exchange *x = arg;

	if (events & LOOP_WRITABLE && x->state == EXCHANGE_WRITING)
		write_out(x);
	if (events & LOOP_READABLE && x->state != EXCHANGE_DEAD)
		on_readable(x);
}

/*
 * Is there a session that takes this POST? One at a time: a second one ends the session, since
 * their order can't be known.
 */
static bool begin_post(struct exchange *x)
{
	struct session *session;

	if (x->kind != EXCHANGE_POST || !x->is_ours)
		return true;
	session = session_of(x);
	if (!session)
		return false;
	if (session->post) {
		exchange_drop(session->post);
		session_close(session, CLOSE_DUPLICATE_POST);
		exchange_answer(x, 400, NULL, bytes_of(NULL, 0));
		return false;
	}
	session->post = x;
	x->posting = session->number;
	return true;
}

/* False if it came while the server was closing: it is gone then. */
static bool settle_in(struct exchange *x)
{
	struct engine_loop *el = x->el;

	if (el->closed) {
		(void)close(x->fd);
		exchange_free(x);
		atomic_fetch_sub(&el->engine->exchanges, 1);
		return false;
	}
	x->lfd = loop_fd_open(el->loop, x->fd, on_ready, x);
	DL_APPEND(el->exchanges, x);
	return true;
}

void exchange_adopt_answered(void *arg)
{
	struct exchange *x = arg;
	int64_t time_ms = LINGER_MS + (int64_t)(x->lent.len / READ_PER_MS);

	if (!settle_in(x))
		return;
	x->state = EXCHANGE_WRITING;
	loop_timer_arm(x->el->loop, &x->deadline,
	    loop_now_ms(x->el->loop) + time_ms + x->el->engine->cfg.body_timeout_ms, drop_late, x);
	write_out(x);
}

void exchange_adopt(void *arg)
{
	struct exchange *x = arg;
	struct engine_loop *el = x->el;

	if (!settle_in(x))
		return;
	x->poll = (struct poll){ .max_bytes = POLL_BYTES_MAX, .answer = on_poll_answer };
	loop_fd_want(x->lfd, LOOP_READABLE);
	loop_timer_arm(el->loop, &x->deadline,
	    loop_now_ms(el->loop) + el->engine->cfg.body_timeout_ms, body_overdue, x);
	if (!begin_post(x))
		return;
	feed(x, buf_bytes(&x->early));
	if (x->state == EXCHANGE_READING && http_body_wants_continue(&x->body))
		(void)send(x->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25, MSG_NOSIGNAL);
}
