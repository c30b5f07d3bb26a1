/* Packets in, packets out, and the sockets between. */
#include "engine/sio.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/xalloc.h"
#include "codec/json_mend.h"
#include "codec/socketio_packed.h"
#include "engine/metrics.h"

enum { ACK_ID_MAX = INT32_MAX /* some clients read it as a signed 32-bit number */ };

enum parser { PARSER_UNKNOWN, PARSER_TEXT, PARSER_PACKED };

/* A packet whose attachments have not all come. */
struct partial {
	struct buf text;
	unsigned wanted;
	size_t bytes; /* of everything so far */
	struct buf blobs[SOCKETIO_ATTACHMENTS_CAP];
	size_t blobs_len;
};

struct sio {
	struct session *session;
	const struct sio_config *cfg;
	enum parser parser;
	struct sio_socket *sockets;
	struct partial *partial;
	struct loop_timer connect_deadline, attachment_deadline;
};

/* An acknowledgement that the client owes. */
struct awaited {
	struct awaited *next;
	struct sio_socket *socket;
	uint64_t id;
	sio_ack_fn fn;
	void *arg;
	struct loop_timer deadline;
};

static struct sio *sio_of(const struct session *session)
{
	return session->data;
}

static struct loop *loop_of(const struct sio *sio)
{
	return sio->session->el->loop;
}

/* --- output --- */

static void push_packed(
    struct session *session, struct bytes text, const struct socketio_attachments *attachments)
{
	struct buf packed = BUF_INIT;
	struct bytes packet = bytes_of(text.data + 1, text.len - 1); /* without Engine.IO's "4" */

	if (!socketio_pack(packet, attachments, &packed, NULL))
		session_push_binary(session, buf_bytes(&packed));
	else
		session_doom(session, CLOSE_UNAVAILABLE);
	buf_finish(&packed);
}

/* A whole packet in the default encoding. */
static void push(
    struct session *session, struct bytes text, const struct socketio_attachments *attachments)
{
	if (sio_of(session)->parser == PARSER_PACKED) {
		push_packed(session, text, attachments);
		return;
	}
	session_push_text(session, text);
	for (size_t i = 0; attachments && i < attachments->len; i++)
		session_push_binary(session, attachments->list[i]);
}

/* Of an event or an answer; with attachments it is the binary one. */
static void append_header(struct buf *packet, enum socketio_type type,
    const struct sio_socket *socket, const uint64_t *id,
    const struct socketio_attachments *attachments)
{
	enum socketio_type binary =
	    type == SOCKETIO_EVENT ? SOCKETIO_BINARY_EVENT : SOCKETIO_BINARY_ACK;

	if (attachments && attachments->len)
		socketio_append_binary_header(
		    packet, binary, (unsigned)attachments->len, socket->nsp->name, id);
	else
		socketio_append_header(packet, type, socket->nsp->name, id);
}

static void push_args(struct sio_socket *socket, enum socketio_type type, const uint64_t *id,
    struct bytes args, const struct socketio_attachments *attachments)
{
	struct buf packet = BUF_INIT;

	append_header(&packet, type, socket, id, attachments);
	buf_append_bytes(&packet, args);
	push(socket->session, buf_bytes(&packet), attachments);
	buf_finish(&packet);
}

void sio_answer(struct sio_socket *socket, const struct sio_ack *ack, struct bytes args,
    const struct socketio_attachments *attachments)
{
	if (ack->wanted)
		push_args(socket, SOCKETIO_ACK, &ack->id, args, attachments);
}

void sio_emit(
    struct sio_socket *socket, struct bytes args, const struct socketio_attachments *attachments)
{
	push_args(socket, SOCKETIO_EVENT, NULL, args, attachments);
}

/*
 * The packed form of a shared frame, up to where a socket's own tail goes on: what stands there now
 * are the last scalars of the packet, which are cut off.
 */
static struct frame *make_packed(const struct frame *frame, bool has_offset)
{
	struct buf text = BUF_INIT;
	struct buf packed = BUF_INIT;
	struct frame *made = NULL;

