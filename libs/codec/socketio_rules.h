/*
 * socketio_rules: what a Socket.IO packet may be in both of its encodings. Private to the
 * socketio*.c files.
 */
#ifndef CODEC_SOCKETIO_RULES_H
#define CODEC_SOCKETIO_RULES_H

#include "codec/socketio.h"

enum { SOCKETIO_NSP_MAX = 256 }; /* bytes */

static inline bool socketio_is_binary(enum socketio_type type)
{
	return type == SOCKETIO_BINARY_EVENT || type == SOCKETIO_BINARY_ACK;
}

/* An ack id has to stand in an ACK and may stand in an EVENT, nowhere else. */
enum status socketio_check_id(const struct socketio_packet *packet, struct err *err) MUST_CHECK;

/* An object whose `_placeholder` is true; NULL is none. */
bool socketio_is_placeholder(const struct json *value);

/* Of one that socketio_placeholders_ok() approved. */
size_t socketio_placeholder_num(const struct json *placeholder);

#endif
