/* The packet type is one character; everything else is the packet's own business. */
#include "codec/engineio.h"

#include "codec/json.h"

enum status engineio_parse(struct bytes text, struct engineio_packet *ret_packet, struct err *err)
{
	if (text.len == 0)
		return err_set(err, STATUS_INVALID, "an Engine.IO packet is empty");
	if (text.data[0] < ENGINEIO_OPEN || text.data[0] > ENGINEIO_NOOP)
		return err_set(
		    err, STATUS_INVALID, "Engine.IO packet type 0x%02x is unknown", text.data[0]);
	*ret_packet = (struct engineio_packet){ text.data[0], { text.data + 1, text.len - 1 } };
	return STATUS_OK;
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