	buf_append(&text, frame->data + 1, frame->len - 1);
	buf_append_str(&text, frame->ends_in_unread ? "0}}" : "}");
	buf_append_str(&text, has_offset ? ",\"\"]" : "]");
	if (!socketio_pack(buf_bytes(&text), NULL, &packed, NULL)) {
		packed.len -= (size_t)frame->ends_in_unread + has_offset; /* a byte each */
		made = frame_new(frame->class, buf_bytes(&packed), frame->key);
		made->kind = frame->kind;
		made->is_binary = true;
		made->ends_in_unread = frame->ends_in_unread;
	}
	buf_finish(&text);
	buf_finish(&packed);
	return made;
}

static struct frame *make_packed_with_offset(const struct frame *frame)
{
	return make_packed(frame, /* has_offset= */ true);
}

static struct frame *make_packed_alone(const struct frame *frame)
{
	return make_packed(frame, /* has_offset= */ false);
}

enum { TAIL_SIZE = 160 };

static size_t packed_tail(
    const struct frame *frame, uint32_t unread, const char *offset, uint8_t *tail)
{
	size_t len = 0;
	size_t offset_len = offset ? strlen(offset) : 0;

	if (frame->ends_in_unread) {
		tail[len++] = 0xce; /* uint 32 */
		for (int shift = 24; shift >= 0; shift -= 8)
			tail[len++] = (uint8_t)(unread >> shift);
	}
	if (offset) {
		tail[len++] = 0xd9; /* str 8 */
		tail[len++] = (uint8_t)offset_len;
		memcpy(tail + len, offset, offset_len);
		len += offset_len;
	}
	return len;
}

/* An offset needs no escapes. */
static size_t text_tail(
    const struct frame *frame, uint32_t unread, const char *offset, uint8_t *tail)
{
	char number[16] = "";
	int len;

	if (frame->ends_in_unread)
		(void)snprintf(number, sizeof(number), "%u}", unread);
	len = snprintf((char *)tail, TAIL_SIZE, "%s}%s%s%s]", number, offset ? ",\"" : "",
	    offset ? offset : "", offset ? "\"" : "");
	return (size_t)len;
}

void sio_push(struct sio_socket *socket, struct frame *frame, uint32_t unread, const char *offset)
{
	uint8_t tail[TAIL_SIZE];
	size_t len;

	assert(!offset || strlen(offset) < TAIL_SIZE / 2);
	if (socket->sio->parser == PARSER_PACKED) {
		frame = frame_packed(frame, offset ? make_packed_with_offset : make_packed_alone);
		if (!frame) { /* the service sent what no client could read */
			session_doom(socket->session, CLOSE_UNAVAILABLE);
			return;
		}
		len = packed_tail(frame, unread, offset, tail);
	} else {
		len = text_tail(frame, unread, offset, tail);
	}
	session_push(socket->session, frame, bytes_of(tail, len));
}

/* --- acknowledgements of the client --- */

static void settle(struct awaited *awaited, enum status s, const struct json *args,
    const struct socketio_attachments *attachments)
{
	struct sio_socket *socket = awaited->socket;

	LL_DELETE(socket->awaited, awaited);
	loop_timer_disarm(loop_of(socket->sio), &awaited->deadline);
	awaited->fn(awaited->arg, s, args, attachments);
	free(awaited);
}

static void awaited_overdue(void *arg)
{
	settle(arg, STATUS_TIMEOUT, NULL, NULL);
}

void sio_emit_with_ack(struct sio_socket *socket, struct bytes args,
    const struct socketio_attachments *attachments, int64_t timeout_ms, sio_ack_fn fn, void *arg)
{
	struct awaited *awaited = xcalloc(1, sizeof(*awaited));
	struct loop *loop = loop_of(socket->sio);

	awaited->socket = socket;
	awaited->id = socket->next_ack_id;
	awaited->fn = fn;
	awaited->arg = arg;
	socket->next_ack_id = socket->next_ack_id == ACK_ID_MAX ? 0 : socket->next_ack_id + 1;
	LL_PREPEND(socket->awaited, awaited);
	loop_timer_arm(
	    loop, &awaited->deadline, loop_now_ms(loop) + timeout_ms, awaited_overdue, awaited);
	push_args(socket, SOCKETIO_EVENT, &awaited->id, args, attachments);
}

