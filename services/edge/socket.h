/*
 * socket: a signed-in user in the namespace "/" of one session.
 *
 *   CONNECT ──► OPENING ──► LIVE ──► gone
 *
 * OPENING: the token was good; the user's doorbell is wanted and `open` was asked, in this order,
 * so that nothing falls between them. LIVE: the position is known, deliveries are handled. A
 * service that does not answer closes the transport and refuses nothing: stock clients retry that
 * by themselves.
 *
 * Threads: belongs to its loop.
 */
#ifndef EDGE_SOCKET_H
#define EDGE_SOCKET_H

#include "codec/json.h"
#include "delivery.h"
#include "edge.h"
#include "expiry.h"
#include "walletwire/v1/edge.pb-c.h"

enum socket_state { SOCKET_OPENING, SOCKET_LIVE };

/* A transfer this socket follows. */
struct tracked {
	struct tracked *next;
	struct socket *socket;
	uint64_t version;        /* the newest the client has; 0: the transfer is not known yet */
	struct loop_timer timer; /* until one that is not known is given up */
	char id[];
};

/* What is told and shown of presence (presence.h). */
struct device {
	struct socket *prev, *next; /* of those that are not idle */
	int64_t active_ms;          /* when its client did something */
	bool is_away;               /* its client says so */
	bool is_idle;               /* its client has done nothing for so long */
	bool wants_friends;         /* it is live, and was not told its friends */
	uint64_t told_in;           /* the first report that told of it; 0: none has yet */
	bool is_behind;             /* it is shown nothing until its queue is below half */
	struct socket *prev_behind, *next_behind;
	bool may_believe; /* its client may take somebody for online or away */
};

struct socket {
	struct sio_socket *base;
	struct session *session;
	struct user *user;
	struct socket *prev, *next;             /* of the user */
	struct socket *prev_queue, *next_queue; /* of those that wait for their `open` */
	bool is_queued;
	enum socket_state state;
	struct device device;
	unsigned own_channels; /* bit per enum ChannelKind: user, balance, transactions */
	unsigned tracked_len;
	struct tracked *tracked;
	unsigned views_len;
	struct view *views; /* of rooms it has open (rooms.h) */
	struct rate_bucket rates[EDGE_RATES];
	struct tracking *tracking; /* what of these is stored; NULL: nothing was */
	uint32_t unread;           /* the total this client was told last */
	uint64_t seq, rev;         /* its position in the mailbox and in the user's state */
	uint64_t log_seq;          /* its position in the announcement log */
	bool log_asked;            /* it is catching up with the log */
	bool is_recovering;        /* it goes on where an older connection was, if it can */
	uint64_t recover_to;       /* items up to here were missed; states follow them. 0: none */
	bool is_counted;           /* it has entered the hub under its present id */
	bool is_moved; /* it comes from another edge: its client has its CONNECT answer */
	struct expiry expiry;
	int64_t iat_s; /* of the token it signed in with, to see whether that was revoked */
	char *jti;
	uint64_t key_print; /* of that token's key, to see whether it was withdrawn */
	Walletwire__V1__Claims
	    *claims; /* of its token, until `open` was told; NULL: none to tell */
	char *pid;   /* what it may be recovered with; NULL: nothing */
	char offset_prefix[RECOVERY_PREFIX_SIZE];
	char epoch[ID_SIZE]; /* of the history its positions are of, if it has some before `open` */
};

/* The namespace of these sockets; `name` is borrowed. */
struct sio_namespace socket_namespace(const char *name);

/*
 * auth:refresh: another token of the same user takes the place of the one it signed in with.
 * UNAUTHORIZED for one that is not good, FORBIDDEN for another user's.
 */
enum status socket_refresh(struct socket *socket, struct bytes token, struct err *err) MUST_CHECK;
/* When the token ends, in the arena. */
const ProtobufCMessage *socket_token_end(const struct socket *socket, struct arena *arena);

/* An event of this connection: no item, and nothing that is kept. It has to be live. */
void socket_tell(struct socket *socket, const char *event, const ProtobufCMessage *payload);

/* Too many of this user are open: the socket is told so, and gone. */
void socket_refuse_crowded(struct socket *socket);

/* Was a token revoked, or its key withdrawn, that somebody of this session signed in with? */
bool socket_session_is_revoked(const struct edge *edge, const struct session *session);

/* A socket as a question remembers it: both may be gone, or others, when the answer comes. */
struct socket_ref {
	uint64_t session;
	char sid[ID_SIZE];
};
struct socket_ref socket_ref(const struct socket *socket);
struct socket *socket_ref_find(struct edge_loop *el, const struct socket_ref *ref);

/* The socket of a session; NULL if it has none, or there is no session. */
struct socket *socket_of(const struct session *session);
/* The socket that asked; NULL if it is gone. */
struct socket *socket_of_ack(struct edge_loop *el, const struct sio_ack *ack);

/* Posted to a loop: closes the sockets whose token is no longer good. */
void socket_recheck_all(void *edge_loop);

/*
 * For a session that moves to another edge; strings are allocated for the message to free. What is
 * restored asks `open` again, since doorbells have rung meanwhile, and goes on from its positions.
 */
void socket_save(const struct socket *socket, Walletwire__V1__MovedSocket *ret_moved);
bool socket_restore(struct sio_socket *base, const Walletwire__V1__MovedSocket *moved);

/* Another connection has recovered this socket. */
bool socket_is_evicted(const struct socket *socket, const Walletwire__V1__Eviction *eviction);

/* --- what user.c and announcements.c move a live socket with --- */
enum socket_take { SOCKET_OLD, SOCKET_TAKEN, SOCKET_HOLE };

/* An event that others share, whatever its channels. */
void socket_show(struct socket *socket, struct frame *frame);
/* The next item: shown if one of its channels is joined, and the position moves on. */
enum socket_take socket_take_item(struct socket *socket, const struct delivery_item *item);
/* Numbers up to `seq` are void. */
void socket_skip_to(struct socket *socket, uint64_t seq);
/* One state, if one of its channels is joined. */
void socket_show_state(struct socket *socket, const struct delivery_state *entry);
/* States that bring the socket to `rev`. */
void socket_take_states(
    struct socket *socket, const struct delivery_state *states, size_t len, uint64_t rev);
/* The next row of the announcement log; anything but the next is left alone. */
void socket_take_log(struct socket *socket, const struct delivery_log *log);

/* --- acknowledgements; nothing is sent if the event asked for none --- */
void socket_ack_ok(
    struct sio_socket *socket, const struct sio_ack *ack, const ProtobufCMessage *reply_or_null);
void socket_ack_error(struct sio_socket *socket, const struct sio_ack *ack, const char *code,
    const char *message, const char *field, uint32_t retry_after_ms);
void socket_ack_err(struct sio_socket *socket, const struct sio_ack *ack, const struct err *err);

#endif
