/*
 * socketio_packed: packets of Socket.IO protocol 5 as socket.io-msgpack-parser encodes them.
 *
 * A packet is one binary message: a msgpack map of `type`, `nsp` and, where they are not absent,
 * `id` and `data`. Binary stands in `data` itself. Here it is taken out and put in again, so that a
 * payload is the same tree, with placeholders, whichever encoding its client speaks.
 */
#ifndef CODEC_SOCKETIO_PACKED_H
#define CODEC_SOCKETIO_PACKED_H

#include "codec/socketio.h"

/*
 * Read what a client sent. What a text packet can't hold is refused with STATUS_INVALID here too:
 * `data` that nests deeper than JSON_DEPTH_MAX (a placeholder is a level, the packet's map is
 * none), keys that are no strings or stand twice, text that is not UTF-8 or has a NUL, numbers that
 * are not finite or beyond int64, more attachments than SOCKETIO_ATTACHMENTS_CAP, and a map that
 * spells out a placeholder, which could name an attachment it has not. A message with more than
 * `max_len` bytes beside its binary fails with STATUS_TOO_LARGE: small values cost dozens of times
 * their size in memory.
 *
 * Of what encoders do: undefined and nil are an absent id or absent data, and null within data;
 * binary may be of notepack's extension type 0 (typed arrays); its Date becomes the text that
 * JSON.stringify() makes of one; unknown keys of the packet are ignored, whatever they hold.
 *
 * *ret_packet: `type` is never a binary one, a BINARY_EVENT of an old client is an EVENT;
 * `attachments` counts ret_attachments; `json` is empty; `nsp` is borrowed from `packed`, as the
 * attachments are. *ret_payload is NULL if there is no data; the caller frees it with json_free().
 * After a failure what ret_attachments points to is undefined.
 */
enum status socketio_unpack(struct bytes packed, size_t max_len, struct socketio_packet *ret_packet,
    struct json **ret_payload, struct socketio_attachments *ret_attachments,
    struct err *err) MUST_CHECK;

/*
 * Append the packed form of a text packet of ours, given without the "4" of Engine.IO and with the
 * attachments its header counts. Integers and lengths have their shortest form, every other number
 * is a float64. Fails, with nothing appended, on what is not such a packet or longer than
 * SOCKETIO_PACK_TEXT_MAX.
 *
 * `data` is the last member of the map. So the last element of an EVENT's array ends the packet,
 * and a caller may cut it off and append another scalar in its place, for instance an offset that
 * differs from socket to socket: no count or length before it changes.
 */
enum { SOCKETIO_PACK_TEXT_MAX = 16 * 1024 * 1024 };
enum status socketio_pack(struct bytes text, const struct socketio_attachments *attachments_or_null,
    struct buf *out, struct err *err) MUST_CHECK;

#endif