/* One that nobody waits for is nothing: the answer came late, or twice, or is made up. */
static void on_ack(struct sio_socket *socket, uint64_t id, const struct json *args,
    const struct socketio_attachments *attachments)
{
	struct awaited *awaited;

	LL_SEARCH_SCALAR(socket->awaited, awaited, id, id);
	if (awaited)
		settle(awaited, STATUS_OK, args, attachments);
	else
		(void)session_strike(socket->session);
}

/* --- sockets --- */

static void connect_overdue(void *arg)
{
	session_close(arg, CLOSE_CONNECT_TIMEOUT);
}

/* A session without a namespace has this long to join one. */
static void expect_connect(struct sio *sio, int64_t at_least_ms)
{
	int64_t wait_ms = sio->cfg->connect_timeout_ms;

	if (wait_ms < at_least_ms)
		wait_ms = at_least_ms;
	loop_timer_arm(loop_of(sio), &sio->connect_deadline, loop_now_ms(loop_of(sio)) + wait_ms,
	    connect_overdue, sio->session);
}

struct sio_socket *sio_find(const struct session *session, const struct sio_namespace *nsp)
{
	struct sio_socket *socket;

	LL_FOREACH (sio_of(session)->sockets, socket) {
		if (socket->nsp == nsp)
			return socket;
	}
	return NULL;
}

struct sio_socket *sio_ack_socket(struct engine_loop *el, const struct sio_ack *ack)
{
	struct session *session = session_find(el, ack->session);
	struct sio_socket *socket;

	if (!session || session->state != SESSION_OPEN)
		return NULL;
	LL_FOREACH (sio_of(session)->sockets, socket) {
		if (strcmp(socket->sid, ack->sid) == 0)
			return socket;
	}
	return NULL;
}

static void unlink_socket(struct sio_socket *socket)
{
	LL_DELETE(socket->sio->sockets, socket);
	while (socket->awaited)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): unlinked before it is freed */
		settle(socket->awaited, STATUS_UNAVAILABLE, NULL, NULL);
	/* whoever called what led here may still hold it */
	engine_bury(socket->session->el, free, socket);
}

static void leave(struct sio_socket *socket)
{
	socket->nsp->on_leave(socket);
	unlink_socket(socket);
}

static struct sio_socket *socket_new(struct sio *sio, const struct sio_namespace *nsp)
{
	struct sio_socket *socket = xcalloc(1, sizeof(*socket));

	socket->sio = sio;
	socket->session = sio->session;
	socket->nsp = nsp;
	LL_PREPEND(sio->sockets, socket);
	loop_timer_disarm(loop_of(sio), &sio->connect_deadline);
	return socket;
}

void sio_accept(struct sio_socket *socket, const char *pid)
{
	struct buf packet = BUF_INIT;

	socket->state = SIO_CONNECTED;
	socketio_append_header(&packet, SOCKETIO_CONNECT, socket->nsp->name, NULL);
	buf_appendf(&packet, "{\"sid\":\"%s\"", socket->sid);
	if (pid)
		buf_appendf(&packet, ",\"pid\":\"%s\"", pid);
	buf_append_char(&packet, '}');
	push(socket->session, buf_bytes(&packet), NULL);
	buf_finish(&packet);
}

static void push_connect_error(struct session *session, const char *nsp, struct bytes error)
{
	struct buf packet = BUF_INIT;

	socketio_append_header(&packet, SOCKETIO_CONNECT_ERROR, nsp, NULL);
	buf_append_bytes(&packet, error);
	push(session, buf_bytes(&packet), NULL);
	buf_finish(&packet);
}

