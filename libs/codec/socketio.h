/*
 * socketio: packets of Socket.IO protocol 5 in its default (text) encoding.
 *
 *   <type>[<attachments>-][<namespace>,][<ack id>][JSON]
 *
 * The attachments of a binary packet follow it as binary messages. In its JSON each of them is a
 * placeholder, {"_placeholder":true,"num":<index>}.
 */
#ifndef CODEC_SOCKETIO_H
#define CODEC_SOCKETIO_H

#include "base/buf.h"
#include "base/err.h"

struct json;

enum socketio_type {
	SOCKETIO_CONNECT,
	SOCKETIO_DISCONNECT,
	SOCKETIO_EVENT,
	SOCKETIO_ACK,
	SOCKETIO_CONNECT_ERROR,
	SOCKETIO_BINARY_EVENT,
	SOCKETIO_BINARY_ACK,
};

struct socketio_packet {
	enum socketio_type type;
	unsigned attachments;
	struct bytes nsp; /* "/" if none was written; borrowed */
	bool has_id;
	uint64_t id;
	struct bytes json; /* empty if none was written; borrowed; not looked at yet */
};

/*
 * Parse the header. Ack ids have at most 15 digits, counts of attachments 3, namespaces 256 bytes.
 * An ack id has to stand in an ACK and may stand in an EVENT, nowhere else; a binary packet has one
 * attachment at least.
 */
enum status socketio_parse(
    struct bytes text, struct socketio_packet *ret_packet, struct err *err) MUST_CHECK;

/* Event names that neither side may use (Socket.IO protocol 5, "Reserved events"). */
bool socketio_event_is_reserved(struct bytes name);

/* "4" of Engine.IO, then the header up to where the JSON goes. `nsp` "/" is left out. */
void socketio_append_header(
    struct buf *out, enum socketio_type type, const char *nsp, const uint64_t *id);
/* The same for a BINARY_EVENT or BINARY_ACK; clients refuse one without attachments. */
void socketio_append_binary_header(struct buf *out, enum socketio_type type, unsigned attachments,
    const char *nsp, const uint64_t *id);

/* The attachments of one packet, borrowed. */
enum { SOCKETIO_ATTACHMENTS_CAP = 64 };
struct socketio_attachments {
	struct bytes list[SOCKETIO_ATTACHMENTS_CAP];
	size_t len;
};

/*
 * Every object of the payload whose `_placeholder` is true is a placeholder and nothing else, of an
 * attachment that there is. Attachments that no placeholder names are fine, and so is NULL.
 */
bool socketio_placeholders_ok(const struct json *payload, size_t attachments);

#endif
