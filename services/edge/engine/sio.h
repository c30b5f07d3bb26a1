/*
 * sio: Socket.IO (protocol 5, https://socket.io/docs/v4/socket-io-protocol/) over the sessions of
 * the engine: namespaces, events, acknowledgements both ways, attachments, in either of its
 * encodings.
 *
 *   session ── sio ── sio_socket: one for each namespace the client has joined
 *                       CONNECTING ──► CONNECTED ──► gone
 *
 * A session's first message tells its encoding: text is the default one, binary is that of
 * socket.io-msgpack-parser. Nobody above this knows which one it is: what comes in is a JSON tree
 * in which binary stands as placeholders, what goes out is the text of the default encoding.
 *
 * Whatever a client may not send ends its session as a parse error, as the protocol asks.
 *
 * Threads: belongs to the session's loop.
 */
#ifndef ENGINE_SIO_H
#define ENGINE_SIO_H

#include "base/id.h"
#include "codec/json.h"
#include "codec/socketio.h"
#include "engine/session.h"

struct sio;
struct sio_namespace;

enum sio_state { SIO_CONNECTING, SIO_CONNECTED };

struct sio_socket {
	struct sio *sio;
	struct session *session;
	struct sio_socket *next; /* of the session */
	const struct sio_namespace *nsp;
	enum sio_state state;
	void *data;              /* the namespace's own */
	struct awaited *awaited; /* acknowledgements asked of the client */
	uint32_t next_ack_id;
	struct rate_bucket events;
	char sid[ID_SIZE]; /* what the client is told; unlike the session's id no secret */
};

/* Where an acknowledgement goes, should the session have moved on meanwhile. */
struct sio_ack {
	uint64_t session; /* its number on its loop */
	char sid[ID_SIZE];
	bool wanted; /* the event asked for one */
	uint64_t id;
};

struct sio_event {
	struct bytes name;       /* empty if it is a number */
	const struct json *args; /* the whole array: its first element is the name */
	const struct socketio_attachments *attachments;
	struct sio_ack ack;
};

/* Everything is lent for the call. */
struct sio_namespace {
	const char *name; /* "/" or "/name" */
	/* Answered with sio_accept() or sio_refuse(), now or later. `auth` is an object or NULL. */
	void (*on_connect)(struct sio_socket *socket, const struct json *auth);
	void (*on_event)(struct sio_socket *socket, const struct sio_event *event);
	/* It goes, for whatever reason, also before it was accepted; not after sio_refuse(). */
	void (*on_leave)(struct sio_socket *socket);
	/* In place of on_event(): one more than the rate allows, until wait_ms have passed. To be
	 * refused; a client that does not care is closed. */
	void (*on_excess)(
	    struct sio_socket *socket, const struct sio_event *event, int64_t wait_ms);
	/* Its client has sent an event or an acknowledgement, which comes next; may be NULL. */
	void (*on_activity)(struct sio_socket *socket);
};

struct sio_config {
	const struct sio_namespace *namespaces;
	size_t namespaces_len;
	int64_t connect_timeout_ms;    /* a session may be so long without a namespace */
	int64_t attachment_timeout_ms; /* and a packet without its attachments */
	size_t max_packet;             /* bytes, attachments included */
	unsigned max_attachments;      /* at most SOCKETIO_ATTACHMENTS_CAP */
	struct rate_rule events;       /* of one socket */
};

/* The app of an engine_path; cfg is borrowed for as long as the engine lives. */
struct engine_app sio_app(const struct sio_config *cfg);

/* `pid` is NULL where connections are not recovered. */
void sio_accept(struct sio_socket *socket, const char *pid);
/* `error`: the JSON of the CONNECT_ERROR's payload, an object with `message`. Frees the socket. */
void sio_refuse(struct sio_socket *socket, struct bytes error);

/* The socket an acknowledgement is for; NULL if it is gone, or another one by now. */
struct sio_socket *sio_ack_socket(struct engine_loop *el, const struct sio_ack *ack);
/* `args`: the JSON array. Once; nothing if none was wanted. */
void sio_answer(struct sio_socket *socket, const struct sio_ack *ack, struct bytes args,
    const struct socketio_attachments *attachments_or_null);

/*
 * Emit an event: `args` is the JSON array, its first element the name. `fn` may be NULL; otherwise
 * it is told once: STATUS_OK with what the client answered, STATUS_TIMEOUT after timeout_ms, or
 * STATUS_UNAVAILABLE when the socket goes first.
 */
typedef void (*sio_ack_fn)(void *arg, enum status s, const struct json *args,
    const struct socketio_attachments *attachments);
void sio_emit(struct sio_socket *socket, struct bytes args,
    const struct socketio_attachments *attachments_or_null);
void sio_emit_with_ack(struct sio_socket *socket, struct bytes args,
    const struct socketio_attachments *attachments_or_null, int64_t timeout_ms, sio_ack_fn fn,
    void *arg);

/*
 * An event that many sockets share: the frame holds `42["event",{...` without its end, which is
 * `"unread":<unread>}}` or `}` (see frame.ends_in_unread) and, where connections are recovered, the
 * offset. A frame goes either to sockets with an offset or to sockets without one.
 */
void sio_push(
    struct sio_socket *socket, struct frame *frame, uint32_t unread, const char *offset_or_null);

/* The socket of a namespace, NULL if there is none. */
struct sio_socket *sio_find(const struct session *session, const struct sio_namespace *nsp);

/* --- a session that moves to another server --- */
struct sio_moved {
	bool is_packed, has_parser;
	struct bytes partial;                    /* text of a packet that waits for attachments */
	struct socketio_attachments attachments; /* those that have come */
};
void sio_save(const struct session *session, struct sio_moved *ret_moved); /* borrowed */
void sio_restore(struct session *session, const struct sio_moved *moved);
/* A socket that was CONNECTED elsewhere. */
struct sio_socket *sio_restore_socket(
    struct session *session, const struct sio_namespace *nsp, const char *sid);

#endif