void sio_refuse(struct sio_socket *socket, struct bytes error)
{
	struct sio *sio = socket->sio;

	push_connect_error(sio->session, socket->nsp->name, error);
	unlink_socket(socket);
	/* Who was refused everywhere has no more time than who never asked. */
	if (!sio->sockets)
		expect_connect(sio, 0);
}

/* --- input --- */

static const struct sio_namespace *find_namespace(const struct sio *sio, struct bytes name)
{
	for (size_t i = 0; i < sio->cfg->namespaces_len; i++) {
		if (bytes_equal_str(name, sio->cfg->namespaces[i].name))
			return &sio->cfg->namespaces[i];
	}
	return NULL;
}

static void refuse_unknown(struct sio *sio, struct bytes name)
{
	struct buf nsp = BUF_INIT;

	buf_append_bytes(&nsp, name);
	push_connect_error(
	    sio->session, buf_str(&nsp), BYTES_LITERAL("{\"message\":\"Invalid namespace\"}"));
	buf_finish(&nsp);
}

static bool on_connect(struct sio *sio, const struct sio_namespace *nsp, const struct json *auth)
{
	struct sio_socket *socket;

	if (sio_find(sio->session, nsp) || (auth && !json_is_object(auth)))
		return false;
	socket = socket_new(sio, nsp);
	id_random(socket->sid);
	nsp->on_connect(socket, auth);
	return true;
}

static void on_disconnect(struct sio *sio, struct sio_socket *socket)
{
	const struct engine_config *cfg = &sio->session->el->engine->cfg;

	leave(socket);
	/* The engine stays open for another CONNECT, and not shorter than until a ping was
	 * answered. */
	if (!sio->sockets)
		expect_connect(sio, cfg->ping_interval_ms + cfg->ping_timeout_ms);
}

static void note_activity(struct sio_socket *socket)
{
	if (socket->nsp->on_activity)
		socket->nsp->on_activity(socket);
}

/* Told after it was refused: the answer stands before the end. */
static void take_event(struct sio_socket *socket, const struct sio_event *event)
{
	struct session *session = socket->session;
	int64_t now_us = loop_now_ms(session->el->loop) * 1000;
	int64_t wait_ms = rate_take(&socket->sio->cfg->events, &socket->events, now_us);

	if (!wait_ms) {
		socket->nsp->on_event(socket, event);
		return;
	}
	socket->nsp->on_excess(socket, event, wait_ms);
	(void)session_strike(session);
}

/* An EVENT is an array whose first element is its name, or a number. Returns false if it is not. */
static bool on_event(struct sio_socket *socket, const struct socketio_packet *packet,
    const struct json *args, const struct socketio_attachments *attachments)
{
	const struct json *name = json_at(args, 0);
	struct sio_event event = {
		.name = json_text(name),
		.args = args,
		.attachments = attachments,
		.ack = { .session = socket->session->number,
		    .wanted = packet->has_id,
		    .id = packet->id },
	};

	if (!name || !(json_is_string(name) || json_is_number(name)) ||
	    socketio_event_is_reserved(event.name))
		return false;
	memcpy(event.ack.sid, socket->sid, sizeof(event.ack.sid));
	note_activity(socket);
	take_event(socket, &event);
	return true;
}

/* Returns false if the packet is one that no client may send now. */
static bool dispatch(struct sio *sio, const struct socketio_packet *packet,
    const struct json *payload, const struct socketio_attachments *attachments)
{
	const struct sio_namespace *nsp = find_namespace(sio, packet->nsp);
	struct sio_socket *socket = nsp ? sio_find(sio->session, nsp) : NULL;
	bool is_connected = socket && socket->state == SIO_CONNECTED;

	switch (packet->type) {
	case SOCKETIO_CONNECT:
		if (!session_strike(sio->session))
			return true;
		if (nsp)
			return on_connect(sio, nsp, payload);
		refuse_unknown(sio, packet->nsp);
		return true;
	case SOCKETIO_DISCONNECT:
		if (!socket || payload)
			return false;
		if (session_strike(sio->session))
			on_disconnect(sio, socket);
		return true;
	case SOCKETIO_EVENT:
	case SOCKETIO_BINARY_EVENT:
		return is_connected && json_is_array(payload) &&
		       on_event(socket, packet, payload, attachments);
	case SOCKETIO_ACK:
	case SOCKETIO_BINARY_ACK:
		if (!is_connected || !json_is_array(payload))
			return false;
		note_activity(socket);
		on_ack(socket, packet->id, payload, attachments);
		return true;
	case SOCKETIO_CONNECT_ERROR:
		break;
	}
	return false;
}

