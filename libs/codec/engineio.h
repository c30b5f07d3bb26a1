/*
 * engineio: packets of Engine.IO protocol 4. A WebSocket message is one packet, the body of a
 * long-polling request or answer is a payload of several.
 */
#ifndef CODEC_ENGINEIO_H
#define CODEC_ENGINEIO_H

#include "base/buf.h"
#include "base/err.h"

enum engineio_type {
	ENGINEIO_OPEN = '0',
	ENGINEIO_CLOSE = '1',
	ENGINEIO_PING = '2',
	ENGINEIO_PONG = '3',
	ENGINEIO_MESSAGE = '4',
	ENGINEIO_UPGRADE = '5',
	ENGINEIO_NOOP = '6',
	ENGINEIO_BINARY = 'b', /* a binary message as base64, where only text can go */
};

struct engineio_packet {
	enum engineio_type type;
	struct bytes data; /* what follows the type, not decoded; borrowed from the input */
};

/* Parse the text of one packet. Fails with STATUS_INVALID if it is empty or of no known type. */
enum status engineio_parse(
    struct bytes text, struct engineio_packet *ret_packet, struct err *err) MUST_CHECK;

/* What stands between the packets of a payload; JSON never holds it as it is. */
enum { ENGINEIO_SEPARATOR = 0x1e };

/*
 * The packets of a payload, from left to right. n separators make n + 1 packets, whether or not
 * something stands between them: "" is one empty packet and "a<sep>" is "a" and an empty one, which
 * engineio_parse() refuses. Start with { .left = payload }.
 */
struct engineio_reader {
	struct bytes left; /* what was not lent out yet; empty is no end, see `done` */
	bool done;         /* the last packet was lent out */
};

/* False, and *ret_packet untouched, when all were lent out. A packet is borrowed from the payload.
 */
bool engineio_payload_next(struct engineio_reader *reader, struct bytes *ret_packet);

/* The open packet, with exactly the five keys clients expect. Durations in ms. */
struct engineio_open {
	const char *sid;
	bool can_upgrade;
	int ping_interval_ms, ping_timeout_ms;
	int max_payload; /* bytes */
};
void engineio_append_open(struct buf *out, const struct engineio_open *open);

#endif
