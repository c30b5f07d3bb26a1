/* The packet type is one character; everything else is the packet's own business. */
#include "codec/engineio.h"

#include "codec/json.h"

static bool is_known(uint8_t type)
{
	return (type >= ENGINEIO_OPEN && type <= ENGINEIO_NOOP) || type == ENGINEIO_BINARY;
}

enum status engineio_parse(struct bytes text, struct engineio_packet *ret_packet, struct err *err)
{
	if (text.len == 0)
		return err_set(err, STATUS_INVALID, "an Engine.IO packet is empty");
	if (!is_known(text.data[0]))
		return err_set(
		    err, STATUS_INVALID, "Engine.IO packet type 0x%02x is unknown", text.data[0]);
	*ret_packet = (struct engineio_packet){ text.data[0], { text.data + 1, text.len - 1 } };
	return STATUS_OK;
}

bool engineio_payload_next(struct engineio_reader *reader, struct bytes *ret_packet)
{
	struct bytes left = reader->left;
	const uint8_t *end = left.len ? memchr(left.data, ENGINEIO_SEPARATOR, left.len) : NULL;

	if (reader->done)
		return false;
	reader->done = !end;
	if (end) {
		*ret_packet = bytes_of(left.data, (size_t)(end - left.data));
		reader->left = bytes_of(end + 1, left.len - ret_packet->len - 1);
	} else {
		*ret_packet = left;
		reader->left = (struct bytes){ 0 };
	}
	return true;
}

void engineio_append_open(struct buf *out, const struct engineio_open *open)
{
	buf_append_str(out, "0{\"sid\":");
	json_append_string(out, bytes_of_str(open->sid));
	buf_appendf(out,
	    ",\"upgrades\":%s,\"pingInterval\":%d,\"pingTimeout\":%d,\"maxPayload\":%d}",
	    open->can_upgrade ? "[\"websocket\"]" : "[]", open->ping_interval_ms,
	    open->ping_timeout_ms, open->max_payload);
}