/* --- attachments --- */

static void partial_free(struct partial *partial)
{
	if (!partial)
		return;
	buf_finish(&partial->text);
	for (size_t i = 0; i < partial->blobs_len; i++)
		buf_finish(&partial->blobs[i]);
	free(partial);
}

/* It is the caller's to free. NULL if there is none. */
static struct partial *take_partial(struct sio *sio)
{
	struct partial *partial = sio->partial;

	sio->partial = NULL;
	loop_timer_disarm(loop_of(sio), &sio->attachment_deadline);
	return partial;
}

static void attachments_overdue(void *arg)
{
	session_close(arg, CLOSE_ATTACHMENT_TIMEOUT);
}

static void begin_partial(struct sio *sio, struct bytes text, unsigned wanted)
{
	struct loop *loop = loop_of(sio);

	sio->partial = xcalloc(1, sizeof(*sio->partial));
	buf_append_bytes(&sio->partial->text, text);
	sio->partial->wanted = wanted;
	sio->partial->bytes = text.len;
	loop_timer_arm(loop, &sio->attachment_deadline,
	    loop_now_ms(loop) + sio->cfg->attachment_timeout_ms, attachments_overdue, sio->session);
}

static void borrow_blobs(const struct partial *partial, struct socketio_attachments *ret_blobs)
{
	ret_blobs->len = partial->blobs_len;
	for (size_t i = 0; i < partial->blobs_len; i++)
		ret_blobs->list[i] = buf_bytes(&partial->blobs[i]);
}

/* --- messages --- */

static bool take_text(struct sio *sio, const struct socketio_packet *packet,
    const struct socketio_attachments *attachments)
{
	struct json *payload = NULL;
	struct buf mended = BUF_INIT;
	struct bytes text = json_mend(packet->json, &mended);
	bool ok = !text.len || !json_parse_max(text, sio->cfg->max_packet, &payload, NULL);

	ok = ok && socketio_placeholders_ok(payload, attachments->len) &&
	     dispatch(sio, packet, payload, attachments);
	json_free(payload);
	buf_finish(&mended);
	return ok;
}

/* A packet of the default encoding. Its attachments, if it has any, come behind it. */
static bool on_text(struct sio *sio, struct bytes text)
{
	static const struct socketio_attachments none = { .len = 0 };
	struct socketio_packet packet;

	if (sio->partial || socketio_parse(text, &packet, NULL))
		return false;
	if (packet.attachments > sio->cfg->max_attachments)
		return false;
	if (!packet.attachments)
		return take_text(sio, &packet, &none);
	begin_partial(sio, text, packet.attachments);
	return true;
}

static bool on_attachment(struct sio *sio, struct bytes data)
{
	struct partial *partial = sio->partial;
	struct socketio_attachments blobs;
	struct socketio_packet packet;
	bool ok;

	if (!partial)
		return false;
	partial->bytes += data.len;
	if (partial->bytes > sio->cfg->max_packet) {
		session_close(sio->session, CLOSE_TOO_LARGE);
		return true;
	}
	buf_append_bytes(&partial->blobs[partial->blobs_len++], data);
	if (partial->blobs_len < partial->wanted)
		return true;
	/* Out of the way first: what it does may end the session. */
	partial = take_partial(sio);
	borrow_blobs(partial, &blobs);
	ok = !socketio_parse(buf_bytes(&partial->text), &packet, NULL) &&
	     take_text(sio, &packet, &blobs);
	partial_free(partial);
	return ok;
}

