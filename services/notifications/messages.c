/* The one message that is not made as it is. */
#include "messages.h"

Timestamp *message_timestamp(int64_t wall_us, struct arena *arena)
{
	Timestamp *ts = message_new(&google__protobuf__timestamp__descriptor, arena);

	ts->seconds = wall_us / 1000000;
	ts->nanos = (int32_t)(wall_us % 1000000 * 1000);
	return ts;
}
