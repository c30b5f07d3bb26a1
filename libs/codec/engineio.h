/* engineio: packets of Engine.IO protocol 4, one per WebSocket message. */
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
};

struct engineio_packet {
	enum engineio_type type;
	struct bytes data; /* what follows the type; borrowed from the input */
};

/* Parse the text of one packet. Fails with STATUS_INVALID if it is empty or of no known type. */
enum status engineio_parse(
    struct bytes text, struct engineio_packet *ret_packet, struct err *err) MUST_CHECK;

/* The open packet, with exactly the five keys clients expect. Durations in ms. */
struct engineio_open {
	const char *sid;
	bool can_upgrade;
	int ping_interval_ms, ping_timeout_ms;
	int max_payload; /* bytes */
};
void engineio_append_open(struct buf *out, const struct engineio_open *open);

#endif