static bool on_packed(struct sio *sio, struct bytes data)
{
	struct socketio_attachments attachments;
	struct socketio_packet packet;
	struct json *payload = NULL;
	bool ok;

	if (data.len > sio->cfg->max_packet) {
		session_close(sio->session, CLOSE_TOO_LARGE);
		return true;
	}
	if (socketio_unpack(data, sio->cfg->max_packet, &packet, &payload, &attachments, NULL))
		return false;
	ok = attachments.len <= sio->cfg->max_attachments &&
	     dispatch(sio, &packet, payload, &attachments);
	json_free(payload);
	return ok;
}

static void know_parser(struct sio *sio, bool is_packed)
{
	sio->parser = is_packed ? PARSER_PACKED : PARSER_TEXT;
	count_parser(is_packed, 1);
}

static void on_message(struct session *session, bool is_binary, struct bytes data)
{
	struct sio *sio = sio_of(session);
	bool ok;

	if (sio->parser == PARSER_UNKNOWN)
		know_parser(sio, is_binary);
	if (sio->parser == PARSER_PACKED)
		ok = is_binary && on_packed(sio, data);
	else
		ok = is_binary ? on_attachment(sio, data) : on_text(sio, data);
	if (!ok)
		session_close(session, CLOSE_PARSE_ERROR);
}

/* --- life --- */

static const struct sio_config *config_of(const struct session *session)
{
	return session->app->config;
}

static struct sio *sio_new(struct session *session)
{
	struct sio *sio = xcalloc(1, sizeof(*sio));

	sio->session = session;
	sio->cfg = config_of(session);
	session->data = sio;
	return sio;
}

static void on_open(struct session *session)
{
	expect_connect(sio_new(session), 0);
}

static void on_close(struct session *session)
{
	struct sio *sio = sio_of(session);

	loop_timer_disarm(loop_of(sio), &sio->connect_deadline);
	partial_free(take_partial(sio));
	while (sio->sockets)
		leave(sio->sockets);
	if (sio->parser != PARSER_UNKNOWN)
		count_parser(sio->parser == PARSER_PACKED, -1);
	session->data = NULL;
	engine_bury(session->el, free, sio);
}

struct engine_app sio_app(const struct sio_config *cfg)
{
	return (struct engine_app){
		.on_open = on_open, .on_message = on_message, .on_close = on_close, .config = cfg
	};
}

/* --- moving --- */

void sio_save(const struct session *session, struct sio_moved *ret_moved)
{
	const struct sio *sio = sio_of(session);

	*ret_moved = (struct sio_moved){ .has_parser = sio->parser != PARSER_UNKNOWN,
		.is_packed = sio->parser == PARSER_PACKED };
	if (sio->partial) {
		ret_moved->partial = buf_bytes(&sio->partial->text);
		borrow_blobs(sio->partial, &ret_moved->attachments);
	}
}

void sio_restore(struct session *session, const struct sio_moved *moved)
{
	struct sio *sio = sio_new(session);
	struct socketio_packet packet;

	if (moved->has_parser)
		know_parser(sio, moved->is_packed);
	if (moved->partial.len && !socketio_parse(moved->partial, &packet, NULL) &&
	    packet.attachments <= sio->cfg->max_attachments &&
	    moved->attachments.len < packet.attachments) {
		begin_partial(sio, moved->partial, packet.attachments);
		for (size_t i = 0; i < moved->attachments.len; i++) {
			buf_append_bytes(&sio->partial->blobs[sio->partial->blobs_len++],
			    moved->attachments.list[i]);
			sio->partial->bytes += moved->attachments.list[i].len;
		}
	}
	expect_connect(sio, 0);
}

struct sio_socket *sio_restore_socket(
    struct session *session, const struct sio_namespace *nsp, const char *sid)
{
	struct sio_socket *socket = socket_new(sio_of(session), nsp);

	socket->state = SIO_CONNECTED;
	(void)snprintf(socket->sid, sizeof(socket->sid), "%s", sid);
	return socket;
}
